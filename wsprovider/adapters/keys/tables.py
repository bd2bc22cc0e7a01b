"""Taking values out of TOML tables, with the place and the expectation in every complaint."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from wsprovider.adapters.keys.reading import Reader

NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""Names of rings, of trust groups, and of the keys that commands make: nothing that leads elsewhere."""

_SPAN: Final = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Table:
    """One TOML table that is being read; what nobody asked for is a mistake."""

    def __init__(self, reader: Reader, where: str, values: Any) -> None:
        self._reader = reader
        self.where = where
        self.values: dict[str, Any] = values if isinstance(values, dict) else {}
        self._asked: set[str] = set()
        if not isinstance(values, dict):
            reader.problem(where, "must be a table")

    def at(self, name: str) -> str:
        """The place of one value, for problems."""
        return f"{self.where}.{name}" if "[" in self.where else f"{self.where}: {name}"

    def problem(self, name: str, what: str) -> None:
        """Complain about one value."""
        self._reader.problem(self.at(name), what)

    def warn(self, name: str, what: str) -> None:
        """Tell of one value what the operator should look at."""
        self._reader.warn(self.at(name), what)

    def raw(self, name: str) -> Any:
        """A value as TOML has it, or None."""
        self._asked.add(name)
        return self.values.get(name)

    def text(self, name: str) -> str | None:
        """A non-empty string, or None."""
        value = self.raw(name)
        if value is None or (isinstance(value, str) and value):
            return value
        self.problem(name, "must be a text in quotes that is not empty")
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of non-empty strings; empty if missing."""
        value = self.raw(name)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
            return tuple(value)
        self.problem(name, "must be a list of texts")
        return ()

    def flag(self, name: str) -> bool:
        """``true`` or ``false``; false if missing."""
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.problem(name, "must be true or false")
        return False

    def number(self, name: str, default: int) -> int:
        """A whole number, zero or more."""
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.problem(name, "must be a whole number")
        return default

    def moment(self, name: str) -> datetime | None:
        """A date with time and offset; a mere date is its first moment in UTC."""
        value = self.raw(name)
        if value is None:
            return None
        try:
            return utc_of(value)
        except ValueError as error:
            self.problem(name, str(error))
            return None

    def span(self, name: str, default: timedelta) -> timedelta:
        """A length of time, such as ``"30d"``."""
        value = self.raw(name)
        if value is None:
            return default
        try:
            return span_of(value)
        except ValueError as error:
            self.problem(name, str(error))
            return default

    def tables(self, name: str) -> list["Table"]:
        """An array of tables; empty if missing. A table's ``name`` stands in its problems."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(name, f"must be an array of tables: [[{name}]]")
            return []
        return [
            Table(self._reader, f"{self.where}: {name}[{_label(one, place)}]", one)
            for place, one in enumerate(value, start=1)
        ]

    def finish(self, known: Iterable[str] = ()) -> None:
        """Complain about values that nobody asked for: mostly typing errors."""
        for name in self.values.keys() - self._asked - set(known):
            self.problem(name, "is not known here")


def utc_of(value: object) -> datetime:
    """A date of TOML in UTC: one with time and offset; a mere date is its first moment in UTC.

    Raises:
        ValueError: it is none; the text says what to write.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("needs a time zone, such as 2026-01-31T00:00:00Z")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise ValueError("must lie between the years 1 and 9999 in UTC") from None
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise ValueError("must be a date without quotes, such as 2026-01-31T00:00:00Z")


def span_of(text: object) -> timedelta:
    """A length of time from its text: a whole number and ``s``, ``m``, ``h`` or ``d``, such as ``30d``.

    Raises:
        ValueError: it is none; the text says what to write.
    """
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('must be a number and s, m, h or d in quotes, such as "30d" for thirty days')
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _label(values: Any, place: int) -> object:
    name = values.get("name") if isinstance(values, dict) else None
    return name if isinstance(name, str) and name else place
