"""Canonical form: Exclusive XML Canonicalization 1.0 without comments, and what it leaves to us.

Trees come from :mod:`wsprovider.xml.parse`; bytes go to a digest or a signature. ``lxml`` writes the
same bytes as other implementations for the exclusive form (shown by tests against libxmlsec and
Apache Santuario); inclusive canonicalization is not offered, because its cost can be made cubic.
"""

import threading
from collections.abc import Sequence
from typing import Final, cast

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

DEFAULT_NAMESPACE: Final = "#default"


class _Known(threading.local):
    """Prefixes that this thread's libxml2 dictionary has met in a parsed document."""

    def __init__(self) -> None:
        self.prefixes: set[str] = set()


_known = _Known()
_KNOWN_AT_MOST: Final = 4096
_COUNT: Final = etree.XPath("count(descendant-or-self::*)")
_LOOKUPS_AT_ONCE: Final = 20_000
_STEPS_AT_MOST: Final = 100_000_000
"""libxml2 looks up each prefix of a list at each element, past every declaration in scope."""


def exclusive(element: etree._Element, prefixes: Sequence[str] = ()) -> bytes:
    """Canonicalise an element and everything below it (RFC 3741), without its tail.

    Args:
        element: the apex.
        prefixes: the InclusiveNamespaces PrefixList (section 4), ``#default`` included.

    Raises:
        WSSecurityError: CANONICALIZATION, for example for a relative namespace URI.
    """
    if prefixes:
        _make_known(prefixes)
        _check_cost(element, prefixes)
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
            with_tail=False,
        )
    except (etree.LxmlError, ValueError) as error:
        raise WSSecurityError(Reason.CANONICALIZATION, str(error)) from None


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


def _check_cost(element: etree._Element, prefixes: Sequence[str]) -> None:
    """Refuse a list whose look-ups would cost seconds: prefixes times elements times declarations."""
    lookups = cast("float", _COUNT(element)) * len(prefixes)
    if lookups <= _LOOKUPS_AT_ONCE:
        return
    scope = deepest = len(element.nsmap)
    for event, _ in etree.iterwalk(element, events=("start-ns", "end-ns")):
        scope += 1 if event == "start-ns" else -1
        deepest = max(deepest, scope)
    if lookups * deepest > _STEPS_AT_MOST:
        raise WSSecurityError(Reason.CANONICALIZATION, "too many declarations for a PrefixList")


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
