"""What a partner's WSDL demands: the policies attached to a port and its messages, merged.

WS-PolicyAttachment 1.2 and 1.5, section 4: the subjects are the service, the endpoint (port, binding and
port type together), the operation and the message; what is attached to a subject's elements, and to the
subjects around it, holds together. The WSDL is not trusted; only policies within the document are
followed. On return each policy is whole, and everything in it was understood.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from lxml import etree

from wsprovider.policy.findings import Findings, qualified
from wsprovider.policy.model import Policy
from wsprovider.policy.normalise import Resolver, children
from wsprovider.policy.read import merged_policy, parse_document, policy_id, resolver
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import POLICY_NAMESPACES
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES, Suite


class Message(Enum):
    """The messages of an operation, by the element of a WSDL that stands for them."""

    INPUT = "input"
    OUTPUT = "output"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class MessageKey:
    """One message of a binding.

    Attributes:
        operation: name of the operation.
        message: which of its messages.
        fault: the fault's name; None for the others.
    """

    operation: str
    message: Message
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class EffectivePolicies:
    """What a WSDL demands of one port.

    Attributes:
        endpoint: for every message that has no policy of its own; None where there is none, or where
            it is only a part of what each message has.
        messages: the whole policy (the endpoint's part included) of each message that has one of its
            own, or an operation that has.
    """

    endpoint: Policy | None
    messages: Mapping[MessageKey, Policy]

    def of(self, key: MessageKey) -> Policy | None:
        """The policy that protects one message; None: it is sent unprotected."""
        return self.messages.get(key, self.endpoint)


def policies_of(
    source: bytes | etree._Element,
    *,
    where: str,
    port: str | None = None,
    binding: str | None = None,
    suites: Mapping[str, Suite] = SUITES,
) -> EffectivePolicies:
    """Read the policies that hold for one port, or one binding, of a WSDL.

    Args:
        source: the WSDL, or its ``wsdl:definitions``.
        where: the file's name or address, for findings.
        port: name of the port; None where the WSDL has only one, or a binding is named.
        binding: name of the binding.
        suites: the algorithm suites by the name of their assertion.

    Raises:
        ConfigurationError: no such port, or something in its policies is wrong or not done here.
    """
    findings = Findings(where)
    wsdl = parse_document(source, findings) if isinstance(source, bytes) else source
    if wsdl.tag != f"{{{ns.WSDL11}}}definitions":
        findings.refuse(wsdl, f"expected wsdl:definitions, not {qualified(wsdl)}")
        findings.raise_if_any()
    subject = _Port(wsdl, *_find_port(wsdl, port, binding, findings))
    resolve = resolver(wsdl)
    attached = subject.endpoint(findings)
    own = dict(subject.messages(findings))
    findings.raise_if_any()
    messages = {
        key: merged_policy([*attached, *policies], "", Findings(where), resolve, suites)
        for key, policies in own.items()
        if policies
    }
    needed = not messages or len(messages) < len(own)
    return EffectivePolicies(_endpoint(attached, where, resolve, suites, needed=needed), messages)


def _endpoint(
    attached: Sequence[etree._Element],
    where: str,
    resolve: Resolver,
    suites: Mapping[str, Suite],
    *,
    needed: bool,
) -> Policy | None:
    if not attached:
        return None
    try:
        return merged_policy(attached, _single_id(attached), Findings(where), resolve, suites)
    except ConfigurationError:
        # not needed: every message has a whole policy of its own, in which this part was understood
        if needed:
            raise
        return None


def _single_id(attached: Sequence[etree._Element]) -> str:
    """The identity of an endpoint's policy, where it has only one."""
    if len(attached) != 1:
        return ""
    return policy_id(attached[0]) or (attached[0].get("URI") or "").strip().removeprefix("#")


class _Port:
    """One port (or one binding) and the elements that policies for it may be attached to."""

    def __init__(self, wsdl: etree._Element, port: etree._Element | None, binding: etree._Element) -> None:
        self._wsdl = wsdl
        self._port = port
        self._binding = binding
        self._port_type = _named(wsdl, "portType", _local(binding.get("type")))

    def endpoint(self, findings: Findings) -> list[etree._Element]:
        """Sections 4.1.2 and 4.1.3: service, port, binding and port type."""
        service = None if self._port is None else self._port.getparent()
        around = (service, self._port, self._binding, self._port_type)
        return [policy for element in around for policy in _attached(element, findings)]

    def messages(self, findings: Findings) -> Iterator[tuple[MessageKey, list[etree._Element]]]:
        """Sections 4.1.4 and 4.1.5: every message of the binding, with what is attached to it alone."""
        for operation in wsdl_children(self._binding, "operation"):
            name = operation.get("name") or ""
            abstract = _named(self._port_type, "operation", name)
            of_operation = [*_attached(operation, findings), *_attached(abstract, findings)]
            for message in Message:
                for element in wsdl_children(operation, message.value):
                    fault = element.get("name") if message is Message.FAULT else None
                    twin = self._abstract(abstract, message, fault)
                    definition = (
                        None if twin is None else _named(self._wsdl, "message", _local(twin.get("message")))
                    )
                    own = [
                        policy for part in (element, twin, definition) for policy in _attached(part, findings)
                    ]
                    yield MessageKey(name, message, fault), [*of_operation, *own]

    @staticmethod
    def _abstract(
        operation: etree._Element | None, message: Message, fault: str | None
    ) -> etree._Element | None:
        for element in wsdl_children(operation, message.value):
            if message is not Message.FAULT or element.get("name") == fault:
                return element
        return None


def _find_port(
    wsdl: etree._Element, port: str | None, binding: str | None, findings: Findings
) -> tuple[etree._Element | None, etree._Element]:
    """The port's element, if any, and its binding's."""
    ports = [
        element
        for service in wsdl_children(wsdl, "service")
        for element in wsdl_children(service, "port")
        if port in (None, element.get("name")) and binding in (None, _local(element.get("binding")))
    ]
    if len(ports) > 1 and (binding is None or any(_attached_to_port(element, findings) for element in ports)):
        names = ", ".join(str(element.get("name")) for element in ports[:20])
        findings.refuse(wsdl, f"the WSDL has several ports; name one of {names}")
        findings.raise_if_any()
    chosen = ports[0] if len(ports) == 1 else None
    wanted = _local(chosen.get("binding")) if chosen is not None else binding
    found = None if chosen is None and port is not None else _named(wsdl, "binding", wanted)
    if found is not None:
        return chosen, found
    if chosen is not None:
        findings.refuse(chosen, "the port's binding is not in this document; imports are not followed")
    else:
        findings.refuse(wsdl, f"the WSDL has no such port and binding: {port or 'any'}, {binding or 'any'}")
    findings.raise_if_any()
    raise RuntimeError("a finding is never nothing")


def _attached_to_port(port: etree._Element, findings: Findings) -> list[etree._Element]:
    return [*_attached(port, findings), *_attached(port.getparent(), findings)]


def _attached(element: etree._Element | None, findings: Findings) -> list[etree._Element]:
    """Section 4: policies and references among an element's children, and those its attribute names."""
    if element is None:
        return []
    found = [
        child
        for child in children(element)
        if etree.QName(child).namespace in POLICY_NAMESPACES
        and etree.QName(child).localname in ("Policy", "PolicyReference")
    ]
    for namespace in POLICY_NAMESPACES:
        if element.get(f"{{{namespace}}}PolicyURIs"):
            findings.refuse(element, "policies named by a wsp:PolicyURIs attribute are not supported")
    return found


def wsdl_children(parent: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """The children of that name in WSDL's namespace; none of nothing."""
    if parent is not None:
        yield from parent.iterchildren(f"{{{ns.WSDL11}}}{name}")


def _named(parent: etree._Element | None, kind: str, name: str | None) -> etree._Element | None:
    for element in wsdl_children(parent, kind):
        if name and element.get("name") == name:
            return element
    return None


def _local(qname: str | None) -> str | None:
    """The local part of a QName in an attribute; names of one kind are unique in a definitions element."""
    return None if qname is None else qname.strip().rpartition(":")[2]
