"""The assertions inside an assertion, taken by name; whatever nobody takes is refused.

WS-SecurityPolicy gives each assertion a closed list of what its nested policy may hold. A reader asks for
what it knows and closes; what is left over is either a part of the standard that is not done here, or
nothing that anybody knows, and both are findings: an assertion that is not enforced must not be published.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Final, Self, TypeVar

from lxml import etree

from wsprovider.policy.findings import Findings, qualified, qualified_name
from wsprovider.policy.normalise import Assertion, assertion_name, children, has_text, is_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import BY_NAMESPACE, POLICY_NAMESPACES

T = TypeVar("T")

_XPATH: Final = "parts chosen by XPath are not supported; name headers in SignedParts or EncryptedParts"
_KIND: Final = "this kind of token is not supported"
_ISSUED: Final = "tokens of an external token service are not supported"

NOT_DONE: Final[Mapping[str, str]] = {
    "IssuedToken": _ISSUED,
    "Issuer": _ISSUED,
    "IssuerName": "constraints on a token's issuer are not supported; trust is configured in the key ring",
    "Claims": "claims are not supported",
    f"{{{ns.WST_200502}}}Claims": "claims are not supported",
    f"{{{ns.WST_200512}}}Claims": "claims are not supported",
    "SamlToken": _KIND,
    "RelToken": _KIND,
    "SpnegoContextToken": _KIND,
    "SecurityContextToken": _KIND + "; a SecureConversationToken is",
    "KeyValueToken": _KIND,
    "SignedElements": _XPATH,
    "EncryptedElements": _XPATH,
    "ContentEncryptedElements": _XPATH,
    "RequiredElements": _XPATH,
    "Attachments": "protected attachments are not supported",
    "InclusiveC14N": "inclusive canonicalisation is not supported; leave it out for the exclusive one",
    "InclusiveC14N11": "inclusive canonicalisation is not supported; leave it out for the exclusive one",
    "SOAPNormalization10": "SOAP message normalisation is not supported",
    "SoapNormalization10": "SOAP message normalisation is not supported",
    "STRTransform10": "the STR-Transform is not supported",
    "XPath10": _XPATH,
    "XPathFilter20": _XPATH,
    "AbsXPath": _XPATH,
}
"""Assertions of the standard that are known and refused, with the reason in plain words."""

_GENERAL_ATTRIBUTES: Final = frozenset(
    {
        f"{{{ns.WSU}}}Id",
        f"{{{ns.WSDL11}}}required",
        f"{{{ns.XML}}}id",
        f"{{{ns.XML}}}base",
        f"{{{ns.XML}}}space",
        f"{{{ns.XML}}}lang",
    }
    | {f"{{{namespace}}}{name}" for namespace in POLICY_NAMESPACES for name in ("Optional", "Ignorable")}
)


def refuse_assertion(element: etree._Element, name: str, findings: Findings) -> None:
    """Refuse an assertion that stands where no reader has a use for it."""
    shown = qualified(element)
    if name in NOT_DONE:
        findings.refuse(element, f"{shown}: {NOT_DONE[name]}")
    elif name.startswith("{"):
        findings.refuse(element, f"{shown} is not an assertion that is known here")
    else:
        findings.refuse(element, f"{shown} is not known, or does not belong here")


def attribute(element: etree._Element, name: str) -> str | None:
    """An attribute of an assertion: unqualified, or in a namespace of WS-SecurityPolicy (both are seen)."""
    for candidate in (name, *(f"{{{namespace}}}{name}" for namespace in BY_NAMESPACE)):
        value = element.get(candidate)
        if value is not None:
            return value.strip()
    return None


def check_shape(
    assertion: Assertion,
    findings: Findings,
    *,
    attributes: AbstractSet[str] = frozenset(),
    parameters: AbstractSet[str] = frozenset(),
    nested: bool = False,
) -> None:
    """Refuse what an assertion carries beside what its reader looks at.

    Args:
        assertion: the assertion.
        findings: takes what is wrong.
        attributes: local names of the attributes that are read.
        parameters: names of the child elements (other than a nested policy) that are read.
        nested: whether a nested policy may hold anything.
    """
    element = assertion.element
    _check_attributes(element, attributes, findings)
    for child in children(element):
        if not is_policy(child) and assertion_name(child) not in parameters:
            refuse_assertion(child, assertion_name(child), findings)
    if has_text(element):
        findings.refuse(element, f"text inside {qualified(element)}")
    if assertion.nested and not nested:
        for inner in assertion.nested:
            refuse_assertion(inner.element, inner.name, findings)


def check_parameter(
    element: etree._Element, findings: Findings, *, attributes: AbstractSet[str] = frozenset()
) -> None:
    """The same for a child element that is no assertion: it holds nothing, and cannot be optional."""
    check_shape(Assertion(element, assertion_name(element), None), findings, attributes=attributes)
    if any(is_policy(child) for child in children(element)):
        findings.refuse(element, f"{qualified(element)} has a nested policy")
    if any(element.get(f"{{{namespace}}}Optional") for namespace in POLICY_NAMESPACES):
        findings.refuse(element, "wsp:Optional belongs to assertions, not to their parameters")


def _check_attributes(element: etree._Element, known: AbstractSet[str], findings: Findings) -> None:
    read: list[str] = []
    for clark in map(str, element.attrib):
        name = etree.QName(clark)
        if clark in _GENERAL_ATTRIBUTES:
            continue
        if (not name.namespace or name.namespace in BY_NAMESPACE) and name.localname in known:
            read.append(name.localname)
        else:
            findings.refuse(element, f"the attribute {qualified_name(clark)} is not known here")
    if len(set(read)) != len(read):
        findings.refuse(element, "an attribute stands there both with a namespace and without")


class Contents:
    """What one nested policy holds.

    A context manager: on leaving, what was not taken is refused.

    Args:
        assertion: the assertion around the nested policy; without one it holds nothing.
        findings: takes what is wrong.
    """

    def __init__(self, assertion: Assertion, findings: Findings) -> None:
        self.assertion = assertion
        self._findings = findings
        self._left: dict[str, list[Assertion]] = {}
        for inner in assertion.nested or ():
            self._left.setdefault(inner.name, []).append(inner)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            for left in self._left.values():
                for inner in left:
                    refuse_assertion(inner.element, inner.name, self._findings)

    def every(self, name: str) -> list[Assertion]:
        """All assertions of that name."""
        return self._left.pop(name, [])

    def one(self, name: str) -> Assertion | None:
        """The only assertion of that name, if there is one."""
        found = self.every(name)
        if len(found) > 1:
            self._findings.refuse(
                found[1].element, f"a second {qualified(found[1].element)} in one alternative"
            )
        return found[0] if found else None

    def flag(self, name: str) -> bool:
        """Whether an assertion that says everything by its name is there."""
        found = self.every(name)
        for inner in found:
            check_shape(inner, self._findings)
        return bool(found)

    def flags(self, names: Mapping[str, T]) -> frozenset[T]:
        """The values of those flags that are there."""
        return frozenset([value for name, value in names.items() if self.flag(name)])

    def choice(self, names: Mapping[str, T]) -> T | None:
        """The value of the only flag that is there, of several that exclude each other."""
        found = [name for name in names if self.flag(name)]
        if len(found) > 1:
            self._findings.refuse(
                self.assertion.element,
                f"{qualified(self.assertion.element)} holds {' and '.join(found)}, which exclude each other",
            )
        return names[found[0]] if found else None
