"""wsse11:SignatureConfirmation (SOAP Message Security 1.1, section 8.5)."""

import base64
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.words import namespaces as ns
from wsprovider.words.limits import Limits

TAG: Final = f"{{{ns.WSSE11}}}SignatureConfirmation"


@dataclass(frozen=True, slots=True)
class SignatureConfirmation:
    """The responder's echo of one signature of the request; None confirms that there was none."""

    index: int
    value: bytes | None


def read(element: etree._Element, index: int, limits: Limits) -> SignatureConfirmation:
    """Read a SignatureConfirmation.

    Raises:
        WSSecurityError: a field's own error.
    """
    fields.only_attributes(element, (fields.WSU_ID, "Value"))
    if len(element) or (element.text and element.text.strip()):
        raise fields.malformed(element, "content")
    value = element.get("Value")
    if value is not None and len(value) > limits.field_characters:
        raise fields.malformed(element, "Value is too long")
    return SignatureConfirmation(
        index, fields.decode(value, "SignatureConfirmation") if value is not None else None
    )


def write(identifier: str, value: bytes | None) -> bytes:
    """The element in exclusive canonical form."""
    attribute = f' Value="{base64.b64encode(value).decode("ascii")}"' if value is not None else ""
    return (
        f'<wsse11:SignatureConfirmation xmlns:wsse11="{ns.WSSE11}" xmlns:wsu="{ns.WSU}"'
        f'{attribute} wsu:Id="{identifier}"></wsse11:SignatureConfirmation>'
    ).encode("ascii")
