"""The audit log of a keys folder, ``keys/audit.log``: who changed what and when, each entry chained to the last.

One JSON object a line. An entry holds the SHA-256 of the entry before it, the digests that the files it speaks of
had before and have after it, and its own digest over all of that; so a changed, missing or inserted entry shows,
and so does a file that was changed without an entry. An entry is written *before* the files are, and closed by
another one *after* them: a command that was cut leaves an open entry, and the next one takes down what became of it.

What is looked at is what servers read and everybody may know: ``ring.toml`` and the certificates that it names, and
every file of a trust group but revocation lists (``.crl``), which come anew every day.

A chain cannot show that its end was cut off together with the changes it speaks of. For that the head (number
and digest of the last entry) is printed by every command that changes something; kept elsewhere, it is what
:func:`verify` is given to compare with.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.keys.locking import LOCK, opened, settled
from wsprovider.adapters.shared.writing import STAGING, give, sync_folder

NAME: Final = "audit.log"
SECRET: Final = "secret"  # noqa: S105 - stands where the digest of a public file stands
"""In place of a digest: nothing is told of the contents of keys."""

_BEGINNING: Final = "0" * 64
_PUBLIC: Final = ("certificate", "chain", "request")
_LISTS: Final = ".crl"


@dataclass(frozen=True, slots=True)
class FileChange:
    """What became of one file: SHA-256 before and after, ``SECRET``, or None where it is not there."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry.

    Attributes:
        number: from 1 on.
        at: ISO 8601, UTC.
        who: the operator's login names and machine.
        what: sentences for people.
        about: what was changed, such as ``service`` or ``trust/clients``.
        files: by path relative to the keys folder.
        torn: digest of what was not finished and stands before this one.
        closes: number of the entry that was carried out with this one; its own where nothing was left to do.
        previous, digest: the chain.
    """

    number: int
    at: str
    who: str
    what: tuple[str, ...]
    about: tuple[str, ...]
    files: Mapping[str, FileChange]
    torn: str | None = None
    closes: int | None = None
    previous: str = _BEGINNING
    digest: str = ""

    @property
    def head(self) -> str:
        """What to keep elsewhere."""
        return f"{self.number}:{self.digest}"


@dataclass(slots=True)
class Verified:
    """What :func:`verify` found.

    Attributes:
        entries: that hold together.
        findings: what was changed or is missing, each with its place.
        notes: what wants a look and is no breach.
    """

    entries: list[AuditEntry] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def head(self) -> str:
        """Number and digest of the last entry."""
        return self.entries[-1].head if self.entries else f"0:{_BEGINNING}"


def append(
    folder: Path,
    *,
    at: datetime,
    who: str,
    what: Iterable[str],
    about: Iterable[str],
    files: Mapping[str, FileChange],
    done: bool = False,
) -> AuditEntry:
    """Add an entry; the caller holds the folder's lock (:func:`wsprovider.adapters.keys.locking.locked`).

    The first entry of a log is preceded by one that takes down what is there, and one that follows an entry that was
    not carried out by one that takes down what became of it.

    Args:
        done: it is carried out already; otherwise :func:`close` it.

    Raises:
        OSError: it cannot be written.
        ValueError: the log is broken; nothing is added to it then.
    """
    path = folder / NAME
    content = _content(path)
    torn = _check_chain(content, found := Verified())
    if found.findings:
        raise ValueError(f"{found.findings[0]}: find out why, and put the log away under another name")
    added: list[AuditEntry] = []

    def add(
        sentences: Iterable[str], where: Iterable[str], changes: Mapping[str, FileChange], closes: int
    ) -> None:
        last = added[-1] if added else found.entries[-1] if found.entries else None
        number = 1 if last is None else last.number + 1
        left = digest_of(torn) if torn and not added else None
        entry = AuditEntry(
            number, at.isoformat(), who, tuple(sentences), tuple(where), dict(changes), left, closes or None
        )
        added.append(_chained(entry, last))

    if not found.entries:
        there = {name: FileChange(None, digest) for name, digest in watched(folder).items()}
        add(("the log begins with what is there",), (), there, 1)
    elif (cut := _open(found.entries)) is not None:
        add((f"entry {cut.number} was cut",), cut.about, _became(folder, cut), cut.number)
    number = (added[-1] if added else found.entries[-1]).number + 1
    add(what, about, files, number if done else 0)
    _write(folder, added, content)
    return added[-1]


def close(folder: Path, entry: AuditEntry, at: datetime) -> AuditEntry:
    """Say that an entry is carried out; the caller still holds the lock.

    Raises:
        OSError: it cannot be written.
    """
    closing = AuditEntry(entry.number + 1, at.isoformat(), entry.who, (), entry.about, {}, None, entry.number)
    chained = _chained(closing, entry)
    _write(folder, [chained], _content(folder / NAME))
    return chained


def entries(folder: Path) -> tuple[AuditEntry, ...]:
    """What the log says.

    Raises:
        ValueError: the chain is broken.
        OSError: the file cannot be read.
    """
    _check_chain(_content(folder / NAME), found := Verified())
    if found.findings:
        raise ValueError(found.findings[0])
    return tuple(found.entries)


def verify(folder: Path, *, head: str | None = None) -> Verified:
    """Check the chain, and the files against it.

    Args:
        folder: the keys folder.
        head: number and digest of an entry, kept from an earlier time, that must be there.

    Raises:
        OSError: a file cannot be read.
    """
    with settled(folder):
        return _verified(folder, head)


def _verified(folder: Path, head: str | None) -> Verified:
    found = Verified()
    content = _content(folder / NAME)
    _check_chain(content, found)
    if head is not None:
        number, _, digest = head.partition(":")
        if not any(str(one.number) == number and one.digest == digest for one in found.entries):
            found.findings.append(
                f"entry {number} is not the one that was kept: the log was cut or rewritten"
            )
    if found.entries and not found.findings:
        _check_files(folder, found)
    elif not content and (folder / LOCK).exists():
        found.findings.append("the log is gone, for commands have changed this folder")
    elif not content:
        found.notes.append("there is no audit log yet: the first change by wsprovider keys begins it")
    return found


def watched(folder: Path) -> dict[str, str]:
    """The digests of the public files of all rings and trust groups, by path relative to the folder.

    Raises:
        OSError: one cannot be read.
    """
    found: dict[str, str] = {}
    for ring in sorted(folder.glob("*/ring.toml")):
        found |= {_name(folder, file): _digest_at(file) for file in _public(ring) if file.is_file()}
    groups = folder / "trust"
    for group in sorted(groups.iterdir()) if groups.is_dir() else ():
        for file in sorted(group.iterdir()) if group.is_dir() else ():
            if file.is_file() and file.suffix.lower() != _LISTS and not STAGING.fullmatch(file.name):
                found[_name(folder, file)] = _digest_at(file)
    return found


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _public(ring: Path) -> list[Path]:
    """A ring's file, and what it names that is no secret."""
    try:
        document = tomllib.loads(ring.read_text())
    except (ValueError, OSError):
        return [ring]
    entries = [one for kind in ("key", "request") for one in _tables(document.get(kind))]
    named = {one[field] for one in entries for field in _PUBLIC if isinstance(one.get(field), str)}
    inside = (ring.parent / name for name in sorted(named))
    return [ring, *(path for path in inside if path.parent == ring.parent)]


def _tables(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _digest_at(file: Path) -> str:
    return digest_of(file.read_bytes())


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()


def _content(path: Path) -> bytes:
    try:
        descriptor = opened(path, os.O_RDONLY)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _write(folder: Path, added: Iterable[AuditEntry], content: bytes) -> None:
    """Append entries whole, or nothing."""
    written = (b"\n" if content and not content.endswith(b"\n") else b"") + b"".join(
        _line(one) for one in added
    )
    descriptor = opened(folder / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        give(descriptor, folder)
        try:
            while written:
                written = written[os.write(descriptor, written) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, len(content))
            raise
    finally:
        os.close(descriptor)
    sync_folder(folder)


def _open(entries: list[AuditEntry]) -> AuditEntry | None:
    """The last entry that is to be carried out and was not closed."""
    closed = {one.closes for one in entries}
    last = entries[-1]
    return None if last.closes is not None or last.number in closed else last


def _became(folder: Path, cut: AuditEntry) -> dict[str, FileChange]:
    """What the files of an entry that was cut are."""
    return {
        name: FileChange(change.before, now)
        for name, change in cut.files.items()
        if SECRET not in (change.before, change.after) and (now := _present(folder, name)) != change.after
    }


def _present(folder: Path, name: str) -> str | None:
    path = folder / name
    return _digest_at(path) if path.is_file() else None


def _check_chain(content: bytes, found: Verified) -> bytes | None:
    """Go through the entries; what is left of last ones that were not finished."""
    torn: list[bytes] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line:
            continue
        try:
            entry = _parse(line)
        except ValueError:
            torn.append(line)
            found.notes.append(f"line {number} is not finished: a write was cut")
            continue
        if entry.torn != (digest_of(b"\n".join(torn)) if torn else None):
            found.findings.append(
                f"line {number}: what stands before it is not what was left unfinished there"
            )
        torn = []
        _check_entry(entry, number, found)
        if _line(entry) != line + b"\n":
            found.findings.append(f"line {number}: entry {entry.number} is not written as it was")
    if torn and content.endswith(b"\n"):
        found.findings.append("the last line is no entry")
    return b"\n".join(torn) if torn else None


def _check_entry(entry: AuditEntry, line: int, found: Verified) -> None:
    last = found.entries[-1] if found.entries else None
    expected = 1 if last is None else last.number + 1
    if entry.number != expected:
        found.findings.append(f"line {line}: entry {entry.number} stands where {expected} should")
    elif entry.previous != (_BEGINNING if last is None else last.digest):
        found.findings.append(f"line {line}: entry {entry.number} does not follow from the one before")
    if entry.digest != _digest(entry):
        found.findings.append(f"line {line}: entry {entry.number} was changed")
    found.entries.append(entry)


def _check_files(folder: Path, found: Verified) -> None:
    newest: dict[str, tuple[AuditEntry, FileChange]] = {}
    for entry in found.entries:
        newest.update((name, (entry, change)) for name, change in entry.files.items())
    there = watched(folder)
    cut = _open(found.entries)
    for name, (entry, change) in sorted(newest.items()):
        there.pop(name, None)
        now = _present(folder, name)
        if SECRET in (change.before, change.after) or now == change.after:
            continue
        if now == change.before and entry is cut:
            found.notes.append(f"{name}: entry {entry.number} was announced and not carried out")
        else:
            how = "is missing" if now is None else "was changed"
            found.findings.append(f"{name} {how} since entry {entry.number}, and no entry says so")
    found.findings += [f"{name} was added, and no entry says so" for name in sorted(there)]


def _parse(line: bytes) -> AuditEntry:
    try:
        fields: dict[str, Any] = json.loads(line)
        files = {name: FileChange(*change) for name, change in fields.pop("files").items()}
        what, about = tuple(fields.pop("what")), tuple(fields.pop("about"))
        return AuditEntry(**fields, what=what, about=about, files=files)
    except (TypeError, KeyError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"no entry: {error}") from None


def _chained(entry: AuditEntry, last: AuditEntry | None) -> AuditEntry:
    fields = {one: getattr(entry, one) for one in AuditEntry.__slots__}
    fields["previous"] = _BEGINNING if last is None else last.digest
    return AuditEntry(**{**fields, "digest": _digest(AuditEntry(**fields))})


def _digest(entry: AuditEntry) -> str:
    told = _told(entry)
    del told["digest"]
    return digest_of(json.dumps(told, sort_keys=True, separators=(",", ":")).encode())


def _line(entry: AuditEntry) -> bytes:
    return json.dumps(_told(entry)).encode() + b"\n"


def _told(entry: AuditEntry) -> dict[str, Any]:
    told = asdict(entry)
    told["files"] = {name: [one.before, one.after] for name, one in entry.files.items()}
    return told
