"""``wsprovider call``: one call of a service, secured as its WSDL asks; to see that it works, and as whom.

The client here knows nothing but the WSDL, its own key, the service's certificate, the user's name and the
service's Kerberos principal: the policy is read from the WSDL, the same engine protects the request and judges
the reply. Kerberos itself reads krb5.conf (``KRB5_CONFIG``) and the credential cache (``KRB5CCNAME``).
"""

import argparse
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree

from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.cli.calling import (
    SERVICE,
    add_caller,
    asks_certificates,
    authorization_of,
    body_of,
    client_pair,
    credentials_of,
    snapshot_of,
    takes_basic,
    tickets_of,
    tls_of,
)
from wsprovider.exchange.initiator import Initiator
from wsprovider.exchange.session import Asking, Session
from wsprovider.exchange.verified import VerifiedReply
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.policy.assigned import Assigned, assigned_by
from wsprovider.policy.compile import compile_operation
from wsprovider.policy.effective import policies_of
from wsprovider.policy.model import Policy
from wsprovider.policy.requirements import Requirements
from wsprovider.soap.version import SOAP_11
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem, SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.trust import WST_200502, WST_200512
from wsprovider.xml.parse import parse

_SECONDS: Final = 30
_TYPE: Final = f"{{{ns.XSI}}}type"
_LIMITS: Final = Limits()


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "call", help="call a service, secured as its WSDL asks", description=__doc__
    )
    command.add_argument("wsdl", help="URL of the WSDL")
    command.add_argument("operation", nargs="?", help="operation (default: the first one)")
    command.add_argument("fields", nargs="*", metavar="NAME=VALUE", help="the operation's parameters")
    add_caller(command, client=Path("keys/development/client-1.p12"), ca=Path("keys/development/ca.pem"))
    command.add_argument(
        "--service-certificate",
        type=Path,
        default=Path("keys/development/service.cert.pem"),
        help="the service's certificate (default: %(default)s)",
    )
    command.add_argument(
        "--basic", action="store_true", help="send user and password by HTTP Basic, where the policy lets us"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Call once and print the reply's content."""
    fetch = _fetcher(options.ca)
    wsdl = parse(fetch(urllib.request.Request(options.wsdl)), _LIMITS)  # noqa: S310 - checked by fetch
    port, url = _port(wsdl, options.wsdl)
    operation, action, one_way = _operation(wsdl, options)
    assigned = assigned_by(policies_of(wsdl, where=options.wsdl, port=port), options.wsdl)
    if assigned.usual is None and not assigned.operations:
        raise ConfigurationError([Problem(options.wsdl, "carries no security policy")])
    policies = assigned.of(operation, one_way=one_way)
    if options.basic:
        policies = policies.changed(lambda policy: _by_basic(policy, options.wsdl))
    requirements, *_ = compile_operation(operation, policies, options.wsdl)
    needed = Assigned(None, {operation: policies}).everything
    body = body_of(wsdl.get("targetNamespace", ""), operation, options.fields)
    line = _Line(fetch, url, authorization_of(requirements, credentials_of(options), url), one_way=one_way)
    try:
        ours = _ourselves(needed, options)
        if requirements.conversation is not None:
            answer = _converse(_session(requirements, wsdl, url, options, ours), body, action, line)
        else:
            answer = line.call(Initiator(requirements, options.wsdl, **ours), body, action)
    except (WSSecurityError, SoapError) as error:
        print(f"refused: {_fault_text(line.last) or error}", file=sys.stderr)
        return 1
    if answer is None:
        return 0
    if answer.payload is not None:
        print(_told(answer.payload))
    return 1 if answer.fault else 0


def _told(payload: etree._Element) -> str:
    """A payload as it is read best: laid out, without the prefixes that only the Envelope around it used."""
    if any(_TYPE in element.attrib for element in payload.iter("*")):  # whose value needs its prefix, too
        return etree.tostring(payload, encoding="unicode", pretty_print=True).rstrip()
    alone = deepcopy(payload)
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode", pretty_print=True).rstrip()


def _by_basic(policy: Policy, where: str) -> Policy:
    """The policy's alternative for HTTP Basic alone."""
    found = [one for one in policy.alternatives if takes_basic(one)]
    if not found:
        raise ConfigurationError([Problem(where, "has no HTTP Basic in its policy: leave --basic out")])
    return replace(policy, alternatives=(found[0],))


class _Line:
    """Where requests go, and what came back last."""

    def __init__(
        self,
        fetch: Callable[[urllib.request.Request], bytes],
        url: str,
        authorization: str | None,
        *,
        one_way: bool = False,
    ) -> None:
        self._fetch, self._url, self._one_way = fetch, url, one_way
        self._authorization = authorization
        self.secure = urlsplit(url).scheme == "https"
        self.last = b""

    def send(self, data: bytes, action: str) -> bytes:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        request = urllib.request.Request(self._url, data, headers)  # noqa: S310 - see fetch
        if self._authorization is not None:  # for this address, wherever it may lead
            request.add_unredirected_header("Authorization", self._authorization)
        self.last = self._fetch(request)
        return self.last

    def call(self, side: Initiator | Session, body: etree._Element, action: str) -> VerifiedReply | None:
        """The reply; None where a one-way message was taken."""
        pending = side.request(body, version=SOAP_11)
        answer = self.send(pending.data, action)
        if self._one_way and not answer:
            return None
        return side.accept(pending, answer, secure=self.secure)

    def ask(self, session: Session, asking: Asking) -> None:
        session.take(asking, self.send(asking.data, asking.action), secure=self.secure)


def _converse(session: Session, body: etree._Element, action: str, line: _Line) -> VerifiedReply | None:
    """A whole conversation: opened for the one call, and given up after it."""
    line.ask(session, session.ask(version=SOAP_11))
    answer = line.call(session, body, action)
    line.ask(session, session.ask_end(version=SOAP_11))
    return answer


def _fetcher(ca: Path) -> Callable[[urllib.request.Request], bytes]:
    context = tls_of(ca)

    def fetch(request: urllib.request.Request) -> bytes:
        if urlsplit(request.full_url).scheme not in ("http", "https"):
            raise ConfigurationError([Problem(request.full_url, "is no http or https URL")])
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as answer:  # noqa: S310
                content: bytes = answer.read(_LIMITS.message_bytes + 1)
        except urllib.error.HTTPError as error:  # a SOAP fault comes with 500 or 400
            return error.read(_LIMITS.message_bytes + 1)
        return content

    return fetch


def _operation(wsdl: etree._Element, options: argparse.Namespace) -> tuple[str, str, bool]:
    """Name and SOAPAction of the operation that is meant, and whether it is one-way (WSDL 1.1, section 2.4.1)."""
    found = {
        str(operation.get("name")): (str(binding.get("soapAction", "")), operation)
        for binding in wsdl.iter(f"{{{ns.WSDL_SOAP11}}}operation")
        if (operation := binding.getparent()) is not None
    }
    name = options.operation or next(iter(found), "")
    if name not in found:
        known = ", ".join(found) or "none"
        raise ConfigurationError([Problem(options.wsdl, f"has no operation {name!r}; it has: {known}")])
    action, operation = found[name]
    return name, action, operation.find(f"{{{ns.WSDL11}}}output") is None


def _port(wsdl: etree._Element, given: str) -> tuple[str, str]:
    """The first SOAP 1.1 port and its address; host and port of the address as the WSDL was reached."""
    for address in wsdl.iter(f"{{{ns.WSDL_SOAP11}}}address"):
        port = address.getparent()
        path = urlsplit(address.get("location", "")).path
        reached = urlsplit(given)
        name = "" if port is None else port.get("name", "")
        return name, f"{reached.scheme}://{reached.netloc}{path}"
    raise ConfigurationError([Problem(given, "has no SOAP 1.1 address")])


def _session(
    requirements: Requirements,
    wsdl: etree._Element,
    url: str,
    options: argparse.Namespace,
    ours: dict[str, Any],
) -> Session:
    """WS-Trust of the year that the policy is written in."""
    early = next(wsdl.iter(f"{{{ns.SP_200507}}}SecureConversationToken"), None) is not None
    trust = WST_200502 if early else WST_200512
    return Session(requirements, options.wsdl, address=url, trust=trust, **ours)


def _ourselves(policy: Policy, options: argparse.Namespace) -> dict[str, Any]:
    snapshot = _keys(policy, options)
    return {
        "keys": lambda: snapshot,
        "clock": lambda: datetime.now(UTC),
        "entropy": os.urandom,
        "credentials": credentials_of(options),
        "partner": SERVICE,
        "tickets": tickets_of(policy, options),
    }


def _keys(policy: Policy, options: argparse.Namespace) -> RingSnapshot:
    if not asks_certificates(policy):
        return snapshot_of(None, ())
    pair = client_pair(options.client)
    try:
        (service, *_) = load_certificates(options.service_certificate.read_bytes())
    except (OSError, MaterialError) as error:
        raise ConfigurationError([Problem("--service-certificate", str(error))]) from None
    return snapshot_of(pair, (service,))


def _fault_text(reply: bytes) -> str | None:
    """What an unprotected fault says; shown as it is, believed by nobody."""
    try:
        root = parse(reply, _LIMITS)
    except SoapError:
        return None
    text = root.findtext(f".//{{{ns.SOAP11}}}Fault/faultstring")
    return None if text is None else f"the service answered: {text}"
