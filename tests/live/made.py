"""Folders that a build fills once, and again when what it reads has changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made(folder: Path, *sources: Path | str) -> Iterator[Path | None]:
    """The folder, emptied, where it has to be made; None where it was made from the same sources.

    One process at a time builds; others wait, and then find the work done.

    Args:
        sources: files, or texts, that the build reads.
    """
    digest = hashlib.sha256()
    for source in sources:
        content = source.read_bytes() if isinstance(source, Path) else source.encode()
        digest.update(hashlib.sha256(content).digest())
    stamp = folder / "made-from.sha256"
    lock = os.open(folder.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            yield None
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder
        stamp.write_text(digest.hexdigest())
    finally:
        os.close(lock)
