"""Timestamp present, signed and fresh (SOAP Message Security 1.1, section 10; SP 1.2, section 6.2)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from wsprovider.header.timestamp import Timestamp
from wsprovider.inbound.finding import Case, Finding, Freshness, Rule
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
    for stamp in case.evidence.candidates.timestamps.values():
        finding = staleness(stamp, case.circumstances.now, case.circumstances.freshness)
        if finding is not None:
            yield finding


def staleness(stamp: Timestamp, now: datetime, freshness: Freshness) -> Finding | None:
    """What is wrong with a Timestamp's age; None when it is fresh."""
    if stamp.expires is None:
        return Finding(Reason.TIMESTAMP_MALFORMED, "no Expires")
    if stamp.created > now + freshness.future:
        return Finding(Reason.TIMESTAMP_FUTURE, f"created {stamp.created.isoformat()}")
    if min(stamp.expires, stamp.created + freshness.life) + freshness.skew <= now:
        return Finding(Reason.TIMESTAMP_EXPIRED, f"created {stamp.created.isoformat()}")
    return None


RULES: Final[tuple[Rule, ...]] = (present_and_signed, fresh)
