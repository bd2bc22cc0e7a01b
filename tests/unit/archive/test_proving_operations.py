"""What is kept where operations, partners or HTTP have ways of their own: each message names the policies it met."""

import pytest

from tests.attacks.test_operations import BOTH, PASSWORD, SIGNED, Mixed, body, both
from tests.attacks.test_partners import CLIENT, deviating
from tests.attacks.test_partners_operations import sha1
from tests.simulator.archived import Archived
from tests.simulator.world import World, reply_body
from wsprovider.archive.proving import prove_reply, prove_request
from wsprovider.config.http_basic import with_http_basic
from wsprovider.exchange.transport import Transport
from wsprovider.inbound.http_basic import written
from wsprovider.policy.assigned import UNPROTECTED, OperationPolicies
from wsprovider.policy.model import Policy
from wsprovider.scenarios.catalogue import find
from wsprovider.words import algorithms as alg

LATER = 3 * 365 * 86_400


def kept(archived: Archived, message: bytes):
    """Both messages of an exchange."""
    world = archived.world
    asked, verified = archived.asked(message)
    answered = archived.answered(world.recipient.reply(verified, reply_body(world.soap, "hello")), asked)
    return archived.read(asked), archived.read(answered)


@pytest.mark.parametrize("operation", ["echo", "erase", "notify"])
def test_each_operation_is_proven_by_its_own_policies(tmp_path, operation):
    own = {"echo": OperationPolicies(SIGNED, BOTH), "erase": both(PASSWORD), "notify": UNPROTECTED}
    mixed = Mixed(BOTH, own)
    archived = Archived(tmp_path, mixed)
    request, reply = kept(archived, mixed.send(operation))
    mixed.sleep(LATER)
    assert prove_request(request).failure is None
    assert prove_reply(reply, request).failure is None
    protected = operation != "notify"
    assert (request.facts["policy"] is not None) == protected
    assert bool(prove_request(request).evidence.signatures) == protected
    assert (request.facts["policy"] != request.facts["reply_policy"]) == (operation == "echo")


def test_a_message_is_not_proven_by_another_operations_policy(tmp_path):
    mixed = Mixed(BOTH, {"erase": both(PASSWORD)})
    archived = Archived(tmp_path, mixed)
    request, _ = kept(archived, mixed.send("echo"))
    other, _ = kept(archived, mixed.send("erase"))
    assert prove_request(request).failure is None
    request.facts["policy"] = request.facts["reply_policy"] = other.facts["policy"]
    assert prove_request(request).failure is not None


def test_a_partners_own_algorithms_are_kept_with_the_message(tmp_path):
    mixed = Mixed(BOTH, {"erase": both(PASSWORD)}, partners=deviating(CLIENT, rsa_sha1=True))
    archived = Archived(tmp_path, mixed)
    request, reply = kept(archived, sha1(mixed))
    proof = prove_request(request)
    assert proof.failure is None
    assert proof.evidence.signatures[0].signature.method == alg.RSA_SHA1
    assert request.facts["variant"] == "rsa_sha1"
    assert prove_reply(reply, request).failure is None
    plain, _ = kept(archived, mixed.send("echo"))
    assert plain.facts["variant"] == ""
    assert plain.facts["policy"] == request.facts["policy"]


def test_a_caller_by_http_basic_is_kept_without_the_password(tmp_path):
    world = World(with_http_basic(find(1).policy()))
    archived = Archived(tmp_path, world)
    basic = Policy("", world.policy.alternatives[1:])
    message = world.make_initiator(policy=basic).request(body("echo"), version=world.soap).data
    world.transport = Transport(True, "127.0.0.1", None, written("alice", "secret"))
    request, reply = kept(archived, message)
    assert prove_request(request).failure is None
    assert prove_reply(reply, request).failure is None
    assert (request.facts["principal"], request.facts["proof"]) == ("alice", "HTTP Basic password")
    assert b"secret" not in b"".join(request.parts.values())
