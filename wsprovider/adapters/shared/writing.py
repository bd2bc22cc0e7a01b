"""Writing files that others read meanwhile: whole, on the disk, and of their owner's only.

A reader sees the old file or the new one, whatever happens to the writer and whenever. What root writes belongs to
whom the folder belongs to: the server reads what its operator wrote with more rights than its own.
"""

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import Final

STAGING: Final = re.compile(r"\..+\.[0-9a-f]{16}")
"""The names of files that are not whole yet."""

_OWNER_ONLY: Final = 0o600


def write_whole(path: Path, content: bytes, *, overwrite: bool = True, like: Path | None = None) -> bool:
    """Write a file by one rename, mode 0600.

    Args:
        path: the file; its folder exists.
        content: all of it.
        overwrite: otherwise a file that is there already stays as it is.
        like: a file whose mode and owner it gets, where that is there; for nothing secret.

    Returns:
        Whether the file was written.

    Raises:
        OSError: it cannot be written; nothing is left behind but, after a kill, a staging file whose name
            begins with a dot.
    """
    staging = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(staging, content, like)
        return _place(staging, path, overwrite=overwrite)
    finally:
        staging.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the file system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def give(descriptor: int, like: Path) -> None:
    """Make an open file the owner's of its folder, or of another file, where root made it."""
    if os.geteuid() == 0:
        status = like.stat()
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _write(path: Path, content: bytes, like: Path | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        if like is not None and like.is_file() and not like.is_symlink():
            give(descriptor, like)
            os.fchmod(descriptor, like.stat().st_mode & 0o777)
        else:
            give(descriptor, path.parent)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _place(staging: Path, path: Path, *, overwrite: bool) -> bool:
    if overwrite:
        staging.replace(path)
    else:
        try:
            path.hardlink_to(staging)  # unlike a rename, takes nobody's place
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True
