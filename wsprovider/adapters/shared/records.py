"""What the records of all stores have in common: arguments are checked and put into the stores' terms once.

What a store adds is how it keeps, finds and counts; see :class:`StoredRecords`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wsprovider.adapters.shared.terms import MAX_KEY_LENGTH, exact, fingerprint, fits, moment
from wsprovider.ports import Record, Room, Totals

FREED_PER_KEEP: Final = 32
"""Expired records that go with each one kept: far more than keeps pace, and still a small bite."""

FREED_AT_ONCE: Final = 256
"""Where all are freed, others get their turn after so many."""

PAGE: Final = 256
"""Records that a listing holds at a time."""

Found = tuple[bytes, int, int]
"""A live record's value, version and expiry (in microseconds)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that is to be kept, in the stores' terms."""

    kind: str
    key: str
    value: bytes
    owner: bytes
    expires: int
    now: int
    owner_limit: int
    limit: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is to come into a record's place, in the stores' terms."""

    kind: str
    key: str
    value: bytes
    version: int
    expires: int
    now: int


class StoredRecords(ABC):
    """Implements :class:`wsprovider.ports.Records` as far as it is the same for every store.

    A key that cannot be kept (a stranger may send any) is looked up nowhere: it is not there.
    """

    def keep(
        self,
        kind: str,
        key: str,
        value: bytes,
        *,
        owner: str,
        expires: datetime,
        now: datetime,
        owner_limit: int,
        limit: int,
    ) -> Room:
        """See :meth:`wsprovider.ports.Records.keep`.

        Raises:
            RuntimeError: the record would be over before it began, or its key cannot be kept: whoever
                asked has made the one or the other, and wrongly.
        """
        end, begin = exact(expires), exact(now)
        if end <= begin:
            raise RuntimeError("a record must expire later than now")
        if not fits(key):
            raise RuntimeError(f"a record's key is text of 1 to {MAX_KEY_LENGTH} characters")
        return self._keep(Candidate(kind, key, value, fingerprint(owner), end, begin, owner_limit, limit))

    def record(self, kind: str, key: str, *, now: datetime) -> Record | None:
        """See :meth:`wsprovider.ports.Records.record`."""
        begin = exact(now)
        found = self._find(kind, key, begin) if fits(key) else None
        return None if found is None else _record(key, found)

    def several(self, kind: str, keys: Sequence[str], *, now: datetime) -> dict[str, Record]:
        """See :meth:`wsprovider.ports.Records.several`."""
        found = self._find_several(kind, [key for key in keys if fits(key)], exact(now))
        return {key: _record(key, one) for key, one in found.items()}

    def replace(
        self, kind: str, key: str, value: bytes, *, version: int, expires: datetime, now: datetime
    ) -> bool:
        """See :meth:`wsprovider.ports.Records.replace`; an expiry that has passed ends the record."""
        new = Replacement(kind, key, value, version, exact(expires), exact(now))
        return fits(key) and self._replace(new)

    def remove(self, kind: str, key: str, *, version: int | None, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.Records.remove`."""
        begin = exact(now)
        return fits(key) and self._remove(kind, key, version, begin)

    def records(self, kind: str, *, now: datetime) -> Iterator[Record]:
        """See :meth:`wsprovider.ports.Records.records`; the store is not held up between two of them."""
        return (_record(key, found) for key, found in self._list(kind, exact(now)))

    def totals(self, kind: str, *, now: datetime) -> Totals:
        """See :meth:`wsprovider.ports.Records.totals`."""
        return self._totals(kind, exact(now))

    @abstractmethod
    def _keep(self, new: Candidate) -> Room: ...

    @abstractmethod
    def _find(self, kind: str, key: str, now: int) -> Found | None: ...

    @abstractmethod
    def _find_several(self, kind: str, keys: Sequence[str], now: int) -> Mapping[str, Found]: ...

    @abstractmethod
    def _replace(self, new: Replacement) -> bool: ...

    @abstractmethod
    def _remove(self, kind: str, key: str, version: int | None, now: int) -> bool: ...

    @abstractmethod
    def _list(self, kind: str, now: int) -> Iterator[tuple[str, Found]]: ...

    @abstractmethod
    def _totals(self, kind: str, now: int) -> Totals: ...


def _record(key: str, found: Found) -> Record:
    value, version, expires = found
    return Record(key, value, version, moment(expires))
