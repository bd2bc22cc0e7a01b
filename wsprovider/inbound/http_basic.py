"""User name and password in HTTP's Authorization header (RFC 7617), for policies with HttpBasicAuthentication.

What comes in is the header's value as WSGI hands it over, from a peer whom nobody has proven. On return it is one name
and one password; whether they are right is for the user store to say.
"""

import base64
import re
from dataclasses import dataclass, field
from typing import Final

from wsprovider.header.fields import decode
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_BASIC: Final = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """What a caller says to be; proves nothing before the user store was asked."""

    name: str
    password: str = field(repr=False)


def read(value: str, limits: Limits) -> BasicCredentials:
    """Read an Authorization header that must be of the scheme Basic.

    Two headers reach us joined by a comma, which no Base64 has in it.

    Args:
        value: of the header.

    Raises:
        WSSecurityError: BASIC_MALFORMED, MALFORMED_BASE64, FIELD_TOO_LONG.
    """
    if len(value) > limits.field_characters:
        raise WSSecurityError(Reason.FIELD_TOO_LONG, "Authorization")
    found = _BASIC.fullmatch(value.strip(" \t"))
    if found is None:
        raise WSSecurityError(Reason.BASIC_MALFORMED, "not one header of the scheme Basic")
    try:
        text = decode(found[1], "Authorization").decode("utf-8")
    except UnicodeDecodeError:
        raise WSSecurityError(Reason.BASIC_MALFORMED, "not UTF-8") from None
    name, colon, password = text.partition(":")
    if not colon or not name.strip():
        raise WSSecurityError(Reason.BASIC_MALFORMED, "no user name before a colon")
    if _CONTROL.search(text):
        raise WSSecurityError(Reason.BASIC_MALFORMED, "a control character")
    return BasicCredentials(name, password)


def written(name: str, password: str) -> str:
    """The value of an Authorization header, in UTF-8.

    Raises:
        ValueError: the name has a colon, or one of them a control character: RFC 7617 cannot say them.
    """
    if ":" in name or _CONTROL.search(name + password):
        raise ValueError("HTTP Basic has neither a colon in a user name nor a control character anywhere")
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode('ascii')}"


def challenge(realm: str) -> str:
    """The value of WWW-Authenticate (RFC 7617, sections 2 and 2.1).

    Args:
        realm: letters, digits and ``/._~-``, so that nothing of it needs escaping.
    """
    return f'Basic realm="{realm}", charset="UTF-8"'
