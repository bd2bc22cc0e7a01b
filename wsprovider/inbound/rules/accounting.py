"""Everything in the Security header is used by a requirement; order, where the policy is Strict."""

from collections.abc import Iterator
from typing import Final

from wsprovider.inbound.evidence import CertificateKey, SecretKey
from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.policy.model import Layout
from wsprovider.policy.requirements import Protection
from wsprovider.words.reasons import Reason


def used(case: Case) -> Iterator[Finding]:
    """No key, token or list that nothing needs; and nothing but facts that were proven."""
    evidence, candidates = case.evidence, case.evidence.candidates
    needed = set(evidence.used)
    for fact in evidence.signatures:
        needed |= fact.tokens
    for found in (
        candidates.certificates,
        candidates.encrypted_keys,
        candidates.derived_keys,
        candidates.contexts,
        candidates.reference_lists,
    ):
        for index in found:
            if index not in needed:
                yield Finding(Reason.UNUSED_HEADER_CHILD, evidence.child(index).tag)
    # a ticket that is signed, and signs nothing, nobody has looked at
    for index in candidates.tickets.keys() - evidence.used:
        yield Finding(Reason.UNUSED_HEADER_CHILD, evidence.child(index).tag)
    opened = {fact.signature.index for fact in evidence.signatures}
    for index in candidates.signatures:
        if index not in opened:
            yield Finding(Reason.UNUSED_HEADER_CHILD, "a Signature that was never opened")
    if case.requirements.protection is Protection.TRANSPORT:
        for index in candidates.encrypted_keys:
            yield Finding(Reason.ENCRYPTION_UNEXPECTED, evidence.child(index).tag)


def required_headers(case: Case) -> Iterator[Finding]:
    """RequiredParts (section 4.3.2)."""
    header = case.evidence.envelope.header
    blocks = [] if header is None else [block.tag for block in header]
    for part in case.requirements.required_headers:
        prefix = f"{{{part.namespace}}}"
        if not any(tag.startswith(prefix) and part.name in (None, tag[len(prefix) :]) for tag in blocks):
            yield Finding(Reason.HEADER_MISSING, f"{prefix}{part.name or '*'}")


def layout(case: Case) -> Iterator[Finding]:
    """Section 6.7: what Strict and the two timestamp layouts say of order."""
    wanted, candidates = case.requirements.layout, case.evidence.candidates
    security = case.evidence.envelope.security
    if security is None or wanted is Layout.LAX:
        return
    if wanted is Layout.STRICT:
        yield from _declared_before_use(case)
        return
    place = 0 if wanted is Layout.LAX_TIMESTAMP_FIRST else len(security) - 1
    for index in candidates.timestamps:
        if index != place:
            yield Finding(Reason.LAYOUT, "Timestamp")


def _declared_before_use(case: Case) -> Iterator[Finding]:
    """Tokens and keys stand before the signature that uses them (BSP 1.1 R5205)."""
    main = case.main
    if main is None:
        return
    sources: set[int] = set()
    if isinstance(main.key, CertificateKey):
        sources |= {main.key.token} if main.key.token is not None else set()
    elif isinstance(main.key, SecretKey):
        sources |= {main.key.derived} if main.key.derived is not None else set()
        sources |= set(case.evidence.candidates.contexts) | set(case.evidence.candidates.tickets)
        if main.key.root.encrypted_key is not None:
            sources.add(main.key.root.encrypted_key.index)
    if any(index > main.signature.index for index in sources):
        yield Finding(Reason.LAYOUT, "a token stands behind the signature that uses it")


RULES: Final[tuple[Rule, ...]] = (used, required_headers, layout)
