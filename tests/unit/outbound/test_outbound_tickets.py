"""What a message under a Kerberos ticket holds, request and reply."""

import base64

import pytest
from lxml import etree

from tests.simulator.bend import SECURITY, SIGNATURE, WSU_ID, every, one, tree
from tests.simulator.tickets import TICKET, deriving, shown, under
from tests.simulator.world import World, echo_body, policy
from wsprovider.keyring.tickets import ticket_sha1
from wsprovider.policy.model import DerivedKeys, SupportingTokens
from wsprovider.scenarios import blocks
from wsprovider.words import uris

NONE, REQUIRED, IMPLIED = DerivedKeys.NONE, DerivedKeys.REQUIRED, DerivedKeys.IMPLIED
TIMES, BST, DKT, LIST, SIGNED, CONFIRMED, EK = (
    "Timestamp",
    "BinarySecurityToken",
    "DerivedKeyToken",
    "ReferenceList",
    "Signature",
    "SignatureConfirmation",
    "EncryptedKey",
)
SEALED = {"signed": blocks.BODY, "encrypted": blocks.BODY}


def children(message: bytes) -> list[str]:
    return [etree.QName(child).localname for child in every(tree(message), f"{SECURITY}/*")]


def signed(message: bytes, signature: str = SIGNATURE) -> set[str]:
    """Kinds of what a signature covers, by their ids."""
    found = every(tree(message), f"{signature}/ds:SignedInfo/ds:Reference")
    return {(reference.get("URI") or "")[1:].partition("-")[0] for reference in found}


def endorsing(scenario: str, **binding: object):
    marked = bool(binding.pop("signed", False))
    supporting = SupportingTokens((blocks.KERBEROS,), endorsing=True, signed=marked)
    return policy(scenario, alternative={"supporting": (supporting,)}, **binding)


@pytest.mark.parametrize(
    ("keys", "parts", "request_", "reply"),
    [
        (NONE, {}, [TIMES, BST, SIGNED], [TIMES, CONFIRMED, SIGNED]),
        (REQUIRED, {}, [TIMES, BST, DKT, SIGNED], [TIMES, DKT, CONFIRMED, SIGNED]),
        (IMPLIED, {}, [TIMES, BST, SIGNED], [TIMES, CONFIRMED, SIGNED]),
        (NONE, SEALED, [TIMES, BST, LIST, SIGNED], [TIMES, LIST, CONFIRMED, SIGNED]),
        (
            REQUIRED,
            SEALED,
            [TIMES, BST, DKT, DKT, LIST, SIGNED],
            [TIMES, DKT, DKT, LIST, CONFIRMED, SIGNED],
        ),
    ],
)
def test_children(keys, parts, request_, reply):
    """The token stands before what uses it; no reply holds one."""
    exchange = World(deriving(keys, **parts)).call()
    assert children(exchange.request) == request_
    assert children(exchange.reply) == reply


def test_names():
    """The token in the message is named by its id, in replies by the hash of its octets."""
    exchange = World("16").call()
    root, reply = tree(exchange.request), tree(exchange.reply)
    token = one(root, TICKET)
    named = one(root, f"{SIGNATURE}//wsse:Reference")
    assert (named.get("URI"), named.get("ValueType")) == (f"#{token.get(WSU_ID)}", token.get("ValueType"))
    by_hash = one(reply, f"{SIGNATURE}//wsse:KeyIdentifier")
    assert by_hash.get("ValueType") == uris.KERBEROS_AP_REQ_SHA1
    assert base64.b64decode(by_hash.text or "") == ticket_sha1(base64.b64decode(token.text or ""))


def test_every_request_has_an_authenticator_of_its_own():
    world = World("16")
    tokens = {one(tree(world.call().request), TICKET).text for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize("protect", [False, True])
def test_protected_tokens(protect):
    exchange = World(policy("16", protect_tokens=protect)).call()
    assert signed(exchange.request) == {"Body", "TS", *({"KRB"} if protect else ())}
    assert signed(exchange.reply) == {"Body", "TS", "SC"}


@pytest.mark.parametrize(
    ("chosen", "expected", "main", "endorsed"),
    [
        (endorsing("1"), [TIMES, BST, SIGNED], None, {"TS"}),
        (endorsing("3"), [TIMES, EK, BST, SIGNED, SIGNED], {"Body", "TS"}, {"SIG"}),
        (endorsing("3", signed=True), [TIMES, EK, BST, SIGNED, SIGNED], {"Body", "TS", "KRB"}, {"SIG"}),
        (endorsing("3", protect_tokens=True), [TIMES, EK, BST, SIGNED, SIGNED], {"Body", "TS", "EK"}, {"SIG", "KRB"}),
        (endorsing("2"), [TIMES, BST, BST, SIGNED, SIGNED], {"Body", "TS"}, {"SIG"}),
    ],
    ids=["TLS", "symmetric", "signed", "protected", "asymmetric"],
)  # fmt: skip
def test_endorsing(chosen, expected, main, endorsed):
    exchange = World(chosen).call()
    assert children(exchange.request) == expected
    if main is not None:
        assert signed(exchange.request, f"({SIGNATURE})[1]") == main
    assert signed(exchange.request, f"({SIGNATURE})[last()]") == endorsed
    assert TICKET.encode() not in exchange.reply
    assert b"APREQ" not in exchange.reply


def test_a_ticket_and_a_context_in_one_message():
    """A renewal is protected by the one and endorsed by the other."""
    suite = World("16").policy.alternatives[0].binding.suite
    (bootstrap,) = policy("16", suite, **SEALED).alternatives
    alternative = blocks.conversation(suite, bootstrap, signed=blocks.BODY, encrypted=blocks.BODY)
    world = World(World("16").policy.__class__("", (alternative,)))
    session = world.open(world.make_session(tickets=world.holder))
    asking = session.ask_renewal(version=world.soap)
    assert children(asking.data) == [TIMES, BST, "SecurityContextToken", LIST, SIGNED, SIGNED]
    world.ask(session, asking)
    pending = session.request(echo_body(world.soap, "x"), version=world.soap)
    assert children(pending.data)[1] == "SecurityContextToken"
    assert b"Kerberos" not in pending.data


def test_what_is_pending_knows_its_ticket_and_shows_no_key():
    world = World("16")
    fresh = shown(world)
    pending = under(world, fresh)
    assert pending.ticket is not None
    assert (pending.ticket.sha1, pending.ticket.secret) == (ticket_sha1(fresh.token), fresh.key)
    assert repr(fresh.key)[2:-1] not in repr(pending)
    assert World("3").request().ticket is None
