"""Splicing: plaintext stays in the place of its ciphertext, or the message is refused."""

import pytest
from lxml import etree

from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.parse import parse
from wsprovider.xml.places import at, place_of
from wsprovider.xml.splice import Graft, splice

DOCUMENT = b"<r xmlns:p='urn:p'> <h><t/>a<u/>b</h> <b><x/></b> </r>"
NONCE = "00112233445566778899aabb"


def spliced(*grafts: Graft, document: bytes = DOCUMENT, limits: Limits | None = None) -> bytes:
    root = parse(document, Limits())
    return etree.tostring(splice(root, grafts, NONCE, limits or Limits()))


def element(plaintext: bytes, place: tuple[int, ...] = (0, 0)) -> Graft:
    return Graft(place, plaintext, content=False)


def content(plaintext: bytes) -> Graft:
    return Graft((1, 0), plaintext, content=True)


@pytest.mark.parametrize(
    ("grafts", "expected"),
    [
        ([element(b"<n/>")], b"<h><n/>a<u/>b</h>"),
        ([element(b"<n/>", (0, 1))], b"<h><t/>a<n/>b</h>"),
        ([element(b"<n/>"), element(b"<m/>", (0, 1))], b"<h><n/>a<m/>b</h>"),
        ([element(b" \n<n/>\n")], b"<h> \n<n/>\na<u/>b</h>"),
        ([element(b"<?xml version='1.0'?><n/>")], b"<h><n/>a<u/>b</h>"),
        ([element(b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><n/>")], b"<h><n/>a<u/>b</h>"),
        ([element(b"<p:n/>")], b"<h><p:n/>a<u/>b</h>"),
        ([content(b"<n/>")], b"<b><n/></b>"),
        ([content(b"text")], b"<b>text</b>"),
        ([content(b"a<n/>b<m/>c")], b"<b>a<n/>b<m/>c</b>"),
        ([content(b"")], b"<b/>"),
        ([element(b"<n>&amp;&lt;</n>")], b"<n>&amp;&lt;</n>"),
        ([element(b"<n><!-- c --></n>")], b"<h><n/>a"),
        ([element(b"<n/>"), content(b"<m/>")], b"<h><n/>a<u/>b</h> <b><m/></b>"),
        ([element("<n>ä</n>".encode())], b"<n>&#228;</n>"),
    ],
)
def test_what_stays_in_its_place(grafts, expected):
    result = spliced(*grafts)
    assert expected in result
    assert b"<?" not in result


MARK = f"<?close-{NONCE} 0?>".encode()
BREAK_OUTS = {
    "closing its parent": b"</h><h>",
    "closing and opening again": b"<n/></h><h><n/>",
    "closing everything": b"</h></r><r><h>",
    "closing the Body": b"<n/></b><b><n/>",
    "a forged mark": b"<n/>" + MARK,
    "a forged mark of another number": b"<n/><?open-00 1?>",
    "a forged pair": f"<n/><?close-{NONCE} 0?><?open-{NONCE} 0?>".encode(),
    "an instruction": b"<n/><?x?>",
    "an instruction inside": b"<n><?x?></n>",
    "a document type": b"<!DOCTYPE n><n/>",
    "an entity": b"<n>&x;</n>",
    "an open comment": b"<n/><!--",
    "an open CDATA section": b"<n/><![CDATA[",
    "an open tag": b"<n>",
    "an open attribute": b"<n a='",
    "the wrong encoding": b"<n>\xff</n>",
    "UTF-16": "<n/>".encode("utf-16"),
    "a declared encoding": b"<?xml version='1.0' encoding='ISO-8859-1'?><n>\xe4</n>",
    "NUL": b"<n>\0</n>",
    "an unknown prefix": b"<q:n/>",
    "200 levels": b"<n>" * 200 + b"</n>" * 200,
    "3000 levels": b"<n>" * 3000 + b"</n>" * 3000,
}


@pytest.mark.parametrize("name", BREAK_OUTS)
@pytest.mark.parametrize("graft", [element, content])
def test_what_breaks_out(name, graft):
    with pytest.raises(WSSecurityError) as refused:
        spliced(graft(BREAK_OUTS[name]))
    assert refused.value.reason is Reason.DECRYPTED_STRUCTURE


@pytest.mark.parametrize(
    "plaintext", [b"", b" ", b"text", b"<n/><m/>", b"<n/>text", b"text<n/>", b"\xef\xbb\xbf<n/>", b"<!-- -->"]
)
def test_an_element_is_exactly_one(plaintext):
    with pytest.raises(WSSecurityError) as refused:
        spliced(element(plaintext))
    assert refused.value.reason is Reason.DECRYPTED_STRUCTURE


def test_content_is_all_of_its_parent():
    with pytest.raises(WSSecurityError):
        spliced(Graft((0, 0), b"<n/>", content=True))


def test_the_root_cannot_be_encrypted():
    with pytest.raises(WSSecurityError):
        spliced(Graft((), b"<n/>", content=False))


def test_two_plaintexts_cannot_join_hands():
    for first, second in (
        (b"<n/><!--", b"--><m/>"),
        (b"<n/><![CDATA[", b"]]><m/>"),
        (b"<n>", b"</n>"),
        (b"</h><h>", b"<m/>"),
    ):
        with pytest.raises(WSSecurityError):
            spliced(element(first), element(second, (0, 1)))


def test_too_large():
    with pytest.raises(WSSecurityError) as refused:
        spliced(content(b"x" * 1000), limits=Limits(message_bytes=900))
    assert refused.value.reason is Reason.DECRYPTED_TOO_LARGE


def test_marks_that_look_like_ours_are_text_elsewhere():
    """A document may hold anything that looks like a mark, as text."""
    text = f"&lt;?splice-{NONCE} 0?>".encode()
    assert b"<n/>" in spliced(element(b"<n/>"), document=DOCUMENT.replace(b"a<u/>", text + b"<u/>"))


def test_places_lead_back():
    root = parse(DOCUMENT, Limits())
    for found in root.iter():
        assert at(root, place_of(found)) is found
    with pytest.raises(IndexError):
        at(root, (5,))
