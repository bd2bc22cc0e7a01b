"""Tickets that later messages may name: kept sealed, for one endpoint, until they end."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulator import pki
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.conversation.established import KIND, EstablishedTickets
from wsprovider.conversation.sealing import open_octets, seal_octets
from wsprovider.keyring.ring import SealKey, SealKeys
from wsprovider.keyring.tickets import TicketKey
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

NOW = pki.NOW
LIFE = timedelta(hours=8)
SEAL = SealKey("seal", bytes(range(32)))
TICKET = TicketKey(bytes(range(20)), b"secret key", "alice@A", NOW + LIFE, b"authenticator")
HERE = "/echo"


def make(store: MemoryStore, *seals: SealKey, per_owner: int = 2, tickets: int = 3) -> EstablishedTickets:
    keys = SealKeys(seals or (SEAL,))
    return EstablishedTickets(store, lambda: keys, os.urandom, per_owner=per_owner, tickets=tickets)


def other(number: int, **fields: object) -> TicketKey:
    return replace(TICKET, sha1=bytes(19) + bytes((number,)), **fields)


def unknown(
    established: EstablishedTickets, sha1: bytes, endpoint: str = HERE, after: timedelta = timedelta()
) -> bool:
    with pytest.raises(WSSecurityError) as caught:
        established.find(sha1, endpoint, NOW + after)
    return caught.value.reason is Reason.TICKET_UNKNOWN


def test_kept_and_found():
    established = make(MemoryStore())
    assert unknown(established, TICKET.sha1)
    assert established.keep(TICKET, HERE, NOW)
    for after in (timedelta(), LIFE - timedelta(microseconds=1)):
        found = established.find(TICKET.sha1, HERE, NOW + after)
        assert (found.sha1, found.secret, found.principal) == (TICKET.sha1, TICKET.secret, TICKET.principal)
        assert (found.expires, found.authenticator) == (TICKET.expires, None)
    assert unknown(established, TICKET.sha1, after=LIFE)


def test_kept_twice_is_kept_once():
    store = MemoryStore()
    for _ in range(2):
        assert make(store).keep(TICKET, HERE, NOW)
    assert store.totals(KIND, now=NOW).kept == 1


@pytest.mark.parametrize("sha1", [b"", bytes(20), TICKET.sha1[:19], TICKET.sha1 + b"\0", bytes(10_000)])
def test_other_hashes(sha1):
    established = make(MemoryStore())
    established.keep(TICKET, HERE, NOW)
    assert unknown(established, sha1)


@pytest.mark.parametrize(("one", "another"), [
    ("/echo", "/other"), ("/echo", ""), ("/" + 300 * "x" + "a", "/" + 300 * "x" + "b"), ("/e\u0301", "/\u00e9"),
])  # fmt: skip
def test_endpoints(one, another):
    established = make(MemoryStore())
    established.keep(TICKET, one, NOW)
    assert established.find(TICKET.sha1, one, NOW).principal == "alice@A"
    assert unknown(established, TICKET.sha1, another)


def test_room():
    """A principal has a share of its own at each endpoint; what has ended makes room."""
    established = make(MemoryStore())
    assert [established.keep(other(n), HERE, NOW) for n in range(3)] == [True, True, False]
    assert established.keep(other(3), "/other", NOW)
    assert not established.keep(other(4, principal="bob@A"), HERE, NOW)
    assert established.keep(other(0), HERE, NOW)  # is there
    later = NOW + LIFE
    assert established.keep(other(5, expires=later + LIFE), HERE, later)
    assert established.find(other(5).sha1, HERE, later).principal == "alice@A"


def test_a_ticket_that_has_ended_is_not_kept():
    established = make(MemoryStore())
    assert not established.keep(replace(TICKET, expires=NOW), HERE, NOW)
    assert unknown(established, TICKET.sha1)


def test_seals():
    store, new = MemoryStore(), SealKey("new", bytes(32))
    make(store).keep(TICKET, HERE, NOW)
    assert make(store, new, SEAL).find(TICKET.sha1, HERE, NOW).secret == TICKET.secret
    assert unknown(make(store, new), TICKET.sha1)
    assert unknown(make(store, replace(new, name="seal")), TICKET.sha1)
    empty = EstablishedTickets(store, lambda: SealKeys(()), os.urandom, per_owner=1, tickets=1)
    assert unknown(empty, TICKET.sha1)
    with pytest.raises(ConfigurationError):
        empty.keep(other(1), HERE, NOW)


def test_what_is_kept():
    """Nothing to read; it opens for this purpose, and under this name, alone."""
    store, seals = MemoryStore(), SealKeys((SEAL,))
    make(store).keep(TICKET, HERE, NOW)
    (record,) = store.records(KIND, now=NOW)
    assert len(record.key) <= 256
    for told in (TICKET.secret, b"alice", HERE.encode()):
        assert told not in record.value + record.key.encode()
    purpose = b"wsprovider kerberos ticket\x00"
    plain = open_octets(purpose, record, seals, NOW)
    assert plain is not None
    assert set(json.loads(plain)) == {"secret", "principal", "expires"}
    assert open_octets(b"wsprovider security context\x00", record, seals, NOW) is None
    assert open_octets(purpose, replace(record, key=record.key + "x"), seals, NOW) is None
    for octet in range(len(record.value)):
        bent = bytearray(record.value)
        bent[octet] ^= 1
        assert open_octets(purpose, replace(record, value=bytes(bent)), seals, NOW) is None


def test_who_prolongs_a_record_prolongs_no_ticket():
    store = MemoryStore()
    established = make(store)
    established.keep(TICKET, HERE, NOW)
    (record,) = store.records(KIND, now=NOW)
    assert store.replace(KIND, record.key, record.value, version=1, expires=NOW + 2 * LIFE, now=NOW)
    assert established.find(TICKET.sha1, HERE, NOW).principal == "alice@A"
    assert unknown(established, TICKET.sha1, after=LIFE)


def test_a_context_is_no_ticket():
    """Of the same seal, and put where a ticket is looked for."""
    store, seals = MemoryStore(), SealKeys((SEAL,))
    established = make(store)
    established.keep(TICKET, HERE, NOW)
    (record,) = store.records(KIND, now=NOW)
    forged = seal_octets(b"wsprovider security context\x00", record.key, b"{}", seals, NOW, os.urandom)
    assert store.replace(KIND, record.key, forged, version=1, expires=record.expires, now=NOW)
    assert unknown(established, TICKET.sha1)
