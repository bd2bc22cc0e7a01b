"""``wsprovider keys status|history``: where each key stands in its life and what comes next; who changed what."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wsprovider.adapters.keys import audit
from wsprovider.adapters.keys.editing import Document
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.adapters.keys.ring_changes import FILE
from wsprovider.adapters.keys.trust_changes import FILE as TRUST_FILE
from wsprovider.adapters.keys.trust_folder import PIN
from wsprovider.cli.folders import add_folders, environ_of
from wsprovider.cli.keys.changing import folder_of
from wsprovider.cli.printing import say
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, KeyState, Lifespan
from wsprovider.keyring.ring import Ring
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits

_MEANS = {
    KeyState.PENDING: "decrypts, signs for whoever addresses it or was assigned to it",
    KeyState.ACTIVE: "signs and decrypts, is given out",
    KeyState.OVERLAP: "signs for whoever still addresses it, decrypts",
    KeyState.RETAINED: "only decrypts",
    KeyState.GONE: "does nothing: wsprovider keys remove",
}
_SEAL_MEANS = {
    KeyState.PENDING: "opens, seals nothing yet",
    KeyState.ACTIVE: "seals and opens",
    KeyState.OVERLAP: "only opens",
    KeyState.RETAINED: "only opens",
    KeyState.GONE: "does nothing: wsprovider keys remove --seal",
}
_REFERENCES = ("key", "certificate", "chain", "pkcs12", "request", "file", "passphrase_file")


def register(verbs: Any) -> None:
    """Add the commands."""
    status = verbs.add_parser("status", help="the state of every key, what comes next, and what lies about")
    add_folders(status)
    status.set_defaults(run=run_status)
    history = verbs.add_parser("history", help="who changed what and when, from the audit log")
    history.add_argument("--ring", metavar="RING", help="only this ring")
    history.add_argument("--group", metavar="GROUP", help="only this trust group")
    add_folders(history)
    history.set_defaults(run=run_history)


def run_status(options: argparse.Namespace) -> int:
    """Tell of each ring; exit code 1 where one does not load."""
    folder, now = folder_of(options), datetime.now(UTC)
    failed = False
    for file in sorted(folder.glob(f"*/{FILE}")):
        name = file.parent.name
        say(f"ring {name}")
        try:
            loaded = load_snapshot(folder, name, (), limits=Limits(), now=now, environ=environ_of(options))
        except ConfigurationError as error:
            failed = True
            for problem in error.problems:
                say(f"  does not load, servers keep what they have: {problem}")
            continue
        for line in (*_keys(loaded.snapshot.ring, now), *_seals(loaded.seals.keys, now), *_lying(file)):
            say(f"  {line}")
        for warning in loaded.warnings:
            say(f"  warning: {warning}")
    for file in sorted((folder / "trust").glob(f"*/{TRUST_FILE}")):
        for line in _unnamed(file):
            say(f"trust {file.parent.name}: {line}")
    return int(failed)


def run_history(options: argparse.Namespace) -> int:
    """Print the entries, the oldest first."""
    folder = folder_of(options)
    wanted = {
        *((options.ring,) if options.ring else ()),
        *((f"trust/{options.group}",) if options.group else ()),
    }
    try:
        entries = audit.entries(folder)
    except ValueError as error:
        what = f"{error}; see wsprovider audit verify"
        raise ConfigurationError([Problem(f"{folder.name}/{audit.NAME}", what)]) from None
    for entry in entries:
        if entry.what and (not wanted or wanted & set(entry.about)):
            say(f"{entry.number:>4}  {entry.at}  {entry.who}  {', '.join(entry.about)}")
            for sentence in entry.what:
                say(f"      {sentence}")
    return 0


def _keys(ring: Ring, now: datetime) -> Iterator[str]:
    for key in ring.keys:
        purposes = " and ".join(sorted(purpose.value for purpose in key.purposes))
        yield f"key {key.pair.name} ({purposes}): {_stand(key.lifespan, now)}"
        partners = [one.partner for one in ring.assignments if one.key == key.pair.name]
        if partners:
            yield f"  assigned to {', '.join(partners)}"


def _seals(seals: Any, now: datetime) -> Iterator[str]:
    for seal in seals:
        yield f"seal key {seal.name}: {_stand(seal.lifespan, now, _SEAL_MEANS)}"


def _stand(lifespan: Lifespan, now: datetime, means: Mapping[KeyState, str] = _MEANS) -> str:
    state = lifespan.state(now)
    coming = [f"{after.value} {_when(date)}" for date, after in lifespan.changes if date > now]
    return f"{state.value} ({means[state]}){'; ' if coming else ''}{', '.join(coming)}"


def _when(date: datetime) -> str:
    return "when a day is named" if date == NOT_SCHEDULED else f"on {date:%Y-%m-%d %H:%M}Z"


def _unnamed(file: Path) -> Iterator[str]:
    document = Document(file.read_bytes(), file.name)
    named = {
        one.get("file")
        for partner in document.keys("partners")
        for one in document.entries("partners", partner, "certificate")
    }
    for other in sorted(file.parent.glob(f"*{PIN}")):
        if other.name not in named:
            yield f"{other.name} is named by no partner and counts for nobody: delete it"


def _lying(file: Path) -> Iterator[str]:
    """Files that no entry names: left by a killed command, or by hand."""
    document = Document(file.read_bytes(), file.name)
    for request in document.entries("request"):
        yield f"key {request.get('name')} waits for its certificate: wsprovider keys certificate"
    named = {
        str(entry[one])
        for kind in ("key", "seal", "request")
        for entry in document.entries(kind)
        for one in _REFERENCES
        if one in entry
    }
    for other in sorted(file.parent.iterdir()):
        if other.is_file() and other.name not in (file.name, *named):
            yield f"{other.name} belongs to no key: delete it if nobody else needs it"
