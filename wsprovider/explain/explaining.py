"""One message explained: the engine's verdict, and beside it what the message has shown by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from lxml import etree

from wsprovider.explain.advice import advice, meaning
from wsprovider.explain.atlas import Atlas
from wsprovider.explain.demands import demands_of
from wsprovider.explain.dissection import Dissection
from wsprovider.explain.items import Describing
from wsprovider.explain.pointing import Pointing, of_items
from wsprovider.explain.report import (
    Demand,
    Fact,
    Item,
    Refusal,
    Report,
    Spot,
    Trouble,
    WayReport,
    detail_of,
    shown,
)
from wsprovider.header import encrypted_data, timestamp
from wsprovider.inbound.context import Context
from wsprovider.inbound.finding import Case, Circumstances, Finding
from wsprovider.inbound.judge import distance, findings_of
from wsprovider.policy.requirements import MessageRequirements
from wsprovider.soap.envelope import SECURITY
from wsprovider.soap.version import SOAP_11, SOAP_VERSIONS, SoapVersion
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.parse import parse

_LINE_ENDS = 2_000
CONTENT = 20_000
"""Characters of one decrypted content that are shown."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message, and what HTTP said of it.

    Attributes:
        body: every byte.
        version: what its Content-Type promises.
        action: SOAPAction, or the action parameter.
    """

    body: bytes
    version: SoapVersion
    charset: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which the message may be protected.

    Attributes:
        admits: whether a message with this Body's content may come by it.
    """

    name: str
    requirements: MessageRequirements
    admits: Callable[[etree._Element | None], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Judged:
    """What the engine said.

    Attributes:
        refusal: None when the message was accepted.
        sentence: how the report begins when it was.
        way: index of the way it met.
    """

    refusal: Refusal | None
    sentence: str = ""
    way: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """A report, and the message taken apart that it tells of; None where there was no taking it apart."""

    report: Report
    dissection: Dissection | None
    closest: int


def explain(
    received: Received,
    *,
    judge: Callable[[], Judged],
    context: Callable[[], Context],
    circumstances: Circumstances,
    ways: Sequence[Way],
    facts: Sequence[Fact],
    steps: Callable[[Reason | None, bool], tuple[Demand, ...]] = lambda _reason, _reached: (),
    limits: Limits,
    show: bool = False,
) -> Explained:
    """Explain a message.

    Args:
        judge: has the engine accept it or not; asked last.
        context: what its examination is given.
        ways: at least one.
        facts: what is known beside the message.
        steps: what is asked once the policy is met, by what refused the message and whether it came so far.
        show: decrypted content and passwords get into the report.

    Raises:
        BackendError: a store did not answer.
    """
    dissection = _dissected(received, context, limits)
    told = (*_of_message(received), *facts)
    if not isinstance(dissection, Dissection):
        judged = judge()
        report = _frameless(received, judged, dissection, ways, circumstances, told, steps, limits)
        return Explained(report, None, 0)
    evidence = dissection.evidence
    findings = [findings_of(Case(way.requirements, evidence, circumstances)) for way in ways]
    describing = Describing(dissection, circumstances.freshness, show=show)
    items = tuple(describing.items())
    judged = judge()
    closest = _closest(judged, findings, ways, dissection)
    pointing = Pointing(dissection)
    payload = dissection.envelope.payload
    for way, found in zip(ways, findings, strict=True):
        if not way.admits(payload):
            found.append(Finding(Reason.WRONG_POLICY))
    reports = _ways(ways, findings, closest, circumstances, pointing)
    trouble = None
    if judged.refusal is not None:
        trouble = _placed(judged.refusal, items, findings[closest], pointing)
    reached = dissection.clean and not findings[closest]
    report = Report(
        headline=_headline(judged, trouble),
        trouble=trouble,
        advice=() if trouble is None else tuple(advice(trouble.reason, ways[closest].requirements)),
        circumstances=told,
        ways=reports,
        steps=steps(None if trouble is None else trouble.reason, reached),
        items=items,
        contents=_contents(describing, dissection) if show else (),
    )
    return Explained(report, dissection, closest)


def _dissected(received: Received, context: Callable[[], Context], limits: Limits) -> Dissection | Refusal:
    try:
        root = parse(received.body, limits, charset=received.charset)
        return Dissection(root, received.version, context(), Atlas(received.body, root))
    except (WSSecurityError, SoapError) as error:
        return error


def _of_message(received: Received) -> tuple[Fact, ...]:
    digest = sha256(received.body).hexdigest()
    return (("message", f"{len(received.body)} bytes, SOAP {received.version.name}, SHA-256 {digest}"),)


def _frameless(
    received: Received,
    judged: Judged,
    error: Refusal,
    ways: Sequence[Way],
    circumstances: Circumstances,
    told: tuple[Fact, ...],
    steps: Callable[[Reason | None, bool], tuple[Demand, ...]],
    limits: Limits,
) -> Report:
    """Of a message that is none: there is nothing to hold the policy against."""
    refusal = judged.refusal or error
    trouble = Trouble(refusal.reason, detail_of(refusal), _frame_spot(received, refusal.reason, limits))
    way = WayReport(
        0, ways[0].name, demands_of(ways[0].requirements, circumstances, None, lambda _: None), closest=True
    )
    return Report(
        headline=_headline(Judged(refusal), trouble),
        trouble=trouble,
        advice=tuple(advice(trouble.reason, None)),
        circumstances=told,
        ways=(way,),
        steps=steps(trouble.reason, False),
        items=(),
    )


def _frame_spot(received: Received, reason: Reason, limits: Limits) -> Spot | None:
    """The root of what is well-formed; the position in what is not stands in the parser's own words."""
    try:
        root = parse(received.body, limits)
    except SoapError:
        return None
    several = root.findall(f"{{*}}Header/{SECURITY}")[1:] if reason is Reason.SEVERAL_SECURITY_HEADERS else ()
    return Atlas(received.body, root).spot(several[0] if several else root)


def _closest(
    judged: Judged, findings: Sequence[list[Finding]], ways: Sequence[Way], dissection: Dissection
) -> int:
    """The way that was met; else the one that came closest, as the judge sees it."""
    if judged.way is not None:
        return judged.way
    payload = dissection.envelope.payload
    hidden = payload is not None and payload.tag == encrypted_data.TAG  # nobody knows what it asks for
    admitted = [index for index, way in enumerate(ways) if hidden or way.admits(payload)]
    if dissection.clean:  # the judge compared all of them
        admitted = [index for index in admitted if not findings[index]] or list(range(len(ways)))
    return min(admitted or range(len(ways)), key=lambda index: distance(findings[index]))


def _ways(
    ways: Sequence[Way],
    findings: Sequence[list[Finding]],
    closest: int,
    circumstances: Circumstances,
    pointing: Pointing,
) -> tuple[WayReport, ...]:
    order = sorted(range(len(ways)), key=lambda index: index != closest)
    return tuple(
        WayReport(
            index,
            ways[index].name,
            demands_of(
                ways[index].requirements,
                circumstances,
                findings[index],
                lambda one: pointing.spot(one.reason, one.detail),
            ),
            closest=index == closest,
        )
        for index in order
    )


def _placed(
    refusal: Refusal, items: tuple[Item, ...], findings: list[Finding], pointing: Pointing
) -> Trouble:
    """What refused the message, with its place."""
    detail = detail_of(refusal)
    found = of_items(items, refusal.reason, detail)
    if found is not None:
        return Trouble(refusal.reason, detail, found.spot)
    finding = next((one for one in findings if one.reason is refusal.reason), None)
    return Trouble(
        refusal.reason, detail, pointing.spot(refusal.reason, detail if finding is None else finding.detail)
    )


def _headline(judged: Judged, trouble: Trouble | None) -> str:
    if trouble is None:
        return judged.sentence
    where = "" if trouble.spot is None else f", at {trouble.spot}"
    detail = f" ({shown(trouble.detail)})" if trouble.detail else ""
    return f"Refused, {trouble.reason.name}: {meaning(trouble.reason)}{detail}{where}."


def _contents(describing: Describing, dissection: Dissection) -> tuple[tuple[Spot, str], ...]:
    return tuple((dissection.atlas.spot(element), text[:CONTENT]) for element, text in describing.contents())


def created_of(body: bytes, limits: Limits, charset: str | None = None) -> datetime | None:
    """When a message says that it was made; None where its Timestamp cannot be read."""
    try:
        root = parse(body, limits, charset=charset)
        stamp = root.find(f"{{*}}Header/{SECURITY}/{timestamp.TAG}")
        return None if stamp is None else timestamp.read(stamp, 0, limits).created
    except (WSSecurityError, SoapError):
        return None


def version_of(body: bytes, limits: Limits) -> SoapVersion:
    """The SOAP version that a message is of by its own word; 1.1 where it says nothing."""
    try:
        root = parse(body, limits)
    except SoapError:
        return SOAP_11
    return SOAP_VERSIONS.get(root.tag[1:].partition("}")[0], SOAP_11)
