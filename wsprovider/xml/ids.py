"""One table of ids per tree, made in one pass; the only way an id is ever resolved.

SOAP Message Security 1.1 section 4.2 names wsu:Id and the local Id attributes of XML Signature and
XML Encryption; SAML's are AssertionID and ID. Any other attribute that some library takes for an id
(``xml:id``, ``id``) counts when duplicates are looked for, but resolves nothing. After
:func:`collect` every value names exactly one element, and no element has two different ids.
"""

import re
from collections.abc import Mapping
from typing import Final, Protocol, cast

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

WSU_ID: Final = f"{{{ns.WSU}}}Id"
#: two paths, because a union of five costs three times as much as these one after the other
_FIND: Final = (
    etree.XPath("//@wsu:Id | //@Id", namespaces={"wsu": ns.WSU}),
    etree.XPath("//@ID | //@AssertionID | //@xml:id"),
)
_SAML1_ASSERTION: Final = f"{{{ns.SAML1}}}Assertion"
_SAML2_ASSERTION: Final = f"{{{ns.SAML2}}}Assertion"
_PLAIN_ID_NAMESPACES: Final = (f"{{{ns.DS}}}", f"{{{ns.XENC}}}", f"{{{ns.XENC11}}}")
#: not only NCName, as xsd:ID has it: Apache WSS4J 1.5 writes ``EncKeyId-urn:uuid:...``, and SAML
#: libraries begin with a digit; no character of it means anything in a fragment or an XPath
_NAME: Final = re.compile(r"[\w.\-·:]+", re.UNICODE)
_LONGEST: Final = 256

Ids = Mapping[str, etree._Element]


def collect(root: etree._Element, limits: Limits) -> Ids:
    """Index every element that has an id.

    A plain ``Id``, ``ID``, ``AssertionID`` or ``xml:id`` on an element that is none of XML Signature,
    XML Encryption or SAML is data of the application and resolves nothing; it is refused only where
    its value is also an id of the security layer, or stands beside another id on one element.

    Args:
        root: the document.
        limits: the budgets in force.

    Raises:
        WSSecurityError: TOO_MANY_IDS, DUPLICATE_ID, AMBIGUOUS_ID or MALFORMED_ID.
    """
    ids: dict[str, etree._Element] = {}
    owners: dict[etree._Element, str] = {}
    foreign: list[tuple[etree._Element, str]] = []
    found = [attribute for path in _FIND for attribute in cast("list[_Attribute]", path(root))]
    for attribute in found:
        element, value = attribute.getparent(), str(attribute)
        if not _is_ours(attribute.attrname, element.tag):
            foreign.append((element, value))
            continue
        if value in ids and ids[value] is not element:
            raise WSSecurityError(Reason.DUPLICATE_ID, value)
        if owners.setdefault(element, value) != value:
            raise WSSecurityError(Reason.AMBIGUOUS_ID, f"{owners[element]} and {value}")
        if len(value) > _LONGEST or not _NAME.fullmatch(value):
            raise WSSecurityError(Reason.MALFORMED_ID, value)
        ids[value] = element
        if len(ids) > limits.ids:
            raise WSSecurityError(Reason.TOO_MANY_IDS, f"more than {limits.ids}")
    for element, value in foreign:
        if owners.get(element, value) != value:
            raise WSSecurityError(Reason.AMBIGUOUS_ID, f"{owners[element]} and {value}")
        if value in ids and ids[value] is not element:
            raise WSSecurityError(Reason.DUPLICATE_ID, value)
    return ids


class _Attribute(Protocol):
    """What lxml gives for an attribute that XPath found: its value, which knows where it stands."""

    attrname: str

    def getparent(self) -> etree._Element:
        """The element that has the attribute."""
        ...


def _is_ours(name: str, tag: str) -> bool:
    """Whether an attribute of this name on this element is an id of the security layer."""
    if name == WSU_ID:
        return True
    if name == "Id":
        return tag.startswith(_PLAIN_ID_NAMESPACES)
    return (name == "ID" and tag == _SAML2_ASSERTION) or (name == "AssertionID" and tag == _SAML1_ASSERTION)
