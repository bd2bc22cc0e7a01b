"""The search guided by coverage of the package: libFuzzer by way of Atheris, in a process of its own.

::

    python -m tests.fuzz.guided STATISTICS SEED FOLDER [libFuzzer's arguments]

Octets are recipes, so that libFuzzer's changes of octets are changes of structure. Findings are written down and the
search goes on; only a hang, a crash of the interpreter or too much memory end it.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["wsprovider"]):
    from tests.fuzz.mutators import KITCHEN
    from tests.fuzz.oracle import Oracle
    from tests.fuzz.search import Search


def main(statistics: Path, seed: str, *arguments: str) -> None:
    """Search until libFuzzer's arguments say that it is enough."""
    search = Search(Oracle(), int(seed))
    written = 0.0

    def one_input(octets: bytes) -> None:
        nonlocal written
        search.try_(KITCHEN.from_octets(octets))
        if time.monotonic() - written > 2:
            statistics.write_text(json.dumps(told()), encoding="utf-8")
            written = time.monotonic()

    def told() -> dict[str, Any]:
        result = search.result
        return {
            "executions": result.executions,
            "seconds": result.seconds,
            "slowest": result.slowest,
            "findings": [(one.kind, str(one.recipe), one.detail) for one in result.findings.values()],
        }

    atheris.Setup([sys.argv[0], f"-seed={seed}", *arguments], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *sys.argv[3:])
