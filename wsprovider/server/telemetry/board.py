"""Numbers that outlive the process that counts them: one small file a worker, added up by whoever asks.

The table of numbers is laid out once, at start: every label comes from configuration or an enumeration, so that
each number has its place and counting is an addition in shared memory. What a worker has counted is in the file
whatever ends the worker, SIGKILL included. Its master then adds the file to that of those who have gone
(docs/decisions/0062-telemetry.md).
"""

import contextlib
import errno
import fcntl
import hashlib
import mmap
import os
import shutil
import tempfile
import threading
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared.forking import watch

_PREFIX: Final = "wsprovider-"
_LOCK: Final = "lock"
_GONE: Final = "gone"
_ITEM: Final = 8
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of mode 700 is made in it


class Board:
    """The numbers of this process, and the sums over all; shared by its threads.

    Attributes:
        values: by place. Whoever changes them holds ``lock``.
    """

    def __init__(self, places: int, layout: str) -> None:
        """Begin at nothing, in memory of this process alone.

        Args:
            places: how many numbers there are.
            layout: says what stands where; processes add up only what has the same layout.
        """
        self.lock = threading.Lock()
        self.values: memoryview[float] | array[float] = array("d", bytes(_ITEM * places))
        self._mark = hashlib.sha256(layout.encode()).hexdigest()[:16]
        self._size = _ITEM * places
        self._folder: Path | None = None
        watch(self)

    def join(self, folder: Path) -> None:
        """Go on counting in a file of this process, with what was counted so far.

        Raises:
            OSError: there is no room for it; counting goes on in memory.
        """
        values = _mapped(folder / f"{self._mark}.{os.getpid()}", self._size)
        with self.lock:
            for place, value in enumerate(self.values):
                values[place] += value
            self.values, self._folder = values, folder

    def attend(self, folder: Path) -> None:
        """Tell the sums of a folder's workers from here on, without being one of them."""
        self._folder = folder

    def totals(self) -> Sequence[float]:
        """The sums over all workers, dead ones included; of a process on its own, its numbers."""
        if self._folder is None:
            return self.own()
        with _locked(self._folder, fcntl.LOCK_SH):
            return self._sums(self._folder)

    def own(self) -> Sequence[float]:
        """What this process has counted."""
        with self.lock:
            return array("d", self.values)

    def workers(self) -> int:
        """How many processes count at this moment."""
        return sum(_alive(pid) for _, pid in self._files()) if self._folder is not None else 1

    def retire(self, folder: Path, pid: int) -> None:
        """Add what a process that has ended counted to what others left, and remove its file."""
        ended = folder / f"{self._mark}.{pid}"
        with _locked(folder, fcntl.LOCK_EX):
            if not ended.exists():
                return
            left = _mapped(folder / f"{self._mark}.{_GONE}", self._size)
            for place, value in enumerate(_read(ended, self._size)):
                if value:
                    left[place] += value
            ended.unlink()

    def before_fork(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`; nothing is to be let go."""

    def after_fork_in_parent(self) -> None:
        """See :class:`wsprovider.adapters.shared.forking.ForkAware`."""

    def after_fork_in_child(self) -> None:
        """Leave the parent's numbers to the parent."""
        self.lock = threading.Lock()  # a thread that is not here may hold the old one
        if not isinstance(self.values, array):
            self.values = array("d", bytes(self._size))

    def _files(self) -> Iterator[tuple[Path, int]]:
        for path in self._folder.glob(f"{self._mark}.*") if self._folder is not None else ():
            text = path.name.rpartition(".")[2]
            if text.isdigit():
                yield path, int(text)

    def _sums(self, folder: Path) -> "array[float]":
        sums = array("d", bytes(self._size))
        for path in folder.glob(f"{self._mark}.*"):
            for place, value in enumerate(_read(path, self._size)):
                if value:
                    sums[place] += value
        return sums


class Folder:
    """Where the workers of one deployment keep their numbers; made anew at each start.

    Whoever made it holds a lock as long as it or a child of it lives, so that the next start can tell and
    remove what a killed one has left.
    """

    def __init__(self, place: Path | None = None) -> None:
        """Make it, readable by us alone, in memory where the system has such files.

        Raises:
            OSError: it cannot be made.
        """
        within = place or (_MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir()))
        _sweep(within)
        made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=within))
        self._held = os.open(made / f"{_LOCK}.owner", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._held, fcntl.LOCK_SH)
        # from here on others find it, and that it is held
        self.path = made.rename(within / made.name.removeprefix("."))

    def remove(self) -> None:
        """Remove it, with what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._held)


def hand_over(folder: Path, user: int, group: int) -> None:
    """Make the folder that of the workers, whom a master of root's has be somebody else."""
    for path in (folder, *folder.iterdir()):
        os.chown(path, user, group)


def _opened(path: Path) -> int:
    """A file of the folder's owner, even if root makes it."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)
    return file


def _sweep(within: Path) -> None:
    """Remove the folders of deployments of ours that were killed."""
    for folder in within.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or somebody else is at it
            owner = os.open(folder / f"{_LOCK}.owner", os.O_RDWR)
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(owner)


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Keep sums and the ends of workers apart: a worker is counted once, as living or as gone."""
    lock = _opened(folder / _LOCK)
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)


def _mapped(path: Path, size: int) -> "memoryview[float]":
    """A file of numbers as memory; its room is taken at once, for a full disk would kill whoever counts."""
    file = _opened(path)
    try:
        os.posix_fallocate(file, 0, size)
        return memoryview(mmap.mmap(file, size)).cast("d")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            path.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


def _read(path: Path, size: int) -> "array[float]":
    """What a file says; nothing of one that is just being made."""
    data = path.read_bytes()
    return array("d", data if len(data) == size else b"")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
