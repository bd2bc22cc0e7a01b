"""What must be encrypted is, nothing else is, and one key did it all (SP 1.2, sections 4.2, 6, 7)."""

from collections.abc import Iterator
from typing import Final

from wsprovider.header import (
    binary_security_token,
    signature,
    signature_confirmation,
    username_token,
)
from wsprovider.inbound.evidence import DecryptionFact, SecretKey
from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.policy.requirements import Protection
from wsprovider.words.reasons import Reason


def of_the_parts(case: Case) -> Iterator[Finding]:
    """The Body's content and the header blocks that EncryptedParts names were encrypted."""
    parts = case.requirements.encrypted
    if parts.empty or case.requirements.protection is Protection.TRANSPORT:
        return
    envelope = case.evidence.envelope
    decrypted = {fact.element for fact in case.evidence.decryptions}
    if parts.body and envelope.body not in decrypted:
        yield Finding(Reason.BODY_NOT_ENCRYPTED)
    if envelope.header is None:
        return
    for block in envelope.header:
        if block is not envelope.security and parts.wants(block.tag) and block not in decrypted:
            yield Finding(Reason.HEADER_NOT_ENCRYPTED, block.tag)


def of_nothing_else(case: Case) -> Iterator[Finding]:
    """Encryption that the policy does not call for.

    A UsernameToken may be encrypted without being asked (Apache CXF and WCF always do so), and a
    SignatureConfirmation along with it.
    """
    for fact in case.evidence.decryptions:
        if not _called_for(case, fact):
            yield Finding(Reason.ENCRYPTION_UNEXPECTED, fact.element.tag)


def _called_for(case: Case, fact: DecryptionFact) -> bool:
    requirements, envelope = case.requirements, case.evidence.envelope
    element = fact.element
    if requirements.protection is Protection.TRANSPORT:
        return False
    if fact.content:
        return element is envelope.body and requirements.encrypted.body
    wanted = {
        username_token.TAG: bool(requirements.usernames),
        signature.TAG: requirements.encrypt_signature,
        signature_confirmation.TAG: not requirements.request,
        binary_security_token.TAG: any(endorsing.encrypted for endorsing in requirements.endorsing),
    }
    if element.tag in wanted:
        return wanted[element.tag]
    return element.getparent() is envelope.header and requirements.encrypted.wants(element.tag)


def of_the_signature(case: Case) -> Iterator[Finding]:
    """EncryptSignature (section 6.4)."""
    main = case.main
    if case.requirements.encrypt_signature and main is not None and not main.decrypted:
        yield Finding(Reason.SIGNATURE_NOT_ENCRYPTED)


def by_one_key(case: Case) -> Iterator[Finding]:
    """Exactly one EncryptedKey, whose key (or keys derived from it) opened everything.

    In a symmetric binding the same key made the signature, and in a reply it is the request's.
    Otherwise the encrypted parts of a message that somebody withheld could be given another Body, or a
    token carried into another message.
    """
    evidence = case.evidence
    roots = {fact.key.root for fact in evidence.decryptions}
    main = case.main
    if (
        case.requirements.protection is Protection.SYMMETRIC
        and main is not None
        and isinstance(main.key, SecretKey)
    ):
        roots.add(main.key.root)
    if len(roots) > 1:
        yield Finding(Reason.PROTECTION_KEY, f"{len(roots)} keys protect one message")
    if (
        case.requirements.protection is Protection.SYMMETRIC
        and not case.requirements.request
        and any(root.encrypted_key is not None for root in roots)
    ):  # anybody can make a key for the initiator's certificate
        yield Finding(Reason.PROTECTION_KEY, "the reply's key is not the request's")
    for root in roots:
        if root.source is not case.requirements.key_source:
            yield Finding(Reason.PROTECTION_KEY, f"the key of a {root.source.value}")
    if len(evidence.candidates.encrypted_keys) > 1:
        yield Finding(Reason.PROTECTION_KEY, "more than one EncryptedKey")
    if case.requirements.encryption_derived and any(
        fact.key.derived is None for fact in evidence.decryptions
    ):
        yield Finding(Reason.DERIVED_KEYS_REQUIRED, "encryption")


def by_a_key_for_each_use(case: Case) -> Iterator[Finding]:
    """A derived key either signs or encrypts (WS-SecureConversation 1.3, section 7).

    However it was told: one token, two of one nonce, or references that imply it. Of one nonce the shorter
    key begins the longer one.
    """
    signing = [
        fact.key.secret
        for fact in case.evidence.signatures
        if isinstance(fact.key, SecretKey) and fact.key.derived is not None
    ]
    for fact in case.evidence.decryptions:
        secret = fact.key.secret
        if fact.key.derived is not None and any(
            secret.startswith(one) or one.startswith(secret) for one in signing
        ):
            yield Finding(Reason.ONE_DERIVED_KEY)
            return


RULES: Final[tuple[Rule, ...]] = (
    of_the_parts,
    of_nothing_else,
    of_the_signature,
    by_one_key,
    by_a_key_for_each_use,
)
