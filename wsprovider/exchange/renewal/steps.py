"""The steps of a renewal, and what is told of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from wsprovider.keyring.material import Certificate
from wsprovider.keyring.uses import Case, Role

ENDING: Final = timedelta(days=30)
"""A certificate that ends so soon wants a successor."""
LEAVING: Final = timedelta(days=14)
"""Somebody who still uses what goes so soon is warned of."""


class Doer(Enum):
    """Who has to do a step."""

    US = "we"
    PARTNER = "partner"
    TIME = "time"


class Progress(Enum):
    """How far a step is."""

    DONE = "done"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        what: a sentence.
        evidence: what shows how far it is; may be empty.
        command: that does it; empty where no command of ours does.
    """

    doer: Doer
    what: str
    progress: Progress
    evidence: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Renewal:
    """Where one stands.

    Attributes:
        old, new: the certificates; ``new`` is None where no renewal is under way (yet, or any more), ``old`` where
            nothing is held.
        warnings: what would be lost if things went on by themselves.
        planned: the day to come on which a key of ours takes over, where one is named.
        both: our key signs and decrypts, so that whoever encrypts to the new one is answered under it.
    """

    case: Case
    role: Role
    partner: str | None
    old: Certificate | None
    new: Certificate | None
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    planned: datetime | None = None
    both: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: none is under way or every step is done, and nothing is warned of."""
        done = self.new is None or all(step.progress is Progress.DONE for step in self.steps)
        return done and not self.warnings


def ordered(steps: Iterable[Step]) -> Iterator[Step]:
    """Of the steps that are not done, the first is next and the others come later."""
    begun = False
    for step in steps:
        if step.progress is Progress.DONE:
            yield step
            continue
        yield replace(step, progress=Progress.LATER if begun else Progress.NEXT)
        begun = True


def from_day(day: datetime | None, now: datetime) -> str:
    """Since or from when, as a phrase; None: since ever."""
    if day is None:
        return "since ever"
    return f"{'from' if day > now else 'since'} {day:%Y-%m-%d %H:%M}Z{' on' if day > now else ''}"


def ends_on(when: datetime, now: datetime) -> str:
    """When it ends or ended, as a phrase."""
    return f"{'ended' if now > when else 'ends'} on {when:%Y-%m-%d}"


def done(condition: bool) -> Progress:  # noqa: FBT001 - reads as what it says at each step
    """A step's progress before :func:`ordered` has said which is next."""
    return Progress.DONE if condition else Progress.LATER
