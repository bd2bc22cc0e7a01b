"""What remembering one message costs, by store, by threads and by processes.

    python -m benchmarks.shared_store

Redis is started on loopback if ``redis-server`` is installed. The numbers are microseconds a call.
"""

import multiprocessing
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.live.redis_server import RedisServer
from wsprovider.adapters.shared import open_store
from wsprovider.ports import SharedStore

CALLS = 20_000
LIFE = timedelta(minutes=5)


def measure(store: SharedStore, prefix: str, calls: int) -> list[float]:
    """Microseconds of each addition."""
    times = []
    for number in range(calls):
        now = datetime.now(UTC)
        begin = time.perf_counter()
        store.add_if_absent(f"{prefix} {number}", expires=now + LIFE, now=now)
        times.append((time.perf_counter() - begin) * 1e6)
    return times


def measure_lookups(store: SharedStore, calls: int) -> list[float]:
    """Microseconds of each look-up of a key that is not there, as for every good message."""
    times = []
    for number in range(calls):
        now = datetime.now(UTC)
        begin = time.perf_counter()
        store.contains(f"absent {number}", now=now)
        times.append((time.perf_counter() - begin) * 1e6)
    return times


def measure_in_process(url: str, prefix: str, calls: int) -> list[float]:
    """The same in a process of its own."""
    store = open_store(url)
    try:
        return measure(store, prefix, calls)
    finally:
        store.close()


def line(what: str, times: list[float]) -> None:
    """Print one row."""
    cuts = statistics.quantiles(times, n=1000)
    mean = statistics.fmean(times)
    print(
        f"  {what:<26}mean {mean:7.1f}  median {cuts[499]:7.1f}  p95 {cuts[949]:7.1f}  p99.9 {cuts[998]:8.1f}"
    )


def run(url: str, *, processes: bool) -> None:
    """Print one store's rows."""
    print(url.partition(":")[0])
    store = open_store(url)
    line("add, one thread", measure(store, "one", CALLS))
    line("contains", measure_lookups(store, CALLS))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda n: measure(store, f"thread {n}", CALLS // 4), range(4)))
    line("add, 4 threads", [one for part in parts for one in part])
    store.close()
    if processes:
        with multiprocessing.get_context("spawn").Pool(2) as workers:
            jobs = [(url, f"process {n}", CALLS // 2) for n in range(2)]
            shares = workers.starmap(measure_in_process, jobs)
        line("add, 2 processes", [one for share in shares for one in share])


def run_large(url: str, entries: int) -> None:
    """Print what an addition costs beside many live entries."""
    store = open_store(url)
    measure(store, "filler", entries)
    line(f"add beside {entries:,}", measure(store, "late", CALLS))
    store.close()


def main() -> None:
    """Print everything."""
    run("memory:", processes=False)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'shared.sqlite3'}"
        run(url, processes=True)
        run_large(url, 300_000)
    if reason := RedisServer.available():
        print(f"redis: {reason}", file=sys.stderr)
    else:
        with RedisServer() as server:
            run(server.url, processes=True)


if __name__ == "__main__":
    main()
