"""The WSDL of one endpoint: made once at start, with both SOAP bindings and the policy in force.

Spyne's own document is the raw material: its types, messages and portType stay. Its binding becomes
two, for SOAP 1.1 and 1.2, each with a port at the same address (WSDL 1.1 section 3 and its SOAP 1.2
extension); actions are full URIs; the policy is attached last (WS-PolicyAttachment).

The address is never taken from a request's Host header on trust: it comes from ``public_url``, or else
it is the loopback, which can be of use to nobody but the one who asked.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from lxml import etree
from spyne.interface.wsdl import Wsdl11

from wsprovider.exchange.settings import Operation
from wsprovider.words import namespaces as ns

Attach = Callable[[etree._Element], None]
"""Puts a policy into a WSDL document."""

CONTENT_TYPE: Final = "text/xml; charset=utf-8"

_PLACEHOLDER: Final = "urn:wsprovider:the-address-goes-here"
_LOOPBACK: Final = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?\Z")
_WSDL: Final = f"{{{ns.WSDL11}}}"
_SOAP11: Final = f"{{{ns.WSDL_SOAP11}}}"
_SOAP12: Final = f"{{{ns.WSDL_SOAP12}}}"
_ORDER: Final = ("documentation", "types", "message", "portType", "binding", "service")


@dataclass(frozen=True, slots=True)
class BaseUrls:
    """Where an endpoint is reached, as the operator says it.

    Attributes:
        public: the one base URL, whatever listener was asked.
        plain, secure: the base URLs of the HTTP and the HTTPS listener, where they are known.
        https_only: the policy is bound to TLS, so that no other address would be of use.
    """

    public: str | None = None
    plain: str | None = None
    secure: str | None = None
    https_only: bool = False

    def of(self, environ: Mapping[str, Any], *, secure: bool) -> str:
        """The base URL for one reader of the WSDL."""
        secure = secure or self.https_only
        configured = self.public or (self.secure if secure else self.plain)
        return configured.rstrip("/") if configured else loopback_url(environ, secure=secure)


@dataclass(frozen=True, slots=True)
class WsdlDocument:
    """A finished WSDL, but for the address where no configuration names it.

    Attributes:
        bases: what to put in front of the path.
        path: the endpoint's path.
    """

    pieces: tuple[bytes, ...]
    bases: BaseUrls
    path: str

    def served(self, environ: Mapping[str, Any], *, secure: bool) -> bytes:
        """The document as the answer to one request."""
        location = quoteattr(f"{self.bases.of(environ, secure=secure)}{self.path}")[1:-1].encode()
        return location.join(self.pieces)


def loopback_url(environ: Mapping[str, Any], *, secure: bool) -> str:
    """A base URL for somebody on this machine: his Host header only if it names the loopback."""
    host = str(environ.get("HTTP_HOST", ""))
    if not _LOOPBACK.match(host):
        port = str(environ.get("SERVER_PORT", ""))
        host = f"localhost:{port}" if port.isdigit() else "localhost"
    mount = re.sub(r"[^A-Za-z0-9/_.~-]", "", str(environ.get("SCRIPT_NAME", "")))
    return f"{'https' if secure else 'http'}://{host}{mount}"


def build(
    application: Any,
    operations: Mapping[str, Operation],
    *,
    path: str,
    bases: BaseUrls,
    attach: Attach | None,
) -> WsdlDocument:
    """Make an endpoint's WSDL.

    Args:
        application: the Spyne application, which already belongs to an Invoker.
        operations: see :func:`wsprovider.server.interface.operations_of`.
        path: the endpoint's path.
        bases: what the address begins with.
        attach: puts the endpoint's policy in; None publishes none.
    """
    root = _spyne_document(application)
    name = str(application.name)
    by_name = {operation.name: operation for operation in operations.values()}
    _tidy_port_types(root, by_name)
    for binding in root.findall(f"{_WSDL}binding"):
        _make_two(root, binding, by_name)
    _one_service(root, name)
    root = _rebuilt(root)
    if attach is not None:
        attach(root)
    text = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return WsdlDocument(tuple(text.split(_PLACEHOLDER.encode())), bases, path)


def _spyne_document(application: Any) -> etree._Element:
    writer = Wsdl11(application.interface)
    writer.build_interface_document(_PLACEHOLDER)
    root: etree._Element = deepcopy(writer.root_elt)
    return root


def _tidy_port_types(root: etree._Element, operations: Mapping[str, Operation]) -> None:
    """Say the actions (WS-Addressing Metadata, section 4.4.1), and drop what says nothing true."""
    action = f"{{{ns.WSAM}}}Action"
    messages = {element.get("name"): element for element in root.iterfind(f"{_WSDL}message")}
    for element in root.iterfind(f"{_WSDL}portType/{_WSDL}operation"):
        operation = operations[element.get("name", "")]
        # parameterOrder lists parts of an RPC signature (WSDL 1.1 section 2.4.6); Spyne names the message.
        if "parameterOrder" in element.attrib:
            del element.attrib["parameterOrder"]
        for child in element:
            if child.tag == f"{_WSDL}input":
                child.set(action, operation.action)
            elif child.tag == f"{_WSDL}output":
                child.set(action, operation.reply_action)
            else:
                continue
            message = messages[child.get("message", "").rpartition(":")[2]]
            if len(message) == 1:
                # The name by which generators of client code recognise the wrapped style.
                message[0].set("name", "parameters")


def _make_two(root: etree._Element, binding: etree._Element, operations: Mapping[str, Operation]) -> None:
    """Turn Spyne's binding into one for each version of SOAP, with their ports."""
    name = binding.get("name", "")
    for operation in binding.iterfind(f"{_WSDL}operation"):
        known = operations[operation.get("name", "")]
        operation[0].set("soapAction", known.action)
        if known.one_way:
            _drop_callback_headers(operation)
    second = deepcopy(binding)
    for element in second.iter(etree.Element):
        if element.tag.startswith(_SOAP11):
            element.tag = _SOAP12 + element.tag[len(_SOAP11) :]
    binding.set("name", f"{name}Soap11")
    second.set("name", f"{name}Soap12")
    binding.addnext(second)
    prefix = binding.get("type", "").rpartition(":")[0]
    for service in root.iterfind(f"{_WSDL}service"):
        for port in service.findall(f"{_WSDL}port"):
            if port.get("binding") == f"{prefix}:{name}":
                service.remove(port)
                _add_port(service, f"{name}Soap11", prefix, _SOAP11)
                _add_port(service, f"{name}Soap12", prefix, _SOAP12)


def _drop_callback_headers(operation: etree._Element) -> None:
    """Spyne lets an asynchronous operation ask for headers that its document does not define."""
    for place in operation.iterfind(f"{_WSDL}input"):
        for header in place.findall(f"{_SOAP11}header"):
            if header.get("message", "").rpartition(":")[2] in ("ReplyToHeader", "MessageIDHeader"):
                place.remove(header)


def _add_port(service: etree._Element, name: str, prefix: str, soap: str) -> None:
    if service.find(f"{_WSDL}port[@name='{name}']") is not None:
        return
    port = etree.SubElement(service, f"{_WSDL}port", name=name, binding=f"{prefix}:{name}")
    etree.SubElement(port, f"{soap}address", location=_PLACEHOLDER)


def _one_service(root: etree._Element, name: str) -> None:
    """All ports below one service: Spyne makes one for each class, though their portType is one."""
    services = root.findall(f"{_WSDL}service")
    first = services[0]
    first.set("name", f"{name}Service")
    for other in services[1:]:
        for port in list(other):
            if first.find(f"{_WSDL}port[@name='{port.get('name')}']") is None:
                first.append(port)
        root.remove(other)


def _rebuilt(root: etree._Element) -> etree._Element:
    """The children in the order that readers expect, below the namespaces that are in use."""
    values = [str(value) for element in root.iter(etree.Element) for value in element.attrib.values()]
    used = {value.partition(":")[0] for value in values if ":" in value and "://" not in value}
    nsmap = {str(prefix): uri for prefix, uri in root.nsmap.items() if prefix in used}
    nsmap |= {
        "wsdl": ns.WSDL11,
        "soap": ns.WSDL_SOAP11,
        "soap12": ns.WSDL_SOAP12,
        "xs": ns.XSD,
        "wsam": ns.WSAM,
    }
    places = {f"{_WSDL}{name}": index for index, name in enumerate(_ORDER)}
    fresh = etree.Element(root.tag, nsmap=nsmap)
    for key, value in root.attrib.items():
        fresh.set(key, value)
    fresh.extend(sorted(root, key=lambda child: places.get(str(child.tag), -1)))
    etree.cleanup_namespaces(fresh, keep_ns_prefixes=list(nsmap))
    return fresh
