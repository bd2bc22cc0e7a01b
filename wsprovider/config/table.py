"""A TOML table that is asked by key and type, and that remembers what was wrong with the answers.

Each question returns a usable value even after a mistake (the default), so that reading goes on and
finds the next one; :class:`~wsprovider.config.problems.Problems` decides in the end.
"""

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from wsprovider.config.lines import Place, key_lines
from wsprovider.config.problems import Problems

_T = TypeVar("_T")

_KINDS: Final[Mapping[type, str]] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "a table",
}


class Table:
    """One table of a file, possibly on top of another one that gives what it leaves out.

    Attributes:
        label: the file's name as messages show it.
        place: where in the file the table stands.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        label: str,
        problems: Problems,
        lines: Mapping[Place, int] | None = None,
        place: Place = (),
        parent: Self | None = None,
    ) -> None:
        self.label = label
        self.place = place
        self._values = values
        self._problems = problems
        self._lines = lines or {}
        self._parent = parent

    @classmethod
    def from_file(cls, path: Path, *, label: str, problems: Problems) -> Self | None:
        """The top table of a file; None, with the problem noted, when it cannot be read as TOML."""
        try:
            text = path.read_text(encoding="utf-8")
            values = tomllib.loads(text)
        except OSError as error:
            problems.add(label, f"cannot be read: {error.strerror or error}")
        except UnicodeDecodeError:
            problems.add(label, "is not UTF-8 text")
        except tomllib.TOMLDecodeError as error:
            problems.add(label, f"is not TOML: {error}")
        else:
            return cls(values, label=label, problems=problems, lines=key_lines(text))
        return None

    def __contains__(self, key: str) -> bool:
        return self._owner(key) is not None

    def names(self) -> tuple[str, ...]:
        """All that this table and the one below it say something of."""
        below = self._parent.names() if self._parent is not None else ()
        return tuple(dict.fromkeys((*below, *self._values)))

    def has_own(self, key: str) -> bool:
        """Whether this table itself, not the one below it, says something of the key."""
        return key in self._values

    def where(self, key: str | None = None) -> str:
        """File, line and key for a message, such as ``services/echo/service.toml:7: endpoint[2].path``."""
        owner = (self._owner(key) or self) if key else self
        place = (*owner.place, key) if key else owner.place
        line = self._lines.get(place) or self._lines.get(owner.place)
        file = f"{self.label}:{line}" if line else self.label
        return f"{file}: {spell(place)}" if place else file

    def problem(self, key: str | None, what: str) -> None:
        """Note what is wrong with a key, or with the whole table."""
        self._problems.add(self.where(key), what)

    def only(self, known: Collection[str], *, meant: str) -> None:
        """Refuse every key that is not known, naming the nearest known one; also where it is inherited."""
        for key in self._values:
            if key not in known:
                self.problem(key, f"is no key of {meant}{near(key, known)}")
        if self._parent is not None and isinstance(self.place[-1], str):  # not that of an [[endpoint]]
            self._parent.only(known, meant=meant)

    def text(self, key: str) -> str | None:
        """A string that is not empty, or None."""
        value = self._typed(key, str)
        if value is not None and not value.strip():
            self.problem(key, "is empty; give a value or remove the line")
            return None
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """``true`` or ``false``."""
        value = self._typed(key, bool)
        return default if value is None else value

    def whole(self, key: str, default: int, *, lowest: int, highest: int) -> int:
        """A whole number within bounds."""
        value = self._typed(key, int)
        if value is None:
            return default
        if not lowest <= value <= highest:
            self.problem(key, f"is {value}; it must lie between {lowest} and {highest}")
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """One string, or an array of strings that are not empty, none twice."""
        owner = self._owner(key)
        if owner is None:
            return ()
        value = owner._values[key]
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(item, str) and item.strip() for item in values):
            self.problem(key, "must be a string or an array of strings, none of them empty")
            return ()
        if not values:
            self.problem(key, "is empty, and empty means nobody; name something or remove the line")
        if len(set(values)) != len(values):
            self.problem(key, "names something twice")
        return tuple(dict.fromkeys(values))

    def choice(self, key: str, choices: Mapping[str, str], default: str) -> str:
        """One of a few words, each standing for a value."""
        value = self.text(key)
        if value is None:
            return default
        if value not in choices:
            allowed = ", ".join(f'"{choice}"' for choice in choices)
            self.problem(key, f'is "{value}"; it must be one of {allowed}')
            return default
        return choices[value]

    def table(self, key: str) -> Self:
        """A table below this one, on top of the same table of the parent; empty when there is none."""
        parent = self._parent.table(key) if self._parent is not None else None
        values = self._values.get(key, {})
        if not isinstance(values, dict):
            self.problem(key, f"must be a table, [{spell((*self.place, key))}]")
            values = {}
        return self._below(values, (*self.place, key), parent)

    def tables(self, key: str) -> tuple[Self, ...]:
        """An array of tables ``[[key]]``, each on top of this one."""
        values = self._values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
            self.problem(key, f"must be written as [[{key}]]")
            return ()
        return tuple(
            self._below(item, (*self.place, key, number), self) for number, item in enumerate(values, start=1)
        )

    def raw(self, key: str) -> Any:
        """The value as TOML gives it, or None; for keys of more than one type."""
        owner = self._owner(key)
        return None if owner is None else owner._values[key]

    def _below(self, values: Mapping[str, Any], place: Place, parent: Self | None) -> Self:
        return type(self)(
            values,
            label=self.label,
            problems=self._problems,
            lines=self._lines,
            place=place,
            parent=parent,
        )

    def _owner(self, key: str) -> "Table | None":
        if key in self._values:
            return self
        return self._parent._owner(key) if self._parent is not None else None

    def _typed(self, key: str, kind: type[_T]) -> _T | None:
        owner = self._owner(key)
        if owner is None:
            return None
        value = owner._values[key]
        # bool is an int to Python, and `path = true` is no number to anybody
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self.problem(key, f"must be {_KINDS[kind]}, not {_KINDS.get(type(value), type(value).__name__)}")
        return None


def spell(place: Iterable[str | int]) -> str:
    """A place as messages write it: ``endpoint[2].limits.depth``."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for the known word that is nearest, or nothing."""
    originals = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower(), originals, n=1, cutoff=0.6)
    return f'; did you mean "{originals[matches[0]]}"?' if matches else ""
