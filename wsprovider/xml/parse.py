"""From hostile bytes to one tree: the only XML parser of messages.

SOAP 1.1 section 3 and SOAP 1.2 part 1 section 5 forbid document type declarations and processing
instructions. In come bytes of an HTTP body or of a decryption, not trusted at all. On return the
document is well-formed, has neither of the two, no comments (they are dropped while parsing, so that
no text is split by one) and keeps within the budgets. What the elements mean is not looked at.
"""

import re
import threading
from functools import lru_cache
from itertools import islice
from typing import Any, Final, cast

from lxml import etree

from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_TEXT_NODE_LIMIT: Final = 9_000_000
"""libxml2 refuses text nodes of 10 MB without its HUGE option, which also lifts its depth limit."""

_BOM_UTF8: Final = b"\xef\xbb\xbf"
_UTF16_STARTS: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_UTF32_STARTS: Final = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"<\x00\x00\x00", b"\x00\x00\x00<")
_DECLARED: Final = re.compile(r"""\ufeff?<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")
_DECLARATION_BYTES: Final = 400
_SHORTEST_ATTRIBUTE: Final = len(' a=""')
_ANY_INSTRUCTION: Final = etree.XPath("boolean(//processing-instruction())")
_START: Final = re.compile(rb"<[A-Za-z_:\x80-\xff]")


class _Parsers(threading.local):
    """The parsers of this thread; a parser keeps nothing from one document to the next."""

    def __init__(self) -> None:
        self.usual = _make_parser(huge=False)
        self.huge = _make_parser(huge=True)


def _make_parser(*, huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        remove_comments=True,
        remove_pis=False,
        strip_cdata=True,
        recover=False,
        huge_tree=huge,
        # collect_ids stays on: switched off, libxml2 opens the external subset of a DOCTYPE
    )


_parsers = _Parsers()


def parse(
    data: bytes, limits: Limits, *, charset: str | None = None, instructions: bool = False
) -> etree._Element:
    """Parse one document and return its root element.

    Args:
        data: the document.
        limits: the budgets in force.
        charset: what HTTP says of the encoding, if it says anything.
        instructions: processing instructions are let through (for splicing, which puts its own in).

    Raises:
        SoapError: MESSAGE_TOO_LARGE, ENCODING, NOT_WELL_FORMED, DOCTYPE, PROCESSING_INSTRUCTION,
            TOO_DEEP, TOO_MANY_ELEMENTS, TOO_MANY_ATTRIBUTES, TOO_MANY_NAMESPACES, NAMESPACES_IN_SCOPE,
            NAMESPACE_TOO_LONG.
    """
    if len(data) > limits.message_bytes:
        raise _refused(Reason.MESSAGE_TOO_LARGE, f"{len(data)} bytes")
    wide = _check_encoding(data, charset)
    _check_tags(data, limits, wide=wide)
    parser = _parsers.huge if len(data) > _TEXT_NODE_LIMIT else _parsers.usual
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, AssertionError) as error:
        reason = Reason.TOO_DEEP if "depth" in str(error) else Reason.NOT_WELL_FORMED
        raise _refused(reason, str(error)) from None
    info: Any = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise _refused(Reason.DOCTYPE)
    _check_declared_encoding(_declared_in_utf16(data) if wide else info.encoding, wide=wide)
    _check_budgets(root, data, limits, wide=wide)
    if not instructions:
        _check_instructions(root, data)
    return root


def _refused(reason: Reason, detail: str = "") -> SoapError:
    return SoapError(SoapFault.CLIENT, reason, detail)


def _check_encoding(data: bytes, charset: str | None) -> bool:
    """UTF-8 or UTF-16, and HTTP must not contradict the bytes; true for UTF-16."""
    if data.startswith(_UTF32_STARTS):
        raise _refused(Reason.ENCODING, "UTF-32")
    wide = data.startswith(_UTF16_STARTS)
    if charset is not None:
        named = charset.strip().strip('"').lower()
        if named not in ("utf-8", "utf8", "utf-16", "utf16", "utf-16le", "utf-16be"):
            raise _refused(Reason.ENCODING, f"charset {named!r}")
        if named.startswith(("utf-16", "utf16")) != wide:
            raise _refused(Reason.ENCODING, f"charset {named!r} does not fit the bytes")
    return wide


def _check_tags(data: bytes, limits: Limits, *, wide: bool) -> None:
    """Count start tags before any tree is built; those that a CDATA section or a comment quotes count, too."""
    if data.count(b"<") <= limits.elements:
        return
    if wide:
        data = _decoded(data).encode("utf-8", "replace")
    if b"<!" not in data:
        found = data.count(b"<") - data.count(b"</") - data.count(b"<?")
    else:
        found = sum(1 for _ in islice(_START.finditer(data), limits.elements + 1))
    if found > limits.elements:
        raise _refused(Reason.TOO_MANY_ELEMENTS, f"more than {limits.elements}")


def _declared_in_utf16(data: bytes) -> str | None:
    """What the XML declaration says; libxml2 reports what it found instead."""
    match = _DECLARED.match(_decoded(data[:_DECLARATION_BYTES]))
    return match[1] if match is not None else None


def _decoded(data: bytes) -> str:
    """UTF-16 in the order that it begins in."""
    order = "utf-16-be" if data.startswith((b"\xfe\xff", b"\x00<")) else "utf-16-le"
    return data.decode(order, "replace")


def _written(text: str, *, wide: bool) -> bytes:
    """What these ASCII characters are at least written as, in either order of UTF-16."""
    return ("\0".join(text) if wide else text).encode("ascii")


def _check_declared_encoding(declared: str | None, *, wide: bool) -> None:
    if declared is None:
        return
    name = declared.upper()
    if name not in ("UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF8", "US-ASCII", "ASCII"):
        raise _refused(Reason.ENCODING, f"declared as {declared}")
    if name.startswith("UTF-16") != wide:
        raise _refused(Reason.ENCODING, f"declared as {declared}")


def _check_instructions(root: etree._Element, data: bytes) -> None:
    # one in "<?" and one in "?>"; the first two may be the XML declaration's, which is no processing
    # instruction (a single octet is found several times sooner than two)
    marks = data.count(b"?")
    if marks == 0 or (marks == 2 and data.startswith((b"<?xml ", _BOM_UTF8 + b"<?xml "))):
        return
    outside = [*root.itersiblings(preceding=True), *root.itersiblings()]
    if outside or _ANY_INSTRUCTION(root):
        raise _refused(Reason.PROCESSING_INSTRUCTION)


@lru_cache(maxsize=16)
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")


@lru_cache(maxsize=16)
def _wider_than(attributes: int) -> etree.XPath:
    return etree.XPath(f"boolean(/descendant-or-self::*/@*[{attributes + 1}])")


def _check_budgets(root: etree._Element, data: bytes, limits: Limits, *, wide: bool) -> None:
    """Count what the tree holds; byte counts bound the true ones from above and are cheaper."""
    if _deeper_than(limits.depth)(root):
        raise _refused(Reason.TOO_DEEP, f"more than {limits.depth} levels")
    if (
        len(data) > limits.attributes_per_element * _SHORTEST_ATTRIBUTE
        and data.count(b"=") > limits.attributes_per_element
        and _wider_than(limits.attributes_per_element)(root)
    ):
        raise _refused(Reason.TOO_MANY_ATTRIBUTES, f"more than {limits.attributes_per_element}")
    declared = data.count(_written("xmlns", wide=wide))
    several = declared > min(limits.namespace_declarations, limits.namespaces_in_scope)
    if several or wide or not _all_short(data, limits.namespace_characters):
        _count_namespaces(root, limits)


@lru_cache(maxsize=16)
def _short_declaration(characters: int) -> re.Pattern[bytes]:
    value = rb"(?:\"[^\"<]{0,%d}\"|'[^'<]{0,%d}')" % (characters, characters)
    return re.compile(rb"xmlns(?::[^=<]{1,200})?[ \t\r\n]*=[ \t\r\n]*" + value)


def _all_short(data: bytes, characters: int) -> bool:
    """Whether whatever looks like a declaration is a short one; what is none may say no."""
    pattern = _short_declaration(characters)
    place = data.find(b"xmlns")
    while place >= 0:
        if pattern.match(data, place) is None:
            return False
        place = data.find(b"xmlns", place + 5)
    return True


def _count_namespaces(root: etree._Element, limits: Limits) -> None:
    declared = scope = 0
    for event, found in etree.iterwalk(root, events=("start-ns", "end-ns")):
        if event == "end-ns":
            scope -= 1
            continue
        if len(cast("tuple[str, str]", found)[1]) > limits.namespace_characters:
            raise _refused(Reason.NAMESPACE_TOO_LONG, f"more than {limits.namespace_characters}")
        declared += 1
        scope += 1
        if scope > limits.namespaces_in_scope:
            raise _refused(Reason.NAMESPACES_IN_SCOPE, f"more than {limits.namespaces_in_scope}")
        if declared > limits.namespace_declarations:
            raise _refused(Reason.TOO_MANY_NAMESPACES, f"more than {limits.namespace_declarations}")
