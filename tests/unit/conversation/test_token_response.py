"""Responses: what the service writes is what a client reads, and nothing else is."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from wsprovider.conversation.request import Kind, TokenRequest
from wsprovider.conversation.response import (
    Proof,
    read_cancelled,
    read_issued,
    write_cancelled,
    write_issued,
)
from wsprovider.crypto.derivation import p_sha1
from wsprovider.keyring.contexts import ContextKey
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import WST_200502, WST_200512

R = Reason
LIMITS = Limits()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = NOW + timedelta(hours=1)
VERSIONS = [WST_200502, WST_200512]
versions = pytest.mark.parametrize("version", VERSIONS, ids=["2005", "1.3"])
CLIENT, SERVER, KEY = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))


def asked(version=WST_200512, **fields: object) -> TokenRequest:
    return TokenRequest(version, Kind.ISSUE, **{"entropy": CLIENT, "key_bits": 256, **fields})


def issued(request: TokenRequest, proof: Proof, instance: str | None = None) -> str:
    key = ContextKey("urn:c", instance, request.version.conversation, b"")
    return write_issued(request, key, proof, NOW, END, "t")


@versions
@pytest.mark.parametrize("instance", [None, "urn:i"])
@pytest.mark.parametrize(
    ("proof", "secret"),
    [
        (Proof(256, server_entropy=SERVER), p_sha1(CLIENT, SERVER, 32)),
        (Proof(192, server_entropy=SERVER), p_sha1(CLIENT, SERVER, 24)),
        (Proof(256, secret=KEY), KEY),
        (Proof(256), CLIENT),
    ],
)
def test_what_is_issued_is_read(version, instance, proof, secret):
    request = asked(version, context='urn:"x&')
    granted = read_issued(etree.fromstring(issued(request, proof, instance)), request, LIMITS)
    assert (granted.key.identifier, granted.key.instance) == ("urn:c", instance)
    assert (granted.key.namespace, granted.key.secret) == (version.conversation, secret)
    assert granted.expires == END


@versions
def test_word_that_it_has_gone(version):
    request = TokenRequest(version, Kind.CANCEL)
    read_cancelled(etree.fromstring(write_cancelled(request)), request)
    assert (b"Collection" in write_cancelled(request).encode()) is version.collection


def test_a_response_without_times_and_without_a_key_size():
    request = asked()
    xml = issued(request, Proof(256, server_entropy=SERVER))
    for name in ("Lifetime", "KeySize", "TokenType"):
        xml = without(xml, name)
    granted = read_issued(etree.fromstring(xml), request, LIMITS)
    assert granted.expires is None
    assert granted.key.secret == p_sha1(CLIENT, SERVER, 32)


def without(xml: str, name: str) -> str:
    head, _, rest = xml.partition(f"<wst:{name}>")
    return head + rest.partition(f"</wst:{name}>")[2]


def twice(name: str):
    def change(xml: str) -> str:
        end = f"</wst:{name}>"
        start = xml.index(f"<wst:{name}>")
        part = xml[start : xml.index(end) + len(end)]
        return xml.replace(part, part * 2)

    return change


def put(old: str, new: str):
    def change(xml: str) -> str:
        assert old in xml
        return xml.replace(old, new)

    return change


COMPUTED = Proof(256, server_entropy=SERVER)
CHANGES = {
    "no token": lambda xml: without(xml, "RequestedSecurityToken"),
    "two tokens": twice("RequestedSecurityToken"),
    "two kinds": twice("TokenType"),
    "two entropies": twice("Entropy"),
    "two proofs": twice("RequestedProofToken"),
    "two sizes": twice("KeySize"),
    "no entropy": lambda xml: without(xml, "Entropy"),
    "another token": put("SecurityContextToken", "UsernameToken"),
    "another computation": put("/CK/PSHA1", "/CK/HASH"),
    "computed somehow": put("ComputedKey>", "EncryptedKey>"),
    "no proof in the proof": lambda xml: put(xml[xml.index("<wst:ComputedKey>") : xml.index("</wst:RequestedProofToken>")], "")(xml),
    "another context": put("<wst:RequestSecurityTokenResponse>", '<wst:RequestSecurityTokenResponse Context="urn:x">'),
    "something unknown": put("<wst:Lifetime>", "<wst:Status></wst:Status><wst:Lifetime>"),
    "an issuer": put("<wst:Lifetime>", "<wst:Issuer></wst:Issuer><wst:Lifetime>"),
    "another version": put(WST_200512.namespace + '"', WST_200502.namespace + '"'),
    "size 0": put("<wst:KeySize>256", "<wst:KeySize>0"),
    "size 64": put("<wst:KeySize>256", "<wst:KeySize>64"),
    "size of a million": put("<wst:KeySize>256", "<wst:KeySize>1000000"),
    "size of no number": put("<wst:KeySize>256", "<wst:KeySize>x"),
    "size that is negative": put("<wst:KeySize>256", "<wst:KeySize>-256"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_responses_that_are_refused(name):
    request = asked()
    xml = issued(request, COMPUTED)
    with pytest.raises(WSSecurityError) as refused:
        read_issued(etree.fromstring(CHANGES[name](xml)), request, LIMITS)
    assert refused.value.reason is R.TRUST_RESPONSE
    read_issued(etree.fromstring(xml), request, LIMITS)


@pytest.mark.parametrize("size", [0, 1, 15, 129])
def test_keys_and_entropies_of_no_use(size):
    request = asked()
    for proof in (Proof(256, secret=bytes(size)), Proof(256, server_entropy=bytes(size))):
        with pytest.raises(WSSecurityError) as refused:
            read_issued(etree.fromstring(issued(request, proof)), request, LIMITS)
        assert refused.value.reason is R.TRUST_RESPONSE


@pytest.mark.parametrize("proof", [COMPUTED, Proof(256)])
def test_a_client_that_gave_nothing_cannot_compute(proof):
    request = asked(entropy=None)
    with pytest.raises(WSSecurityError) as refused:
        read_issued(etree.fromstring(issued(request, proof)), request, LIMITS)
    assert refused.value.reason is R.TRUST_RESPONSE


def test_two_responses_in_a_collection():
    request = asked()
    xml = issued(request, COMPUTED)
    inner = xml[xml.index("<wst:RequestSecurityTokenResponse>") : xml.rindex("</wst:")]
    for bent in (xml.replace(inner, inner * 2), xml.replace(inner, "")):
        with pytest.raises(WSSecurityError) as refused:
            read_issued(etree.fromstring(bent), request, LIMITS)
        assert refused.value.reason is R.TRUST_RESPONSE


@pytest.mark.parametrize("xml", ["<x/>", issued(asked(), COMPUTED)])
def test_other_answers_to_a_cancellation(xml):
    with pytest.raises(WSSecurityError) as refused:
        read_cancelled(etree.fromstring(xml), TokenRequest(WST_200512, Kind.CANCEL))
    assert refused.value.reason is R.TRUST_RESPONSE


def test_a_cancellation_is_no_context():
    request = asked()
    with pytest.raises(WSSecurityError) as refused:
        read_issued(etree.fromstring(write_cancelled(request)), request, LIMITS)
    assert refused.value.reason is R.TRUST_RESPONSE


def test_what_a_proof_shows_of_itself():
    assert "secret" not in repr(Proof(256, secret=b"secret", server_entropy=b"secret")).replace("secret=", "")
