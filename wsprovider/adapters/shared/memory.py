"""A shared store for the threads of one process: tests, and experiments without a second worker.

A forked child goes on with a copy of its own, so workers would not see each other's entries.
"""

import heapq
import threading
from datetime import datetime
from typing import Final

from wsprovider.adapters.shared.forking import watch
from wsprovider.adapters.shared.memory_records import MemoryRecords
from wsprovider.adapters.shared.terms import GRACE_MILLISECONDS, MAX_ENTRIES, fingerprint, present, window
from wsprovider.words.errors import BackendError, BackendFullError

_FREED_PER_ADD: Final = 2
"""One would keep pace with the additions; two catch up."""


class MemoryStore(MemoryRecords):
    """Implements :class:`wsprovider.ports.SharedState` by dictionaries and heaps of expiries."""

    def __init__(self, *, max_entries: int = MAX_ENTRIES) -> None:
        super().__init__()
        self._max_entries = max_entries
        self._expiries: dict[bytes, int] = {}
        self._queue: list[tuple[int, bytes]] = []
        self._closed = False
        watch(self)

    def add_if_absent(self, key: str, *, expires: datetime, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.add_if_absent`."""
        name = fingerprint(key)
        end, begin = window(expires, now)
        with self._lock:
            self._check_open()
            known = self._expiries.get(name)
            if known is not None and known > begin:
                return False
            self._free(begin - GRACE_MILLISECONDS, at_most=_FREED_PER_ADD)
            if len(self._expiries) >= self._max_entries and not self._free(begin):
                raise BackendFullError(f"the store is full of {self._max_entries} live entries")
            self._expiries[name] = end
            heapq.heappush(self._queue, (end, name))
            return True

    def contains(self, key: str, *, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.contains`."""
        name, begin = fingerprint(key), present(now)
        with self._lock:
            self._check_open()
            return self._expiries.get(name, begin) > begin

    def remove_expired(self, *, now: datetime) -> int:
        """See :meth:`wsprovider.ports.SharedStore.remove_expired`."""
        with self._lock:
            self._check_open()
            return self._free(present(now))

    def size(self) -> int:
        """See :meth:`wsprovider.ports.SharedStore.size`."""
        with self._lock:
            self._check_open()
            return len(self._expiries)

    def close(self) -> None:
        """See :meth:`wsprovider.ports.SharedStore.close`."""
        with self._lock:
            self._closed = True
            self._expiries.clear()
            self._queue.clear()
            self._forget_records()

    def _free(self, moment: int, *, at_most: int | None = None) -> int:
        freed = 0
        while self._queue and self._queue[0][0] <= moment and freed != at_most:
            end, name = heapq.heappop(self._queue)
            # an expired key that was added anew has a later entry in the queue as well
            if self._expiries.get(name) == end:
                del self._expiries[name]
                freed += 1
        return freed

    def _check_open(self) -> None:
        if self._closed:
            raise BackendError("the store is closed")

    def before_fork(self) -> None:
        """Wait for the threads that are inside: the child must not get half an addition."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Let the threads go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Go on with a copy."""
        self._lock = threading.Lock()
