"""A reply of ours explained, as whoever sent the request would examine it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from lxml import etree

from wsprovider.exchange.initiator import Initiator, Pending
from wsprovider.explain.dissection import Dissection
from wsprovider.explain.explaining import Explained, Judged, Received, Way, explain
from wsprovider.explain.report import Fact, Report
from wsprovider.inbound.evidence import KeyRoot, SecretKey
from wsprovider.soap.version import SOAP_VERSIONS
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.canonical import Room

_FAULT: Final = "It is an unprotected fault, which refuses the request: explain the request."
_CLIENT: Final = "It is encrypted to the client's certificate: name the client's key with --client FILE.p12."


def explain_reply(
    initiator: Initiator,
    received: Received,
    pending: Pending,
    *,
    name: str,
    secure: bool,
    now: datetime,
    limits: Limits,
    client: bool,
    facts: Sequence[Fact] = (),
    show: bool = False,
) -> Explained:
    """Explain a reply.

    Args:
        initiator: with the requirements of the way that the request came by.
        pending: the request (:func:`pending_of`).
        name: of that way.
        secure: it came by TLS.
        now: what the initiator's clock says.
        client: the initiator has the client's key.

    Raises:
        BackendError: a store did not answer.
    """

    def judge() -> Judged:
        try:
            reply = initiator.accept(pending, received.body, secure=secure, charset=received.charset)
        except (WSSecurityError, SoapError) as error:
            return Judged(error)
        what = "a protected fault" if reply.fault else "the reply"
        return Judged(None, f"Accepted as {what} to this request.", 0)

    explained = explain(
        received,
        judge=judge,
        context=lambda: initiator.context(pending, now, Room.of(received.body, limits.canonical_growth)),
        circumstances=initiator.circumstances(pending, now, secure=secure),
        ways=[Way(f"reply, {name}", initiator.requirements.reply)],
        facts=facts,
        limits=limits,
        show=show,
    )
    return replace(explained, report=_advised(explained, client=client))


def _advised(explained: Explained, *, client: bool) -> Report:
    """The report, with what to do where the reply is none, or is not for us to read."""
    report, dissection = explained.report, explained.dissection
    if report.trouble is None or dissection is None:
        return report
    payload = dissection.envelope.payload
    if report.trouble.reason is Reason.NO_SECURITY_HEADER and payload is not None and _is_fault(payload):
        return replace(report, advice=(_FAULT, *report.advice))
    if (
        report.trouble.reason is Reason.UNRESOLVED_REFERENCE
        and dissection.candidates.encrypted_keys
        and not client
    ):
        return replace(report, advice=(_CLIENT, *report.advice))
    return report


def _is_fault(payload: etree._Element) -> bool:
    return payload.tag in {f"{{{namespace}}}Fault" for namespace in SOAP_VERSIONS}


def pending_of(request: Received, dissection: Dissection, sent: datetime) -> Pending:
    """What whoever sent a request knows of it: its secrets and the values of its signatures.

    The secrets come out of the request by our own keys.
    """
    pieces = dissection.signatures.values()
    roots = [*_roots(dissection)]
    return Pending(
        data=request.body,
        version=request.version,
        signatures=tuple(piece.signature.value for piece in pieces),
        sent=sent,
        secrets={root.sha1: root.secret for root in roots if root.encrypted_key is not None},
        context=next((root.context for root in roots if root.context is not None), None),
        ticket=next((root.ticket for root in roots if root.ticket is not None), None),
    )


def _roots(dissection: Dissection) -> Sequence[KeyRoot]:
    keys = [
        *(piece.key for piece in dissection.signatures.values()),
        *(piece.key for piece in dissection.ciphers),
    ]
    found = {key.root: None for key in keys if isinstance(key, SecretKey)}
    found.update(dict.fromkeys(dissection.keys.roots.values()))
    return tuple(found)
