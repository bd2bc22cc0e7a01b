"""Whether this machine's clock can be believed: freshness, replays and the states of keys all stand on it.

Nobody can be asked what time it is, so it is held against what it must be past, and against itself. A kernel that
says its clock is synchronised is believed over other machines. What messages say of the time is never looked at:
no stranger shall make a worker unready (docs/watching.md).
"""

import ctypes
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from wsprovider.ports import Clock, Records
from wsprovider.version import RELEASED
from wsprovider.words.errors import BackendError, WsproviderError

HELD: Final = 600.0
"""Seconds after a jump until the new time is believed, where no kernel vouches for it."""
LEAST: Final = timedelta(seconds=5)
"""What no comparison is closer than."""

_KIND: Final = "clock"
_KEY: Final = "latest"
_NOTED: Final = 60.0
_KEPT: Final = timedelta(days=400)
_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 512


class ClockError(WsproviderError):
    """The clock cannot be right."""


def synchronised() -> bool | None:
    """What the kernel says of its clock (adjtimex(2)); None where it cannot be asked."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))  # modes 0: only asks
    except AttributeError:
        return None
    return None if state < 0 else state != _TIME_ERROR


def elapsed() -> float:
    """Seconds that go on while the machine sleeps, and that nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockWatch:
    """Looks at the clock of one process whenever readiness is asked for."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Records,
        keys: Callable[[datetime], Iterable[tuple[str, datetime]]],
        theirs: Callable[[], datetime | None] = lambda: None,
        skew: timedelta = timedelta(seconds=60),
        seconds: Callable[[], float] = elapsed,
        kernel: Callable[[], bool | None] = synchronised,
    ) -> None:
        """Start the comparison with the seconds that nobody sets.

        Args:
            store: keeps the latest moment that a synchronised machine has seen.
            keys: what our keys in force are called, and since when their certificates are valid.
            theirs: the clock of the shared store's server, where it has one.
            skew: what clocks may differ by.
        """
        self._clock, self._store, self._keys, self._theirs = clock, store, keys, theirs
        self._skew, self._seconds, self._kernel = max(skew, LEAST), seconds, kernel
        self._last = clock(), seconds()
        self._jumped: tuple[float, timedelta] | None = None
        self._noted = float("-inf")

    def check(self) -> None:
        """Look.

        Raises:
            ClockError: it cannot be right; says what it was held against.
        """
        now, believed = self._clock(), self._kernel() is True
        if now < RELEASED:
            raise ClockError(
                f"the clock says {now:%Y-%m-%d %H:%M}, and this version is of {RELEASED:%Y-%m-%d}"
            )
        for name, begin in self._keys(now):
            if now + self._skew < begin:
                raise ClockError(f"the clock says {now.isoformat()}, before our {name}: {begin.isoformat()}")
        self._check_jump(now, believed=believed)
        self._check_store(now, believed=believed)

    def unsynchronised(self) -> bool:
        """Whether the kernel says that nobody sets its clock; many containers and virtual machines say so."""
        return self._kernel() is False

    def _check_jump(self, now: datetime, *, believed: bool) -> None:
        """A jump is an error until it has lasted, or the kernel vouches for where it has led."""
        (before, since), moment = self._last, self._seconds()
        self._last = now, moment
        jump = (now - before) - timedelta(seconds=moment - since)
        if abs(jump) > self._skew and moment - since < HELD:  # an older one has lasted
            self._jumped = moment, jump
        if self._jumped is None:
            return
        if believed or moment - self._jumped[0] >= HELD:
            self._jumped = None
            return
        raise ClockError(
            f"the clock was set by {self._jumped[1].total_seconds():+.0f} s while this process ran"
        )

    def _check_store(self, now: datetime, *, believed: bool) -> None:
        """Where the store does not answer, its own check says so."""
        try:
            if believed:
                self._note(now)
                return
            latest, theirs = self._latest(now), self._theirs()
        except BackendError:
            return
        if latest is not None and now + self._skew < latest:
            raise ClockError(
                f"the clock says {now.isoformat()}, and a synchronised machine has seen {latest.isoformat()}"
            )
        if theirs is not None and abs(theirs - now) > self._skew:
            raise ClockError(
                f"the clock says {now.isoformat()}, and that of the shared store {theirs.isoformat()}"
            )

    def _latest(self, now: datetime) -> datetime | None:
        record = self._store.record(_KIND, _KEY, now=now)
        return None if record is None else datetime.fromisoformat(record.value.decode())

    def _note(self, now: datetime) -> None:
        """Whoever is synchronised says what time it is; so a machine that was ahead is put right by the next."""
        moment = self._seconds()
        if moment - self._noted < _NOTED:
            return
        self._noted = moment
        value, expires = now.isoformat().encode(), now + _KEPT
        found = self._store.record(_KIND, _KEY, now=now)
        if found is not None:
            self._store.replace(_KIND, _KEY, value, version=found.version, expires=expires, now=now)
            return
        self._store.keep(
            _KIND, _KEY, value, owner="", expires=expires, now=now, owner_limit=_RECORDS, limit=_RECORDS
        )


_RECORDS: Final = 10
