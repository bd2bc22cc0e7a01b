"""wsse:BinarySecurityToken with a Kerberos AP-REQ (Kerberos Token Profile 1.1, section 3.2)."""

import base64
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_WRAPPED, _RAW = b"\x60", b"\x6e"
_FIRST: Final = {
    **dict.fromkeys(uris.KERBEROS_GSS_AP_REQS, _WRAPPED),
    **dict.fromkeys(uris.KERBEROS_AP_REQS, _RAW),
}
VALUE_TYPES: Final = frozenset(_FIRST)


@dataclass(frozen=True, slots=True)
class KerberosToken:
    """A ticket's AP-REQ that came with the message; not verified yet.

    Attributes:
        octets: of the AP-REQ, raw or wrapped as GSS-API does.
    """

    index: int
    value_type: str
    octets: bytes = field(repr=False)


def read(element: etree._Element, index: int, limits: Limits) -> KerberosToken:
    """Read a Kerberos BinarySecurityToken.

    Raises:
        WSSecurityError: UNSUPPORTED_TOKEN, KERBEROS_TOKEN, TICKET_TOO_LARGE, or a field's own error.
    """
    fields.only_attributes(element, (fields.WSU_ID, "ValueType", "EncodingType"))
    if element.get("EncodingType", uris.BASE64_BINARY) != uris.BASE64_BINARY:
        raise WSSecurityError(Reason.UNSUPPORTED_TOKEN, "EncodingType")
    value_type = element.get("ValueType", "")
    if len(element):
        raise WSSecurityError(Reason.KERBEROS_TOKEN, "children where text belongs")
    text = element.text or ""
    too_large = WSSecurityError(Reason.TICKET_TOO_LARGE, f"more than {limits.ticket_bytes} bytes")
    if len(text) > 2 * limits.ticket_bytes:
        raise too_large
    octets = fields.decode(text, "BinarySecurityToken")
    if len(octets) > limits.ticket_bytes:
        raise too_large
    if octets[:1] != _FIRST[value_type]:  # BSP R6902
        raise WSSecurityError(Reason.KERBEROS_TOKEN, "not what its ValueType says")
    return KerberosToken(index, value_type, octets)


def write(identifier: str, token: bytes) -> bytes:
    """A token as GSS-API makes it, in exclusive canonical form."""
    value = base64.b64encode(token).decode("ascii")
    return (
        f'<wsse:BinarySecurityToken xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}"'
        f' EncodingType="{uris.BASE64_BINARY}" ValueType="{uris.KERBEROS_GSS_AP_REQ}"'
        f' wsu:Id="{identifier}">{value}</wsse:BinarySecurityToken>'
    ).encode("ascii")
