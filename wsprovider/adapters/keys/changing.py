"""Changing a keys folder: everything is worked out and tried first, then written so that a kill does no harm.

A :class:`Change` collects what is to be written and removed. :meth:`Change.check` loads rings and trust groups as
they will be, without touching a file. :meth:`Change.carry_out` writes the audit log's entry, then new files, then
replaces the TOML file that names them by one rename, and removes what nobody names any more last: whenever it is
killed, the ring is the old one or the new one.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from wsprovider.adapters.keys import audit
from wsprovider.adapters.keys.audit import SECRET, AuditEntry, FileChange, digest_of
from wsprovider.adapters.keys.folder import Loaded, load
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.keys.ring_file import read_ring
from wsprovider.adapters.shared.writing import STAGING, sync_folder, write_whole
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits


@dataclass(frozen=True, slots=True)
class _Write:
    path: Path
    content: bytes = field(repr=False)
    secret: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is loaded together; told as to :func:`wsprovider.adapters.keys.folder.load`."""

    ring: str | None = None
    trust: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    sealing: bool = False


class Change:
    """One change of a keys folder."""

    def __init__(self, folder: Path, environ: Mapping[str, str], now: datetime) -> None:
        """Begin with nothing.

        Args:
            folder: the keys folder.
            environ: where passphrases are looked up.
            now: the moment for which what comes out must hold.
        """
        self.folder = folder
        self._environ, self._now = environ, now
        self._created: list[_Write] = []
        self._replaced: list[_Write] = []
        self._removed: list[Path] = []
        self._loaded: dict[Wanted, Loaded] = {}
        self.what: list[str] = []

    def create(self, path: Path, content: bytes, *, secret: bool = False) -> None:
        """Write a file that is not there yet (see :meth:`free`)."""
        self._created.append(_Write(path, content, secret))

    def replace(self, path: Path, content: bytes) -> None:
        """Put a file, mostly a TOML file, in the place of what is there."""
        self._replaced.append(_Write(path, content, secret=False))

    def remove(self, path: Path) -> None:
        """Take a file away, after everything else."""
        self._removed.append(path)

    def free(self, folder: Path, stem: str, suffix: str) -> Path:
        """A path that nothing has: ``stem.suffix``, or with a number where a killed command left one."""
        taken = {one.path for one in self._created}
        for number in range(1, 1000):
            path = folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")
            if path not in taken and not path.exists():
                return path
        raise ConfigurationError([Problem(str(folder), f"is full of files named {stem}-...{suffix}")])

    def reader(self) -> Reader:
        """Reads the folder as it will be."""
        instead: dict[Path, bytes | None] = {one.path: one.content for one in self._writes}
        return Reader(self.folder, self._environ, {**instead, **dict.fromkeys(self._removed)})

    def check(self, rings: Sequence[str] = (), groups: Sequence[str] = ()) -> tuple[Problem, ...]:
        """Load what will be there; its warnings.

        Raises:
            ConfigurationError: every problem that it would have.
        """
        loads = [self.loaded(Wanted(ring)) for ring in rings]
        loads += [self.loaded(Wanted(trust=(group,))) for group in groups]
        return tuple(warning for one in loads for warning in one.warnings)

    def loaded(self, wanted: Wanted) -> Loaded:
        """What servers will load; read once, when nothing is added to the change any more.

        Raises:
            ConfigurationError: every problem that it would have.
        """
        if wanted not in self._loaded:
            self._loaded[wanted] = self._load(self.reader(), wanted)
        return self._loaded[wanted]

    def before(self, wanted: Wanted) -> Loaded:
        """What servers load while nothing has changed.

        Raises:
            ConfigurationError: every problem that it has, and that nothing seals where that is asked for.
        """
        try:
            return self._load(Reader(self.folder, self._environ), wanted)
        except ConfigurationError as error:
            problems = list(error.problems)
            if wanted.sealing and wanted.ring is not None:  # load says so only where the rest is in order
                reader = Reader(self.folder, self._environ)
                _, seals = read_ring(reader, wanted.ring, wanted.limits, self._now)
                lack = seals.lack(self._now)
                problems += [Problem(f"{self.folder.name}/{wanted.ring}/ring.toml", lack)] if lack else []
            raise ConfigurationError(problems) from None

    def _load(self, reader: Reader, wanted: Wanted) -> Loaded:
        return load(
            reader, wanted.ring, wanted.trust, limits=wanted.limits, now=self._now, sealing=wanted.sealing
        )

    @property
    def steps(self) -> tuple[str, ...]:
        """What :meth:`carry_out` would do, for ``--dry-run``."""
        created = {one.path for one in self._created}
        return (
            *(
                f"write {self._name(one.path)}{' (owner only)' if one.secret else ''}"
                if one.path in created or not one.path.exists()
                else f"replace {self._name(one.path)}"
                for one in self._writes
            ),
            *(f"remove {self._name(path)}" for path in self._removed),
        )

    def carry_out(self, who: str) -> AuditEntry:
        """Do it; the caller holds the lock since before it read what it changes.

        Raises:
            ConfigurationError: a file cannot be written; the ring is the old one then.
        """
        try:
            self._sweep()
            entry = audit.append(
                self.folder, at=self._now, who=who, what=self.what, about=self._about(), files=self._changes()
            )
            for one in self._created:
                self._make(one.path.parent)
                like = None if one.secret else self._table_beside(one.path)
                if not write_whole(one.path, one.content, overwrite=False, like=like):
                    raise ConfigurationError([Problem(self._name(one.path), "is there already: try again")])
            for one in self._replaced:
                self._make(one.path.parent)
                write_whole(one.path, one.content, like=one.path)
            for path in self._removed:
                path.unlink(missing_ok=True)
                sync_folder(path.parent)
            entry = audit.close(self.folder, entry, self._now)
        except ValueError as error:
            what = f"cannot be continued: {error}; see wsprovider audit verify"
            raise ConfigurationError([Problem(self._name(self.folder / audit.NAME), what)]) from None
        except OSError as error:
            name = error.filename or self.folder
            raise ConfigurationError([Problem(str(name), f"cannot be written: {error.strerror}")]) from None
        return entry

    @property
    def _writes(self) -> list[_Write]:
        return [*self._created, *self._replaced]

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True)
            if os.geteuid() == 0:
                status = self.folder.stat()
                os.chown(folder, status.st_uid, status.st_gid, follow_symlinks=False)

    def _table_beside(self, path: Path) -> Path:
        """The TOML file of the same folder, which says who may read what is public there."""
        return next((one.path for one in self._replaced if one.path.parent == path.parent), path)

    def _sweep(self) -> None:
        """Remove the staging files of commands that were killed: nobody writes but us."""
        for folder in {one.path.parent for one in self._writes} | {path.parent for path in self._removed}:
            for file in folder.iterdir() if folder.is_dir() else ():
                if STAGING.fullmatch(file.name):
                    file.unlink(missing_ok=True)

    def _changes(self) -> dict[str, FileChange]:
        changes: dict[str, FileChange] = {}
        for one in self._writes:
            after = SECRET if one.secret else digest_of(one.content)
            changes[self._relative(one.path)] = FileChange(self._digest(one.path), after)
        for path in self._removed:
            changes[self._relative(path)] = FileChange(self._digest(path), None)
        return changes

    def _digest(self, path: Path) -> str | None:
        if not path.exists():
            return None
        return audit.watched(self.folder).get(self._relative(path), SECRET)

    def _about(self) -> tuple[str, ...]:
        paths = [*(one.path for one in self._writes), *self._removed]
        return tuple(dict.fromkeys(self._relative(path.parent) for path in paths))

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _name(self, path: Path) -> str:
        return f"{self.folder.name}/{self._relative(path)}"
