"""The rows: names, defaults, needs, and what they publish."""

import pytest
from lxml import etree

from wsprovider.policy.model import (
    AsymmetricBinding,
    SecureConversationToken,
    TransportBinding,
    UsernameToken,
)
from wsprovider.policy.read import read_policy
from wsprovider.policy.write import write_policy
from wsprovider.scenarios.catalogue import DEFAULT_SUITE, SCENARIOS, UNSIGNED_SUITE, find
from wsprovider.words.dialects import DIALECTS
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

ROWS = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.slug)


def alternatives(scenario):
    """The scenario's alternative and, in a conversation, the bootstrap policy's."""
    (outer,) = scenario.policy().alternatives
    token = getattr(outer.binding, "signature_token", None)
    if isinstance(token, SecureConversationToken):
        return [outer, *token.bootstrap.alternatives]
    return [outer]


def test_numbers_slugs_and_ids():
    assert [(row.number, row.slug, row.wsu_id) for row in SCENARIOS] == [
        ("1", "username-token", "UTOverTransport"),
        ("2", "non-repudiation", "SigOnly"),
        ("3", "integrity", "SgnOnlyAnonymous"),
        ("4", "confidentiality", "EncrOnlyAnonymous"),
        ("5", "sign-encrypt-x509", "SigEncr"),
        ("6", "sign-encrypt-anonymous", "SgnEncrAnonymous"),
        ("7", "encrypt-username", "EncrOnlyUsername"),
        ("8", "sign-encrypt-username", "SgnEncrUsername"),
        ("9", "conversation-sign-x509", "SecConSignOnly"),
        ("10", "conversation-encrypt-x509", "SecConEncrOnly"),
        ("11", "conversation-sign-encrypt-x509", "SecConSgnEncr"),
        ("12", "conversation-sign-anonymous", "SecConSignOnlyAnonymous"),
        ("13", "conversation-sign-encrypt-anonymous", "SecConEncrOnlyAnonymous"),
        ("13e", "conversation-encrypt-anonymous", "SecConEncrAnonymous"),
        ("14", "conversation-encrypt-username", "SecConEncrUsername"),
        ("15", "conversation-sign-encrypt-username", "SecConSgnEncrUsername"),
        ("16", "kerberos", "kerberossignandencrypt"),
    ]


def test_no_name_is_taken_twice():
    names = [name.lower() for row in SCENARIOS for name in row.names]
    assert len(set(names)) == len(names)


@ROWS
def test_found_by_each_name_in_any_case(scenario):
    for name in scenario.names:
        for spelled in (name, name.upper(), f" {name.lower()} "):
            assert find(spelled) is scenario
    if scenario.number.isdigit():
        assert find(int(scenario.number)) is scenario


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("sign-encrypt-user", "sign-encrypt-username"),
        ("SgnEncrUser", "sign-encrypt-username"),
        ("kerberos5", "kerberos"),
        ("conversation-sign", "conversation-sign-x509"),
        ("", "username-token"),
        ("17", "username-token"),
        ("x" * 10_000, "username-token"),
    ],
)
def test_unknown_names_bring_the_nearest_ones(name, near):
    with pytest.raises(ConfigurationError) as caught:
        find(name, where="service.toml: scenario")
    (problem,) = caught.value.problems
    assert problem.where == "service.toml: scenario"
    assert near in problem.what
    assert len(problem.what) < 700


@ROWS
def test_the_default_suite(scenario):
    unsigned = {"4", "7", "10", "14", "13e"}
    assert scenario.default_suite == (UNSIGNED_SUITE if scenario.number in unsigned else DEFAULT_SUITE)
    for each in alternatives(scenario):
        assert each.binding.suite is SUITES[scenario.default_suite]


@ROWS
def test_no_row_encrypts_a_body_unsigned_with_a_malleable_cipher(scenario):
    for each in alternatives(scenario):
        if each.encrypted_parts.body and not each.signed_parts.body:
            assert not each.binding.suite.malleable


@ROWS
@pytest.mark.parametrize("name", SUITES)
def test_a_suite_named_is_the_suite_everywhere(scenario, name):
    (outer,) = scenario.policy(SUITES[name]).alternatives
    assert outer.binding.suite is SUITES[name]
    token = getattr(outer.binding, "signature_token", None)
    if isinstance(token, SecureConversationToken):
        assert [each.binding.suite for each in token.bootstrap.alternatives] == [SUITES[name]]


@ROWS
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)
def test_written_and_read_again(scenario, dialect, suite):
    policy = scenario.policy(suite)
    written = etree.tostring(write_policy(policy, dialect))
    assert read_policy(written, where=scenario.slug) == policy
    assert policy.id == scenario.wsu_id


@ROWS
def test_every_message_is_fresh(scenario):
    assert all(each.binding.timestamp for each in alternatives(scenario))


@ROWS
def test_needs_follow_from_the_policy(scenario):
    everything = alternatives(scenario)
    needs = scenario.needs
    tokens = [token for each in everything for kind in each.supporting for token in kind.tokens]
    assert needs.users == needs.roles == any(isinstance(token, UsernameToken) for token in tokens)
    assert needs.tls == any(isinstance(each.binding, TransportBinding) for each in everything)
    assert needs.conversation == (len(everything) == 2)
    proven = [each.binding for each in everything if isinstance(each.binding, AsymmetricBinding)]
    assert (needs.client_trust or needs.pinned_clients) == bool(proven)
    assert needs.pinned_clients == any(
        binding.initiator_signature.inclusion.value == "Never" for binding in proven
    )
    assert needs.kerberos == (scenario.number == "16")
    assert needs.service_key == (scenario.number not in ("1", "16"))


def test_thirteen_signs_and_thirteen_e_does_not():
    assert find(13).policy().alternatives[0].signed_parts.body
    assert find("13e").policy().alternatives[0].signed_parts.empty
    assert find("13e").policy().alternatives[0].encrypted_parts.body
