"""Editing ``ring.toml`` and ``trust.toml`` as their owner wrote them: comments, order and blank lines stay."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item, Table

from wsprovider.adapters.keys.tables import utc_of
from wsprovider.words.errors import ConfigurationError, Problem

RING_HEAD: Final = "# A key ring; see docs/keys.md. `wsprovider keys` maintains it and keeps your comments."
_MANY: Final = re.compile(r"\n{3,}")
_HEADER: Final = re.compile(r"^([^#\n][^\n]*)\n(\[)", re.MULTILINE)


class Document:
    """One TOML file that is being edited."""

    def __init__(self, content: bytes, where: str) -> None:
        """Parse it.

        Args:
            content: of the file; empty for a new one.
            where: how problems name it.

        Raises:
            ConfigurationError: it is no TOML.
        """
        self.where = where
        try:
            self._document = tomlkit.parse(content)
        except (TOMLKitError, UnicodeDecodeError) as error:
            raise ConfigurationError([Problem(where, f"not valid TOML: {error}")]) from None

    def content(self) -> bytes:
        """The file as it is now, with one blank line before each table and nowhere two."""
        written = tomlkit.dumps(self._document)
        spaced = _MANY.sub("\n\n", _HEADER.sub(r"\1\n\n\2", written)).strip("\n") + "\n"
        # a text of several lines may look like a table: then nothing is spaced
        same = tomllib.loads(spaced) == tomllib.loads(written)
        return (spaced if same else written).encode()

    def text(self, name: str) -> str | None:
        """A text at the top."""
        value = self._document.get(name)
        return str(value) if isinstance(value, str) else None

    def set(self, name: str, value: str) -> None:
        """Set a text at the top."""
        self._document[name] = value

    def entries(self, *path: str) -> Iterator[Table]:
        """The tables of an array of tables, such as ``[[key]]`` or ``[[partners.acme.certificate]]``."""
        found: Any = self._document
        for one in path:
            found = found.get(one) if isinstance(found, Mapping) else None
        if isinstance(found, AoT):
            yield from found
        elif isinstance(found, list):
            raise ConfigurationError(
                [Problem(self.where, f"{'.'.join(path)} must be an array of tables: [[{'.'.join(path)}]]")]
            )

    def entry(self, kind: str, name: str) -> Table | None:
        """The one entry of that name.

        Raises:
            ConfigurationError: there are several.
        """
        found = [one for one in self.entries(kind) if one.get("name") == name]
        if len(found) > 1:
            raise ConfigurationError(
                [Problem(self.where, f"there are several [[{kind}]] entries named {name!r}")]
            )
        return found[0] if found else None

    def names(self, kind: str) -> list[str]:
        """The names of all entries."""
        return [str(one.get("name")) for one in self.entries(kind)]

    def keys(self, name: str) -> tuple[str, ...]:
        """The names in a table at the top, such as those of partners."""
        value = self._document.get(name)
        return tuple(str(one) for one in value) if isinstance(value, Mapping) else ()

    def add(self, path: tuple[str, ...], values: Mapping[str, Any]) -> None:
        """Add an entry at the end of an array of tables, which is made where it is missing."""
        entry = tomlkit.table()
        for name, value in values.items():
            if value is not None:
                entry.add(name, _item(value))
        below: Any = self._document
        for one in path[:-1]:
            if one not in below:
                below.add(one, tomlkit.table(is_super_table=True))
            below = below[one]
        if path[-1] in below:
            below[path[-1]].append(entry)
        else:
            entries = tomlkit.aot()
            entries.append(entry)
            below.add(path[-1], entries)

    def drop(self, path: tuple[str, ...], entry: Table) -> None:
        """Take an entry away, and its array with the last of them."""
        below: Any = self._document
        for one in path[:-1]:
            below = below[one]
        entries = below[path[-1]]
        for place, one in enumerate(entries):
            if one is entry or one == entry:
                del entries[place]
                break
        if not entries:
            del below[path[-1]]

    def drop_table(self, path: tuple[str, ...]) -> None:
        """Take a table away, where it is there, and the one around it with its last."""
        around: Any = self._document
        for one in path[:-1]:
            around = around.get(one) if isinstance(around, Mapping) else None
        if isinstance(around, Mapping) and path[-1] in around:
            around.pop(path[-1])  # type: ignore[attr-defined]
            if not around and len(path) > 1:
                self.drop_table(path[:-1])

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts at the top."""
        value = self._document.get(name)
        return tuple(str(one) for one in value) if isinstance(value, list) else ()

    def include(self, name: str, text: str) -> None:
        """Add a text to a list of texts at the top, which is made where it is missing."""
        if name not in self._document:
            self._document[name] = tomlkit.array()
        found: Any = self._document[name]
        if text not in found:
            found.append(text)

    def forget(self, path: tuple[str, ...], text: str) -> None:
        """Take a text out of a list of texts, where both are there."""
        found: Any = self._document
        for one in path:
            found = found.get(one) if isinstance(found, Mapping) else None
        if isinstance(found, list) and text in found:
            found.remove(text)
            if not found and len(path) == 1:
                self._document.remove(path[0])


def put(entry: Table, values: Mapping[str, Any]) -> None:
    """Set values of an entry; None takes one away."""
    for name, value in values.items():
        if value is None:
            entry.pop(name, None)
        elif name in entry:
            entry[name] = _item(value)
        else:
            _append(entry, name, _item(value))


def moment_of(entry: Table, name: str) -> datetime | None:
    """A date of an entry as servers read it, in UTC; None where there is none.

    Raises:
        ConfigurationError: it is no date that can be read.
    """
    value = entry.get(name)
    if value is None:
        return None
    try:
        return utc_of(value)
    except ValueError as error:
        raise ConfigurationError([Problem(f"{entry.get('name')}: {name}", str(error))]) from None


def texts_of(entry: Table, name: str) -> tuple[str, ...]:
    """A list of texts of an entry."""
    value = entry.get(name)
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _append(entry: Table, name: str, value: Item) -> None:
    """After the last value, before the blank lines that part it from the next entry."""
    body = entry.value.body
    at = len(body)
    while at and body[at - 1][0] is None and not body[at - 1][1].as_string().strip():
        at -= 1
    trailing = [item for _, item in body[at:]]
    del body[at:]
    entry.add(name, value)
    for item in trailing:
        entry.add(item)  # type: ignore[call-overload]


def _item(value: Any) -> Item:
    if isinstance(value, datetime):
        return tomlkit.datetime(f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    if isinstance(value, Iterable) and not isinstance(value, str):
        value = list(value)
    item: Item = tomlkit.item(value)
    return item
