"""Keytab files: the form of MIT Kerberos, version 0x0502 (its documentation, "Keytab file format").

A keytab is a list of keys; a principal has one for each encryption type and key version. The format has
signed sizes, big-endian; a negative size is the hole that a removed entry left.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from wsprovider.adapters.kerberos.principal import Principal

_VERSION: Final = b"\x05\x02"
_HOST_ORDER: Final = b"\x05\x01"
_NT_PRINCIPAL: Final = 1


@dataclass(frozen=True, slots=True)
class KeytabKey:
    """A long-term key of a service.

    Attributes:
        principal: whose it is.
        kvno: its version; 0 in our own keytabs stands for any.
        enctype: number of its encryption type.
        key: its octets.
    """

    principal: Principal
    kvno: int
    enctype: int
    key: bytes = field(repr=False)


class _Octets:
    """Octets taken one field after the other."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._octets) - self._at

    def take(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise ValueError("a keytab that is cut off")
        taken = self._octets[self._at : self._at + size]
        self._at += size
        return taken

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "big", signed=signed)

    def counted(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        return self.counted().decode()


def parse_keytab(content: bytes) -> tuple[KeytabKey, ...]:
    """The keys of a keytab, in its order.

    Raises:
        ValueError: it is none; the text quotes nothing of it.
    """
    if content[:2] == _HOST_ORDER:
        raise ValueError("a keytab of version 1, whose numbers depend on the machine: make a new one")
    if content[:2] != _VERSION:
        raise ValueError("no keytab")
    octets = _Octets(content[2:])
    found = []
    while octets.left:
        size = octets.number(4, signed=True)
        if size == 0:  # as libkrb5 reads it: nothing follows
            break
        entry = octets.take(abs(size))
        if size > 0:
            found.append(_key(_Octets(entry)))
    return tuple(found)


def write_keytab(keys: Iterable[KeytabKey]) -> bytes:
    """A keytab with these keys."""
    entries = [_entry(key) for key in keys]
    return _VERSION + b"".join(struct.pack(">i", len(entry)) + entry for entry in entries)


def _key(octets: _Octets) -> KeytabKey:
    try:
        count = octets.number(2)
        realm = octets.text()
        principal = Principal(tuple(octets.text() for _ in range(count)), realm)
    except UnicodeDecodeError:
        raise ValueError("a keytab with a name that is no UTF-8") from None
    octets.take(8)  # the kind of name, and when the key was written
    short, enctype, key = octets.number(1), octets.number(2), octets.counted()
    # the version as 32 bits follows where somebody wrote it; 0 there means that the short one counts
    long = octets.number(4) if octets.left >= 4 else 0
    return KeytabKey(principal, long or short, enctype, key)


def _entry(key: KeytabKey) -> bytes:
    names = (key.principal.realm, *key.principal.components)
    return b"".join(
        [
            struct.pack(">H", len(key.principal.components)),
            *(_counted(name.encode()) for name in names),
            struct.pack(">IIBH", _NT_PRINCIPAL, 0, key.kvno & 0xFF, key.enctype),
            _counted(key.key),
            struct.pack(">I", key.kvno),
        ]
    )


def _counted(octets: bytes) -> bytes:
    return struct.pack(">H", len(octets)) + octets
