"""The search for findings without guidance by coverage: kept recipes first, then random ones and their offspring.

What a recipe's deliveries came to stands for coverage: a recipe that ends otherwise than all others of its policy is
kept for as long as the search goes on, and changed further.
"""

import faulthandler
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.fuzz.mutators import KITCHEN
from tests.fuzz.oracle import Finding, Oracle
from tests.fuzz.recipe import STEPS, Recipe

CORPUS = Path(__file__).with_name("corpus.txt")
HANGS = 60.0
"""Seconds after which a message is taken to hang, and the process ends with a traceback."""
GROWTH = 300 * 1024
"""Kilobytes by which a process may grow while it searches; the pool of recipes is among them."""


def _kilobytes() -> int:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def kept_recipes(path: Path = CORPUS) -> list[Recipe]:
    """The kept corpus; lines that begin with # are words about it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [KITCHEN.from_text(line) for line in lines if line and not line.startswith("#")]


@dataclass
class Result:
    """What a search came to.

    Attributes:
        findings: the first of each kind.
        seconds: of processor time.
        slowest: seconds of processor time that one delivery took, and its recipe.
    """

    executions: int = 0
    seconds: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0
        seconds, recipe = self.slowest
        told = [
            (
                f"{self.executions} inputs in {self.seconds:.0f} s of processor time, {rate:.0f} a second; "
                f"the slowest took {seconds * 1000:.0f} ms: {recipe}"
            ),
            f"{len(self.findings)} findings",
        ]
        return "\n".join((*told, *map(str, self.findings.values())))


class Search:
    """One search; the same seed and the same seconds take the same way as far as they go."""

    def __init__(self, oracle: Oracle, seed: int, kept: Iterable[Recipe] = ()) -> None:
        self.oracle = oracle
        self.result = Result()
        self._random = random.Random(seed)
        self.pool = list(kept)
        self._known: set[object] = set()

    def replay(self) -> None:
        """Try what was kept."""
        for recipe in tuple(self.pool):
            self.try_(recipe)

    def run(self, seconds: float, *, enough: Callable[[Result], bool] = lambda _: False) -> None:
        """Go on for so many seconds of processor time, or until it is enough."""
        end, heavy = time.process_time() + seconds, _kilobytes() + GROWTH
        while time.process_time() < end and not enough(self.result):
            recipe = self._next()
            if self.try_(recipe):
                self.pool.append(recipe)
            if _kilobytes() > heavy:
                told = f"{GROWTH // 1024} megabytes more than before the search"
                self.result.findings.setdefault("memory", Finding("memory", recipe, told))

    def try_(self, recipe: Recipe) -> bool:
        """Try one; whether it ended in a way that is new for its sample."""
        started = time.process_time()
        faulthandler.dump_traceback_later(HANGS, exit=True, file=sys.__stderr__)
        tried = self.oracle.try_(recipe)
        faulthandler.cancel_dump_traceback_later()
        result = self.result
        result.executions += 1
        result.seconds += time.process_time() - started
        result.slowest = max(result.slowest, (tried.seconds, str(recipe)))
        for finding in tried.findings:
            if finding.kind not in result.findings:
                result.findings[finding.kind] = self.shorter(finding)
        outcome = recipe.letter.partition("/")[0], tried.outcomes
        is_new = outcome not in self._known
        self._known.add(outcome)
        return is_new

    def shorter(self, finding: Finding) -> Finding:
        """The same finding by as few steps as show it."""
        at = 0
        while at < len(finding.recipe.steps):
            steps = finding.recipe.steps
            less = replace(finding.recipe, steps=steps[:at] + steps[at + 1 :])
            again = [one for one in self.oracle.try_(less).findings if one.kind == finding.kind]
            if again:
                finding = again[0]
            else:
                at += 1
        return finding

    def _next(self) -> Recipe:
        chance = self._random
        if not self.pool or chance.random() < 0.4:
            return KITCHEN.from_octets(chance.randbytes(7 + 6 * chance.choice((1, 1, 1, 2, 2, 3, 4, 6))))
        base, fresh = chance.choice(self.pool), KITCHEN.from_octets(chance.randbytes(7 + 6))
        kind = chance.randrange(5)
        if kind == 0:
            return replace(base, letter=fresh.letter)
        if kind == 1:
            return replace(base, delivery=fresh.delivery, shift=fresh.shift)
        if kind == 2 and base.steps:
            at = chance.randrange(len(base.steps))
            one = replace(fresh.steps[0], name=base.steps[at].name)
            return replace(base, steps=(*base.steps[:at], one, *base.steps[at + 1 :]))
        if kind == 3:
            return replace(base, steps=(base.steps + chance.choice(self.pool).steps)[:STEPS])
        return replace(base, steps=(base.steps + fresh.steps)[-STEPS:])
