"""SecurityContextToken and the references to it: written in canonical form, and read as written."""

import base64
import itertools

import pytest
from lxml import etree

from tests.simulator.bend import element
from wsprovider.header import derived_key_token, security_context_token, token_reference
from wsprovider.header.token_reference import (
    ContextReference,
    EncryptedKeyReference,
    ImpliedDerivation,
    LocalReference,
)
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import BY_TOKEN_TYPE, TRUST_VERSIONS

LIMITS = Limits()
NAMES = ["urn:c", "urn:\"a&<b>'", "x", "u" * 256, "http://h/ä"]
VERSIONS = list(TRUST_VERSIONS.values())
versions = pytest.mark.parametrize("version", VERSIONS, ids=["2005", "1.3"])


def canonical(xml: str | bytes) -> bytes:
    return etree.tostring(etree.fromstring(xml), method="c14n", exclusive=True)


def encoded(xml: str | bytes) -> bytes:
    return xml.encode() if isinstance(xml, str) else xml


@versions
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("instance", [None, *NAMES])
def test_tokens(version, name, instance):
    written = security_context_token.write("SCT-1", version.conversation, name, instance)
    assert canonical(written) == written
    found = security_context_token.read(etree.fromstring(written), 3, LIMITS)
    assert (found.index, found.id, found.namespace) == (3, "SCT-1", version.conversation)
    assert (found.identifier, found.instance) == (name, instance)


def test_blanks_around_a_name():
    token = element(
        "<wsc:SecurityContextToken><wsc:Identifier>\n urn:c\t</wsc:Identifier></wsc:SecurityContextToken>"
    )
    found = security_context_token.read(token, 0, LIMITS)
    assert (found.id, found.identifier) == (None, "urn:c")


@versions
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("instance", [None, *NAMES])
def test_references_to_contexts(version, name, instance):
    written = token_reference.write_context(
        name, version.token_type, instance=instance, namespace=version.conversation
    )
    assert canonical(written) == encoded(written)
    found = token_reference.read(etree.fromstring(written), LIMITS)
    assert found.key == ContextReference(name, version.token_type, instance)
    assert found.implied is None


REFERENCES = {
    "local": (token_reference.write_local("SCT-1", VERSIONS[1].token_type), LocalReference("SCT-1", VERSIONS[1].token_type)),
    "EncryptedKey": (
        token_reference.write_local("EK", uris.ENCRYPTED_KEY, uris.ENCRYPTED_KEY),
        LocalReference("EK", uris.ENCRYPTED_KEY),
    ),
    "EncryptedKeySHA1": (
        token_reference.write_key_identifier(uris.ENCRYPTED_KEY_SHA1, bytes(20), uris.ENCRYPTED_KEY),
        EncryptedKeyReference(bytes(20)),
    ),
    "context": (token_reference.write_context("urn:c", VERSIONS[1].token_type), ContextReference("urn:c", VERSIONS[1].token_type)),
}  # fmt: skip


@versions
@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("length", [16, 24, 32, 64])
def test_implied_derivations(version, name, length):
    reference, key = REFERENCES[name]
    written = token_reference.with_implied(reference, version.conversation, bytes(range(16)), length)
    assert canonical(written) == encoded(written)
    found = token_reference.read(etree.fromstring(written), LIMITS)
    assert found.key == key
    assert found.implied == ImpliedDerivation(version.conversation, bytes(range(16)), length)


@pytest.mark.parametrize(("one", "other"), list(itertools.product(VERSIONS, VERSIONS)))
@pytest.mark.parametrize("instance", ["urn:i", 'urn:"&'])
def test_implied_derivations_of_a_renewed_context(one, other, instance):
    reference = token_reference.write_context(
        "urn:c", one.token_type, instance=instance, namespace=one.conversation
    )
    written = token_reference.with_implied(reference, other.conversation, bytes(16), 32)
    found = token_reference.read(etree.fromstring(written), LIMITS)
    assert found.key == ContextReference("urn:c", one.token_type, instance)
    assert found.implied == ImpliedDerivation(other.conversation, bytes(16), 32)
    if one is other:
        assert canonical(written) == encoded(written)


@versions
def test_the_length_that_is_implied(version):
    nonce = base64.b64encode(bytes(16)).decode()
    found = token_reference.read(
        etree.fromstring(
            f'<w:SecurityTokenReference xmlns:w="{ns.WSSE}" xmlns:c="{version.conversation}" c:Nonce="{nonce}">'
            '<w:Reference URI="#x"/></w:SecurityTokenReference>'
        ),
        LIMITS,
    )
    assert found.implied == ImpliedDerivation(version.conversation, bytes(16), 32)


@versions
def test_derived_key_tokens_of_contexts(version):
    reference = token_reference.write_local("SCT-1", version.token_type)
    written = derived_key_token.write("DK-1", version.conversation, reference, 32, bytes(16))
    assert canonical(written) == written
    found = derived_key_token.read(etree.fromstring(written), 0, LIMITS)
    assert found.source.key == LocalReference("SCT-1", version.token_type)
    assert (found.namespace, found.length, found.offset) == (version.conversation, 32, 0)


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("", Reason.CONTEXT_TOKEN),
        ("<wsc:Instance>urn:i</wsc:Instance>", Reason.CONTEXT_TOKEN),
        ("<wsc05:Identifier>urn:c</wsc05:Identifier>", Reason.MALFORMED_HEADER_CHILD),
        (
            "<wsc:Identifier>urn:c</wsc:Identifier><wsc05:Instance>urn:i</wsc05:Instance>",
            Reason.MALFORMED_HEADER_CHILD,
        ),
        ("<wsc:Identifier>a b</wsc:Identifier><wsc:Instance> </wsc:Instance>", Reason.CONTEXT_TOKEN),
        ('<wsc:Identifier x="y">urn:c</wsc:Identifier>', None),
        (f"<wsc:Identifier>{'u' * 257}</wsc:Identifier>", Reason.CONTEXT_TOKEN),
        ("<wsc:Identifier>a\u200bb</wsc:Identifier>", Reason.CONTEXT_TOKEN),
    ],
)
def test_tokens_that_are_refused(inner, reason):
    token = element(f"<wsc:SecurityContextToken>{inner}</wsc:SecurityContextToken>")
    if reason is None:
        security_context_token.read(token, 0, LIMITS)
        return
    with pytest.raises(WSSecurityError) as refused:
        security_context_token.read(token, 0, LIMITS)
    assert refused.value.reason is reason


def test_token_types_and_versions():
    assert {version.token_type: version for version in VERSIONS} == BY_TOKEN_TYPE
