"""Java key stores without Java: JKS, and JCEKS as far as it has the same form.

Neither format has a standard; both are what Java's providers write (``sun.security.provider.JavaKeyStore``
and ``KeyProtector``, ``com.sun.crypto.provider.JceKeyStore``). Big-endian, ``text`` being two octets of
length and UTF-8::

    magic(4) version(4) entries(4)
      1 alias:text date(8) length(4) EncryptedPrivateKeyInfo count(4) certificate*
      2 alias:text date(8) certificate            certificate = [kind:text, version 2] length(4) DER
    SHA-1(password in UTF-16BE || "Mighty Aphrodite" || everything before)

What comes in may be hostile: the digest is compared before anything is read, every length is checked
against what is left, and nothing but :class:`MaterialError` comes out. That a passphrase was right says
nothing about the certificates. Why own code: docs/decisions/0054-key-stores.md.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from wsprovider.adapters.keys.pem import load_private_key
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.keyring.material import PrivateKey

TO_PKCS12: Final = (
    "convert it with keytool -importkeystore -srckeystore FILE -srcalias ALIAS "
    "-destkeystore NEW.p12 -deststoretype PKCS12"
)
"""What an operator can always do with a store that is not read here."""

_JKS: Final = bytes.fromhex("feedfeed")
_JCEKS: Final = bytes.fromhex("cececece")
_KEY, _CERTIFICATE, _SECRET = 1, 2, 3
_SALT_OF_STORE: Final = b"Mighty Aphrodite"
_DIGEST: Final = 20

_SEQUENCE, _INTEGER, _OCTETS, _OID = 0x30, 0x02, 0x04, 0x06
_SUN_PROTECTOR: Final = bytes.fromhex("2b060104012a02110101")  # 1.3.6.1.4.1.42.2.17.1.1
_MD5_TRIPLE_DES: Final = bytes.fromhex("2b060104012a021301")  # 1.3.6.1.4.1.42.2.19.1

_LONGEST_KEY: Final = 64 * 1024  # RSA of 16384 bits takes 10 KB
_MOST_ROUNDS: Final = 1_000_000  # Java's own default is 200000, and takes a third of a second


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a store.

    Attributes:
        alias: its name there.
        chain: certificates in DER as they stand, the key's own first; nothing about them was checked.
        hidden: the protected private key (see :func:`private_key`); None for a trusted certificate.
    """

    alias: str
    chain: tuple[bytes, ...]
    hidden: bytes | None = field(default=None, repr=False)


def is_store(content: bytes) -> bool:
    """Whether it begins as JKS or JCEKS does."""
    return content[:4] in (_JKS, _JCEKS)


def read_entries(content: bytes, passphrase: bytes) -> tuple[Entry, ...]:
    """Every entry of a store in its order, once the passphrase has shown that it is whole.

    Raises:
        MaterialError: it is no store, the passphrase is wrong, or there is something in it that is not read.
    """
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    password = _text(passphrase).encode("utf-16-be")
    if not hmac.compare_digest(_sha1(password + _SALT_OF_STORE + body), digest):
        raise MaterialError("a wrong passphrase for the Java key store, or it is damaged")
    reader = _Reader(body)
    magic, version = reader.take(4), reader.integer(4)
    if magic not in (_JKS, _JCEKS) or version not in (1, 2):
        raise MaterialError("no Java key store of version 1 or 2")
    entries = tuple(_entry(reader, version) for _ in range(reader.integer(4)))
    if reader.left:
        raise MaterialError("the Java key store goes on after its last entry")
    return entries


def private_key(entry: Entry, passphrase: bytes) -> PrivateKey:
    """The private key of an entry that has one.

    Raises:
        MaterialError: the passphrase is wrong, it is protected by an unknown algorithm, or it is of a kind
            that messages are not signed with.
    """
    if entry.hidden is None:
        raise MaterialError(f"{entry.alias!r} in the Java key store is a certificate without a private key")
    algorithm, encrypted = _encrypted_private_key_info(entry.hidden)
    oid, parameters = _der(algorithm, _OID)
    if oid == _SUN_PROTECTOR:
        plain = _unmask(encrypted, _text(passphrase))
    elif oid == _MD5_TRIPLE_DES:
        plain = _decrypt(encrypted, parameters, _text(passphrase))
    else:
        raise MaterialError(f"the key {entry.alias!r} is protected by an unknown algorithm: {TO_PKCS12}")
    if plain is None:
        raise MaterialError(
            f"a wrong passphrase for the key {entry.alias!r}, or it is damaged "
            "(a key may have another passphrase than its store)"
        )
    return load_private_key(plain, None)


def _entry(reader: "_Reader", version: int) -> Entry:
    kind = reader.integer(4)
    if kind == _SECRET:
        # a serialized Java object of no stated length: what follows it cannot be found
        raise MaterialError(f"the JCEKS store holds a secret key: {TO_PKCS12}")
    if kind not in (_KEY, _CERTIFICATE):
        raise MaterialError(f"the Java key store holds an entry of the unknown kind {kind}")
    alias = reader.text()
    reader.take(8)  # the date of its making
    if kind == _CERTIFICATE:
        return Entry(alias, (reader.certificate(version),))
    hidden = reader.block()
    if len(hidden) > _LONGEST_KEY:
        raise MaterialError(f"the key {alias!r} is too long")
    return Entry(alias, tuple(reader.certificate(version) for _ in range(reader.integer(4))), hidden)


class _Reader:
    """The fields of a store, one after the other, never beyond its end."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise MaterialError("the Java key store ends within an entry")
        self._at += length
        return self._content[self._at - length : self._at]

    def integer(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def text(self) -> str:
        return self.take(self.integer(2)).decode("utf-8", "replace")

    def block(self) -> bytes:
        return self.take(self.integer(4))

    def certificate(self, version: int) -> bytes:
        if version == 2 and (kind := self.text()) not in ("X.509", "X509"):
            raise MaterialError(
                f"the Java key store holds a certificate of the kind {kind[:40]!r}, not X.509"
            )
        return self.block()


def _encrypted_private_key_info(hidden: bytes) -> tuple[bytes, bytes]:
    # RFC 5958, section 3: the algorithm's content, and the octets
    content, after = _der(hidden, _SEQUENCE)
    algorithm, rest = _der(content, _SEQUENCE)
    encrypted, behind = _der(rest, _OCTETS)
    if after or behind:
        raise MaterialError("a private key in the Java key store cannot be read")
    return algorithm, encrypted


def _der(content: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the element that comes first, and what follows it (X.690, section 8.1)."""
    size, start = (content[1], 2) if len(content) > 1 else (0, 2)
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(content[2:start], "big")
    if content[:1] != bytes([tag]) or start + size > len(content):
        raise MaterialError("a private key in the Java key store cannot be read")
    return content[start : start + size], content[start + size :]


def _unmask(hidden: bytes, password: str) -> bytes | None:
    """Undo Sun's key protector: salt, key under a key stream of SHA-1, digest; None if that differs."""
    salt, body, check = hidden[:_DIGEST], hidden[_DIGEST:-_DIGEST], hidden[-_DIGEST:]
    secret, block, stream = password.encode("utf-16-be"), salt, bytearray()
    while len(stream) < len(body):
        block = _sha1(secret + block)
        stream += block
    plain = bytes(a ^ b for a, b in zip(body, stream, strict=False))
    return plain if hmac.compare_digest(_sha1(secret + plain), check) else None


def _decrypt(encrypted: bytes, parameters: bytes, password: str) -> bytes | None:
    """Undo JCEKS' PBEWithMD5AndTripleDES; None for a wrong password."""
    content, _ = _der(parameters, _SEQUENCE)
    salt, rest = _der(content, _OCTETS)
    octets, _ = _der(rest, _INTEGER)
    rounds = int.from_bytes(octets, "big")
    if len(salt) != 8 or salt[:4] == salt[4:] or not 0 < rounds <= _MOST_ROUNDS or not password.isascii():
        # Java knows no other characters here; for two equal halves of the salt its releases disagree
        raise MaterialError(f"the key's protection cannot be undone here: {TO_PKCS12}")
    derived = b"".join(_repeated(half, password.encode(), rounds) for half in (salt[:4], salt[4:]))
    decryptor = Cipher(TripleDES(derived[:24]), modes.CBC(derived[24:])).decryptor()
    unpadder = PKCS7(64).unpadder()
    try:
        padded = decryptor.update(encrypted) + decryptor.finalize()
        plain = unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return None
    return plain if plain[:1] == bytes([_SEQUENCE]) else None


def _repeated(block: bytes, password: bytes, rounds: int) -> bytes:
    for _ in range(rounds):
        block = hashlib.md5(block + password, usedforsecurity=False).digest()
    return block


def _sha1(content: bytes) -> bytes:
    return hashlib.sha1(content, usedforsecurity=False).digest()


def _text(passphrase: bytes) -> str:
    try:
        return passphrase.decode()
    except UnicodeDecodeError:
        raise MaterialError("the passphrase is no UTF-8") from None
