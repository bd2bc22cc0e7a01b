"""Certificates and private keys in PEM (RFC 7468), certificates and revocation lists also in DER."""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.keyring.material import Certificate, PrivateKey
from wsprovider.words.errors import WSSecurityError

_BEGIN: Final = b"-----BEGIN "


def load_certificates(content: bytes) -> tuple[Certificate, ...]:
    """Every certificate of a PEM file in its order, or the one of a DER file.

    Raises:
        MaterialError: there is none, or one cannot be read.
    """
    try:
        if _BEGIN in content:
            found = tuple(Certificate.from_x509(one) for one in x509.load_pem_x509_certificates(content))
        else:
            found = (Certificate.from_der(content),)
        for one in found:
            parsed = one.parsed  # lazily, that is: what is malformed must not wait for a message
            _ = parsed.extensions, parsed.subject, parsed.issuer
            _ = parsed.not_valid_before_utc, parsed.not_valid_after_utc
    except WSSecurityError as error:
        raise MaterialError(f"no certificate: {error.detail}") from None
    except Exception as error:  # noqa: BLE001 - bad ASN.1 raises several families
        raise MaterialError(f"no certificate: {_brief(error)}") from None
    return found


def load_private_key(content: bytes, passphrase: bytes | None) -> PrivateKey:
    """The private key of a PEM file, or of a DER file (PKCS#8, PKCS#1 or SEC1).

    Raises:
        MaterialError: it cannot be read, the passphrase is wrong, missing or not needed, or it is of a
            kind that messages are not signed with.
    """
    try:
        key = (load_pem_private_key if _BEGIN in content else load_der_private_key)(content, passphrase)
    except TypeError:
        raise MaterialError(
            "the key is encrypted: name passphrase_env or passphrase_file"
            if passphrase is None
            else "the key is not encrypted, but a passphrase is given"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise MaterialError(
            "no private key in PEM or DER"
            if passphrase is None
            else "no private key in PEM or DER, or a wrong passphrase"
        ) from None
    return usable(key)


def usable(key: object) -> PrivateKey:
    """The key, if messages can be signed or decrypted with its kind.

    Raises:
        MaterialError: they cannot.
    """
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise MaterialError("the key is neither RSA, EC nor Ed25519")


def load_revocation_lists(content: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Every revocation list of a PEM file, or the one of a DER file.

    Raises:
        MaterialError: there is none, or one cannot be read.
    """
    try:
        if _BEGIN not in content:
            return (x509.load_der_x509_crl(content),)
        blocks = [_BEGIN + block for block in content.split(_BEGIN + b"X509 CRL")[1:]]
        lists = tuple(
            x509.load_pem_x509_crl(block.replace(_BEGIN, _BEGIN + b"X509 CRL", 1)) for block in blocks
        )
    except Exception as error:  # noqa: BLE001 - bad ASN.1 raises several families
        raise MaterialError(f"no revocation list: {_brief(error)}") from None
    if not lists:
        raise MaterialError("no revocation list in it")
    return lists


def ordered_chain(certificate: Certificate, others: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """The certificates that lead from the certificate to its root, nearest first, without the root.

    Each has signed the one before it; what only has the right name is passed over.
    """
    chain: list[Certificate] = []
    current = certificate
    while True:
        issuers = [one for one in others if one not in (certificate, *chain) and signed_by(current, one)]
        if not issuers or issuers[0].parsed.subject == issuers[0].parsed.issuer:
            return tuple(chain)
        current = issuers[0]
        chain.append(current)


def signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether the issuer is the one that the certificate names, and has signed it (RFC 5280, section 6.1.3)."""
    try:
        certificate.parsed.verify_directly_issued_by(issuer.parsed)
    except (InvalidSignature, TypeError, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _brief(error: Exception) -> str:
    # the library's advice on where to read more is no help in a log
    return str(error).split(". See http", 1)[0]
