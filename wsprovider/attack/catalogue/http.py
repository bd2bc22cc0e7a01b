"""Group B: HTTP and its frame (attacks.md, B01 to B13, as far as one request on one connection can show it)."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

from wsprovider.attack.caller import Genuine
from wsprovider.attack.line import Letter
from wsprovider.attack.variants import Answers, Sender, Variant, wire
from wsprovider.words.printable import printable

_BOUNDARY = "boundary"


def _method(method: str) -> Callable[[Letter], Letter]:
    return lambda sent: replace(sent, method=method)


def _typed(content_type: str | None) -> Callable[[Letter], Letter]:
    return lambda sent: sent.but(Content_Type=content_type)


def _length(*lengths: str) -> Callable[[Letter], Letter]:
    def change(sent: Letter) -> Letter:
        more = tuple(("Content-Length", length) for length in lengths)
        bare = sent.but(Content_Length=None)
        return replace(bare, headers=(*bare.headers, *more))

    return change


def _packed(coding: str, pack: Callable[[bytes], bytes]) -> Callable[[Letter], Letter]:
    def change(sent: Letter) -> Letter:
        body = pack(sent.body)
        return replace(sent, body=body).but(Content_Encoding=coding, Content_Length=str(len(body)))

    return change


def _bomb(_: bytes) -> bytes:
    """A thousand bytes that would be a million."""
    return gzip.compress(bytes(1_000_000))


def _multipart(doctype: str = "") -> Callable[[Letter], Letter]:
    """SOAP Messages with Attachments; the envelope is the root part."""

    def change(sent: Letter) -> Letter:
        part = (
            f"--{_BOUNDARY}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-ID: <root>\r\n\r\n{doctype}"
        )
        body = part.encode() + sent.body + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = f'multipart/related; type="text/xml"; start="<root>"; boundary="{_BOUNDARY}"'
        return replace(sent, body=body).but(Content_Type=kind, Content_Length=str(len(body)))

    return change


def _chunked(sent: Letter) -> Letter:
    """Both frames at once (RFC 9112, section 6.3): the one hides what the other shows."""
    size = f"{len(sent.body):x}\r\n".encode()
    body = size + sent.body + b"\r\n0\r\n\r\n"
    return replace(sent, body=body).but(Transfer_Encoding="chunked", Content_Length=str(len(body)))


def _too_long(genuine: Genuine) -> Letter:
    """Announced, and never sent: the answer must not wait for it."""
    announced = str(genuine.caller.ourselves.limits.message_bytes + 1)
    return replace(genuine.letter, body=b"").but(Content_Length=announced)


def _query(genuine: Genuine) -> Letter:
    """A GET of the operation, as REST-like dispatchers take it."""
    operation = printable(genuine.caller.ourselves.body()[0].tag.rpartition("}")[2])
    return Letter(b"", (), "GET", f"?op={operation}")


HTTP = [
    *(wire("B01", f"by {method}", _method(method)) for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")),
    Variant("B01", "the operation by GET", Sender.STRANGER, _query, Answers.ANY),
    *(wire("B02", f"Content-Type {kind}", _typed(kind)) for kind in (
        "text/html", "application/json", "application/xml", "text/plain", "text/xmlx", "text/xml, text/html", "*/*",
        "application/x-www-form-urlencoded", "text/xml; charset=utf-8; charset=utf-16", "text/xml; =", "text/xml; charset",
    )),
    wire("B02", "no Content-Type", _typed(None)),
    wire("B02", "Content-Type of SOAP 1.2", _typed("application/soap+xml; charset=utf-8")),
    wire("B02", "a long Content-Type", _typed("text/xml; x=" + "a" * 5_000)),
    *(wire("A15", f"charset {name}", _typed(f"text/xml; charset={name}")) for name in (
        "utf-7", "unicode_escape", "utf-16", "iso-8859-1", "ebcdic-cp-us", "no-such-charset", "rot13", "idna",
    )),
    *(wire("B03", f"Content-Length {length or 'blank'}", _length(length)) for length in ("-1", "", "abc", "0x10", "1e3", "+5", "9" * 30)),
    wire("B03", "two lengths", lambda sent: _length(str(len(sent.body)), "10")(sent)),
    wire("B03", "an empty body", lambda sent: replace(sent, body=b"").but(Content_Length="0")),
    Variant("B03", "a length beyond the limit", Sender.STRANGER, _too_long, Answers.ANY),
    wire("B04", "gzip", _packed("gzip", gzip.compress)),
    wire("B04", "deflate", _packed("deflate", zlib.compress)),
    wire("B04", "gzip twice", _packed("gzip, gzip", lambda data: gzip.compress(gzip.compress(data)))),
    wire("B04", "a bomb", _packed("gzip", _bomb)),
    wire("B04", "a coding that is none", _packed("x-none", bytes)),
    wire("B05", "Content-Length and chunked", _chunked),
    wire("B05", "an unknown Transfer-Encoding", lambda sent: sent.but(Transfer_Encoding="xchunked")),
    wire("B07", "multipart", _multipart()),
    wire("B08", "multipart with a document type", _multipart('<!DOCTYPE x [<!ENTITY y "z">]>')),
    wire("C01", "SOAPAction that is no URI", lambda sent: sent.but(SOAPAction='"a\tb"')),
    wire("C01", "a long SOAPAction", lambda sent: sent.but(SOAPAction=f'"{"u" * 5_000}"')),
]  # fmt: skip
"""Rows of the HTTP layer."""
