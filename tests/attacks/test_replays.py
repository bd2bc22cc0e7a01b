"""J06, J07 and J08: a store that is full, clocks that differ, endpoints of other patience. The load is in tests/live."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulator.world import World
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.exchange.settings import Freshness
from wsprovider.words.errors import BackendError, SoapError, WSSecurityError
from wsprovider.words.reasons import Reason

MINUTES = timedelta(minutes=1)


def reason(world, recipient, message):
    """Why a recipient refuses; None when it accepts."""
    try:
        recipient.accept(message, version=world.soap, transport=world.transport)
    except (WSSecurityError, SoapError) as error:
        return error.reason
    return None


# a full store -------------------------------------------------------------------------------------


def test_a_full_store_refuses_what_is_new_and_knows_what_was():
    world = World("3")
    world.store = MemoryStore(max_entries=3)
    world.recipient = world.make_recipient(world.settings)
    messages = [world.request().data for _ in range(4)]
    for message in messages[:3]:
        world.accept(message)
    assert world.refused(messages[3]).reason is Reason.REPLAY_FULL
    assert world.store.size() == 3
    for message in messages[:3]:
        assert world.refused(message).reason is Reason.REPLAY
    world.sleep(419)
    late = world.request().data
    assert world.refused(late).reason is Reason.REPLAY_FULL
    world.sleep(1)  # the three have expired
    world.accept(late)
    assert world.refused(late).reason is Reason.REPLAY


@pytest.mark.parametrize("scenario", ["3", "8"])
def test_no_room_is_the_receivers_fault_and_tells_nothing(scenario):
    """It was the fault of a message whose security is wrong: a client had no reason to try again."""
    world = World(scenario)
    world.store = MemoryStore(max_entries=1)
    world.store.add_if_absent("other", expires=world.now + MINUTES, now=world.now)
    world.recipient = world.make_recipient(world.settings)
    refusal = world.refused(world.request().data)
    assert refusal.reason is Reason.REPLAY_FULL
    answer = world.recipient.refuse(refusal, version=world.soap)
    assert answer == world.recipient.refuse(BackendError("of anything"), version=world.soap)
    assert b"soap:Server" in answer.data
    world.sleep(60)
    world.accept(world.request().data)


def test_no_room_for_the_bodies_of_calls_that_nothing_signs(monkeypatch):
    monkeypatch.setattr("wsprovider.conversation.contexts._BODIES", 2)
    world = World("10")
    calls = [world.request().data for _ in range(3)]
    for call in calls[:2]:
        world.accept(call)
    assert world.refused(calls[2]).reason is Reason.REPLAY_FULL
    assert world.refused(calls[0]).reason is Reason.REPLAY


# clocks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0, 60, 240])
def test_what_the_machine_ahead_has_accepted_the_one_behind_refuses_to_the_last(ahead):
    """Two machines, one store; the client is as far ahead of the first as it may be."""
    world = World("3")
    behind = world.recipient
    world.sleep(60 + ahead)
    message = world.request().data
    world.sleep(-60)  # the first machine's clock; the second's is behind it
    world.accept(message)
    world.sleep(-ahead)
    reasons = []
    for _ in range(100):
        reasons.append(reason(world, behind, message))
        world.sleep(10)
    assert set(reasons) <= {Reason.REPLAY, Reason.TIMESTAMP_FUTURE, Reason.TIMESTAMP_EXPIRED}
    assert Reason.REPLAY in reasons
    assert reasons[-1] is Reason.TIMESTAMP_EXPIRED


def test_what_the_machine_behind_has_accepted_the_one_ahead_refuses():
    world = World("3")
    message = world.request().data
    world.accept(message)
    world.sleep(240)
    assert world.refused(message).reason is Reason.REPLAY
    world.accept(world.request().data)


# patience -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("remember", [None, timedelta(seconds=3720)])
def test_an_endpoint_that_is_more_patient_needs_a_longer_memory(remember):
    """Nothing signs wsa:To: what one endpoint forgot by its own patience, another one still took for fresh."""
    impatient = World("3", freshness=Freshness(), **({"remember": remember} if remember else {}))
    patient = impatient.make_recipient(
        replace(impatient.settings, freshness=Freshness(life=timedelta(hours=1)))
    )
    message = long_lived(impatient)
    impatient.accept(message)
    assert reason(impatient, patient, message) is Reason.REPLAY
    impatient.sleep(500)
    assert reason(impatient, patient, message) is (Reason.REPLAY if remember else None)


def long_lived(world):
    """A message whose Timestamp says an hour."""
    world.initiator._freshness = Freshness(life=timedelta(hours=1))
    return world.request().data
