"""SQL databases by URL, through SQLAlchemy (the extra ``wsprovider[sql]``): user stores and the archive use them.

SQLAlchemy, because it speaks to every database an operator may have, pools and checks connections, and is what
services will use themselves (docs/decisions/0066-user-stores.md). A URL may hold a password, and a statement what
it is about: neither stands in any message from here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from wsprovider.adapters.shared.forking import watch
from wsprovider.words.errors import BackendError, ConfigurationError, Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LACKING: Final = 'SQLAlchemy is not installed; install the extra: pip install "wsprovider[sql]"'
_DRIVERS: Final = {"postgresql": 'psycopg is not installed: pip install "wsprovider[postgresql]"'}
_SECONDS: Final = 5
_READS: Final = "wsprovider_reads"


class Database:
    """One database; shared by all threads, opened anew in a worker that was forked."""

    def __init__(self, url: str, *, where: str) -> None:
        """Read the URL; nothing is connected to yet.

        Args:
            url: as SQLAlchemy has them; ``postgresql://`` means psycopg 3.
            where: the setting that names it, for problems.

        Raises:
            ConfigurationError: the library or the driver is not installed, or the URL cannot be read.
        """
        try:
            import sqlalchemy  # noqa: PLC0415 - an extra: only who names a database needs it
        except ImportError:
            raise ConfigurationError([Problem(where, _LACKING)]) from None
        try:
            parsed = sqlalchemy.make_url(url)
        except sqlalchemy.exc.ArgumentError:
            what = "is no URL of a database; write sqlite:////absolute/path or postgresql://user@host/name"
            raise ConfigurationError([Problem(where, what)]) from None
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.backend: Final = parsed.get_backend_name()
        self._errors: tuple[type[Exception], ...] = (sqlalchemy.exc.SQLAlchemyError, OSError)
        try:
            self._engine = sqlalchemy.create_engine(parsed, **self._options(sqlalchemy))
        except ImportError as error:
            what = _DRIVERS.get(self.backend, f"its driver {error.name!r} is not installed")
            raise ConfigurationError([Problem(where, what)]) from None
        except (sqlalchemy.exc.ArgumentError, TypeError):
            what = f"no database has a URL that begins with {parsed.drivername!r}"
            raise ConfigurationError([Problem(where, what)]) from None
        if self.backend == "sqlite":
            sqlalchemy.event.listen(self._engine, "connect", _prepare_sqlite)
            sqlalchemy.event.listen(self._engine, "begin", _begin_sqlite)
        self._reader = self._engine.execution_options(**{_READS: True})
        watch(self)

    def _options(self, sqlalchemy: Any) -> dict[str, Any]:
        if self.backend == "sqlite":
            return {"hide_parameters": True, "connect_args": {"timeout": _SECONDS}}
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_timeout": _SECONDS}
        if self.backend == "postgresql":
            options["connect_args"] = {"connect_timeout": _SECONDS, "tcp_user_timeout": _SECONDS * 1000}
        return {"hide_parameters": True, "poolclass": sqlalchemy.pool.QueuePool, **options}

    @contextmanager
    def transaction(self) -> "Iterator[Connection]":
        """A connection in a transaction: committed at the end, rolled back when something is raised.

        In SQLite it is one that writes from its beginning (``BEGIN IMMEDIATE``), so that nobody else's change
        comes between what it reads and what it writes.

        Raises:
            BackendError: the database did not answer, or not as it should.
        """
        with self._begun(self._engine) as connection:
            yield connection

    @contextmanager
    def reading(self) -> "Iterator[Connection]":
        """The same for what changes nothing: in SQLite it waits for nobody who writes.

        Raises:
            BackendError: the database did not answer, or not as it should.
        """
        with self._begun(self._reader) as connection:
            yield connection

    @contextmanager
    def _begun(self, engine: "Engine") -> "Iterator[Connection]":
        try:
            with engine.begin() as connection:
                yield connection
        except self._errors as error:
            raise BackendError(f"{self.backend}: {told(error)}") from error

    def close(self) -> None:
        """Release the connections; the next transaction makes one anew."""
        self._engine.dispose()

    def before_fork(self) -> None:
        """Connections are made again where they are needed."""

    def after_fork_in_parent(self) -> None:
        """Nothing has changed here."""

    def after_fork_in_child(self) -> None:
        """Forget the parent's connections without a word to their other end."""
        self._engine.dispose(close=False)


def told(error: BaseException) -> str:
    """What is wrong in the driver's words, without the statement, its values or a connection string."""
    origin = getattr(error, "orig", None) or error
    lines = str(origin).strip().splitlines()
    return f"{type(origin).__name__}: {lines[0][:200]}" if lines else type(origin).__name__


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # None: transactions begin where _begin_sqlite begins them, not at the first statement that writes.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
