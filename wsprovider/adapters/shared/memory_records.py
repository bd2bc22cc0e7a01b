"""The records of the store in memory: a dictionary for each kind, and a heap of expiries."""

import heapq
import threading
from abc import abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from wsprovider.adapters.shared.records import FREED_PER_KEEP, Candidate, Found, Replacement, StoredRecords
from wsprovider.ports import Room, Totals

_SLACK: Final = 64
"""Moments in the heap that no record has any more, beside as many as there are records."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: bytes
    version: int
    expires: int
    owner: bytes


@dataclass(slots=True)
class _Kind:
    """The records of one kind, expired ones that were not freed yet included."""

    held: dict[str, _Kept] = field(default_factory=dict)
    by_owner: Counter[bytes] = field(default_factory=Counter)
    queue: list[tuple[int, str]] = field(default_factory=list)
    kept: int = 0
    replaced: int = 0
    removed: int = 0
    expired: int = 0

    def live(self, key: str, now: int) -> _Kept | None:
        found = self.held.get(key)
        return found if found is not None and found.expires > now else None

    def put(self, key: str, record: _Kept) -> None:
        self.held[key] = record
        heapq.heappush(self.queue, (record.expires, key))
        # removed records and changed expiries leave their old moments behind
        if len(self.queue) > 2 * len(self.held) + _SLACK:
            self.queue = [(one.expires, name) for name, one in self.held.items()]
            heapq.heapify(self.queue)

    def take(self, key: str) -> None:
        owner = self.held.pop(key).owner
        self.by_owner[owner] -= 1
        if not self.by_owner[owner]:
            del self.by_owner[owner]

    def free(self, now: int, *, at_most: int | None = None) -> None:
        freed = 0
        while self.queue and self.queue[0][0] <= now and freed != at_most:
            end, key = heapq.heappop(self.queue)
            known = self.held.get(key)
            if known is not None and known.expires == end:
                self.take(key)
                freed += 1
        self.expired += freed

    def room(self, new: Candidate) -> Room:
        if self.live(new.key, new.now):
            return Room.TAKEN
        if self.by_owner[new.owner] >= new.owner_limit:
            return Room.OWNER_FULL
        return Room.FULL if len(self.held) >= new.limit else Room.KEPT


class MemoryRecords(StoredRecords):
    """The part of :class:`wsprovider.adapters.shared.memory.MemoryStore` that keeps records."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: defaultdict[str, _Kind] = defaultdict(_Kind)

    @abstractmethod
    def _check_open(self) -> None: ...

    def _keep(self, new: Candidate) -> Room:
        with self._lock:
            self._check_open()
            kind = self._kinds[new.kind]
            kind.free(new.now, at_most=FREED_PER_KEEP)
            room = kind.room(new)
            if room in {Room.OWNER_FULL, Room.FULL}:
                kind.free(new.now)  # what has expired takes nobody's place
                room = kind.room(new)
            if room is Room.KEPT:
                if new.key in kind.held:  # expired, and its turn had not come
                    kind.take(new.key)
                    kind.expired += 1
                kind.put(new.key, _Kept(new.value, 1, new.expires, new.owner))
                kind.by_owner[new.owner] += 1
                kind.kept += 1
            return room

    def _find(self, kind: str, key: str, now: int) -> Found | None:
        with self._lock:
            self._check_open()
            found = self._kinds[kind].live(key, now)
        return None if found is None else (found.value, found.version, found.expires)

    def _find_several(self, kind: str, keys: Sequence[str], now: int) -> Mapping[str, Found]:
        with self._lock:
            self._check_open()
            found = {key: self._kinds[kind].live(key, now) for key in keys}
        return {key: (one.value, one.version, one.expires) for key, one in found.items() if one is not None}

    def _replace(self, new: Replacement) -> bool:
        with self._lock:
            self._check_open()
            kind = self._kinds[new.kind]
            found = kind.live(new.key, new.now)
            if found is None or found.version != new.version:
                return False
            kind.put(new.key, _Kept(new.value, new.version + 1, new.expires, found.owner))
            kind.replaced += 1
            return True

    def _remove(self, kind: str, key: str, version: int | None, now: int) -> bool:
        with self._lock:
            self._check_open()
            found = self._kinds[kind].live(key, now)
            if found is None or version not in {None, found.version}:
                return False
            self._kinds[kind].take(key)
            self._kinds[kind].removed += 1
            return True

    def _list(self, kind: str, now: int) -> Iterator[tuple[str, Found]]:
        with self._lock:
            self._check_open()
            held = list(self._kinds[kind].held.items())
        for key, one in held:
            if one.expires > now:
                yield key, (one.value, one.version, one.expires)

    def _totals(self, kind: str, now: int) -> Totals:
        with self._lock:
            self._check_open()
            one = self._kinds[kind]
            one.free(now)
            return Totals(len(one.held), one.kept, one.replaced, one.removed, one.expired)

    def _forget_records(self) -> None:
        self._kinds.clear()
