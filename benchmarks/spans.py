"""Where time goes: functions of the engine wrapped for a while, each span's own time and calls counted.

The time of a span excludes that of the spans inside it, so that the sum is the whole. A wrapper costs
about half a microsecond a call, which is why these figures are for comparing stages, not for adding up
against other tables.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Probe:
    """A function to wrap: ``module:name`` or ``module:Class.name``, and the stage it counts to."""

    target: str
    stage: str


@dataclass(slots=True)
class Ledger:
    """Own seconds and calls by stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    _open: list[float] = field(default_factory=list)

    def wrap(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """The function, booked to a stage."""
        clock, inner = time.perf_counter, self._open

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            inner.append(0.0)
            begin = clock()
            try:
                return function(*args, **kwargs)
            finally:
                spent = clock() - begin
                own = spent - inner.pop()
                if inner:
                    inner[-1] += spent
                self.seconds[stage] = self.seconds.get(stage, 0.0) + own
                self.calls[stage] = self.calls.get(stage, 0) + 1

        return wrapped


@contextmanager
def booked(probes: Sequence[Probe]) -> Iterator[Ledger]:
    """Wrap the functions as long as the block runs."""
    ledger = Ledger()
    undo: list[tuple[Any, str, Any]] = []
    try:
        for probe in probes:
            module, _, path = probe.target.partition(":")
            owner: Any = importlib.import_module(module)
            *classes, name = path.split(".")
            for one in classes:
                owner = getattr(owner, one)
            before = getattr(owner, name)
            undo.append((owner, name, before))
            setattr(owner, name, ledger.wrap(before, probe.stage))
        yield ledger
    finally:
        for owner, name, before in reversed(undo):
            setattr(owner, name, before)
