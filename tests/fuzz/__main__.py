"""``python -m tests.fuzz``: a search of some minutes, guided by coverage where Atheris is installed.

New recipes that reached something new are added to the corpus; findings go to ``var/fuzz/findings.txt``. The exit
status says whether there were any.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.lines import reached, worth_keeping
from tests.fuzz.mutators import KITCHEN
from tests.fuzz.oracle import Finding, Oracle
from tests.fuzz.recipe import LONGEST, Recipe
from tests.fuzz.search import CORPUS, Result, Search, kept_recipes

FINDINGS = Path("var/fuzz/findings.txt")
MEGABYTES = 2_048
SECONDS = 60


def main() -> int:
    """Search, say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1 << 31))
    parser.add_argument("--unguided", action="store_true", help="even where Atheris is installed")
    parser.add_argument(
        "--lines", action="store_true", help="which lines the kept corpus reaches, and nothing else"
    )
    parser.add_argument("recipes", nargs="*", help="try these only, and show the messages they make")
    chosen = parser.parse_args()
    if chosen.lines:
        print(reached(kept_recipes()))
        return 0
    if chosen.recipes:
        return _show(chosen.recipes)
    is_guided = find_spec("atheris") is not None and not chosen.unguided
    how = "guided by coverage (Atheris)" if is_guided else "unguided (Atheris is not installed or not wanted)"
    print(
        f"{len(kept_recipes())} kept recipes, then {chosen.minutes:g} minutes, {how}, seed {chosen.seed}",
        flush=True,
    )
    result = _guided(chosen.minutes, chosen.seed) if is_guided else _unguided(chosen.minutes, chosen.seed)
    print(result)
    if result.findings:
        FINDINGS.parent.mkdir(parents=True, exist_ok=True)
        with FINDINGS.open("a", encoding="utf-8") as file:
            file.writelines(f"{one}\n" for one in result.findings.values())
        print(
            f"Written to {FINDINGS}. A finding is mended with a test of its own; then its recipe goes into {CORPUS.name}."
        )
    return 1 if result.findings else 0


def _show(lines: list[str]) -> int:
    oracle = Oracle()
    findings: list[Finding] = []
    for line in lines:
        recipe = KITCHEN.from_text(line)
        print(oracle.cook.cook(recipe).data.decode(errors="replace"))
        tried = oracle.try_(recipe)
        print(tried.outcomes, *tried.findings)
        findings += tried.findings
    return 1 if findings else 0


def _unguided(minutes: float, seed: int) -> Result:
    search = Search(Oracle(), seed, kept_recipes())
    search.replay()
    search.run(minutes * 60)
    _keep(search.pool)
    return search.result


def _guided(minutes: float, seed: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        statistics, inputs = Path(folder, "statistics.json"), Path(folder, "inputs")
        inputs.mkdir()
        for number, recipe in enumerate(kept_recipes()):
            (inputs / f"{number:06}").write_bytes(KITCHEN.to_octets(recipe))
        said = _fuzz(
            statistics, seed, inputs,
            f"-max_total_time={round(minutes * 60)}", f"-max_len={LONGEST}", "-len_control=0",
            f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}",
        )  # fmt: skip
        told = json.loads(statistics.read_text(encoding="utf-8"))
        print(*re.findall(r"^#\d+\s+(?:INITED|DONE).*$", said, re.MULTILINE), sep="\n")
        result = Result(told["executions"], told["seconds"], {}, tuple(told["slowest"]))
        for kind, recipe, detail in told["findings"]:
            result.findings[kind] = Finding(kind, KITCHEN.from_text(recipe), detail)
        if "DONE" not in said:
            result.findings["the process ended"] = Finding(
                "the process ended", KITCHEN.from_octets(b""), said[-2_000:]
            )
        _keep(KITCHEN.from_octets(one.read_bytes()) for one in inputs.iterdir())
        return result


def _fuzz(statistics: Path, seed: int, *arguments: object) -> str:
    """Run libFuzzer; what it said."""
    command = [sys.executable, "-m", "tests.fuzz.guided", str(statistics), str(seed), *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return ran.stderr


def _keep(recipes: Iterable[Recipe]) -> None:
    """Add to the corpus what reaches lines, or ends in ways, that the kept recipes do not."""
    kept = kept_recipes()
    new = worth_keeping(set(recipes) - set(kept), kept)
    with CORPUS.open("a", encoding="utf-8") as file:
        file.writelines(f"{recipe}\n" for recipe in new)
    print(
        f"{len(new)} recipes that reach something new were added to the corpus ({CORPUS.name}): commit it with them"
    )


if __name__ == "__main__":
    sys.exit(main())
