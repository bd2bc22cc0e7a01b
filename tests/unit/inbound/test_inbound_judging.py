"""The judge over several policies, and the rule of a key for each use."""

from types import SimpleNamespace

import pytest

from tests.simulator.errands import ask, deriving, entropy, rst
from tests.simulator.world import ECHO, World
from wsprovider.exchange.ways import Stage
from wsprovider.inbound.evidence import IMPLIED, KeyRoot, SecretKey
from wsprovider.inbound.rules.encryption import by_a_key_for_each_use
from wsprovider.policy.model import DerivedKeys
from wsprovider.words.reasons import Reason

ROOT = KeyRoot(bytes(32))
LONG, OTHER = bytes(range(32)), bytes(range(32, 64))


def case(signing: SecretKey | None, *encrypting: SecretKey) -> SimpleNamespace:
    signatures = () if signing is None else (SimpleNamespace(key=signing),)
    decryptions = tuple(SimpleNamespace(key=key) for key in encrypting)
    return SimpleNamespace(evidence=SimpleNamespace(signatures=signatures, decryptions=decryptions))


def key(secret: bytes, derived: int | None) -> SecretKey:
    return SecretKey(secret, ROOT, derived, "urn:wsc")


@pytest.mark.parametrize(
    ("signing", "encrypting", "found"),
    [
        (key(LONG, 1), [key(LONG, 1)], 1),
        (key(LONG, 1), [key(LONG, 2)], 1),
        (key(LONG[:24], 1), [key(LONG, 2)], 1),
        (key(LONG, 1), [key(LONG[:16], 2)], 1),
        (key(LONG, IMPLIED), [key(LONG, IMPLIED)], 1),
        (key(LONG[:24], IMPLIED), [key(LONG, IMPLIED)], 1),
        (key(LONG, 1), [key(OTHER, 2), key(LONG, 3), key(LONG, 3)], 1),
        (key(LONG, 1), [key(OTHER, 2)], 0),
        (key(LONG, IMPLIED), [key(OTHER, IMPLIED)], 0),
        (key(LONG, None), [key(LONG, None)], 0),
        (key(LONG, 1), [], 0),
        (None, [key(LONG, 1)], 0),
    ],
)
def test_a_key_for_each_use(signing, encrypting, found):
    """A context's own key may do both, where no derived keys are asked for."""
    assert [finding.reason for finding in by_a_key_for_each_use(case(signing, *encrypting))] == [
        Reason.ONE_DERIVED_KEY
    ] * found


def test_a_policy_that_is_met_and_not_meant_is_told_with_what_the_other_lacks():
    world = World("15")
    world.call()
    asked = ask(world, Stage.MANAGEMENT, f'<e:echo xmlns:e="{ECHO}"/>', context=world.session.context)
    error = world.refused(asked.data)
    assert error.reason is Reason.WRONG_POLICY
    assert "BODY_NOT_ENCRYPTED" in error.detail


@pytest.mark.parametrize("keys", [DerivedKeys.NONE, DerivedKeys.REQUIRED, DerivedKeys.IMPLIED])
def test_derived_keys_are_told_from_the_context_s_own(keys):
    exchange = World(deriving("15", keys)).call()
    evidence = exchange.verified.verdict.case.evidence
    derived = [fact.key.derived for fact in (*evidence.signatures, *evidence.decryptions)]
    if keys is DerivedKeys.NONE:
        assert derived == [None, None]
    elif keys is DerivedKeys.IMPLIED:
        assert derived == [IMPLIED, IMPLIED]
    else:
        assert len(set(derived)) == 2
        assert None not in derived
    assert len({fact.key.root for fact in (*evidence.signatures, *evidence.decryptions)}) == 1


def test_keys_show_the_context_and_no_secret():
    world = World("15")
    exchange = world.call()
    (fact,) = exchange.verified.verdict.case.evidence.signatures
    assert world.session.context.identifier in repr(fact.key)
    assert repr(world.session.context.secret) not in repr(fact.key)


def test_the_alternative_says_which_way_a_message_came():
    world = World("15")
    verified = world.accept(ask(world, Stage.BOOTSTRAP, rst("Issue", entropy(bytes(32)))).data)
    assert verified.way.stage is Stage.BOOTSTRAP
    assert world.call().verified.way.stage is Stage.CONVERSATION
