"""Every algorithm the house can do: one row each, with its implementation.

Identifiers follow XML Signature 1.1 section 6, XML Encryption 1.1 section 5 and RFC 9231. A row says
what kind of key fits, so that a method can never be used with another kind of key (an HMAC keyed by
the bytes of a certificate is impossible). That an algorithm has a row does not mean that it is
accepted: :class:`~wsprovider.words.suites.Suite` says so.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from wsprovider.words import algorithms as alg
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A digest method."""

    uri: str
    name: str

    def digest(self, data: bytes) -> bytes:
        """Hash the bytes."""
        return hashlib.new(self.name, data, usedforsecurity=False).digest()


_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    alg.SHA1: hashes.SHA1(),  # noqa: S303 - WSO2's own policies name it; a suite must, too
    alg.SHA256: hashes.SHA256(),
    alg.SHA384: hashes.SHA384(),
    alg.SHA512: hashes.SHA512(),
}
DIGESTS: Final[dict[str, DigestRow]] = {
    row.uri: row
    for row in (
        DigestRow(alg.SHA1, "sha1"),
        DigestRow(alg.SHA256, "sha256"),
        DigestRow(alg.SHA384, "sha384"),
        DigestRow(alg.SHA512, "sha512"),
    )
}


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A signature method by a private key.

    Attributes:
        key: the class of public key that fits.
        private: the class of private key that fits.
        sign: private key and octets to the octets of SignatureValue.
        verify: raises InvalidSignature, or ValueError for octets of no signature's shape.
    """

    uri: str
    key: type
    private: type
    sign: Callable[[PrivateKey, bytes], bytes]
    verify: Callable[[PublicKey, bytes, bytes], None]


def _rsa(uri: str, digest: str) -> SignatureRow:
    algorithm, scheme = _HASHES[digest], padding.PKCS1v15()

    def sign(key: PrivateKey, data: bytes) -> bytes:
        return cast("rsa.RSAPrivateKey", key).sign(data, scheme, algorithm)

    def verify(key: PublicKey, signature: bytes, data: bytes) -> None:
        cast("rsa.RSAPublicKey", key).verify(signature, data, scheme, algorithm)

    return SignatureRow(uri, rsa.RSAPublicKey, rsa.RSAPrivateKey, sign, verify)


def _ecdsa(uri: str, digest: str) -> SignatureRow:
    scheme = ec.ECDSA(_HASHES[digest])

    def sign(key: PrivateKey, data: bytes) -> bytes:
        private = cast("ec.EllipticCurvePrivateKey", key)
        r, s = decode_dss_signature(private.sign(data, scheme))
        length = (private.curve.key_size + 7) // 8
        return r.to_bytes(length, "big") + s.to_bytes(length, "big")

    def verify(key: PublicKey, signature: bytes, data: bytes) -> None:
        public = cast("ec.EllipticCurvePublicKey", key)
        length = (public.curve.key_size + 7) // 8
        if len(signature) != 2 * length:  # XML Signature 1.1 section 6.4.3: r and s, fixed length
            raise InvalidSignature
        r, s = (int.from_bytes(part, "big") for part in (signature[:length], signature[length:]))
        public.verify(encode_dss_signature(r, s), data, scheme)

    return SignatureRow(uri, ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey, sign, verify)


def _sign_ed25519(key: PrivateKey, data: bytes) -> bytes:
    return cast("ed25519.Ed25519PrivateKey", key).sign(data)


def _verify_ed25519(key: PublicKey, signature: bytes, data: bytes) -> None:
    cast("ed25519.Ed25519PublicKey", key).verify(signature, data)


ASYMMETRIC_SIGNATURES: Final[dict[str, SignatureRow]] = {
    row.uri: row
    for row in (
        _rsa(alg.RSA_SHA1, alg.SHA1),
        _rsa(alg.RSA_SHA256, alg.SHA256),
        _rsa(alg.RSA_SHA384, alg.SHA384),
        _rsa(alg.RSA_SHA512, alg.SHA512),
        _ecdsa(alg.ECDSA_SHA256, alg.SHA256),
        _ecdsa(alg.ECDSA_SHA384, alg.SHA384),
        _ecdsa(alg.ECDSA_SHA512, alg.SHA512),
        SignatureRow(
            alg.EDDSA_ED25519,
            ed25519.Ed25519PublicKey,
            ed25519.Ed25519PrivateKey,
            _sign_ed25519,
            _verify_ed25519,
        ),
    )
}
SYMMETRIC_SIGNATURES: Final[dict[str, str]] = {
    alg.HMAC_SHA1: "sha1",
    alg.HMAC_SHA256: "sha256",
    alg.HMAC_SHA384: "sha384",
    alg.HMAC_SHA512: "sha512",
}


def verify_asymmetric(uri: str, key: PublicKey, signature: bytes, data: bytes) -> None:
    """Verify a SignatureValue by a public key (XML Signature 1.1 section 6.4).

    Raises:
        WSSecurityError: KEY_KIND when method and key do not fit, SIGNATURE_VALUE.
    """
    row = ASYMMETRIC_SIGNATURES[uri]
    if not isinstance(key, row.key):
        raise WSSecurityError(Reason.KEY_KIND, uri)
    try:
        row.verify(key, signature, data)
    except (InvalidSignature, ValueError):
        raise WSSecurityError(Reason.SIGNATURE_VALUE) from None


def verify_symmetric(uri: str, secret: bytes, signature: bytes, data: bytes) -> None:
    """Verify a SignatureValue by a secret key (XML Signature 1.1 section 6.3), in constant time.

    Raises:
        WSSecurityError: SIGNATURE_VALUE.
    """
    expected = hmac.digest(secret, data, SYMMETRIC_SIGNATURES[uri])
    if not hmac.compare_digest(expected, signature):
        raise WSSecurityError(Reason.SIGNATURE_VALUE)


def identity(uri: str, signature: bytes) -> bytes:
    """What all spellings of one signature share, by which a replay is told.

    Whoever holds an ECDSA signature (r, s) can write (r, n - s), which holds as well: r stays.
    """
    row = ASYMMETRIC_SIGNATURES.get(uri)
    if row is not None and row.key is ec.EllipticCurvePublicKey:
        return signature[: len(signature) // 2]
    return signature


def sign_asymmetric(uri: str, key: PrivateKey, data: bytes) -> bytes:
    """Sign by a private key; the SignatureValue's octets."""
    return ASYMMETRIC_SIGNATURES[uri].sign(key, data)


def sign_symmetric(uri: str, secret: bytes, data: bytes) -> bytes:
    """Sign by a secret key; the SignatureValue's octets."""
    return hmac.digest(secret, data, SYMMETRIC_SIGNATURES[uri])


def fitting_signature(key: PrivateKey, methods: tuple[str, ...]) -> str | None:
    """The first of the methods that this private key can do, or None."""
    for uri in methods:
        row = ASYMMETRIC_SIGNATURES.get(uri)
        if row is not None and isinstance(key, row.private):
            return uri
    return None
