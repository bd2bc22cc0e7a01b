"""Reading the files of a keys folder: what is wrong goes on one list, what was read is remembered.

A :class:`Reader` serves one load. It shows paths relative to the keys folder's parent, refuses secrets
that others may read, and notes a stamp of everything it looked at, taken when it looked: comparing the
stamps later tells whether anything changed since, with no gap between looking and stamping.
"""

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.shared.following import Stamp, stamp, stamp_of
from wsprovider.words.errors import Problem

_LARGEST: Final = 64 * 1024 * 1024  # a national CA's revocation list is a few dozen megabytes


class MaterialError(ValueError):
    """A file's contents are not what they should be; the text says why, without quoting secrets."""


class Reader:
    """The eyes of one load."""

    def __init__(
        self,
        keys_folder: Path,
        environ: Mapping[str, str],
        instead: Mapping[Path, bytes | None] | None = None,
    ) -> None:
        """Open them.

        Args:
            keys_folder: the folder that holds rings and ``trust``.
            environ: where passphrases are looked up.
            instead: what is to be read in the place of files, as if they were written (None: removed) already.
        """
        self.folder = keys_folder
        self.environ = environ
        self._instead = dict(instead or {})
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.stamps: dict[Path, Stamp | None] = {}

    def shown(self, path: Path) -> str:
        """The path as problems and logs show it: ``keys/service/ring.toml``."""
        if path.is_relative_to(self.folder):
            return (Path(self.folder.name) / path.relative_to(self.folder)).as_posix()
        return path.as_posix()

    def problem(self, where: str, what: str) -> None:
        """Note something that keeps the server from starting."""
        self.problems.append(Problem(where, what))

    def warn(self, where: str, what: str) -> None:
        """Note something that the operator should look at."""
        self.warnings.append(Problem(where, what))

    def read(self, path: Path, *, secret: bool = False) -> bytes:
        """Read a file.

        Raises:
            MaterialError: it is missing, unreadable, too large, or a secret that others may read.
        """
        self.stamps.setdefault(path, None)
        if path in self._instead:
            content = self._instead[path]
            if content is None:
                raise MaterialError(f"{self.shown(path)} does not exist")
            return content
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                self.stamps[path] = stamp_of(status)
                if not stat.S_ISREG(status.st_mode):
                    raise MaterialError(f"{self.shown(path)} is no file")
                if secret and os.name == "posix" and status.st_mode & 0o077:
                    raise MaterialError(
                        f"{self.shown(path)} may be used by others than its owner: chmod 600 it"
                    )
                content = file.read(_LARGEST + 1)
        except FileNotFoundError:
            raise MaterialError(f"{self.shown(path)} does not exist") from None
        except OSError as error:
            raise MaterialError(f"{self.shown(path)} cannot be read: {error.strerror}") from None
        if len(content) > _LARGEST:
            raise MaterialError(f"{self.shown(path)} is too large")
        return content

    @contextmanager
    def about(self, path: Path) -> Iterator[None]:
        """Put the file's name in front of what is wrong with its contents."""
        try:
            yield
        except MaterialError as error:
            raise MaterialError(f"{self.shown(path)}: {error}") from None

    def toml(self, path: Path) -> dict[str, Any]:
        """Read a TOML file.

        Raises:
            MaterialError: it cannot be read, or is no TOML.
        """
        try:
            return tomllib.loads(self.read(path).decode())
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise MaterialError(f"not valid TOML: {error}") from None

    def listed(self, folder: Path) -> list[Path] | None:
        """The files of a folder in order of their names, hidden ones left out; None where there is no folder."""
        self.stamps[folder] = stamp(folder)
        to_come = {
            path for path, content in self._instead.items() if path.parent == folder and content is not None
        }
        try:
            there = {one for one in folder.iterdir() if one.is_file() and one not in self._instead}
        except OSError:
            return sorted(to_come) or None
        return sorted(one for one in there | to_come if not one.name.startswith("."))

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""
        return self._instead[path] is not None if path in self._instead else path.exists()

    def changed(self) -> bool:
        """Whether anything that was looked at is not as it was."""
        return any(stamp(path) != seen for path, seen in self.stamps.items())
