"""Chains in a SQL database: one row a record, and one row a chain that says where it ends.

Appending is one transaction that begins by locking the chain's row; it is durable with its commit. Several machines may
write to one chain.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from wsprovider.adapters.databases import Database
from wsprovider.archive.record import BEGINNING, Link, Record, read_frame
from wsprovider.archive.store import Make
from wsprovider.words.errors import BackendError

_WHERE: Final = "archive"
_BATCH: Final = 200


class SqlStore:
    """See :class:`wsprovider.archive.store.Store`."""

    keeps_end = True

    def __init__(self, url: str, chain: str, *, make: bool = True) -> None:
        """Open the database, and make tables and chain.

        Raises:
            ConfigurationError: the extra is not installed, or the URL is none.
            BackendError: it does not answer, or has no such chain and none is to be made.
        """
        self._database = Database(url, where=_WHERE)
        self._chain = chain
        import sqlalchemy as sql  # noqa: PLC0415 - an extra; Database has said so where it is missing

        self._sql: Any = sql
        tables = sql.MetaData()
        self._chains = sql.Table(
            "wsprovider_archive_chain",
            tables,
            sql.Column("chain", sql.String(200), primary_key=True),
            sql.Column("sequence", sql.BigInteger, nullable=False),
            sql.Column("hash", sql.LargeBinary, nullable=False),
            sql.Column("segment", sql.String(10), nullable=False),
            sql.Column("keys", sql.LargeBinary),
        )
        self._records = sql.Table(
            "wsprovider_archive_record",
            tables,
            sql.Column("chain", sql.String(200), primary_key=True),
            sql.Column("sequence", sql.BigInteger, primary_key=True, autoincrement=False),
            sql.Column("segment", sql.String(10), nullable=False),
            sql.Column("frame", sql.LargeBinary, nullable=False),
            sql.Index("wsprovider_archive_by_segment", "chain", "segment"),
        )
        try:
            self._prepare(tables, make=make)
        except BackendError:
            self.close()
            raise

    def _prepare(self, tables: Any, *, make: bool) -> None:
        if make:
            try:
                self._make(tables)
            except BackendError:  # another worker was at it, and has made it meanwhile
                self._make(tables)
            return
        try:
            with self._database.transaction() as connection:
                there = self._row(connection) is not None
        except BackendError:
            there = False
        if not there:
            raise BackendError(f"there is no archive of {self._chain}: the server makes it when it starts")

    def _make(self, tables: Any) -> None:
        with self._database.transaction() as connection:
            tables.create_all(connection)
            if self._row(connection) is None:
                values = {"chain": self._chain, "sequence": 0, "hash": BEGINNING, "segment": ""}
                connection.execute(self._chains.insert().values(**values))

    def _row(self, connection: Any, *, lock: bool = False) -> Any:
        chosen = self._chains.select().where(self._chains.c.chain == self._chain)
        return connection.execute(chosen.with_for_update() if lock else chosen).one_or_none()

    def _end(self, connection: Any) -> Any:
        row = self._row(connection, lock=True)
        if row is None:
            raise BackendError(f"the row of {self._chain} has gone from wsprovider_archive_chain")
        return row

    def append(self, segment: str, make: Make) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        with self._database.transaction() as connection:
            end = self._end(connection)
            segment = max(segment, end.segment)
            records = make(Link(end.sequence, end.hash, segment))
            rows = [
                {"chain": self._chain, "sequence": one.sequence, "segment": segment, "frame": one.frame}
                for one in records
            ]
            connection.execute(self._records.insert(), rows)
            last = records[-1]
            self._change(connection, sequence=last.sequence, hash=last.hash, segment=segment)

    def _change(self, connection: Any, **values: Any) -> None:
        connection.execute(self._chains.update().where(self._chains.c.chain == self._chain).values(**values))

    def segments(self) -> tuple[str, ...]:
        """See :class:`wsprovider.archive.store.Store`."""
        column = self._records.c.segment
        chosen = self._sql.select(column).where(self._records.c.chain == self._chain).distinct()
        with self._database.transaction() as connection:
            return tuple(sorted(connection.execute(chosen).scalars()))

    def records(self, segment: str) -> Iterator[Record]:
        """See :class:`wsprovider.archive.store.Store`; read by the batch, so that nobody is kept waiting."""
        columns = self._records.c
        after = -1
        while True:
            chosen = (
                self._sql.select(columns.sequence, columns.frame)
                .where(columns.chain == self._chain, columns.segment == segment, columns.sequence > after)
                .order_by(columns.sequence)
                .limit(_BATCH)
            )
            with self._database.transaction() as connection:
                rows = connection.execute(chosen).all()
            for row in rows:
                yield read_frame(row.frame)
            if len(rows) < _BATCH:
                return
            after = rows[-1].sequence

    def end(self) -> int | None:
        """See :class:`wsprovider.archive.store.Store`."""
        with self._database.transaction() as connection:
            row = self._row(connection)
            return None if row is None else int(row.sequence)

    def remove(self, segment: str) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        columns = self._records.c
        with self._database.transaction() as connection:
            connection.execute(
                self._records.delete().where(columns.chain == self._chain, columns.segment == segment)
            )

    def change_keys(self, change: Callable[[bytes | None], bytes | None]) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        with self._database.transaction() as connection:
            value = change(self._end(connection).keys)
            if value is not None:
                self._change(connection, keys=value)

    def keys(self) -> bytes | None:
        """See :class:`wsprovider.archive.store.Store`."""
        with self._database.transaction() as connection:
            row = self._row(connection)
            return None if row is None else row.keys

    def check(self, *, failed: bool) -> None:
        """See :class:`wsprovider.archive.store.Store`; asked only after something went wrong."""
        if failed:
            with self._database.transaction() as connection:
                self._end(connection)

    def close(self) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        self._database.close()
