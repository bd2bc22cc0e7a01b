"""Bending a genuine message: one change at a time, to see what a service makes of it.

::

    forged = bend(message, attribute(TIMESTAMP, "x", "y"))
    signed = bend(message, remove("//wsu:Timestamp"), resign(secret=secret_of(pending)))

A change is a function of the message's root. Everything that is not touched stays digestible: lxml
writes back what it has read, and canonical form does the rest. Helpers with a path take XPath with the
prefixes of :data:`NS`, and insist on finding exactly one element. A hostile partner signs and encrypts
what it bent (XML Signature 1.1, section 3.1; XML Encryption 1.1, section 4): :mod:`wsprovider.attack.forge`.
"""

import base64
import copy
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WsproviderError

OURS: Final = "urn:wsprovider:attack"
"""The namespace of elements that no service knows."""
NS: Final = {
    "s": ns.SOAP11,
    "s12": ns.SOAP12,
    "ds": ns.DS,
    "xenc": ns.XENC,
    "wsse": ns.WSSE,
    "wsse11": ns.WSSE11,
    "wsu": ns.WSU,
    "wsc": ns.WSC_200512,
    "wsc05": ns.WSC_200502,
    "ec": ns.EXC_C14N,
    "wsa": ns.WSA_200508,
    "x": OURS,
}
"""Prefixes of paths and of inserted elements."""
WSU_ID: Final = f"{{{ns.WSU}}}Id"
BODY: Final = "/*/*[local-name()='Body']"
HEADER: Final = "/*/*[local-name()='Header']"
SECURITY: Final = "/*/*[local-name()='Header']/wsse:Security"
TIMESTAMP: Final = f"{SECURITY}/wsu:Timestamp"
SIGNATURE: Final = f"{SECURITY}/ds:Signature"

Change = Callable[[etree._Element], object]


class Unbendable(WsproviderError):
    """The message has no such element, or several: the change says nothing about it."""


def tree(message: bytes) -> etree._Element:
    """The message as a tree."""
    return etree.fromstring(message, etree.XMLParser(huge_tree=True))


def bend(message: bytes, *changes: Change) -> bytes:
    """The message after some changes."""
    root = tree(message)
    for change in changes:
        change(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def every(root: etree._Element, path: str) -> list[etree._Element]:
    """The elements at a path."""
    return cast("list[etree._Element]", root.xpath(path, namespaces=NS))


def one(root: etree._Element, path: str) -> etree._Element:
    """The only element at a path.

    Raises:
        Unbendable: there is none, or more than one.
    """
    found = every(root, path)
    if len(found) != 1:
        raise Unbendable(f"{len(found)} elements at {path}")
    return found[0]


def element(xml: str | bytes) -> etree._Element:
    """An element from text that may use the prefixes of :data:`NS`."""
    text = xml.decode() if isinstance(xml, bytes) else xml
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
    return etree.fromstring(f"<x {declared}>{text}</x>")[0]


def within(found: etree._Element) -> etree._Element:
    """The element that holds another one.

    Raises:
        Unbendable: it is the root.
    """
    parent = found.getparent()
    if parent is None:
        raise Unbendable("the root stands in nothing")
    return parent


# changes ---------------------------------------------------------------------------------------


def text(path: str, value: str) -> Change:
    """Put other text in."""

    def change(root: etree._Element) -> None:
        one(root, path).text = value

    return change


def attribute(path: str, name: str, value: str | None) -> Change:
    """Set an attribute, or take it away."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        if value is None:
            del found.attrib[name]
        else:
            found.set(name, value)

    return change


def remove(path: str) -> Change:
    """Take an element away."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        within(found).remove(found)

    return change


def insert(path: str, xml: str | bytes | etree._Element, index: int | None = None) -> Change:
    """Put an element into another one, as its last child or at an index."""

    def change(root: etree._Element) -> None:
        parent = one(root, path)
        child = copy.deepcopy(xml) if isinstance(xml, etree._Element) else element(xml)
        child.tail = None
        parent.insert(len(parent) if index is None else index, child)

    return change


def replace(path: str, xml: str | bytes | etree._Element) -> Change:
    """Put one element in the place of another."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        child = copy.deepcopy(xml) if isinstance(xml, etree._Element) else element(xml)
        child.tail = None
        within(found).replace(found, child)

    return change


def duplicate(path: str) -> Change:
    """Put a copy behind an element."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        found.addnext(copy.deepcopy(found))

    return change


def move(path: str, to: str, index: int | None = None) -> Change:
    """Move an element to another parent, or within its own."""

    def change(root: etree._Element) -> None:
        found, parent = one(root, path), one(root, to)
        within(found).remove(found)
        parent.insert(len(parent) if index is None else index, found)

    return change


def flip(path: str, *, octet: int = 0, bit: int = 1) -> Change:
    """Flip a bit of the octets that an element holds in Base64."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        octets = bytearray(base64.b64decode(found.text or ""))
        octets[octet] ^= bit
        found.text = base64.b64encode(bytes(octets)).decode("ascii")

    return change


def changes(*several: Change) -> Change:
    """Several changes as one."""

    def change(root: etree._Element) -> None:
        for each in several:
            each(root)

    return change


def ids(root: etree._Element) -> Sequence[str]:
    """All ids in use."""
    found: Any = root.xpath("//@wsu:Id | //@Id", namespaces=NS)
    return [str(value) for value in found]
