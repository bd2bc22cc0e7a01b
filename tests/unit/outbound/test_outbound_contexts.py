"""What a message of a conversation holds, request and reply."""

import pytest
from lxml import etree

from tests.simulator.bend import SECURITY, every, tree
from tests.simulator.errands import deriving, side
from tests.simulator.world import World, echo_body
from wsprovider.exchange.ways import Stage
from wsprovider.policy.model import DerivedKeys
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.trust import WST_200502, WST_200512

NONE, REQUIRED, IMPLIED = DerivedKeys.NONE, DerivedKeys.REQUIRED, DerivedKeys.IMPLIED
VERSIONS = [WST_200502, WST_200512]
TIMES, SCT, DKT, LIST, SIGNED = (
    "Timestamp",
    "SecurityContextToken",
    "DerivedKeyToken",
    "ReferenceList",
    "Signature",
)


def children(message: bytes) -> list[str]:
    return [etree.QName(child).localname for child in every(tree(message), f"{SECURITY}/*")]


@pytest.mark.parametrize("trust", VERSIONS, ids=["2005", "1.3"])
@pytest.mark.parametrize(
    ("scenario", "keys", "expected"),
    [
        ("9", NONE, [TIMES, SCT, SIGNED]),
        ("9", REQUIRED, [TIMES, SCT, DKT, SIGNED]),
        ("9", IMPLIED, [TIMES, SCT, SIGNED]),
        ("15", NONE, [TIMES, SCT, LIST, SIGNED]),
        ("15", REQUIRED, [TIMES, SCT, DKT, DKT, LIST, SIGNED]),
        ("15", IMPLIED, [TIMES, SCT, LIST, SIGNED]),
        ("14", REQUIRED, [TIMES, SCT, DKT, DKT, LIST, SIGNED]),
    ],
)
def test_requests(scenario, keys, expected, trust):
    """Tokens stand before what uses them; all of them in the version that the context was agreed in."""
    exchange = World(deriving(scenario, keys), trust=trust).call()
    assert children(exchange.request) == expected
    for message in (exchange.request, exchange.reply):
        spoken = {
            etree.QName(found).namespace
            for found in tree(message).iter()
            if etree.QName(found).localname in {SCT, DKT}
        }
        assert spoken <= {trust.conversation}


@pytest.mark.parametrize("scenario", ["9", "11", "14", "15"])
@pytest.mark.parametrize("keys", [NONE, REQUIRED, IMPLIED])
def test_every_message_has_derived_keys_of_its_own(scenario, keys):
    world = World(deriving(scenario, keys))
    nonces: list[str] = []
    for _ in range(2):
        exchange = world.call()
        for message in (exchange.request, exchange.reply):
            root = tree(message)
            nonces += [found.text or "" for found in root.iter("{*}Nonce")]
            nonces += [str(value) for value in root.xpath("//@*[local-name()='Nonce']")]
    assert len(set(nonces)) == len(nonces)
    assert bool(nonces) is (keys is not NONE)


def test_a_renewed_context_is_named_with_its_instance():
    world = World("15")
    assert b"Instance>" not in world.call().request
    world.ask(world.session, world.session.ask_renewal(version=world.soap))
    exchange = world.call()
    assert exchange.request.count(b"Instance>") == 2
    assert world.session.context.instance.encode() in exchange.request


@pytest.mark.parametrize("stage", [Stage.CONVERSATION, Stage.MANAGEMENT, Stage.ENDORSED])
def test_nothing_is_written_without_the_context(stage):
    world = World("15")
    with pytest.raises(ConfigurationError):
        side(world, stage).request(echo_body(world.soap, "x"), version=world.soap)


@pytest.mark.parametrize("scenario", ["11", "13", "15"])
def test_an_endorsed_request_has_two_signatures(scenario):
    world = World(scenario)
    world.call()
    asked = world.session.ask_renewal(version=world.soap)
    found = children(asked.data)
    assert found.count(SIGNED) == 2
    assert found.index(SCT) < len(found) - found[::-1].index(SIGNED) - 1
    assert len(asked.pending.signatures) == 2


def test_no_message_holds_a_secret():
    world = World("15")
    asking = world.session.ask(version=world.soap)
    assert b"BinarySecret" not in asking.data
    answer = world.answer(asking.data)
    assert b"BinarySecret" not in answer
    ended = world.open().ask_end(version=world.soap)
    assert b"BinarySecret" not in ended.data
