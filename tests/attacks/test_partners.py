"""Partners: what each may call and by which algorithms; that nobody else gains by it, also within a conversation."""

from dataclasses import replace

import pytest

from tests.attacks.rows import R
from tests.simulator.errands import ask, rst, target
from tests.simulator.tickets import shown, under
from tests.simulator.world import SECURE, World, issued, party, policy
from wsprovider.crypto import ciphers
from wsprovider.exchange import callers
from wsprovider.exchange.partners import (
    NO_PARTNERS,
    Access,
    Deviation,
    Partner,
    Partners,
    certificate_identity,
    ticket_identity,
    user_identity,
)
from wsprovider.exchange.principal import Proof
from wsprovider.exchange.ways import Stage
from wsprovider.inbound import keys as inbound_keys
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.keyring.trust import Trust
from wsprovider.outbound.message import Algorithms, Credentials
from wsprovider.policy.model import ClientAuthentication, HttpsToken
from wsprovider.words import algorithms as alg
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.suites import SUITES

CLIENT = certificate_identity("peers", "client")
ALICE = user_identity("alice")
HOLDER = ticket_identity("alice@TEST.LOCAL")
ALL = {"echo": Access()}
SHA1 = Algorithms(signature=alg.RSA_SHA1, digest=alg.SHA1)
OLD = SUITES["Basic256"]
OLDEST = SUITES["Basic256Rsa15"]


def acme(*identities, access=None, roles=(), name="acme"):
    return Partner(name, identities, frozenset(roles), ALL if access is None else access)


def deviating(*identities, suite=None, **lines):
    return Partners([acme(*identities, access={"echo": Access(None, Deviation(suite, **lines))})])


def by_sha1(scenario, **arguments):
    """A world whose client signs by SHA-1, which nobody else may."""
    return World(scenario, algorithms=SHA1, **arguments)


def stranger(world, **arguments):
    """Another caller, whom trust knows as well."""
    return world.make_initiator(
        party(issued("client-2"), ("service", issued("service").certificate)), **arguments
    )


def request_of(world, initiator, text="hello"):
    world.initiator, own = initiator, world.initiator
    try:
        return world.request(text)
    finally:
        world.initiator = own


# who it is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "identity", "proven"),
    [("8", ALICE, "alice"), ("5", CLIENT, "client"), ("2", CLIENT, "client"), ("1", ALICE, "alice")],
)
def test_the_principal_is_the_partner(scenario, identity, proven):
    world = World(scenario)
    before = world.call().verified.principal
    assert (before.name, before.identity, before.partner) == (proven, proven, False)
    world.partners = Partners([acme(identity, roles={"orders"})])
    found = world.call().verified.principal
    assert (found.name, found.identity, found.partner, found.proof) == ("acme", proven, True, before.proof)
    assert found.roles == before.roles | {"orders"}


def test_the_holder_of_a_ticket_is_a_partner_by_the_whole_principal():
    world = World("16", roles=frozenset({"orders"}), partners=Partners([acme(HOLDER, roles={"orders"})]))
    world.users = None  # only partners give roles
    world.recipient = world.make_recipient(world.settings)
    message = under(world, shown(world, "alice@TEST.LOCAL")).data
    principal = world.accept(message).principal
    assert (principal.name, principal.identity, principal.proof) == ("acme", "alice@TEST.LOCAL", Proof.TICKET)
    other = under(world, shown(world, "alice@OTHER")).data
    assert world.refused(other).reason is R.ROLE_MISSING


def test_a_user_a_certificate_and_a_principal_of_one_name_are_three():
    world = World(
        "8", partners=Partners([acme(certificate_identity("peers", "alice"), ticket_identity("alice"))])
    )
    assert not world.call().verified.principal.partner


@pytest.mark.parametrize(
    "identities", [(), (certificate_identity("others", "client"),), (user_identity("client"),)]
)
def test_who_is_no_partner_is_refused_where_partners_are_required(identities):
    partners = Partners([acme(*identities)]) if identities else NO_PARTNERS
    world = World("5", partners_required=True, partners=partners)
    message = world.request().data
    assert world.refused(message).reason is R.PARTNER_UNKNOWN
    world.partners = Partners([acme(CLIENT)])
    assert world.accept(message).principal.name == "acme"


def test_a_certificate_of_two_partners_is_nobodys():
    """Two trust groups pin it: which partner is meant cannot be told, and none of them is believed."""
    world = World("5")
    (group,) = world.service.snapshot.trust_groups
    trust = Trust((group, replace(group, name="others")), Limits())
    world.service = replace(world.service, snapshot=RingSnapshot(world.service.snapshot.ring, trust, "2"))
    message = world.request().data
    world.partners = Partners([acme(CLIENT), acme(certificate_identity("others", "client"), name="beta")])
    assert world.refused(message).reason is R.PARTNER_UNKNOWN
    world.partners = Partners([acme(CLIENT, certificate_identity("others", "client"))])
    assert world.accept(message).principal.name == "acme"


# what it may call -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "reason"),
    [
        ({}, R.PARTNER_SERVICE),
        ({"other": Access()}, R.PARTNER_SERVICE),
        ({"echo": Access(frozenset())}, R.PARTNER_OPERATION),
        ({"echo": Access(frozenset({"erase"}))}, R.PARTNER_OPERATION),
        ({"echo": Access(frozenset({"echo"}))}, None),
        ({"echo": Access(frozenset({"erase", "echo"}))}, None),
        ({"echo": Access()}, None),
    ],
)
@pytest.mark.parametrize(("scenario", "identity"), [("8", ALICE), ("5", CLIENT), ("1", ALICE)])
def test_what_a_partner_may_call(access, reason, scenario, identity):
    world = World(scenario, partners=Partners([acme(identity, access=access)]))
    message = world.request().data
    if reason is not None:
        assert world.refused(message).reason is reason  # and no state has changed
        world.partners = Partners([acme(identity)])
    assert world.accept(message).principal.name == "acme"


def test_roles_of_a_partner_open_what_roles_close():
    world = World("5", roles=frozenset({"orders"}), partners=Partners([acme(CLIENT)]))
    message = world.request().data
    assert world.refused(message).reason is R.ROLE_MISSING
    world.partners = Partners([acme(CLIENT, roles={"orders"})])
    assert "orders" in world.accept(message).principal.roles


def test_permission_is_asked_after_the_password():
    world = World("8", partners=Partners([acme(ALICE, access={})]))
    wrong = world.make_initiator(credentials=Credentials("alice", "wrong"))
    assert world.refused(request_of(world, wrong).data).reason is R.PASSWORD_WRONG
    assert world.refused(world.request().data).reason is R.PARTNER_SERVICE


def test_a_nonce_counts_whatever_the_partner_is_called_meanwhile():
    """In scenario 1 it is all that keeps a copy from being accepted."""
    world = World("1", digest=True)
    message = world.request().data
    world.accept(message)
    world.partners = Partners([acme(ALICE)])
    assert world.refused(message).reason is R.REPLAY
    world.accept(world.request().data)


def test_wrong_passwords_are_counted_by_the_users_name():
    world = World("8", partners=Partners([acme(ALICE, user_identity("bob"))]))
    wrong = world.make_initiator(credentials=Credentials("alice", "wrong"))
    reasons = []
    for _ in range(30):
        try:
            world.accept(request_of(world, wrong).data)
        except WSSecurityError as error:
            reasons.append(error.reason)
    assert R.AUTHENTICATION_BACKOFF in reasons
    bob = replace(world.transport, peer="192.0.2.7")
    message = request_of(world, world.make_initiator(credentials=Credentials("bob", "geheim")))
    assert world.accept(message.data, transport=bob).principal.name == "acme"


# by which algorithms ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "identity", "others"),
    [
        ("5", CLIENT, user_identity("client")),
        ("2", CLIENT, certificate_identity("peers", "client-2")),
        ("8", ALICE, user_identity("bob")),
    ],
)
def test_sha1_is_accepted_from_its_partner_only(scenario, identity, others):
    hmac = replace(SHA1, signature=alg.HMAC_SHA1)
    algorithms = hmac if scenario == "8" else SHA1
    world = World(scenario, algorithms=algorithms, partners=deviating(others, rsa_sha1=True))
    message = world.request().data
    assert world.refused(message).reason is R.ALGORITHM_NOT_IN_SUITE
    world.partners = NO_PARTNERS
    assert world.refused(message).reason is R.ALGORITHM_NOT_IN_SUITE
    world.partners = deviating(identity, rsa_sha1=True)
    verified = world.accept(message)
    assert (verified.principal.name, verified.way.variant) == ("acme", "rsa_sha1")
    world.reply(verified)


@pytest.mark.parametrize(("scenario", "identity"), [("5", CLIENT), ("8", ALICE)])
def test_everybodys_way_goes_before_the_partners_own(scenario, identity):
    world = World(scenario, partners=deviating(identity, rsa_sha1=True))
    exchange = world.call()
    assert exchange.verified.way.variant == ""
    assert exchange.verified.principal.name == "acme"


@pytest.mark.parametrize(("scenario", "identity"), [("5", CLIENT), ("8", ALICE)])
def test_the_reply_is_protected_as_the_request_was(scenario, identity):
    """The client knows nothing but its own suite, and takes the reply."""
    world = World(scenario)
    world.initiator = world.make_initiator(policy=policy(scenario, "Basic128"))
    message = world.request()
    assert world.refused(message.data).reason is R.ALGORITHM_NOT_IN_SUITE
    world.partners = deviating(identity, suite=SUITES["Basic128"])
    exchange = world.call()
    assert exchange.text == "hello"
    assert exchange.verified.way.variant == "Basic128"


def test_two_partners_have_each_their_own_way():
    world = World("8")
    world.initiator = world.make_initiator(policy=policy("8", "Basic128"))
    first = Partner(
        "beta", (user_identity("bob"),), access={"echo": Access(None, Deviation(SUITES["Basic128"]))}
    )
    wider = Deviation(SUITES["Basic128"], rsa_sha1=True)
    world.partners = Partners([first, acme(ALICE, access={"echo": Access(None, wider)})])
    assert world.call().verified.way.variant == "Basic128+rsa_sha1"
    world.partners = Partners([first, acme(ALICE)])
    assert world.refused(world.request().data).reason is R.ALGORITHM_NOT_IN_SUITE


def test_shorter_keys_are_let_in_for_their_partner_only():
    """The gate lets in 128 bits for alice; who else sends them under everybody's suite is refused."""
    world = World("8", partners=deviating(ALICE, short_symmetric_keys=True))
    shorter = policy("8", replace(SUITES["Basic256Sha256"], symmetric_bits=128))
    bob = Credentials("bob", "geheim")
    theirs = request_of(world, world.make_initiator(policy=shorter, credentials=bob)).data
    assert world.refused(theirs).reason is R.KEY_SIZE
    own = request_of(world, world.make_initiator(policy=shorter)).data
    assert world.accept(own).way.variant == "short_symmetric_keys"
    world.partners = NO_PARTNERS
    again = request_of(world, world.make_initiator(policy=shorter)).data
    assert world.refused(again).reason is R.SIGNATURE_VALUE


def test_a_shorter_key_signs_for_its_partner_only():
    """Where nothing is encrypted by it, the length of the key is judged all the same."""
    world = World("5", partners=deviating(CLIENT, suite=SUITES["Basic128Sha256"]))
    shorter = policy("5", "Basic128Sha256")
    other = request_of(world, stranger(world, policy=shorter)).data
    assert world.refused(other).reason is R.ALGORITHM_NOT_IN_SUITE
    own = request_of(world, world.make_initiator(policy=shorter)).data
    assert world.accept(own).way.variant == "Basic128Sha256"


# what a stranger gains --------------------------------------------------------------------------------


@pytest.fixture
def unwrapped(monkeypatch):
    """The key transports for which a private key was used."""
    seen = []

    def noting(transport, *arguments):
        seen.append(transport.method)
        return ciphers.unwrap_key(transport, *arguments)

    monkeypatch.setattr(inbound_keys, "unwrap_key", noting)
    return seen


def test_rsa_15_is_unwrapped_for_who_signs_as_its_partner_only(unwrapped):
    world = World("5", partners=deviating(CLIENT, suite=OLDEST))
    theirs = policy("5", OLDEST)
    other = request_of(world, stranger(world, policy=theirs)).data
    assert world.refused(other).reason is R.ALGORITHM_NOT_IN_SUITE
    assert unwrapped == []
    own = request_of(world, world.make_initiator(policy=theirs)).data
    assert world.accept(own).principal.name == "acme"
    assert unwrapped == [alg.RSA_15]


def test_rsa_15_is_not_unwrapped_for_a_signature_by_a_secret(unwrapped):
    """Under a policy whose signatures are certificates', a key that anybody made is unwrapped as everybody's are."""
    anybody = World("3", suite="Basic256Rsa15")
    message = anybody.request().data
    world = World("5", partners=deviating(CLIENT, suite=OLDEST))
    assert world.refused(message).reason is R.ALGORITHM_NOT_IN_SUITE
    assert unwrapped == []
    assert anybody.accept(message).operation.name == "echo"
    assert unwrapped == [alg.RSA_15]


def test_nothing_is_opened_for_partners_who_cannot_be_told_under_the_policy(unwrapped):
    """Where users' names count, who is known by a certificate only opens nothing to strangers."""
    world = World("8", partners=deviating(CLIENT, suite=OLDEST))
    assert not world.recipient.openings.current().exposed
    message = request_of(world, world.make_initiator(policy=policy("8", OLDEST))).data
    assert world.refused(message).reason is R.ALGORITHM_NOT_IN_SUITE
    assert unwrapped == []
    world.partners = deviating(ALICE, suite=OLDEST)
    assert alg.RSA_15 in world.recipient.openings.current().exposed
    assert world.accept(message).principal.name == "acme"


def test_nothing_is_opened_where_everybody_is_anonymous(unwrapped):
    world = World("3", partners=deviating(CLIENT, ALICE, HOLDER, suite=OLDEST))
    assert world.recipient.openings.current().narrow is None
    message = request_of(world, world.make_initiator(policy=policy("3", OLDEST))).data
    assert world.refused(message).reason is R.ALGORITHM_NOT_IN_SUITE
    assert unwrapped == []
    assert not world.call().verified.principal.partner


def test_an_endorsing_strangers_certificate_closes_the_partners_way():
    world = World("5", partners=deviating(CLIENT, suite=OLD))
    opening = world.recipient.openings.current()
    narrow = opening.narrow
    assert narrow is not None
    verified = world.call().verified
    (fact,) = verified.evidence.signatures
    other = replace(fact.key, partner="client-2")
    assert alg.SHA1 in narrow([fact.key]).digests
    assert alg.SHA1 not in narrow([other]).digests
    assert alg.SHA1 not in narrow([fact.key, other]).digests


# conversations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "identity"), [("15", ALICE), ("11", CLIENT)])
def test_permission_that_is_withdrawn_ends_what_a_conversation_may_do(scenario, identity):
    world = World(scenario, partners=Partners([acme(identity)]))
    assert world.call().verified.principal.name == "acme"
    message = world.request().data
    world.partners = Partners([acme(identity, access={})])
    assert world.refused(message).reason is R.PARTNER_SERVICE
    world.partners = Partners([acme(identity, access={"echo": Access(frozenset({"erase"}))})])
    assert world.refused(message).reason is R.PARTNER_OPERATION
    world.partners = Partners([acme(identity)])
    assert world.accept(message).principal.name == "acme"


@pytest.mark.parametrize(("scenario", "identity"), [("15", ALICE), ("11", CLIENT)])
def test_a_context_is_not_another_partners(scenario, identity):
    world = World(scenario, partners=Partners([acme(identity)]))
    world.call()
    message = world.request().data
    for partners in (NO_PARTNERS, Partners([acme(identity, name="beta")])):
        world.partners = partners
        assert world.refused(message).reason is R.CONTEXT_OWNER
    world.partners = Partners([acme(identity, roles={"more"})])
    assert "more" in world.accept(message).principal.roles


@pytest.mark.parametrize("kind", ["Renew", "Cancel"])
def test_a_context_is_not_that_of_a_partners_other_user(kind):
    """It belongs to the partner and to the proof that opened it."""
    world = World("15", partners=Partners([acme(ALICE, user_identity("bob"))]))
    context = world.open().context
    asked = rst(kind, target(kind, context))
    bob = ask(world, Stage.BOOTSTRAP, asked, credentials=Credentials("bob", "geheim"))
    assert world.refused(bob.data).reason is R.CONTEXT_IDENTITY
    world.answer(ask(world, Stage.BOOTSTRAP, asked).data)


def test_a_context_is_not_renewed_by_who_is_another_partner_by_now():
    world = World("15", partners=Partners([acme(ALICE)]))
    context = world.open().context
    asking = ask(world, Stage.BOOTSTRAP, rst("Renew", target("Renew", context))).data
    world.partners = Partners([acme(ALICE, name="beta")])
    assert world.refused(asking).reason is R.CONTEXT_IDENTITY
    world.partners = Partners([acme(ALICE)])
    world.answer(asking)


@pytest.mark.parametrize(("scenario", "identity"), [("15", ALICE), ("11", CLIENT)])
def test_a_context_of_an_earlier_version_is_no_way_around_the_partners(scenario, identity, monkeypatch):
    """It does not say whose it is: it goes on only where there are no partners."""
    proven = callers.Callers.proven

    def untold(*one, **more):
        return replace(proven(*one, **more), identities=())

    monkeypatch.setattr(callers.Callers, "proven", untold)
    world = World(scenario)
    world.open()
    monkeypatch.undo()
    message = world.request().data
    world.partners = Partners([acme(identity, access={})])
    assert world.refused(message).reason is R.CONTEXT_OWNER
    world.partners = NO_PARTNERS
    assert world.accept(message).principal.identity in ("alice", "client")


def test_who_may_call_nothing_is_granted_no_context():
    world = World("15", partners=Partners([acme(ALICE, access={})]))
    asking = world.session.ask(version=world.soap)
    assert world.refused(asking.data).reason is R.PARTNER_SERVICE
    world.partners = Partners([acme(ALICE, access={"echo": Access(frozenset())})])
    world.ask(world.session, asking)
    assert world.refused(world.request().data).reason is R.PARTNER_OPERATION


@pytest.mark.parametrize(("scenario", "identity"), [("15", ALICE), ("11", CLIENT)])
def test_a_context_keeps_the_variant_that_its_bootstrap_met(scenario, identity):
    world = World(scenario)
    old = world.make_session(policy=policy(scenario, "Basic128"))
    world.session = world.initiator = old
    asking = old.ask(version=world.soap)
    assert world.refused(asking.data).reason is R.ALGORITHM_NOT_IN_SUITE
    world.partners = deviating(identity, suite=SUITES["Basic128"])
    world.ask(old, asking)
    assert world.call().verified.way.variant == "Basic128"
    message = world.request().data
    for partners in (Partners([acme(identity)]), deviating(identity, suite=OLD)):
        world.partners = partners
        assert world.refused(message).reason in (R.CONTEXT_OWNER, R.ALGORITHM_NOT_IN_SUITE)
    world.partners = deviating(identity, suite=SUITES["Basic128"])
    assert world.accept(message).principal.name == "acme"


def test_everybodys_context_does_not_serve_under_a_partners_variant():
    world = World("15", partners=deviating(ALICE, suite=None, rsa_sha1=True))
    own = world.open()
    world.call()
    sha1 = world.make_session(algorithms=replace(SHA1, signature=alg.HMAC_SHA1))
    sha1.context = own.context
    world.session = world.initiator = sha1
    message = world.request().data
    assert world.refused(message).reason is R.ALGORITHM_NOT_IN_SUITE
    world.session = world.initiator = own
    world.call()


# certificates of TLS ----------------------------------------------------------------------------------


def over_tls(name="client"):
    return replace(SECURE, client_certificate=issued(name).certificate)


def asking_for_certificates(*, username):
    base = policy("1")
    (one_,) = base.alternatives
    token = HttpsToken(client=ClientAuthentication.CERTIFICATE)
    supporting = one_.supporting if username else ()
    return replace(
        base, alternatives=(replace(one_, binding=replace(one_.binding, token=token), supporting=supporting),)
    )


def test_a_certificate_of_tls_names_the_caller():
    world = World(asking_for_certificates(username=False))
    world.transport = over_tls()
    message = world.request().data
    principal = world.accept(message).principal
    assert (principal.name, principal.proof, principal.partner) == ("client", Proof.TLS_CERTIFICATE, False)
    assert principal.certificate == issued("client").certificate
    world.partners = Partners([acme(CLIENT, roles={"orders"})])
    world.recipient = world.make_recipient(
        replace(world.settings, partners_required=True, roles=frozenset({"orders"}))
    )
    assert world.accept(world.request().data).principal.name == "acme"
    other = world.refused(world.request().data, transport=over_tls("client-2"))
    assert other.reason is R.PARTNER_UNKNOWN
    assert world.refused(world.request().data, transport=SECURE).reason is R.CLIENT_CERTIFICATE_MISSING


def test_beside_a_user_name_the_certificate_of_tls_names_nobody():
    world = World(asking_for_certificates(username=True), partners=Partners([acme(CLIENT)]))
    world.transport = over_tls()
    principal = world.accept(world.request().data).principal
    assert (principal.name, principal.proof, principal.partner) == ("alice", Proof.PASSWORD, False)


def test_a_certificate_of_tls_that_nobody_asked_for_names_nobody():
    world = World("3", partners=Partners([acme(CLIENT)]))
    principal = world.accept(world.request().data, transport=over_tls()).principal
    assert principal.anonymous
