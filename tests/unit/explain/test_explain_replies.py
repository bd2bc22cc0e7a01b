"""Replies of ours explained, by the secrets of their requests."""

import os

import pytest

from tests.simulator.bend import BODY, bend, one
from tests.simulator.world import World
from tests.unit.explain.explained import explained
from wsprovider.exchange.initiator import Initiator
from wsprovider.explain.explaining import Explained, Received
from wsprovider.explain.reply import explain_reply, pending_of
from wsprovider.explain.report import Standing
from wsprovider.keyring.ring import Ring, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason


def explained_reply(
    world: World, request: bytes, reply: bytes, *, client: bool = True, show: bool = False
) -> Explained:
    """What the client would say of a reply; without its key, what anybody else can say."""
    asked = explained(world, request)
    assert asked.dissection is not None
    way = world.recipient.ways[asked.closest]
    group = PinnedGroup("service", (Partner("service", (world.service.certificate,)),))
    ring = world.client.snapshot.ring if client else Ring("client", ())
    snapshot = RingSnapshot(ring, Trust((group,), Limits()), "1")
    initiator = Initiator(
        way.requirements,
        "explain",
        keys=lambda: snapshot,
        clock=lambda: world.now,
        entropy=os.urandom,
        partner="service",
    )
    return explain_reply(
        initiator,
        Received(reply, world.soap),
        pending_of(Received(request, world.soap), asked.dissection, world.now),
        name=way.stage.value,
        secure=world.transport.secure,
        now=world.now,
        limits=Limits(),
        client=client,
        show=show,
    )


@pytest.mark.parametrize("scenario", [*(str(number) for number in range(1, 17)), "13e"])
def test_a_genuine_reply_is_accepted(scenario):
    world = World(scenario)
    exchange = world.call()
    report = explained_reply(world, exchange.request, exchange.reply).report
    assert report.accepted
    assert report.headline == "Accepted as the reply to this request."
    assert {demand.standing for demand in report.ways[0].demands} == {Standing.HOLDS}


@pytest.mark.parametrize("scenario", ["3", "6"])
def test_a_reply_to_another_request_is_refused(scenario):
    world = World(scenario)
    one_call, other = world.call(), world.call()
    report = explained_reply(world, one_call.request, other.reply).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.UNRESOLVED_REFERENCE
    assert report.trouble.spot is not None
    assert report.trouble.spot.path == "/Envelope/Header/Security/Signature"
    assert explained_reply(world, other.request, other.reply).report.accepted


def test_a_changed_reply_is_refused_at_its_body():
    world = World("2")
    exchange = world.call()
    changed = bend(exchange.reply, lambda root: one(root, f"{BODY}/*").set("x", "1"))
    report = explained_reply(world, exchange.request, changed).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.DIGEST_MISMATCH
    assert str(report.trouble.spot).startswith("/Envelope/Body")


def test_a_reply_for_the_client_needs_its_key():
    world = World("5")
    exchange = world.call()
    assert explained_reply(world, exchange.request, exchange.reply).report.accepted
    report = explained_reply(world, exchange.request, exchange.reply, client=False).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.UNRESOLVED_REFERENCE
    assert "--client" in report.advice[0]


def test_an_unprotected_fault_says_to_explain_the_request():
    world = World("6")
    exchange = world.call()
    fault = world.recipient.refuse(WSSecurityError(Reason.SIGNATURE_VALUE), version=world.soap).data
    report = explained_reply(world, exchange.request, fault).report
    assert report.trouble is not None
    assert report.trouble.reason is Reason.NO_SECURITY_HEADER
    assert "explain the request" in report.advice[0]
