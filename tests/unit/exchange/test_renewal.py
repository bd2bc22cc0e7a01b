"""Where a renewal stands: each case from nothing to finished, and what messages have shown meanwhile."""

import shlex
from datetime import datetime, timedelta

import pytest

from tests.simulator import pki
from wsprovider.exchange.renewal import Doer, Progress, Renewal, Step, in_use, of_our_key, of_their_key
from wsprovider.exchange.sightings import Sighting
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, Lifespan
from wsprovider.keyring.ring import Assignment, Purpose, Ring, RingKey
from wsprovider.keyring.trust import Partner, PeerPurpose, Pin
from wsprovider.keyring.uses import Case, Role

BOTH = frozenset(Purpose)
SIGN, DECRYPT = frozenset({Purpose.SIGN}), frozenset({Purpose.DECRYPT})
CA = pki.authority("CN=Renewal CA")
FIRST, OLD, NEW = (
    CA.issue(f"CN={name}", key=pki.key("rsa-2048", name), start=pki.days(start), end=pki.days(900))
    for name, start in (("first", -900), ("old", -400), ("new", -20))
)


def key(holder: pki.Holder, name: str, purposes: frozenset[Purpose] = BOTH, **dates: float) -> RingKey:
    life = Lifespan(**{one: pki.days(day) for one, day in dates.items()})
    return RingKey(holder.pair(name), purposes, life)


def waiting(holder: pki.Holder = NEW, name: str = "2027", purposes: frozenset[Purpose] = BOTH) -> RingKey:
    return RingKey(holder.pair(name), purposes, Lifespan(NOT_SCHEDULED))


def seen(
    case: Case,
    holder: pki.Holder,
    *days: float,
    partner: str = "bank",
    service: str = "orders",
    role: Role = Role.PROVIDER,
) -> Sighting:
    """Seen first and last on these days."""
    moments = [pki.days(day) for day in days]
    return Sighting(
        role, service, case, partner, holder.certificate.fingerprint, "CN", min(moments), max(moments)
    )


def ours(
    case: Case, *keys: RingKey, wire: tuple[Sighting, ...] = (), assigned: str = "", **options: str
) -> Renewal:
    assignments = (Assignment("bank", assigned, pki.days(-1)),) if assigned else ()
    return of_our_key(case, Role.PROVIDER, Ring("r", keys, assignments), wire, pki.NOW, **options)


def names(renewal: Renewal) -> tuple[str | None, str | None]:
    return tuple(None if one is None else one.subject for one in (renewal.old, renewal.new))


def upcoming(renewal: Renewal) -> Step:
    (step,) = (one for one in renewal.steps if one.progress is Progress.NEXT)
    return step


def step(renewal: Renewal, words: str) -> Step:
    (found,) = (one for one in renewal.steps if words in one.what)
    return found


# our own keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [Case.SIGN, Case.DECRYPT])
def test_no_renewal_of_ours(case):
    renewal = ours(case, key(OLD, "2026"))
    assert names(renewal) == ("CN=old", None)
    assert renewal.finished
    assert upcoming(renewal).command == "wsprovider keys new NEW"
    assert all(one.progress is not Progress.DONE for one in renewal.steps)


@pytest.mark.parametrize("case", [Case.SIGN, Case.DECRYPT])
def test_a_new_key_is_to_be_sent(case):
    renewal = ours(case, key(OLD, "2026"), waiting(), ring_option="partners")
    assert names(renewal) == ("CN=old", "CN=new")
    assert not renewal.finished
    assert renewal.steps[0].evidence == "2027 is pending"
    assert upcoming(renewal).command == "wsprovider keys export 2027 --out 2027.pem --ring partners"


def test_signing_is_handed_over_partner_by_partner():
    """bank is moved first; the other stays, and is no hindrance to what is told of bank."""
    old = key(OLD, "2026")
    before = seen(Case.SIGN, OLD, -90, -3), seen(Case.SIGN, OLD, -90, -0.1, partner="office")
    renewal = ours(Case.SIGN, old, waiting(), wire=before, partner="bank")
    assert step(renewal, "take over for bank").command == "wsprovider keys activate 2027 --partner bank"

    renewal = ours(Case.SIGN, old, waiting(), wire=before, partner="bank", assigned="2027")
    assert step(renewal, "take over").progress is Progress.DONE
    assert step(renewal, "take over").evidence == "bank since 2026-05-31 12:00Z"
    assert upcoming(renewal).what == "replies are signed by the new key"
    assert upcoming(renewal).evidence == "bank: the old one last 3 days ago, the new one never"

    after = (*before, seen(Case.SIGN, NEW, -0.5, -0.2))
    renewal = ours(Case.SIGN, old, waiting(), wire=after, partner="bank", assigned="2027")
    assert step(renewal, "signed by the new").progress is Progress.DONE
    assert upcoming(renewal).doer is Doer.PARTNER

    everybody = ours(Case.SIGN, old, waiting(), wire=after, assigned="2027")
    assert step(everybody, "take over").progress is not Progress.DONE
    assert "bank since" in step(everybody, "take over").evidence
    assert (
        "office: the old one last 2 hours ago, the new one never"
        in step(everybody, "signed by the new").evidence
    )


def test_signing_from_the_takeover_to_the_end():
    retired = key(OLD, "2026", retired_at=-1)
    new = key(NEW, "2027", active_from=-1)
    renewal = ours(Case.SIGN, retired, new, wire=(seen(Case.SIGN, OLD, -9, -0.1), seen(Case.SIGN, NEW, -0.5)))
    assert upcoming(renewal).what == "replies are signed by the new key"
    renewal = ours(Case.SIGN, retired, new, wire=(seen(Case.SIGN, OLD, -9, -0.8), seen(Case.SIGN, NEW, -0.5)))
    assert upcoming(renewal).evidence == "2026 signs until 2026-06-30"
    renewal = ours(Case.SIGN, key(OLD, "2026", retired_at=-40), key(NEW, "2027", active_from=-40))
    assert upcoming(renewal).evidence == "2026 decrypts until 2026-08-20"
    renewal = ours(Case.SIGN, key(OLD, "2026", retired_at=-130), key(NEW, "2027", active_from=-130))
    assert upcoming(renewal).command == "wsprovider keys remove 2026"
    assert not renewal.finished
    renewal = ours(Case.SIGN, new)
    assert renewal.finished
    assert names(renewal) == ("CN=new", None)


def test_decryption_from_the_takeover_to_the_end():
    both = key(OLD, "2026"), waiting()
    before, begun = seen(Case.DECRYPT, OLD, -90, -3), seen(Case.DECRYPT, NEW, -2, 0)
    renewal = ours(Case.DECRYPT, *both, wire=(before,))
    assert "send its certificate" in upcoming(renewal).what
    renewal = ours(Case.DECRYPT, *both, wire=(before, begun))
    assert upcoming(renewal).command == "wsprovider keys activate 2027"
    assert "It signs from then on, too" in upcoming(renewal).what
    assert (
        step(renewal, "encrypt to").evidence
        == "bank: the old one last 3 days ago, the new one since 2 days ago, last just now"
    )
    turned = key(OLD, "2026", retired_at=-1), key(NEW, "2027", active_from=-1)
    assert (
        upcoming(ours(Case.DECRYPT, *turned, wire=(before, begun))).evidence
        == "2026 decrypts until 2026-09-28"
    )
    over = key(OLD, "2026", retired_at=-130), key(NEW, "2027", active_from=-130)
    renewal = ours(Case.DECRYPT, *over, wire=(begun,))
    assert upcoming(renewal).command == "wsprovider keys remove 2026"
    assert ours(Case.DECRYPT, over[1], wire=(begun,)).finished


def test_who_uses_both_was_sent_it_but_has_not_moved():
    wire = seen(Case.DECRYPT, OLD, -90, -0.1), seen(Case.DECRYPT, NEW, -2, -1)
    renewal = ours(Case.DECRYPT, key(OLD, "2026"), waiting(), wire=wire)
    assert upcoming(renewal).doer is Doer.PARTNER
    assert "encrypt to the new" in upcoming(renewal).what


def test_an_assignment_for_signing_says_nothing_of_decryption():
    renewal = ours(Case.DECRYPT, key(OLD, "2026"), waiting(), assigned="2027", partner="bank")
    assert step(renewal, "take over").progress is not Progress.DONE


def test_a_day_that_is_named_is_waited_for():
    scheduled = key(OLD, "2026", retired_at=7), key(NEW, "2027", active_from=7)
    renewal = ours(Case.SIGN, *scheduled)
    assert (upcoming(renewal).doer, upcoming(renewal).command) == (Doer.TIME, "")
    assert upcoming(renewal).evidence == "everybody from 2026-06-08 12:00Z on"


def test_who_stays_with_the_old_key_after_the_takeover_is_named():
    keys = key(OLD, "2026", retired_at=-1), key(NEW, "2027", active_from=-1)
    renewal = ours(Case.SIGN, *keys, assigned="2026")
    assert upcoming(renewal).evidence == "bank: assigned to another key"
    assert upcoming(renewal).command == "wsprovider keys activate 2027 --partner bank"
    assert step(ours(Case.SIGN, *keys, assigned="2027"), "take over").progress is Progress.DONE
    office = ours(Case.SIGN, *keys, assigned="2026", partner="office")
    assert step(office, "take over").progress is Progress.DONE


def test_three_keys():
    """The renewal before this one may not be over; the next may already be prepared."""
    first = key(FIRST, "2025", active_from=-900, retired_at=-100)
    old, new = key(OLD, "2026", active_from=-100), waiting()
    assert names(ours(Case.SIGN, first, old)) == ("CN=first", "CN=old")
    assert names(ours(Case.SIGN, first, old, new)) == ("CN=old", "CN=new")
    newer = CA.issue("CN=newer", key=pki.key("rsa-2048", "newer"), start=pki.days(-5), end=pki.days(900))
    later = waiting(newer, "2028")
    assert names(ours(Case.SIGN, old, new, later)) == ("CN=old", "CN=newer")
    assert names(ours(Case.SIGN, old, new, later, assigned="2027")) == ("CN=old", "CN=new")
    assert names(ours(Case.SIGN, old, later, key(NEW, "2027", active_from=9))) == ("CN=old", "CN=new")


def test_the_dates_of_keys_count_and_not_those_of_certificates():
    """Somebody went back to the older certificate's key."""
    back = key(OLD, "2026", active_from=-1), key(NEW, "2027", active_from=-9, retired_at=-1)
    assert names(ours(Case.SIGN, *back)) == ("CN=new", "CN=old")


def test_two_active_keys():
    renewal = ours(Case.SIGN, key(OLD, "2026"), key(NEW, "2027", active_from=-1))
    assert names(renewal) == ("CN=old", "CN=new")
    assert step(renewal, "still active").command == "wsprovider keys retire 2026"
    # a key that does less is no successor of one that does more
    renewal = ours(Case.SIGN, key(OLD, "2026"), key(NEW, "signs", SIGN, active_from=-1))
    assert names(renewal) == ("CN=new", None)
    assert names(ours(Case.DECRYPT, key(OLD, "2026"), key(NEW, "signs", SIGN))) == ("CN=old", None)


def test_keys_with_one_purpose_are_renewed_by_one_of_that_purpose():
    held = key(OLD, "signs", SIGN), key(FIRST, "reads", DECRYPT)
    assert ours(Case.SIGN, *held).steps[0].command == "wsprovider keys new NEW --purpose sign"
    assert ours(Case.DECRYPT, *held).steps[0].command == "wsprovider keys new NEW --purpose decrypt"
    assert not ours(Case.DECRYPT, *held).both
    assert ours(Case.DECRYPT, key(OLD, "2026"), waiting()).both


@pytest.mark.parametrize(
    ("case", "retired", "says"),
    [
        (Case.SIGN, -20, "bank used 2026 2 days ago, and it signs until 2026-06-11 only"),
        (Case.SIGN, -31, "bank used 2026 2 days ago, and it signs no more"),
        (Case.DECRYPT, -110, "bank used 2026 2 days ago, and it decrypts until 2026-06-11 only"),
        (Case.DECRYPT, -121, "bank used 2026 2 days ago, and it decrypts no more"),
    ],
)
def test_a_warning_when_a_key_goes_that_somebody_uses(case, retired, says):
    keys = key(OLD, "2026", retired_at=retired), key(NEW, "2027", active_from=retired)
    used = seen(case, OLD, -200, -2)
    assert ours(case, *keys, wire=(used,)).warnings == (says,)
    assert ours(case, *keys, wire=(used,), partner="office").warnings == ()
    assert ours(case, *keys, wire=(seen(case, OLD, -200, -2), seen(case, NEW, -1))).warnings == ()
    early = key(OLD, "2026", retired_at=-1), key(NEW, "2027", active_from=-1)
    assert ours(case, *early, wire=(used,)).warnings == ()


def test_a_certificate_that_ends_wants_a_successor():
    ending = CA.issue("CN=ending", key=pki.key("rsa-2048", "ending"), end=pki.days(20))
    renewal = ours(Case.SIGN, key(ending, "2026"))
    assert renewal.warnings == ("the certificate of 2026 ends on 2026-06-21: nothing follows it yet",)
    assert not renewal.finished
    renewal = ours(Case.SIGN, key(ending, "2026"), waiting())
    assert renewal.warnings == ("the certificate of 2026 ends on 2026-06-21: 2027 has to take over before",)
    turned = key(ending, "2026", retired_at=-1), key(NEW, "2027", active_from=-1)
    assert ours(Case.SIGN, *turned).warnings == ()


# what messages show ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "partner", "moved"),
    [
        ((-90, -3), (-2, 0), "bank", True),
        ((-90, -1), (-2, 0), "bank", False),  # both in use
        ((-90, -8), (-20, 0), "bank", True),  # the old one is quiet
        ((-90, -7), (-20, 0), "bank", False),
        ((-90, -3), None, "bank", False),
        (None, (-2, 0), "bank", True),
        ((-90, -3), (-2, 0), "alice", True),  # a user by password is a partner like any other
        ((-90, -3), (-2, 0), "", False),  # anonymous callers are many
        ((-90, -8), (-2, 0), "", True),
    ],
)
def test_who_has_moved(old, new, partner, moved):
    wire = [
        seen(Case.DECRYPT, holder, *days, partner=partner)
        for holder, days in ((OLD, old), (NEW, new))
        if days
    ]
    renewal = ours(Case.DECRYPT, key(OLD, "2026"), waiting(), wire=tuple(wire))
    assert (step(renewal, "encrypt to the new").progress is Progress.DONE) is moved
    assert step(renewal, "encrypt to the new").evidence.startswith(f"{partner or 'anonymous callers'}: ")


@pytest.mark.parametrize(
    ("old", "other", "used"),
    [
        ((-90, -6), (-2, -1), True),  # it may come again any moment
        ((-90, -8), (-2, -1), False),
        ((-90, -8), (-20, -9), True),  # the old one was the last
        ((-90, -300), None, True),  # once a year
        (None, (-2, -1), False),
    ],
)
def test_what_is_in_use(old, other, used):
    wire = [seen(Case.VERIFY, holder, *days) for holder, days in ((OLD, old), (NEW, other)) if days]
    assert bool(in_use(OLD.certificate, wire, pki.NOW)) is used


@pytest.mark.parametrize("bend", [{"partner": "office"}, {"service": "payments"}, {"role": Role.CONSUMER}])
def test_only_the_same_work_for_the_same_partner_shows_that_another_is_used(bend):
    wire = (seen(Case.VERIFY, OLD, -8), seen(Case.VERIFY, NEW, -1, **bend))
    assert in_use(OLD.certificate, wire, pki.NOW) == wire[:1]
    assert in_use(OLD.certificate, (wire[0], seen(Case.ENCRYPT, NEW, -1)), pki.NOW) == wire[:1]
    assert in_use(OLD.certificate, (wire[0], seen(Case.VERIFY, NEW, -1)), pki.NOW) == ()


def test_the_last_step_says_who_holds_it_up():
    """The step agrees with the command: who was seen last with the old one, in whatever case, holds it up."""
    over = key(OLD, "2026", retired_at=-130), key(NEW, "2027", active_from=-130)
    silent, moved = seen(Case.SIGN, OLD, -90, -50), seen(Case.SIGN, NEW, -40)
    for case in (Case.SIGN, Case.DECRYPT):
        last = ours(case, *over, wire=(silent,)).steps[-1]
        assert last.evidence.startswith("bank used it 50 days ago, and no other key")
        assert ours(case, *over, wire=(silent, moved)).steps[-1].evidence == ""
    rare = theirs(Case.VERIFY, OLD, NEW, wire=(seen(Case.VERIFY, OLD, -90, -8),)).steps[-1]
    assert rare.evidence == "seen 8 days ago, and no other since: ask the partner, then --unseen"


def test_each_service_counts_by_itself():
    wire = (
        seen(Case.DECRYPT, OLD, -90, -6, service="payments"),
        seen(Case.DECRYPT, OLD, -90, -6),
        seen(Case.DECRYPT, NEW, -5, 0),
    )
    keys = key(OLD, "2026"), waiting()
    assert step(ours(Case.DECRYPT, *keys, wire=wire), "encrypt to").progress is not Progress.DONE
    assert step(ours(Case.DECRYPT, *keys, wire=wire[1:]), "encrypt to").progress is Progress.DONE


def test_other_cases_and_roles_say_nothing():
    """Who only signs is known by what it signed, and nobody else's work is counted."""
    for other in (seen(Case.SIGN, NEW, -1), seen(Case.DECRYPT, NEW, -1, role=Role.CONSUMER)):
        renewal = ours(Case.DECRYPT, key(OLD, "2026"), waiting(), wire=(other,))
        assert step(renewal, "encrypt to").progress is not Progress.DONE


def test_names_of_any_text():
    """Partners' names come from certificates and users: they reach neither the shell nor the terminal raw."""
    name = "Smith & Sons; \x1b[2J"
    wire = (seen(Case.SIGN, OLD, -1, partner=name),)
    renewal = ours(Case.SIGN, key(OLD, "2026"), waiting(), wire=wire, partner=name)
    assert shlex.split(step(renewal, "take over").command)[-1] == name
    assert step(renewal, "signed by the new").evidence.startswith(r"Smith & Sons; \x1b[2J: the old one last")
    partner = Partner(name, (OLD.certificate, NEW.certificate))
    theirs = of_their_key(Case.VERIFY, Role.PROVIDER, partner, (), pki.NOW)
    assert shlex.split(theirs.steps[-1].command)[-1] == name
    assert shlex.split(upcoming(theirs).command)[-2] == name


# the partner's keys ----------------------------------------------------------------------------

ROLES = pytest.mark.parametrize("role", list(Role))
CASES = pytest.mark.parametrize("case", [Case.VERIFY, Case.ENCRYPT])


def theirs(
    case: Case,
    *holders: pki.Holder,
    wire: tuple[Sighting, ...] = (),
    role: Role = Role.PROVIDER,
    pins: dict[pki.Holder, Pin] | None = None,
    now: datetime = pki.NOW,
) -> Renewal:
    certificates = tuple(one.certificate for one in holders)
    terms = {holder.certificate: pin for holder, pin in (pins or {}).items()}
    partner = Partner("bank", certificates, pins=terms)
    return of_their_key(case, role, partner, wire, now, group_option="others")


@ROLES
@CASES
def test_no_renewal_of_theirs(case, role):
    renewal = theirs(case, OLD, role=role)
    assert names(renewal) == ("CN=old", None)
    assert renewal.finished
    assert upcoming(renewal).doer is Doer.PARTNER
    assert renewal.steps[1].command == "wsprovider keys trust add FILE --partner bank --group others"


@ROLES
def test_the_partner_signs_by_a_new_key(role):
    old = seen(Case.VERIFY, OLD, -90, -3, role=role)
    renewal = theirs(Case.VERIFY, OLD, NEW, wire=(old,), role=role)
    assert names(renewal) == ("CN=old", "CN=new")
    assert upcoming(renewal).command == "wsprovider renew verify --partner bank --letter"
    assert step(renewal, "sign by").evidence == "bank: the old one last 3 days ago, the new one never"

    begun = seen(Case.VERIFY, NEW, -2, 0, role=role)
    renewal = theirs(Case.VERIFY, OLD, NEW, wire=(old, begun), role=role)
    assert step(renewal, "sign by").progress is Progress.DONE
    assert upcoming(renewal).evidence == "seen 3 days ago: from 2026-06-05 on"
    assert upcoming(renewal).command.startswith(
        f"wsprovider keys trust remove {OLD.certificate.fingerprint[:12]} "
    )

    long_ago = seen(Case.VERIFY, OLD, -90, -8, role=role)
    assert upcoming(theirs(Case.VERIFY, OLD, NEW, wire=(long_ago, begun), role=role)).evidence == ""
    gone = {OLD: Pin(gone_at=pki.days(-1))}
    assert theirs(Case.VERIFY, OLD, NEW, wire=(long_ago, begun), role=role, pins=gone).finished
    assert theirs(Case.VERIFY, NEW, wire=(begun,), role=role).finished


def test_replies_are_encrypted_to_whoever_signed_the_request():
    old, begun = seen(Case.ENCRYPT, OLD, -90, -3), seen(Case.ENCRYPT, NEW, -2, 0)
    renewal = theirs(Case.ENCRYPT, OLD, NEW, wire=(old,))
    assert step(renewal, "sign requests by the new key").doer is Doer.PARTNER
    renewal = theirs(Case.ENCRYPT, OLD, NEW, wire=(old, begun))
    assert upcoming(renewal).what == "keep the old key until nothing encrypted to it can come any more"
    long_ago = seen(Case.ENCRYPT, OLD, -90, -8)
    assert "out of trust" in upcoming(theirs(Case.ENCRYPT, OLD, NEW, wire=(long_ago, begun))).what


def test_as_a_consumer_we_choose_whom_to_encrypt_to():
    role = Role.CONSUMER
    old = seen(Case.ENCRYPT, OLD, -90, -3, role=role)
    waits, scheduled, chosen = (
        {NEW: Pin(encrypts_from=day)} for day in (NOT_SCHEDULED, pki.days(2), pki.days(-1))
    )
    renewal = theirs(Case.ENCRYPT, OLD, NEW, wire=(old,), role=role, pins=waits)
    activation = step(renewal, "encrypt to the new")
    assert (activation.doer, activation.progress) == (Doer.US, Progress.LATER)
    assert activation.command.startswith(
        f"wsprovider keys trust activate {NEW.certificate.fingerprint[:12]} "
    )
    activation = step(theirs(Case.ENCRYPT, OLD, NEW, wire=(old,), role=role, pins=scheduled), "encrypt to")
    assert (activation.doer, activation.command) == (Doer.TIME, "")
    assert activation.evidence.startswith("from 2026-06-03 12:00Z on; bank: ")
    renewal = theirs(Case.ENCRYPT, OLD, NEW, wire=(old,), role=role, pins=chosen)
    assert step(renewal, "encrypt to the new").progress is Progress.DONE
    assert step(renewal, "keep the old key").progress is not Progress.DONE


def test_three_certificates():
    assert names(theirs(Case.VERIFY, FIRST, OLD, NEW)) == ("CN=old", "CN=new")
    gone = {FIRST: Pin(gone_at=pki.days(-9))}
    assert names(theirs(Case.VERIFY, NEW, FIRST, OLD, pins=gone)) == ("CN=old", "CN=new")
    gone = {OLD: Pin(gone_at=pki.days(-9))}
    assert names(theirs(Case.VERIFY, FIRST, OLD, NEW, pins=gone)) == ("CN=first", "CN=new")


def test_a_certificate_that_was_taken_back_counts_for_nothing():
    renewal = theirs(Case.VERIFY, OLD, NEW, pins={NEW: Pin(gone_at=pki.days(-1))})
    assert names(renewal) == ("CN=old", None)
    assert names(theirs(Case.VERIFY, OLD, NEW, pins={NEW: Pin(gone_at=pki.days(1))})) == ("CN=old", "CN=new")


def test_certificates_for_another_purpose_do_not_count():
    pins = {NEW: Pin(purposes=frozenset({PeerPurpose.ENCRYPT}))}
    assert names(theirs(Case.VERIFY, OLD, NEW, pins=pins)) == ("CN=old", None)
    assert names(theirs(Case.ENCRYPT, OLD, NEW, pins=pins)) == ("CN=old", "CN=new")
    assert names(theirs(Case.VERIFY, NEW, pins=pins)) == (None, None)


def test_a_use_in_another_case_delays_the_removal_as_the_command_does():
    wire = (seen(Case.VERIFY, NEW, -20, 0), seen(Case.ENCRYPT, OLD, -20, -1, role=Role.CONSUMER))
    assert (
        upcoming(theirs(Case.VERIFY, OLD, NEW, wire=wire)).evidence == "seen 24 hours ago: from 2026-06-07 on"
    )
    assert upcoming(theirs(Case.VERIFY, OLD, NEW, wire=wire[:1])).evidence == ""


@ROLES
@CASES
def test_a_warning_when_their_certificate_goes_while_they_use_it(case, role):
    used = seen(case, OLD, -90, -2, role=role)
    soon, past, late = ({OLD: Pin(gone_at=pki.days(day))} for day in (9, -1, 60))

    def warned(*wire: Sighting, **options: object) -> tuple[str, ...]:
        return theirs(case, OLD, NEW, wire=wire, role=role, **options).warnings

    told = "bank used the old certificate 2 days ago, and it is"
    assert warned(used, pins=soon) == (f"{told} accepted until 2026-06-10 only",)
    assert warned(used, pins=past) == (f"{told} not accepted any more",)
    assert warned(used, pins=late) == ()
    assert warned(used, seen(case, NEW, -1, role=role), pins=soon) == ()
    assert warned() == ()


@CASES
def test_their_certificate_that_ends_wants_a_successor(case):
    now = OLD.parsed.not_valid_after_utc - timedelta(days=20)
    assert "nothing follows it yet" in theirs(case, OLD, now=now).warnings[0]
    assert not theirs(case, OLD, now=now).finished
    assert theirs(case, OLD, now=now - timedelta(days=20)).warnings == ()
