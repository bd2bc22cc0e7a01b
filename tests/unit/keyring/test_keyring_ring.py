"""Which key does what in each state of a rollover."""

import pytest

from tests.simulator import pki
from wsprovider.keyring.lifecycle import ALWAYS, NOT_SCHEDULED, Lifespan
from wsprovider.keyring.material import KeyIdentifierReference, ThumbprintReference
from wsprovider.keyring.ring import Assignment, Purpose, Ring, RingKey, RingSnapshot, SealKey, SealKeys
from wsprovider.keyring.trust import Trust
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits

BOTH = frozenset(Purpose)
OLD, NEW = pki.self_signed("CN=old"), pki.self_signed("CN=new")
# old until day 10, then 10 days of overlap and 10 of retention; new from day 10 on
ROLLOVER = Ring(
    "service",
    (
        RingKey(OLD.pair("old"), BOTH, Lifespan(None, pki.days(10), pki.days(20), pki.days(30))),
        RingKey(NEW.pair("new"), BOTH, Lifespan(pki.days(10))),
    ),
)


@pytest.mark.parametrize(
    ("day", "signs", "answers", "decrypts", "published"),
    [
        (0, "old", {"old", "new"}, {"old", "new"}, {"old", "new"}),
        (10, "new", {"old", "new"}, {"old", "new"}, {"new"}),
        (19, "new", {"old", "new"}, {"old", "new"}, {"new"}),
        (20, "new", {"new"}, {"old", "new"}, {"new"}),
        (30, "new", {"new"}, {"new"}, {"new"}),
    ],
)
def test_rollover(day, signs, answers, decrypts, published):
    now = pki.days(day)
    assert ROLLOVER.signing_key(now).name == signs
    assert {one.pair.name for one in ROLLOVER.keys if ROLLOVER.answers(one.pair, now)} == answers
    for holder, name in ((OLD, "old"), (NEW, "new")):
        found = ROLLOVER.decryption_keys(ThumbprintReference(holder.certificate.thumbprint_sha1), now)
        assert [one.name for one in found] == ([name] if name in decrypts else [])
        assert (holder.certificate in ROLLOVER.published(now)) is (name in published)
        assert ROLLOVER.owns(holder.certificate)  # GONE keys are still no client's


def test_purposes_are_apart():
    ring = Ring(
        "r",
        (
            RingKey(OLD.pair("s"), frozenset({Purpose.SIGN})),
            RingKey(NEW.pair("d"), frozenset({Purpose.DECRYPT})),
        ),
    )
    assert ring.signing_key(pki.NOW).name == "s"
    assert ring.decryption_keys(ThumbprintReference(OLD.certificate.thumbprint_sha1), pki.NOW) == ()
    assert len(ring.decryption_keys(ThumbprintReference(NEW.certificate.thumbprint_sha1), pki.NOW)) == 1


def test_two_certificates_of_one_key_are_both_found():
    renewed = pki.self_signed("CN=old", start=pki.days(-1))
    ring = Ring("r", (RingKey(OLD.pair("a"), BOTH), RingKey(renewed.pair("b"), BOTH)))
    found = ring.decryption_keys(KeyIdentifierReference(OLD.certificate.subject_key_identifier), pki.NOW)
    assert [one.name for one in found] == ["a", "b"]


def test_of_two_active_keys_the_newer_signs():
    ring = Ring(
        "r",
        (
            RingKey(NEW.pair("newer"), BOTH, Lifespan(pki.days(-1))),
            RingKey(OLD.pair("older"), BOTH, ALWAYS),
        ),
    )
    assert ring.signing_key(pki.NOW).name == "newer"


def test_no_active_key_is_a_mistake_of_the_set_up():
    ring = Ring("r", (RingKey(OLD.pair(), BOTH, Lifespan(pki.days(1))),))
    with pytest.raises(ConfigurationError):
        RingSnapshot(ring, Trust((), Limits()), "1").signing_key(pki.NOW)


def test_seals():
    seals = SealKeys(
        (
            SealKey("old", b"o" * 32, Lifespan(None, pki.days(10), pki.days(20), pki.days(30))),
            SealKey("new", b"n" * 32, Lifespan(pki.days(10))),
        )
    )
    assert seals.sealing(pki.days(0)).name == "old"
    assert seals.sealing(pki.days(10)).name == "new"
    assert seals.opening("old", pki.days(29)).name == "old"
    assert seals.opening("old", pki.days(30)) is None
    assert seals.opening("new", pki.days(0)).name == "new"
    assert seals.opening("unknown", pki.days(0)) is None
    assert SealKeys().sealing(pki.NOW) is None


@pytest.mark.parametrize(
    ("spans", "lack"),
    [
        ([], "holds no [[seal]] key that is active"),
        ([Lifespan(pki.days(1))], "holds no [[seal]] key that is active"),
        ([Lifespan(None, pki.NOW)], "holds no [[seal]] key that is active"),
        ([Lifespan(None, pki.days(9))], f"is active from {pki.days(9).isoformat()} on"),
        ([Lifespan(None, pki.days(8)), Lifespan(pki.days(9))], f"from {pki.days(8).isoformat()} on"),
        ([Lifespan(None, pki.days(9)), Lifespan(pki.days(9))], None),
        ([Lifespan()], None),
    ],
)
def test_a_ring_lacks_a_seal_key_now_or_one_day(spans, lack):
    seals = SealKeys(tuple(SealKey(str(number), b"s" * 32, span) for number, span in enumerate(spans)))
    said = seals.lack(pki.NOW)
    assert said is None if lack is None else lack in said


def test_secrets_are_not_shown():
    assert "oooo" not in repr(SealKey("old", b"o" * 32))
    assert "RSAPrivateKey" not in repr(RingKey(OLD.pair(), BOTH))


def test_the_key_that_was_addressed_answers_while_it_may():
    old, new = (key.pair for key in ROLLOVER.keys)
    for day, pair, signs in (
        (0, new, "new"),
        (0, old, "old"),
        (19, old, "old"),
        (20, old, "new"),
        (30, old, "new"),
    ):
        assert ROLLOVER.signing_key(pki.days(day), addressed=pair).name == signs


def test_a_key_whose_certificate_is_not_valid_answers_nobody():
    coming = pki.self_signed("CN=coming", start=pki.days(2))
    ring = Ring(
        "r",
        (
            RingKey(OLD.pair("old"), BOTH),
            RingKey(coming.pair("coming"), BOTH, Lifespan(NOT_SCHEDULED)),
        ),
        (Assignment("acme", "coming"),),
    )
    pair = ring.keys[1].pair
    for day, signs in ((1, "old"), (3, "coming")):
        assert ring.signing_key(pki.days(day), addressed=pair).name == signs
        assert ring.signing_key(pki.days(day), partner="acme").name == signs
        assert ring.signing_key(pki.days(day), partner="other").name == "old"


def test_a_key_that_only_decrypts_answers_nobody():
    ring = Ring(
        "r",
        (
            RingKey(OLD.pair("s"), frozenset({Purpose.SIGN})),
            RingKey(NEW.pair("d"), frozenset({Purpose.DECRYPT})),
        ),
    )
    assert ring.signing_key(pki.NOW, addressed=ring.keys[1].pair).name == "s"


def test_the_assignment_made_last_counts():
    days = ((None, "old"), (pki.days(5), "new"), (pki.days(8), "old"))
    ring = Ring("service", ROLLOVER.keys, tuple(Assignment("acme", name, since) for since, name in days))
    for day, signs in ((0, "old"), (5, "new"), (8, "old"), (12, "old"), (20, "new")):
        assert ring.signing_key(pki.days(day), partner="acme").name == signs
