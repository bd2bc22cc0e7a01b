"""What any certificate must satisfy before it is used: key, dates, usage, extensions.

Each check looks at one certificate only and raises the precise Reason; none does public-key
arithmetic, so they all run before the first signature of a path is verified.
"""

from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from wsprovider.keyring.material import Certificate
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

_EXPONENT_BITS: Final = 64
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_STRONG_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})

_PROCESSED: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        # any policy is acceptable to us and policyConstraints is refused when critical, so
        # RFC 5280, section 6.1 cannot fail on this one
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)

SIGNER_USAGES: Final = frozenset(
    {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # id-kp-documentSigning, RFC 9336
    }
)
"""Extended usages that make sense for who signs requests; a TLS server's certificate has none."""


def extensions(certificate: Certificate) -> x509.Extensions:
    """The parsed extensions.

    Raises:
        WSSecurityError: MALFORMED_CERTIFICATE.
    """
    try:
        return certificate.parsed.extensions
    except Exception as error:  # noqa: BLE001 - parsed lazily; hostile DER raises several families
        raise WSSecurityError(Reason.MALFORMED_CERTIFICATE, str(error)) from None


def check_readable(certificate: Certificate) -> None:
    """Parse what `cryptography` parses only when asked, so that nothing below can fail on it.

    Raises:
        WSSecurityError: MALFORMED_CERTIFICATE, or CERTIFICATE_KEY for an unusable kind of key.
    """
    _ = extensions(certificate), certificate.public_key
    try:
        parsed = certificate.parsed
        _ = parsed.subject, parsed.issuer, parsed.not_valid_before_utc, parsed.not_valid_after_utc
    except Exception as error:  # noqa: BLE001 - hostile DER raises several families
        raise WSSecurityError(Reason.MALFORMED_CERTIFICATE, str(error)) from None


def extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    """The value of one extension, or None."""
    try:
        return extensions(certificate).get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def check_key(certificate: Certificate, limits: Limits) -> None:
    """Refuse keys too weak to trust, and keys so large that using them is an attack.

    Raises:
        WSSecurityError: CERTIFICATE_KEY.
    """
    key = certificate.public_key
    if isinstance(key, rsa.RSAPublicKey):
        if not limits.rsa_bits_minimum <= key.key_size <= limits.rsa_bits_maximum:
            raise WSSecurityError(Reason.CERTIFICATE_KEY, f"RSA of {key.key_size} bits")
        exponent = key.public_numbers().e
        if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > _EXPONENT_BITS:
            raise WSSecurityError(Reason.CERTIFICATE_KEY, "public exponent of the RSA key")
    elif isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, _CURVES):
        raise WSSecurityError(Reason.CERTIFICATE_KEY, f"curve {key.curve.name}")


def check_dates(certificate: Certificate, now: datetime) -> None:
    """Compare the validity with now; both ends belong to it (RFC 5280, section 4.1.2.5).

    Raises:
        WSSecurityError: CERTIFICATE_EXPIRED or CERTIFICATE_NOT_YET_VALID.
    """
    if now > certificate.parsed.not_valid_after_utc:
        raise WSSecurityError(Reason.CERTIFICATE_EXPIRED, certificate.subject)
    if now < certificate.parsed.not_valid_before_utc:
        raise WSSecurityError(Reason.CERTIFICATE_NOT_YET_VALID, certificate.subject)


def check_signer_usage(certificate: Certificate) -> None:
    """Refuse a certificate whose key usage, where stated, does not let it sign messages.

    RFC 5280, section 4.2.1.3: digitalSignature, or nonRepudiation (contentCommitment).

    Raises:
        WSSecurityError: CERTIFICATE_USAGE.
    """
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise WSSecurityError(Reason.CERTIFICATE_USAGE, "key usage has no digitalSignature")


def check_extended_usage(certificate: Certificate, required: frozenset[x509.ObjectIdentifier]) -> None:
    """Judge the extended key usage (RFC 5280, section 4.2.1.12).

    With ``required`` the extension must be there and name one of them. Without, it may be missing,
    but where it stands it must hold a usage that fits a signer.

    Raises:
        WSSecurityError: CERTIFICATE_USAGE.
    """
    usage = extension(certificate, x509.ExtendedKeyUsage)
    if usage is None:
        if required:
            raise WSSecurityError(Reason.CERTIFICATE_USAGE, "no extended key usage")
    elif (required or SIGNER_USAGES).isdisjoint(usage):
        raise WSSecurityError(Reason.CERTIFICATE_USAGE, "extended key usage of another purpose")


def check_critical(certificate: Certificate) -> None:
    """Refuse critical extensions that nobody here processes (RFC 5280, section 4.2).

    Raises:
        WSSecurityError: CERTIFICATE_PATH.
    """
    for one in extensions(certificate):
        if one.critical and one.oid not in _PROCESSED:
            raise WSSecurityError(Reason.CERTIFICATE_PATH, f"critical extension {one.oid.dotted_string}")


def strong_signature(signed: x509.Certificate | x509.CertificateRevocationList) -> bool:
    """Whether the signature on it uses SHA-2, or a scheme that has its own digest (Ed25519)."""
    try:
        algorithm = signed.signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        return False
    if algorithm is None:
        return signed.signature_algorithm_oid == x509.SignatureAlgorithmOID.ED25519
    return algorithm.name in _STRONG_HASHES


def check_authority(certificate: Certificate, limits: Limits) -> None:
    """Refuse what is no CA: BasicConstraints, keyCertSign, key and extensions; dates are not judged.

    Raises:
        WSSecurityError: CERTIFICATE_KEY, CERTIFICATE_PATH or MALFORMED_CERTIFICATE.
    """
    check_key(certificate, limits)
    constraints = extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise WSSecurityError(Reason.CERTIFICATE_PATH, f"not a CA: {certificate.subject}")
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise WSSecurityError(Reason.CERTIFICATE_PATH, f"CA without keyCertSign: {certificate.subject}")
    check_critical(certificate)


def check_signature_algorithm(certificate: Certificate) -> None:
    """Refuse a certificate that its issuer signed with SHA-1, MD5 or something unknown.

    Raises:
        WSSecurityError: CERTIFICATE_PATH.
    """
    if not strong_signature(certificate.parsed):
        raise WSSecurityError(Reason.CERTIFICATE_PATH, f"weak signature on {certificate.subject}")


def can_encrypt(certificate: Certificate) -> bool:
    """Whether the key usage, where stated, lets keys be encrypted to it."""
    usage = extension(certificate, x509.KeyUsage)
    return usage is None or usage.key_encipherment or usage.key_agreement
