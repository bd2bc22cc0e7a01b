"""Requests for tokens: what is read, and that what is written is read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from tests.simulator.errands import entropy, rst
from wsprovider.conversation.request import Kind, Target, TokenRequest, kind_of, read, write
from wsprovider.header import security_context_token
from wsprovider.words import namespaces as ns
from wsprovider.words.limits import Limits
from wsprovider.words.trust import WST_200502, WST_200512

LIMITS = Limits()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VERSIONS = [WST_200502, WST_200512]
versions = pytest.mark.parametrize("version", VERSIONS, ids=["2005", "1.3"])


def parsed(xml: str) -> etree._Element:
    return etree.fromstring(xml)


def written(request: TokenRequest, target: bytes = b"") -> TokenRequest:
    return read(parsed(write(request, NOW, target)), LIMITS)


@versions
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"context": 'urn:"a&<b>'},
        {"applies_to": "http://h/x?a&b"},
        {"lifetime": timedelta(hours=1)},
        {"lifetime": timedelta(milliseconds=1)},
        {"entropy": bytes(range(16))},
        {"entropy": bytes(256)},
        {"key_bits": 64},
        {"key_bits": 4096},
        {
            "context": "c",
            "applies_to": "urn:x",
            "lifetime": timedelta(days=1),
            "entropy": bytes(32),
            "key_bits": 256,
        },
    ],
)
def test_what_is_written_is_read(version, fields):
    request = TokenRequest(version, Kind.ISSUE, **fields)
    assert written(request) == request


@versions
@pytest.mark.parametrize("kind", [Kind.RENEW, Kind.CANCEL])
@pytest.mark.parametrize("instance", [None, "urn:i"])
def test_targets(version, kind, instance):
    token = security_context_token.write("t", version.conversation, "urn:c", instance)
    request = TokenRequest(version, kind)
    expected = replace(request, target=Target("urn:c", instance=instance))
    assert written(request, token) == expected


@versions
@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ('<wsse:Reference URI="#t"/>', Target(None, "t")),
        ('<wsse:Reference URI="urn:c"/>', Target("urn:c")),
        ('<wsse:Reference URI="urn:c" wsc:Instance="urn:i"/>', Target("urn:c", instance="urn:i")),
    ],
)
def test_targets_by_reference(version, reference, target):
    inner = f"<wst:CancelTarget><wsse:SecurityTokenReference>{reference}</wsse:SecurityTokenReference></wst:CancelTarget>"
    assert read(parsed(rst("Cancel", inner, version=version)), LIMITS).target == target


@pytest.mark.parametrize("policy", [ns.WSP_200409, ns.WSP_15])
@pytest.mark.parametrize("addressing", [ns.WSA_200508, ns.WSA_200408])
def test_applies_to_in_every_version(policy, addressing):
    inner = (
        f'<p:AppliesTo xmlns:p="{policy}"><a:EndpointReference xmlns:a="{addressing}"><a:Address> http://h/x\n'
        "</a:Address></a:EndpointReference></p:AppliesTo>"
    )
    assert read(parsed(rst("Issue", inner)), LIMITS).applies_to == "http://h/x"


@versions
def test_wishes_are_read_over(version):
    names = (
        "CanonicalizationAlgorithm",
        "EncryptionAlgorithm",
        "EncryptWith",
        "KeyWrapAlgorithm",
        "SignWith",
    )
    inner = "".join(f"<wst:{name}>urn:x</wst:{name}>" for name in (*names, "SignatureAlgorithm", "Renewing"))
    assert read(parsed(rst("Issue", inner, version=version)), LIMITS) == TokenRequest(version, Kind.ISSUE)


@versions
@pytest.mark.parametrize("kind", list(Kind))
def test_kinds(version, kind):
    assert kind_of(parsed(rst(kind.value, version=version))) is kind
    assert kind_of(parsed(rst(f"{kind.value} ", version=version))) is kind


@pytest.mark.parametrize(
    "xml",
    [
        "<x/>",
        rst(None),
        rst("Validate"),
        rst(""),
        f'<wst:RequestSecurityTokenCollection xmlns:wst="{ns.WST_200512}"/>',
        f'<wst:RequestSecurityToken xmlns:wst="{ns.WST_200512}"><wst:RequestType>{WST_200502.uri("Issue")}</wst:RequestType></wst:RequestSecurityToken>',
        f'<wst:RequestSecurityToken xmlns:wst="{ns.WST_200512}"><wst:RequestType/></wst:RequestSecurityToken>',
    ],
)
def test_what_is_no_request_for_a_token(xml):
    assert kind_of(parsed(xml)) is None


def test_what_a_request_shows_of_itself():
    """Its entropy is half of a key."""
    request = read(parsed(rst("Issue", entropy(b"sixteen bytes at least, secret"))), LIMITS)
    assert "secret" not in repr(request)
