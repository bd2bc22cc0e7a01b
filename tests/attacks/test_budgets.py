"""Every budget is told with its default and its Reason, kept by one message and exceeded by the next."""

import base64
import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.simulator.bend import HEADER, SECURITY, bend, insert, resign, secret_of, sign_also
from tests.simulator.world import World
from wsprovider.words import uris
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "budgets.md").read_text()
ROWS = {
    name: (int(default.replace(",", "")), reason)
    for name, default, reason in re.findall(r"^\| `(\w+)` \| ([\d,]+) \| `(\w+)` \|", PAGE, re.MULTILINE)
}


def test_the_page_tells_each_budget_with_its_default():
    assert {name: default for name, (default, _) in ROWS.items()} == {
        limit.name: limit.default for limit in fields(Limits)
    }


@pytest.mark.parametrize("name", ROWS)
def test_each_budget_has_a_reason_that_names_it(name):
    assert re.search(rf"\b{name}\b", Reason[ROWS[name][1]].source)


def test_no_two_budgets_share_a_reason():
    """But for the two ends of one range."""
    reasons = [reason for name, (_, reason) in ROWS.items() if name != "rsa_bits_minimum"]
    assert len(set(reasons)) == len(reasons)


def test_each_reason_of_a_budget_is_on_the_page():
    named = {one.name for one in Reason if one.source.startswith("Limits.")}
    assert named == {reason for _, reason in ROWS.values()}


def test_header_blocks():
    world = World("3")
    for blocks, expected in ((98, None), (99, Reason.TOO_MANY_HEADER_BLOCKS)):
        pending = world.request()
        block = b"<h:b xmlns:h='urn:h'/>"
        message = pending.data.replace(b"<wsse:Security", block * (blocks + 1) + b"<wsse:Security", 1)
        if expected is None:
            world.accept(message)
        else:
            assert world.refused(message).reason is expected


def test_canonical_growth():
    """Each sibling repeats a namespace that its parent does not use."""

    def message(world, letters):
        pending = world.request()
        siblings = "<p:a/>" * 4_000
        block = f'<e:h wsu:Id="h" xmlns:p="urn:{"x" * letters}">{siblings}</e:h>'
        return bend(pending.data, insert(HEADER, block), sign_also("h"), resign(secret=secret_of(pending)))

    world = World("3")
    world.accept(message(world, 100))
    assert world.refused(message(world, 490)).reason is Reason.CANONICAL_TOO_LARGE
    generous = World("3", limits=Limits(canonical_growth=200))
    generous.accept(message(generous, 490))
    assert generous.refused(message(generous, 497)).reason is Reason.NAMESPACE_TOO_LONG


def test_certificates_and_their_paths():
    def token(octets, kind):
        text = base64.b64encode(octets).decode()
        return (
            f'<wsse:BinarySecurityToken EncodingType="{uris.BASE64_BINARY}" ValueType="{kind}">{text}'
            "</wsse:BinarySecurityToken>"
        )

    def path(count):
        inner = b"\x30\x01\x00" * count
        return b"\x30" + bytes((len(inner),)) + inner

    world = World("3", limits=Limits(certificate_bytes=100, path_certificates=3))
    genuine = world.request().data
    for octets, kind, expected in (
        (bytes(100), uris.X509_V3, Reason.UNUSED_HEADER_CHILD),
        (bytes(101), uris.X509_V3, Reason.CERTIFICATE_TOO_LARGE),
        (path(3), uris.X509_PKI_PATH, Reason.UNUSED_HEADER_CHILD),
        (path(4), uris.X509_PKI_PATH, Reason.PATH_TOO_LONG),
    ):
        assert world.refused(bend(genuine, insert(SECURITY, token(octets, kind)))).reason is expected
    world.accept(genuine)


def test_passwords():
    world = World("1", limits=Limits(password_bytes=6))
    world.call()  # "secret"
    shorter = World("1", limits=Limits(password_bytes=5))
    assert shorter.refused(shorter.request().data).reason is Reason.PASSWORD_TOO_LONG


def _signed_header(world, inner):
    pending = world.request()
    return bend(
        pending.data,
        insert(HEADER, f'<e:h wsu:Id="h">{inner}</e:h>'),
        sign_also("h"),
        resign(secret=secret_of(pending)),
    )


@pytest.mark.parametrize(
    ("limits", "kept", "exceeded", "reason"),
    [
        (Limits(ids=7), "", "".join(f'<e:x wsu:Id="i{i}"/>' for i in range(7)), Reason.TOO_MANY_IDS),
        (Limits(depth=20), "<e:x/>", "<e:x>" * 18 + "</e:x>" * 18, Reason.TOO_DEEP),
        (Limits(elements=70), "<e:x/>", "<e:x/>" * 70, Reason.TOO_MANY_ELEMENTS),
        (Limits(attributes_per_element=6), '<e:x a=""/>', "<e:x a='' b='' c='' d='' e='' f='' g=''/>", Reason.TOO_MANY_ATTRIBUTES),
    ],
)  # fmt: skip
def test_structure(limits, kept, exceeded, reason):
    world = World("3", limits=limits)
    world.accept(_signed_header(world, kept))
    assert world.refused(_signed_header(world, exceeded)).reason is reason


@pytest.mark.parametrize(
    ("limit", "least", "scenario", "reason"),
    [
        ("references", 2, "3", Reason.TOO_MANY_REFERENCES),
        ("header_children", 3, "3", Reason.TOO_MANY_HEADER_CHILDREN),
        ("encrypted_data", 2, "8", Reason.TOO_MANY_ENCRYPTED_DATA),
    ],
)
def test_what_a_genuine_message_has(limit, least, scenario, reason):
    """One that just fits, and the same under a budget that is smaller by one."""
    fitting, short = (
        World(scenario, limits=Limits(**{limit: least})),
        World(scenario, limits=Limits(**{limit: least - 1})),
    )
    fitting.accept(fitting.request().data)
    assert short.refused(short.request().data).reason is reason
