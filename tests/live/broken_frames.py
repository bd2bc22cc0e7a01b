"""Group B of the catalogue of bad inputs as rows: what is put around a genuine message, and what is answered.

A row's bytes are followed on the same connection by a second genuine request. ``then`` says whether the
server may still know where that one begins: if so it is answered, and if not it must never be.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.live.slow_peers import PATH

XML = "Content-Type: text/xml; charset=utf-8"


@dataclass(frozen=True)
class Frame:
    """One row.

    Attributes:
        entry: of the catalogue.
        wrap: the bytes to send for a message.
        statuses: one of them is answered.
        then: the next request on the connection is answered too.
    """

    entry: str
    name: str
    wrap: Callable[[bytes], bytes]
    statuses: tuple[int, ...]
    then: bool = False


def head(*fields: str, first: str = f"POST {PATH} HTTP/1.1") -> bytes:
    """Request line and fields."""
    return "\r\n".join((first, "Host: localhost", *fields, "", "")).encode("latin-1")


def genuine(data: bytes) -> bytes:
    """A request as it should be."""
    return head(XML, f"Content-Length: {len(data)}") + data


def chunked(data: bytes) -> bytes:
    """A body in one chunk."""
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)


def _fields(*fields: str, first: str = f"POST {PATH} HTTP/1.1") -> Callable[[bytes], bytes]:
    """These fields, among which {n} is the length."""
    return lambda data: head(*(field.replace("{n}", str(len(data))) for field in fields), first=first) + data


def _typed(*types: str) -> Callable[[bytes], bytes]:
    return _fields(*(f"Content-Type: {one}" for one in types), "Content-Length: {n}")


def _line(first: str) -> Callable[[bytes], bytes]:
    return _fields(XML, "Content-Length: {n}", first=first)


def _coded(coding: str, encode: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def wrap(data: bytes) -> bytes:
        body = encode(data)
        return head(XML, f"Content-Encoding: {coding}", f"Content-Length: {len(body)}") + body

    return wrap


def _transfer(*codings: str, more: tuple[str, ...] = ()) -> Callable[[bytes], bytes]:
    fields = [f"Transfer-Encoding: {one}" for one in codings]
    return lambda data: (
        head(XML, *fields, *(one.replace("{n}", str(len(data))) for one in more)) + chunked(data)
    )


def _chunks(template: bytes) -> Callable[[bytes], bytes]:
    """A chunked body of which the template says how: %x is the length, %s the message."""
    return lambda data: (
        head(XML, "Transfer-Encoding: chunked")
        + template.replace(b"%x", b"%x" % len(data)).replace(b"%s", data)
    )


def _raw(template: str) -> Callable[[bytes], bytes]:
    """Exactly these characters, among which {n} is the length, and the message."""
    return lambda data: template.replace("{n}", str(len(data))).encode("latin-1") + data


def _multipart(root: bytes, *more: bytes) -> Callable[[bytes], bytes]:
    def wrap(data: bytes) -> bytes:
        parts = [root.replace(b"%s", data), *more]
        body = (
            b"".join(b"--b\r\nContent-Type: text/xml\r\n\r\n" + part + b"\r\n" for part in parts) + b"--b--"
        )
        kind = 'Content-Type: multipart/related; type="text/xml"; boundary=b'
        return head(kind, f"Content-Length: {len(body)}") + body

    return wrap


_P = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n{XML}\r\n"
_DTD = b'<!DOCTYPE a [<!ENTITY e "x">]>%s'
_XOP = b'<a xmlns:x="http://www.w3.org/2004/08/xop/include"><x:Include href="file:///etc/hostname"/>%s</a>'


FRAMES = [
    *(
        Frame("B01", f"method {method}", _line(f"{method} {PATH} HTTP/1.1"), (405,), then=True)
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
    ),
    Frame("B01", "GET with a body", _line(f"GET {PATH} HTTP/1.1"), (200,), then=True),
    Frame("B01", "GET of an operation", _line(f"GET {PATH}?op=echo&text=x HTTP/1.1"), (404,), then=True),
    Frame("B01", "GET of ?wsdl with a body", _line(f"GET {PATH}?wsdl HTTP/1.1"), (200,), then=True),
    Frame("B01", "CONNECT", _line(f"CONNECT {PATH} HTTP/1.1"), (400, 405)),
    Frame("B01", "post in small letters", _line(f"post {PATH} HTTP/1.1"), (400,)),
    *(
        Frame("B02", f"type {kind[:40] or 'blank'}", _typed(kind), (415,), then=True)
        for kind in (
            "text/html",
            "application/json",
            "application/xml",
            "",
            "text/xml; charset=utf-7",
            "text/xml; charset=utf-8; charset=utf-16",
            "text/xml; x=" + "y" * 6000,
        )
    ),
    Frame("B02", "no type", _fields("Content-Length: {n}"), (415,), then=True),
    Frame("B02", "two types", _typed("text/xml", "text/html"), (400,)),
    *(
        Frame("B03", f"length {length[:20] or 'blank'}", _fields(XML, f"Content-Length: {length}"), (400,))
        for length in ("", "-1", "abc", "+{n}", "0x{n}", "{n}.0", "{n} {n}", "{n},{n}", "{n};", "1_0", "9" * 5000)
    ),
    Frame("B03", "length over the limit", _fields(XML, "Content-Length: 16000001"), (413,)),
    Frame("B03", "length of 30 digits", _fields(XML, "Content-Length: " + "9" * 30), (400, 413)),
    Frame("B03", "two lengths", _fields(XML, "Content-Length: {n}", "Content-Length: 3"), (400,)),
    Frame("B03", "two equal lengths", _fields(XML, "Content-Length: {n}", "Content-Length: {n}"), (400,)),
    Frame("B03", "length nought", _fields(XML, "Content-Length: 0"), (400,)),
    Frame("B03", "no length", _fields(XML), (411,)),
    Frame("B04", "gzip", _coded("gzip", gzip.compress), (415,), then=True),
    Frame("B04", "deflate", _coded("deflate", zlib.compress), (415,), then=True),
    Frame("B04", "gzip of gzip", _coded("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))), (415,), then=True),
    Frame("B04", "bomb", _coded("gzip", lambda data: gzip.compress(b" " * 50_000_000 + data)), (415,), then=True),
    Frame("B04", "deflate with more behind", _coded("deflate", lambda data: zlib.compress(data) + b"x"), (415,), then=True),
    Frame("B04", "gzip in name only", _coded("gzip", bytes), (415,), then=True),
    Frame("B05", "length and chunks", _transfer("chunked", more=("Content-Length: {n}",)), (400,)),
    Frame("B05", "length nought and chunks", _transfer("chunked", more=("Content-Length: 0",)), (400,)),
    Frame("B05", "chunked twice", _transfer("chunked", "chunked"), (400,)),
    Frame("B05", "chunked, chunked", _transfer("chunked, chunked"), (400,)),
    Frame("B05", "chunked, identity", _transfer("chunked, identity"), (400,)),
    Frame("B05", "identity", _transfer("identity"), (400,)),
    Frame("B05", "gzip, chunked", _transfer("gzip, chunked"), (411,)),
    Frame("B05", "chunked, gzip", _transfer("chunked, gzip"), (400,)),
    *(
        Frame("B05", f"coding {coding!r}", _transfer(coding), (400, 501))
        for coding in ("\x0bchunked", "xchunked", "chunked;q=1", '"chunked"', "chun ked", "", "chunked\x00")
    ),
    Frame("B05", "Transfer-Encoding before a colon with a space", _raw(_P + "Transfer-Encoding : chunked\r\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "chunks under HTTP/1.0", _raw(_P.replace("1.1", "1.0") + "Transfer-Encoding: chunked\r\n\r\n"), (400,)),
    Frame("B05", "chunk with 0x", _chunks(b"0x%x\r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "chunk with a sign", _chunks(b"+%x\r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "chunk with a space", _chunks(b"%x \r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "chunk of 17 digits", _chunks(b"00000000000000000%x\r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "chunk that says too little", _chunks(b"3\r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "chunk ended by LF", _chunks(b"%x\n%s\n0\n\n"), (400,)),
    Frame("B05", "chunk extension with LF", _chunks(b"%x;a\nb\r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "chunk extension with CR", _chunks(b"%x;a\rb\r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "chunk extension without end", _chunks(b"%x;" + b"a" * 10_000 + b"\r\n%s\r\n0\r\n\r\n"), (400,)),
    Frame("B05", "trailer that is framing", _chunks(b"%x\r\n%s\r\n0\r\nContent-Length: 3\r\n\r\n"), (400,)),
    Frame("B05", "trailer folded", _chunks(b"%x\r\n%s\r\n0\r\nX: y\r\n z\r\n\r\n"), (400,)),
    Frame("B05", "trailer with LF", _chunks(b"%x\r\n%s\r\n0\r\nX: y\n\r\n\r\n"), (400,)),
    Frame("B05", "long trailer", _chunks(b"%x\r\n%s\r\n0\r\n" + b"X: y\r\n" * 5_000 + b"\r\n"), (400,)),
    Frame("B05", "field folded", _raw(_P + "X: y\r\n Content-Length: 3\r\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "LF in the head", _raw(_P.replace("\r\n", "\n") + "Content-Length: {n}\n\n"), (400,)),
    Frame("B05", "one LF in the head", _raw(_P + "X: y\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "CR in a field", _raw(_P + "X: y\rz\r\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "NUL in a field", _raw(_P + "X: y\0\r\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "NUL in a name", _raw(_P + "X\0: y\r\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "a field without colon", _raw(_P + "nothing\r\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "two Hosts", _raw(_P + "Host: other\r\nContent-Length: {n}\r\n\r\n"), (400,)),
    Frame("B05", "long field", _fields(XML, "X: " + "y" * 9_000, "Content-Length: {n}"), (431,)),
    Frame("B05", "many fields", _fields(XML, *("X: y" for _ in range(70)), "Content-Length: {n}"), (431,)),
    Frame("B05", "long head", _fields(XML, *(f"X: {'y' * 8_000}" for _ in range(20)), "Content-Length: {n}"), (431,)),
    Frame("B05", "long line", _line(f"POST {PATH}?{'a' * 5_000} HTTP/1.1"), (414,)),
    Frame("B05", "HTTP/0.9", lambda _: b"GET /healthz\r\n\r\n", (400,)),
    Frame("B05", "HTTP/2 preface", lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    Frame("B05", "HTTP/3", _line(f"POST {PATH} HTTP/3.0"), (400,)),
    Frame("B05", "no version", _line(f"POST {PATH}"), (400,)),
    Frame("B05", "spaces in the target", _line(f"POST {PATH} x HTTP/1.1"), (400,)),
    Frame("B05", "authority as target", _line("POST localhost:80 HTTP/1.1"), (400,)),
    Frame("B05", "asterisk as target", _line("POST * HTTP/1.1"), (400,)),
    Frame("B05", "target in Latin-1", _line(f"POST {PATH}\xe4 HTTP/1.1"), (400,)),
    Frame("B05", "another path, absolute", _line("POST http://localhost/nothing HTTP/1.1"), (404,), then=True),
    Frame("B05", "another path, %-encoded", _line(f"POST {PATH}%00 HTTP/1.1"), (404,), then=True),
    Frame("B05", "a path with dots", _line(f"POST /echo/../echo/x/..{PATH} HTTP/1.1"), (404,), then=True),
    Frame("B05", "Expect of something else", _fields(XML, "Expect: 200-ok", "Content-Length: {n}"), (417,)),
    Frame("B05", "Upgrade to h2c", _fields("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Content-Length: {n}"), (415,), then=True),
    Frame("B07", "multipart", _multipart(b"%s"), (415,), then=True),
    Frame("B07", "multipart without boundary", _typed("multipart/related; type=text/xml"), (415,), then=True),
    Frame("B07", "multipart of 10,000 parts", _multipart(b"%s", *(b"x" for _ in range(10_000))), (415,), then=True),
    Frame("B08", "multipart, document type in the root", _multipart(_DTD), (415,), then=True),
    Frame("B09", "multipart, XOP of a file", _multipart(_XOP), (415,), then=True),
    Frame("B13", "CR in SOAPAction", _fields(XML, 'SOAPAction: "urn:a\rX: y"', "Content-Length: {n}"), (400,)),
    Frame("B13", "LF in SOAPAction", _fields(XML, 'SOAPAction: "urn:a\nX: y"', "Content-Length: {n}"), (400,)),
    Frame("B13", "SOAPAction folded", _fields(XML, 'SOAPAction: "urn:a\r\n X: y"', "Content-Length: {n}"), (400,)),
    Frame("B13", "long SOAPAction", _fields(XML, f'SOAPAction: "{"a" * 5_000}"', "Content-Length: {n}"), (400,)),
]  # fmt: skip


def _action(action: str) -> Callable[[bytes], bytes]:
    return _fields(XML, f"SOAPAction: {action}", "Content-Length: {n}")


TWINS = {
    "chunked": _transfer("chunked"),
    "Chunked in capitals": _transfer("CHUNKED"),
    "many chunks": lambda data: (
        head(XML, "Transfer-Encoding: chunked")
        + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (data[i : i + 100] for i in range(0, len(data), 100)))
        + b"0\r\n\r\n"
    ),
    "chunk extensions": _chunks(b'%x;a=b ; c="d"\r\n%s\r\n0;e\r\n\r\n'),
    "trailer": _chunks(b"%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n"),
    "HTTP/1.0, kept alive": _raw(_P.replace("1.1", "1.0") + "Connection: keep-alive\r\nContent-Length: {n}\r\n\r\n"),
    "absolute target": _line(f"POST http://elsewhere.example{PATH} HTTP/1.1"),
    "%-encoded target": _line(f"POST {PATH.replace('i', '%69')} HTTP/1.1"),
    "an empty line before": lambda data: b"\r\n" + genuine(data),
    "unknown fields": _fields(XML, *(f"X-{n}: y" for n in range(50)), "Content-Length: {n}"),
    "an action": _action('"urn:wsprovider:echo/echo"'),
}  # fmt: skip
