"""What an answer says of a variant: refused as it should be, or a finding.

The bytes of every fault that wsprovider sends to refuse a message are known (:mod:`wsprovider.soap.fault`), so that
whatever differs by one byte is seen. SOAP Message Security 1.1, section 12, allows the one uniform fault; who tells
security refusals apart gives an attacker an oracle (attacks.md, P01).
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from lxml import etree

from wsprovider.attack.bend import OURS
from wsprovider.attack.line import Answer
from wsprovider.attack.variants import Answers
from wsprovider.soap.fault import refusal
from wsprovider.soap.version import SOAP_VERSIONS
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.printable import printable
from wsprovider.words.reasons import Reason
from wsprovider.xml.parse import parse

_QUOTED: Final = 120
_NOT_IMPLEMENTED: Final = 501  # RFC 9112, section 6.1, of a coding that is not understood
_TELLING: Final = re.compile(
    r"Traceback|[A-Za-z]+(?:Error|Exception)\b|\.py\b|/(?:app|etc|home|opt|root|srv|tmp|usr|var)/|site-packages|"
    r"0x[0-9a-f]{8}|marker|[Ll]ine \d+|libxml|lxml|openssl|"
    rf"{re.escape(OURS)}|" + "|".join(rf"\b{reason.name}\b" for reason in Reason)
)
"""What the text of a refusal must not hold: Python, files, the parser, a Reason, or what the message said."""
_VERSIONED: Final = (ns.WSC_200512, ns.WSC_200502, ns.WST_200512, ns.WST_200502)


class Outcome(Enum):
    """What became of a variant."""

    REFUSED = "refused"
    OTHERWISE = "refused otherwise"
    ACCEPTED = "ACCEPTED"
    SLOW = "SLOW"
    NO_ANSWER = "NO ANSWER"
    LEAK = "LEAK"
    NOT_APPLICABLE = "not applicable"

    @property
    def finding(self) -> bool:
        """Whether somebody has to look at it."""
        return self in (Outcome.ACCEPTED, Outcome.SLOW, Outcome.NO_ANSWER, Outcome.LEAK)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, and a few words; what a peer said in them is bounded and printable."""

    outcome: Outcome
    note: str = ""


@cache
def uniform() -> frozenset[bytes]:
    """The security fault, in both versions of SOAP."""
    error = WSSecurityError(Reason.SIGNATURE_VALUE)
    return frozenset(refusal(error, version).data for version in SOAP_VERSIONS.values())


@cache
def documented() -> dict[bytes, SoapFault]:
    """Every other fault that refuses a message, by its bytes."""
    return {
        refusal(SoapError(fault, Reason.SOAP_STRUCTURE, namespace=namespace), version).data: fault
        for version in SOAP_VERSIONS.values()
        for fault in SoapFault
        for namespace in (None, *(_VERSIONED if _is_versioned(fault) else ()))
    }


def _is_versioned(fault: SoapFault) -> bool:
    """Whether several versions of a standard name it: the namespace is that of the message."""
    return fault in (
        SoapFault.BAD_CONTEXT_TOKEN,
        SoapFault.UNABLE_TO_RENEW,
        SoapFault.INVALID_REQUEST,
        SoapFault.REQUEST_FAILED,
    )


def verdict(answer: Answer, wanted: Answers) -> Verdict:
    """Judge an answer by itself; how long it took is judged by who knows what is usual."""
    if answer.body in uniform():
        return Verdict(Outcome.REFUSED)
    fault = documented().get(answer.body)
    if fault is SoapFault.SERVER:
        return Verdict(Outcome.NO_ANSWER, "the service failed (see its log)")
    if fault is not None and wanted is Answers.UNIFORM:
        return Verdict(Outcome.LEAK, f"{fault.value} tells it from other security refusals")
    if fault is not None:
        return Verdict(Outcome.OTHERWISE, fault.value)
    if answer.status < 400:
        return Verdict(Outcome.ACCEPTED, f"HTTP status {answer.status}")
    return _unknown(answer)


def _unknown(answer: Answer) -> Verdict:
    """An answer of 400 and more that is none of the faults that are documented."""
    root = _envelope(answer.body)
    if root is not None and _protected(root):
        return Verdict(Outcome.ACCEPTED, f"a protected reply, HTTP status {answer.status}")
    said = _text(answer.body)
    if root is not None:
        return Verdict(Outcome.LEAK, f"a fault that is not documented: {said}")
    told = _TELLING.search(answer.body.decode("utf-8", "replace"))
    if told is not None:
        return Verdict(Outcome.LEAK, f"HTTP status {answer.status} tells {printable(told[0])!r}: {said}")
    if answer.status >= 500 and answer.status != _NOT_IMPLEMENTED:
        return Verdict(Outcome.NO_ANSWER, f"HTTP status {answer.status} without a fault")
    return Verdict(Outcome.OTHERWISE, f"HTTP status {answer.status}")


def _envelope(body: bytes) -> etree._Element | None:
    try:
        root = parse(body, Limits())
    except (SoapError, WSSecurityError):
        return None
    return root if etree.QName(root).localname == "Envelope" else None


def _protected(root: etree._Element) -> bool:
    """Whether a reply was made for a message that was accepted."""
    return root.find(f".//{{{ns.WSSE}}}Security") is not None


def _text(body: bytes) -> str:
    """What an answer says, without its markup."""
    words = re.sub(rb"<[^<>]*>", b" ", body[:4_000]).decode("utf-8", "replace").split()
    return printable(" ".join(words)[:_QUOTED])
