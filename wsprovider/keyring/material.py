"""Certificates and key pairs as values, with every identifier computed once.

What comes in was parsed by `cryptography`; nothing here says that a certificate is trusted
(:mod:`wsprovider.keyring.trust` does).
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, eq=False)
class Certificate:
    """An X.509 certificate and the names messages use for it; equal when its bytes are equal."""

    parsed: x509.Certificate
    der: bytes = field(repr=False)

    @classmethod
    def from_der(cls, der: bytes) -> "Certificate":
        """Parse one DER certificate.

        Raises:
            WSSecurityError: MALFORMED_CERTIFICATE.
        """
        try:
            parsed = x509.load_der_x509_certificate(der)
            written = parsed.public_bytes(Encoding.DER)
        except Exception as error:  # noqa: BLE001 - several families on hostile ASN.1
            raise WSSecurityError(Reason.MALFORMED_CERTIFICATE, str(error)) from None
        if written != der:
            raise WSSecurityError(Reason.MALFORMED_CERTIFICATE, "trailing bytes")
        return cls(parsed, der)

    @classmethod
    def from_x509(cls, certificate: x509.Certificate) -> "Certificate":
        """Wrap an already parsed certificate."""
        return cls(certificate, certificate.public_bytes(Encoding.DER))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    @cached_property
    def thumbprint_sha1(self) -> bytes:
        """SHA-1 of the DER bytes (SOAP Message Security 1.1, section 7.3: ThumbprintSHA1)."""
        return hashlib.sha1(self.der, usedforsecurity=False).digest()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the DER bytes in hexadecimal: the house's own name for a certificate."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def subject_key_identifier(self) -> bytes | None:
        """The value of the SubjectKeyIdentifier extension (RFC 5280, section 4.2.1.2), if present."""
        try:
            extension = self.parsed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        except (x509.ExtensionNotFound, ValueError, x509.DuplicateExtension):
            return None
        return extension.value.digest

    @property
    def serial(self) -> int:
        """The serial number."""
        return self.parsed.serial_number

    @cached_property
    def subject(self) -> str:
        """The subject's name in the form of RFC 4514."""
        return self.parsed.subject.rfc4514_string()

    @cached_property
    def public_key(self) -> PublicKey:
        """The public key.

        Raises:
            WSSecurityError: CERTIFICATE_KEY for a kind of key that the house does not use.
        """
        try:
            key = self.parsed.public_key()
        except Exception as error:  # noqa: BLE001 - unsupported or malformed key
            raise WSSecurityError(Reason.CERTIFICATE_KEY, str(error)) from None
        if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
            return key
        raise WSSecurityError(Reason.CERTIFICATE_KEY, type(key).__name__)

    @cached_property
    def spki(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo: two certificates of one key agree here."""
        return hashlib.sha256(_spki(self.parsed)).digest()


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class KeyPair:
    """A private key with its certificate and the chain that is published beside it.

    Attributes:
        name: the key's name in its ring, for logs.
        certificate: the certificate whose key this is.
        private_key: the key; its repr shows nothing of it.
        chain: intermediate certificates, nearest first, without the root.
    """

    name: str
    certificate: Certificate
    private_key: PrivateKey = field(repr=False)
    chain: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class ThumbprintReference:
    """A certificate named by ThumbprintSHA1."""

    sha1: bytes


@dataclass(frozen=True, slots=True)
class KeyIdentifierReference:
    """A certificate named by its SubjectKeyIdentifier (X.509 Token Profile 1.1, section 3.2.1)."""

    value: bytes


@dataclass(frozen=True, slots=True)
class IssuerSerialReference:
    """A certificate named by ds:X509IssuerSerial; the name as the message spells it (RFC 4514-like)."""

    issuer: str
    serial: int


@dataclass(frozen=True, slots=True)
class EmbeddedCertificate:
    """A certificate that stands in the message: its DER bytes, and the path beside it if any."""

    der: bytes
    path: tuple[bytes, ...] = ()


CertificateReference = (
    ThumbprintReference | KeyIdentifierReference | IssuerSerialReference | EmbeddedCertificate
)
