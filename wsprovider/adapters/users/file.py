"""Users in a TOML file (``keys/users.toml``), followed as it changes; safe between threads.

How it is followed is told in :mod:`wsprovider.adapters.shared.following`; its form, in
:mod:`wsprovider.adapters.users.reading`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared.following import Followed, OneFile
from wsprovider.adapters.users.cache import PositiveCache
from wsprovider.adapters.users.checking import Credentials, usual_parameters
from wsprovider.adapters.users.hashing import PROCESS_HASHING, Hashing, read_parameters
from wsprovider.adapters.users.reading import read_users_file
from wsprovider.adapters.users.records import Entry, Record
from wsprovider.ports import Admission, User, admit_all
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
        self._limits = limits
        self._hashing = hashing
        self._cache = PositiveCache(life=cache_life, entries=cache_entries, monotonic=monotonic)
        self._file = Followed(
            OneFile(path.absolute(), self._read),
            monotonic=monotonic,
            interval=interval,
            on_swap=lambda snapshot: on_swap(snapshot.warnings),
            on_failure=on_failure,
        )

    @property
    def knows_clear_passwords(self) -> bool:
        """See :meth:`wsprovider.ports.Users.knows_clear_passwords`."""
        return self._file.current().knows_clear_passwords

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth a sentence in the log about the file in force."""
        return self._file.current().warnings

    @property
    def failed(self) -> bool:
        """Whether the file as it is now cannot be used, and an older one is in force."""
        return self._file.failed

    def check_password(self, name: str, password: str, *, admit: Admission = admit_all) -> User:
        """See :meth:`wsprovider.ports.Users.check_password`."""
        now = self._file.current()
        return now.credentials.check_password(name, password, now.records.get(name), admit=admit)

    def check_digest(
        self, name: str, digest: bytes, nonce: bytes, created: str, *, admit: Admission = admit_all
    ) -> User:
        """See :meth:`wsprovider.ports.Users.check_digest`."""
        now = self._file.current()
        return now.credentials.check_digest(name, digest, nonce, created, now.records.get(name), admit=admit)

    def find(self, name: str) -> User:
        """See :meth:`wsprovider.ports.Users.find`."""
        now = self._file.current()
        return now.credentials.find(name, now.records.get(name))

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, path: Path) -> _Snapshot:
        found = read_users_file(path, self._limits)
        parameters = usual_parameters(found.values())
        return _Snapshot(
            {name: Record.of(entry) for name, entry in found.items()},
            Credentials(hashing=self._hashing, cache=self._cache, limits=self._limits, parameters=parameters),
            any(entry.clear_password is not None for entry in found.values()),
            tuple(_warning(path, entry) for entry in found.values() if _differs(entry, parameters)),
        )


def _warning(path: Path, entry: Entry) -> str:
    return (
        f"{path.name}: users.{entry.name}.password is hashed with other parameters than most, "
        "so the time of a refusal tells that the user exists; set the password anew"
    )


def _differs(entry: Entry, parameters: object) -> bool:
    return entry.password is not None and read_parameters(entry.password) != parameters
