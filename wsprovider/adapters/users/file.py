"""Users in a TOML file (``keys/users.toml``), followed as it changes; safe between threads.

The file is looked at by at most one thread, at most once a second. Each reading is an immutable snapshot;
one that does not succeed leaves the snapshot in force and is reported once for each state of the file. The
form of the file is told in :mod:`wsprovider.adapters.users.reading`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared.forking import watch
from wsprovider.adapters.users.cache import PositiveCache
from wsprovider.adapters.users.checking import Credentials, usual_parameters
from wsprovider.adapters.users.hashing import PROCESS_HASHING, Hashing, read_parameters
from wsprovider.adapters.users.reading import Stamp, read_users_file, stamp_of
from wsprovider.adapters.users.records import Entry, Record
from wsprovider.ports import User
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits

_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class _Snapshot:
    records: dict[str, Record]
    credentials: Credentials
    knows_clear_passwords: bool
    warnings: tuple[str, ...]


class FileUsers:
    """Implements :class:`wsprovider.ports.Users`."""

    def __init__(
        self,
        path: Path,
        *,
        limits: Limits = _LIMITS,
        hashing: Hashing = PROCESS_HASHING,
        monotonic: Callable[[], float] = time.monotonic,
        interval: float = 1.0,
        cache_life: float = 300.0,
        cache_entries: int = 10_000,
        on_swap: Callable[[tuple[str, ...]], None] = lambda _: None,
        on_failure: Callable[[ConfigurationError], None] = lambda _: None,
    ) -> None:
        """Read the file for the first time.

        Args:
            path: the file.
            limits: ``password_bytes`` counts.
            hashing: limits how many hashes are computed at once.
            monotonic: seconds that never run backwards.
            interval: seconds between two looks at the file.
            cache_life: seconds for which a success spares the next hash; 0 for none.
            cache_entries: how many successes are remembered.
            on_swap: told of each changed file that is now in force, with its warnings.
            on_failure: told when a changed file cannot be used; the old one stays in force.

        Raises:
            ConfigurationError: the file cannot be used; there is nothing to fall back to.
        """
        self._path = path.absolute()
        self._limits = limits
        self._hashing = hashing
        self._cache = PositiveCache(life=cache_life, entries=cache_entries, monotonic=monotonic)
        self._monotonic = monotonic
        self._interval = interval
        self._on_swap = on_swap
        self._on_failure = on_failure
        self._looking = threading.Lock()
        self._stamp: Stamp | None = None
        self._snapshot = self._read()
        self._next = monotonic() + interval
        watch(self)

    @property
    def knows_clear_passwords(self) -> bool:
        """See :meth:`wsprovider.ports.Users.knows_clear_passwords`."""
        return self._current().knows_clear_passwords

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth a sentence in the log about the file in force."""
        return self._current().warnings

    def check_password(self, name: str, password: str) -> User:
        """See :meth:`wsprovider.ports.Users.check_password`."""
        now = self._current()
        return now.credentials.check_password(name, password, now.records.get(name))

    def check_digest(self, name: str, digest: bytes, nonce: bytes, created: str) -> User:
        """See :meth:`wsprovider.ports.Users.check_digest`."""
        now = self._current()
        return now.credentials.check_digest(name, digest, nonce, created, now.records.get(name))

    def find(self, name: str) -> User:
        """See :meth:`wsprovider.ports.Users.find`."""
        now = self._current()
        return now.credentials.find(name, now.records.get(name))

    def _current(self) -> _Snapshot:
        # others go on with what there is while one thread looks
        if self._monotonic() >= self._next and self._looking.acquire(blocking=False):
            try:
                self._look()
                self._next = self._monotonic() + self._interval
            finally:
                self._looking.release()
        return self._snapshot

    def _look(self) -> None:
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        try:
            self._snapshot = self._read()
        except ConfigurationError as error:
            self._stamp = stamp  # one report, then silence until something changes again
            self._on_failure(error)
        else:
            self._on_swap(self._snapshot.warnings)

    def _stamp_now(self) -> Stamp | None:
        try:
            return stamp_of(self._path.stat())
        except OSError:
            return None

    def _read(self) -> _Snapshot:
        found = read_users_file(self._path, self._limits)
        entries = found.entries.values()
        parameters = usual_parameters(entries)
        snapshot = _Snapshot(
            {entry.name: Record.of(entry) for entry in entries},
            Credentials(hashing=self._hashing, cache=self._cache, limits=self._limits, parameters=parameters),
            any(entry.clear_password is not None for entry in entries),
            tuple(self._warn(entry) for entry in entries if _differs(entry, parameters)),
        )
        self._stamp = found.stamp
        return snapshot

    def _warn(self, entry: Entry) -> str:
        return (
            f"{self._path.name}: users.{entry.name}.password is hashed with other parameters than most, "
            "so the time of a refusal tells that the user exists; set the password anew"
        )

    def before_fork(self) -> None:
        """Nothing to let go of."""

    def after_fork_in_parent(self) -> None:
        """Nothing changed."""

    def after_fork_in_child(self) -> None:
        """A thread of the parent that was looking will not finish here."""
        self._looking = threading.Lock()


def _differs(entry: Entry, parameters: object) -> bool:
    return entry.password is not None and read_parameters(entry.password) != parameters
