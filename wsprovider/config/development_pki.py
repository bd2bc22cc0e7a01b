"""The small certificate authority behind the development keys."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

ORGANIZATION: Final = "wsprovider development"
"""Stands in every subject: how development keys are told from real ones."""

_LIFE: Final = timedelta(days=730)
_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, and the forms in which they are written."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @property
    def cert_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key in PEM (PKCS#8), not encrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def pkcs12(self, alias: str, password: str, *, ca: "Issued") -> bytes:
        """Key, certificate and CA as a key store."""
        return pkcs12.serialize_key_and_certificates(
            alias.encode(), self.key, self.certificate, [ca.certificate], _encryption(password)
        )

    def java_truststore(self, alias: str, password: str, *, ca: "Issued") -> bytes:
        """The certificate and its CA as entries that Java trusts."""
        entries = [
            pkcs12.PKCS12Certificate(self.certificate, alias.encode()),
            pkcs12.PKCS12Certificate(ca.certificate, b"ca"),
        ]
        return pkcs12.serialize_java_truststore(entries, _encryption(password))


def authority(now: datetime) -> Issued:
    """A self-signed CA."""
    key = rsa.generate_private_key(65537, _BITS)
    name = _name("development CA")
    builder = (
        _builder(name, name, key, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    return Issued(builder.sign(key, SHA256()), key)


def server(common_name: str, ca: Issued, now: datetime) -> Issued:
    """A server on this machine: signs, decrypts, and may serve TLS."""
    alternative = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ip_address("127.0.0.1")),
            x509.IPAddress(ip_address("::1")),
        ]
    )
    return _end_entity(common_name, ca, now, alternative)


def client(common_name: str, ca: Issued, now: datetime) -> Issued:
    """A client: signs requests, and replies are encrypted to it."""
    return _end_entity(common_name, ca, now, None)


def _end_entity(
    common_name: str, ca: Issued, now: datetime, alternative: x509.SubjectAlternativeName | None
) -> Issued:
    key = rsa.generate_private_key(65537, _BITS)
    builder = (
        _builder(_name(common_name), ca.certificate.subject, key, ca.key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
    )
    if alternative is not None:
        builder = builder.add_extension(alternative, critical=False)
    return Issued(builder.sign(ca.key, SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, signer: rsa.RSAPrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _encryption(password: str) -> KeySerializationEncryption:
    # PBES2 with AES-256 and an HMAC of SHA-256: OpenSSL 1.1 and 3, Java 8u301 and later read it
    return (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(10_000)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(SHA256())
        .build(password.encode())
    )
