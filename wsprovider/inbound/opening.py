"""Opening a signature: algorithms, key, trust and SignatureValue, before any part is looked at.

XML Signature 1.1 section 3.2.2, in the order that the W3C's best practices ask for: what is cheap
and structural first, then trust in the key, then the value; References are digested only for a
signature that holds (:mod:`wsprovider.inbound.closing`).
"""

from dataclasses import dataclass

from wsprovider.crypto.algorithms import (
    ASYMMETRIC_SIGNATURES,
    SYMMETRIC_SIGNATURES,
    identity,
    verify_asymmetric,
    verify_symmetric,
)
from wsprovider.header.signature import Signature
from wsprovider.inbound.context import Context, Gate
from wsprovider.inbound.evidence import CertificateKey, MessageKey
from wsprovider.inbound.keys import Keys
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml import canonical


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A signature whose value holds; what its References say is still to be compared."""

    signature: Signature
    key: MessageKey
    decrypted: bool


def open_signature(signature: Signature, keys: Keys, context: Context, *, decrypted: bool) -> Opened:
    """Verify the SignatureValue.

    Args:
        decrypted: the Signature itself was encrypted.

    Raises:
        WSSecurityError: ALGORITHM_NOT_IN_SUITE, KEY_KIND, SIGNATURE_VALUE, REPLAY, or what resolving
            the key says.
    """
    check_methods(signature, context.gate)
    # first of all, and whatever it proves to be: a copy of what was accepted must not cost a private key's work
    context.signature_seen(identity(signature.method, signature.value))
    key = keys.for_signature(signature.key)
    asymmetric = isinstance(key, CertificateKey)
    methods = ASYMMETRIC_SIGNATURES if asymmetric else SYMMETRIC_SIGNATURES
    if signature.method not in methods:
        raise WSSecurityError(Reason.KEY_KIND, signature.method)
    octets = canonical.exclusive(signature.signed_info, signature.prefixes, context.room)
    if isinstance(key, CertificateKey):
        verify_asymmetric(signature.method, key.certificate.public_key, signature.value, octets)
    else:
        verify_symmetric(signature.method, key.secret, signature.value, octets)
    return Opened(signature, key, decrypted)


def check_methods(signature: Signature, gate: Gate) -> None:
    """Hold what a Signature says of its methods against a gate.

    Raises:
        WSSecurityError: ALGORITHM_NOT_IN_SUITE.
    """
    if signature.method not in gate.signatures:
        raise WSSecurityError(Reason.ALGORITHM_NOT_IN_SUITE, signature.method)
    for reference in signature.references:
        if reference.digest_method not in gate.digests:
            raise WSSecurityError(Reason.ALGORITHM_NOT_IN_SUITE, reference.digest_method)
