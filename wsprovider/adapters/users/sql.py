"""Users in a SQL database, asked anew for each message; safe between threads and across forks.

One statement finds a user and their roles. Nothing is kept of what it says, so a change counts at once; only that a
password was right is remembered, for this very state of the user, and spares the next hash.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from wsprovider.adapters.databases import Database
from wsprovider.adapters.users.cache import PositiveCache
from wsprovider.adapters.users.checking import Credentials, usual_parameters
from wsprovider.adapters.users.hashing import PROCESS_HASHING, Hashing
from wsprovider.adapters.users.records import Entry, Record, possible_name
from wsprovider.adapters.users.sql_settings import SqlSettings
from wsprovider.adapters.users.sql_tables import (
    SAMPLE,
    Row,
    entry_of,
    one_user,
    some_clear_password,
    some_hashes,
    usable,
)
from wsprovider.ports import Admission, User, admit_all
from wsprovider.words.errors import BackendError, ConfigurationError, Problem
from wsprovider.words.limits import Limits

_LIMITS: Final = Limits()


class SqlUsers:
    """Implements :class:`wsprovider.ports.Users`.

    Attributes:
        warnings: what is worth a sentence in the log.
    """

    def __init__(
        self,
        settings: SqlSettings,
        *,
        limits: Limits = _LIMITS,
        hashing: Hashing = PROCESS_HASHING,
        monotonic: Callable[[], float] = time.monotonic,
        cache_entries: int = 10_000,
    ) -> None:
        """Ask the database for nobody in particular, to see whether it answers.

        Args:
            settings: where users stand.
            limits: ``password_bytes`` counts.
            hashing: limits how many hashes are computed at once.
            monotonic: seconds that never run backwards.
            cache_entries: how many successes are remembered.

        Raises:
            ConfigurationError: SQLAlchemy or a driver is not installed, or the settings do not fit each other.
            BackendError: the database did not answer, or has no such tables.
        """
        self._settings = settings
        self._database = Database(settings.url, where=settings.where)
        try:
            self._statement = one_user(settings)
            self._columns = self._asked_for_nobody()
            entries = self._sample()
        except BaseException:
            self._database.close()
            raise
        self.warnings = self._doubts(entries)
        self._stand_in = dict.fromkeys(self._columns) | {"name": ""}
        self._credentials = Credentials(
            hashing=hashing,
            cache=PositiveCache(life=settings.remember, entries=cache_entries, monotonic=monotonic),
            limits=limits,
            parameters=usual_parameters(entry for entry in entries if usable(entry.password)),
        )

    @property
    def knows_clear_passwords(self) -> bool:
        """See :meth:`wsprovider.ports.Users.knows_clear_passwords`; asks the database.

        Raises:
            BackendError: it did not answer.
        """
        if self._settings.query is not None:
            return "clear_password" in self._columns
        statement = some_clear_password(self._settings)
        if statement is None:
            return False
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None

    def check_password(self, name: str, password: str, *, admit: Admission = admit_all) -> User:
        """See :meth:`wsprovider.ports.Users.check_password`."""
        self._credentials.refuse_early(name, password)
        return self._credentials.check_password(name, password, self._record(name), admit=admit)

    def check_digest(
        self, name: str, digest: bytes, nonce: bytes, created: str, *, admit: Admission = admit_all
    ) -> User:
        """See :meth:`wsprovider.ports.Users.check_digest`."""
        return self._credentials.check_digest(name, digest, nonce, created, self._record(name), admit=admit)

    def find(self, name: str) -> User:
        """See :meth:`wsprovider.ports.Users.find`."""
        return self._credentials.find(name, self._record(name))

    def close(self) -> None:
        """Release the connections; whoever asks again has them made anew."""
        self._database.close()

    def _record(self, name: str) -> Record | None:
        """What the database holds under exactly that name; looking costs the same if that is nothing."""
        if not possible_name(name):  # no store has it, and not every database can be asked for it
            return None
        rows = self._rows(name)
        found = entry_of(name, rows)
        record = Record.of(found or entry_of("", [self._stand_in]) or Entry(""))
        return record if found is not None else None

    def _rows(self, name: str) -> Sequence[Row]:
        with self._database.reading() as connection:
            found = connection.execute(self._statement, {"name": name}).mappings().all()
            return [dict(row) for row in found]

    def _asked_for_nobody(self) -> frozenset[str]:
        """The names of the columns that the statement gives."""
        try:
            with self._database.reading() as connection:
                columns = frozenset(connection.execute(self._statement, {"name": ""}).keys())
        except BackendError as error:
            if not self._settings.ours:
                raise
            advice = "where its tables are missing, wsprovider users --file FILE tables makes them"
            raise BackendError(f"{error} ({advice})") from None
        if "name" not in columns or not columns & {"password", "clear_password"}:
            what = (
                f"must give columns called name, and password or clear_password; it gives {sorted(columns)}"
            )
            raise ConfigurationError([Problem(f"{self._settings.where}: query", what)])
        return columns

    def _sample(self) -> list[Entry]:
        statement = some_hashes(self._settings)
        if statement is None:
            return []
        with self._database.reading() as connection:
            found: Sequence[Any] = connection.execute(statement).scalars().fetchmany(SAMPLE)
        return [Entry("", password=one) for one in found if isinstance(one, str) and one]

    def _doubts(self, entries: Sequence[Entry]) -> tuple[str, ...]:
        useless = sum(not usable(entry.password) for entry in entries)
        if not useless:
            return ()
        what = f"{useless} of {len(entries)} hashes looked at are no argon2id hashes: their users are refused"
        return (f"{self._settings.where}: {what}",)
