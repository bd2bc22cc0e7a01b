"""Who may compute a hash or bind, and in which order: a few at a time, a few wait, the next is told so at once.

Whoever came first is next. One source holds at most half of the waiting places, so that whoever floods the queue
leaves room in it for the others.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wsprovider.adapters.shared.forking import watch
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """One who waits."""

    source: str | None
    called: threading.Event = field(default_factory=threading.Event)


class Turns:
    """The turns of a process; shared by all threads."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        """Set the limits.

        Args:
            at_once: how many are inside at a time.
            waiting: how many may wait for their turn.
        """
        self._at_once = at_once
        self._may_wait = waiting
        self._share = (waiting + 1) // 2
        self._start()
        watch(self)

    @property
    def running(self) -> int:
        """How many are inside."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    @contextmanager
    def turn(self, source: str | None = "") -> Iterator[None]:
        """Wait for one's turn, and have it.

        Args:
            source: whose share of the waiting places this is; empty: nobody's in particular. None: whoever may
                wait even if there is no place left.

        Raises:
            WSSecurityError: AUTHENTICATION_BUSY, without any waiting.
        """
        place = self._enter(source)
        if place is not None:
            self._wait(place)
        try:
            yield
        finally:
            with self._lock:
                self._leave()

    def _enter(self, source: str | None) -> _Place | None:
        """A place in the queue; None for whoever need not wait."""
        with self._lock:
            if self._running < self._at_once:
                self._running += 1
                return None
            if source is not None and len(self._queue) >= self._may_wait:
                raise WSSecurityError(Reason.AUTHENTICATION_BUSY, f"{self._may_wait} are waiting")
            if source and sum(one.source == source for one in self._queue) >= self._share:
                raise WSSecurityError(Reason.AUTHENTICATION_BUSY, f"{self._share} of {source} are waiting")
            place = _Place(source)
            self._queue.append(place)
            return place

    def _wait(self, place: _Place) -> None:
        try:
            place.called.wait()
        except BaseException:  # a signal's exception: the place must not be called for nobody
            with self._lock:
                if place in self._queue:
                    self._queue.remove(place)
                else:
                    self._leave()
            raise

    def _leave(self) -> None:
        """Hand the turn to the next; nobody who has just come can be faster."""
        if self._queue:
            self._queue.popleft().called.set()
        else:
            self._running -= 1

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._queue: deque[_Place] = deque()

    def before_fork(self) -> None:
        """Nothing: a hash that runs in the parent goes on there."""

    def after_fork_in_parent(self) -> None:
        """Nothing changed."""

    def after_fork_in_child(self) -> None:
        """None of the parent's turns will end here."""
        self._start()
