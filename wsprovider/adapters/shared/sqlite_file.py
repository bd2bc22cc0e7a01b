"""The file of the SQLite store: its making, its settings and its schema.

Why no connection may be open across a fork, not even unused: SQLite keeps the locks of a process in a
table of its own, and a forked child inherits that table but not the locks. It would believe to hold what
only its parent holds; when the parent leaves, another process may reset the write-ahead log under the
child's feet.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from wsprovider.words.errors import BackendError

SCHEMA_VERSION: Final = 2
_APPLICATION: Final = 0x77737073  # "wsps", so that no foreign database is taken for a store

# WITHOUT ROWID: the key is the table. The tally spares a count of all rows at each addition; it belongs to
# the same transaction as the row, so it cannot drift. No STRICT and no RETURNING: SQLite 3.24 suffices.
_ENTRIES: Final = (
    "CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX entries_by_expiry ON entries (expires)",
    "CREATE TABLE tally (held INTEGER NOT NULL)",
    "INSERT INTO tally VALUES (0)",
    "CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN UPDATE tally SET held = held + 1; END",
    "CREATE TRIGGER entry_freed AFTER DELETE ON entries BEGIN UPDATE tally SET held = held - 1; END",
    f"PRAGMA application_id = {_APPLICATION}",
)

# What version 2 added. Nothing of version 1 changes, so its workers go on as long as their connection lasts.
# With a rowid: values of kilobytes would make the key's own tree deep. The value comes last: what stands
# before it is read without its overflow pages.
_RECORDS: Final = (
    """CREATE TABLE records (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, owner BLOB NOT NULL,
        version INTEGER NOT NULL, expires INTEGER NOT NULL, value BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX records_by_key ON records (kind, key)",
    "CREATE INDEX records_by_expiry ON records (kind, expires)",
    "CREATE INDEX records_by_owner ON records (kind, owner, expires)",
    """CREATE TABLE record_totals (kind TEXT PRIMARY KEY NOT NULL, kept INTEGER NOT NULL DEFAULT 0,
        replaced INTEGER NOT NULL DEFAULT 0, removed INTEGER NOT NULL DEFAULT 0,
        expired INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
    "PRAGMA user_version = 2",
)


def connect(path: Path, timeout: float) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
    """A connection to the file, made if missing, and the file's identity.

    Raises:
        BackendError: the file cannot be made or written, or is no store of this version.
        sqlite3.Error: SQLite refuses it.
    """
    _create(path)
    seen = identity(path)
    # isolation_level None: a statement is a transaction. The store sees to it that threads take turns.
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        _use_log(connection, path, timeout)
        connection.execute("PRAGMA synchronous = NORMAL")
        _check_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection, seen


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing, also when a signal's exception comes in between.

    It has the file's write lock from its first statement: what it reads stays so until it ends.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def identity(path: Path) -> tuple[int, int] | None:
    """What tells this file from a later one of the same name; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _create(path: Path) -> None:
    """Make folder and file for the owner only; SQLite gives its companion files the mode of the file.

    A file that exists is not opened here: closing it again would undo the locks of every connection that this
    process has to it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            with suppress(FileExistsError):  # another worker may have been faster
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise BackendError(f"{path.name}: cannot be made: {error.strerror}") from None
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        raise BackendError(f"{path.name}: is no file that can be written")


def _use_log(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    """Switch to a write-ahead log: readers never wait, and a commit is an append.

    The first switch needs the file alone and does not wait for it as other statements do, so workers that
    start together on a new file have to try again.
    """
    deadline = time.monotonic() + timeout
    while not _switched(connection, path, last_try=time.monotonic() >= deadline):
        time.sleep(0.002)


def _switched(connection: sqlite3.Connection, path: Path, *, last_try: bool) -> bool:
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    except sqlite3.OperationalError as error:
        if last_try or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    if mode != "wal":
        raise BackendError(f"{path.name}: this file system does not support a write-ahead log")
    return True


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == (_APPLICATION, SCHEMA_VERSION):
        return
    with transaction(connection):  # another worker may be at it; ours waits, and finds it done
        for statement in _missing(connection, path):
            connection.execute(statement)


def _missing(connection: sqlite3.Connection, path: Path) -> tuple[str, ...]:
    """What makes a store of this version out of a new file or an older store."""
    application, version = _version(connection)
    if (application, version) == (0, 0) and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        return _ENTRIES + _RECORDS
    if application != _APPLICATION:
        raise BackendError(f"{path.name}: is a database of something else")
    if version == 1:
        return _RECORDS
    if version != SCHEMA_VERSION:
        raise BackendError(f"{path.name}: has schema version {version}, this program uses {SCHEMA_VERSION}")
    return ()


def _version(connection: sqlite3.Connection) -> tuple[int, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return int(application), int(version)
