"""Who gave the right password a moment ago, so that a busy client does not pay for a hash each time.

Only successes are kept, as HMAC-SHA256 over user, state of the record and password under a key that
never leaves the process: no password is kept, a changed record is not found any more, and one who guesses
cannot fill the cache. A success that is too old to spare a hash still shows that its password is no guess.
"""

import hashlib
import hmac
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum

from wsprovider.adapters.shared.forking import watch
from wsprovider.adapters.users.hashing import octets
from wsprovider.ports import User


class Age(Enum):
    """How long ago a success was."""

    FRESH = "less than life ago"
    OLD = "longer ago"
    UNKNOWN = "never, or forgotten"


class PositiveCache:
    """A bounded memory of successes; the one not asked for the longest time goes first."""

    def __init__(self, *, life: float, entries: int, monotonic: Callable[[], float]) -> None:
        """Start empty.

        Args:
            life: seconds from the hash that was checked; being found does not prolong it. 0: no cache.
            entries: how many are kept.
            monotonic: seconds that never run backwards.
        """
        self._life = life
        self._most = entries
        self._monotonic = monotonic
        self._start()
        watch(self)

    def tag(self, name: str, state: str, password: bytes) -> bytes:
        """What stands for this success; each field with its length, so that no two run together."""
        mac = hmac.new(self._key, digestmod=hashlib.sha256)
        for field in (octets(name), octets(state), password):
            mac.update(len(field).to_bytes(8, "big") + field)
        return mac.digest()

    def age(self, tag: bytes) -> Age:
        """How long ago this was a success."""
        now = self._monotonic()
        with self._lock:
            end, _ = self._ends.get(tag, (None, None))
            if end is None:
                return Age.UNKNOWN
            self._ends.move_to_end(tag)
            return Age.FRESH if now < end else Age.OLD

    def user(self, tag: bytes) -> User | None:
        """Who it was, if it was less than life ago; for stores that take what they knew then for true."""
        now = self._monotonic()
        with self._lock:
            end, user = self._ends.get(tag, (now, None))
            if now >= end:
                return None
            self._ends.move_to_end(tag)
            return user

    def add(self, tag: bytes, user: User | None = None, *, since: float | None = None) -> None:
        """Remember a success.

        Args:
            tag: what stands for it.
            user: who it was.
            since: when its life begins, by the monotonic clock; None: now.
        """
        if self._life <= 0:
            return
        end = (self._monotonic() if since is None else since) + self._life
        with self._lock:
            self._ends[tag] = end, user
            self._ends.move_to_end(tag)
            if len(self._ends) > self._most:
                self._ends.popitem(last=False)

    def __len__(self) -> int:
        return len(self._ends)

    def _start(self) -> None:
        self._key = os.urandom(32)
        self._lock = threading.Lock()
        self._ends: OrderedDict[bytes, tuple[float, User | None]] = OrderedDict()

    def before_fork(self) -> None:
        """Nothing to let go of."""

    def after_fork_in_parent(self) -> None:
        """Nothing changed."""

    def after_fork_in_child(self) -> None:
        """Another process, another key."""
        self._start()
