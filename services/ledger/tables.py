"""The ledger's tables, and transactions on them: SQLite for a first try, PostgreSQL for work (``LEDGER_DATABASE``)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Engine,
    ForeignKey,
    String,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_FILE = Path("var/ledger.sqlite3")
_SECONDS = 10
_SCHEMA_LOCK = 6_719_201
_CENTS = Decimal("0.01")


class Money(TypeDecorator[Decimal]):
    """An amount, kept as a number of cents: SQLite has no decimals, and a binary fraction loses money."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _dialect: Any) -> int | None:
        """On its way in."""
        return None if value is None else int(value / _CENTS)

    def process_result_value(self, value: Any, _dialect: Any) -> Decimal | None:
        """On its way out; a sum comes as a decimal."""
        return None if value is None else int(value) * _CENTS


class Moment(TypeDecorator[datetime]):
    """A moment, kept in UTC: SQLite knows no time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Any) -> datetime | None:
        """On its way in."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Any) -> datetime | None:
        """On its way out."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The ledger's schema."""


class Account(Base):
    """An account; the database itself refuses a balance below the overdraft."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (CheckConstraint("balance + overdraft >= 0", name="ledger_covered"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(140), index=True)
    opened: Mapped[date] = mapped_column(Date)
    balance: Mapped[Decimal] = mapped_column(Money)
    overdraft: Mapped[Decimal] = mapped_column(Money)


class Transfer(Base):
    """What was booked; never changed afterwards."""

    __tablename__ = "ledger_transfers"
    __table_args__ = (UniqueConstraint("author", "reference", name="ledger_booked_once"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    debit: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.number"), index=True)
    credit: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.number"), index=True)
    amount: Mapped[Decimal] = mapped_column(Money)
    value_date: Mapped[date] = mapped_column(Date)
    text: Mapped[str | None] = mapped_column(String(140))
    reference: Mapped[str | None] = mapped_column(String(40))
    booked: Mapped[datetime] = mapped_column(Moment)
    author: Mapped[str] = mapped_column(String(255))


class Database:
    """The engine of this process, and whether its schema is there; nothing is connected to before the first use."""

    def __init__(self, url: str | None) -> None:
        self._made, self._lock = False, Lock()
        self._engine = _engine(url or f"sqlite:///{_FILE.absolute()}")
        # gunicorn imports a service once and forks its workers: a connection belongs to one of them
        os.register_at_fork(after_in_child=self._forget)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All of it is done at the end, or, when something is raised, nothing."""
        if not self._made:
            self._make()
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def _make(self) -> None:
        file = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and file is not None:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":  # two workers may come at once
                    connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
                Base.metadata.create_all(connection)
            self._made = True

    def close(self) -> None:
        """Release the connections; the next transaction makes one anew."""
        self._engine.dispose()

    def _forget(self) -> None:
        """The parent's connections are not closed, which would end them for the parent, too."""
        self._lock = Lock()
        self._engine.dispose(close=False)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    backend = parsed.get_backend_name()
    if backend != "sqlite":
        waits = {"connect_timeout": _SECONDS} if backend == "postgresql" else {}
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True, connect_args=waits)
    engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": _SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    """Transactions begin where they are begun, and no other writer comes in between what one reads and writes."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")


database = Database(os.environ.get("LEDGER_DATABASE"))
transaction = database.transaction
