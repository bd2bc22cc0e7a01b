"""The message signature: made by the right key, over the right elements (SP 1.2, sections 4.1, 6, 7)."""

from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from wsprovider.crypto.direction import of_our_reply
from wsprovider.inbound.evidence import IMPLIED, CertificateKey, SecretKey, SignatureFact
from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.policy.model import X509Token
from wsprovider.policy.requirements import EndorsingRequirement, Protection, source_of
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
    if isinstance(main.key, SecretKey) and main.key.root.source is not case.requirements.key_source:
        yield Finding(Reason.PROTECTION_KEY, f"the key of a {main.key.root.source.value}")
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
    else:  # at most one, and it may not be in this message
        indices |= set(evidence.candidates.contexts) | set(evidence.candidates.tickets)
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
    return isinstance(key, SecretKey) and key.root.source is source_of(wanted.token)


def _endorsed(case: Case, wanted: EndorsingRequirement, fact: SignatureFact) -> Iterator[Finding]:
    evidence, key = case.evidence, fact.key
    if case.requirements.protection is Protection.TRANSPORT:
        signed = tuple(evidence.candidates.timestamps)
    else:
        signed = () if case.main is None else (case.main.signature.index,)
    if not signed or not all(fact.covers(evidence.child(index)) for index in signed):
        yield Finding(Reason.SIGNATURE_MISSING, "endorsing, over what it has to sign")
    if isinstance(key, SecretKey):
        if key.root.ticket is not None:
            yield from _with_its_ticket(case, wanted, fact)
        return
    token = key.token
    signed_too = wanted.signed and case.requirements.protection is not Protection.TRANSPORT
    if token is None:
        if signed_too:  # nothing says that the message was to be this one's: anybody's could take its place
            yield Finding(Reason.TOKEN_NOT_SIGNED, "endorsing, and not in the message")
        return
    certificates = evidence.candidates.certificates
    # the same certificate may be there once for each signature, and both be named alike
    same = [
        index for index, one in certificates.items() if one.certificate == certificates[token].certificate
    ]
    main, decrypted = case.main, {one.element for one in evidence.decryptions}
    elements = {index: evidence.child(index) for index in same}
    if signed_too and (main is None or not any(main.covers(one) for one in elements.values())):
        yield Finding(Reason.TOKEN_NOT_SIGNED, "endorsing")
    if case.requirements.protect_tokens and not any(
        index in fact.tokens or fact.covers(one) for index, one in elements.items()
    ):
        yield Finding(Reason.TOKEN_NOT_PROTECTED, "endorsing")
    if wanted.encrypted and decrypted.isdisjoint(elements.values()):
        yield Finding(Reason.TOKEN_NOT_ENCRYPTED, "endorsing")


def _with_its_ticket(case: Case, wanted: EndorsingRequirement, fact: SignatureFact) -> Iterator[Finding]:
    """A signed endorsing ticket stands in the message; else anybody's could take its place."""
    evidence, main = case.evidence, case.main
    elements = {index: evidence.child(index) for index in evidence.candidates.tickets}
    if case.requirements.protect_tokens and not _covers_all(fact, elements):
        yield Finding(Reason.TOKEN_NOT_PROTECTED, "endorsing")
    if not wanted.signed or case.requirements.protection is Protection.TRANSPORT:
        return
    if not elements or main is None or not _covers_all(main, elements):
        yield Finding(Reason.TOKEN_NOT_SIGNED, "endorsing")


def _covers_all(fact: SignatureFact, elements: Mapping[int, etree._Element]) -> bool:
    return all(index in fact.tokens or fact.covers(one) for index, one in elements.items())


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
