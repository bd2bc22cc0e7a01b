"""Put decrypted bytes in the place of their EncryptedData, so that they cannot break out.

XML Encryption 1.1 section 4.4: plaintext is read in the namespace context of the element it
replaces. Grafting parsed nodes rewrites prefixes; so the document is written with a marker in the
place of each EncryptedData, the plaintext is put between two unguessable processing instructions,
and the whole is parsed once. Afterwards both must be siblings under the expected parent and the only
ones in the document: plaintext that closes its parent's tag is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from lxml import etree

from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.parse import parse
from wsprovider.xml.places import Place, at

_INSTRUCTIONS: Final = etree.XPath("//processing-instruction()")
_DECLARATION: Final = re.compile(rb"^(\xef\xbb\xbf)?<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class Graft:
    """Plaintext that replaces the element at a place.

    Attributes:
        place: where the EncryptedData (or EncryptedHeader) stands.
        plaintext: what it held.
        content: True for Type Content: the element is its parent's only child, and the plaintext is
            the parent's content; False for Type Element: the plaintext is exactly one element.
    """

    place: Place
    plaintext: bytes
    content: bool


def splice(root: etree._Element, grafts: Sequence[Graft], nonce: str, limits: Limits) -> etree._Element:
    """Return a new tree with every graft in place; the old tree is used up.

    Args:
        root: the document; markers are put into it, so nothing may read it afterwards.
        grafts: at least one.
        nonce: hexadecimal, unpredictable to whoever made the message.
        limits: the budgets in force, for the new tree.

    Raises:
        WSSecurityError: DECRYPTED_STRUCTURE when a plaintext does not stay in its place, is not well
            formed or breaks a budget, DECRYPTED_TOO_LARGE. Never a SoapError: its fault would tell
            something of a plaintext that nobody vouches for yet.
    """
    targets = [at(root, graft.place) for graft in grafts]
    for number, element in enumerate(targets):
        marker = etree.ProcessingInstruction(f"splice-{nonce}", str(number))
        marker.tail = element.tail
        parent = element.getparent()
        if parent is None:
            raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "the root is encrypted")
        parent.replace(element, marker)
    data = etree.tostring(root, encoding="UTF-8")
    opened, closed = f"open-{nonce}", f"close-{nonce}"
    for number, graft in enumerate(grafts):
        marker_bytes = f"<?splice-{nonce} {number}?>".encode()
        plaintext = _DECLARATION.sub(b"", graft.plaintext)
        data = data.replace(
            marker_bytes,
            b"<?%b %d?>%b<?%b %d?>" % (opened.encode(), number, plaintext, closed.encode(), number),
            1,
        )
    try:
        new = parse(data, limits, instructions=True)
    except SoapError as error:
        large = error.reason is Reason.MESSAGE_TOO_LARGE
        reason = Reason.DECRYPTED_TOO_LARGE if large else Reason.DECRYPTED_STRUCTURE
        raise WSSecurityError(reason, str(error)) from None
    _take_out(new, grafts, opened, closed)
    return new


def _take_out(root: etree._Element, grafts: Sequence[Graft], opened: str, closed: str) -> None:
    """Check that every pair of marks stands where it was put, then remove the marks."""
    marks = cast("list[etree._ProcessingInstruction]", _INSTRUCTIONS(root))
    if len(marks) != 2 * len(grafts):
        raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "processing instructions in plaintext")
    pairs: dict[str, list[etree._ProcessingInstruction]] = {}
    for mark in marks:
        pairs.setdefault(str(mark.text), []).append(mark)
    for number, graft in enumerate(grafts):
        pair = pairs.get(str(number), [])
        if [mark.target for mark in pair] != [opened, closed]:
            raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "marks are out of order")
        first, last = pair
        parent = first.getparent()
        if parent is None or last.getparent() is not parent:
            raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "plaintext leaves its parent")
        _check_shape(parent, first, last, graft)
    for pair in pairs.values():
        for mark in pair:
            _remove(mark)
    for graft in grafts:
        _check_place(root, graft)


def _check_shape(
    parent: etree._Element,
    first: etree._ProcessingInstruction,
    last: etree._ProcessingInstruction,
    graft: Graft,
) -> None:
    start, end = parent.index(first), parent.index(last)
    if graft.content:
        if start != 0 or end != len(parent) - 1:
            raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "content is not the only child")
        return
    if end != start + 2:
        raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "not exactly one element")
    element = parent[start + 1]
    if _visible(first.tail) or _visible(element.tail):
        raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "text beside the element")


def _check_place(root: etree._Element, graft: Graft) -> None:
    """What was put at a place is found there: nothing before it moved."""
    place = graft.place[:-1] if graft.content else graft.place
    try:
        at(root, place)
    except IndexError:
        raise WSSecurityError(Reason.DECRYPTED_STRUCTURE, "place lost") from None


def _visible(text: str | None) -> bool:
    return text is not None and bool(text.strip())


def _remove(mark: etree._ProcessingInstruction) -> None:
    """Take a mark out and keep the text behind it."""
    parent = mark.getparent()
    if parent is None:
        return
    tail = mark.tail
    if tail:
        before = mark.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    mark.tail = None
    parent.remove(mark)
