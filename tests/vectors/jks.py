"""Reading Java key stores without Java: the JKS format of Sun's default provider, and PKCS #12.

The formats are those that ``keytool`` writes; the vectors' stores are one or the other under one file
ending. In JKS, a private key is hidden by a key stream of SHA-1 digests, each over the password and
the digest before it, and followed by a digest that shows whether the password was right.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, pkcs12

_MAGIC = 0xFEEDFEED
_PRIVATE_KEY, _CERTIFICATE = 1, 2
_DIGEST = 20
_KEY_ALGORITHM = bytes.fromhex("060a2b060104012a02110101")  # 1.3.6.1.4.1.42.2.17.1.1


@dataclass(frozen=True)
class Entry:
    """A key with its chain, or a lone certificate (``key`` is None); DER."""

    alias: str
    key: Any
    chain: tuple[bytes, ...]


def read(data: bytes, password: str, key_password: str | None = None) -> dict[str, Entry]:
    """Every entry by alias; the keys of a PKCS #12 file are found under their friendly name."""
    if data[:4] != struct.pack(">I", _MAGIC):
        return _pkcs12(data, password)
    reader = _Reader(data)
    if reader.integer(8) >> 32 != _MAGIC:
        raise ValueError("no JKS")
    found = {}
    for _ in range(reader.integer(4)):
        kind, alias, _date = reader.integer(4), reader.text(), reader.integer(8)
        if kind == _PRIVATE_KEY:
            hidden = reader.block()
            chain = tuple(reader.certificate() for _ in range(reader.integer(4)))
            found[alias] = Entry(alias, _reveal(hidden, key_password or password), chain)
        elif kind == _CERTIFICATE:
            found[alias] = Entry(alias, None, (reader.certificate(),))
        else:
            raise ValueError(f"entry of kind {kind}")
    return found


class _Reader:
    """Big-endian fields of a byte string, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, length: int) -> bytes:
        self._at += length
        return self._data[self._at - length : self._at]

    def integer(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def text(self) -> str:
        return self.take(self.integer(2)).decode()

    def block(self) -> bytes:
        return self.take(self.integer(4))

    def certificate(self) -> bytes:
        kind = self.text()
        if kind != "X.509":
            raise ValueError(kind)
        return self.block()


def _reveal(hidden: bytes, password: str) -> Any:
    # EncryptedPrivateKeyInfo: the octets are the last field, so they end where it ends
    start = hidden.index(_KEY_ALGORITHM) + len(_KEY_ALGORITHM) + 2  # and NULL
    length = hidden[start + 1]
    octets = hidden[start + 2 + (length & 0x7F if length & 0x80 else 0) :]
    salt, body, check = octets[:_DIGEST], octets[_DIGEST:-_DIGEST], octets[-_DIGEST:]
    secret, block, stream = password.encode("utf-16-be"), salt, b""
    while len(stream) < len(body):
        block = hashlib.sha1(secret + block).digest()
        stream += block
    plain = bytes(a ^ b for a, b in zip(body, stream, strict=False))
    if hashlib.sha1(secret + plain).digest() != check:
        raise ValueError("wrong password")
    return load_der_private_key(plain, None)


def _pkcs12(data: bytes, password: str) -> dict[str, Entry]:
    store = pkcs12.load_pkcs12(data, password.encode())
    found = {}
    others = [one.certificate.public_bytes(Encoding.DER) for one in store.additional_certs]
    if store.cert is not None:
        name = (store.cert.friendly_name or b"").decode()
        own = store.cert.certificate.public_bytes(Encoding.DER)
        found[name] = Entry(name, store.key, (own, *others))
    for one, der in zip(store.additional_certs, others, strict=True):
        name = (one.friendly_name or b"").decode()
        found.setdefault(name, Entry(name, None, (der,)))
    return found
