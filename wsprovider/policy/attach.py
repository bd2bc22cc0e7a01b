"""Policies attached to the WSDL that is published (WS-PolicyAttachment 1.2 and 1.5, section 4).

The policy itself goes into ``wsdl:definitions``, a reference into each thing it is for: a binding, an
operation of one, or a message. What the operations and their types mean is not looked at.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from lxml import etree

from wsprovider.policy.assigned import Assigned, split
from wsprovider.policy.effective import Message, wsdl_children
from wsprovider.policy.model import Policy
from wsprovider.policy.publish import published
from wsprovider.policy.read import policy_id
from wsprovider.policy.write import write_parts, write_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import POLICY_NAMESPACES, Dialect
from wsprovider.words.errors import ConfigurationError, Problem

_DOCUMENTATION: Final = f"{{{ns.WSDL11}}}documentation"


def attach(
    wsdl: etree._Element,
    policy: etree._Element,
    *,
    binding: str | None = None,
    operation: str | None = None,
    message: Message | None = None,
) -> None:
    """Put a policy into a WSDL, and refer to it from what it is for.

    Args:
        wsdl: ``wsdl:definitions``; changed in place.
        policy: a ``wsp:Policy`` with an id, as written by :func:`~wsprovider.policy.write.write_policy`;
            it is copied. The same policy may be attached again, to something else.
        binding: name of the binding; None for all of them.
        operation: the operation's name, for the policy of an operation or a message; None for the
            endpoint (or, with a message, for every operation).
        message: which message of the operation; None for the operation or the endpoint.

    Raises:
        ConfigurationError: nothing of that name is there, or the id is taken by another policy.
    """
    name = policy_id(policy)
    subjects = list(_subjects(wsdl, binding, operation, message))
    if not name:
        raise _problem("a policy without an id cannot be referred to")
    if not subjects:
        wanted = [value for value in (binding, operation, message and message.value) if value]
        raise _problem(f"the WSDL has no binding to attach a policy to: {', '.join(wanted) or 'none at all'}")
    present = [element for element in _policies(wsdl) if policy_id(element) == name]
    if any(not _same(element, policy) for element in present):
        raise _problem(f"the WSDL has another policy with the id {name!r}")
    if not present:
        _insert(wsdl, copy.deepcopy(policy))
    for subject in subjects:
        reference = etree.Element(f"{{{etree.QName(policy).namespace}}}PolicyReference")
        reference.set("URI", f"#{name}")
        _insert(subject, reference)


def attach_assigned(
    wsdl: etree._Element, assigned: Assigned, operations: Mapping[str, bool], dialect: Dialect
) -> None:
    """Attach all policies of an endpoint: one to the binding, or to each operation and message its own.

    Args:
        wsdl: ``wsdl:definitions``; changed in place.
        operations: the operations' names, and whether each is one-way.

    Raises:
        ConfigurationError: what a WSDL, or the dialect, cannot say.
    """
    if not assigned.operations and assigned.usual is not None:
        attach(wsdl, write_policy(published(assigned.usual), dialect))
        return
    for name, one_way in operations.items():
        parts = split(name, assigned.of(name, one_way=one_way))
        if parts is None:
            continue
        own = name in assigned.operations
        identity = f"{parts.operation.id or 'Policy'}-{name}" if own else parts.operation.id or "Policy"
        whole = published(replace(parts.operation, id=identity))
        attach(wsdl, write_policy(whole, dialect), operation=name)
        for message, policy in _of_messages(parts.request, parts.reply):
            beside = replace(policy, id=f"{identity}-{message.value}")
            if next(_subjects(wsdl, None, name, message), None) is not None:
                attach(wsdl, write_parts(beside, dialect), operation=name, message=message)


def _of_messages(request: Policy | None, reply: Policy | None) -> Iterator[tuple[Message, Policy]]:
    of = ((Message.INPUT, request), (Message.OUTPUT, reply), (Message.FAULT, reply))
    return ((message, policy) for message, policy in of if policy is not None)


def _subjects(
    wsdl: etree._Element, binding: str | None, operation: str | None, message: Message | None
) -> Iterator[etree._Element]:
    for found in wsdl_children(wsdl, "binding"):
        if binding not in (None, found.get("name")):
            continue
        if operation is None and message is None:
            yield found
            continue
        for inner in wsdl_children(found, "operation"):
            if operation not in (None, inner.get("name")):
                continue
            if message is None:
                yield inner
            else:
                yield from wsdl_children(inner, message.value)


def _insert(parent: etree._Element, element: etree._Element) -> None:
    """Before all other children but the documentation, as the schema of WSDL 1.1 wants extensions."""
    after = parent.find(_DOCUMENTATION)
    if after is None:
        element.tail = parent.text
        parent.insert(0, element)
    else:
        element.tail = after.tail
        parent.insert(parent.index(after) + 1, element)


def _policies(wsdl: etree._Element) -> Iterator[etree._Element]:
    for namespace in POLICY_NAMESPACES:
        yield from wsdl.iter(f"{{{namespace}}}Policy")


def _same(left: etree._Element, right: etree._Element) -> bool:
    """Whether two policies are the same document, however they are laid out."""
    return _canonical(left) == _canonical(right)


def _canonical(element: etree._Element) -> bytes:
    alone = copy.deepcopy(element)
    alone.tail = None
    for node in alone.iter():
        node.text = (node.text or "").strip()
        node.tail = (node.tail or "").strip()
    return etree.tostring(alone, method="c14n", exclusive=True)


def _problem(what: str) -> ConfigurationError:
    return ConfigurationError([Problem("wsdl", what)])
