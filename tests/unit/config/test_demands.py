"""What a policy asks of the set-up, and that a change of suites reaches every token in it."""

from dataclasses import replace

import pytest

from wsprovider.config.demands import demands_of
from wsprovider.config.http_basic import with_http_basic
from wsprovider.config.policies import suites_of, with_suites
from wsprovider.policy.model import Alternative, AsymmetricBinding, Policy, SymmetricBinding
from wsprovider.scenarios import blocks
from wsprovider.scenarios.catalogue import SCENARIOS, find
from wsprovider.words.suites import SUITES, allow_sha1

SUITE = SUITES["Basic256Sha256"]
OTHER = SUITES["Basic128Sha256"]
CONVERSATION = blocks.conversation(
    SUITE,
    blocks.service_key_exchange(SUITE, signed=blocks.BODY, encrypted=blocks.BODY),
    signed=blocks.BODY,
    encrypted=blocks.NOTHING,
)
TOKEN = CONVERSATION.binding.signature_token


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.slug)
def test_demands_are_what_the_catalogue_says(scenario):
    demands, needs = demands_of(scenario.policy()), scenario.needs
    assert demands.conversation == needs.conversation
    assert demands.kerberos == needs.kerberos
    assert demands.users == needs.users
    assert demands.ring == needs.service_key
    assert demands.trust == (needs.client_trust or needs.pinned_clients)
    assert demands.https == needs.tls


def test_a_conversation_needs_a_ring_though_its_bootstrap_has_no_key_of_ours():
    bootstrap = Alternative(blocks.transport(SUITE), supporting=(blocks.SIGNED_ANY_USERNAME,))
    assert not demands_of(Policy("", (bootstrap,))).ring
    over_tls = blocks.conversation(SUITE, bootstrap, signed=blocks.BODY, encrypted=blocks.NOTHING)
    demands = demands_of(Policy("", (over_tls,)))
    assert demands.conversation
    assert demands.ring
    assert demands.users
    assert demands.https  # nobody could open one without TLS


def test_https_is_needed_only_where_no_alternative_goes_without():
    transport, conversation = find(1).policy().alternatives, find(12).policy().alternatives
    assert demands_of(Policy("", (*transport, *transport))).https
    assert not demands_of(Policy("", (*transport, *conversation))).https


def test_http_basic_asks_the_user_store_and_for_tls():
    """Also where it is the only alternative; and a UsernameToken is none of HTTP's."""
    bridge = with_http_basic(find(1).policy())
    for policy in (bridge, Policy("", bridge.alternatives[1:])):
        demands = demands_of(policy)
        assert demands.http_basic
        assert demands.users
        assert demands.https
        assert not demands.ring
        assert not demands.trust
    assert not demands_of(find(1).policy()).http_basic


def test_one_alternative_with_a_conversation_is_enough():
    policy = Policy("", (*find(6).policy().alternatives, *find(12).policy().alternatives))
    assert demands_of(policy).conversation


def test_tickets_are_found_wherever_their_token_stands():
    endorsing = replace(blocks.SIGNED_ANY_USERNAME, tokens=(blocks.KERBEROS,))
    over_tls = Alternative(blocks.transport(SUITE), supporting=(endorsing,))
    assert demands_of(Policy("", (over_tls,))).kerberos
    opening = blocks.conversation(SUITE, over_tls, signed=blocks.BODY, encrypted=blocks.NOTHING)
    demands = demands_of(Policy("", (opening,)))
    assert demands.kerberos
    assert demands.ring
    assert not demands.users


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.slug)
def test_a_change_of_suites_reaches_every_suite_and_nothing_else(scenario):
    policy = scenario.policy(SUITE)
    assert suites_of(with_suites(policy, lambda _: OTHER)) == (OTHER,)
    assert with_suites(policy, lambda _: OTHER) == scenario.policy(OTHER)


@pytest.mark.parametrize(
    "binding",
    [
        *(
            replace(blocks.asymmetric(SUITE, blocks.X509_IN_REQUEST), **{use: TOKEN})
            for use in (
                "initiator_signature",
                "initiator_encryption",
                "recipient_signature",
                "recipient_encryption",
            )
        ),
        replace(blocks.symmetric(SUITE, blocks.X509_BY_THUMBPRINT), signature_token=TOKEN),
        replace(blocks.symmetric(SUITE, blocks.X509_BY_THUMBPRINT), encryption_token=TOKEN),
    ],
)
def test_a_bootstrap_is_reached_wherever_its_token_stands(binding: AsymmetricBinding | SymmetricBinding):
    changed = with_suites(Policy("", (Alternative(binding),)), allow_sha1)
    assert suites_of(changed) == (allow_sha1(SUITE),)
    nothing = AsymmetricBinding(None, None, None, None, SUITE)
    assert with_suites(Policy("", (Alternative(nothing),)), lambda _: OTHER).alternatives[
        0
    ].binding == replace(nothing, suite=OTHER)
