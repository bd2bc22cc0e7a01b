"""What an archive adds to a request and its reply: CPU and elapsed time, in a folder and in SQLite.

    python -m benchmarks.archive [--rounds 15] [--requests 20] [--trusted 2]

Messages are the simulator's, without Spyne and HTTP; each worker's first record of the day, which brings certificates,
lists and policy with it, is written before the clock runs. Subjects take turns, so that noise of others hits all alike.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.simulator.archived import CHAIN, Archived
from tests.simulator.world import World, issued, party, reply_body
from wsprovider.archive.messages import Keeper, Received

SCENARIOS = ("2", "5", "8")
TEXT = "x" * 1_000


class Subject:
    """One scenario, with an archive or without."""

    def __init__(self, scenario: str, location: str | None, trusted: int) -> None:
        self.world = World(scenario, clear_password_over_http=True, opinion=None, client_opinion=None)
        names = [("client", self.world.client.certificate)]
        names += [(f"client-{n}", issued(f"client-{n}").certificate) for n in range(trusted - 1)]
        self.world.service = party(self.world.service.issued, *names)
        self.archived = None if location is None else Archived(location, self.world)
        self.keeper = Keeper(self.world.recipient, scenario=scenario)
        self.body = reply_body(self.world.soap, TEXT)
        self.run(2)

    def run(self, count: int) -> tuple[float, float]:
        """Milliseconds of CPU and of the clock on the wall, of one request and its reply."""
        messages = [self.world.request(TEXT).data for _ in range(count)]
        wall, cpu = time.perf_counter(), time.process_time()
        for data in messages:
            self.call(data)
        return (time.process_time() - cpu) / count * 1e3, (time.perf_counter() - wall) / count * 1e3

    def call(self, data: bytes) -> None:
        """As the server does, without Spyne and HTTP."""
        world, archive = self.world, self.archived
        if archive is None:
            world.recipient.reply(world.accept(data), self.body)
            return
        archive.archive.check()
        verified = world.accept(data)
        received = Received(data, None, None, world.transport)
        number = archive.archive.keep(self.keeper.request(verified, received))
        wire = world.recipient.reply(verified, self.body)
        archive.archive.keep(self.keeper.reply(wire, number))


def compare(scenario: str, folder: Path, rounds: int, requests: int, trusted: int) -> None:
    """Print a line for each kind of archive."""
    subjects = {
        "none": Subject(scenario, None, trusted),
        "folder": Subject(scenario, str(folder / f"{scenario}-folder"), trusted),
        "sqlite": Subject(scenario, f"sqlite:///{folder / scenario}.sqlite3", trusted),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            times[name].append(subject.run(requests))
    for name, found in times.items():
        cpu, wall = (statistics.median(column) for column in zip(*found, strict=True))
        more = statistics.median(mine[0] - other[0] for mine, other in zip(found, times["none"], strict=True))
        print(f"{scenario:>3} {name:<8} CPU {cpu:6.2f} ms (+{more:5.2f})   elapsed {wall:6.2f} ms")
    archived = subjects["folder"].archived
    if archived is not None:
        octets = sum(file.stat().st_size for file in Path(archived.location).rglob("*.records"))
        print(
            f"{scenario:>3} kept     {octets / (rounds * requests + 2):,.0f} octets a request and its reply"
        )


def together(folder: Path, threads: int, count: int) -> float:
    """Records a second that several workers append to one folder."""
    workers = [Archived(folder / "together", World("2")) for _ in range(threads)]
    octets = os.urandom(6_000)
    for worker in workers:
        worker.plain(octets)

    def run(worker: Archived) -> None:
        for _ in range(count):
            worker.plain(octets)

    running = [threading.Thread(target=run, args=(worker,)) for worker in workers]
    begin = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return threads * count / (time.perf_counter() - begin)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--trusted", type=int, default=2, help="partners whose certificates are pinned")
    parser.add_argument(
        "--folder", type=Path, help="where the archives are made (default: a temporary folder)"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        for scenario in SCENARIOS:
            compare(scenario, folder, options.rounds, options.requests, options.trusted)
        for threads in (1, 4, 16):
            rate = together(folder, threads, 400 // threads)
            print(f"{threads:>3} at once: {rate:8,.0f} records a second in chain {CHAIN!r}")


if __name__ == "__main__":
    main()
