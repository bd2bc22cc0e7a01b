"""What is written of a report: secrets only where asked for, and hostile text that stays text."""

import logging
import re

import pytest
from lxml import etree

from tests.simulator.bend import BODY, HEADER, bend, insert, reencrypt, resign, secret_of
from tests.simulator.world import World, echo_body
from tests.unit.explain.explained import explained
from wsprovider.explain.page import page
from wsprovider.explain.report import LONGEST, Item, Report, Spot, Standing, Trouble, shown
from wsprovider.explain.text import WARNING, Text
from wsprovider.outbound.message import Credentials
from wsprovider.words.reasons import Reason

CANARY, PASSWORD = "canary-of-the-body", "canary-of-the-password"
HOSTILE = "</title><script>alert(1)</script>\"'&\x1b[2J\u202e\r\nfake: line"


def text(report: Report) -> str:
    return "\n".join(Text(colour=False).lines(report))


def coloured(report: Report) -> str:
    return "\n".join(Text(colour=True).lines(report))


@pytest.fixture
def secretive():
    """A world and a request with something to hide, in clear or encrypted."""

    def make(scenario: str, *, digest: bool = False) -> tuple[World, bytes]:
        world = World(scenario)
        world.users.users["alice"] = PASSWORD
        credentials = Credentials("alice", PASSWORD, digest=digest)
        if world.conversation:
            world.session = world.initiator = world.make_session(credentials=credentials)
        else:
            world.initiator = world.make_initiator(credentials=credentials)
        return world, world.request(CANARY).data

    return make


@pytest.mark.parametrize("scenario", ["1", "2", "4", "5", "7", "8", "15"])
@pytest.mark.parametrize("damaged", [False, True], ids=["genuine", "damaged"])
def test_content_and_passwords_are_shown_nowhere_without_the_flag(secretive, scenario, damaged, caplog):
    world, message = secretive(scenario)
    if damaged:
        message = (
            message.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA")
            if scenario != "1"
            else message
        )
        world.users.users["alice"] = "another"
    with caplog.at_level(logging.DEBUG):
        report = explained(world, message).report
    for written in (text(report), page(report), repr(report), caplog.text):
        assert CANARY not in written
        assert PASSWORD not in written
    assert report.contents == ()
    assert WARNING not in text(report)


@pytest.mark.parametrize("scenario", ["8", "15"])
def test_content_is_shown_with_the_flag_and_a_warning(secretive, scenario, caplog):
    world, message = secretive(scenario)
    with caplog.at_level(logging.DEBUG):
        report = explained(world, message, show=True).report
    for written in (text(report), page(report)):
        assert CANARY in written
        assert WARNING in written
    assert (PASSWORD in text(report)) == (scenario == "8")
    assert CANARY not in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("plain", [f"<{CANARY}></x>", f"<x xmlns:y='<{CANARY}'/>", f"<x/>{CANARY}"])
def test_content_that_does_not_fit_is_not_quoted(plain):
    """A parser's complaint about what was decrypted repeats some of it."""
    world = World("6")
    pending = world.request()
    message = bend(pending.data, reencrypt(f"{BODY}/xenc:EncryptedData", secret_of(pending), plain.encode()))
    report = explained(world, message).report
    assert report.trouble is not None
    assert report.trouble.reason in (Reason.DECRYPTED_STRUCTURE, Reason.DIGEST_MISMATCH)
    for written in (text(report), page(report), repr(report)):
        assert CANARY not in written


@pytest.mark.parametrize("show", [False, True])
def test_keys_are_never_shown(show):
    world = World("6")
    pending = world.request()
    secret = secret_of(pending)
    report = explained(world, pending.data, show=show).report
    for written in (text(report), page(report), repr(report)):
        assert secret.hex() not in written
        assert repr(secret) not in written


def test_a_digest_of_a_password_is_hidden_like_a_password():
    world = World("1", digest=True)
    message = world.request().data
    found = re.search(rb"PasswordDigest\">([^<]+)<", message)
    assert found is not None
    digest = found[1].decode()
    assert digest not in text(explained(world, message).report)
    assert digest in text(explained(world, message, show=True).report)


def hostile_report() -> Report:
    spot = Spot(f"/{HOSTILE}", 1, 1)
    trouble = Trouble(Reason.UNKNOWN_HEADER_CHILD, HOSTILE, spot)
    item = Item(HOSTILE, spot, Standing.FAILS, ((HOSTILE, HOSTILE),), (trouble,))
    return Report(HOSTILE, trouble, (HOSTILE,), ((HOSTILE, HOSTILE),), (), (), (item,), ((spot, HOSTILE),))


def test_a_page_with_hostile_names_is_inert():
    written = page(hostile_report())
    root = etree.fromstring(written.removeprefix("<!DOCTYPE html>\n"))
    tags = {element.tag for element in root.iter(etree.Element)}
    assert tags <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li"),
        *("span", "strong", "div", "dl", "dt", "dd", "pre"),
    }
    allowed = {"lang", "charset", "http-equiv", "content", "class"}
    assert {str(name) for element in root.iter(etree.Element) for name in element.attrib} <= allowed
    assert "url(" not in written
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_text_with_hostile_names_moves_no_cursor():
    report = hostile_report()
    lines = text(report).split("\n")
    assert all(line.isprintable() for line in lines)
    assert not [line for line in lines if line.startswith("fake")]
    assert "\x1b[2J" not in coloured(report)
    assert "\x1b[1;31m" in coloured(report)


def test_hostile_names_in_a_message_stay_text():
    world = World("2")
    name = "x" * 5_000
    block = f'<{name} xmlns="urn:hostile" s:mustUnderstand="1">\u202e</{name}>'
    change = insert(HEADER, block, 0)
    message = bend(world.request().data, change, resign(key=world.client.issued.key))
    report = explained(world, message).report
    root = etree.fromstring(page(report).removeprefix("<!DOCTYPE html>\n"))
    assert not list(root.iter("script"))
    assert name[: LONGEST + 1] not in text(report)
    assert f"{name[:60]}..." in text(report)
    assert "\u202e" not in text(report)


def test_a_page_is_complete_in_itself():
    world = World("15")
    report = explained(world, world.request().data).report
    written = page(report)
    root = etree.fromstring(written.removeprefix("<!DOCTYPE html>\n"))
    assert root.findtext("body/h1") == report.headline
    assert not re.findall(r" (?:src|href)=|@import", written)
    assert "default-src 'none'" in written
    for way in report.ways:
        assert way.name in written


def test_without_colour_there_is_none():
    world = World("3")
    report = explained(world, world.request().data).report
    assert "\x1b" not in text(report)
    assert coloured(report).count("\x1b[32m") > 10


@pytest.mark.parametrize(
    ("given", "expected"), [("a\nb", "a\\nb"), ("\x1b[0m", "\\x1b[0m"), ("x" * 400, "x" * 300 + "...")]
)
def test_a_text_of_a_message_is_bounded_and_on_one_line(given, expected):
    assert shown(given) == expected


def test_a_large_message_is_told_briefly():
    world = World("6")
    body = echo_body(world.soap, "y" * 200_000)
    report = explained(world, world.initiator.request(body, version=world.soap).data).report
    assert report.accepted
    assert len(text(report)) < 20_000
    assert len(page(report)) < 40_000
