"""A key that stays in a PKCS#11 token: what ``ring.toml`` says of it.

::

    [[key]]
    name = "2027"
    purposes = ["sign", "decrypt"]
    pkcs11 = {module = "/usr/lib/softhsm/libsofthsm2.so", token = "wsprovider", label = "2027"}
    certificate = "2027.cert.pem"             # as with ``key``; it must belong to the key in the token
    passphrase_env = "TOKEN_PIN"              # or passphrase_file: the PIN of the token's user

``id = "0a1b"`` names the key by its CKA_ID, instead of its label or beside it; ``serial`` names the token
by its serial number, instead of its label or beside it.
"""

from dataclasses import dataclass
from typing import Final

from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.tables import Table
from wsprovider.keyring.material import Certificate, PrivateKey

MISSING: Final = 'pkcs11 needs python-pkcs11: pip install "wsprovider[pkcs11]"'


class TokenError(MaterialError):
    """Module, token and PIN do not give the key; nothing is wrong with the files."""


@dataclass(frozen=True, slots=True)
class TokenName:
    """A token by its label, its serial number or both."""

    label: str | None
    serial: str | None

    def __str__(self) -> str:
        serial = f" with the serial number {self.serial}" if self.serial else ""
        return f"the token {self.label!r}{serial}" if self.label else f"the token{serial}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key lives.

    Attributes:
        module: path of the token's PKCS#11 library.
        token: the token behind it.
        label, id: CKA_LABEL, CKA_ID (PKCS#11 3.1, sections 4.4 and 4.7), at least one of them.
    """

    module: str
    token: TokenName
    label: str | None
    id: bytes | None

    def __str__(self) -> str:
        names = [f"labelled {self.label!r}"] if self.label else []
        names += [f"with the id {self.id.hex()}"] if self.id else []
        return f"a private key {' and '.join(names)} in {self.token}"


def read_place(reader: Reader, entry: Table) -> Place | None:
    """What a ``[[key]]`` says under ``pkcs11``; None where it says nothing.

    Raises:
        MaterialError: it names no module, no token or no key, or stands beside another key.
    """
    values = entry.raw("pkcs11")
    if values is None:
        return None
    if entry.text("key") or entry.text("pkcs12"):
        raise MaterialError("pkcs11 stands instead of key and pkcs12")
    table = Table(reader, entry.at("pkcs11"), values)
    module, label, identifier = (table.text(name) for name in ("module", "label", "id"))
    token = TokenName(table.text("token"), table.text("serial"))
    table.finish()
    if not module:
        raise MaterialError("pkcs11 needs module, the path of the token's library")
    if not (token.label or token.serial):
        raise MaterialError("pkcs11 needs token, the token's label, or serial")
    if not (label or identifier):
        raise MaterialError("pkcs11 needs label, the key's label in the token, or id")
    try:
        return Place(module, token, label, bytes.fromhex(identifier) if identifier else None)
    except ValueError:
        raise MaterialError('pkcs11: id must be hexadecimal, such as "0a1b"') from None


def load_token_key(
    reader: Reader, entry: Table, place: Place | None, pin: bytes | None, certificate: Certificate
) -> PrivateKey:
    """The key in the token, after it has proven that it belongs to the certificate.

    Args:
        reader: told what the operator should look at.
        entry: the ``[[key]]``.
        place: what :func:`read_place` found.
        pin: of the token's user, UTF-8.
        certificate: whose key it is.

    Raises:
        TokenError: module, token or PIN do not give it.
        MaterialError: it cannot be used, for another reason.
    """
    if place is None:
        raise MaterialError("needs key and certificate, or pkcs11 and certificate, or pkcs12")
    if pin is None:
        raise MaterialError("pkcs11 needs the token's PIN: name passphrase_env or passphrase_file")
    try:
        from wsprovider.adapters.keys import token_keys  # noqa: PLC0415 - needs an extra
    except ImportError:
        raise MaterialError(MISSING) from None
    try:
        text = pin.decode()
    except UnicodeDecodeError:
        raise MaterialError("the token's PIN is not UTF-8") from None
    return token_keys.load(place, text, certificate, lambda what: reader.warn(entry.at("pkcs11"), what))
