"""Replay under load: captured messages sent again and again, concurrently, to four workers a machine.

    python -m benchmarks replays [--sends 100000] [--store sqlite] [--store redis]

First what an accepted call costs, and a copy of it, by scenario: CPU milliseconds of the workers (/proc, so Linux
only), everything included, one after the other. Then the storm: in rounds of 10,000 sends, 200 messages of ten
kinds, 50 copies of each; 16 connections send the same message at once, and then whichever comes. It is counted by
the answers, and by what the service wrote down. Redis serves two machines.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import machine
from tests.live.redis_server import RedisServer
from tests.live.replays import KINDS, Captured, Site, Tally, capture, send, send_once

STORES: Final = ("sqlite", "redis")
_ROUND: Final = 10_000
_COPIES: Final = 50
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--sends", type=int, default=100_000, help=f"to each store, in rounds of {_ROUND:,}")
    parser.add_argument("--calls", type=int, default=200, help="of each scenario, for what one costs")
    parser.add_argument("--store", action="append", choices=STORES, help="may be repeated")


def run(options: argparse.Namespace) -> None:
    """Print the tables."""
    print(machine.describe())
    for store in options.store or STORES:
        with tempfile.TemporaryDirectory() as folder, _site(Path(folder), store) as site:
            count = sum(len(one.http_workers()) for one in site.machines)
            print(f"\n{store}: {len(site.machines)} master(s), {count} workers\n")
            _print_costs(site, options.calls)
            _print_storm(site, options.sends // _ROUND)


@contextmanager
def _site(folder: Path, store: str) -> Iterator[Site]:
    if store == "sqlite":
        with Site(folder) as site:
            yield site
    elif reason := RedisServer.available():
        sys.exit(f"redis: {reason}")
    else:
        with RedisServer() as server, Site(folder, server.url, machines=2) as site:
            yield site


def _print_costs(site: Site, calls: int) -> None:
    print("| scenario | accepted, CPU ms | its copy, CPU ms | share |\n| --- | --- | --- | --- |")
    for kind in KINDS:
        send_once(site.ports, capture(site, [kind], 20, "warm"))
        messages = capture(site, [kind], calls, "cost")
        accepted, first = _cost(site, messages)
        refused, second = _cost(site, messages)
        if len(first.accepted) != calls or second.accepted:
            raise RuntimeError(
                f"scenario {kind}: {len(first.accepted)} accepted, {len(second.accepted)} copies"
            )
        print(f"| {kind} | {accepted:.2f} | {refused:.2f} | {refused / accepted:.0%} |", flush=True)


def _cost(site: Site, messages: list[Captured]) -> tuple[float, Tally]:
    """CPU milliseconds of all workers for each message, and what was answered."""
    begin = _cpu(site)
    seen = send_once(site.ports, messages)
    return (_cpu(site) - begin) / len(messages) * 1000, seen


def _print_storm(site: Site, rounds: int) -> None:
    total, names, seconds, cpu = Tally(), set[str](), 0.0, 0.0
    for number in range(rounds):
        messages = capture(site, KINDS, _ROUND // _COPIES // len(KINDS), f"round{number}")
        names |= {message.name for message in messages}
        begin, used = time.perf_counter(), _cpu(site)
        total += send(site.ports, messages, _COPIES, seed=number)
        seconds += time.perf_counter() - begin
        cpu += _cpu(site) - used
    executed, processes = site.executions()
    times = {executed[name] for name in names}
    refused = sum(total.faults.values())
    print(
        f"\nmessages {len(names):,}; sends {total.sends:,}; accepted {sum(total.accepted.values()):,}; "
        f"refused {refused:,}, by {len(total.faults)} fault(s); no answer {sum(total.cut.values()):,}\n"
        f"executions of a message: {times}, in {len(processes)} workers\n"
        f"seconds {seconds:.0f}; sends/s {total.sends / seconds:.0f}; "
        f"CPU ms a send {cpu / total.sends * 1000:.2f} (workers)",
        flush=True,
    )
    if times != {1} or total.accepted != dict.fromkeys(names, 1):
        raise RuntimeError("a message was not accepted exactly once")


def _cpu(site: Site) -> float:
    """Seconds of CPU that the workers have used: fields 14 and 15 of /proc/<pid>/stat."""
    ticks = 0
    for worker in site.workers():
        fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS
