"""Key, certificate and chain from one PKCS#12 file (RFC 7292)."""

from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates, load_pkcs12

from wsprovider.adapters.keys.pem import usable
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.keyring.material import Certificate, PrivateKey


def load_bundle(
    content: bytes, passphrase: bytes | None
) -> tuple[PrivateKey, Certificate, tuple[Certificate, ...]]:
    """The private key, its certificate, and the other certificates as they stand.

    Raises:
        MaterialError: it cannot be read (mostly: a wrong passphrase), or one of them is missing.
    """
    bundle = open_bundle(content, passphrase)
    if bundle.key is None or bundle.cert is None:
        raise MaterialError("the PKCS#12 file holds no private key with its certificate")
    return (
        usable(bundle.key),
        Certificate.from_x509(bundle.cert.certificate),
        tuple(Certificate.from_x509(one.certificate) for one in bundle.additional_certs),
    )


def open_bundle(content: bytes, passphrase: bytes | None) -> PKCS12KeyAndCertificates:
    """What the file holds: of several keys only the first, which is all that `cryptography` gives.

    Raises:
        MaterialError: it cannot be read (mostly: a wrong passphrase).
    """
    try:
        return load_pkcs12(content, passphrase)
    except Exception:  # noqa: BLE001 - wrong passphrase, bad ASN.1, old ciphers
        raise MaterialError(
            "no PKCS#12 file, or a wrong passphrase (passphrase_env, passphrase_file)"
        ) from None
