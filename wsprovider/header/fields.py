"""Reading small fields strictly: text that is only text, Base64 that is only Base64, exact children.

Everything here works on elements nobody vouches for. Comments are gone since parsing; an element
whose value is text must have no child at all, so that ``.text`` is the whole of it.
"""

import binascii
from collections.abc import Collection
from typing import Final

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

WSU_ID: Final = f"{{{ns.WSU}}}Id"
_WHITE: Final = b" \t\r\n"
_BLANK: Final = " \t\r\n"
_XML_ATTRIBUTES: Final = (f"{{{ns.XML}}}", f"{{{ns.XSI}}}")


def malformed(element: etree._Element, what: str) -> WSSecurityError:
    """The error for an element that does not have the form its standard gives it."""
    return WSSecurityError(Reason.MALFORMED_HEADER_CHILD, f"{local(element)}: {what}")


def local(element: etree._Element) -> str:
    """The local name."""
    return element.tag.rpartition("}")[2]


def text(element: etree._Element, limits: Limits) -> str:
    """The text of an element that may hold nothing else; exactly as it stands.

    Raises:
        WSSecurityError: MALFORMED_HEADER_CHILD, FIELD_TOO_LONG.
    """
    if len(element):
        raise malformed(element, "children where text belongs")
    value = element.text or ""
    if len(value) > limits.field_characters:
        raise WSSecurityError(Reason.FIELD_TOO_LONG, local(element))
    return value


def octets(element: etree._Element, limits: Limits) -> bytes:
    """The decoded Base64 of a security field (RFC 4648; white space is let through).

    Raises:
        WSSecurityError: MALFORMED_HEADER_CHILD, FIELD_TOO_LONG, MALFORMED_BASE64.
    """
    return decode(text(element, limits), local(element))


def decode(value: str, name: str) -> bytes:
    """Decode Base64 so that one sequence of octets has one spelling (but for white space).

    Raises:
        WSSecurityError: MALFORMED_BASE64.
    """
    try:
        compact = value.encode("ascii").translate(None, _WHITE)
        decoded = binascii.a2b_base64(compact, strict_mode=True)
    except ValueError:  # binascii.Error is one, UnicodeEncodeError another
        raise WSSecurityError(Reason.MALFORMED_BASE64, name) from None
    if binascii.b2a_base64(decoded, newline=False) != compact:
        raise WSSecurityError(Reason.MALFORMED_BASE64, name)
    return decoded


def cipher_octets(element: etree._Element, limit: int) -> bytes:
    """The octets of a CipherValue, which may be as large as a message.

    Raises:
        WSSecurityError: MALFORMED_HEADER_CHILD, DECRYPTED_TOO_LARGE, MALFORMED_BASE64.
    """
    if len(element):
        raise malformed(element, "children where text belongs")
    value = element.text or ""
    if len(value) > 2 * limit:
        raise WSSecurityError(Reason.DECRYPTED_TOO_LARGE)
    try:
        compact = value.encode("ascii")
        if len(compact) % 4 or b"\n" in compact or b"\r" in compact or b" " in compact:
            compact = compact.translate(None, _WHITE)
        return binascii.a2b_base64(compact, strict_mode=True)
    except ValueError:
        raise WSSecurityError(Reason.MALFORMED_BASE64, "CipherValue") from None


def only_elements(element: etree._Element) -> None:
    """Refuse text between the children of an element.

    Raises:
        WSSecurityError: MALFORMED_HEADER_CHILD.
    """
    text = element.text
    if text and text.strip(_BLANK):
        raise malformed(element, "text where elements belong")
    for child in element:
        tail = child.tail
        if tail and tail.strip(_BLANK):
            raise malformed(element, "text where elements belong")


def only_attributes(element: etree._Element, allowed: Collection[str]) -> None:
    """Refuse attributes that the element's standard does not know (``xml:*`` and ``xsi:*`` pass).

    Raises:
        WSSecurityError: MALFORMED_HEADER_CHILD.
    """
    for name in element.keys():  # noqa: SIM118 - an element is no mapping; its attrib costs twice as much
        if name not in allowed and not str(name).startswith(_XML_ATTRIBUTES):
            raise malformed(element, f"attribute {name!s}")


def children(
    element: etree._Element, allowed: Collection[str], *, repeated: Collection[str] = ()
) -> dict[str, etree._Element]:
    """The children by Clark name in their order, each known and (unless ``repeated``) at most once.

    Raises:
        WSSecurityError: MALFORMED_HEADER_CHILD, DUPLICATE_HEADER_CHILD.
    """
    text = element.text
    if text and text.strip(_BLANK):
        raise malformed(element, "text where elements belong")
    found: dict[str, etree._Element] = {}
    for child in element:
        tag, tail = child.tag, child.tail
        if tail and tail.strip(_BLANK):
            raise malformed(element, "text where elements belong")
        if tag in repeated:
            continue
        if tag not in allowed:
            raise malformed(element, f"unknown child {tag}")
        if tag in found:
            raise WSSecurityError(Reason.DUPLICATE_HEADER_CHILD, f"{local(element)}/{tag}")
        found[tag] = child
    return found


def algorithm(element: etree._Element) -> str:
    """The required Algorithm attribute.

    Raises:
        WSSecurityError: MALFORMED_HEADER_CHILD.
    """
    value = element.get("Algorithm")
    if not value:
        raise malformed(element, "no Algorithm")
    return value


def fragment(uri: str | None) -> str | None:
    """The id of a same-document shorthand reference ``#id``, or None for anything else."""
    if uri is None or len(uri) < 2 or uri[0] != "#":
        return None
    return uri[1:]
