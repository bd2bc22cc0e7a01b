"""Which lines of the package some recipes reach."""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from inspect import CO_NEWLOCALS
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import wsprovider
from tests.fuzz.oracle import Oracle
from tests.fuzz.recipe import Recipe

ROOT = Path(wsprovider.__file__).parent
ON_THE_WAY = (
    "server",
    "exchange",
    "conversation",
    "inbound",
    "outbound",
    "header",
    "keyring",
    "soap",
    "crypto",
    "xml",
)
"""The packages that a message passes through."""


class Reach:
    """Follows recipes through the package, line by line; some twenty times slower than trying them."""

    def __init__(self) -> None:
        self.lines: defaultdict[str, set[int]] = defaultdict(set)
        self._oracle = Oracle()
        self._prefix = f"{ROOT}/"
        self._outcomes: set[str] = set()

    def is_new(self, recipe: Recipe) -> bool:
        """Whether a recipe reaches a line, or ends in a way, that no earlier one did."""
        before = self._count()
        sys.settrace(self._trace)
        try:
            tried = self._oracle.try_(recipe)
        finally:
            sys.settrace(None)
        self._outcomes.update(tried.outcomes)
        return self._count() != before

    def _count(self) -> tuple[int, int]:
        return sum(map(len, self.lines.values())), len(self._outcomes)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self._prefix):
            return None
        if event == "line":
            self.lines[frame.f_code.co_filename].add(frame.f_lineno)
        return self._trace


def worth_keeping(recipes: Iterable[Recipe], kept: Iterable[Recipe]) -> list[Recipe]:
    """Those recipes, shortest first, that reach what the kept ones and those before them do not."""
    reach = Reach()
    for recipe in kept:
        reach.is_new(recipe)
    return [one for one in sorted(recipes, key=lambda one: (len(one.steps), str(one))) if reach.is_new(one)]


def reached(recipes: Iterable[Recipe]) -> str:
    """A table: package, how many of its lines of code were reached, and of how many in modules that were."""
    reach = Reach()
    for recipe in recipes:
        reach.is_new(recipe)
    return _table(reach.lines)


def _table(lines: dict[str, set[int]]) -> str:
    possible: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for path in sorted(ROOT.rglob("*.py")):
        package = path.relative_to(ROOT).parts[0]
        if package in ON_THE_WAY and str(path) in lines:
            inner = _inside_functions(path)
            possible[package] += len(inner)
            found[package] += len(inner & lines[str(path)])
    rows = [f"{name:14}{found[name]:7}{of:7}{found[name] / of:8.0%}" for name, of in possible.items()]
    total, of_all = sum(found.values()), sum(possible.values())
    return "\n".join(
        ("package       reached     of", *rows, f"{'all':14}{total:7}{of_all:7}{total / of_all:8.0%}")
    )


def _inside_functions(path: Path) -> set[int]:
    """Lines of code in functions: those of modules and classes run when they are imported."""
    found: set[int] = set()
    pending: list[tuple[CodeType, bool]] = [
        (compile(path.read_text(encoding="utf-8"), str(path), "exec"), False)
    ]
    while pending:
        code, inside = pending.pop()
        if inside:
            found |= {
                line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno
            }
        pending += [
            (constant, inside or bool(constant.co_flags & CO_NEWLOCALS))
            for constant in code.co_consts
            if isinstance(constant, CodeType)
        ]
    return found
