"""Files followed as they change: what was read last stays in force until something better can be read.

A reading is an immutable value; whoever took one keeps it, whatever comes after. At most one thread looks, at most
once in so many seconds, and the others go on meanwhile. A reading that does not succeed leaves the old one in force
and is told once for each state of the files.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from wsprovider.adapters.shared.forking import watch
from wsprovider.words.errors import ConfigurationError, Problem

Stamp = tuple[int, int, int, int, int]
"""What differs when a file or folder was edited, replaced, or given another owner or mode."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """What is followed; called by one thread at a time."""

    def changed(self) -> bool:
        """Whether anything differs from what the last reading, good or bad, saw."""
        ...

    def read(self) -> T_co:
        """Read it.

        Raises:
            ConfigurationError: it cannot be used.
        """
        ...


class OneFile(Generic[T]):
    """A :class:`Source` that is one file."""

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        """Take note.

        Args:
            path: the file.
            read: reads it; raises ConfigurationError where it cannot be used.
        """
        self._path, self._read = path, read
        self._seen: Stamp | None = None

    def changed(self) -> bool:
        """See :class:`Source`."""
        return stamp(self._path) != self._seen

    def read(self) -> T:
        """See :class:`Source`."""
        self._seen = stamp(self._path)  # first: what changes while it is read, is read again
        return self._read(self._path)


class Followed(Generic[T]):
    """The reading in force; safe between threads and across forks."""

    def __init__(
        self,
        source: Source[T],
        *,
        monotonic: Callable[[], float],
        interval: float,
        on_swap: Callable[[T], None],
        on_failure: Callable[[ConfigurationError], None],
    ) -> None:
        """Read for the first time.

        Args:
            source: what is followed.
            monotonic: seconds that never run backwards (``time.monotonic``).
            interval: seconds between two looks.
            on_swap: told of each later reading that is now in force.
            on_failure: told when what has changed cannot be used.

        Raises:
            ConfigurationError: the first reading failed; there is nothing to fall back to.
        """
        self._source = source
        self._monotonic, self._interval = monotonic, interval
        self._on_swap, self._on_failure = on_swap, on_failure
        self._looking = threading.Lock()
        self._reading = source.read()
        self._failed = False
        self._next = monotonic() + interval
        watch(self)

    def current(self) -> T:
        """The reading in force, after a look if one is due and nobody else is at it."""
        if self._monotonic() >= self._next and self._looking.acquire(blocking=False):
            try:
                self._look()
                self._next = self._monotonic() + self._interval
            finally:
                self._looking.release()
        return self._reading

    @property
    def failed(self) -> bool:
        """Whether an older reading is in force because the newest cannot be used; after a look if one is due."""
        self.current()
        return self._failed

    def newest(self) -> T:
        """The reading in force after a look, due or not; waits for a thread that is at it."""
        with self._looking:
            self._look()
        return self._reading

    def before_fork(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`; nothing is open."""

    def after_fork_in_parent(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`; nothing was closed."""

    def after_fork_in_child(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""
        self._looking = threading.Lock()  # a thread that is not here may hold the old one

    def _look(self) -> None:
        if not self._source.changed():
            return
        try:
            reading = self._source.read()
        except Exception as error:  # noqa: BLE001 - the message that is being answered is not to blame
            self._failed = True
            self._on_failure(error if isinstance(error, ConfigurationError) else _unforeseen(error))
        else:
            self._failed = False
            self._reading = reading
            self._on_swap(reading)


def _unforeseen(error: Exception) -> ConfigurationError:
    """What is told of a mistake of ours; only its type, for its text may quote a secret."""
    what = f"cannot be read ({type(error).__name__}): what was read before stays in force"
    return ConfigurationError([Problem("files that have changed", what)])


def stamp(path: Path) -> Stamp | None:
    """What tells one version of a file or folder from another; None where there is nothing."""
    try:
        return stamp_of(path.stat())
    except OSError:
        return None


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file that was opened."""
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode
