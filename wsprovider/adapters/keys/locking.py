"""The lock of a keys folder: one command at a time changes it; who only looks waits for the end of a change."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared.writing import give

LOCK: Final = ".lock"
_OWNER_ONLY: Final = 0o600


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one command at a time change the folder; the others wait.

    Raises:
        OSError: the folder cannot be written, or the lock is no file of its own.
    """
    descriptor = opened(folder / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        give(descriptor, folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def settled(folder: Path) -> Iterator[None]:
    """Look at the folder while no command changes it; without a lock where there was none, or it cannot be had."""
    try:
        descriptor = opened(folder / LOCK, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def opened(path: Path, flags: int) -> int:
    """Open a file that belongs to the folder itself, mode 600; a link in its place may be somebody's trap for root.

    Raises:
        OSError: it cannot be opened, or is a link, or no plain file.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, _OWNER_ONLY)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(descriptor)
        raise OSError(0, "is no plain file of one name", str(path))
    return descriptor
