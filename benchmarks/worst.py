"""What the worst message costs beside an accepted one of its size (issue 7: at most five times as much).

    python -m benchmarks worst [--scenario 3] [--size 100000] [--search 200]

Through the whole WSGI application, in CPU time, the least of some samples taken in turn. Two accepted messages of
the same length stand beside each hostile one: *text* is one long text, the cheapest honest content there is;
*elements* are rows of three small elements, handed to the service as XML. What holds many elements is to be
compared with the latter. ``--search`` turns the numbers of a drawn Body at random and keeps what costs more.
"""

import argparse
import ctypes
import gc
import json
import logging
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lxml import etree

from benchmarks import bulk, machine, payloads
from benchmarks.hostile import CASES, Attacker, Maker, Shape
from benchmarks.payloads import Payload
from benchmarks.served import Served
from tests.simulator.world import ECHO
from wsprovider.soap.version import SoapVersion

SCENARIOS = ("1", "3", "5", "6", "11")
SIZES = (1_000, 10_000, 100_000, 1_000_000)
_ROWS = 62_000
_BOUND = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--scenario", action="append", choices=[str(number) for number in range(1, 16)])
    parser.add_argument("--size", action="append", type=int, help="bytes of content")
    parser.add_argument("--samples", type=int, default=3, help="of each message")
    parser.add_argument("--search", type=int, default=0, help="steps of a random search, at the first size")
    parser.add_argument("--all", action="store_true", help="print every case, not only the worst ones")


def elements(size: int) -> Payload:
    """Rows of three small elements inside ``xml``, and a text where there would be too many of them."""

    def make(soap: SoapVersion, name: str) -> etree._Element:
        body = payloads.elements(min(size, 110 * _ROWS))(soap, name)
        payload = body[0]
        xml = etree.Element(f"{{{ECHO}}}xml")
        rows = etree.SubElement(xml, f"{{{ECHO}}}rows")
        rows.extend(list(payload))
        if size > 110 * _ROWS:
            etree.SubElement(rows, f"{{{ECHO}}}row").text = "x" * (size - 110 * _ROWS)
        payload.append(xml)
        return body

    return make


class _Reasons(logging.Handler):
    """Why the last message was refused."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = json.loads(record.getMessage()).get("reason") or "accepted"


class _Measured:
    """The application under the clock."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(folder, service=Path(bulk.__file__))
        self._reasons = _Reasons()
        logging.getLogger("wsprovider.request").addHandler(self._reasons)
        self._attackers: dict[str, Attacker] = {}

    def attacker(self, number: str) -> Attacker:
        if number not in self._attackers:
            self._attackers[number] = Attacker(self.served, number)
        return self._attackers[number]

    def cost(self, number: str, message: bytes) -> tuple[float, str]:
        """Milliseconds of CPU, and why it was refused."""
        environ = self.served.environ(number, message)
        gc.collect()
        begin = time.process_time()
        for _ in self.served.application(environ, lambda _status, _headers: None):
            pass
        return (time.process_time() - begin) * 1000, self._reasons.last

    def accepted(self, number: str, length: int, *, text: bool) -> bytes:
        """A genuine message of about that length."""
        make = payloads.text if text else elements
        honest = self.attacker(number).honest
        sample, other = len(honest(make(length))), len(honest(make(1)))
        content = max(1, (length - other) * length // max(1, sample - other))
        return honest(make(content))

    def compare(
        self, number: str, maker: Maker, size: int, samples: int
    ) -> tuple[int, float, float, float, str]:
        """Length, milliseconds, and how many times an accepted text and accepted elements."""
        hostile, text, rows = [], [], []
        length, reason = 0, ""
        for _ in range(samples):
            message = maker(self.attacker(number), size)
            length = len(message)
            plain = self.accepted(number, length, text=True)
            rich = self.accepted(number, length, text=False)
            took, reason = self.cost(number, message)
            hostile.append(took)
            text.append(self._honest(number, plain))
            rows.append(self._honest(number, rich))
        least = min(hostile)
        return length, least, least / min(text), least / min(rows), reason

    def _honest(self, number: str, message: bytes) -> float:
        took, reason = self.cost(number, message)
        if reason != "accepted":
            raise RuntimeError(f"a genuine message was refused: {reason}")
        return took


def run(options: argparse.Namespace) -> None:
    """Print the tables."""
    print(machine.describe())
    with tempfile.TemporaryDirectory() as folder:
        measured = _Measured(Path(folder))
        numbers = options.scenario or SCENARIOS
        sizes = options.size or SIZES
        for number in numbers:  # caches, pools, first compilations
            for size in (1_000, 100_000):
                measured.compare(number, CASES["elements and text"], size, 2)
        before = _resident()
        if options.search:
            _search(measured, numbers[0], sizes[0], options.search)
        else:
            _catalogue(measured, numbers, sizes, options)
        _memory(measured, numbers[0], before)
        measured.served.close()


def _catalogue(
    measured: _Measured, numbers: Sequence[str], sizes: Sequence[int], options: argparse.Namespace
) -> None:
    print("\n| scenario | content | case | bytes | CPU ms | x text | x elements | outcome |")
    print("|" + " --- |" * 8)
    worst = 0.0
    for number in numbers:
        for size in sizes:
            rows = [(name, *measured.compare(number, CASES[name], size, options.samples)) for name in CASES]
            rows.sort(key=lambda row: -row[4])
            worst = max(worst, rows[0][4])
            for name, length, took, to_text, to_rows, reason in rows if options.all else rows[:3]:
                print(
                    f"| {number} | {size:,} | {name} | {length:,} | {took:.2f} | {to_text:.1f} | {to_rows:.1f} "
                    f"| {reason} |",
                    flush=True,
                )
    print(f"\nThe worst beside accepted elements: {worst:.1f}; the bound: {_BOUND:.0f}")


def _search(measured: _Measured, number: str, size: int, steps: int) -> None:
    dice = random.Random(7)
    best, ratio = Shape(), 0.0
    for step in range(steps):
        shape = best.turned(dice) if step % 10 else Shape().turned(dice).turned(dice).turned(dice)
        length, took, to_text, to_rows, reason = measured.compare(number, shape, size, 2)
        if to_rows > ratio:
            best, ratio = shape, to_rows
            print(
                f"step {step}: {length:,} bytes, {took:.2f} ms, {to_text:.1f} x text, {to_rows:.1f} x elements, "
                f"{reason}: {shape}",
                flush=True,
            )
    print(f"\nThe worst of {steps} drawn Bodies beside accepted elements: {ratio:.1f}")


def _resident() -> float:
    """Megabytes in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _memory(measured: _Measured, number: str, before: float) -> None:
    """Whether a worker's memory comes back."""
    after = _resident()
    for _ in range(50):
        measured.compare(number, CASES["elements and text"], 1_000, 1)
    gc.collect()
    later = _resident()
    ctypes.CDLL(None).malloc_trim(0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"\nMemory, MB: {before:.0f} before, {peak:.0f} at the peak (messages were made in the same process), "
        f"{after:.0f} after, {later:.0f} after fifty small messages, {_resident():.0f} after malloc_trim"
    )
