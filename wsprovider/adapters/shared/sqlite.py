"""A shared store in one SQLite file, for all workers of a machine; the default.

Each operation is one statement, so SQLite's own lock makes it atomic between processes (those on records
are transactions, see :mod:`wsprovider.adapters.shared.sqlite_records`). Within a process
one connection serves all threads under a lock: SQLite admits one writer at a time anyway, and a Python
lock hands over in microseconds where SQLite's busy handler sleeps. No connection is ever open across a
fork (see :mod:`wsprovider.adapters.shared.sqlite_file`).

A worker that is killed takes nothing with it; a power cut may take the last entries, never the file
(docs/decisions/0011-shared-store.md).
"""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared import sqlite_file
from wsprovider.adapters.shared.forking import watch
from wsprovider.adapters.shared.sqlite_records import SqliteRecords
from wsprovider.adapters.shared.terms import GRACE_MILLISECONDS, MAX_ENTRIES, fingerprint, present, window
from wsprovider.words.errors import BackendError, BackendFullError

_CLEAN_EVERY: Final = 64
_FREED_AT_ONCE: Final = 256
"""Cleaning frees up to four times what was added since, so that it catches up in small bites."""

# Nothing is written, and the row count is 0, when a live entry is there or the table is full.
_ADD: Final = """
    INSERT INTO entries (key, expires) SELECT ?, ? WHERE (SELECT held FROM tally) < ?
    ON CONFLICT (key) DO UPDATE SET expires = excluded.expires WHERE entries.expires <= ?"""
_ALIVE: Final = "SELECT 1 FROM entries WHERE key = ? AND expires > ?"
_FREE: Final = """
    DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires <= ? ORDER BY expires LIMIT ?)"""


class SqliteStore(SqliteRecords):
    """Implements :class:`wsprovider.ports.SharedState`."""

    def __init__(self, path: Path, *, max_entries: int = MAX_ENTRIES, timeout: float = 1.0) -> None:
        """Open the file, or make it (readable by its owner only, like a folder made for it).

        Args:
            path: the file; it must not lie on a network file system.
            max_entries: live entries beyond which additions are refused.
            timeout: seconds that an operation waits for other threads, and again for other processes.

        Raises:
            BackendError: the file cannot be written, or is no store of ours.
        """
        self._path = path.absolute()
        self._max_entries = max_entries
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._abandoned: list[sqlite3.Connection] = []
        self._additions = itertools.count(1)
        self._closed = False
        with self._connected():
            pass
        watch(self)

    def add_if_absent(self, key: str, *, expires: datetime, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.add_if_absent`."""
        name = fingerprint(key)
        end, begin = window(expires, now)
        with self._connected() as connection:
            addition = (name, end, self._max_entries, begin)
            added = connection.execute(_ADD, addition).rowcount == 1
            if not added:
                if connection.execute(_ALIVE, (name, begin)).fetchone():
                    return False
                # no place: what is in its grace goes now (its own expired entry may be among it)
                connection.execute(_FREE, (begin, _FREED_AT_ONCE))
                added = connection.execute(_ADD, addition).rowcount == 1
                if not added and connection.execute(_ALIVE, (name, begin)).fetchone():
                    return False
                if not added:
                    raise BackendFullError(f"the store is full of {self._max_entries} live entries")
            if next(self._additions) % _CLEAN_EVERY == 0:
                self._clean(connection, begin)
            return True

    def contains(self, key: str, *, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.contains`."""
        name, begin = fingerprint(key), present(now)
        with self._connected() as connection:
            return connection.execute(_ALIVE, (name, begin)).fetchone() is not None

    def remove_expired(self, *, now: datetime) -> int:
        """See :meth:`wsprovider.ports.SharedStore.remove_expired`; others get their turn in between."""
        begin, freed = present(now), 0
        while True:
            with self._connected() as connection:
                count = connection.execute(_FREE, (begin, _FREED_AT_ONCE)).rowcount
            freed += count
            if count < _FREED_AT_ONCE:
                return freed

    def size(self) -> int:
        """See :meth:`wsprovider.ports.SharedStore.size`."""
        with self._connected() as connection:
            return int(connection.execute("SELECT held FROM tally").fetchone()[0])

    def close(self) -> None:
        """See :meth:`wsprovider.ports.SharedStore.close`."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def _clean(self, connection: sqlite3.Connection, begin: int) -> None:
        """Free what is long past, and see whether the file is still the one of all workers."""
        connection.execute(_FREE, (begin - GRACE_MILLISECONDS, _FREED_AT_ONCE))
        self._leave_lost_file()

    def _leave_lost_file(self) -> None:
        """Notice when the file was taken away under us.

        Workers started later would use the new file, and a replay could be accepted once in each.
        """
        if sqlite_file.identity(self._path) != self._identity:
            self._disconnect()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        if not self._lock.acquire(timeout=self._timeout):
            raise BackendError(f"{self._path.name}: other threads kept the store busy for {self._timeout} s")
        try:
            if self._closed:
                raise BackendError(f"{self._path.name}: the store is closed")
            try:
                if self._connection is None:
                    self._connection, self._identity = sqlite_file.connect(self._path, self._timeout)
                yield self._connection
            except sqlite3.Error as error:
                # whatever it was (disk full, corrupt, busy), the next operation begins with a fresh look
                self._disconnect()
                raise _failed(error)(f"{self._path.name}: {error}") from error
        finally:
            self._lock.release()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def before_fork(self) -> None:
        """Close the connection: see ``sqlite_file`` for what an open one would do to both sides."""
        self._lock.acquire()
        self._disconnect()

    def after_fork_in_parent(self) -> None:
        """Go on; the next operation connects again."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Start with a lock that nobody holds.

        A connection is here only after a fork that skipped :meth:`before_fork`. It is the parent's: never
        used, and never closed either, for closing it would undo the parent's locks on some systems.
        """
        self._lock = threading.Lock()
        if self._connection is not None:
            self._abandoned.append(self._connection)
            self._connection = None


def _failed(error: sqlite3.Error) -> type[BackendError]:
    code = getattr(error, "sqlite_errorcode", 0)  # SQLite's own errors have one, those of the module have not
    return BackendFullError if code & 0xFF == sqlite3.SQLITE_FULL else BackendError
