"""What entries of rings share: one key under several names, and files that several rings name."""

from datetime import datetime
from pathlib import Path

from wsprovider.adapters.keys.changing import Change
from wsprovider.adapters.keys.editing import Document
from wsprovider.adapters.keys.ring_changes import FILE, FILES, KEY, REQUEST, SEAL, RingChange
from wsprovider.adapters.keys.ring_file import read_ring
from wsprovider.keyring.lifecycle import KeyState
from wsprovider.keyring.ring import RingKey
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits


def same_key(ring: RingChange, name: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Under which other names the key of an entry stands that are not gone: in its ring, and by ring in others.

    Entries whose files cannot be read are left out: a ring of which servers load nothing is refused elsewhere.
    """
    here = _keys(ring.change, ring.name, ring.now)
    wanted = next((one.pair.certificate.spki for one in here if one.pair.name == name), None)
    if wanted is None:
        return (), {}

    def names(keys: tuple[RingKey, ...]) -> tuple[str, ...]:
        return tuple(
            one.pair.name
            for one in keys
            if one.pair.certificate.spki == wanted and one.lifespan.state(ring.now) is not KeyState.GONE
        )

    elsewhere = {
        other: found for other in _others(ring) if (found := names(_keys(ring.change, other, ring.now)))
    }
    return tuple(one for one in names(here) if one != name), elsewhere


def files_of_others(ring: RingChange) -> frozenset[Path]:
    """Every file that an entry of another ring names.

    Raises:
        ConfigurationError: another ring's file is no TOML: what it names cannot be told.
    """
    found: set[Path] = set()
    for other in _others(ring):
        path = ring.change.folder / other / FILE
        document = Document(path.read_bytes(), f"{ring.change.folder.name}/{other}/{FILE}")
        for kind in (KEY, SEAL, REQUEST):
            for entry in document.entries(kind):
                found.update((path.parent / str(entry[one])).resolve() for one in FILES if one in entry)
    return frozenset(found)


def _others(ring: RingChange) -> list[str]:
    folders = [path.parent.name for path in sorted(ring.change.folder.glob(f"*/{FILE}"))]
    return [one for one in folders if one != ring.name]


def _keys(change: Change, name: str, now: datetime) -> tuple[RingKey, ...]:
    try:
        return read_ring(change.reader(), name, Limits(), now)[0].keys
    except ConfigurationError:
        return ()
