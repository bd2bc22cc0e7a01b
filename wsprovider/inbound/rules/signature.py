"""The message signature: made by the right key, over the right elements (SP 1.2, sections 4.1, 6, 7)."""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from wsprovider.crypto.direction import of_our_reply
from wsprovider.inbound.evidence import IMPLIED, CertificateKey, SecretKey, SignatureFact
from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.policy.model import X509Token
from wsprovider.policy.requirements import EndorsingRequirement, Protection
from wsprovider.words.reasons import Reason


def made(case: Case) -> Iterator[Finding]:
    """Exactly one message signature where one is called for, none where none is."""
    count = len(case.evidence.signatures) - len(case.endorsing)
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
    if (
        isinstance(main.key, SecretKey)
        and (main.key.root.context is not None) != case.requirements.in_context
    ):
        yield Finding(Reason.PROTECTION_KEY, "a security context, or none, where the policy wants the other")
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
    elif key.derived not in (None, IMPLIED):
        indices.add(key.derived)
    elif key.root.encrypted_key is not None:
        indices.add(key.root.encrypted_key.index)
    else:
        indices |= set(evidence.candidates.contexts)  # at most one, and it may not be in this message
    for index in indices:
        if index not in main.tokens and not main.covers(evidence.child(index)):
            yield Finding(Reason.TOKEN_NOT_PROTECTED)


def of_a_request(case: Case) -> Iterator[Finding]:
    """Not a reply of ours that came back (:mod:`wsprovider.crypto.direction`)."""
    main = case.main
    if not case.requirements.request or main is None or not isinstance(main.key, SecretKey):
        return
    secret = main.key.root.secret
    if any(of_our_reply(secret, reference.id) for reference in main.signature.references):
        yield Finding(Reason.REPLAY, "our own reply")


def endorsed(case: Case) -> Iterator[Finding]:
    """Endorsing supporting tokens sign the message signature, or over TLS the Timestamp (section 8)."""
    left = list(case.endorsing)
    for wanted in case.requirements.endorsing:
        fitting = [fact for fact in left if _fits(wanted, fact)]
        if not fitting:
            yield Finding(Reason.TOKEN_MISSING, "endorsing")
            continue
        left.remove(fitting[0])
        yield from _endorsed(case, wanted, fitting[0])
    if left:
        yield Finding(Reason.SIGNATURE_UNEXPECTED, "endorsing")


def _fits(wanted: EndorsingRequirement, fact: SignatureFact) -> bool:
    key = fact.key
    if isinstance(wanted.token, X509Token):
        return isinstance(key, CertificateKey)
    return isinstance(key, SecretKey) and key.root.context is not None


def _endorsed(case: Case, wanted: EndorsingRequirement, fact: SignatureFact) -> Iterator[Finding]:
    evidence, key = case.evidence, fact.key
    if case.requirements.protection is Protection.TRANSPORT:
        signed = tuple(evidence.candidates.timestamps)
    else:
        signed = () if case.main is None else (case.main.signature.index,)
    if not signed or not all(fact.covers(evidence.child(index)) for index in signed):
        yield Finding(Reason.SIGNATURE_MISSING, "endorsing, over what it has to sign")
    token = key.token if isinstance(key, CertificateKey) else None
    if token is None:
        return
    element = evidence.child(token)
    if wanted.signed and (case.main is None or not case.main.covers(element)):
        yield Finding(Reason.TOKEN_NOT_SIGNED, "endorsing")
    if case.requirements.protect_tokens and not (token in fact.tokens or fact.covers(element)):
        yield Finding(Reason.TOKEN_NOT_PROTECTED, "endorsing")
    if wanted.encrypted and not any(one.element is element for one in evidence.decryptions):
        yield Finding(Reason.TOKEN_NOT_ENCRYPTED, "endorsing")


def confirmed(case: Case) -> Iterator[Finding]:
    """SignatureConfirmation: never in a request; in a reply one per signature, itself signed.

    SOAP Message Security 1.1, section 8.5.
    """
    confirmations = case.evidence.candidates.confirmations
    if case.requirements.request:
        if confirmations and not case.requirements.stray_confirmation:
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
    of_a_request,
    endorsed,
    confirmed,
)
