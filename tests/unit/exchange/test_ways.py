"""Which requests may come by which way."""

import pytest

from tests.simulator.errands import with_token
from tests.simulator.world import policy
from wsprovider.conversation.request import Kind
from wsprovider.exchange.ways import TOKEN_OPERATIONS, Stage, ways_of
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import Policy, TrustOption
from wsprovider.words.trust import TRUST_VERSIONS

C, M, B, E, P = Stage.CONVERSATION, Stage.MANAGEMENT, Stage.BOOTSTRAP, Stage.ENDORSED, Stage.PLAIN
ISSUE, RENEW, CANCEL = Kind.ISSUE, Kind.RENEW, Kind.CANCEL


def ways(of: Policy):
    return ways_of(compile_policy(of, "where"))


def admitted(of: Policy) -> dict[Stage, set[Kind | None]]:
    return {way.stage: {kind for kind in (None, *Kind) if way.admits(kind)} for way in ways(of)}


@pytest.mark.parametrize("scenario", ["1", "2", "3", "4", "5", "6", "7", "8"])
def test_without_conversations(scenario):
    assert admitted(policy(scenario)) == {P: {None}}


@pytest.mark.parametrize("scenario", ["9", "10", "11", "12", "13", "13e", "14", "15"])
def test_a_conversation(scenario):
    expected = {C: {None, CANCEL}, B: {ISSUE, RENEW, CANCEL}, E: {RENEW, CANCEL}, M: {CANCEL}}
    assert admitted(policy(scenario)) == expected
    assert ways(policy(scenario))[0].stage is C


def test_what_must_not_be_sent():
    found = admitted(with_token("15", must_not_send_cancel=True, must_not_send_renew=True))
    assert found == {C: {None}, B: {ISSUE}, E: set(), M: set()}


def test_several_alternatives_have_those_of_calls_first():
    both = Policy("x", (*policy("11").alternatives, *policy("15").alternatives))
    stages = [way.stage for way in ways(both)]
    assert stages[:2] == [C, C]
    assert sorted(stages[2:], key=lambda stage: stage.name) == [B, B, E, E, M, M]


def test_a_plain_alternative_beside_a_conversation():
    both = Policy("x", (*policy("15").alternatives, *policy("8").alternatives))
    stages = {way.stage: way for way in ways(both)}
    assert set(stages) == {C, B, E, M, P}
    assert not any(stages[P].admits(kind) for kind in Kind)
    assert stages[P].conversation is None


@pytest.mark.parametrize("scenario", ["9", "11", "14", "15"])
def test_management_is_signed_and_never_encrypted(scenario):
    way = next(way for way in ways(policy(scenario)) if way.stage is M)
    for message in (way.requirements.request, way.requirements.reply):
        assert message.signed.body
        assert message.encrypted.empty
        assert message.timestamp
        assert message.in_context
        assert not message.usernames


@pytest.mark.parametrize("scenario", ["9", "11", "14", "15"])
def test_an_endorsed_bootstrap_is_the_bootstrap_and_one_signature_more(scenario):
    found = {way.stage: way.requirements for way in ways(policy(scenario))}
    (endorsing,) = found[E].request.endorsing
    assert endorsing.token == found[C].request.signature_token
    assert found[B].request.endorsing == ()
    assert found[E].reply == found[B].reply
    assert found[E].request.usernames == found[B].request.usernames


def test_operations_of_every_version():
    assert len(TOKEN_OPERATIONS) == 6
    for version in TRUST_VERSIONS.values():
        tag = f"{{{version.namespace}}}RequestSecurityToken"
        actions = {kind: TOKEN_OPERATIONS[tag, kind] for kind in Kind}
        assert actions[ISSUE].action == f"{version.namespace}/RST/SCT"
        assert actions[RENEW].action == f"{version.namespace}/RST/SCT/Renew"
        assert actions[CANCEL].action == f"{version.namespace}/RST/SCT/Cancel"
        assert actions[CANCEL].reply_action == f"{version.namespace}/RSTR/SCT/Cancel"


def test_who_contributes_to_the_key():
    trust = frozenset({TrustOption.APPLIES_TO})
    (compiled,) = compile_policy(policy("15", alternative={"trust": trust}), "where")
    conversation = compiled.conversation
    assert conversation.applies_to
    assert not conversation.client_entropy
    assert not conversation.server_entropy
