"""The HTTP side of a request, checked before anything of the message is looked at.

SOAP 1.1 section 6, SOAP 1.2 part 2 section 7, RFC 9110. Whatever is refused here was not parsed, and
a body that is too long was not read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

from wsprovider.soap.version import SOAP_11, SOAP_12, SoapVersion
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.reasons import Reason

_VERSIONS: Final = {version.content_type: version for version in (SOAP_11, SOAP_12)}
_CHARSETS: Final = frozenset({"utf-8", "utf8", "utf-16", "utf16", "utf-16le", "utf-16be"})
_NAME_CHARACTERS: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MEDIA_TYPE: Final = re.compile(rf"({_NAME_CHARACTERS}/{_NAME_CHARACTERS})[ \t]*")
_PARAMETER: Final = re.compile(
    rf';[ \t]*(?:({_NAME_CHARACTERS})=({_NAME_CHARACTERS}|"(?:[^"\\]|\\.)*")[ \t]*)?'
)
_ESCAPED: Final = re.compile(r"\\(.)")
_HEADER_LIMIT: Final = 4_096
_LENGTH_DIGITS: Final = 18
_BLOCK: Final = 1 << 20


class Stream(Protocol):
    """``wsgi.input``."""

    def read(self, size: int, /) -> bytes:
        """Up to that many bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A POST that may be a SOAP message.

    Attributes:
        version: what the media type promises.
        charset: the charset parameter, in lower case, if there is one.
        action: the SOAPAction header without its quotes, or SOAP 1.2's action parameter; None when
            there is none or it is empty.
        body: every byte of the body.
    """

    version: SoapVersion
    charset: str | None
    action: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class _ContentType:
    version: SoapVersion | None
    charset: str | None
    action: str | None
    problem: str = ""


def promised_version(environ: Mapping[str, Any]) -> SoapVersion:
    """The SOAP version in which to answer, whatever is wrong with the request."""
    return _content_type(_header(environ, "CONTENT_TYPE")).version or SOAP_11


def read_request(environ: Mapping[str, Any], limit: int) -> HttpRequest:
    """Check the request's frame and read its body.

    Args:
        environ: the WSGI environment.
        limit: bytes that a message may have.

    Raises:
        SoapError: METHOD, CONTENT_TYPE, ENCODING, CONTENT_ENCODING, CONTENT_LENGTH,
            MESSAGE_TOO_LARGE or ACTION_MISMATCH, with the HTTP status.
    """
    if environ.get("REQUEST_METHOD") != "POST":
        raise refused(Reason.METHOD, 405, str(environ.get("REQUEST_METHOD"))[:20])
    content_type = _content_type(_header(environ, "CONTENT_TYPE"))
    version = content_type.version
    if version is None:
        raise refused(Reason.CONTENT_TYPE, 415, content_type.problem)
    if content_type.problem:
        raise refused(Reason.ENCODING, 415, content_type.problem)
    coding = _header(environ, "HTTP_CONTENT_ENCODING")
    if coding:
        raise refused(Reason.CONTENT_ENCODING, 415, coding)
    action = _action(environ, version, content_type.action)
    return HttpRequest(version, content_type.charset, action, _read_body(environ, limit))


def refused(reason: Reason, status: int, detail: str = "") -> SoapError:
    """A refusal for the sake of HTTP."""
    return SoapError(SoapFault.CLIENT, reason, detail, status=status)


def _header(environ: Mapping[str, Any], name: str) -> str:
    return str(environ.get(name) or "").strip(" \t")


@lru_cache(maxsize=256)
def _content_type(value: str) -> _ContentType:
    """RFC 9110 section 8.3.1, strictly: a parameter that is there twice is in doubt, and so refused."""
    found = _MEDIA_TYPE.match(value) if len(value) <= _HEADER_LIMIT else None
    version = _VERSIONS.get(found.group(1).lower()) if found else None
    if found is None or version is None:
        return _ContentType(None, None, None, problem=value[:100] or "none")
    parameters: dict[str, str] = {}
    position = found.end()
    while position < len(value):
        parameter = _PARAMETER.match(value, position)
        if parameter is None:
            return _ContentType(None, None, None, problem=value[:100])
        position = parameter.end()
        name, given = parameter.groups()
        if name is None:
            continue
        if name.lower() in parameters:
            return _ContentType(None, None, None, problem=f"{name} twice")
        parameters[name.lower()] = _ESCAPED.sub(r"\1", given[1:-1]) if given.startswith('"') else given
    charset = parameters.get("charset")
    if charset is not None:
        charset = charset.lower()
        if charset not in _CHARSETS:
            return _ContentType(version, None, None, problem=f"charset {charset[:40]}")
    return _ContentType(version, charset, parameters.get("action") or None)


def _action(environ: Mapping[str, Any], version: SoapVersion, parameter: str | None) -> str | None:
    """What HTTP says of the action; SOAP 1.2 says it in the media type, and some clients in both."""
    given = _header(environ, "HTTP_SOAPACTION")
    if len(given) > _HEADER_LIMIT or not given.isprintable():
        raise refused(Reason.ACTION_MISMATCH, 400, "SOAPAction is no URI")
    if len(given) > 1 and given[0] == given[-1] == '"':
        given = given[1:-1]
    header = given or None
    if version is SOAP_11 or parameter is None:
        return header
    if header is not None and header != parameter:
        raise refused(Reason.ACTION_MISMATCH, 400, "SOAPAction and the action parameter differ")
    return parameter


def _read_body(environ: Mapping[str, Any], limit: int) -> bytes:
    """Exactly the bytes that were announced, or all of a chunked body up to the limit."""
    stream: Stream = environ["wsgi.input"]
    coding = _header(environ, "HTTP_TRANSFER_ENCODING").lower()
    length = environ.get("CONTENT_LENGTH")
    if length is None:
        if coding != "chunked" or not environ.get("wsgi.input_terminated"):
            # Nothing says where the body ends; a server that does not mark the end would wait for more.
            raise refused(Reason.CONTENT_LENGTH, 411, "no length")
        data = _read(stream, limit + 1)
        if len(data) > limit:
            raise refused(Reason.MESSAGE_TOO_LARGE, 413, f"more than {limit} bytes")
        if not data:
            raise refused(Reason.CONTENT_LENGTH, 400, "empty")
        return data
    if coding:
        raise refused(Reason.CONTENT_LENGTH, 400, "Content-Length and Transfer-Encoding")
    text = str(length)
    if not (text.isascii() and text.isdigit() and len(text) <= _LENGTH_DIGITS):
        raise refused(Reason.CONTENT_LENGTH, 400, text[:40] or "blank")
    announced = int(text)
    if announced > limit:
        raise refused(Reason.MESSAGE_TOO_LARGE, 413, f"{announced} bytes")
    if announced == 0:
        raise refused(Reason.CONTENT_LENGTH, 400, "empty")
    data = _read(stream, announced)
    if len(data) != announced:
        raise refused(Reason.CONTENT_LENGTH, 400, f"{len(data)} bytes of {announced}")
    return data


def _read(stream: Stream, size: int) -> bytes:
    """Up to that many bytes; a read of a socket may well give fewer than were asked for."""
    blocks: list[bytes] = []
    missing = size
    try:
        while missing > 0 and (data := stream.read(min(missing, _BLOCK))):
            blocks.append(data)
            missing -= len(data)
    except Exception as error:
        # A connection that broke or chunks that are none; each server has exceptions of its own for it.
        raise refused(Reason.CONTENT_LENGTH, 400, type(error).__name__) from error
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)
