"""What must be encrypted is, nothing else is, and one key did it all (SP 1.2, sections 4.2, 6, 7)."""

from collections.abc import Iterator
from typing import Final

from wsprovider.header import signature, signature_confirmation, username_token
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
    if element.tag == username_token.TAG:
        return bool(requirements.usernames)
    if element.tag == signature.TAG:
        return requirements.encrypt_signature
    if element.tag == signature_confirmation.TAG:
        return not requirements.request
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
    if len(evidence.candidates.encrypted_keys) > 1:
        yield Finding(Reason.PROTECTION_KEY, "more than one EncryptedKey")
    if case.requirements.encryption_derived and any(
        fact.key.derived is None for fact in evidence.decryptions
    ):
        yield Finding(Reason.DERIVED_KEYS_REQUIRED, "encryption")


RULES: Final[tuple[Rule, ...]] = (of_the_parts, of_nothing_else, of_the_signature, by_one_key)
