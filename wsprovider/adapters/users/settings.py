"""What the settings file of a user store says, whatever its kind: the file that a service's ``users`` line names.

::

    kind = "sql"        # or "ldap"; a file without this line holds the users themselves
    url_env = "USERS_URL"

Files that it names are relative to its own folder. They belong to the settings: whoever follows those looks at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.tables import Table
from wsprovider.words.errors import ConfigurationError, Problem

KINDS: Final = ("file", "sql", "ldap")

_UNICODE: Final = re.compile("[\ud800-\udfff]")


def kind_of(path: Path) -> str:
    """The kind of the store that a file describes; ``file`` for one that cannot be read, which reading it will tell.

    Raises:
        ConfigurationError: there is no such kind.
    """
    reader = Reader(path.parent, {})
    try:
        return _kind(path, reader.toml(path))
    except MaterialError:
        return "file"


def _kind(path: Path, values: Mapping[str, Any]) -> str:
    kind = values.get("kind", "file")
    if kind not in KINDS:
        kinds = ", ".join(f'"{one}"' for one in KINDS)
        raise ConfigurationError([Problem(f"{path}: kind", f"must be one of {kinds}")])
    return str(kind)


@dataclass(slots=True)
class Settings:
    """A settings file that is being read; mistakes are collected until :meth:`finish`.

    Attributes:
        path: the file.
        kind: of store.
        top: its top table.
        reader: its eyes, and what is wrong.
    """

    path: Path
    kind: str
    reader: Reader
    top: Table
    _below: dict[str, Table] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, reader: Reader) -> "Settings":
        """Read the file.

        Args:
            path: the file.
            reader: takes note of every file that is looked at, whatever comes of it.

        Raises:
            ConfigurationError: it cannot be read, is no TOML, or of no known kind.
        """
        try:
            values = reader.toml(path)
        except MaterialError as error:
            raise ConfigurationError([Problem(str(path), str(error))]) from None
        top = Table(reader, str(path), values)
        top.raw("kind")
        return cls(path, _kind(path, values), reader, top)

    def table(self, name: str) -> Table | None:
        """A table below the top; None where there is none."""
        values = self.top.raw(name)
        if values is None:
            return None
        self._below[name] = Table(self.reader, f"{self.path}: [{name}]", values)
        return self._below[name]

    def secret(self, name: str) -> str | None:
        """What ``<name>_env`` or ``<name>_file`` names: a variable's value, or the only line of a file.

        None where neither stands there, and after a mistake, which is noted.
        """
        variable, file = self.top.text(f"{name}_env"), self.top.text(f"{name}_file")
        if variable is not None and file is not None:
            self.top.problem(f"{name}_file", f"stands beside {name}_env; keep one of them")
        elif variable is not None:
            value = self.reader.environ.get(variable, "")
            if value and not _UNICODE.search(value):
                return value
            self.top.problem(f"{name}_env", f"the environment variable {variable} is not set, or no UTF-8")
        elif file is not None:
            return self._only_line(name, file)
        return None

    def whole(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within bounds."""
        value = self.top.number(name, default)
        if not lowest <= value <= highest:
            self.top.problem(name, f"is {value}; it must lie between {lowest} and {highest}")
        return value

    def flag(self, table: Table, name: str) -> bool:
        """``true`` or ``false``, which is the default."""
        value: Any = table.raw(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        table.problem(name, "must be true or false")
        return False

    def finish(self) -> None:
        """End the reading.

        Raises:
            ConfigurationError: with everything that is wrong, values that nobody asked for included.
        """
        for table in (self.top, *self._below.values()):
            table.finish()
        if self.reader.problems:
            raise ConfigurationError(self.reader.problems)

    def _only_line(self, name: str, file: str) -> str | None:
        try:
            lines = self.reader.read(self.path.parent / file, secret=True).decode().splitlines()
        except MaterialError as error:
            self.top.problem(f"{name}_file", str(error))
        except UnicodeDecodeError:
            self.top.problem(f"{name}_file", f"{file} is no UTF-8")
        else:
            if len(lines) == 1 and lines[0]:
                return lines[0]
            self.top.problem(f"{name}_file", f"{file} must hold it on its only line")
        return None
