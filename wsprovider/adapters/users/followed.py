"""A store that a settings file describes, opened anew when that file, or one that it names, has changed."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.shared.following import Followed
from wsprovider.adapters.users.ldap import LdapUsers
from wsprovider.adapters.users.ldap_settings import read_ldap_settings
from wsprovider.adapters.users.settings import Settings
from wsprovider.adapters.users.sql import SqlUsers
from wsprovider.adapters.users.sql_settings import read_sql_settings
from wsprovider.ports import Admission, User, admit_all
from wsprovider.words.errors import BackendError, ConfigurationError, Problem

Store = SqlUsers | LdapUsers

_AGAIN: Final = 10.0
"""Seconds until a store that did not answer to changed settings is asked again."""


def open_store(settings: Settings) -> Store:
    """Open the store that settings describe.

    Raises:
        ConfigurationError: they cannot be used.
        BackendError: the store did not answer.
    """
    if settings.kind == "sql":
        return SqlUsers(read_sql_settings(settings))
    if settings.kind == "ldap":
        return LdapUsers(read_ldap_settings(settings))
    what = "was another when the server started; restart it"
    raise ConfigurationError([Problem(f"{settings.path}: kind", what)])


class FollowedUsers:
    """Implements :class:`wsprovider.ports.Users`."""

    def __init__(
        self,
        path: Path,
        *,
        environ: Mapping[str, str],
        monotonic: Callable[[], float] = time.monotonic,
        interval: float = 1.0,
        on_swap: Callable[[tuple[str, ...]], None] = lambda _: None,
        on_failure: Callable[[ConfigurationError], None] = lambda _: None,
    ) -> None:
        """Open the store for the first time.

        Args:
            path: the settings file.
            environ: where variables that it names are looked up.
            monotonic: seconds that never run backwards.
            interval: seconds between two looks at the files.
            on_swap: told of changed settings that are now in force, with the store's warnings.
            on_failure: told when changed settings cannot be used; the old ones stay in force.

        Raises:
            ConfigurationError: the settings cannot be used.
            BackendError: the store did not answer.
        """
        self._on_swap = on_swap
        self._settings = Followed(
            _Described(path.absolute(), environ, monotonic),
            monotonic=monotonic,
            interval=interval,
            on_swap=self._swapped,
            on_failure=on_failure,
        )
        self._store = self._settings.current()

    @property
    def knows_clear_passwords(self) -> bool:
        """See :meth:`wsprovider.ports.Users.knows_clear_passwords`."""
        return self._settings.current().knows_clear_passwords

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth a sentence in the log about the store in use."""
        return self._settings.current().warnings

    @property
    def failed(self) -> bool:
        """Whether the settings as they are now cannot be used, and older ones are in force."""
        return self._settings.failed

    def check_password(self, name: str, password: str, *, admit: Admission = admit_all) -> User:
        """See :meth:`wsprovider.ports.Users.check_password`."""
        return self._settings.current().check_password(name, password, admit=admit)

    def check_digest(
        self, name: str, digest: bytes, nonce: bytes, created: str, *, admit: Admission = admit_all
    ) -> User:
        """See :meth:`wsprovider.ports.Users.check_digest`."""
        return self._settings.current().check_digest(name, digest, nonce, created, admit=admit)

    def find(self, name: str) -> User:
        """See :meth:`wsprovider.ports.Users.find`."""
        return self._settings.current().find(name)

    def close(self) -> None:
        """Release the connections that nobody uses."""
        self._store.close()

    def _swapped(self, store: Store) -> None:
        former, self._store = self._store, store
        former.close()
        self._on_swap(store.warnings)


class _Described:
    """Settings as a :class:`wsprovider.adapters.shared.following.Source` of stores."""

    def __init__(self, path: Path, environ: Mapping[str, str], monotonic: Callable[[], float]) -> None:
        self._path, self._environ, self._monotonic = path, environ, monotonic
        self._reader: Reader | None = None
        self._again: float | None = None

    def changed(self) -> bool:
        """Whether a file has changed, or the store shall be asked again."""
        if self._again is not None and self._monotonic() >= self._again:
            return True
        return self._reader is None or self._reader.changed()

    def read(self) -> Store:
        """Open the store; once there is one, that another does not answer is a problem with the settings.

        Raises:
            ConfigurationError: the settings cannot be used.
            BackendError: the first store did not answer.
        """
        first, self._reader = self._reader is None, Reader(self._path.parent, self._environ)
        self._again = None
        try:
            return open_store(Settings.read(self._path, self._reader))
        except BackendError as error:
            if first:
                raise
            self._again = self._monotonic() + _AGAIN
            raise ConfigurationError([Problem(str(self._path), f"did not answer: {error}")]) from None
