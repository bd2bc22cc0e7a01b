"""wsse:UsernameToken (UsernameToken Profile 1.1, section 3).

Reading proves nothing: a token counts only after the signature over it holds and the user store has
said yes (:mod:`wsprovider.inbound.authenticate`).
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.header.times import format_time, parse_time
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.escape import escape_text

TAG: Final = f"{{{ns.WSSE}}}UsernameToken"
_USERNAME: Final = f"{{{ns.WSSE}}}Username"
_PASSWORD: Final = f"{{{ns.WSSE}}}Password"
_NONCE: Final = f"{{{ns.WSSE}}}Nonce"
_CREATED: Final = f"{{{ns.WSU}}}Created"
_NONCE_BYTES: Final = range(8, 65)


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """What the token says.

    Attributes:
        username: exactly as sent.
        password: the Password's text (a digest in Base64 when ``digest``); None without one.
        digest: the password is Base64(SHA-1(nonce + created + password)).
        nonce: decoded.
        created: as spelled, which the digest covers, and ``created_at`` its value.
    """

    index: int
    username: str
    password: str | None
    digest: bool
    nonce: bytes | None
    created: str | None
    created_at: datetime | None

    def __repr__(self) -> str:
        return f"UsernameToken(index={self.index}, username={self.username!r}, password=<hidden>)"


def read(element: etree._Element, index: int, limits: Limits) -> UsernameToken:
    """Read a UsernameToken.

    Raises:
        WSSecurityError: USERNAME_TOKEN, PASSWORD_TYPE, NONCE, or a field's own error.
    """
    fields.only_attributes(element, (fields.WSU_ID,))
    found = fields.children(element, (_USERNAME, _PASSWORD, _NONCE, _CREATED))
    if _USERNAME not in found:
        raise WSSecurityError(Reason.USERNAME_TOKEN, "no Username")
    username = fields.text(found[_USERNAME], limits)
    if not username.strip():
        raise WSSecurityError(Reason.USERNAME_TOKEN, "empty Username")
    password, digest = None, False
    if _PASSWORD in found:
        password, digest = _read_password(found[_PASSWORD], limits)
    nonce = _read_nonce(found[_NONCE], limits) if _NONCE in found else None
    created = fields.text(found[_CREATED], limits) if _CREATED in found else None
    if created is not None and created != created.strip(" \t\r\n"):
        # a digest covers nonce and Created joined: the border between them must be certain
        raise WSSecurityError(Reason.USERNAME_TOKEN, "white space around Created")
    return UsernameToken(
        index,
        username,
        password,
        digest,
        nonce,
        created,
        parse_time(created) if created is not None else None,
    )


def _read_password(element: etree._Element, limits: Limits) -> tuple[str, bool]:
    fields.only_attributes(element, ("Type",))
    kind = element.get("Type")
    if kind not in (uris.PASSWORD_TEXT, uris.PASSWORD_DIGEST):
        raise WSSecurityError(Reason.PASSWORD_TYPE, kind or "no Type")  # BSP R4201
    return fields.text(element, limits), kind == uris.PASSWORD_DIGEST


def _read_nonce(element: etree._Element, limits: Limits) -> bytes:
    fields.only_attributes(element, ("EncodingType",))
    if element.get("EncodingType", uris.BASE64_BINARY) != uris.BASE64_BINARY:
        raise WSSecurityError(Reason.NONCE, "EncodingType")  # BSP R4220
    nonce = fields.octets(element, limits)
    if len(nonce) not in _NONCE_BYTES:
        raise WSSecurityError(Reason.NONCE, f"{len(nonce)} bytes")
    return nonce


def password_digest(nonce: bytes, created: str, password: str) -> bytes:
    """SHA-1(nonce + created + password), section 3.1."""
    joined = nonce + created.encode() + password.encode()
    return hashlib.sha1(joined, usedforsecurity=False).digest()


def write_text(identifier: str, username: str, password: str) -> bytes:
    """A token with the password in clear, in exclusive canonical form."""
    return _write(identifier, username, uris.PASSWORD_TEXT, escape_text(password), "")


def write_digest(identifier: str, username: str, password: str, nonce: bytes, created: datetime) -> bytes:
    """A token with a password digest, in exclusive canonical form."""
    moment = format_time(created)
    digest = base64.b64encode(password_digest(nonce, moment, password)).decode("ascii")
    extra = (
        f'<wsse:Nonce EncodingType="{uris.BASE64_BINARY}">'
        f"{base64.b64encode(nonce).decode('ascii')}</wsse:Nonce>"
        f"<wsu:Created>{moment}</wsu:Created>"
    )
    return _write(identifier, username, uris.PASSWORD_DIGEST, digest, extra)


def _write(identifier: str, username: str, kind: str, password: str, extra: str) -> bytes:
    return (
        f'<wsse:UsernameToken xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}" wsu:Id="{identifier}">'
        f"<wsse:Username>{escape_text(username)}</wsse:Username>"
        f'<wsse:Password Type="{kind}">{password}</wsse:Password>{extra}</wsse:UsernameToken>'
    ).encode()
