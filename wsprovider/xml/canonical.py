"""Canonical form: Exclusive XML Canonicalization 1.0 without comments, and what it leaves to us.

Trees come from :mod:`wsprovider.xml.parse`; bytes go to a digest or a signature. ``lxml`` writes the
same bytes as other implementations for the exclusive form (shown by tests against libxmlsec and
Apache Santuario); inclusive canonicalization is not offered, because its cost can be made cubic.
"""

import threading
from collections.abc import Sequence
from typing import Any, Final, cast

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

DEFAULT_NAMESPACE: Final = "#default"
_UNBOUNDED: Final = 1 << 62


class _Known(threading.local):
    """Prefixes that this thread's libxml2 dictionary has met in a parsed document."""

    def __init__(self) -> None:
        self.prefixes: set[str] = set()


_known = _Known()
_KNOWN_AT_MOST: Final = 4096
_COUNT: Final = etree.XPath("count(descendant-or-self::*)")
_DEEPER: Final = {depth: etree.XPath("boolean(" + "*/" * depth + "*)") for depth in (6, 12, 30)}
_LOOKUPS_AT_ONCE: Final = 1_000
_USUAL_STEPS: Final = 100
_OCTETS_AT_LEAST: Final = 250_000


class Room:
    """How many octets the canonical forms of one message may still have, all together.

    Each sibling repeats the namespaces that its parent does not use: 100 KB whose half is one namespace
    name are 400 MB in canonical form. Steps through declarations on behalf of a PrefixList are paid from
    the same purse.
    """

    def __init__(self, octets: int) -> None:
        """Start with that many."""
        self._left = octets

    @classmethod
    def of(cls, message: bytes, growth: int) -> "Room":
        """For a message of this length.

        Args:
            growth: :attr:`~wsprovider.words.limits.Limits.canonical_growth`.
        """
        return cls(_OCTETS_AT_LEAST + growth * len(message))

    def take(self, octets: int) -> None:
        """Take some.

        Raises:
            WSSecurityError: CANONICAL_TOO_LARGE.
        """
        self._left -= octets
        if self._left < 0:
            raise WSSecurityError(Reason.CANONICAL_TOO_LARGE)


class _Bounded:
    """A file that takes what libxml2 writes, as long as there is room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> None:
        self._room.take(len(block))
        self._blocks.append(block)

    def octets(self) -> bytes:
        return b"".join(self._blocks)


def exclusive(element: etree._Element, prefixes: Sequence[str] = (), room: Room | None = None) -> bytes:
    """Canonicalise an element and everything below it (RFC 3741), without its tail.

    Args:
        element: the apex.
        prefixes: the InclusiveNamespaces PrefixList (section 4), ``#default`` included.
        room: what may be spent; None for a message of our own.

    Raises:
        WSSecurityError: CANONICALIZATION, for example for a relative namespace URI; CANONICAL_TOO_LARGE.
    """
    room = room or Room(_UNBOUNDED)
    if prefixes:
        _make_known(prefixes)
        _pay_for_lookups(element, prefixes, room)
    bounded = _Bounded(room)
    try:
        tree: Any = etree.ElementTree(element)
        tree.write_c14n(
            bounded,
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    except (etree.LxmlError, ValueError) as error:
        raise WSSecurityError(Reason.CANONICALIZATION, str(error)) from None
    return bounded.octets()


def _make_known(prefixes: Sequence[str]) -> None:
    """Parse a stub that holds the prefixes.

    lxml drops an entry of the list, silently, when the calling thread has never met it in a parsed
    document; the bytes would then depend on what came before. A prefix is met by declaring it, and
    ``#default``, which is no name, as the name of a namespace.
    """
    missing = [prefix for prefix in prefixes if prefix not in _known.prefixes]
    if not missing:
        return
    declarations = " ".join(f'xmlns:{p}="urn:known"' for p in missing if p != DEFAULT_NAMESPACE)
    try:
        etree.fromstring(f'<known {declarations}><d xmlns:d="{DEFAULT_NAMESPACE}"/></known>'.encode())
    except etree.XMLSyntaxError:
        raise WSSecurityError(Reason.CANONICALIZATION, "prefix list") from None
    if len(_known.prefixes) > _KNOWN_AT_MOST:
        _known.prefixes.clear()
    _known.prefixes.update(missing)


def _pay_for_lookups(element: etree._Element, prefixes: Sequence[str], room: Room) -> None:
    """libxml2 looks up each prefix at each element: past every declaration and every ancestor around it."""
    lookups = int(cast("float", _COUNT(element))) * len(prefixes)
    steps = _USUAL_STEPS if lookups <= _LOOKUPS_AT_ONCE else _steps(element)
    room.take(lookups * steps)


def _steps(element: etree._Element) -> int:
    """Declarations and ancestors around the deepest element."""
    around = deepest = len(element.nsmap)
    for event, _ in etree.iterwalk(element, events=("start-ns", "end-ns")):
        around += 1 if event == "start-ns" else -1
        deepest = max(deepest, around)
    levels = next((depth for depth, deeper in _DEEPER.items() if not deeper(element)), _USUAL_STEPS)
    return deepest + levels + sum(1 for _ in element.iterancestors())


def with_empty_default(canonical: bytes) -> bytes:
    """Add ``xmlns=""`` to the apex of a dereferenced token, unless it declares a default namespace.

    SOAP Message Security 1.1 section 8.3, last step of the STR-Transform.
    """
    end = canonical.index(b">")
    tag = canonical[:end]
    if b' xmlns="' in tag:
        return canonical
    name_end = min(i for i in (tag.find(b" "), len(tag)) if i > 0)
    return canonical[:name_end] + b' xmlns=""' + canonical[name_end:]


def binary_security_token(prefix: str, value_type: str, value: str) -> bytes:
    """The canonical token that the STR-Transform puts in place of a key identifier.

    SOAP Message Security 1.1 section 8.3: a certificate that is named, not sent, is digested as the
    BinarySecurityToken it would have been (without EncodingType, as Apache WSS4J writes it).
    """
    name = f"{prefix}:BinarySecurityToken" if prefix else "BinarySecurityToken"
    declared = f'xmlns:{prefix}="{ns.WSSE}"' if prefix else f'xmlns="{ns.WSSE}"'
    empty = ' xmlns=""' if prefix else ""
    return f'<{name}{empty} {declared} ValueType="{value_type}">{value}</{name}>'.encode()
