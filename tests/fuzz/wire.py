"""Mutators of octets, and of the HTTP request around them."""

import gzip
import io
import re
from collections.abc import Callable
from typing import Any

from tests.fuzz.draft import Nothing, pick

Octets = Callable[[bytes, int, int, int], bytes]
"""A message's octets, changed."""
Frame = Callable[[dict[str, Any], bytes, int], bytes]
"""Changes a WSGI environment; gives the body."""

_DOCTYPES = (
    b"<!DOCTYPE x>",
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    b'<!DOCTYPE x SYSTEM "http://elsewhere.example.org/x.dtd">',
    b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hostname">%p;]>',
    b"<!DOCTYPE x [<!ATTLIST x y ID #IMPLIED>]>",
)
_DECLARATIONS = (
    b"<?xml version='1.0'?>", b"<?xml version='1.1'?>", b"<?xml version='1.0' encoding='UTF-16'?>",
    b"<?xml version='1.0' encoding='latin-1'?>", b"<?xml version='1.0' encoding='UTF-7'?>", b"<?xml?>",
    b"<?xml version='1.0' encoding='UTF-8' standalone='no'?>", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"\0",
)  # fmt: skip
_PIECES = (
    b"&#0;", b"&#x41;", b"&x;", b"&amp;", b"<![CDATA[x]]>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?x?>", b"\0", b"\xff",
    b"\xc0\xaf", b"\xed\xa0\x80", b"<a/>" * 2_000, b"<a>" * 100, b"\r", b"\x0b", b"\x85", b"<", b">", b'"', b"&lt;", b" x='y'",
    b" xmlns='urn:x'", b" xmlns:e='urn:x'", b" xmlns:s='urn:x'", b" xmlns:x=''",
)  # fmt: skip


def octet(data: bytes, where: int, other: int, how: int) -> bytes:
    at = (where * 7 + other) % len(data)
    return data[:at] + bytes([data[at] ^ (how or 1)]) + data[at + 1 :]


def cut(data: bytes, where: int, other: int, how: int) -> bytes:
    at = where % len(data)
    return data[:at] + data[at + 1 + other % 300 :]


def double(data: bytes, where: int, other: int, how: int) -> bytes:
    at = where % len(data)
    return data[: at + other % 300] + data[at:]


def insert(data: bytes, where: int, other: int, how: int) -> bytes:
    """Somewhere, or behind the name of an element, or in a text."""
    places = [lambda: [where % len(data)], lambda: [m.end() for m in re.finditer(rb"<[\w:]+", data)],
              lambda: [m.end() for m in re.finditer(rb">", data)]]  # fmt: skip
    at = pick(pick(places, how)(), where)
    return data[:at] + pick(_PIECES, other) + data[at:]


def doctype(data: bytes, where: int, other: int, how: int) -> bytes:
    return pick(_DOCTYPES, other) + data


def declaration(data: bytes, where: int, other: int, how: int) -> bytes:
    return pick(_DECLARATIONS, other) + data


def encoding(data: bytes, where: int, other: int, how: int) -> bytes:
    text = data.decode("utf-8", "replace")
    codec = pick(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037", "utf-8-sig"), other)
    declared = f"<?xml version='1.0' encoding='{codec}'?>" if how & 1 else ""
    return (declared + text).encode(codec, "replace")


def declare(data: bytes, where: int, other: int, how: int) -> bytes:
    """A prefix gets another meaning at one element: the Envelope, or any other."""
    found = [m.end() for m in re.finditer(rb"<[\w:]+", data)]
    prefixes = sorted(set(re.findall(rb"xmlns:(\w+)=", data)))
    at = pick(found, where)
    return data[:at] + b" xmlns:" + pick(prefixes, other) + b"='urn:x'" + data[at:]


def undeclare(data: bytes, where: int, other: int, how: int) -> bytes:
    found = pick(list(re.finditer(rb""" xmlns(:\w+)?=("[^"]*"|'[^']*')""", data)), where)
    return data[: found.start()] + data[found.end() :]


def attribute_twice(data: bytes, where: int, other: int, how: int) -> bytes:
    found = pick(list(re.finditer(rb""" [\w:]+=("[^"]*"|'[^']*')""", data)), where)
    return data[: found.end()] + found[0] + data[found.end() :]


OCTETS: dict[str, Octets] = {
    one.__name__.replace("_", "-"): one
    for one in (
        octet,
        cut,
        double,
        insert,
        doctype,
        declaration,
        encoding,
        declare,
        undeclare,
        attribute_twice,
    )
}


# the request around it -------------------------------------------------------------------------------

_CONTENT_TYPES = (
    "text/xml", "application/soap+xml", "text/xml; charset=utf-16", "text/xml; charset=latin-1", "TEXT/XML;CHARSET=UTF-8",
    "text/xml; charset=utf-8; charset=utf-16", 'text/xml; charset="utf-8"', 'application/soap+xml; action="urn:x"',
    'multipart/related; type="text/xml"; boundary=x', "application/xop+xml", "text/plain", "", "text/xml;", 'text/xml; x="',
    "application/json", "text/xml, application/soap+xml", "text/xml; charset=" + "x" * 5_000, "text/xml\r\nX: y", "t\u00e9xt/xml",
)  # fmt: skip
_ACTIONS = (
    '""', "urn:wsprovider:echo/echo", '"urn:wsprovider:echo/echo"', '"urn:wsprovider:echo/order"', '"', "'", "x" * 5_000,
    "urn:x\x01", "echo", '"echo"', "\u00e9",
)  # fmt: skip
_LENGTHS = (
    "0",
    "-1",
    "1",
    "+5",
    " 5 ",
    "0x10",
    "1e9",
    "99999999999999999999",
    "",
    "\u0665",
    "5, 5",
    "200001",
)
_METHODS = ("GET", "HEAD", "PUT", "POST ", "post", "OPTIONS", "DELETE", "")
_PATHS = (
    "/",
    "/echo/",
    "//echo",
    "/ECHO",
    "/healthz",
    "/metrics",
    "/echo\x00",
    "",
    "/echo;x",
    "/\xff",
    "/echo/../echo",
)
_QUERIES = ("wsdl", "WSDL", "wsdl=1", "x", "wsdl&x", "%00", "wsdl" * 2_000)
_CODINGS = ("gzip", "identity", "deflate", "br", "GZIP, gzip", " ")
_PROXIES = (("HTTP_X_FORWARDED_PROTO", "https"), ("HTTP_FORWARDED", "proto=https"), ("HTTP_X_FORWARDED_SSL", "on"),
            ("HTTPS", "on"), ("HTTP_X_FORWARDED_FOR", "10.0.0.1"), ("SSL_CLIENT_CERT", "AAAA"))  # fmt: skip


class Broken:
    """A body whose sender goes away in the middle, or sends chunks that are none."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        if not self._data:
            raise OSError("gone")
        given, self._data = self._data[:100], b""
        return given


def none(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    return body


def content_type(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["CONTENT_TYPE"] = pick(_CONTENT_TYPES, how)
    return body


def charset(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    """The whole message in another charset, honestly named."""
    name = pick(("utf-16", "utf-16le", "utf-16be", "utf8", "utf-8"), how)
    environ["CONTENT_TYPE"] += f"; charset={name}"
    return body.decode("utf-8", "replace").encode(name, "replace")


def action(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["HTTP_SOAPACTION"] = pick(_ACTIONS, how)
    return body


def length(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["CONTENT_LENGTH"] = pick((*_LENGTHS, str(len(body) - 1), str(len(body) + 1)), how)
    return body


def chunked(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    if how & 3 != 3:
        environ["CONTENT_LENGTH"] = None
    environ["HTTP_TRANSFER_ENCODING"] = pick(("chunked", "Chunked", "gzip, chunked", "identity"), how >> 4)
    environ["wsgi.input_terminated"] = bool(how & 4 or how & 3 == 0)
    return body


def broken(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["wsgi.input"] = Broken(body)
    return body


def method(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["REQUEST_METHOD"] = pick(_METHODS, how)
    return body


def path(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["PATH_INFO"] = pick(_PATHS, how)
    environ["REQUEST_METHOD"] = pick(("POST", "GET"), how >> 5)
    return body


def query(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["QUERY_STRING"] = pick(_QUERIES, how)
    environ["REQUEST_METHOD"] = pick(("POST", "GET"), how >> 5)
    return body


def coding(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    environ["HTTP_CONTENT_ENCODING"] = pick(_CODINGS, how)
    return gzip.compress(body) if how & 64 else body


def scheme(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    """The other one of HTTP and HTTPS."""
    environ["wsgi.url_scheme"] = "https" if environ["wsgi.url_scheme"] == "http" else "http"
    return body


def proxy(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    """Plain HTTP, and headers of a proxy that nobody trusts, which say that it was HTTPS."""
    environ["wsgi.url_scheme"] = "http"
    environ.update([pick(_PROXIES, how)])
    return body


def bare(environ: dict[str, Any], body: bytes, how: int) -> bytes:
    """Without what a server usually says."""
    name = pick(
        ("REMOTE_ADDR", "QUERY_STRING", "CONTENT_TYPE", "SERVER_NAME", "PATH_INFO", "CONTENT_LENGTH"), how
    )
    environ[name] = None
    return body


FRAMES: dict[str, Frame] = {
    one.__name__.replace("_", "-"): one
    for one in (none, content_type, charset, action, length, chunked, broken, method, path, query, coding, scheme,
                proxy, bare)
}  # fmt: skip


def request(frame: str, how: int, data: bytes, content: str, *, secure: bool) -> tuple[dict[str, Any], bytes]:
    """What :func:`tests.unit.server.plain.call` sends: a changed environment, and the body."""
    environ: dict[str, Any] = {
        "PATH_INFO": "/echo",
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": content,
        "wsgi.url_scheme": "https" if secure else "http",
    }
    body = FRAMES[frame](environ, data, how)
    environ.setdefault("CONTENT_LENGTH", str(len(body)))
    environ.setdefault("wsgi.input", io.BytesIO(body))
    return environ, body


def change(data: bytes, name: str, where: int, other: int, how: int) -> bytes:
    """A message's octets by one mutator; the same where it has nothing to do."""
    if not data:
        return data
    try:
        return OCTETS[name](data, where, other, how)
    except Nothing:
        return data
