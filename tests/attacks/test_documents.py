"""Documents and parsers: A01 to A18."""

import pytest

from tests.attacks.rows import (
    R,
    Row,
    by_text,
    changed,
    changed_bytes,
    check,
    entity,
    raw,
)
from tests.simulator.bend import (
    BODY,
    attribute,
)
from wsprovider.words import namespaces as ns

LAUGHS = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))

DOCUMENTS = [
    raw("A01 document type", "3", R.DOCTYPE, lambda data: b"<!DOCTYPE x>" + data),
    raw("A02 in UTF-16", "3", R.DOCTYPE, lambda data: ("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE x>" + data.decode()).encode("utf-16")),
    raw("A02 in UTF-16, plain", "3", R.DOCTYPE, lambda data: ("<!DOCTYPE x>" + data.decode()).encode("utf-16")),
    raw("A02 behind a comment", "3", R.DOCTYPE, lambda data: b"<!-- c -->\n<!DOCTYPE x SYSTEM 'urn:x'>" + data),
    raw("A03 billion laughs", "3", R.NOT_WELL_FORMED, entity('<!ENTITY e0 "lol">' + LAUGHS, "&e9;")),
    raw("A03 unused", "3", R.DOCTYPE, entity('<!ENTITY e0 "lol">' + LAUGHS, "hello")),
    raw("A03 parameter entities", "3", R.DOCTYPE, entity('<!ENTITY % a "x">', "hello")),
    raw("A04 external entity", "3", R.DOCTYPE, entity('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;")),
    raw("A04 external subset", "3", R.DOCTYPE, lambda data: b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">' + data),
    raw("A05 ATTLIST makes an id", "3", R.DOCTYPE, entity("<!ATTLIST b Id ID #IMPLIED>", "hello")),
    raw("A06 before the root", "3", R.PROCESSING_INSTRUCTION, lambda data: b"<?xml-stylesheet href='x'?>" + data),
    raw("A06 in the Body", "3", R.PROCESSING_INSTRUCTION, lambda data: data.replace(b"hello", b"he<?x y?>llo")),
    raw("A06 behind the root", "3", R.PROCESSING_INSTRUCTION, lambda data: data + b"<?x?>"),
    raw("A07 101 levels", "3", R.TOO_DEEP, lambda data: data.replace(b"hello", b"<a>" * 98 + b"</a>" * 98)),
    raw("A07 a million levels", "3", R.TOO_MANY_ELEMENTS, lambda data: b"<a>" * 1_000_000),
    raw("A08 many elements", "3", R.TOO_MANY_ELEMENTS, lambda data: data.replace(b"hello", b"<a/>" * 500_001)),
    raw("A09 many attributes", "3", R.TOO_MANY_ATTRIBUTES, by_text("<soap:Header>", "<soap:Header " + " ".join(f'a{i}=""' for i in range(501)) + ">")),
    raw("A09 many declarations", "3", R.TOO_MANY_NAMESPACES, by_text("hello", '<a xmlns="urn:a"/>' * 2001)),
    raw("A09 many declarations in scope", "3", R.NAMESPACES_IN_SCOPE, by_text("<soap:Header>", "<soap:Header " + " ".join(f'xmlns:a{i}="urn:{i}"' for i in range(65)) + ">")),
    raw("C05 many header blocks", "3", R.TOO_MANY_HEADER_BLOCKS, by_text("<soap:Header>", "<soap:Header>" + "<h:x xmlns:h='urn:h'/>" * 100)),
    raw("A10 too large", "3", R.MESSAGE_TOO_LARGE, lambda data: data + b" " * 16_000_001),
    raw("A10 long name", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"<" + b"a" * 60_000 + b"/>")),
    raw("A10 long SignatureValue", "3", R.FIELD_TOO_LONG, by_text("<ds:SignatureValue>", "<ds:SignatureValue>" + "A" * 20_000)),
    raw("A10 long CipherValue of a key", "3", R.DECRYPTED_TOO_LARGE, by_text("<xenc:CipherValue>", "<xenc:CipherValue>" + "A" * 20_000)),
    raw("A14 undeclared prefix", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"<q:x/>")),
    raw("A14 duplicate attribute", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"<x a='1' a='2'/>")),
    raw("A14 bad UTF-8", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"\xff\xfe")),
    raw("A14 overlong UTF-8", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"\xc0\xbc")),
    raw("A14 lone surrogate", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"\xed\xa0\x80")),
    raw("A14 surrogate by number", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"&#xD800;")),
    raw("A14 NUL", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"\0")),
    raw("A14 NUL by number", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"&#0;")),
    raw("A14 control character", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", b"\x01")),
    raw("A14 non-character", "3", R.NOT_WELL_FORMED, lambda data: data.replace(b"hello", "\uffff".encode())),
    raw("A14 text behind", "3", R.NOT_WELL_FORMED, lambda data: data + b"x"),
    raw("A14 two roots", "3", R.NOT_WELL_FORMED, lambda data: data + data),
    raw("A14 truncated", "3", R.NOT_WELL_FORMED, lambda data: data[:-5]),
    raw("A14 empty", "3", R.NOT_WELL_FORMED, lambda _: b""),
    raw("A15 Latin-1", "3", R.ENCODING, lambda data: b"<?xml version='1.0' encoding='ISO-8859-1'?>" + data),
    changed_bytes("A15 UTF-7", "3", (R.ENCODING, R.NOT_WELL_FORMED), lambda data: b"<?xml version='1.0' encoding='UTF-7'?>" + data),
    raw("A15 UTF-32", "3", R.ENCODING, lambda data: data.decode().encode("utf-32")),
    raw("A15 UTF-16 in name only", "3", R.NOT_WELL_FORMED, lambda data: b"<?xml version='1.0' encoding='UTF-16'?>" + data),
    Row("A15 HTTP says UTF-16", "3", (R.ENCODING,), lambda _, p: p.data, accept={"charset": "utf-16"}),
    Row("A15 HTTP says UTF-7", "3", (R.ENCODING,), lambda _, p: p.data, accept={"charset": "utf-7"}),
    Row("A15 HTTP says unicode_escape", "3", (R.ENCODING,), lambda _, p: p.data, accept={"charset": "unicode_escape"}),
    Row("A15 HTTP says UTF-8 of UTF-16", "3", (R.ENCODING,), lambda _, p: p.data.decode().encode("utf-16"), accept={"charset": "utf-8"}),
    raw("A17 entity in an id", "3", R.DOCTYPE, lambda data: b'<!DOCTYPE x [<!ENTITY b "Body">]>' + data.replace(b'Id="Body', b'Id="&b;')),
    changed("A18 two ids on one element", "3", R.AMBIGUOUS_ID, attribute(BODY, "Id", "other")),
    changed("A18 two ids on one element, xml:id", "3", R.AMBIGUOUS_ID, attribute(BODY, f"{{{ns.XML}}}id", "other")),
    raw("A18 shadowed prefix", "3", R.UNKNOWN_HEADER_CHILD, by_text('<ds:Signature xmlns:ds="[^"]*"', '<ds:Signature xmlns:ds="urn:evil"')),
    raw("A18 prefix taken back", "3", R.SOAP_VERSION, by_text('<soap:Envelope xmlns:soap="[^"]*"', '<soap:Envelope xmlns:soap="urn:evil"')),
]  # fmt: skip


@pytest.mark.parametrize("row", DOCUMENTS, ids=str)
def test_is_refused(row):
    check(row)
