"""Whose a context is, and whether they are still there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulator import pki
from tests.simulator.world import Passwords, World, issued, party
from wsprovider.exchange.callers import Callers, principal_of, same_owner
from wsprovider.exchange.principal import ANONYMOUS, Proof
from wsprovider.exchange.transport import Transport
from wsprovider.keyring.contexts import ContextOwner, SecurityContext
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

NOW = pki.NOW
RECHECK = timedelta(seconds=60)
HERE = Transport(secure=True)
USERS = Passwords()
ALICE = ContextOwner("alice", "password", user_version=USERS.find("alice").version)
CERTIFIED = ContextOwner(
    "client", "certificate", issued("client").certificate, identities=("certificate peers/client",)
)
TICKETED = ContextOwner("client", "kerberos ticket")
NOBODY = ContextOwner("", "anonymous")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ALICE, ALICE, True),
        (ALICE, replace(ALICE, proof="password digest", roles=frozenset({"x"})), True),
        (ALICE, replace(ALICE, user_version="changed"), True),
        (ALICE, replace(ALICE, name="bob"), False),
        (ALICE, replace(ALICE, name="Alice"), False),
        (ALICE, replace(ALICE, transport_certificate="ab"), False),
        (ALICE, replace(CERTIFIED, name="alice"), False),
        (CERTIFIED, replace(CERTIFIED, certificate=issued("client-2").certificate), True),
        (CERTIFIED, replace(CERTIFIED, name="client-2"), False),
        (TICKETED, TICKETED, True),
        (TICKETED, replace(TICKETED, name="Client"), False),
        (TICKETED, CERTIFIED, False),
        (ALICE, replace(TICKETED, name="alice"), False),
        (ALICE, replace(ALICE, proof="kerberos ticket"), True),
        (NOBODY, NOBODY, False),
        (NOBODY, ALICE, False),
        (ALICE, NOBODY, False),
    ],
)
def test_same_owner(one, other, same):
    """A renewed certificate, a changed password and another kind of proof are still the same caller."""
    assert same_owner(one, other) is same


def test_principals():
    assert principal_of(NOBODY, None) is ANONYMOUS
    found = principal_of(replace(CERTIFIED, roles=frozenset({"x"})), None)
    assert (found.name, found.proof, found.roles) == ("client", Proof.CERTIFICATE, {"x"})
    assert found.certificate == issued("client").certificate


def context_of(owner: ContextOwner) -> SecurityContext:
    return SecurityContext(
        "urn:c", None, "urn:wsc", bytes(32), "/echo", "p", owner, NOW, NOW + timedelta(hours=1)
    )


def snapshot(name: str | None = "client", certificate: str = "client"):
    trusted = [] if name is None else [(name, issued(certificate).certificate)]
    return party(issued("service"), *trusted).snapshot


def callers(users: Passwords) -> Callers:
    return Callers(users, Limits(), RECHECK)


@pytest.mark.parametrize(
    ("identities", "still"),
    [
        (CERTIFIED.identities, True),
        ((), True),  # of a context that an earlier version has issued
        (("certificate others/client",), False),
        (("certificate others/client", *CERTIFIED.identities), False),
    ],
)
@pytest.mark.parametrize("proof", ["certificate", "tls client certificate"])
def test_a_certificate_that_other_trust_groups_know_by_now(identities, still, proof):
    """Who is meant by it may be another partner."""
    certificate = issued("client").certificate
    transport = Transport(secure=True, client_certificate=certificate)
    owner = replace(CERTIFIED, identities=identities, proof=proof)
    owner = replace(owner, transport_certificate=certificate.fingerprint)
    them = callers(Passwords())
    assert them.present(context_of(owner), snapshot(), transport, NOW) is still
    assert not them.present(context_of(owner), snapshot(None), transport, NOW)


def test_a_user_is_looked_at_again_after_a_while():
    users = Passwords()
    them = callers(users)
    assert them.present(context_of(ALICE), snapshot(), HERE, NOW)
    users.users["alice"] = "another"
    assert them.present(context_of(ALICE), snapshot(), HERE, NOW + RECHECK - timedelta(milliseconds=1))
    assert not them.present(context_of(ALICE), snapshot(), HERE, NOW + RECHECK)
    assert not callers(users).present(context_of(ALICE), snapshot(), HERE, NOW)


def test_a_clock_that_goes_back_trusts_nothing_of_the_future():
    users = Passwords()
    them = callers(users)
    assert them.present(context_of(ALICE), snapshot(), HERE, NOW)
    del users.users["alice"]
    assert not them.present(context_of(ALICE), snapshot(), HERE, NOW - timedelta(seconds=1))


@pytest.mark.parametrize("change", ["gone", "password", "roles"])
def test_a_user_who_changed(change):
    users = Passwords()
    if change == "gone":
        del users.users["alice"]
    elif change == "password":
        users.users["alice"] = "x"
    else:
        users.roles = frozenset()
    assert not callers(users).present(context_of(ALICE), snapshot(), HERE, NOW)


def test_one_user_s_presence_is_not_another_s():
    users = Passwords()
    them = callers(users)
    assert them.present(context_of(ALICE), snapshot(), HERE, NOW)
    assert not them.present(context_of(replace(ALICE, user_version="old")), snapshot(), HERE, NOW)
    assert not them.present(context_of(replace(ALICE, name="bob")), snapshot(), HERE, NOW)


def test_a_certificate_is_looked_at_with_every_message():
    them = callers(USERS)
    assert them.present(context_of(CERTIFIED), snapshot(), HERE, NOW)
    assert not them.present(context_of(CERTIFIED), snapshot(None), HERE, NOW)
    assert not them.present(context_of(CERTIFIED), snapshot("renamed"), HERE, NOW)
    assert not them.present(context_of(replace(CERTIFIED, roles=frozenset({"lost"}))), snapshot(), HERE, NOW)
    after = issued("client").certificate.parsed.not_valid_after_utc + timedelta(days=1)
    assert not them.present(context_of(CERTIFIED), snapshot(), HERE, after)


def test_nobody_is_always_there():
    assert callers(USERS).present(context_of(NOBODY), snapshot(None), HERE, NOW)


def test_the_certificate_of_tls():
    client = issued("client").certificate
    owner = replace(ALICE, transport_certificate=client.fingerprint)
    them = callers(USERS)
    assert them.present(context_of(owner), snapshot(), Transport(True, client_certificate=client), NOW)
    for other in (None, issued("client-2").certificate):
        with pytest.raises(WSSecurityError) as refused:
            them.present(context_of(owner), snapshot(), Transport(True, client_certificate=other), NOW)
        assert refused.value.reason is Reason.CONTEXT_IDENTITY


@pytest.mark.parametrize(
    ("scenario", "name", "proof"),
    [("11", "client", Proof.CERTIFICATE), ("12", "", Proof.NOTHING), ("15", "alice", Proof.PASSWORD)],
)
def test_a_call_has_the_principal_of_its_bootstrap(scenario, name, proof):
    principal = World(scenario).call().verified.principal
    assert (principal.name, principal.proof) == (name, proof)
    assert (principal.certificate is not None) is (scenario == "11")


def test_a_digest_is_remembered_as_such():
    assert World("15", digest=True).call().verified.principal.proof is Proof.PASSWORD_DIGEST


def test_roles_are_asked_of_the_owner():
    world = World("15", roles=frozenset({"user"}))
    world.call()
    world = World("15", roles=frozenset({"admin"}))
    asked = world.session.ask(version=world.soap)
    assert world.refused(asked.data).reason is Reason.ROLE_MISSING
