"""``wsprovider call``: one call of a service, secured as its WSDL asks; to see that it works, and as whom.

The client here knows nothing but the WSDL, its own key, the service's certificate, the user's name and the
service's Kerberos principal: the policy is read from the WSDL, the same engine protects the request and judges
the reply. Kerberos itself reads krb5.conf (``KRB5_CONFIG``) and the credential cache (``KRB5CCNAME``).
"""

import argparse
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree

from wsprovider.adapters.kerberos import Tickets, by_cache, by_keytab, by_password, named_password
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.config.demands import demands_of
from wsprovider.config.environment import process_environ
from wsprovider.exchange.initiator import Initiator
from wsprovider.exchange.session import Asking, Session
from wsprovider.exchange.verified import VerifiedReply
from wsprovider.keyring.material import KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.policy.effective import policies_of
from wsprovider.policy.model import Policy
from wsprovider.policy.publish import in_conversation
from wsprovider.soap.version import SOAP_11
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem, SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.trust import WST_200502, WST_200512
from wsprovider.xml.parse import parse

_SECONDS: Final = 30
_SERVICE: Final = "service"
_LIMITS: Final = Limits()


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "call", help="call a service, secured as its WSDL asks", description=__doc__
    )
    command.add_argument("wsdl", help="URL of the WSDL")
    command.add_argument("operation", nargs="?", help="operation (default: the first one)")
    command.add_argument("fields", nargs="*", metavar="NAME=VALUE", help="the operation's parameters")
    command.add_argument("--user", help="user name, where the policy wants one")
    command.add_argument(
        "--password-file", type=Path, help="file with the password (default: WSPROVIDER_PASSWORD)"
    )
    command.add_argument("--digest", action="store_true", help="send a digest instead of the password")
    command.add_argument(
        "--client",
        type=Path,
        default=Path("keys/development/client-1.p12"),
        help="PKCS#12 file with our key (default: %(default)s); its password: WSPROVIDER_CLIENT_PASSWORD",
    )
    command.add_argument(
        "--service-certificate",
        type=Path,
        default=Path("keys/development/service.cert.pem"),
        help="the service's certificate (default: %(default)s)",
    )
    command.add_argument(
        "--ca", type=Path, default=Path("keys/development/ca.pem"), help="for HTTPS (default: %(default)s)"
    )
    kerberos = command.add_argument_group(
        "Kerberos", "The ticket is kinit's, unless a keytab or a file with a password is named."
    )
    kerberos.add_argument(
        "--kerberos-service",
        metavar="NAME",
        help="the service: HTTP/host@REALM, or HTTP@host as krb5.conf has it",
    )
    kerberos.add_argument("--kerberos-principal", metavar="NAME", help="who we are: alice@REALM")
    ours = kerberos.add_mutually_exclusive_group()
    ours.add_argument("--kerberos-keytab", type=Path, metavar="FILE", help="with our key")
    ours.add_argument(
        "--kerberos-password-file", type=Path, metavar="FILE", help="with our password, mode 600"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Call once and print the reply's content."""
    fetch = _fetcher(options.ca)
    wsdl = parse(fetch(urllib.request.Request(options.wsdl)), _LIMITS)  # noqa: S310 - checked by fetch
    port, url = _port(wsdl, options.wsdl)
    policy = policies_of(wsdl, where=options.wsdl, port=port).endpoint
    if policy is None:
        raise ConfigurationError([Problem(options.wsdl, "carries no security policy")])
    operation, action = _operation(wsdl, options)
    body = _body(wsdl.get("targetNamespace", ""), operation, options.fields)
    line = _Line(fetch, url)
    try:
        if in_conversation(policy.alternatives[0]):
            answer = _converse(_session(policy, wsdl, url, options), body, action, line)
        else:
            answer = line.call(_initiator(policy, options), body, action)
    except (WSSecurityError, SoapError) as error:
        print(f"refused: {_fault_text(line.last) or error}", file=sys.stderr)
        return 1
    if answer.payload is not None:
        print(etree.tostring(answer.payload, encoding="unicode", pretty_print=True).rstrip())
    return 1 if answer.fault else 0


class _Line:
    """Where requests go, and what came back last."""

    def __init__(self, fetch: Callable[[urllib.request.Request], bytes], url: str) -> None:
        self._fetch, self._url = fetch, url
        self.secure = urlsplit(url).scheme == "https"
        self.last = b""

    def send(self, data: bytes, action: str) -> bytes:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
        self.last = self._fetch(urllib.request.Request(self._url, data, headers))  # noqa: S310 - see fetch
        return self.last

    def call(self, side: Initiator | Session, body: etree._Element, action: str) -> VerifiedReply:
        pending = side.request(body, version=SOAP_11)
        return side.accept(pending, self.send(pending.data, action), secure=self.secure)

    def ask(self, session: Session, asking: Asking) -> None:
        session.take(asking, self.send(asking.data, asking.action), secure=self.secure)


def _converse(session: Session, body: etree._Element, action: str, line: _Line) -> VerifiedReply:
    """A whole conversation: opened for the one call, and given up after it."""
    line.ask(session, session.ask(version=SOAP_11))
    answer = line.call(session, body, action)
    line.ask(session, session.ask_end(version=SOAP_11))
    return answer


def _fetcher(ca: Path) -> Callable[[urllib.request.Request], bytes]:
    context = ssl.create_default_context(cafile=str(ca) if ca.is_file() else None)

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


def _operation(wsdl: etree._Element, options: argparse.Namespace) -> tuple[str, str]:
    """Name and SOAPAction of the operation that is meant."""
    found = {
        str(binding.getparent().get("name")): str(binding.get("soapAction", ""))  # type: ignore[union-attr]
        for binding in wsdl.iter(f"{{{ns.WSDL_SOAP11}}}operation")
    }
    name = options.operation or next(iter(found), "")
    if name not in found:
        known = ", ".join(found) or "none"
        raise ConfigurationError([Problem(options.wsdl, f"has no operation {name!r}; it has: {known}")])
    return name, found[name]


def _port(wsdl: etree._Element, given: str) -> tuple[str, str]:
    """The first SOAP 1.1 port and its address; host and port of the address as the WSDL was reached."""
    for address in wsdl.iter(f"{{{ns.WSDL_SOAP11}}}address"):
        port = address.getparent()
        path = urlsplit(address.get("location", "")).path
        reached = urlsplit(given)
        name = "" if port is None else port.get("name", "")
        return name, f"{reached.scheme}://{reached.netloc}{path}"
    raise ConfigurationError([Problem(given, "has no SOAP 1.1 address")])


def _body(namespace: str, operation: str, fields: Sequence[str]) -> etree._Element:
    body = etree.Element(f"{{{ns.SOAP11}}}Body", nsmap={"m": namespace})
    payload = etree.SubElement(body, f"{{{namespace}}}{operation}")
    for field in fields:
        name, separator, value = field.partition("=")
        if not separator:
            raise ConfigurationError([Problem(field, "is not of the form NAME=VALUE")])
        etree.SubElement(payload, f"{{{namespace}}}{name}").text = value
    return body


def _initiator(policy: Policy, options: argparse.Namespace) -> Initiator:
    return Initiator(policy, options.wsdl, **_ourselves(policy, options))


def _session(policy: Policy, wsdl: etree._Element, url: str, options: argparse.Namespace) -> Session:
    """WS-Trust of the year that the policy is written in."""
    early = next(wsdl.iter(f"{{{ns.SP_200507}}}SecureConversationToken"), None) is not None
    trust = WST_200502 if early else WST_200512
    return Session(policy, options.wsdl, address=url, trust=trust, **_ourselves(policy, options))


def _ourselves(policy: Policy, options: argparse.Namespace) -> dict[str, Any]:
    snapshot = _keys(policy, options)
    return {
        "keys": lambda: snapshot,
        "clock": lambda: datetime.now(UTC),
        "entropy": os.urandom,
        "credentials": _credentials(options),
        "partner": _SERVICE,
        "tickets": _tickets(policy, options),
    }


def _tickets(policy: Policy, options: argparse.Namespace) -> Tickets | None:
    """The source of our tickets, where the policy wants some."""
    if not demands_of(policy).kerberos:
        return None
    service, principal = options.kerberos_service, options.kerberos_principal
    if service is None:
        what = "is missing: the policy asks for a Kerberos ticket; name the service, such as HTTP/host@REALM"
        raise ConfigurationError([Problem("--kerberos-service", what)])
    acquire = by_cache(principal=principal)
    if options.kerberos_keytab or options.kerberos_password_file:
        if principal is None:
            raise ConfigurationError([Problem("--kerberos-principal", "is missing: name whose key that is")])
        if options.kerberos_keytab:
            acquire = by_keytab(options.kerberos_keytab, principal)
        else:
            password = named_password(variable=None, file=options.kerberos_password_file, environ={})
            acquire = by_password(principal, password)
    return Tickets(service, acquire, hostbased="/" not in service and "@" in service)


def _credentials(options: argparse.Namespace) -> Credentials | None:
    if options.user is None:
        return None
    if options.password_file is not None:
        password = options.password_file.read_text().rstrip("\r\n")
    else:
        password = process_environ().get("WSPROVIDER_PASSWORD", "")
    if not password:
        raise ConfigurationError([Problem("--user", "name a --password-file, or set WSPROVIDER_PASSWORD")])
    return Credentials(options.user, password, digest=options.digest)


def _keys(policy: Policy, options: argparse.Namespace) -> RingSnapshot:
    demands = demands_of(policy)
    if demands.kerberos and not (demands.ring or demands.trust):  # nobody has a certificate there
        return RingSnapshot(Ring("client", ()), Trust((), _LIMITS), "1")
    password = process_environ().get("WSPROVIDER_CLIENT_PASSWORD", "development")
    try:
        key, certificate, chain = load_bundle(options.client.read_bytes(), password.encode())
        (service, *_) = load_certificates(options.service_certificate.read_bytes())
    except (OSError, MaterialError) as error:
        raise ConfigurationError([Problem("--client, --service-certificate", str(error))]) from None
    pair = KeyPair("client", certificate, key, chain)
    ring = Ring("client", (RingKey(pair, frozenset(Purpose)),))
    trust = Trust((PinnedGroup(_SERVICE, (Partner(_SERVICE, (service,)),)),), _LIMITS)
    return RingSnapshot(ring, trust, "1")


def _fault_text(reply: bytes) -> str | None:
    """What an unprotected fault says; shown as it is, believed by nobody."""
    try:
        root = parse(reply, _LIMITS)
    except SoapError:
        return None
    text = root.findtext(f".//{{{ns.SOAP11}}}Fault/faultstring")
    return None if text is None else f"the service answered: {text}"
