"""Tickets between the message and whoever accepts them: realms, names, and what a reply may name."""

import os
from dataclasses import replace

import pytest

from tests.simulator import pki
from tests.simulator.realm import Realm
from tests.simulator.tickets import shown
from tests.simulator.world import World, policy
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.conversation.established import EstablishedTickets
from wsprovider.exchange.kerberos import AUTHENTICATOR_LIFE, MessageTickets, OnlyTicket, ticket_of
from wsprovider.exchange.settings import KerberosSettings, split_principal
from wsprovider.inbound.context import NoTickets
from wsprovider.keyring.ring import SealKey, SealKeys
from wsprovider.keyring.tickets import TicketKey, ticket_sha1
from wsprovider.policy.model import SupportingTokens
from wsprovider.scenarios import blocks
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

NOW = pki.NOW
SEALS = SealKeys((SealKey("seal", bytes(32)),))
ANY = KerberosSettings()


def refused(call, *arguments) -> Reason:
    with pytest.raises(WSSecurityError) as caught:
        call(*arguments)
    return caught.value.reason


def of(world: World, settings: KerberosSettings = ANY, *, later: bool = False) -> MessageTickets:
    established = world.established if later else None
    return MessageTickets(world.realm, settings, established, "/echo", world.now)


@pytest.mark.parametrize(
    ("principal", "name", "realm"),
    [
        ("alice@A", "alice", "A"),
        ("HTTP/host@A", "HTTP/host", "A"),
        (r"alice\@B@A", r"alice\@B", "A"),
        (r"alice@B\@A", "alice", r"B\@A"),
        (r"alice\\@B@A", "alice" + 2 * "\\", "B@A"),
        ("@A", "", "A"),
        ("alice@", "alice", ""),
        ("alice", "alice", ""),
        ("", "", ""),
        ("al\nice@A", "al\nice", "A"),
        ("alice\\", "alice\\", ""),
        (50_000 * "\\\\" + "x", 50_000 * "\\\\" + "x", ""),
    ],
)
def test_principals(principal, name, realm):
    assert split_principal(principal) == (name, realm)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (ANY, "alice@A"),
        (replace(ANY, strip_realm=True), "alice"),
        (replace(ANY, names={"alice@A": "bob"}), "bob"),
        (replace(ANY, names={"alice@A": "bob"}, strip_realm=True), "bob"),
        (replace(ANY, names={"alice": "bob", "alice@a": "bob"}), "alice@A"),
        (replace(ANY, names={"alice@A": ""}), ""),
    ],
)
def test_names(settings, name):
    assert settings.name_of("alice@A") == name


def test_a_ticket_that_is_shown():
    world = World("16")
    fresh = shown(world)
    found = of(world).shown(fresh.token)
    assert (found.sha1, found.secret) == (ticket_sha1(fresh.token), fresh.key)
    assert (found.principal, found.expires) == ("alice@TEST.LOCAL", fresh.expires)
    assert found.authenticator is not None
    assert refused(of(world).shown, b"\x60other") is Reason.TICKET_INVALID
    assert refused(of(world, replace(ANY, realms=frozenset({"B"}))).shown, fresh.token) is Reason.TICKET_REALM


def test_a_ticket_that_is_named():
    world = World("16")
    ticket = of(world).shown(shown(world).token)
    assert refused(of(world).named, ticket.sha1) is Reason.TICKET_UNKNOWN
    assert refused(of(world, later=True).named, ticket.sha1) is Reason.TICKET_UNKNOWN
    world.established.keep(ticket, "/echo", world.now)
    found = of(world, later=True).named(ticket.sha1)
    assert found.authenticator is None
    assert (found.secret, found.principal, found.expires) == (ticket.secret, ticket.principal, ticket.expires)
    other = replace(ANY, realms=frozenset({"B"}))
    assert refused(of(world, other, later=True).named, ticket.sha1) is Reason.TICKET_REALM


def test_what_a_reply_may_name():
    ticket = TicketKey(bytes(20), b"key", "", NOW)
    assert OnlyTicket(ticket).named(bytes(20)) is ticket
    assert refused(OnlyTicket(ticket).named, bytes(19)) is Reason.TICKET_UNKNOWN
    assert refused(OnlyTicket(None).named, bytes(20)) is Reason.TICKET_UNKNOWN
    assert refused(OnlyTicket(ticket).shown, b"\x60") is Reason.UNSUPPORTED_TOKEN


def test_where_nobody_takes_tickets():
    assert refused(NoTickets().shown, b"\x60") is Reason.UNSUPPORTED_TOKEN
    assert refused(NoTickets().named, bytes(20)) is Reason.UNRESOLVED_REFERENCE


@pytest.mark.parametrize(
    ("chosen", "some"),
    [
        ("16", True),
        ("3", False),
        ("2", False),
        (
            policy("1", alternative={"supporting": (SupportingTokens((blocks.KERBEROS,), endorsing=True),)}),
            True,
        ),
    ],
)
def test_whose_key_signed(chosen, some):
    found = ticket_of(World(chosen).call().verified.verdict.case)
    assert (found is not None) is some
    if found is not None:
        assert found.principal == "alice@TEST.LOCAL"


def test_marks_outlive_the_usual_clock_skew():
    """Five minutes ahead when it came, five minutes behind when it comes again."""
    assert AUTHENTICATOR_LIFE.total_seconds() > 2 * 300


def test_no_key_is_shown():
    ticket = TicketKey(bytes(20), b"secret", "alice@A", NOW)
    store = EstablishedTickets(MemoryStore(), lambda: SEALS, os.urandom, per_owner=1, tickets=1)
    for thing in (ticket, OnlyTicket(ticket), MessageTickets(Realm(), ANY, store, "/", NOW)):
        assert "secret" not in repr(thing)
