"""What a page is made from: what the WSDL says as well, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from lxml import etree
from spyne.model.complex import ComplexModelBase

from wsprovider.config.model import EndpointConfig
from wsprovider.exchange.settings import Operation
from wsprovider.policy.compile import Assignment
from wsprovider.policy.model import X509Token
from wsprovider.policy.requirements import UNPROTECTED, Requirements
from wsprovider.server.wsdl import WsdlDocument
from wsprovider.words import namespaces as ns

ADDRESS = "urn:wsprovider:the-address-of-this-page"
"""Stands for the endpoint's URL until somebody asks for the page."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation, or what it returns: name and type as the WSDL has them."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Described:
    """An operation.

    Attributes:
        input: local name of its input element.
        action: of its request.
        note: its documentation; empty if it has none.
        results: none for a one-way operation.
    """

    name: str
    input: str
    action: str
    note: str
    parameters: tuple[Parameter, ...]
    results: tuple[Parameter, ...]
    one_way: bool


@dataclass(frozen=True, slots=True)
class Names:
    """Names in the WSDL: of its SOAP 1.1 port and of what belongs to that."""

    definitions: str
    service: str
    port: str
    binding: str
    port_type: str


@dataclass(frozen=True, slots=True)
class Facts:
    """An endpoint.

    Attributes:
        name: such as ``echo/integrity``.
        scenario: its slug, if it is one of the catalogue.
        ways: alternatives of its policy, or of those of its operations.
        of: for each the operations that it is for; none: all of them.
        usual: for each whether it is the endpoint's own, rather than an operation's.
        unprotected: operations that have no policy.
    """

    name: str
    scenario: str | None
    namespace: str
    names: Names
    operations: tuple[Described, ...]
    ways: tuple[Requirements, ...]
    of: tuple[tuple[str, ...], ...]
    usual: tuple[bool, ...]
    unprotected: frozenset[str]

    @property
    def certified(self) -> bool:
        """Whether clients need the service's certificate: to encrypt to it, or to check replies by it."""
        return any(isinstance(token, X509Token) for way in self.ways for token in _service_tokens(way))


def facts_of(
    name: str,
    config: EndpointConfig,
    assignments: tuple[Assignment, ...],
    application: Any,
    operations: dict[str, Operation],
    document: WsdlDocument,
) -> Facts:
    """Read them off an endpoint's parts.

    Args:
        assignments: the compiled alternatives, and the operations that each is for.
        application: the Spyne application.
        operations: see :func:`wsprovider.server.interface.operations_of`.
        document: the endpoint's WSDL, whose names count.
    """
    described = tuple(_operations(application, operations))
    names = _names(etree.fromstring(ADDRESS.encode().join(document.pieces)))
    protected = [(one, tuple(sorted(of or ()))) for one, of in assignments if one is not UNPROTECTED]
    bare = {name for one, of in assignments if one is UNPROTECTED for name in of or ()}
    own = config.policies.operations.keys()
    return Facts(
        name,
        config.scenario,
        str(application.tns),
        names,
        described,
        tuple(one for one, _ in protected),
        tuple(of for _, of in protected),
        tuple(own.isdisjoint(of) for _, of in protected),
        frozenset(bare),
    )


def _service_tokens(way: Requirements) -> Iterator[object]:
    """Tokens of the bindings that stand for keys of the service."""
    opening = () if way.conversation is None else way.conversation.bootstrap
    for one in (way, *opening):
        yield one.request.encryption_token
        yield one.reply.signature_token


def _names(root: etree._Element) -> Names:
    wsdl = f"{{{ns.WSDL11}}}"
    for port in root.iterfind(f"{wsdl}service/{wsdl}port"):
        if port.find(f"{{{ns.WSDL_SOAP11}}}address") is not None:
            binding = _local(port.get("binding"))
            port_type = next(
                _local(one.get("type"))
                for one in root.iterfind(f"{wsdl}binding")
                if one.get("name") == binding
            )
            service = port.getparent()
            own = "" if service is None else service.get("name", "")
            return Names(root.get("name", ""), own, port.get("name", ""), binding, port_type)
    raise RuntimeError("the WSDL has no port for SOAP 1.1")


def _local(name: str | None) -> str:
    return (name or "").rpartition(":")[2]


def _operations(application: Any, operations: dict[str, Operation]) -> Iterator[Described]:
    for clark, found in application.interface.service_method_map.items():
        descriptor, known = found[0], operations[clark]
        note = " ".join(str(descriptor.doc or "").split())
        results = () if known.one_way else tuple(_members(descriptor.out_message))
        parameters = tuple(_members(descriptor.in_message))
        local = clark.rpartition("}")[2]
        yield Described(known.name, local, known.action, note, parameters, results, known.one_way)


def _members(message: Any) -> Iterator[Parameter]:
    if message is None or not issubclass(message, ComplexModelBase):
        return
    for name, member in message.get_flat_type_info(message).items():
        told = str(member.Attributes.sub_name or name), str(member.get_type_name())
        yield Parameter(*told)


def sample(facts: Facts, operation: Described) -> str:
    """A request's Body content with question marks for values, as XML on one line."""
    inside = "".join(f"<{one.name}>?</{one.name}>" for one in operation.parameters)
    return f"<{operation.input} xmlns='{escape(facts.namespace)}'>{inside}</{operation.input}>"


def quoted(text: str) -> str:
    """An XML attribute's value, in quotes."""
    return f'"{escape(text)}"'
