"""Data encryption and key transport on bytes: XML Encryption 1.1, sections 5.2 and 5.5.

Every failure to decrypt is one and the same error without a detail, and a key that cannot be
unwrapped is replaced by a random one, so that neither padding nor key transport answers questions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wsprovider.ports import Entropy
from wsprovider.words import algorithms as alg
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import KeyTransport

GCM_IV_BYTES: Final = 12
GCM_TAG_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class CipherRow:
    """A data encryption method: its key length, IV length and block length in bytes."""

    uri: str
    key_bytes: int
    iv_bytes: int
    block_bytes: int
    authenticated: bool
    algorithm: Callable[[bytes], algorithms.AES | TripleDES]


CIPHERS: Final[dict[str, CipherRow]] = {
    row.uri: row
    for row in (
        CipherRow(alg.AES128_CBC, 16, 16, 16, False, algorithms.AES),
        CipherRow(alg.AES192_CBC, 24, 16, 16, False, algorithms.AES),
        CipherRow(alg.AES256_CBC, 32, 16, 16, False, algorithms.AES),
        CipherRow(alg.TRIPLEDES_CBC, 24, 8, 8, False, TripleDES),
        CipherRow(alg.AES128_GCM, 16, GCM_IV_BYTES, 16, True, algorithms.AES),
        CipherRow(alg.AES192_GCM, 24, GCM_IV_BYTES, 16, True, algorithms.AES),
        CipherRow(alg.AES256_GCM, 32, GCM_IV_BYTES, 16, True, algorithms.AES),
    )
}


def encrypt(uri: str, key: bytes, plaintext: bytes, entropy: Entropy) -> bytes:
    """Encrypt octets; the octets of CipherValue (IV first, GCM's tag last)."""
    row = CIPHERS[uri]
    iv = entropy(row.iv_bytes)
    if row.authenticated:
        return iv + AESGCM(key).encrypt(iv, plaintext, None)
    pad = row.block_bytes - len(plaintext) % row.block_bytes
    # section 5.2.2: only the last octet of the padding counts; zeros keep it deterministic
    padded = plaintext + bytes(pad - 1) + bytes((pad,))
    encryptor = Cipher(row.algorithm(key), modes.CBC(iv)).encryptor()
    return iv + encryptor.update(padded) + encryptor.finalize()


def decrypt(uri: str, key: bytes, octets: bytes) -> bytes:
    """Decrypt the octets of a CipherValue.

    Raises:
        WSSecurityError: DECRYPTION, whatever failed.
    """
    plaintext, holds = decrypt_alike(uri, key, octets)
    if not holds:
        raise WSSecurityError(Reason.DECRYPTION)
    return plaintext


def decrypt_alike(uri: str, key: bytes, octets: bytes) -> tuple[bytes, bool]:
    """Decrypt the octets of a CipherValue, and go on where that fails.

    Returns:
        The plaintext, and whether it is one. Where it is none, it is as long, ends in an octet that no XML
        document holds, and is otherwise what the cipher gave: whoever parses it works as much as over a
        plaintext whose padding held by chance, and fails as that one does.
    """
    row = CIPHERS[uri]
    iv, body = octets[: row.iv_bytes], octets[row.iv_bytes :]
    padded = bytes(max(1, len(body)))
    try:
        if row.authenticated:
            return AESGCM(key).decrypt(iv, body, None), True
        decryptor = Cipher(row.algorithm(key), modes.CBC(iv)).decryptor()
        padded = (decryptor.update(body) + decryptor.finalize()) or padded
    except (ValueError, InvalidTag):
        return padded, False
    pad = padded[-1]
    if body and 1 <= pad <= row.block_bytes:
        return padded[:-pad], True
    return padded[:-1] + b"\0", False


_OAEP_DIGESTS: Final[dict[str | None, type[hashes.HashAlgorithm]]] = {
    None: hashes.SHA1,
    alg.SHA1: hashes.SHA1,
    alg.SHA256: hashes.SHA256,
    alg.SHA384: hashes.SHA384,
    alg.SHA512: hashes.SHA512,
}
_MGF_DIGESTS: Final[dict[str | None, type[hashes.HashAlgorithm]]] = {
    None: hashes.SHA1,
    alg.MGF1_SHA1: hashes.SHA1,
    alg.MGF1_SHA256: hashes.SHA256,
    alg.MGF1_SHA384: hashes.SHA384,
    alg.MGF1_SHA512: hashes.SHA512,
}


def _padding(transport: KeyTransport) -> padding.AsymmetricPadding:
    if transport.method == alg.RSA_15:
        return padding.PKCS1v15()
    return padding.OAEP(
        mgf=padding.MGF1(_MGF_DIGESTS[transport.mgf]()),
        algorithm=_OAEP_DIGESTS[transport.digest](),
        label=None,
    )


def wrap_key(transport: KeyTransport, key: rsa.RSAPublicKey, secret: bytes) -> bytes:
    """Encrypt a secret to a certificate's key (section 5.5)."""
    return key.encrypt(secret, _padding(transport))


def unwrap_key(
    transport: KeyTransport,
    key: rsa.RSAPrivateKey,
    octets: bytes,
    lengths: frozenset[int],
    entropy: Entropy,
) -> bytes:
    """Decrypt a secret; on any failure a random one, so that what follows fails alike.

    Args:
        lengths: the lengths in bytes that the suite allows; any other is a failure.
    """
    substitute = entropy(max(lengths))
    try:
        secret = key.decrypt(octets, _padding(transport))
    except ValueError:
        return substitute
    return secret if len(secret) in lengths else substitute
