"""One record of an archive, and the chain that records form.

A record is a header that anybody may read (JSON, keys sorted), a body that is sealed, and a hash over both. The header
names the hash of the record before it, so that whoever knows one hash can tell whether anything before was changed,
moved, put in or taken out: no key is needed for that. With the archive's key each body shows besides that whoever sealed
it knew the key and this very header, the hash of the record before included.

On disk a record is a frame: ``WSA1``, the lengths of header and body (4 octets each, big endian), header, body, hash.
"""

import hashlib
import hmac
import json
import struct
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wsprovider.ports import Entropy

MAGIC: Final = b"WSA1"
HEAD: Final = struct.Struct(">4sII")
HASH_BYTES: Final = 32
LONGEST: Final = 1 << 28
"""Octets of a header or body beyond which a frame is taken for damaged."""
BEGINNING: Final = bytes(HASH_BYTES)
"""What the first record of a chain names as the hash before it."""
KEY_BYTES: Final = 32

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_PURPOSE: Final = b"wsprovider archive 1\x00"


class Kind(Enum):
    """What a record holds."""

    REQUEST = "request"
    REPLY = "reply"
    MATERIAL = "material"
    """A certificate, revocation list, policy or trust that records of the same segment name."""
    REMOVED = "removed"
    """Says that everything up to a record was removed, its time being over."""


class BrokenRecordError(ValueError):
    """Octets that are no record.

    Attributes:
        torn: they end too early, or hold a page that was never written: a write was cut off by a crash.
        followed: records stand behind them.
    """

    def __init__(self, what: str, *, torn: bool = False, followed: bool = False) -> None:
        super().__init__(what)
        self.torn, self.followed = torn, followed


@dataclass(frozen=True, slots=True)
class Link:
    """The end of a chain, to which the next record is joined.

    Attributes:
        sequence: of the last record; 0: there is none.
        hash: of the last record.
        segment: that the next record goes into: a day, ``2026-11-22``.
        cut: octets of an unfinished record that were cut off here.
    """

    sequence: int
    hash: bytes
    segment: str
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is kept.

    Attributes:
        header: as written.
        body: nonce and what is sealed.
        hash: as it stands behind them.
        fields: the header, read.
    """

    header: bytes
    body: bytes = field(repr=False)
    hash: bytes
    fields: dict[str, Any]

    @property
    def chain(self) -> str:
        """The service whose chain it is of."""
        return str(self.fields["chain"])

    @property
    def sequence(self) -> int:
        """Its number, from 1."""
        return int(self.fields["sequence"])

    @property
    def kind(self) -> Kind:
        """What it holds."""
        return Kind(self.fields["kind"])

    @property
    def at(self) -> datetime:
        """When it was kept."""
        return datetime.fromisoformat(self.fields["at"])

    @property
    def previous(self) -> bytes:
        """The hash of the record before it."""
        return bytes.fromhex(self.fields["previous"])

    @property
    def name(self) -> str:
        """``service/number``: what the log and the commands call it."""
        return f"{self.chain}/{self.sequence}"

    @property
    def intact(self) -> bool:
        """Whether the hash is that of header and body."""
        return hmac.compare_digest(self.hash, hash_of(self.header, self.body))

    @property
    def frame(self) -> bytes:
        """As it stands on disk."""
        return HEAD.pack(MAGIC, len(self.header), len(self.body)) + self.header + self.body + self.hash

    def opened(self, key: bytes) -> bytes | None:
        """What is sealed in it; None where somebody else sealed it, or for another place."""
        nonce, sealed = self.body[:_NONCE_BYTES], self.body[_NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, sealed, _PURPOSE + self.header)
        except (InvalidTag, ValueError):
            return None


def make(
    chain: str,
    after: Link,
    kind: Kind,
    at: datetime,
    plain: bytes,
    *,
    key: bytes,
    entropy: Entropy,
    more: dict[str, Any] | None = None,
) -> Record:
    """The record that follows a link.

    Args:
        plain: what is to be sealed.
        key: the archive's.
        more: fields of the header that this kind has besides.
    """
    fields = {
        **(more or {}),
        "v": 1,
        "chain": chain,
        "sequence": after.sequence + 1,
        "kind": kind.value,
        "at": at.isoformat(),
        "previous": after.hash.hex(),
    }
    if after.cut:
        fields["cut"] = after.cut
    header = _ENCODER.encode(fields).encode()
    nonce = entropy(_NONCE_BYTES)
    body = nonce + AESGCM(key).encrypt(nonce, plain, _PURPOSE + header)
    return Record(header, body, hash_of(header, body), fields)


def hash_of(header: bytes, body: bytes) -> bytes:
    """The hash of a record."""
    digest = hashlib.sha256(_PURPOSE + struct.pack(">I", len(header)))
    digest.update(header)
    digest.update(body)
    return digest.digest()


def read(header: bytes, body: bytes, hashed: bytes) -> Record:
    """A record of its parts; whether the hash holds is another question.

    Raises:
        BrokenRecordError: the header is none.
    """
    try:
        fields = json.loads(header)
        record = Record(header, body, hashed, fields)
        _ = record.chain, record.sequence, record.kind, record.at, record.previous
    except (ValueError, KeyError, TypeError):
        raise BrokenRecordError("the header of a record cannot be read") from None
    return record


def read_frame(frame: bytes) -> Record:
    """A record of its frame.

    Raises:
        BrokenRecordError: it is none.
    """
    if len(frame) < HEAD.size:
        raise BrokenRecordError("ends within a record", torn=True)
    magic, header, body = HEAD.unpack_from(frame)
    if magic != MAGIC or header + body > LONGEST or len(frame) != length_of(header, body):
        raise BrokenRecordError("is no record")
    begin = HEAD.size + header
    return read(frame[HEAD.size : begin], frame[begin : begin + body], frame[begin + body :])


def length_of(header: int, body: int) -> int:
    """The octets of a frame."""
    return HEAD.size + header + body + HASH_BYTES


def tag_of(key: bytes, kind: str, value: str | bytes) -> str:
    """A name by which whoever has the key finds something, and that tells nobody else anything."""
    octets = value.encode() if isinstance(value, str) else value
    return hmac.digest(key, _PURPOSE + kind.encode() + b"\x00" + octets, "sha256")[:_TAG_BYTES].hex()
