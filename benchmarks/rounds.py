"""Timing on a machine that others use too: many short rounds, the subjects in turn, CPU time only.

A round of one subject is short, so that noise hits single rounds and not single subjects. The minimum
says what the work costs when nothing disturbs it; ratios are taken within a round and their median is
shown, because whatever slowed a round down slowed its neighbour too.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Job = Callable[[], object]
Subject = Callable[[int], Job]
"""Prepares that many requests, outside the clock, and gives what works them off."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of CPU a request, one value a round."""

    rounds: tuple[float, ...]

    @property
    def least(self) -> float:
        """Of the least disturbed round."""
        return min(self.rounds)

    @property
    def median(self) -> float:
        """Of all rounds."""
        return statistics.median(self.rounds)

    def ratio(self, other: "Times") -> float:
        """Median of the rounds' ratios to another subject."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def alternate(subjects: Mapping[str, Subject], *, rounds: int, requests: int) -> dict[str, Times]:
    """Time the subjects in turn.

    Args:
        rounds: of each subject; one more is run first and forgotten.
        requests: in each round.
    """
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds + 1):
        for name, subject in subjects.items():
            job = subject(requests)
            gc.collect()
            begin = time.process_time()
            job()
            found[name].append((time.process_time() - begin) / requests * 1000)
    return {name: Times(tuple(times[1:])) for name, times in found.items()}
