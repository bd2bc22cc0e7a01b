"""Changing the users of a store, whatever its kind: what ``wsprovider users`` does."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.users.reading import read_users_file
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.settings import Settings, kind_of
from wsprovider.adapters.users.sql_editing import SqlEditor
from wsprovider.adapters.users.sql_settings import read_sql_settings
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits


class Editor(Protocol):
    """The users of one store. Whatever does not work raises ConfigurationError or BackendError, and changes nothing."""

    def entries(self) -> list[Entry]:
        """Everybody."""
        ...

    def find(self, name: str) -> Entry | None:
        """The user of exactly that name."""
        ...

    def put(self, entry: Entry) -> None:
        """Add a user, or put an entry in the place of what the store holds of them."""
        ...

    def disable(self, name: str, *, disabled: bool) -> bool:
        """Refuse a user from now on, or no longer; false when there is none of that name."""
        ...

    def remove(self, name: str) -> bool:
        """Forget a user; false when there is none of that name."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def open_editor(path: Path, environ: Mapping[str, str]) -> "Editor":
    """The editor of the store that a file holds or describes.

    Raises:
        ConfigurationError: it cannot be used, or the users in it are not ours to change.
    """
    kind = kind_of(path)
    if kind == "file":
        return FileEditor(path)
    if kind == "sql":
        return sql_editor(path, environ)
    what = "describes a directory: its users are added and changed by its own tools"
    raise ConfigurationError([Problem(str(path), what)])


def sql_editor(path: Path, environ: Mapping[str, str]) -> SqlEditor:
    """The editor of a SQL store.

    Raises:
        ConfigurationError: the file describes none, or it cannot be used.
    """
    settings = Settings.read(path, Reader(path.parent, environ))
    if settings.kind != "sql":
        raise ConfigurationError([Problem(f"{path}: kind", 'is not "sql": only a database has tables')])
    return SqlEditor(read_sql_settings(settings))


class FileEditor:
    """The users of a file; see :class:`Editor`."""

    def __init__(self, path: Path) -> None:
        """Take the file, which need not be there yet."""
        self._path = path

    def entries(self) -> list[Entry]:
        """See :meth:`Editor.entries`."""
        return list(self._read().values())

    def find(self, name: str) -> Entry | None:
        """See :meth:`Editor.find`."""
        return self._read().get(name) if self._path.exists() else None

    def put(self, entry: Entry) -> None:
        """See :meth:`Editor.put`."""
        entries = self._read() if self._path.exists() else {}
        self._write({**entries, entry.name: entry})

    def disable(self, name: str, *, disabled: bool) -> bool:
        """See :meth:`Editor.disable`."""
        entries = self._read()
        if name in entries:
            self._write({**entries, name: replace(entries[name], disabled=disabled)})
        return name in entries

    def remove(self, name: str) -> bool:
        """See :meth:`Editor.remove`."""
        entries = self._read()
        if entries.pop(name, None) is None:
            return False
        if not entries:
            what = f"would hold nobody without {name!r}, and no server takes such a file; disable that user"
            raise ConfigurationError([Problem(str(self._path), what)])
        self._write(entries)
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _read(self) -> dict[str, Entry]:
        return read_users_file(self._path, Limits())

    def _write(self, entries: Mapping[str, Entry]) -> None:
        """Write the file if what it will hold can be read again."""
        staging = self._path.with_name(f".{self._path.name}.check")
        try:
            write_users_file(staging, entries.values())
            read_users_file(staging, Limits())
        finally:
            staging.unlink(missing_ok=True)
        write_users_file(self._path, entries.values())
