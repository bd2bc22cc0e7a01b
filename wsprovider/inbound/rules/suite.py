"""Algorithms within the suite of this very alternative (WS-SecurityPolicy 1.2, section 6.1).

The gate has let in the union of all alternatives; here each fact is held against one.
"""

from collections.abc import Iterator
from typing import Final

from wsprovider.crypto.ciphers import CIPHERS
from wsprovider.inbound.context import secret_lengths
from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.words.reasons import Reason


def followed(case: Case) -> Iterator[Finding]:
    """Signature, digest, encryption and key transport methods."""
    suite, evidence = case.requirements.suite, case.evidence
    for fact in evidence.signatures:
        method = fact.signature.method
        if method not in suite.asymmetric_signatures and method not in suite.symmetric_signatures:
            yield Finding(Reason.ALGORITHM_NOT_IN_SUITE, method)
        for digest in fact.digests:
            if digest not in suite.digests:
                yield Finding(Reason.ALGORITHM_NOT_IN_SUITE, digest)
    for decryption in evidence.decryptions:
        if decryption.method not in suite.encryptions:
            yield Finding(Reason.ALGORITHM_NOT_IN_SUITE, decryption.method)
    for transport in evidence.transports:
        if transport not in suite.key_transports:
            yield Finding(Reason.ALGORITHM_NOT_IN_SUITE, transport.method)


def sized(case: Case) -> Iterator[Finding]:
    """Lengths of secrets that encrypt or came encrypted: another alternative may have let in shorter ones."""
    suite, evidence = case.requirements.suite, case.evidence
    for decryption in evidence.decryptions:
        length = len(decryption.key.secret)
        if length != CIPHERS[decryption.method].key_bytes and not suite.short_symmetric_keys:
            yield Finding(Reason.KEY_SIZE, f"{length} bytes")
    for root in evidence.roots.values():
        if len(root.secret) not in secret_lengths(suite):
            yield Finding(Reason.KEY_SIZE, f"an EncryptedKey of {len(root.secret)} bytes")


RULES: Final[tuple[Rule, ...]] = (followed, sized)
