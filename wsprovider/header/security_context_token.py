"""wsc:SecurityContextToken (WS-SecureConversation 1.3 section 2; the 2005/02 version reads alike).

The token names a secret that both sides hold; it carries none. Anything in it but Identifier and Instance
is an extension that we do not know, and refuses the message.
"""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.escape import escape_text

NAMESPACES: Final = (ns.WSC_200502, ns.WSC_200512)
TAGS: Final = tuple(f"{{{namespace}}}SecurityContextToken" for namespace in NAMESPACES)
LONGEST: Final = 256
"""Characters of an Identifier or an Instance."""


@dataclass(frozen=True, slots=True)
class SecurityContextToken:
    """Which context a message belongs to, by its own word.

    Attributes:
        index: of the child of wsse:Security; -1 for a token that stands elsewhere.
        namespace: the version of WS-SecureConversation.
        instance: which of the keys that a renewed context had (section 5); None for the first.
    """

    index: int
    id: str | None
    namespace: str
    identifier: str
    instance: str | None


def read(element: etree._Element, index: int, limits: Limits) -> SecurityContextToken:
    """Read a SecurityContextToken.

    Raises:
        WSSecurityError: CONTEXT_TOKEN, or a field's own error.
    """
    namespace = element.tag[1:].partition("}")[0]
    fields.only_attributes(element, (fields.WSU_ID,))
    names = (f"{{{namespace}}}Identifier", f"{{{namespace}}}Instance")
    found = fields.children(element, names)
    if names[0] not in found:
        raise WSSecurityError(Reason.CONTEXT_TOKEN, "no Identifier")
    instance = found.get(names[1])
    return SecurityContextToken(
        index,
        element.get(fields.WSU_ID),
        namespace,
        _name(found[names[0]], limits),
        None if instance is None else _name(instance, limits),
    )


def _name(element: etree._Element, limits: Limits) -> str:
    value = fields.text(element, limits).strip(" \t\r\n")
    if not value or len(value) > LONGEST or not value.isprintable():
        raise WSSecurityError(Reason.CONTEXT_TOKEN, fields.local(element))
    return value


def write(token_id: str, namespace: str, identifier: str, instance: str | None) -> bytes:
    """A SecurityContextToken in exclusive canonical form."""
    renewed = "" if instance is None else f"<wsc:Instance>{escape_text(instance)}</wsc:Instance>"
    return (
        f'<wsc:SecurityContextToken xmlns:wsc="{namespace}" xmlns:wsu="{ns.WSU}" wsu:Id="{token_id}">'
        f"<wsc:Identifier>{escape_text(identifier)}</wsc:Identifier>{renewed}</wsc:SecurityContextToken>"
    ).encode()
