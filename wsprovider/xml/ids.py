"""One table of ids per tree, made in one pass; the only way an id is ever resolved.

SOAP Message Security 1.1 section 4.2 names wsu:Id and the local Id attributes of XML Signature and
XML Encryption; SAML's are AssertionID and ID. Any other attribute that some library takes for an id
(``xml:id``, ``id``) counts when duplicates are looked for, but resolves nothing. After
:func:`collect` every value names exactly one element, and no element has two different ids.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, Protocol, cast

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

WSU_ID: Final = f"{{{ns.WSU}}}Id"
_NAMESPACES: Final = {
    "wsu": ns.WSU,
    "ds": ns.DS,
    "xenc": ns.XENC,
    "xenc11": ns.XENC11,
    "saml1": ns.SAML1,
    "saml2": ns.SAML2,
}


def _at_most(*paths: str) -> etree.XPath:
    """A union of paths of which each ends early: libxml2 compares every node of it with all before it."""
    return etree.XPath(" | ".join(f"({path})[position() <= $most]" for path in paths), namespaces=_NAMESPACES)


_FIND: Final = _at_most("//@wsu:Id")
_FIND_PLAIN: Final = _at_most("//@Id")
_FIND_SECURITY: Final = _at_most("//ds:*/@Id", "//xenc:*/@Id", "//xenc11:*/@Id")
_PLAIN_NAMESPACES: Final = (f"{{{ns.DS}}}", f"{{{ns.XENC}}}", f"{{{ns.XENC11}}}")
_FIND_SAML: Final = _at_most("//saml2:Assertion/@ID", "//saml1:Assertion/@AssertionID")
_ANY_RARE: Final = etree.XPath("boolean(//@ID) or boolean(//@AssertionID) or boolean(//@xml:id)")
_PLAIN: Final = ("Id", "ID", "AssertionID", f"{{{ns.XML}}}id")
#: an application may use these a hundred thousand times: their values only, and each path for itself
_VALUES: Final = etree.XPath("//@Id", smart_strings=False)
_RARE_VALUES: Final = tuple(
    etree.XPath(path, smart_strings=False) for path in ("//@ID", "//@AssertionID", "//@xml:id")
)
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
    found, plain = _find(root, limits.ids + 1)
    for attribute in found:
        element, value = attribute.getparent(), str(attribute)
        if value in ids and ids[value] is not element:
            raise WSSecurityError(Reason.DUPLICATE_ID, value)
        if owners.setdefault(element, value) != value:
            raise WSSecurityError(Reason.AMBIGUOUS_ID, f"{owners[element]} and {value}")
        if len(value) > _LONGEST or not _NAME.fullmatch(value):
            raise WSSecurityError(Reason.MALFORMED_ID, value)
        ids[value] = element
        if len(ids) > limits.ids:
            raise WSSecurityError(Reason.TOO_MANY_IDS, f"more than {limits.ids}")
    standing: list[str] = []
    for element, value in owners.items():
        beside = [other for name in _PLAIN if (other := element.get(name)) is not None]
        for other in beside:
            if other != value:
                raise WSSecurityError(Reason.AMBIGUOUS_ID, f"{value} and {other}")
        standing += beside
    _check_elsewhere(ids, plain, standing)
    return ids


def _find(root: etree._Element, most: int) -> "tuple[list[_Attribute], list[str]]":
    """Ids of the security layer, each kind up to that many, and the values of all plain ids."""
    found = cast("list[_Attribute]", _FIND(root, most=most))
    few = cast("list[_Attribute]", _FIND_PLAIN(root, most=most))
    if len(few) < most:
        found += [one for one in few if one.getparent().tag.startswith(_PLAIN_NAMESPACES)]
        plain = [str(value) for value in few]
    else:
        found += cast("list[_Attribute]", _FIND_SECURITY(root, most=most))
        plain = cast("list[str]", _VALUES(root))
    if _ANY_RARE(root):
        found += cast("list[_Attribute]", _FIND_SAML(root, most=most))
        plain += [value for path in _RARE_VALUES for value in cast("list[str]", path(root))]
    return found, plain


def _check_elsewhere(ids: Ids, plain: list[str], standing: list[str]) -> None:
    """Refuse an id that is also the plain id of an element that does not own it.

    Args:
        plain: the values of all attributes that some library takes for an id.
        standing: of those that stand on the owner of that very id.
    """
    if len(plain) == len(standing) or ids.keys().isdisjoint(plain):
        return
    everywhere = Counter(plain)
    here = Counter(standing)
    for value in ids:
        if everywhere[value] != here[value]:
            raise WSSecurityError(Reason.DUPLICATE_ID, value)


class _Attribute(Protocol):
    """What lxml gives for an attribute that XPath found: its value, which knows where it stands."""

    def getparent(self) -> etree._Element:
        """The element that has the attribute."""
        ...
