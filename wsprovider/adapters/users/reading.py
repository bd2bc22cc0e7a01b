"""Reading a users file, with every mistake at once and no secret in any message.

::

    [users.alice]
    password = "$argon2id$v=19$m=19456,t=2,p=1$..."     # wsprovider users add alice
    roles = ["admin"]

    [users."partner system"]
    clear_password = "..."                              # for password digests
    disabled = true
"""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.users.hashing import octets, read_parameters
from wsprovider.adapters.users.records import Entry, possible_name
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits

_KNOWN: Final = frozenset({"password", "clear_password", "roles", "disabled"})
_FILE_BYTES: Final = 16_000_000


def read_users_file(path: Path, limits: Limits) -> dict[str, Entry]:
    """Read and check a users file; the entries by name.

    Raises:
        ConfigurationError: it cannot be read, holds a mistake, holds nobody, or clear passwords in it are
            open to others.
    """
    content, status = _content(path)
    entries, problems = parse_users(content, str(path), limits)
    if status.st_mode & 0o002:
        problems.append(Problem(str(path), "can be changed by everybody; chmod 600 it"))
    if status.st_mode & 0o077 and any(entry.clear_password is not None for entry in entries.values()):
        mode = stat.S_IMODE(status.st_mode)
        what = f"holds clear passwords and is open to others (mode {mode:04o}); chmod 600 it"
        problems.append(Problem(str(path), what))
    if not entries and not problems:
        problems.append(Problem(str(path), "holds no user; add one by wsprovider users add NAME"))
    if problems:
        raise ConfigurationError(problems)
    return entries


def parse_users(content: bytes, where: str, limits: Limits) -> tuple[dict[str, Entry], list[Problem]]:
    """The entries of a file's content, and what is wrong with them.

    Raises:
        ConfigurationError: the content is no TOML at all.
    """
    problems: list[Problem] = []
    entries = _entries(_parsed(where, content), where, limits, problems)
    return entries, problems


def _content(path: Path) -> tuple[bytes, os.stat_result]:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    if len(content) > _FILE_BYTES:
        raise ConfigurationError([Problem(str(path), f"is larger than {_FILE_BYTES} bytes")])
    return content, status


def _parsed(where: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        what = "is not UTF-8"
    except tomllib.TOMLDecodeError as error:
        what = f"is no TOML: {error}"
    except RecursionError:
        what = "is no TOML: nested too deeply"
    raise ConfigurationError([Problem(where, what)])


def _entries(
    document: dict[str, Any], where: str, limits: Limits, problems: list[Problem]
) -> dict[str, Entry]:
    problems += [
        Problem(f"{where}: {key}", "is not known here; users stand in [users.NAME]")
        for key in document
        if key not in {"users", "kind"}
    ]
    if document.get("kind", "file") != "file":
        problems.append(Problem(f"{where}: kind", "was another when the server started; restart it"))
    users = document.get("users", {})
    if not isinstance(users, dict):
        problems.append(Problem(f"{where}: users", "must be tables: [users.NAME]"))
        return {}
    found = {}
    for name, values in users.items():
        reader = _EntryReader(name, values, f"{where}: users.{_shown(name)}", limits)
        found[name] = reader.read()
        problems += reader.problems
    return found


def _shown(name: str) -> str:
    return ascii(name)[:100] if not name.isprintable() or len(name) > 100 else name


class _EntryReader:
    """Reads one user's table."""

    def __init__(self, name: str, values: Any, where: str, limits: Limits) -> None:
        self._name = name
        self._values: dict[str, Any] = values if isinstance(values, dict) else {}
        self._where = where
        self._limits = limits
        self.problems: list[Problem] = []
        if not isinstance(values, dict):
            self._problem(None, "must be a table with password or clear_password")

    def read(self) -> Entry:
        """The entry; worth something only if there are no problems."""
        if self.problems:
            return Entry(self._name)
        self._check_name()
        for key in self._values.keys() - _KNOWN:
            self._problem(key, "is not known here")
        password, clear = self._text("password"), self._text("clear_password")
        if "password" in self._values and "clear_password" in self._values:
            self._problem("clear_password", "stands beside password; keep one of them")
        elif "password" not in self._values and "clear_password" not in self._values:
            self._problem(None, "has neither password nor clear_password")
        if password is not None:
            self._check_hash(password)
        if clear is not None and len(octets(clear)) > self._limits.password_bytes:
            self._problem(
                "clear_password", f"is longer than {self._limits.password_bytes} bytes: never accepted"
            )
        return Entry(self._name, password, clear, self._roles(), self._disabled())

    def _check_name(self) -> None:
        if not possible_name(self._name):
            self._problem(None, "a name has 1 to 256 characters, all printable")

    def _check_hash(self, password: str) -> None:
        try:
            read_parameters(password)
        except ValueError as error:
            advice = "" if password.startswith("$") else "; a password in clear is named clear_password"
            self._problem("password", f"{error}{advice}")

    def _text(self, key: str) -> str | None:
        value = self._values.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        self._problem(key, "must be a text in quotes that is not empty")
        return None

    def _roles(self) -> frozenset[str]:
        value = self._values.get("roles", [])
        if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
            return frozenset(value)
        self._problem("roles", "must be a list of texts")
        return frozenset()

    def _disabled(self) -> bool:
        value = self._values.get("disabled", False)
        if isinstance(value, bool):
            return value
        self._problem("disabled", "must be true or false")
        return True

    def _problem(self, key: str | None, what: str) -> None:
        self.problems.append(Problem(f"{self._where}.{key}" if key else self._where, what))
