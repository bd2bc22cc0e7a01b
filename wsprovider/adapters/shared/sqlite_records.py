"""The records of the SQLite store, in two tables beside its entries.

A record is found by one statement, without a transaction: the read that every message makes. A change is one
transaction with its count, so that the totals add up whatever becomes of the worker.
"""

import sqlite3
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from wsprovider.adapters.shared.records import (
    FREED_AT_ONCE,
    FREED_PER_KEEP,
    PAGE,
    Candidate,
    Found,
    Replacement,
    StoredRecords,
)
from wsprovider.adapters.shared.sqlite_file import transaction
from wsprovider.ports import Room, Totals

_FIND: Final = "SELECT value, version, expires FROM records WHERE kind = ? AND key = ? AND expires > ?"
# the plus, here and below, keeps SQLite from the index of expiries, in which it would read or sort all that is alive
_SEVERAL: Final = (
    "SELECT key, value, version, expires FROM records WHERE kind = ? AND +expires > ? AND key IN (%s)"
)
_OWNED: Final = "SELECT count(*) FROM records WHERE kind = ? AND owner = ? AND expires > ?"
_OVER: Final = "SELECT count(*) FROM records WHERE kind = ? AND expires <= ?"
_KEEP: Final = "INSERT INTO records (kind, key, owner, version, expires, value) VALUES (?, ?, ?, 1, ?, ?)"
_REPLACE: Final = """
    UPDATE records SET version = version + 1, expires = ?, value = ?
    WHERE kind = ? AND key = ? AND version = ? AND expires > ?"""
_REMOVE: Final = (
    "DELETE FROM records WHERE kind = ? AND key = ? AND expires > ? AND version = ifnull(?, version)"
)
_FREE_KEY: Final = "DELETE FROM records WHERE kind = ? AND key = ? AND expires <= ?"
_FREE: Final = """
    DELETE FROM records WHERE id IN (
        SELECT id FROM records WHERE kind = ? AND expires <= ? ORDER BY expires LIMIT ?)"""
_LIST: Final = """
    SELECT key, value, version, expires FROM records
    WHERE kind = ? AND key > ? AND +expires > ? ORDER BY key LIMIT ?"""
_TOTALS: Final = """
    SELECT kept - removed - expired, kept, replaced, removed, expired FROM record_totals WHERE kind = ?"""
_COUNT_KEPT: Final = """
    INSERT INTO record_totals (kind, kept) VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET kept = kept + 1"""
_COUNT_REPLACED: Final = "UPDATE record_totals SET replaced = replaced + 1 WHERE kind = ?"
_COUNT_REMOVED: Final = "UPDATE record_totals SET removed = removed + 1 WHERE kind = ?"
_COUNT_EXPIRED: Final = "UPDATE record_totals SET expired = expired + ? WHERE kind = ?"


class SqliteRecords(StoredRecords):
    """The part of :class:`wsprovider.adapters.shared.sqlite.SqliteStore` that keeps records."""

    @abstractmethod
    def _connected(self) -> AbstractContextManager[sqlite3.Connection]: ...

    @abstractmethod
    def _leave_lost_file(self) -> None: ...

    def _keep(self, new: Candidate) -> Room:
        with self._connected() as connection:
            with transaction(connection):
                freed = connection.execute(_FREE_KEY, (new.kind, new.key, new.now)).rowcount
                _free(connection, new.kind, new.now, FREED_PER_KEEP, already=freed)
                room = _room(connection, new)
                if room is Room.KEPT:
                    connection.execute(_KEEP, (new.kind, new.key, new.owner, new.expires, new.value))
                    connection.execute(_COUNT_KEPT, (new.kind,))
            self._leave_lost_file()
        return room

    def _find(self, kind: str, key: str, now: int) -> Found | None:
        with self._connected() as connection:
            found: Found | None = connection.execute(_FIND, (kind, key, now)).fetchone()
        return found

    def _find_several(self, kind: str, keys: Sequence[str], now: int) -> Mapping[str, Found]:
        statement = _SEVERAL % ", ".join("?" * len(keys))
        with self._connected() as connection:
            rows = connection.execute(statement, (kind, now, *keys)).fetchall()
        return {key: (value, version, expires) for key, value, version, expires in rows}

    def _replace(self, new: Replacement) -> bool:
        with self._changing() as connection:
            change = (new.expires, new.value, new.kind, new.key, new.version, new.now)
            replaced = connection.execute(_REPLACE, change).rowcount == 1
            if replaced:
                connection.execute(_COUNT_REPLACED, (new.kind,))
        return replaced

    def _remove(self, kind: str, key: str, version: int | None, now: int) -> bool:
        with self._changing() as connection:
            removed = connection.execute(_REMOVE, (kind, key, now, version)).rowcount == 1
            if removed:
                connection.execute(_COUNT_REMOVED, (kind,))
        return removed

    def _list(self, kind: str, now: int) -> Iterator[tuple[str, Found]]:
        after: str | None = ""
        while after is not None:
            with self._connected() as connection:
                page = connection.execute(_LIST, (kind, after, now, PAGE)).fetchall()
            for key, *found in page:
                yield key, (found[0], found[1], found[2])
            after = page[-1][0] if len(page) == PAGE else None

    def _totals(self, kind: str, now: int) -> Totals:
        freed = FREED_AT_ONCE
        totals = Totals(0, 0, 0, 0, 0)
        while freed == FREED_AT_ONCE:  # others get their turn in between
            with self._changing() as connection:
                freed = _free(connection, kind, now, FREED_AT_ONCE)
                row = connection.execute(_TOTALS, (kind,)).fetchone()
                totals = Totals(*row) if row else totals
        return totals

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection, transaction(connection):
            yield connection


def _free(connection: sqlite3.Connection, kind: str, now: int, at_most: int, *, already: int = 0) -> int:
    freed = connection.execute(_FREE, (kind, now, at_most)).rowcount
    if freed + already:
        connection.execute(_COUNT_EXPIRED, (freed + already, kind))
    return freed


def _room(connection: sqlite3.Connection, new: Candidate) -> Room:
    if connection.execute(_FIND, (new.kind, new.key, new.now)).fetchone():
        return Room.TAKEN
    if connection.execute(_OWNED, (new.kind, new.owner, new.now)).fetchone()[0] >= new.owner_limit:
        return Room.OWNER_FULL
    row = connection.execute(_TOTALS, (new.kind,)).fetchone()
    held = row[0] if row else 0
    # as a rule there is room without a look at what has expired and was not freed yet
    if held >= new.limit and held - connection.execute(_OVER, (new.kind, new.now)).fetchone()[0] >= new.limit:
        return Room.FULL
    return Room.KEPT
