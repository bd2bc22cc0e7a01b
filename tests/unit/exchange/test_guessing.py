"""Delays after wrong passwords: how they grow, whom they hit, and what a success ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulator import pki
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.exchange.guessing.attempt import KNOWN_PER_USER, Guesses, forgive_address
from wsprovider.exchange.guessing.counts import KIND, Count, address_key, caller_key, digest, user_key
from wsprovider.exchange.guessing.settings import GuessingSettings, Scale
from wsprovider.words.errors import BackendError, WSSecurityError
from wsprovider.words.reasons import Reason

HERE, THERE = "192.0.2.1", "192.0.2.77"
QUICK = GuessingSettings(
    caller=Scale(2, timedelta(seconds=60)),
    address=Scale(4, timedelta(seconds=20)),
    user=Scale(6, timedelta(seconds=10)),
)


def judge(name, password):
    if name not in {"alice", "bob"}:
        raise WSSecurityError(Reason.USER_UNKNOWN, name)
    if password != "right":
        raise WSSecurityError(Reason.PASSWORD_WRONG, name)


class Site:
    """A user store of alice and bob behind the counts; the clock moves only when told."""

    def __init__(self, settings=QUICK, store=None):
        self.now = pki.NOW
        self.store = store or MemoryStore()
        self.guesses = Guesses(self.store, settings, "users.toml")
        self.heard = 0

    def attempt(self, name, password, peer=HERE, *, remembered=False):
        """The Reason of a refusal; None for a success."""
        try:
            with self.guesses.attempt(name, peer, self.now) as attempt:
                attempt.admit(remembered=remembered)
                self.heard += 1
                judge(name, password)
        except WSSecurityError as error:
            return error.reason
        return None

    def fail(self, count, name="alice", peer=HERE):
        """That many failures that are heard, each as soon as it can be."""
        heard = self.heard
        while self.heard < heard + count:
            if self.attempt(name, "wrong", peer) is Reason.AUTHENTICATION_BACKOFF:
                self.now += timedelta(seconds=1)

    def wait(self, name="alice", peer=HERE, password="right", most=10_000):
        """Seconds until an attempt is heard, trying once a second."""
        for seconds in range(most):
            if self.attempt(name, password, peer) is not Reason.AUTHENTICATION_BACKOFF:
                return seconds
            self.now += timedelta(seconds=1)
        raise AssertionError("never")

    def live(self):
        return self.store.totals(KIND, now=self.now).live


def seconds(scale, count):
    return [int(scale.delay(failures).total_seconds()) for failures in range(count)]


def test_a_delay_doubles_up_to_its_bound():
    assert seconds(Scale(2, timedelta(seconds=10)), 10) == [0, 0, 0, 1, 2, 4, 8, 10, 10, 10]
    assert seconds(Scale(0, timedelta(seconds=3)), 4) == [0, 1, 2, 3]
    assert Scale(0, timedelta(days=1)).delay(10**9) == timedelta(days=1)


def test_failures_of_a_caller_cost_more_and_more():
    site = Site()
    assert [site.wait(password="wrong") for _ in range(9)] == [0, 0, 0, 1, 2, 4, 8, 16, 32]
    assert site.wait(password="wrong") == 60
    assert site.wait(password="wrong") == 60


def test_the_right_password_has_to_wait_and_then_ends_the_delay():
    site = Site()
    site.fail(4)
    assert site.attempt("alice", "right") is Reason.AUTHENTICATION_BACKOFF
    assert site.wait() == 2
    assert [site.attempt("alice", "wrong") for _ in range(2)] == [Reason.PASSWORD_WRONG] * 2


def test_attempts_during_a_delay_do_not_prolong_it():
    site = Site()
    site.fail(5)
    before = site.store.totals(KIND, now=site.now)
    assert {site.attempt("alice", "wrong") for _ in range(100)} == {Reason.AUTHENTICATION_BACKOFF}
    assert site.store.totals(KIND, now=site.now) == before
    assert site.wait() == 4


def test_a_count_is_forgotten_an_hour_after_its_last_failure():
    site = Site()
    site.fail(8)
    site.now += timedelta(hours=1, seconds=1)
    assert [site.attempt("alice", "wrong") for _ in range(3)] == [Reason.PASSWORD_WRONG] * 3
    site.now += timedelta(hours=2)
    assert site.live() == 0


def test_an_address_that_tries_many_users_is_slowed_down_whoever_is_named():
    site = Site()
    waits = [site.wait(f"user {number}", password="wrong") for number in range(10)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert site.wait("bob", password="wrong") == 20
    assert site.attempt("bob", "right", THERE) is None


def test_the_success_of_one_user_does_not_reset_their_address():
    """Who has an account of their own must not wipe the slate by using it."""
    site = Site()
    for number in range(5):
        site.wait(f"user {number}", password="wrong")
    assert site.wait("bob") == 1
    assert site.wait("another", password="wrong") == 0
    assert site.wait("yet another", password="wrong") == 2


def test_who_is_known_waits_for_neither_the_address_nor_the_user():
    site = Site()
    assert site.attempt("alice", "right") is None
    for number in range(8):
        site.fail(1, f"user {number}")
    for number in range(1, 9):
        site.fail(1, "alice", f"198.51.100.{number}")
    assert site.attempt("bob", "right") is Reason.AUTHENTICATION_BACKOFF
    assert site.attempt("alice", "right", "198.51.100.99") is Reason.AUTHENTICATION_BACKOFF
    assert site.attempt("alice", "right") is None


def test_the_failures_of_who_is_known_are_their_own():
    site = Site()
    assert site.attempt("alice", "right") is None
    assert [site.wait(password="wrong") for _ in range(5)] == [0, 0, 0, 1, 2]
    assert site.attempt("bob", "right") is None
    assert site.attempt("alice", "right", THERE) is None
    assert site.wait() == 4
    assert [site.attempt("alice", "wrong") for _ in range(2)] == [Reason.PASSWORD_WRONG] * 2


def test_who_is_known_stays_so_for_thirty_days_after_the_last_success():
    site = Site()
    assert site.attempt("alice", "right") is None
    site.now += timedelta(days=20)
    assert site.attempt("alice", "right") is None
    site.now += timedelta(days=29)
    site.fail(5, "mallory")
    assert site.attempt("bob", "right") is Reason.AUTHENTICATION_BACKOFF
    assert site.attempt("alice", "right") is None
    site.now += timedelta(days=31)
    site.fail(5, "mallory")
    assert site.attempt("alice", "right") is Reason.AUTHENTICATION_BACKOFF


def test_successes_write_once_a_day():
    site = Site()
    for _ in range(10):
        assert site.attempt("alice", "right") is None
    totals = site.store.totals(KIND, now=site.now)
    assert (totals.kept, totals.replaced) == (1, 0)
    site.now += timedelta(days=1, seconds=1)
    for _ in range(10):
        assert site.attempt("alice", "right") is None
    totals = site.store.totals(KIND, now=site.now)
    assert (totals.kept, totals.replaced) == (1, 1)


def test_a_password_that_was_right_before_waits_for_nothing():
    """Else a client that still sends the old password would keep out its neighbour that sends the new one."""
    site = Site()
    site.fail(5)
    assert site.attempt("alice", "right") is Reason.AUTHENTICATION_BACKOFF
    assert site.attempt("alice", "right", remembered=True) is None
    assert site.attempt("alice", "wrong") is Reason.PASSWORD_WRONG  # the count began anew
    site.fail(5)
    assert site.attempt("alice", "right") is Reason.AUTHENTICATION_BACKOFF
    assert site.attempt("alice", "right", remembered=True) is None


def test_an_attempt_looks_into_the_store_once(monkeypatch):
    site, asked = Site(), []
    several = MemoryStore.several
    monkeypatch.setattr(MemoryStore, "several", lambda *a, **k: asked.append(a) or several(*a, **k))
    monkeypatch.setattr(MemoryStore, "record", lambda *a, **k: pytest.fail("one look is enough"))
    assert site.attempt("alice", "right") is None
    assert site.attempt("alice", "right") is None
    site.fail(3, "bob")
    assert len(asked) == 5


def test_a_user_under_attack_costs_each_new_address_one_bounded_wait():
    """Were the delay a gate, a stranger who never stops would always be the first to pass it."""
    site = Site()
    for number in range(20):
        site.fail(1, "alice", f"198.51.100.{number}")
    flood = 0
    assert site.attempt("alice", "right") is Reason.AUTHENTICATION_BACKOFF
    begin = site.now
    for _ in range(30):
        for number in range(100):  # all of them new, and faster
            flood += site.attempt("alice", "wrong", f"203.0.113.{number}") is Reason.PASSWORD_WRONG
        if site.attempt("alice", "right") is None:
            break
        site.now += timedelta(seconds=1)
    assert site.now - begin == timedelta(seconds=10)
    assert flood == 100  # each had its turn, having waited as well
    assert site.attempt("alice", "right") is None


def test_under_attack_no_failure_is_free():
    site = Site()
    for number in range(20):
        site.fail(1, "alice", f"198.51.100.{number}")
    waits = [site.wait(peer=THERE, password="wrong") for _ in range(4)]
    assert waits == [10, 20, 40, 60]


def test_names_that_nobody_has_are_counted_like_others():
    def course(name):
        site, reasons = Site(), []
        for step in range(60):
            reasons.append(site.attempt(name, "wrong", HERE if step % 3 else THERE))
            site.now += timedelta(seconds=step % 7)
        return [one is Reason.AUTHENTICATION_BACKOFF for one in reasons], site.store.totals(
            KIND, now=site.now
        )

    assert course("alice") == course("nobody")
    assert True in course("alice")[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ],
)
def test_what_counts_as_one_address(one, other, same):
    site = Site()
    site.fail(4, peer=one)
    refused = site.attempt("alice", "right", other) is Reason.AUTHENTICATION_BACKOFF
    assert refused is same


@pytest.mark.parametrize("peer", ["", "unknown", "10.1.2.3"])
def test_an_address_that_many_share_is_not_counted_and_delays_stay_short(peer):
    site = Site(replace(QUICK, shared_addresses=("10.0.0.0/8",)))
    for number in range(20):
        assert site.attempt(f"user {number}", "wrong", peer) is Reason.USER_UNKNOWN
    assert site.attempt("bob", "right", peer) is None
    assert [site.wait(peer=peer, password="wrong") for _ in range(9)] == [0, 0, 0, 1, 2, 4, 8, 10, 10]


def test_whose_place_in_the_queue_it_is():
    """Who is known, or was right before, is no flood: such a client may well come with many calls at once."""
    site = Site(replace(QUICK, shared_addresses=("10.0.0.0/8",)))

    def place(name, peer, *, remembered=False):
        return site.guesses.attempt(name, peer, site.now).admit(remembered=remembered)

    assert place("alice", HERE) == HERE
    assert place("alice", "2001:db8::1") == "2001:db8::/64"
    assert place("alice", "10.1.2.3") == place("alice", "") == ""
    assert place("alice", HERE, remembered=True) is None
    assert site.attempt("alice", "right") is None
    assert place("alice", HERE) is None
    assert place("bob", HERE) == HERE


def test_of_attempts_at_the_same_time_one_is_heard():
    site = Site()
    site.fail(3)
    site.now += timedelta(seconds=1)
    first, second = (site.guesses.attempt("alice", HERE, site.now) for _ in range(2))
    second._records = Late(site.store, first)
    with pytest.raises(WSSecurityError) as caught, second:
        second.admit(remembered=False)
    assert caught.value.reason is Reason.AUTHENTICATION_BACKOFF
    assert first._callers is not None


class Late:
    """A store in whose answer another attempt is not counted yet."""

    def __init__(self, store, other):
        self.store, self.other = store, other

    def several(self, kind, keys, *, now):
        found = self.store.several(kind, keys, now=now)
        self.other.admit(remembered=False)
        return found

    def __getattr__(self, name):
        return getattr(self.store, name)


@pytest.mark.parametrize(
    "error",
    [
        WSSecurityError(Reason.AUTHENTICATION_BUSY),
        WSSecurityError(Reason.USER_DISABLED),
        BackendError("the hash could not be computed"),
    ],
    ids=str,
)
def test_what_is_no_wrong_password_is_no_failure(error):
    site = Site()
    site.fail(3)
    site.now += timedelta(seconds=1)
    for _ in range(5):
        attempt = site.guesses.attempt("alice", HERE, site.now)
        attempt.admit(remembered=False)
        attempt.__exit__(type(error), error, None)
    assert site.attempt("alice", "wrong") is Reason.PASSWORD_WRONG
    assert site.wait() == 2


def test_what_was_answered_without_being_heard_counts_for_nothing():
    site = Site()
    with site.guesses.attempt("alice", HERE, site.now):
        pass  # a success of a moment ago
    with pytest.raises(WSSecurityError), site.guesses.attempt("alice", HERE, site.now):
        raise WSSecurityError(Reason.PASSWORD_WRONG, "longer than any password")
    assert site.live() == 0


def test_a_store_that_does_not_answer_lets_nobody_in():
    site = Site()
    assert site.attempt("alice", "right") is None
    site.store.close()
    with pytest.raises(BackendError):
        site.attempt("alice", "right")


def test_a_delay_that_a_wrong_clock_wrote_is_none():
    site = Site()
    site.now += timedelta(days=1)
    site.fail(8)
    assert site.attempt("alice", "right") is Reason.AUTHENTICATION_BACKOFF
    site.now -= timedelta(days=1)
    assert site.attempt("alice", "right") is None


def test_nothing_readable_is_kept():
    site = Site()
    site.fail(4, "alice")
    assert site.wait() == 2
    site.fail(4, "alice", THERE)
    kept = [(record.key, record.value) for record in site.store.records(KIND, now=site.now)]
    assert len(kept) >= 4
    text = repr(kept)
    assert not [one for one in ("alice", HERE, THERE, "right", "wrong") if one in text]


def test_what_another_version_wrote_counts_for_nothing():
    assert Count.read(None) == Count()
    for value in (b"", b"{}", b"1 2", b"x y z", b"\xff 1 2"):
        site = Site()
        site.fail(1)
        for record in site.store.records(KIND, now=site.now):
            arguments = {"version": record.version, "expires": record.expires, "now": site.now}
            assert site.store.replace(KIND, record.key, value, **arguments)
        assert site.attempt("alice", "right") is None


def test_a_user_is_known_at_a_hundred_addresses():
    site = Site()
    for number in range(KNOWN_PER_USER + 20):
        assert site.attempt("alice", "right", f"10.0.0.{number}") is None
    assert site.live() == KNOWN_PER_USER
    assert site.attempt("bob", "right") is None
    assert site.live() == KNOWN_PER_USER + 1


def test_a_flood_of_invented_names_takes_no_more_than_there_is(monkeypatch):
    """Neither is anybody thrown out who is known, nor is room in the store left for nobody else."""
    monkeypatch.setattr("wsprovider.exchange.guessing.counts._PLACE_CHARACTERS", 1)
    site = Site(replace(QUICK, known=50))
    assert site.attempt("alice", "right") is None
    for number in range(3_000):
        site.attempt(f"invented {number}", "wrong", f"2001:db8:{number:x}::1")
        site.now += timedelta(milliseconds=100)
    assert site.live() == 3 * 16 + 1
    assert site.attempt("alice", "right") is None
    assert site.wait("bob", THERE) <= 60  # a place that was shared
    assert site.attempt("bob", "right", THERE) is None
    assert site.store.size() == 0  # the marks of accepted messages are elsewhere


def test_an_operator_ends_the_delays_of_a_user():
    site = Site()
    assert site.attempt("alice", "right", THERE) is None
    for number in range(8):
        site.fail(3, peer=f"203.0.113.{100 + number}")
    site.fail(6, peer=THERE)
    site.fail(3, "bob", "203.0.113.9")
    assert site.attempt("alice", "right", THERE) is Reason.AUTHENTICATION_BACKOFF
    assert site.attempt("alice", "right", "203.0.113.1") is Reason.AUTHENTICATION_BACKOFF
    assert site.guesses.forgive("alice", site.now) == 11
    assert site.attempt("alice", "right", THERE) is None
    assert site.attempt("alice", "right", "203.0.113.2") is None
    assert site.wait("bob", "203.0.113.9", "wrong") <= 1
    assert site.attempt("bob", "right", "203.0.113.9") is Reason.AUTHENTICATION_BACKOFF
    assert site.guesses.forgive("alice", site.now) == 0


def test_an_operator_ends_the_delay_of_an_address():
    site = Site()
    site.fail(3, "alice")
    site.fail(3, "mallory")
    assert site.attempt("bob", "right") is Reason.AUTHENTICATION_BACKOFF
    assert forgive_address(site.store, HERE, site.now)
    assert site.attempt("bob", "right") is None
    assert not forgive_address(site.store, HERE, site.now)
    with pytest.raises(ValueError, match="is no IP address"):
        forgive_address(site.store, "here", site.now)


def test_the_same_name_in_another_store_is_another_user():
    site = Site()
    site.fail(6)
    other = Guesses(site.store, QUICK, "others.toml")
    assert other.user("alice") != site.guesses.user("alice")
    with other.attempt("alice", THERE, site.now) as attempt:
        attempt.admit(remembered=False)


def test_no_two_run_together():
    assert digest("a", "bc") != digest("ab", "c")
    assert len({caller_key("x"), address_key("x"), user_key("x")}) == 3
