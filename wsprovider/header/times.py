"""xsd:dateTime as WS-Security allows it: UTC, strict ASCII, bounded (SOAP Message Security 1.1, 10)."""

import re
from datetime import UTC, datetime
from typing import Final

from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

_FORM: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(Z|\+00:00|-00:00)",
    re.ASCII,
)
_LONGEST: Final = 40
_UNTIL_OFFSET: Final = len("2026-01-01T00:00:00.000")


def parse_time(value: str) -> datetime:
    """Read a wsu:Created or wsu:Expires value.

    UTC only (BSP 1.1 R3217, R3223); a zero offset is let through, because zeep writes it.

    Raises:
        WSSecurityError: TIMESTAMP_MALFORMED.
    """
    match = _FORM.fullmatch(value.strip(" \t\r\n")) if len(value) <= _LONGEST else None
    if match is None:
        raise WSSecurityError(Reason.TIMESTAMP_MALFORMED, value[:_LONGEST])
    year, month, day, hour, minute, second, fraction, _ = match.groups()
    micro = int(((fraction or "") + "000000")[:6])
    try:
        return datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), micro, tzinfo=UTC
        )
    except ValueError:
        raise WSSecurityError(Reason.TIMESTAMP_MALFORMED, value[:_LONGEST]) from None


def format_time(moment: datetime) -> str:
    """Write a moment with millisecond precision (BSP 1.1 R3220)."""
    return moment.isoformat(timespec="milliseconds")[:_UNTIL_OFFSET] + "Z"
