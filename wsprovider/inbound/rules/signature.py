"""The message signature: made by the right key, over the right elements (SP 1.2, sections 4.1, 6, 7)."""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from wsprovider.inbound.evidence import CertificateKey, SecretKey
from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.policy.requirements import Protection
from wsprovider.words.reasons import Reason


def made(case: Case) -> Iterator[Finding]:
    """Exactly one message signature where one is called for, none where none is."""
    count = len(case.evidence.signatures)
    if case.requirements.has_signature:
        if count == 0:
            yield Finding(Reason.SIGNATURE_MISSING)
        elif count > 1:
            yield Finding(Reason.SIGNATURE_UNEXPECTED, f"{count} signatures")
    elif count:
        yield Finding(Reason.SIGNATURE_UNEXPECTED, "the policy calls for none")


def by_the_right_key(case: Case) -> Iterator[Finding]:
    """A certificate's key in an asymmetric binding, the protection token's in a symmetric one."""
    main = case.main
    if main is None:
        return
    wanted = case.requirements.protection
    if wanted is Protection.ASYMMETRIC and not isinstance(main.key, CertificateKey):
        yield Finding(Reason.KEY_KIND, "an asymmetric binding wants a certificate's signature")
    if wanted is Protection.SYMMETRIC and not isinstance(main.key, SecretKey):
        yield Finding(Reason.KEY_KIND, "a symmetric binding wants the protection token's signature")
    if case.requirements.signature_derived and isinstance(main.key, SecretKey) and main.key.derived is None:
        yield Finding(Reason.DERIVED_KEYS_REQUIRED, "signature")


def over_the_parts(case: Case) -> Iterator[Finding]:
    """The Body and the header blocks that SignedParts names, by identity and at their place."""
    parts = case.requirements.signed
    if parts.empty or case.requirements.protection is Protection.TRANSPORT:
        return
    main = case.main
    covered: frozenset[etree._Element] = main.covered if main is not None else frozenset()
    envelope = case.evidence.envelope
    if parts.body and envelope.body not in covered:
        yield Finding(Reason.BODY_NOT_SIGNED)
    if envelope.header is None:
        return
    for block in envelope.header:
        if block is envelope.security or not parts.wants(block.tag):
            continue
        if block not in covered:
            yield Finding(Reason.HEADER_NOT_SIGNED, block.tag)


def over_its_token(case: Case) -> Iterator[Finding]:
    """ProtectTokens: the signature covers the token whose key made it (section 6.5)."""
    main = case.main
    if not case.requirements.protect_tokens or main is None:
        return
    key, evidence = main.key, case.evidence
    indices: set[int] = set()
    if isinstance(key, CertificateKey):
        if key.token is None:
            if key.certificate not in main.certificates:
                yield Finding(Reason.TOKEN_NOT_PROTECTED)
            return
        indices.add(key.token)
    elif key.derived is not None:
        indices.add(key.derived)
    else:
        encrypted = key.root.encrypted_key
        if encrypted is None:
            return  # the token is not in this message
        indices.add(encrypted.index)
    for index in indices:
        if index not in main.tokens and not main.covers(evidence.child(index)):
            yield Finding(Reason.TOKEN_NOT_PROTECTED)


def confirmed(case: Case) -> Iterator[Finding]:
    """SignatureConfirmation: never in a request; in a reply one per signature, itself signed.

    SOAP Message Security 1.1, section 8.5.
    """
    confirmations = case.evidence.candidates.confirmations
    if case.requirements.request:
        if confirmations:
            yield Finding(Reason.SIGNATURE_CONFIRMATION_IN_REQUEST)
        return
    if not case.requirements.confirmation:
        if confirmations:
            yield Finding(Reason.SIGNATURE_CONFIRMATION, "not asked for")
        return
    sent = case.circumstances.sent_signatures
    echoed = [confirmation.value for confirmation in confirmations.values()]
    if sorted(echoed, key=_or_empty) != sorted(sent or (None,), key=_or_empty):
        yield Finding(Reason.SIGNATURE_CONFIRMATION, "not those of our request")
    if case.requirements.protection is Protection.TRANSPORT:
        return
    main = case.main
    for index in confirmations:
        if main is None or not main.covers(case.evidence.child(index)):
            yield Finding(Reason.SIGNATURE_CONFIRMATION, "not signed")


def _or_empty(value: bytes | None) -> bytes:
    return value or b""


RULES: Final[tuple[Rule, ...]] = (
    made,
    by_the_right_key,
    over_the_parts,
    over_its_token,
    confirmed,
)
