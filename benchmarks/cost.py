"""What a request costs beside its floor: CPU milliseconds in process, scenario by scenario.

    python -m benchmarks cost [--suite Basic256] [--size 100000] [--payload elements] [--rounds 30]

*engine* is accepting a request and protecting its reply; *server* is the WSGI application around it, with
Spyne, the log line and the SQLite store, called without HTTP. Both stand beside the *floor*
(benchmarks/floor.py) in the same run.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks import machine, payloads
from benchmarks.exchanges import SCENARIOS, Exchanges
from benchmarks.rounds import alternate
from benchmarks.served import Served

_BUDGET = {number: 0.20 if number == "5" else 0.15 for number in SCENARIOS}
"""Read, open, evidence, judge, plan, log (DESIGN: "what a request may cost")."""
_AROUND = 0.34
"""Spyne, and gunicorn with werkzeug and the replay store; the share of gunicorn does not show here."""
_LARGEST_TEXT = 2_000
_HEAD = (
    "scenario",
    "floor",
    "engine",
    "ratio",
    "beyond the floor",
    "budget",
    "server",
    "around the engine",
    "budget",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--suite", help="an algorithm suite instead of each scenario's own")
    parser.add_argument("--size", type=int, default=1_000, help="bytes of payload")
    parser.add_argument("--payload", choices=("text", "elements"), help="default: text while it is small")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--requests", type=int, help="in a round")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated")


def run(options: argparse.Namespace) -> None:
    """Print the table."""
    kind = options.payload or ("text" if options.size <= _LARGEST_TEXT else "elements")
    requests = options.requests or max(2, min(20, 400_000 // options.size))
    make = payloads.text if kind == "text" else payloads.elements
    print(machine.describe())
    print(
        f"payload: {options.size} bytes of {kind}; suite: {options.suite or 'default'}; CPU ms a request "
        f"and reply: least of {options.rounds} rounds of {requests}, ratio: median of the rounds' ratios\n"
    )
    print(_row(_HEAD))
    print("|" + " --- |" * len(_HEAD))
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder), suite=options.suite) if kind == "text" else None
        for number in options.scenario or SCENARIOS:
            exchanges = Exchanges(number, make(options.size), suite=options.suite)
            subjects = exchanges.subjects()
            if served is not None:
                subjects["server"] = served.subject(number, make(options.size))
            times = alternate(subjects, rounds=options.rounds, requests=requests)
            floor, engine, server = times["floor"], times["engine"], times.get("server")
            cells = [
                number,
                f"{floor.least:.3f}",
                f"{engine.least:.3f}",
                f"{engine.ratio(floor):.2f}",
                f"{engine.least - floor.least:.3f}",
                f"{_BUDGET[number]:.2f}",
            ]
            if server is not None:
                cells += [f"{server.least:.3f}", f"{server.least - engine.least:.3f}", f"{_AROUND:.2f}"]
            print(_row(cells), flush=True)
        if served is not None:
            served.close()


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
