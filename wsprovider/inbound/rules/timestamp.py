"""Timestamp present, signed and fresh (SOAP Message Security 1.1, section 10; SP 1.2, section 6.2)."""

from collections.abc import Iterator
from typing import Final

from wsprovider.inbound.finding import Case, Finding, Rule
from wsprovider.policy.requirements import Protection
from wsprovider.words.reasons import Reason


def present_and_signed(case: Case) -> Iterator[Finding]:
    """IncludeTimestamp: there is one, and the message signature covers it."""
    timestamps = case.evidence.candidates.timestamps
    if not timestamps:
        if case.requirements.timestamp:
            yield Finding(Reason.TIMESTAMP_MISSING)
        return
    if case.requirements.protection is Protection.TRANSPORT:
        return  # TLS protects it (section 7.3)
    (index,) = timestamps
    main = case.main
    if main is None or not main.covers(case.evidence.child(index)):
        yield Finding(Reason.TIMESTAMP_NOT_SIGNED)


def fresh(case: Case) -> Iterator[Finding]:
    """Not expired, by its own word or ours, and not of the future."""
    limits, now = case.circumstances.freshness, case.circumstances.now
    for stamp in case.evidence.candidates.timestamps.values():
        if stamp.expires is None:
            yield Finding(Reason.TIMESTAMP_MALFORMED, "no Expires")
            continue
        if stamp.created > now + limits.future:
            yield Finding(Reason.TIMESTAMP_FUTURE, f"created {stamp.created.isoformat()}")
        elif min(stamp.expires, stamp.created + limits.life) + limits.skew <= now:
            yield Finding(Reason.TIMESTAMP_EXPIRED, f"created {stamp.created.isoformat()}")


RULES: Final[tuple[Rule, ...]] = (present_and_signed, fresh)
