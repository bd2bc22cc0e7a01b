# ruff: noqa: N805 - Spyne hands its operations ctx
"""A recipient without security, an echo service, and a WSGI client: what the server's tests stand on."""

import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, ClassVar

from lxml import etree
from spyne import (
    AnyXml,
    Application,
    Array,
    ByteArray,
    ComplexModel,
    Date,
    DateTime,
    Fault,
    Integer,
    ServiceBase,
    Unicode,
    XmlAttribute,
    rpc,
)
from spyne import Decimal as DecimalType
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

from tests.simulator.world import ECHO, World
from wsprovider.exchange.principal import Principal, Proof
from wsprovider.exchange.recipient import VerifiedRequest, WireMessage
from wsprovider.server import wsdl
from wsprovider.server.application import Provider
from wsprovider.server.endpoint import Endpoint, Note
from wsprovider.server.faults import QNameFault
from wsprovider.server.invoker import Invoker
from wsprovider.server.protocols import SecureSoap11
from wsprovider.soap import envelope as soap_envelope
from wsprovider.soap.fault import refusal
from wsprovider.soap.version import SOAP_11, SOAP_12, SoapVersion
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.parse import parse

TNS = "urn:test:shop"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ALICE = Principal("alice", Proof.PASSWORD, roles=frozenset({"clerk"}))


class Item(ComplexModel):
    __namespace__ = TNS
    code = XmlAttribute(Unicode)
    name = Unicode
    price = DecimalType
    due = Date


class Bulky(Item):
    __namespace__ = TNS
    weight = Integer


class Secret(ComplexModel):
    """Registered, and unrelated to Item."""

    __namespace__ = TNS
    password = Unicode


class Basket(ComplexModel):
    __namespace__ = TNS
    items = Array(Item)
    placed = DateTime
    tags = Unicode(max_occurs="unbounded")


class Missing(Fault):
    """A declared fault with a member."""

    __namespace__ = TNS
    number = Integer

    def __init__(self, number: int) -> None:
        super().__init__("Client.Missing", "There is no such order")
        self.number = number


class Shop(ServiceBase):
    seen: ClassVar[list[Any]] = []

    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        Shop.seen.append(text)
        return text

    @rpc(Unicode, Unicode, _returns=Unicode)
    def pair(ctx, first, second):
        Shop.seen.append((first, second))
        return f"{first}-{second}"

    @rpc(Item, _returns=Unicode)
    def kind(ctx, item):
        Shop.seen.append(item)
        return type(item).__name__

    @rpc(Secret)
    def keep(ctx, secret):
        Shop.seen.append(secret)

    @rpc(Bulky)
    def heave(ctx, bulky):
        Shop.seen.append(bulky)

    @rpc(Basket, _returns=Basket)
    def basket(ctx, basket):
        Shop.seen.append(basket)
        return basket

    @rpc(ByteArray, _returns=ByteArray)
    def blob(ctx, data):
        return data

    @rpc(AnyXml, _returns=AnyXml)
    def any(ctx, content):
        return content

    @rpc(Unicode, _is_async=True)
    def note(ctx, text):
        Shop.seen.append(text)
        if text == "fail":
            raise ValueError(text)

    @rpc(_returns=Unicode)
    def who(ctx):
        udc = ctx.udc
        return f"{udc.name}|{udc.proof.value}|{sorted(udc.roles)}|{udc.endpoint}|{udc.message_id}"

    @rpc(Unicode, _returns=Unicode, _throws=[Missing])
    def fail(ctx, how):
        raise FAILURES[how]()  # noqa: RSE102 - a factory, no class

    @rpc(_returns=Array(Unicode))
    def stream(ctx):
        yield "one"
        raise Fault("Client.Enough", "no more")


def _deep():
    return _deep()


def _recurse():
    _deep()
    return RuntimeError()


FAILURES = {
    "client": lambda: Fault("Client", "not like this"),
    "dotted": lambda: Fault("Client.Auth.Weak", "weak"),
    "server": lambda: Fault("Server", "later"),
    "odd": lambda: Fault("NoSuchThing", "odd"),
    "prefixed": lambda: Fault("wsse:FailedCheck", "glued"),
    "qname": lambda: QNameFault("urn:x", "Broken", "own code"),
    "detail": lambda: Fault("Server", "look", detail={"reason": "because"}),
    "element": lambda: Fault("Server", "look", detail=etree.fromstring("<q:a xmlns:q='urn:q'>q:b</q:a>")),
    "declared": lambda: Missing(7),
    "control": lambda: Fault("Client", "a\x00b\ud800c"),
    "actor": lambda: Fault("Server", "x", faultactor="urn:me"),
    "value": lambda: ValueError("secret of the service"),
    "stop": StopIteration,
    "memory": MemoryError,
    "recursion": _recurse,
    "exit": lambda: SystemExit(3),
    "keyerror": lambda: KeyError("x"),
    "decimal": lambda: Decimal("NaN").compare_signal(Decimal(1)),
    "bad detail": lambda: Fault("Server", "x", detail={"not a name": "y"}),
}


def stock(protocol: Any = None, services: Any = (Shop,)) -> WsgiApplication:
    """Spyne as it comes."""
    incoming = protocol or Soap11()
    return WsgiApplication(
        Application(services, TNS, "Shop", in_protocol=incoming, out_protocol=type(incoming)())
    )


def application(services: Any = (Shop,)) -> Application:
    return Application(services, TNS, "Shop", in_protocol=Soap11(), out_protocol=Soap11())


@dataclass
class PlainRecipient:
    """The interface of Recipient with nothing behind it but the parser and the envelope."""

    operations: Any
    limits: Limits = field(default_factory=Limits)
    replies: list[dict[str, Any]] = field(default_factory=list)
    broken_reply: Exception | None = None
    broken_refusal: Exception | None = None
    broken_accept: BaseException | None = None
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def accept(
        self,
        message: bytes,
        *,
        version: SoapVersion,
        transport: Any,
        charset=None,
        action=None,
        parsed=lambda: None,
    ):
        self.accepted.append(
            {"message": message, "transport": transport, "charset": charset, "action": action}
        )
        if self.broken_accept is not None:
            raise self.broken_accept
        root = parse(message, self.limits, charset=charset)
        parsed()
        envelope = soap_envelope.read(root, version)
        soap_envelope.check_understood(envelope)
        payload = envelope.payload
        if payload is None or payload.tag not in self.operations:
            raise SoapError(SoapFault.CLIENT, Reason.NOT_AN_INPUT)
        return VerifiedRequest(
            version=version,
            root=root,
            body=envelope.body,
            payload=payload,
            operation=self.operations[payload.tag],
            principal=ALICE,
            received=datetime.now(UTC),
            message_id="urn:uuid:1",
            signature_values=(b"sig",),
            way=SimpleNamespace(conversation=None),
            errand=None,
            verdict=None,
            keys=None,
            addressing=None,
        )

    def answer(self, request) -> None:
        """No conversations here: every request is the service's own affair."""
        del request

    def reply(self, request, body, *, headers=(), fault=False, exact=False) -> WireMessage:
        if self.broken_reply is not None:
            raise self.broken_reply
        self.replies.append({"fault": fault, "exact": exact, "headers": headers})
        soap = request.version.namespace
        root = etree.Element(f"{{{soap}}}Envelope", nsmap={"soap": soap})
        if headers:
            etree.SubElement(root, f"{{{soap}}}Header").extend(headers)
        root.append(body)
        status = 200 if not fault else request.version.server_status
        return WireMessage(etree.tostring(root), f"{request.version.content_type}; charset=utf-8", status)

    def refuse(self, error, *, version) -> WireMessage:
        if self.broken_refusal is not None:
            raise self.broken_refusal
        message = refusal(error, version)
        return WireMessage(message.data, f"{version.content_type}; charset=utf-8", message.status)


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.data, etree.XMLParser(huge_tree=True))

    def text(self, path: str) -> str | None:
        """The text of the first element found by local names."""
        steps = "//".join(f"*[local-name()='{name}']" for name in path.split("/"))
        found = self.root.xpath(f"//{steps}")
        return found[0].text if found else None


def call(app: Any, body: bytes = b"", **environ: Any) -> Response:
    """One request to a WSGI application, without a server that would tidy it up first."""
    headers: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/shop",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers |= environ
    headers = {key: value for key, value in headers.items() if value is not None}
    answer: dict[str, Any] = {}

    def start_response(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> None:
        answer["status"] = int(status.split(maxsplit=1)[0])
        answer["headers"] = dict(fields)

    data = b"".join(app(headers, start_response))
    return Response(answer["status"], answer["headers"], data)


def message(content: str, version: SoapVersion = SOAP_11, header: str = "", body: str = "") -> bytes:
    """An envelope around a Body's content; prefix ``t`` is the target namespace, ``i`` is xsi."""
    return (
        f'<s:Envelope xmlns:s="{version.namespace}" xmlns:t="{TNS}" xmlns:i="{XSI}">'
        f"{f'<s:Header>{header}</s:Header>' if header else ''}<s:Body{body}>{content}</s:Body></s:Envelope>"
    ).encode()


SOAP12_TYPE = "application/soap+xml; charset=utf-8"
VERSIONS = {"1.1": (SOAP_11, "text/xml; charset=utf-8"), "1.2": (SOAP_12, SOAP12_TYPE)}


@dataclass
class Served:
    """A provider with one endpoint at ``/shop``, and the parts of it that tests look at."""

    provider: Provider
    recipient: PlainRecipient
    invoker: Invoker

    def call(self, content: str, version: str = "1.1", header: str = "", **environ: Any) -> Response:
        soap, content_type = VERSIONS[version]
        return call(
            self.provider, message(content, soap, header), **{"CONTENT_TYPE": content_type, **environ}
        )

    def raw(self, body: bytes, **environ: Any) -> Response:
        return call(self.provider, body, **environ)


def serve(services: Any = (Shop,), limits: Limits | None = None, **options: Any) -> Served:
    limits = limits or Limits()
    invoker = Invoker(application(services))
    recipient = PlainRecipient(invoker.operations, limits)
    document = wsdl.build(
        invoker.application, invoker.operations, path="/shop", bases=wsdl.BaseUrls(), attach=None
    )
    endpoint = Endpoint(
        name="shop/plain",
        service="shop",
        path="/shop",
        scenario="plain",
        recipient=recipient,
        invoker=invoker,
        message_bytes=limits.message_bytes,
        wsdl=document,
    )
    return Served(Provider([endpoint], **options), recipient, invoker)


class Echo(ServiceBase):
    """What the simulator's world calls."""

    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        if text == "fail":
            raise ValueError("as asked")
        return text


def echo_provider(world: World, *, note: Note | None = None, **options: Any) -> Provider:
    """The world's recipient at ``/echo``, with the echo service behind it."""
    protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
    invoker = Invoker(Application([Echo], tns=ECHO, name="Echo", **protocols))
    document = wsdl.build(
        invoker.application,
        invoker.operations,
        path="/echo",
        bases=wsdl.BaseUrls(None, "http://localhost", "https://localhost"),
        attach=lambda _: None,
    )
    endpoint = Endpoint("echo", "echo", "/echo", None, world.recipient, invoker, 100_000, document)
    if note is not None:
        endpoint = replace(endpoint, note=note)
    return Provider([endpoint], **options)
