"""Evidence against requirements: every alternative is tried, and one must be met completely.

Nothing is chosen by what the message says about itself: the alternative that applies is the one that
is proven (WS-Policy 1.5, section 4; CVE-2012-2379 is what happens otherwise).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wsprovider.inbound.evidence import Evidence
from wsprovider.inbound.finding import Case, Circumstances, Finding
from wsprovider.inbound.rules import RULES
from wsprovider.policy.requirements import MessageRequirements, Protection
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

_NOTHING: Final = {Reason.BASIC_MISSING: 1, Reason.NO_SECURITY_HEADER: 2}
"""Who sends neither a header of HTTP nor one of SOAP hears of the former, for which there is a challenge."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The alternative that a message met.

    Attributes:
        index: of the alternative.
        case: the message and that alternative's requirements.
    """

    index: int
    case: Case


def judge(
    evidence: Evidence,
    alternatives: Sequence[MessageRequirements],
    circumstances: Circumstances,
    admits: Callable[[int], bool] = lambda _: True,
) -> Verdict:
    """Find the alternative that the evidence meets.

    Args:
        admits: whether the alternative of that index is one for a message of this content.

    Raises:
        WSSecurityError: the first finding of the alternative that came closest; the others stand in
            its detail. WRONG_POLICY where only alternatives are met that are for other content; its
            detail says what the closest of the others lacks.
    """
    closest: list[Finding] | None = None
    met: list[Finding] = []
    for index, requirements in enumerate(alternatives):
        case = Case(requirements, evidence, circumstances)
        findings = findings_of(case)
        if not findings:
            if admits(index):
                return Verdict(index, case)
            met = [Finding(Reason.WRONG_POLICY)]
        elif closest is None or distance(findings) < distance(closest):
            closest = findings
    findings = met + (closest or [])
    if not findings:
        raise WSSecurityError(Reason.NO_ALTERNATIVE)
    first, *others = findings
    also = ", ".join(finding.reason.name for finding in others)
    raise WSSecurityError(first.reason, "; also: ".join(part for part in (first.detail, also) if part))


def distance(findings: Sequence[Finding]) -> tuple[int, int]:
    """How far a message is from an alternative; furthest from one of which it has nothing at all."""
    nothing = _NOTHING.get(findings[0].reason, 0) if findings else 0
    return nothing, len(findings)


def findings_of(case: Case) -> list[Finding]:
    """Every finding of every rule; none means that the requirements are met."""
    requirements, evidence = case.requirements, case.evidence
    if requirements.protection is Protection.NONE:
        return list(_bare(case))
    if evidence.envelope.security is None and (
        requirements.has_signature or requirements.timestamp or requirements.usernames
    ):
        return [Finding(Reason.NO_SECURITY_HEADER)]
    return [finding for rule in RULES for finding in rule(case)]


def _bare(case: Case) -> Iterator[Finding]:
    """Where nothing is asked for, nothing may be there that nobody would look at."""
    if case.evidence.envelope.security is not None:
        yield Finding(Reason.UNUSED_HEADER_CHILD, "a Security header; nothing asks for it")
    if case.circumstances.basic is not None:
        yield Finding(Reason.TOKEN_UNEXPECTED, "Authorization")
