"""A public key infrastructure for tests: any certificate, valid by default, bendable in one line.

Everything is made in memory, at fixed dates around :data:`NOW`, and quickly: private keys are cached
by a label for the whole session, so that the same label is the same key and only the first RSA key of
a label costs time.

::

    from tests.simulator import pki

    ca = pki.authority("CN=Test CA")                     # self-signed, CA true, RSA 2048
    leaf = ca.issue("CN=client-1,O=Bank")                # digitalSignature, valid at pki.NOW
    old = ca.issue("CN=client-1,O=Bank", end=pki.days(-1))          # one thing bent
    sub = ca.issue_authority("CN=Sub", path_length=0, key=pki.key("ec-p256"))
    own = pki.self_signed("CN=partner", key=pki.key("rsa-3072", "partner"))

    leaf.certificate        # wsprovider.keyring.material.Certificate
    leaf.key                # its private key
    leaf.pair("name")       # wsprovider.keyring.material.KeyPair
    leaf.cert_pem, leaf.key_pem, leaf.pkcs12("password")
    ca.crl(leaf)            # DER of a revocation list that revokes leaf
    ca.crl(end=pki.days(-1))

Kinds of key: ``rsa-1024``, ``rsa-2048``, ``rsa-3072``, any ``rsa-<bits>``, ``ec-p256``, ``ec-p384``,
``ec-p521``, ``ec-secp256k1``, ``ed25519``. ``rsa-8192`` and larger are taken from :func:`huge_rsa`, a
public key without a private one (making such keys takes minutes), fit for ``public_key=``.

Extensions: the defaults are BasicConstraints and KeyUsage as the role asks, SubjectKeyIdentifier and
AuthorityKeyIdentifier. ``extensions=[(value, critical), ...]`` adds, and replaces a default of the
same type; ``without=[x509.KeyUsage, ...]`` drops. ``digest="sha1"`` or ``"md5"`` signs weakly, which
`cryptography` itself no longer does.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from wsprovider.keyring.material import Certificate, KeyPair

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
"""The moment at which everything made here is valid unless bent."""

_CURVES: dict[str, Any] = {
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
}
_RSA_OID = bytes.fromhex("06092a864886f70d0101")
_DIGESTS: dict[str, Any] = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
_WEAK = {"md5": (4, hashes.MD5), "sha1": (5, hashes.SHA1)}


def days(number: float) -> datetime:
    """That many days after :data:`NOW`."""
    return NOW + timedelta(days=number)


@cache
def key(kind: str = "rsa-2048", label: str = "") -> Any:
    """A private key; the same kind and label give the same key."""
    family, _, size = kind.partition("-")
    if family == "rsa":
        return rsa.generate_private_key(65537, int(size))
    if family == "ec":
        return ec.generate_private_key(_CURVES[size]())
    return ed25519.Ed25519PrivateKey.generate()


def huge_rsa(bits: int, exponent: int = 65537) -> rsa.RSAPublicKey:
    """A public key of that size that nobody has the private key of."""
    modulus = int.from_bytes(hashlib.shake_256(b"modulus").digest(bits // 8)) | 1 | 1 << (bits - 1)
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def name(text: str) -> x509.Name:
    """A name from RFC 4514 text."""
    return x509.Name.from_rfc4514_string(text)


def key_usage(*allowed: str, critical: bool = True) -> tuple[x509.KeyUsage, bool]:
    """KeyUsage by the names of `cryptography`, such as ``digital_signature``."""
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{one: one in allowed for one in every}), critical


@dataclass(frozen=True)
class Holder:
    """A certificate, its private key (None for keys nobody has) and its path to the root."""

    certificate: Certificate
    key: Any
    issuers: "tuple[Holder, ...]" = ()

    @property
    def parsed(self) -> x509.Certificate:
        return self.certificate.parsed

    @property
    def cert_pem(self) -> bytes:
        return self.parsed.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        pem: bytes = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem

    def encrypted_key_pem(self, passphrase: str) -> bytes:
        protection = BestAvailableEncryption(passphrase.encode())
        pem: bytes = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
        return pem

    def pkcs12(self, passphrase: str, friendly_name: str = "key") -> bytes:
        return pkcs12.serialize_key_and_certificates(
            friendly_name.encode(),
            self.key,
            self.parsed,
            [one.parsed for one in self.issuers],
            BestAvailableEncryption(passphrase.encode()),
        )

    @property
    def path(self) -> tuple[Certificate, ...]:
        """The intermediates, nearest first, without the root."""
        return tuple(one.certificate for one in self.issuers[:-1])

    def pair(self, named: str = "key") -> KeyPair:
        return KeyPair(named, self.certificate, self.key, self.path)

    def issue(self, subject: str = "CN=client-1,O=Bank", **bend: Any) -> "Holder":
        """An end entity's certificate; see :func:`make` for what can be bent."""
        return make(subject, issuer=self, **bend)

    def issue_authority(
        self, subject: str = "CN=Sub CA", path_length: int | None = None, **bend: Any
    ) -> "Holder":
        """A CA below this one."""
        return make(subject, issuer=self, ca=True, path_length=path_length, **bend)

    def crl(
        self,
        *revoked: "Holder",
        start: datetime | None = None,
        end: datetime | None = None,
        issuer_name: str | None = None,
        signed_by: Any = None,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        digest: str = "sha256",
    ) -> bytes:
        """DER of a revocation list of this CA."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name(issuer_name) if issuer_name else self.parsed.subject)
            .last_update(start or days(-1))
            .next_update(end or days(7))
        )
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(one.parsed.serial_number)
                .revocation_date(days(-2))
                .build()
            )
        signer = signed_by or self.key
        made = builder.sign(signer, _digest(signer, "sha256" if digest in _WEAK else digest))
        if digest in _WEAK:
            return _weakly_signed(made.tbs_certlist_bytes, signer, digest)
        return made.public_bytes(Encoding.DER)


def authority(subject: str = "CN=Test CA", path_length: int | None = None, **bend: Any) -> Holder:
    """A self-signed CA; the key's label is its subject, so two names are two keys."""
    return make(subject, ca=True, path_length=path_length, **bend)


def self_signed(subject: str = "CN=partner", **bend: Any) -> Holder:
    """A self-signed end entity, as partners pin them."""
    return make(subject, **bend)


def make(
    subject: str,
    *,
    issuer: Holder | None = None,
    ca: bool = False,
    path_length: int | None = None,
    key: Any = None,
    public_key: Any = None,
    start: datetime | None = None,
    end: datetime | None = None,
    serial: int | None = None,
    issuer_name: str | None = None,
    signed_by: Any = None,
    digest: str = "sha256",
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    without: Sequence[type[x509.ExtensionType]] = (),
    subject_name: x509.Name | None = None,
) -> Holder:
    """Make one certificate.

    Args:
        subject: RFC 4514 text; also the label of the key unless ``key`` is given.
        issuer: who signs; the certificate is self-signed if None.
        ca, path_length: BasicConstraints.
        key: the private key of the subject.
        public_key: a public key instead, whose private key nobody has.
        start, end: validity; from 30 days before NOW to 365 days after.
        serial: the serial number; random if None.
        issuer_name: an issuer's name that is not the issuer's.
        signed_by: a private key that is not the issuer's.
        digest: sha256, sha384, sha512, or sha1 and md5 (RSA only).
        extensions, without: see the module.
        subject_name: a parsed name for what text cannot say.
    """
    private: Any = None if public_key is not None else key if key is not None else _default_key(subject)
    public = public_key if public_key is not None else private.public_key()
    parent = issuer.parsed.subject if issuer else subject_name or name(subject)
    signer: Any = signed_by or (issuer.key if issuer else private)
    usage = (
        key_usage("key_cert_sign", "crl_sign") if ca else key_usage("digital_signature", "key_encipherment")
    )
    parent_public: Any = issuer.parsed.public_key() if issuer else public
    values: dict[type, tuple[x509.ExtensionType, bool]] = {
        x509.BasicConstraints: (x509.BasicConstraints(ca, path_length if ca else None), True),
        x509.KeyUsage: usage,
        x509.SubjectKeyIdentifier: (x509.SubjectKeyIdentifier.from_public_key(public), False),
        x509.AuthorityKeyIdentifier: (
            x509.AuthorityKeyIdentifier.from_issuer_public_key(parent_public),
            False,
        ),
    }
    values.update({type(value): (value, critical) for value, critical in extensions})
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject_name or name(subject))
        .issuer_name(name(issuer_name) if issuer_name else parent)
        .public_key(public)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start or days(-30))
        .not_valid_after(end or days(365))
    )
    for kind, (value, critical) in values.items():
        if kind not in without:
            builder = builder.add_extension(value, critical)
    parsed = builder.sign(signer, _digest(signer, "sha256" if digest in _WEAK else digest))
    certificate = Certificate.from_x509(parsed)
    if digest in _WEAK:
        certificate = Certificate.from_der(_weakly_signed(parsed.tbs_certificate_bytes, signer, digest))
    issuers = (issuer, *issuer.issuers) if issuer else ()
    return Holder(certificate, private, issuers)


def _default_key(subject: str) -> Any:
    return key("rsa-2048", subject)


def _digest(signer: Any, digest: str) -> Any:
    return None if isinstance(signer, ed25519.Ed25519PrivateKey) else _DIGESTS[digest]()


def _weakly_signed(content: bytes, signer: rsa.RSAPrivateKey, digest: str) -> bytes:
    # the object identifiers of the RSA signatures differ in their last octet only
    last, algorithm = _WEAK[digest]
    strong, weak = _RSA_OID + bytes([11]), _RSA_OID + bytes([last])
    signed = content.replace(strong, weak)
    signature = signer.sign(signed, padding.PKCS1v15(), algorithm())
    identifier = _der(0x30, weak + b"\x05\x00")
    return _der(0x30, signed + identifier + _der(0x03, b"\x00" + signature))


def _der(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
