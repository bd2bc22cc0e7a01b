"""Contexts in the shared store, and the seal on them."""

import json
import os
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulator import pki
from tests.simulator.world import issued
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.conversation import sealing
from wsprovider.conversation.contexts import KIND, RENEWABLE, Contexts
from wsprovider.conversation.sealing import seal, sealed_by, unseal
from wsprovider.keyring.contexts import ContextOwner, SecurityContext
from wsprovider.keyring.ring import SealKey, SealKeys
from wsprovider.ports import Record
from wsprovider.words.errors import ConfigurationError, SoapError, SoapFault
from wsprovider.words.reasons import Reason

R = Reason
NOW = pki.NOW
SEALS = SealKeys((SealKey("seal", bytes(range(32))),))
ALICE = ContextOwner("alice", "password", roles=frozenset({"a", "b"}), user_version="v1")
BOB = ContextOwner("bob", "password")
PARTNER = ContextOwner("bob", "password", identities=("user bob", "x"), partner="acme", variant="Basic256")
HOUR = timedelta(hours=1)
UNUSED = timedelta(minutes=5)


def certified() -> ContextOwner:
    certificate = issued("client").certificate
    return ContextOwner("client", "certificate", certificate, (certificate,), transport_certificate="ab" * 32)


class House:
    """A store and two workers."""

    def __init__(self, **limits: int) -> None:
        self.store, self.seals = MemoryStore(), SEALS
        self.one, self.two = self.worker(**limits), self.worker(**limits)

    def worker(self, *, per_owner: int = 10, contexts: int = 10) -> Contexts:
        return Contexts(
            self.store, lambda: self.seals, os.urandom, unused=UNUSED, per_owner=per_owner, contexts=contexts
        )

    def issue(
        self, owner: ContextOwner = ALICE, endpoint: str = "/echo", expires=NOW + HOUR
    ) -> SecurityContext:
        return self.one.issue(
            endpoint=endpoint,
            policy="fingerprint",
            owner=owner,
            counted_for=owner.name,
            namespace="urn:wsc",
            secret=bytes(32),
            expires=expires,
            now=NOW,
        )


@pytest.mark.parametrize("owner", [ALICE, BOB, PARTNER, ContextOwner("", "anonymous"), certified()])
@pytest.mark.parametrize("instance", [None, "urn:i"])
def test_what_is_sealed_is_unsealed(owner, instance):
    context = SecurityContext(
        "urn:c", instance, "urn:wsc", bytes(range(32)), "/x", "p", owner, NOW, NOW + HOUR, True, 7
    )
    value = seal(context, SEALS, NOW, os.urandom)
    found = unseal(Record("urn:c", value, 7, NOW + HOUR), SEALS, NOW)
    for name in SecurityContext.__dataclass_fields__:
        assert getattr(found, name) == getattr(context, name), name
    assert seal(context, SEALS, NOW, os.urandom) != value
    assert sealed_by(Record("urn:c", value, 7, NOW + HOUR)) == "seal"


def test_what_a_worker_of_an_earlier_version_has_sealed_is_unsealed(monkeypatch):
    """It says nothing of partners; whoever is one by now opens another context."""
    context = SecurityContext(
        "urn:c", None, "urn:wsc", bytes(32), "/x", "p", PARTNER, NOW, NOW + HOUR, True, 7
    )
    plain = json.loads(sealing._write(context))
    for name in ("identities", "partner", "variant"):
        del plain[name]
    monkeypatch.setattr(sealing, "_write", lambda _: json.dumps(plain).encode())
    value = seal(context, SEALS, NOW, os.urandom)
    found = unseal(Record("urn:c", value, 7, NOW + HOUR), SEALS, NOW)
    assert found.owner == replace(PARTNER, identities=(), partner="", variant="")


@pytest.mark.parametrize(
    ("record", "seals"),
    [
        ({"key": "urn:d"}, SEALS),
        ({"value": b""}, SEALS),
        ({"value": b"\x01"}, SEALS),
        ({"value": b"\x01\xff" + bytes(300)}, SEALS),
        ({"value": b"\x02\x04seal" + bytes(60)}, SEALS),
        ({"value": b"\x01\x04seal"}, SEALS),
        ({"value": b"\x01\x04seal" + bytes(60)}, SEALS),
        ({}, SealKeys()),
        ({}, SealKeys((SealKey("seal", bytes(32)),))),
        ({}, SealKeys((SealKey("other", bytes(range(32))),))),
    ],
)
def test_what_does_not_open(record, seals):
    context = SecurityContext("urn:c", None, "urn:wsc", bytes(32), "/x", "p", ALICE, NOW, NOW + HOUR)
    value = seal(context, SEALS, NOW, os.urandom)
    genuine = Record("urn:c", value, 1, NOW + HOUR)
    bent = replace(genuine, **record)
    with pytest.raises(SoapError) as refused:
        unseal(bent, seals, NOW)
    assert (refused.value.fault, refused.value.reason) == (SoapFault.BAD_CONTEXT_TOKEN, R.CONTEXT_SEAL)
    assert isinstance(sealed_by(bent), str)
    unseal(genuine, SEALS, NOW)


def test_nothing_is_sealed_without_a_key():
    house = House()
    house.seals = SealKeys()
    with pytest.raises(ConfigurationError):
        house.issue()
    assert house.store.totals(KIND, now=NOW).live == 0


def test_issued_here_is_found_there():
    house = House()
    context = house.issue()
    found = house.two.find(context.identifier, NOW)
    assert found is not None
    assert (found.secret, found.owner, found.endpoint) == (context.secret, ALICE, "/echo")
    assert house.two.find(context.identifier, NOW) is found  # unsealed once
    assert house.two.find("urn:never", NOW) is None


def test_an_unused_one_goes_before_its_time():
    house = House()
    context = house.issue()
    assert house.one.find(context.identifier, NOW + UNUSED - timedelta(milliseconds=1)) is not None
    assert house.one.find(context.identifier, NOW + UNUSED) is None


def test_a_short_life_is_no_longer_for_being_unused():
    house = House()
    context = house.issue(expires=NOW + timedelta(seconds=1))
    assert house.one.find(context.identifier, NOW + timedelta(seconds=1)) is None


def test_a_used_one_is_kept_for_its_renewal():
    house = House()
    context = house.issue()
    house.one.use(context, NOW)
    house.two.use(context, NOW)  # another worker's first message at the same moment
    found = house.two.find(context.identifier, NOW + HOUR)
    assert found is not None
    assert found.used
    house.one.use(found, NOW)
    assert house.one.find(context.identifier, NOW + HOUR + RENEWABLE - timedelta(milliseconds=1)) is not None
    assert house.one.find(context.identifier, NOW + HOUR + RENEWABLE) is None


def test_used_after_it_was_cancelled_or_renewed():
    house = House()
    context = house.issue()
    house.two.renew(context, ALICE, bytes(range(32)), NOW + HOUR, NOW)
    with pytest.raises(SoapError) as refused:
        house.one.use(context, NOW)
    assert (refused.value.reason, refused.value.namespace) == (R.CONTEXT_UNKNOWN, "urn:wsc")
    other = house.issue()
    assert house.two.cancel(other, NOW)
    with pytest.raises(SoapError):
        house.one.use(other, NOW)
    assert not house.one.cancel(other, NOW)


def test_renewed_once_for_each_state():
    house = House()
    context = house.issue()
    renewed = house.one.renew(context, BOB, bytes(range(32)), NOW + 2 * HOUR, NOW)
    assert (renewed.identifier, renewed.secret, renewed.owner) == (context.identifier, bytes(range(32)), BOB)
    with pytest.raises(SoapError) as refused:
        house.two.renew(context, ALICE, bytes(32), NOW + HOUR, NOW)
    assert refused.value.fault is SoapFault.UNABLE_TO_RENEW
    found = house.two.find(context.identifier, NOW)
    assert found is not None
    assert (found.instance, found.secret, found.owner) == (renewed.instance, renewed.secret, BOB)


@pytest.mark.parametrize(("limits", "owners"), [({"per_owner": 2}, [ALICE]), ({"contexts": 2}, [ALICE, BOB])])
def test_limits_hold_for_threads_at_once(limits, owners):
    house = House(**limits)
    made: list[SoapError | None] = []

    def issue(number: int) -> None:
        try:
            house.issue(owners[number % len(owners)])
            made.append(None)
        except SoapError as error:
            made.append(error)

    threads = [threading.Thread(target=issue, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [(error.fault, error.reason) for error in made if error is not None]
    assert refused == [(SoapFault.REQUEST_FAILED, R.CONTEXT_LIMIT)] * 10
    assert len(made) == 12


def test_shares_are_apart():
    house = House(per_owner=1)
    house.issue(ALICE)
    house.issue(BOB)
    house.issue(ALICE, endpoint="/other")
    house.issue(replace(ALICE, proof="certificate"))
    with pytest.raises(SoapError):
        house.issue(ALICE)


def test_a_key_that_is_gone_opens_nothing_that_was_remembered():
    house = House()
    context = house.issue()
    assert house.one.find(context.identifier, NOW) is not None
    house.seals = SealKeys((SealKey("new", bytes(32)),))
    with pytest.raises(SoapError) as refused:
        house.one.find(context.identifier, NOW, "urn:spoken")
    assert (refused.value.reason, refused.value.namespace) == (R.CONTEXT_SEAL, "urn:spoken")


def test_an_earlier_state_put_back_is_found_out_by_no_seal():
    """What sealing does not do: whoever may write into the store can put back what stood there before."""
    house = House()
    context = house.issue()
    (before,) = house.store.records(KIND, now=NOW)
    renewed = house.one.renew(context, ALICE, bytes(range(32)), NOW + HOUR, NOW)
    (after,) = house.store.records(KIND, now=NOW)
    house.store.replace(
        KIND, context.identifier, before.value, version=after.version, expires=NOW + HOUR, now=NOW
    )
    found = house.one.find(context.identifier, NOW)
    assert found is not None
    assert found.instance != renewed.instance


def test_contexts_show_no_secret():
    context = House().issue()
    assert "secret" not in repr(context)
    assert repr(bytes(32)) not in repr(context)
