"""Renewals with the clock of a test: who signs and reads what in each state, for each partner, to the day."""

from datetime import timedelta

import pytest

from tests.simulator import pki
from tests.simulator.world import BOTH, Party, World
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, Lifespan
from wsprovider.keyring.ring import Assignment, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PeerPurpose, Pin, PinnedGroup, Trust
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

CA = pki.authority("CN=Rollover CA")
END = pki.days(900)
OLD, NEW, CLIENT, CLIENT_NEW = (
    CA.issue(f"CN={name}", key=pki.key("rsa-2048", name), end=END)
    for name in ("service old", "service new", "client old", "client new")
)
SECOND = timedelta(seconds=1)


def service(
    *keys: tuple[pki.Holder, str, Lifespan], partner: Partner | None = None, **assigned: str
) -> Party:
    """A service with these keys, whose partner is ``client``."""
    ring = Ring(
        "service",
        tuple(RingKey(holder.pair(name), BOTH, lifespan) for holder, name, lifespan in keys),
        tuple(Assignment(name, key) for name, key in assigned.items()),
    )
    known = partner or Partner("client", (CLIENT.certificate,))
    return Party(keys[0][0], RingSnapshot(ring, Trust((PinnedGroup("clients", (known,)),), Limits()), "1"))


def client(*trusted: pki.Holder, key: pki.Holder = CLIENT, encrypts_to: pki.Holder | None = None) -> Party:
    """A client that trusts these certificates of the service, and encrypts to one of them."""
    certificates = tuple(one.certificate for one in trusted)
    pins = {
        one.certificate: Pin(encrypts_from=None if one is encrypts_to else NOT_SCHEDULED)
        for one in trusted
        if encrypts_to is not None
    }
    group = PinnedGroup("services", (Partner("service", certificates, pins=pins),))
    ring = Ring("client", (RingKey(key.pair("key"), BOTH),))
    return Party(key, RingSnapshot(ring, Trust((group,), Limits()), "1"))


def talk(scenario: str, serving: Party, calling: Party, day: float = 0) -> World:
    """A world of these two, on that day."""
    world = World(scenario, opinion=None, client_opinion=None)
    world.service, world.client = serving, calling
    world.now = pki.days(day)
    if world.conversation:
        world.session = world.initiator = world.make_session()
    else:
        world.initiator = world.make_initiator()
    return world


def turn(**dates: float) -> Lifespan:
    return Lifespan(**{name: pki.days(day) for name, day in dates.items()})


# the new key takes over on day 10; defaults: overlap until day 40, retained until day 130
ROLLOVER = service((OLD, "old", turn(retired_at=10)), (NEW, "new", turn(active_from=10)))


@pytest.mark.parametrize("day", [0, 10, 39])
@pytest.mark.parametrize("holder", [OLD, NEW], ids=["old", "new"])
def test_a_reply_is_signed_by_the_key_that_was_addressed(holder, day):
    world = talk("5", ROLLOVER, client(holder), day)  # who knows nothing but what it addresses
    assert world.call().answer.certificate == holder.certificate


def test_after_the_overlap_nobody_is_answered_by_the_old_key():
    world = talk("5", ROLLOVER, client(OLD, NEW, encrypts_to=OLD), 40)
    assert world.call().answer.certificate == NEW.certificate


@pytest.mark.parametrize("scenario", ["2", "9"])
@pytest.mark.parametrize(("day", "signer"), [(9.99, OLD), (10, NEW)])
def test_where_no_key_is_addressed_the_ring_decides(scenario, day, signer):
    world = talk(scenario, ROLLOVER, client(signer), day)
    assert world.call().text == "hello"


def test_or_the_partners_own_day():
    """Each partner is moved when it is ready: one earlier, one later than the others."""
    keys = ((OLD, "old", turn(retired_at=10)), (NEW, "new", turn(active_from=10)))
    early, late = service(*keys, client="new"), service(*keys, client="old")
    other = service(*keys, somebody="new")
    for serving, day, signer in (
        (early, 0, NEW),
        (early, 10, NEW),
        (other, 0, OLD),
        (late, 10, OLD),
        (late, 39, OLD),
        (late, 40, NEW),  # it answers no more, whatever was assigned
    ):
        assert talk("2", serving, client(signer), day).call().answer.certificate == signer.certificate


@pytest.mark.parametrize("scenario", ["5", "6", "8", "10", "14"])
def test_a_message_to_the_old_key_is_read_until_its_retention_ends(scenario):
    """89 days after the exchange is well within; the very last second still is; then it is over."""
    end = timedelta(days=130) - SECOND
    for passed in (timedelta(days=10 + 89), end):
        world = talk(scenario, ROLLOVER, client(OLD, NEW, encrypts_to=OLD))
        world.now = pki.NOW + passed
        assert world.call().text == "hello"
    world = talk(scenario, ROLLOVER, client(OLD, NEW, encrypts_to=OLD))
    world.now = pki.NOW + end + SECOND
    asks = world.session.ask(version=world.soap).data if world.conversation else world.request().data
    assert world.refused(asks).reason is Reason.UNRESOLVED_REFERENCE


def test_without_an_overlap_ninety_days_are_kept_all_the_same():
    serving = service((OLD, "old", turn(retired_at=10, overlap_until=10)), (NEW, "new", turn(active_from=10)))
    world = talk("5", serving, client(OLD, NEW, encrypts_to=OLD), 99)  # 89 days after the exchange
    assert world.call().answer.certificate == NEW.certificate
    world.now = pki.days(100)
    assert world.refused(world.request().data).reason is Reason.UNRESOLVED_REFERENCE


def test_a_compromised_key_ends_at_once():
    gone = turn(retired_at=0, overlap_until=0, gone_at=0)
    serving = service((OLD, "old", gone), (NEW, "new", turn(active_from=0)))
    world = talk("5", serving, client(OLD, NEW, encrypts_to=OLD))
    assert world.refused(world.request().data).reason is Reason.UNRESOLVED_REFERENCE
    assert talk("5", serving, client(OLD, NEW, encrypts_to=NEW)).call().text == "hello"


# the partner's certificates


def both(**terms: Pin) -> Partner:
    pins = {
        holder.certificate: terms[name]
        for name, holder in (("old", CLIENT), ("new", CLIENT_NEW))
        if name in terms
    }
    return Partner("client", (CLIENT.certificate, CLIENT_NEW.certificate), pins=pins)


@pytest.mark.parametrize("scenario", ["2", "5"])
@pytest.mark.parametrize("key", [CLIENT, CLIENT_NEW], ids=["old", "new"])
def test_both_certificates_of_a_partner_count_and_replies_go_to_the_one_that_signed(scenario, key):
    world = talk(scenario, service((OLD, "old", Lifespan()), partner=both()), client(OLD, key=key))
    exchange = world.call()
    assert exchange.text == "hello"
    assert exchange.verified.principal.name == "client"


def test_a_certificate_that_was_taken_back_is_refused_from_its_day_on():
    partner = both(old=Pin(gone_at=pki.days(5)))
    serving = service((OLD, "old", Lifespan()), partner=partner)
    world = talk("5", serving, client(OLD), 5)
    world.now -= SECOND
    world.accept(world.request().data)  # judged, and remembered until the day
    world.now += SECOND
    assert world.refused(world.request().data).reason is Reason.CERTIFICATE_NOT_TRUSTED
    assert talk("5", serving, client(OLD, key=CLIENT_NEW), 5).call().text == "hello"


def test_a_certificate_pinned_for_encryption_signs_nothing():
    only = Pin(purposes=frozenset({PeerPurpose.ENCRYPT}))
    serving = service((OLD, "old", Lifespan()), partner=both(new=only))
    world = talk("2", serving, client(OLD, key=CLIENT_NEW))
    assert world.refused(world.request().data).reason is Reason.CERTIFICATE_USAGE
    assert talk("2", serving, client(OLD)).call().text == "hello"


@pytest.mark.parametrize(
    ("terms", "day", "chosen"),
    [
        ({}, 0, CLIENT_NEW),  # the newest, where nothing is said
        ({"new": Pin(encrypts_from=NOT_SCHEDULED)}, 0, CLIENT),
        ({"new": Pin(encrypts_from=pki.days(3))}, 2.99, CLIENT),
        ({"new": Pin(encrypts_from=pki.days(3))}, 3, CLIENT_NEW),
        ({"old": Pin(encrypts_from=pki.days(1)), "new": Pin(encrypts_from=pki.days(0))}, 1, CLIENT),
        ({"old": Pin(gone_at=pki.days(2)), "new": Pin(encrypts_from=NOT_SCHEDULED)}, 2, None),
        ({"new": Pin(purposes=frozenset({PeerPurpose.VERIFY}))}, 0, CLIENT),
    ],
)
def test_one_certificate_of_a_partner_is_encrypted_to(terms, day, chosen):
    newer = CA.issue("CN=client new", key=CLIENT_NEW.key, start=pki.days(-1), end=END)
    names = {"old": CLIENT, "new": newer}
    partner = Partner(
        "client",
        (CLIENT.certificate, newer.certificate),
        pins={names[name].certificate: pin for name, pin in terms.items()},
    )
    expected = {None: None, CLIENT: CLIENT.certificate, CLIENT_NEW: newer.certificate}[chosen]
    assert partner.encryption_certificate(pki.days(day)) == expected


def test_refused_and_accepted_by_turns_is_no_matter_of_order():
    """Verdicts are remembered; what comes between must not make one outlive its day."""
    partner = both(old=Pin(gone_at=pki.days(1)))
    trust = Trust((PinnedGroup("g", (partner,)),), Limits())
    assert trust.judge(CLIENT.certificate, (), pki.days(0)).partner == "client"
    assert trust.remembered(CLIENT.certificate, (), pki.days(1) - timedelta(microseconds=1)) is not None
    assert trust.remembered(CLIENT.certificate, (), pki.days(1)) is None
    with pytest.raises(WSSecurityError) as refused:
        trust.judge(CLIENT.certificate, (), pki.days(1))
    assert refused.value.reason is Reason.CERTIFICATE_NOT_TRUSTED
