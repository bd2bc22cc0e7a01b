"""A conversation from the client's side."""

from dataclasses import replace

import pytest

from tests.simulator.errands import with_token
from tests.simulator.world import World, policy
from wsprovider.conversation.response import Granted
from wsprovider.exchange import session as module
from wsprovider.keyring.contexts import ContextKey
from wsprovider.policy.model import TrustOption
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import WST_200502, WST_200512

R = Reason


@pytest.mark.parametrize("name", ["ask_renewal", "ask_end"])
def test_without_a_context(name):
    world = World("15")
    with pytest.raises(ConfigurationError, match="ask for one"):
        getattr(world.session, name)(version=SOAP_11)
    world.call()
    world.ask(world.session, world.session.ask_end(version=SOAP_11))
    with pytest.raises(ConfigurationError, match="ask for one"):
        getattr(world.session, name)(version=SOAP_11)


def test_a_policy_without_conversations():
    with pytest.raises(ConfigurationError, match="SecureConversationToken"):
        World("15").make_session(policy=policy("8"))


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12])
@pytest.mark.parametrize("address", [None, "http://service.example.org/echo"])
def test_addressed_or_not(soap, address):
    world = World("15", soap=soap)
    session = world.open(world.make_session(address=address))
    assert session.context is not None
    assert session.expires == world.now + world.settings.conversation.life


def test_its_action_is_that_of_the_request():
    world = World("15", trust=WST_200502)
    assert world.session.ask(version=SOAP_11).action == f"{WST_200502.namespace}/RST/SCT"


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({TrustOption.CLIENT_ENTROPY, TrustOption.SERVER_ENTROPY}, False),
        ({TrustOption.CLIENT_ENTROPY}, True),
        ({TrustOption.SERVER_ENTROPY}, False),
        (set(), False),
        ({TrustOption.APPLIES_TO}, False),
    ],
)
def test_whoever_contributes_both_sides_have_one_key(options, known):
    """Only where the policy asks for the client's entropy alone is the key the client's."""
    world = World(policy("15", alternative={"trust": frozenset(options)}))
    asking = world.session.ask(version=world.soap)
    world.ask(world.session, asking)
    context = world.session.context
    assert context is not None
    assert (context.secret == asking.request.entropy) is known
    world.call()


def test_a_policy_that_wants_to_know_what_the_context_is_for():
    world = World(policy("15", alternative={"trust": frozenset({TrustOption.APPLIES_TO})}))
    asked = world.make_session(address=None).ask(version=world.soap)
    error = world.refused(asked.data)
    assert error.reason is R.TRUST_APPLIES_TO
    world.open()


KEY = ContextKey("urn:c", None, WST_200512.conversation, bytes(32))


@pytest.mark.parametrize(
    ("granted", "reason"),
    [
        (replace(KEY, secret=bytes(16)), R.KEY_SIZE),
        (replace(KEY, secret=bytes(64)), R.KEY_SIZE),
        (replace(KEY, namespace=WST_200502.conversation), R.TRUST_RESPONSE),
    ],
)
def test_what_a_service_may_not_give(granted, reason, monkeypatch):
    world = World("15")
    asking = world.session.ask(version=world.soap)
    answer = world.answer(asking.data)
    monkeypatch.setattr(module, "read_issued", lambda *_: Granted(granted, None))
    with pytest.raises(WSSecurityError) as refused:
        world.session.take(asking, answer, secure=False)
    assert refused.value.reason is reason
    assert world.session.context is None


def test_renewed_to_the_key_it_had(monkeypatch):
    world = World("15")
    world.call()
    held = world.session.context
    asking = world.session.ask_renewal(version=world.soap)
    answer = world.answer(asking.data)
    monkeypatch.setattr(module, "read_issued", lambda *_: Granted(replace(held, secret=bytes(32)), None))
    with pytest.raises(WSSecurityError) as refused:
        world.session.take(asking, answer, secure=False)
    assert refused.value.reason is R.TRUST_RESPONSE
    assert world.session.context is held


def test_an_unprotected_fault_is_no_answer():
    world = World("15")
    asking = world.session.ask(version=world.soap)
    fault = world.recipient.refuse(WSSecurityError(R.SIGNATURE_VALUE), version=world.soap)
    with pytest.raises(WSSecurityError) as refused:
        world.session.take(asking, fault.data, secure=False)
    assert refused.value.reason is R.NO_SECURITY_HEADER


def test_a_protected_answer_that_is_none():
    """The service's own reply to a request for a token."""
    world = World("15")
    asking = world.session.ask(version=world.soap)
    reply = world.reply(world.accept(asking.data), "no")
    with pytest.raises(WSSecurityError) as refused:
        world.session.take(asking, reply, secure=False)
    assert refused.value.reason is R.TRUST_RESPONSE


def test_over_tls():
    world = World(with_token("15", bootstrap=policy("1")))
    world.call()
    world.ask(world.session, world.session.ask_renewal(version=world.soap))
    world.call()
    world.ask(world.session, world.session.ask_end(version=world.soap))


def test_a_long_conversation_forgets_old_signatures():
    world = World("15")
    for _ in range(3):
        world.call()
    kept = world.session._signatures
    assert len(kept) == 6
    world.sleep(421)
    world.call()
    assert len(kept) == 2
