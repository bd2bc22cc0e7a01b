"""What a page says and draws, held against the policy that it is made from."""

from dataclasses import replace

import pytest
from lxml import etree

from tests.unit.server.pages import paged
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import HeaderPart, Parts
from wsprovider.scenarios.catalogue import SCENARIOS, find
from wsprovider.server.pages.layout import described, outline
from wsprovider.server.pages.picture import picture
from wsprovider.server.pages.words import sections, summary
from wsprovider.words import namespaces as ns
from wsprovider.words.suites import SUITES

POLICIES = [
    *(pytest.param(row.policy(), id=row.slug) for row in SCENARIOS),
    *(pytest.param(paged.document(path), id=path.stem) for path in paged.DOCUMENTS),
]
BANKS = HeaderPart("urn:bank", "Branch")


def sentences(policy):
    (way,) = compile_policy(policy, "tested")
    return [one for section in sections(way) for one in section.sentences]


def drawn(number, *, reply=False, opening=False):
    (way,) = compile_policy(find(number).policy(), "tested")
    one = way.conversation.bootstrap[0] if opening else way
    return outline(one.reply if reply else one.request, "content")


@pytest.mark.parametrize("policy", POLICIES)
def test_marks_are_those_of_the_requirements(policy):
    (way,) = compile_policy(policy, "tested")
    opening = way.conversation.bootstrap if way.conversation else ()
    for one in (way, *opening):
        for wanted in (one.request, one.reply):
            found = outline(wanted, "content")
            assert bool(found.body.signed) is wanted.signed.body
            assert found.body.encrypted is wanted.encrypted.body
            assert (found.encryption is not None) is wanted.has_encryption
            assert len(found.signatures) == wanted.has_signature + len(wanted.endorsing)
            covered = {number for row in (*found.rows, found.body) for number in row.signed}
            assert covered == set(range(1, len(found.signatures) + 1))
            names = [row.name for row in found.rows]
            assert names.count("Timestamp") == wanted.timestamp
            assert names.count("UsernameToken") == len(wanted.usernames)
            assert names.count("SignatureConfirmation") == (wanted.confirmation and wanted.has_signature)


@pytest.mark.parametrize("policy", POLICIES)
def test_each_picture_can_be_read_without_being_seen(policy):
    (way,) = compile_policy(policy, "tested")
    found = outline(way.request, "content")
    svg = etree.fromstring(picture(found, 7, "Request"))
    title, told = (svg.find(name) for name in ("title", "desc"))
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby").split() == [title.get("id"), told.get("id")]
    assert told.text == described(found)
    for row in (*found.rows, found.body):
        assert row.name in told.text


@pytest.mark.parametrize(
    ("number", "line"),
    [
        ("1", "Over TLS, callers with user names"),
        ("2", "Signed, callers with certificates"),
        ("4", "Encrypted, anonymous callers"),
        ("8", "Signed and encrypted, callers with user names"),
        ("9", "Signed in a conversation, callers with certificates"),
        ("13e", "Encrypted in a conversation, anonymous callers"),
        ("16", "Signed, callers with Kerberos tickets"),
    ],
)
def test_summary(number, line):
    assert summary(compile_policy(find(number).policy(), "tested")) == line


def test_who_holds_which_key():
    assert "client's private key" in drawn("5").signatures[0]
    assert "stands in the message" in drawn("5").signatures[0]
    assert "service's private key" in drawn("5", reply=True).signatures[0]
    assert "client's private key" in drawn("5", reply=True).encryption
    assert "only the service's private key" in drawn("6").signatures[0]
    assert "the request has brought" in drawn("6", reply=True).signatures[0]
    assert drawn("11").signatures == ("with the conversation's key",)
    assert "only named" in drawn("11", opening=True).signatures[0]
    assert "signed, too" not in drawn("11", opening=True).signatures[0]
    protected = paged.document(next(path for path in paged.DOCUMENTS if path.stem == "protect-tokens"))
    (way,) = compile_policy(protected, "tested")
    assert "signed, too" in outline(way.reply, "content").signatures[0]
    assert "Kerberos ticket" in drawn("16").signatures[0]
    assert drawn("1").tls
    assert not drawn("1").signatures


def test_what_is_left_open_is_said():
    assert any("Whoever listens" in one for one in sentences(find("2").policy()))
    assert not any("Whoever listens" in one for one in sentences(find("5").policy()))
    gcm, cbc = (sentences(find("4").policy(SUITES[name])) for name in ("Basic256GcmSha256", "Basic256"))
    assert any("AES-GCM" in one for one in gcm)
    assert any("need not be noticed" in one for one in cbc)
    assert any("anonymous" in one for one in sentences(find("3").policy()))
    assert any("does not hide that password" in one for one in sentences(find("8").policy()))
    assert not any("does not hide" in one for one in sentences(find("1").policy()))


def test_the_order_is_said():
    before = paged.document(next(path for path in paged.DOCUMENTS if path.stem == "encrypt-before-signing"))
    assert any("encrypted first" in one for one in sentences(before))
    assert any("signed first, then" in one for one in sentences(find("5").policy()))


def test_headers_that_the_policy_names():
    policy = find("6").policy()
    parts = Parts(body=True, headers=(BANKS, HeaderPart(ns.WSA_200508)))
    (one,) = policy.alternatives
    (way,) = compile_policy(replace(policy, alternatives=(replace(one, signed_parts=parts),)), "tested")
    rows = {row.name: row for row in outline(way.request, "content").rows}
    assert rows["Branch"].signed == (1,)
    assert not rows["Branch"].encrypted
    assert any(name.startswith("all of http") for name in rows)
    many = Parts(body=True, headers=tuple(HeaderPart("urn:bank", f"Header{number}") for number in range(9)))
    (way,) = compile_policy(replace(policy, alternatives=(replace(one, signed_parts=many),)), "tested")
    assert "3 more headers" in [row.name for row in outline(way.request, "content").rows]


def test_two_ways_are_two_chapters():
    first, second = find("3").policy(), find("6").policy()
    both = replace(first, alternatives=(*first.alternatives, *second.alternatives))
    html = paged.Html.of(paged.facts(both))
    assert len(html.root.findall(".//{http://www.w3.org/2000/svg}svg") or html.root.findall(".//svg")) == 4
    assert "way 1" in html.text
    assert "way 2" in html.text
    ids = html.root.xpath("//@id")
    assert len(ids) == len(set(ids))
