"""wsu:Timestamp (SOAP Message Security 1.1, section 10; BSP 1.1 R3203 to R3227)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.header.times import format_time, parse_time
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

TAG: Final = f"{{{ns.WSU}}}Timestamp"
_CREATED: Final = f"{{{ns.WSU}}}Created"
_EXPIRES: Final = f"{{{ns.WSU}}}Expires"


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A message's claim about its own age; not believed before it is shown to be signed."""

    index: int
    created: datetime
    expires: datetime | None


def read(element: etree._Element, index: int, limits: Limits) -> Timestamp:
    """Read a Timestamp.

    Raises:
        WSSecurityError: TIMESTAMP_MALFORMED, or a field's own error.
    """
    fields.only_attributes(element, (fields.WSU_ID,))
    found = fields.children(element, (_CREATED, _EXPIRES))
    if _CREATED not in found:
        raise WSSecurityError(Reason.TIMESTAMP_MALFORMED, "no Created")
    for child in found.values():
        if child.keys():
            raise WSSecurityError(Reason.TIMESTAMP_MALFORMED, "attributes")  # BSP R3225, R3226
    created = parse_time(fields.text(found[_CREATED], limits))
    expires = parse_time(fields.text(found[_EXPIRES], limits)) if _EXPIRES in found else None
    if expires is not None and expires <= created:
        raise WSSecurityError(Reason.TIMESTAMP_MALFORMED, "Expires is not after Created")
    return Timestamp(index, created, expires)


def write(identifier: str, created: datetime, expires: datetime) -> bytes:
    """The element in exclusive canonical form."""
    return (
        f'<wsu:Timestamp xmlns:wsu="{ns.WSU}" wsu:Id="{identifier}">'
        f"<wsu:Created>{format_time(created)}</wsu:Created>"
        f"<wsu:Expires>{format_time(expires)}</wsu:Expires></wsu:Timestamp>"
    ).encode("ascii")
