"""The life of a key: its state is a function of its dates and of now, never a stored flag.

A key of ``ring.toml`` (and likewise a ``[[seal]]`` key) may carry four dates, all optional:

``active_from``
    From here on it signs. Missing: since ever. Before it the key is PENDING: its certificate may be
    given out and what is encrypted to it is decrypted, so that partners can move early.
``retired_at``
    Its successor has taken over. From here on it is in OVERLAP: it signs only replies to whoever
    addressed it, and still decrypts. Missing: it is ACTIVE for good.
``overlap_until``
    The end of the overlap; from here on it is RETAINED: only decrypts, and verifies what it signed.
    Missing: as long after ``retired_at`` as the ring's ``overlap`` says (30 days).
``gone_at``
    From here on it is GONE: it does nothing, and its files may be deleted. Missing: as long after
    the overlap ended as the ring's ``retention`` says (90 days).

Each state begins exactly at its date. A compromised key gets the same moment in the last three. A key
that waits for its day to be named is active from :data:`NOT_SCHEDULED` on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Final

OVERLAP: Final = timedelta(days=30)
"""How long a retired key still signs replies to whoever addressed it, unless the ring says."""

RETENTION: Final = timedelta(days=90)
"""How long a key decrypts after its overlap, unless the ring says; and the least without a warning."""

NOT_SCHEDULED: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""``active_from`` of a key whose day is not named yet: it is PENDING until somebody names one."""

_FOR_GOOD: Final = datetime.max.replace(tzinfo=UTC)


class KeyState(Enum):
    """Where in its life a key stands."""

    PENDING = "pending"
    ACTIVE = "active"
    OVERLAP = "overlap"
    RETAINED = "retained"
    GONE = "gone"


DECRYPTS: Final = frozenset({KeyState.PENDING, KeyState.ACTIVE, KeyState.OVERLAP, KeyState.RETAINED})
"""States in which a key decrypts, and a seal key opens what it sealed."""

ANSWERS: Final = frozenset({KeyState.PENDING, KeyState.ACTIVE, KeyState.OVERLAP})
"""States in which a key may sign the reply to a peer who addressed it, or whom it was assigned to.

A peer who addresses a PENDING key has moved early: its certificate is the one that the peer is known to hold
(docs/decisions/0052).
"""

PUBLISHED: Final = frozenset({KeyState.PENDING, KeyState.ACTIVE})
"""States in which a certificate is given out to partners."""


@dataclass(frozen=True, slots=True)
class Lifespan:
    """The dates of one key; all timezone-aware. See the module's docstring.

    Attributes:
        overlap, retention: what the missing dates follow from.
    """

    active_from: datetime | None = None
    retired_at: datetime | None = None
    overlap_until: datetime | None = None
    gone_at: datetime | None = None
    overlap: timedelta = OVERLAP
    retention: timedelta = RETENTION

    @property
    def end_of_overlap(self) -> datetime | None:
        """When RETAINED begins, the default counted in."""
        if self.overlap_until is not None or self.retired_at is None:
            return self.overlap_until
        return _later(self.retired_at, self.overlap)

    @property
    def end_of_retention(self) -> datetime | None:
        """When GONE begins, the default counted in."""
        if self.gone_at is not None:
            return self.gone_at
        end = self.end_of_overlap
        return None if end is None else _later(end, self.retention)

    @property
    def kept(self) -> timedelta | None:
        """How long it goes on decrypting after its successor took over; None: it has none."""
        end = self.end_of_retention
        return None if end is None or self.retired_at is None else end - self.retired_at

    @property
    def changes(self) -> tuple[tuple[datetime, KeyState], ...]:
        """When it enters which state, in the order of time; what comes at one moment is the last of it."""
        dates = (
            (self.active_from, KeyState.ACTIVE),
            (self.retired_at, KeyState.OVERLAP),
            (self.end_of_overlap, KeyState.RETAINED),
            (self.end_of_retention, KeyState.GONE),
        )
        return tuple({date: (date, state) for date, state in dates if date is not None}.values())

    def state(self, now: datetime) -> KeyState:
        """The state at a moment; later boundaries win where dates coincide."""
        for begins, state in (
            (self.end_of_retention, KeyState.GONE),
            (self.end_of_overlap, KeyState.RETAINED),
            (self.retired_at, KeyState.OVERLAP),
        ):
            if begins is not None and now >= begins:
                return state
        if self.active_from is not None and now < self.active_from:
            return KeyState.PENDING
        return KeyState.ACTIVE

    def problems(self) -> tuple[str, ...]:
        """What is wrong with the dates, in sentences for the operator."""
        found = []
        if self.retired_at is None and (self.overlap_until or self.gone_at):
            found.append("overlap_until and gone_at need retired_at")
        dates = [
            (name, date)
            for name, date in (
                ("active_from", self.active_from),
                ("retired_at", self.retired_at),
                ("overlap_until", self.end_of_overlap),
                ("gone_at", self.end_of_retention),
            )
            if date is not None
        ]
        found += [
            f"{later} lies before {earlier}"
            for (earlier, first), (later, second) in pairwise(dates)
            if second < first
        ]
        return tuple(found)


ALWAYS: Final = Lifespan()
"""Active for good."""


def _later(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment + span
    except OverflowError:
        return _FOR_GOOD


def gap(lifespans: Iterable[Lifespan], now: datetime) -> datetime | None:
    """The first moment from now on at which none of the keys is ACTIVE; None if there is none.

    A ring with such a gap would stop signing one day: it is refused when it is loaded.
    """
    spans = sorted(
        (span.active_from or now, span.retired_at or _FOR_GOOD)
        for span in lifespans
        if span.retired_at is None or span.retired_at > now
    )
    covered = now
    for begins, ends in spans:
        if begins > covered:
            break
        covered = max(covered, ends)
    return None if covered == _FOR_GOOD else covered
