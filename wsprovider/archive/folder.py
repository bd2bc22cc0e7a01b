"""A chain in a folder: ``<archive>/<service>/`` with one file a day, appended to by all workers of a machine.

Appending is done under a lock (flock), making it durable outside of it, so that workers that append at one moment wait
for the disk together. Records of a day are in one file in the order of the chain: whatever was promised to be there has
nothing before it that might be missing. What a crash left unfinished at the end is cut off by whoever appends next,
and how much that was stands in the next record.

``end`` is a hint to where the last record ends; it is believed where the file agrees, and found again where not.
"""

import fcntl
import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from wsprovider.archive.record import (
    BEGINNING,
    HASH_BYTES,
    HEAD,
    LONGEST,
    MAGIC,
    BrokenRecordError,
    Link,
    Record,
    length_of,
    read_frame,
)
from wsprovider.archive.store import Make
from wsprovider.words.errors import BackendError

RESERVE: Final = 16 << 20
"""Octets that must be free before a request is let in."""

_SUFFIX: Final = ".records"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_PAGE: Final = 512
_END_BYTES: Final = 160
_PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class _End:
    """Where the last whole record ends."""

    segment: str
    offset: int
    sequence: int
    hash: bytes


class FolderStore:
    """See :class:`wsprovider.archive.store.Store`; opens its files anew each time, so that forks change nothing."""

    keeps_end = False

    def __init__(self, archive: Path, chain: str, *, make: bool = True) -> None:
        """Take the folder, and make it.

        Raises:
            BackendError: it cannot be made, or is not there and is not to be.
        """
        self._folder = archive / chain
        self._lock, self._end = str(self._folder / "lock"), str(self._folder / "end")
        self._listed = False
        try:
            if make:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_folder(archive)
            elif not self._folder.is_dir():
                raise BackendError(f"there is no archive {self._folder}: the server makes it when it starts")
        except OSError as error:
            raise _failed(self._folder, error) from error

    def append(self, segment: str, make: Make) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        try:
            with self._locked():
                descriptor, fresh = self._write(segment, make)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                _sync_folder(self._folder)
        except OSError as error:
            raise _failed(self._folder, error) from error
        except BrokenRecordError as error:
            raise BackendError(f"{self._folder} is damaged: see wsprovider archive verify") from error

    def segments(self) -> tuple[str, ...]:
        """See :class:`wsprovider.archive.store.Store`."""
        try:
            names = [path.name.removesuffix(_SUFFIX) for path in self._folder.glob(f"*{_SUFFIX}")]
        except OSError as error:
            raise _failed(self._folder, error) from error
        return tuple(sorted(name for name in names if _DAY.fullmatch(name)))

    def records(self, segment: str) -> Iterator[Record]:
        """See :class:`wsprovider.archive.store.Store`."""
        try:
            with Path(self._path(segment)).open("rb") as file:
                while (frame := _next(file)) is not None:
                    yield read_frame(frame)
        except OSError as error:
            raise _failed(self._folder, error) from error

    def end(self) -> int | None:
        """See :class:`wsprovider.archive.store.Store`."""
        hint = self._hint()
        return None if hint is None else hint.sequence

    def remove(self, segment: str) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        try:
            Path(self._path(segment)).unlink(missing_ok=True)
            _sync_folder(self._folder)
        except OSError as error:
            raise _failed(self._folder, error) from error

    def change_keys(self, change: Callable[[bytes | None], bytes | None]) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        try:
            with self._locked():
                value = change(self.keys())
                if value is None:
                    return
                fresh = self._folder / "keys.new"
                with open(fresh, "wb", opener=_private) as file:
                    file.write(value)
                    file.flush()
                    os.fsync(file.fileno())
                fresh.replace(self._folder / "keys")
                _sync_folder(self._folder)
        except OSError as error:
            raise _failed(self._folder, error) from error

    def keys(self) -> bytes | None:
        """See :class:`wsprovider.archive.store.Store`."""
        try:
            return (self._folder / "keys").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed(self._folder, error) from error

    def check(self, *, failed: bool) -> None:
        """See :class:`wsprovider.archive.store.Store`."""
        try:
            room = os.statvfs(self._folder)
            if failed:  # full is not all that can be wrong: a file system may have become read-only
                with self._locked():
                    probe = self._folder / "probe"
                    probe.write_bytes(bytes(_PAGE))
                    probe.unlink()
        except OSError as error:
            raise _failed(self._folder, error) from error
        free = room.f_bavail * room.f_frsize
        if free < RESERVE:
            raise BackendError(f"{self._folder}: only {free:,} octets are free: make room")

    def close(self) -> None:
        """See :class:`wsprovider.archive.store.Store`; nothing is open."""

    # appending -------------------------------------------------------------------------------------

    def _write(self, segment: str, make: Make) -> tuple[int, bool]:
        """Write the next records; the open file, still to be made durable, and whether it is a new one."""
        end, torn = self._find_end(segment)
        segment = max(segment, end.segment)
        offset = end.offset if segment == end.segment else 0
        if torn:
            os.truncate(self._path(end.segment), end.offset)
        if offset == 0 and end.segment:
            self._settle(end.segment)
        records = make(Link(end.sequence, end.hash, segment, torn))
        data = b"".join(record.frame for record in records)
        descriptor = os.open(self._path(segment), os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            _write_all(descriptor, data, offset)
        except OSError:
            os.ftruncate(descriptor, offset)
            os.close(descriptor)
            raise
        last = records[-1]
        with suppress(OSError):  # it is only a hint
            self._note(_End(segment, offset + len(data), last.sequence, last.hash))
        return descriptor, offset == 0

    def _settle(self, segment: str) -> None:
        """A new file says that the one before is complete: make it so."""
        with Path(self._path(segment)).open("rb") as file:
            os.fsync(file.fileno())

    def _find_end(self, segment: str) -> tuple[_End, int]:
        """Where the last whole record ends, and how many octets of an unfinished one are behind it.

        What the hint says is looked up in the folder once a process and with each new day: only a crash of the
        machine could have left it older than the segments are.
        """
        hint = self._hint()
        if self._listed and hint is not None and hint.segment == segment and self._agrees(hint, last=True):
            return hint, 0
        segments = self.segments()
        self._listed = True
        if not segments:
            return _End("", 0, 0, BEGINNING), 0
        last = segments[-1]
        if hint is not None and hint.segment == last and self._agrees(hint):
            begin = hint
        elif hint is not None and hint.segment in segments[-2:-1] and self._agrees(hint):
            begin = _End(last, 0, hint.sequence, hint.hash)
        else:
            before = self._before(segments)
            begin = _End(last, 0, before.sequence, before.hash)
        return self._whole_from(begin)

    def _before(self, segments: tuple[str, ...]) -> _End:
        """The end of the segment before the last one, whose first record names it."""
        for segment in reversed(segments[:-1]):
            for record in deque(self.records(segment), maxlen=1):
                return _End(segment, 0, record.sequence, record.hash)
        return _End("", 0, 0, BEGINNING)

    def _whole_from(self, begin: _End) -> tuple[_End, int]:
        """Go from a known end to the last whole record of the file."""
        path = Path(self._path(begin.segment))
        size = path.stat().st_size
        if size == begin.offset:
            return begin, 0
        offset, end = begin.offset, begin
        with path.open("rb") as file:
            file.seek(offset)
            try:
                while (frame := _next(file)) is not None:
                    record = read_frame(frame)
                    offset += len(frame)
                    end = _End(begin.segment, offset, record.sequence, record.hash)
            except BrokenRecordError as error:
                if not error.torn:
                    what = "is damaged at its end: see wsprovider archive verify, and begin another archive"
                    raise BackendError(f"{path} {what}") from error
        return end, size - end.offset

    def _agrees(self, hint: _End, *, last: bool = False) -> bool:
        """Whether a record with that hash ends there.

        Args:
            last: and nothing stands behind it.
        """
        try:
            descriptor = os.open(self._path(hint.segment), os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            size = os.fstat(descriptor).st_size
            if size < hint.offset or (last and size != hint.offset):
                return False
            return os.pread(descriptor, HASH_BYTES, max(0, hint.offset - HASH_BYTES)) == hint.hash
        finally:
            os.close(descriptor)

    def _hint(self) -> _End | None:
        try:
            descriptor = os.open(self._end, os.O_RDONLY)
        except OSError:
            return None
        try:
            values = json.loads(os.pread(descriptor, _END_BYTES, 0))
            return _End(str(values[0]), int(values[1]), int(values[2]), bytes.fromhex(values[3]))
        except (OSError, ValueError, LookupError, TypeError):
            return None
        finally:
            os.close(descriptor)

    def _note(self, end: _End) -> None:
        text = json.dumps([end.segment, end.offset, end.sequence, end.hash.hex()]).ljust(_END_BYTES).encode()
        descriptor = os.open(self._end, os.O_WRONLY | os.O_CREAT, _PRIVATE)
        try:
            _write_all(descriptor, text, 0)
        finally:
            os.close(descriptor)

    def _path(self, segment: str) -> str:
        return f"{self._folder}/{segment}{_SUFFIX}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all threads and processes: a file opened anew excludes threads of one process, too."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _next(file: BinaryIO) -> bytes | None:
    """The next frame; None at the end.

    Raises:
        BrokenRecordError: there is something else.
    """
    head = file.read(HEAD.size)
    if not head:
        return None
    if len(head) < HEAD.size:
        raise BrokenRecordError("ends within a record", torn=True)
    magic, header, body = HEAD.unpack(head)
    known = magic == MAGIC and header + body <= LONGEST
    frame = head + file.read(length_of(header, body) - HEAD.size if known else LONGEST)
    short = len(frame) < length_of(header, body)
    if known and not short and not _unwritten(frame):
        return frame
    rest = frame[HEAD.size :] + file.read()
    what = "ends within a record" if known and short else "holds something that is no record"
    torn = (known and short) or _unwritten(frame)
    raise BrokenRecordError(what, torn=torn, followed=MAGIC in rest)


def _unwritten(octets: bytes) -> bool:
    """Whether there is a run of zeros that no sealed record has: a page that a crash kept from the disk."""
    return bytes(_PAGE) in octets or not any(octets)


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _PRIVATE)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(folder: Path, error: OSError) -> BackendError:
    return BackendError(f"{folder}: {error.strerror or error}")
