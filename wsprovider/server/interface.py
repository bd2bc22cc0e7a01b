"""What a Spyne application offers, read once: its operations, and what about it cannot be served."""

from collections.abc import Iterator
from typing import Any, Final

from spyne import AnyDict, AnyHtml, AnyXml
from spyne.model import Any as AnyElement
from spyne.model.complex import ComplexModelBase, XmlData

from wsprovider.exchange.settings import Operation
from wsprovider.words.errors import ConfigurationError, Problem

_FREE_CONTENT: Final = (AnyXml, AnyDict, AnyHtml, AnyElement, XmlData)


def operations_of(application: Any) -> dict[str, Operation]:
    """The operations by the Clark name of their input.

    A request's action is ``<target namespace>/<operation>`` and a reply's is the request's with
    ``Response`` behind it; the WSDL says both (:mod:`wsprovider.server.wsdl`).
    """
    tns = str(application.tns)
    return {
        clark: Operation(
            name=descriptor.operation_name,
            input=clark,
            action=action_of(tns, descriptor.operation_name),
            reply_action=f"{action_of(tns, descriptor.operation_name)}Response",
            one_way=bool(descriptor.is_async),
        )
        for clark, descriptor in _descriptors(application)
    }


def headers_of(application: Any) -> frozenset[str]:
    """Clark names of the header blocks that some operation declares, and so understands."""
    return frozenset(
        f"{{{cls.get_namespace()}}}{cls.get_type_name()}"
        for _, descriptor in _descriptors(application)
        for cls in descriptor.in_header or ()
    )


def action_of(tns: str, operation: str) -> str:
    """The action of an operation's request."""
    return f"{tns.rstrip('/')}/{operation}"


def exact_operations(application: Any) -> frozenset[str]:
    """Inputs of the operations whose reply may hold names that only the reply's own text uses.

    That is content of the service's own making (AnyXml and its relatives), and ``xsi:type`` where the
    protocol is polymorphic: canonical form drops a prefix that only a text or an attribute's value
    needs.
    """
    polymorphic = bool(application.out_protocol.polymorphic)
    return frozenset(
        clark
        for clark, descriptor in _descriptors(application)
        if polymorphic
        or any(_is_free(cls) for cls in (descriptor.out_message, *(descriptor.out_header or ())))
    )


def check_application(application: Any) -> None:
    """Refuse what could not be protected or answered.

    Raises:
        ConfigurationError: naming every operation that asks for such a thing.
    """
    problems: list[Problem] = []
    where = f"application {application.name}"
    names: dict[str, str] = {}
    for clark, descriptor in _descriptors(application):
        name = descriptor.operation_name
        place = f"{where}, operation {name}"
        if descriptor.mtom:
            problems.append(Problem(place, "_mtom is not supported: Spyne's own MTOM is dead on Python 3"))
        if descriptor.is_callback:
            problems.append(Problem(place, "_is_callback is not supported: a reply goes to the caller only"))
        if descriptor.aux is not None:
            problems.append(Problem(place, "auxiliary methods are not supported: one request, one call"))
        if names.setdefault(name, clark) != clark:
            problems.append(Problem(place, "is there twice; WSDL names an operation once"))
    if not names:
        problems.append(Problem(where, "has no operation"))
    if problems:
        raise ConfigurationError(problems)


def _descriptors(application: Any) -> Iterator[tuple[str, Any]]:
    for clark, found in application.interface.service_method_map.items():
        yield clark, found[0]


def _is_free(cls: Any, seen: set[Any] | None = None) -> bool:
    seen = set() if seen is None else seen
    if cls is None or cls in seen:
        return False
    seen.add(cls)
    if issubclass(cls, _FREE_CONTENT):
        return True
    if not issubclass(cls, ComplexModelBase):
        return False
    members = cls.get_flat_type_info(cls).values()
    return any(_is_free(member, seen) for member in members)
