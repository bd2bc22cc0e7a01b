"""Groups A, C and O: documents and parsers, SOAP, WS-Addressing; and what answers must not give away (P)."""

import re
from collections.abc import Callable

from lxml import etree

from wsprovider.attack.bend import BODY, HEADER, OURS, SECURITY, WSU_ID, attribute, insert, move, one, text
from wsprovider.attack.caller import Genuine
from wsprovider.attack.variants import (
    INFO,
    Answers,
    Sender,
    Variant,
    beside,
    changed,
    content,
    forged,
    raw,
    sent,
    wire,
)
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

_DOCUMENTED, _ANY = Answers.DOCUMENTED, Answers.ANY
_LAUGHS = '<!ENTITY e0 "lol">' + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
_ANONYMOUS = f"<wsa:Address>{uris.WSA_200508_ANONYMOUS}</wsa:Address>"
_BODY_START = re.compile(rb"<[^<>]*Body[^<>]*>")


def _inside(put: bytes) -> Callable[[bytes], bytes]:
    """Something as the first content of the Body."""
    return lambda data: _BODY_START.sub(lambda found: found[0] + put, data, count=1)


def _typed(declarations: str, use: bytes = b"") -> Callable[[bytes], bytes]:
    """A document type declaration, and something that uses it."""
    return lambda data: f"<!DOCTYPE x [{declarations}]>".encode() + _inside(use)(data)


def _declared(encoding: str) -> Callable[[bytes], bytes]:
    return lambda data: f"<?xml version='1.0' encoding='{encoding}'?>".encode() + data


def _in_header(attributes: str) -> Callable[[bytes], bytes]:
    """Attributes on the Header element."""
    return lambda data: re.sub(rb"<([^<>/\s]*Header)>", rf"<\1 {attributes}>".encode(), data, count=1)


def _secured(root: etree._Element) -> None:
    """Only of a message that has a Security header; over HTTP Basic it has none, and an empty one is none too many."""
    one(root, SECURITY)


def _limited(entry: str, what: str, make: Callable[[Genuine], bytes]) -> Variant:
    """One beyond a limit that the endpoint's settings say."""
    return Variant(entry, what, Sender.STRANGER, lambda g: sent(g, make(g)), _ANY)


def _deep(genuine: Genuine) -> bytes:
    levels = genuine.caller.ourselves.limits.depth
    return _inside(b"<a>" * levels + b"</a>" * levels)(genuine.data)


def _wide(genuine: Genuine) -> bytes:
    return _inside(b"<a/>" * (genuine.caller.ourselves.limits.elements + 1))(genuine.data)


def _attributes(genuine: Genuine) -> bytes:
    count = genuine.caller.ourselves.limits.attributes_per_element + 1
    return _in_header(" ".join(f'a{i}=""' for i in range(count)))(genuine.data)


def _declarations(genuine: Genuine) -> bytes:
    count = genuine.caller.ourselves.limits.namespace_declarations + 1
    return _in_header(" ".join(f'xmlns:a{i}="urn:{i}"' for i in range(count)))(genuine.data)


DOCUMENTS = [
    raw("A01", "document type", lambda data: b"<!DOCTYPE x>" + data),
    raw("A02", "document type in UTF-16", lambda data: ("<!DOCTYPE x>" + data.decode()).encode("utf-16"), _ANY),
    raw("A02", "document type behind a comment", lambda data: b"<!-- c -->\n<!DOCTYPE x SYSTEM 'urn:x'>" + data),
    raw("A03", "billion laughs", _typed(_LAUGHS, b"&e9;")),
    raw("A03", "billion laughs, unused", _typed(_LAUGHS)),
    raw("A03", "parameter entity", _typed('<!ENTITY % a "x">')),
    raw("A04", "external entity", _typed('<!ENTITY x SYSTEM "file:///etc/hostname">', b"&x;")),
    raw("A04", "external subset", lambda data: b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">' + data),
    raw("A05", "ATTLIST makes an id", _typed("<!ATTLIST b Id ID #IMPLIED>")),
    raw("A06", "instruction before the root", lambda data: b"<?xml-stylesheet href='x'?>" + data),
    raw("A06", "instruction in the Body", _inside(b"<?x y?>")),
    raw("A06", "instruction behind the root", lambda data: data + b"<?x?>"),
    _limited("A07", "one level too deep", _deep),
    raw("A07", "a hundred thousand levels", lambda _: b"<a>" * 100_000),
    _limited("A08", "one element too many", _wide),
    _limited("A09", "one attribute too many", _attributes),
    _limited("A09", "one declaration too many", _declarations),
    raw("A10", "a long name", _inside(b"<" + b"a" * 60_000 + b"/>")),
    raw("A12", "XInclude", _inside(b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>')),
    raw("A14", "undeclared prefix", _inside(b"<q:x/>")),
    raw("A14", "duplicate attribute", _inside(b"<x a='1' a='2'/>")),
    raw("A14", "bad UTF-8", _inside(b"\xff\xfe")),
    raw("A14", "overlong UTF-8", _inside(b"\xc0\xbc")),
    raw("A14", "lone surrogate", _inside(b"\xed\xa0\x80")),
    raw("A14", "surrogate by number", _inside(b"&#xD800;")),
    raw("A14", "NUL", _inside(b"\0")),
    raw("A14", "NUL by number", _inside(b"&#0;")),
    raw("A14", "control character", _inside(b"\x01")),
    raw("A14", "text behind the root", lambda data: data + b"x"),
    raw("A14", "two roots", lambda data: data + data),
    raw("A14", "cut off", lambda data: data[:-5]),
    raw("A14", "half of it", lambda data: data[: len(data) // 2]),
    raw("A15", "declared as Latin-1", _declared("ISO-8859-1"), _ANY),
    raw("A15", "declared as UTF-7", _declared("UTF-7"), _ANY),
    raw("A15", "declared as UTF-16", _declared("UTF-16"), _ANY),
    raw("A15", "in UTF-32", lambda data: data.decode().encode("utf-32"), _ANY),
    raw("A17", "entity in an id", lambda data: b'<!DOCTYPE x [<!ENTITY b "B">]>' + data.replace(b'Id="B', b'Id="&b;', 1)),
    changed("A18", "two ids on the Body", attribute(BODY, WSU_ID, "one"), attribute(BODY, "Id", "other")),
    changed("A18", "wsu:Id and xml:id", attribute(SECURITY, WSU_ID, "one"), attribute(SECURITY, f"{{{ns.XML}}}id", "other")),
    raw("A18", "the envelope's prefix taken back", lambda data: data.replace(ns.SOAP11.encode(), b"urn:evil", 1)),
]  # fmt: skip
"""Rows of the parser."""

SOAP = [
    wire("C01", "SOAPAction of a security context", lambda sent: sent.but(SOAPAction=f'"{ns.WST_200512}/RST/SCT/Cancel"')),
    changed("C02", "a header that must be understood", beside('<x:x s:mustUnderstand="1"/>'), answers=_DOCUMENTED),
    changed("C02", "mustUnderstand of no boolean", beside('<x:x s:mustUnderstand="yes"/>'), answers=_DOCUMENTED),
    changed("C03", "two Bodies", insert("/*", "<s:Body/>"), answers=_DOCUMENTED),
    changed("C03", "two Bodies, the other first", insert("/*", "<s:Body/>", 1), answers=_DOCUMENTED),
    changed("C03", "two Headers", insert("/*", "<s:Header/>", 0), answers=_DOCUMENTED),
    changed("C03", "Header behind the Body", move(HEADER, "/*"), answers=_DOCUMENTED),
    changed("C03", "two elements in the Body", insert(BODY, "<x:x/>"), answers=_DOCUMENTED),
    changed("C03", "text in the Envelope", text("/*", "x"), answers=_DOCUMENTED),
    changed("C03", "something behind the Body", insert("/*", "<x:x/>"), answers=_DOCUMENTED),
    changed("C04", "a Body of SOAP 1.2 beside", insert("/*", "<s12:Body/>"), answers=_DOCUMENTED),
    raw("C04", "the other version", lambda data: data.replace(ns.SOAP11.encode(), ns.SOAP12.encode())),
    raw("C04", "no namespace", lambda _: b"<Envelope><Body/></Envelope>"),
    raw("C04", "another root", lambda _: f"<s:Body xmlns:s='{ns.SOAP11}'/>".encode()),
    changed("C05", "Security for another role", attribute(SECURITY, f"{{{ns.SOAP11}}}actor", "urn:other"), answers=_DOCUMENTED),
    changed("C05", "two Security headers", _secured, insert(HEADER, "<wsse:Security/>"), answers=_DOCUMENTED),
    changed("C05", "one more for next", _secured, insert(HEADER, f'<wsse:Security s:actor="{uris.ACTOR_NEXT}"/>'), answers=_DOCUMENTED),
    content("C09", "an empty Body", lambda body: body.remove(body[0])),
    content("C09", "an operation that is none", lambda body: body.replace(body[0], body.makeelement(f"{{{OURS}}}no"))),
    content("C09", "two operations", lambda body: body.append(body.makeelement(f"{{{OURS}}}second"))),
    content("C09", "a Fault", lambda body: body.replace(body[0], body.makeelement(f"{{{ns.SOAP11}}}Fault"))),
    content("C09", "the operation in another namespace", lambda body: setattr(body[0], "tag", body[0].tag.rpartition("}")[2])),
    content("D09", "a reply as a request", lambda body: setattr(body[0], "tag", f"{body[0].tag}Response")),
    changed("C10", "a quote in an id", attribute(BODY, WSU_ID, "a' or '1'='1")),
    forged("C10", "a quote in a reference", lambda root: one(root, f"({INFO}/ds:Reference)[1]").set("URI", "#a'or'1'='1")),
]  # fmt: skip
"""Rows of SOAP's frame."""

ADDRESSING = [
    *(changed("O01", f"{name} elsewhere", beside(f"<wsa:{name}><wsa:Address>http://127.0.0.1:1/</wsa:Address></wsa:{name}>"), answers=_DOCUMENTED) for name in ("ReplyTo", "FaultTo")),
    changed("O01", "ReplyTo a file", beside("<wsa:ReplyTo><wsa:Address>file:///etc/hostname</wsa:Address></wsa:ReplyTo>"), answers=_DOCUMENTED),
    changed("O01", "ReplyTo nobody", beside("<wsa:ReplyTo/>"), answers=_DOCUMENTED),
    changed("O01", "ReplyTo two", beside(f"<wsa:ReplyTo>{_ANONYMOUS * 2}</wsa:ReplyTo>"), answers=_DOCUMENTED),
    changed("O02", "To another path", beside("<wsa:To>http://localhost/other-path</wsa:To>"), answers=_DOCUMENTED),
    changed("O02", "To what is no URL", beside("<wsa:To>http://[x/</wsa:To>"), answers=_DOCUMENTED),
    changed("O03", "Action of another protocol", beside(f"<wsa:Action>{ns.WST_200512}/RST/SCT/Renew</wsa:Action>"), answers=_DOCUMENTED),
    changed("O04", "a long MessageID", beside(f"<wsa:MessageID>{'x' * 3_000}</wsa:MessageID>"), answers=_DOCUMENTED),
    changed("O04", "a line break in MessageID", beside("<wsa:MessageID>urn:a&#10;b</wsa:MessageID>"), answers=_DOCUMENTED),
    changed("O04", "an empty MessageID", beside("<wsa:MessageID/>"), answers=_DOCUMENTED),
    changed("O04", "a child in MessageID", beside("<wsa:MessageID>a<x:b/></wsa:MessageID>"), answers=_DOCUMENTED),
    *(changed("O05", f"two {name}", beside(f"<wsa:{name}>{value}</wsa:{name}>"), beside(f"<wsa:{name}>{value}</wsa:{name}>"), answers=_DOCUMENTED) for name, value in {
        "To": "http://127.0.0.1/", "Action": "urn:a", "MessageID": "urn:a", "ReplyTo": _ANONYMOUS,
    }.items()),
    changed("O05", "two versions", beside("<wsa:MessageID>urn:a</wsa:MessageID>"), beside(f'<a:MessageID xmlns:a="{ns.WSA_200408}">urn:a</a:MessageID>'), answers=_DOCUMENTED),
]  # fmt: skip
"""Rows of WS-Addressing."""

ORACLES = [
    raw("P02", "what the parser would quote", _inside(b"<marker-of-the-parser></marker>")),
    changed("P02", "a name that a fault would quote", beside('<x:marker-in-a-name s:mustUnderstand="1"/>'), answers=_DOCUMENTED),
    content("P02", "an operation that a fault would quote", lambda body: body.replace(body[0], body.makeelement(f"{{{OURS}}}marker"))),
    wire("P03", "markup in Content-Type", lambda sent: sent.but(Content_Type="text/<marker/>]]>&amp;")),
    raw("P03", "a marker in a namespace", lambda data: data.replace(ns.WSSE.encode(), b"urn:marker"), _DOCUMENTED),
    raw("P06", "no XML at all", lambda _: b"GIF89a marker"),
    raw("P06", "bytes of all kinds", lambda _: bytes(range(256)) * 8),
]  # fmt: skip
"""Rows whose answer must not tell anything."""
