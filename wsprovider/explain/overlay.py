"""Shared records that are read and never changed: what is written stays here, and is gone with the command."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from wsprovider.ports import Record, Records, Room, Totals


class Overlay:
    """Implements :class:`wsprovider.ports.Records` over the records of running servers, or over none.

    Enough for one message: what is kept here has no limits but those that one message can reach.
    """

    def __init__(self, under: Records | None) -> None:
        self._under = under
        self._over: dict[tuple[str, str], Record | None] = {}

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
        """See :meth:`wsprovider.ports.Records.keep`."""
        del owner, owner_limit, limit
        if self.record(kind, key, now=now) is not None:
            return Room.TAKEN
        self._over[kind, key] = Record(key, value, 1, expires)
        return Room.KEPT

    def record(self, kind: str, key: str, *, now: datetime) -> Record | None:
        """See :meth:`wsprovider.ports.Records.record`."""
        if (kind, key) in self._over:
            own = self._over[kind, key]
            return own if own is not None and now < own.expires else None
        return None if self._under is None else self._under.record(kind, key, now=now)

    def several(self, kind: str, keys: Sequence[str], *, now: datetime) -> dict[str, Record]:
        """See :meth:`wsprovider.ports.Records.several`."""
        found = {key: self.record(kind, key, now=now) for key in keys}
        return {key: one for key, one in found.items() if one is not None}

    def replace(
        self, kind: str, key: str, value: bytes, *, version: int, expires: datetime, now: datetime
    ) -> bool:
        """See :meth:`wsprovider.ports.Records.replace`."""
        present = self.record(kind, key, now=now)
        if present is None or present.version != version:
            return False
        self._over[kind, key] = Record(key, value, version + 1, expires)
        return True

    def remove(self, kind: str, key: str, *, version: int | None, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.Records.remove`."""
        present = self.record(kind, key, now=now)
        if present is None or version not in (None, present.version):
            return False
        self._over[kind, key] = None
        return True

    def records(self, kind: str, *, now: datetime) -> Iterator[Record]:
        """See :meth:`wsprovider.ports.Records.records`."""
        under = () if self._under is None else self._under.records(kind, now=now)
        yield from (one for one in under if (kind, one.key) not in self._over)
        for (of_kind, _), own in self._over.items():
            if of_kind == kind and own is not None and now < own.expires:
                yield own

    def totals(self, kind: str, *, now: datetime) -> Totals:
        """How many there are; what there was, only their own store can tell."""
        live = sum(1 for _ in self.records(kind, now=now))
        return Totals(live, live, 0, 0, 0)
