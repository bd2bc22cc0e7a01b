"""New keys, and what is written about them: certificates of their own, signing requests, PEM.

Values and bytes only: nothing is read from or written to a disk here. Made are PKCS#8 (RFC 5958), PKCS#10
(RFC 2986) and X.509 (RFC 5280) that :mod:`wsprovider.keyring.checks` accepts for the same purposes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from wsprovider.keyring import names
from wsprovider.keyring.material import Certificate, PrivateKey
from wsprovider.keyring.ring import Purpose

_MAKERS: Final[Mapping[str, Callable[[], PrivateKey]]] = {
    "rsa-2048": partial(rsa.generate_private_key, 65537, 2048),
    "rsa-3072": partial(rsa.generate_private_key, 65537, 3072),
    "rsa-4096": partial(rsa.generate_private_key, 65537, 4096),
    "ec-p256": partial(ec.generate_private_key, ec.SECP256R1()),
    "ec-p384": partial(ec.generate_private_key, ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}

KINDS: Final = tuple(_MAKERS)
"""What :func:`new_key` makes."""

_COMMON_NAME: Final = names.attribute_oid("CN")
_ASCII: Final = frozenset(map(names.attribute_oid, ("C", "SERIALNUMBER", "DNQ", "DC", "E")))
"""Attributes that are PrintableString or IA5String (RFC 5280, appendix A.1)."""


@dataclass(frozen=True, slots=True)
class Material:
    """A private key with all that is published about it.

    Attributes:
        private_key: the key; its repr shows nothing of it.
        certificate: the certificate whose key this is.
        chain: the certificates that lead to its root, nearest first, without the root.
    """

    private_key: PrivateKey = field(repr=False)
    certificate: Certificate
    chain: tuple[Certificate, ...] = ()


def new_key(kind: str) -> PrivateKey:
    """Make a key of one of :data:`KINDS`.

    Raises:
        ValueError: it is none of them.
    """
    if kind not in _MAKERS:
        raise ValueError(f"{kind!r} is no kind of key: {', '.join(KINDS)}")
    return _MAKERS[kind]()


def self_signed(
    key: PrivateKey,
    subject: x509.Name,
    *,
    purposes: frozenset[Purpose],
    begins: datetime,
    ends: datetime,
) -> Certificate:
    """A certificate that the key has signed itself, for partners who pin it.

    Args:
        key: the key.
        subject: subject and issuer.
        purposes: become the key usage.
        begins: first moment of its validity, with a time zone; fractions of a second are dropped.
        ends: last moment of its validity, likewise.

    Raises:
        ValueError: a key of this kind cannot serve the purposes, or it would end before it begins.
    """
    if begins >= ends:
        raise ValueError(f"the certificate would end ({ends.isoformat()}) before it begins")
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins.replace(microsecond=0))
        .not_valid_after(ends.replace(microsecond=0))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(key, purposes), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return Certificate.from_x509(builder.sign(key, _digest(key)))


def signing_request(key: PrivateKey, subject: x509.Name, *, purposes: frozenset[Purpose]) -> bytes:
    """A request for a certificate (PKCS#10, RFC 2986) in PEM; asks for the key usage of the purposes.

    Raises:
        ValueError: a key of this kind cannot serve the purposes.
    """
    builder = x509.CertificateSigningRequestBuilder(subject).add_extension(
        _usage(key, purposes), critical=True
    )
    return builder.sign(key, _digest(key)).public_bytes(Encoding.PEM)


def subject_of(text: str) -> x509.Name:
    """A subject as people write it: ``CN=Echo,O=Bank,C=CH`` (RFC 4514), or ``C=CH, O=Bank, CN=Echo``.

    RFC 4514 writes the most specific part first, certificates hold it last. Only where CN stands last,
    and does not stand first, is the name taken to be in the order of certificates already.

    Raises:
        ValueError: it is no name.
    """
    try:
        written = names.parse(text)
        ends = [any(oid == _COMMON_NAME for oid, _ in rdn) for rdn in (written[0], written[-1])]
        return x509.Name(
            x509.RelativeDistinguishedName(
                x509.NameAttribute(x509.ObjectIdentifier(oid), _value(oid, value)) for oid, value in rdn
            )
            for rdn in (written if ends == [False, True] else reversed(written))
        )
    except ValueError as error:
        raise ValueError(f"{text!r} is no name such as 'CN=Echo,O=Bank,C=CH': {error}") from None


def key_pem(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """The key in PEM: PKCS#8, encrypted with AES-256 (PBES2, RFC 8018) if there is a passphrase.

    Raises:
        ValueError: the passphrase is empty.
    """
    if passphrase == b"":
        raise ValueError("the passphrase is empty")
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def certificates_pem(certificates: Iterable[Certificate]) -> bytes:
    """The certificates in PEM (RFC 7468), in their order, with no text between them."""
    return b"".join(one.parsed.public_bytes(Encoding.PEM) for one in certificates)


def _value(oid: str, value: str) -> str:
    if oid in _ASCII and not value.isascii():
        raise ValueError(f"{value!r} may hold ASCII characters only")
    return value


def _usage(key: PrivateKey, purposes: frozenset[Purpose]) -> x509.KeyUsage:
    signs, decrypts = Purpose.SIGN in purposes, Purpose.DECRYPT in purposes
    if not purposes:
        raise ValueError("a key needs a purpose: sign, decrypt, or both")
    if decrypts and not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("only an RSA key can decrypt: leave out the purpose 'decrypt', or make an RSA key")
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=signs,
        key_encipherment=decrypts,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _digest(key: PrivateKey) -> SHA256 | SHA384 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None  # the scheme has its own (RFC 8410)
    return SHA384() if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256 else SHA256()
