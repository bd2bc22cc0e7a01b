"""The Body of an outgoing message, as bytes that are digest input, plaintext and wire at once.

Exclusive canonical form keeps only namespace declarations that are visibly used; prefixes that occur
in text or attribute values alone (``xsi:type="xs:string"``) are declared on the Envelope instead. A
payload that declares such prefixes further below is sent as it is (``exact``), and canonicalised for
the digest only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lxml import etree

from wsprovider.soap.version import SoapVersion
from wsprovider.words import namespaces as ns
from wsprovider.xml import canonical
from wsprovider.xml.escape import escape_attribute

PREFIX: Final = "soap"
RESERVED: Final[Mapping[str, str]] = {"wsu": ns.WSU, "wsse": ns.WSSE, "ds": ns.DS, "xenc": ns.XENC}


@dataclass(frozen=True, slots=True)
class Body:
    """A Body in three pieces.

    Attributes:
        start, end: its tags.
        content: what stands between them, on the wire.
        digested: the canonical form of the whole, when it is not just the three joined.
        declarations: namespace declarations that the Envelope must carry for it.
    """

    start: bytes
    content: bytes
    end: bytes
    declarations: bytes
    digested: bytes | None = None

    @property
    def canonical(self) -> bytes:
        """What a signature digests."""
        if self.digested is not None:
            return self.digested
        return b"".join((self.start, self.content, self.end))


def make_body(element: etree._Element, version: SoapVersion, identifier: str | None, *, exact: bool) -> Body:
    """Write a Body.

    Args:
        element: the soap:Body element; its own tag and attributes are written anew.
        identifier: its wsu:Id, when it will be signed.
        exact: the content may use prefixes in values that are declared below its first element.
    """
    start, end = _tags(version, identifier)
    # elements only: libxml2 crashes over the canonical form of a single comment
    children = list(element.iterchildren(etree.Element))
    declared = _declarations(element, children, version)
    if not exact and declared is not None:
        content = b"".join(canonical.exclusive(child) for child in children)
        if not _redeclares(content, version):
            return Body(start, content, end, declared)
    content = b"".join(
        etree.tostring(child, encoding="UTF-8", xml_declaration=False, with_tail=False)
        for child in children  # in ASCII, names of other scripts would be lost
    )
    whole = etree.fromstring(b"".join((start, content, end)), etree.XMLParser(huge_tree=True))
    return Body(start, content, end, b"", canonical.exclusive(whole))


def _tags(version: SoapVersion, identifier: str | None) -> tuple[bytes, bytes]:
    attribute = f' xmlns:wsu="{ns.WSU}" wsu:Id="{identifier}"' if identifier else ""
    start = f'<{PREFIX}:Body xmlns:{PREFIX}="{version.namespace}"{attribute}>'
    return start.encode("ascii"), f"</{PREFIX}:Body>".encode("ascii")


def _redeclares(content: bytes, version: SoapVersion) -> bool:
    """Whether the content declares again what the Body's tag declares; then it is not canonical."""
    return (
        f' xmlns:{PREFIX}="{version.namespace}"'.encode("ascii") in content
        or f' xmlns:wsu="{ns.WSU}"'.encode("ascii") in content
    )


def _declarations(
    element: etree._Element, children: Sequence[etree._Element], version: SoapVersion
) -> bytes | None:
    """Declarations in scope at the content, for the Envelope; None when one clashes with ours."""
    scope = children[0].nsmap if children else element.nsmap
    return _as_attributes(frozenset(scope.items()), version.namespace)


@lru_cache(maxsize=256)
def _as_attributes(declared: frozenset[tuple[str | None, str]], envelope_namespace: str) -> bytes | None:
    ours = {**RESERVED, PREFIX: envelope_namespace}
    parts: list[str] = []
    for prefix, uri in sorted((p, u) for p, u in declared if p is not None):
        if prefix in ours:
            if ours[prefix] != uri:
                return None
            continue
        parts.append(f' xmlns:{prefix}="{escape_attribute(uri)}"')
    return "".join(parts).encode()
