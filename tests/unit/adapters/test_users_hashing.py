"""Password hashes and their queue."""

import base64
import os
import threading
import time

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from wsprovider.adapters.users.hashing import (
    PARAMETERS,
    Hashing,
    Parameters,
    dummy_hash,
    hash_password,
    octets,
    read_parameters,
)
from wsprovider.adapters.users.turns import Turns
from wsprovider.words.errors import BackendError, WSSecurityError
from wsprovider.words.reasons import Reason

# Made cheap, so that tests are quick: m=8,t=1,p=1, and the password is "development".
CHEAP = Argon2id(
    salt=b"a fixed salt 16b", length=32, iterations=1, lanes=1, memory_cost=8
).derive_phc_encoded(b"development")


def test_a_hash_has_the_parameters_and_is_salted():
    first, second = hash_password("development"), hash_password("development")
    assert first != second
    assert read_parameters(first) == PARAMETERS == Parameters(memory=19_456, passes=2, lanes=1)
    assert Hashing().matches(first, b"development")
    assert not Hashing().matches(first, b"Development")


def test_another_implementation_agrees_both_ways():
    assert Hashing().matches(CHEAP, b"development")
    assert not Hashing().matches(CHEAP, b"other")
    Argon2id.verify_phc_encoded("pässword".encode(), hash_password("pässword"))


def test_nothing_is_normalised():
    assert octets("é") != octets("e\u0301")
    assert octets("\ud800") == b"\xed\xa0\x80"


def test_an_empty_password_has_no_hash():
    with pytest.raises(ValueError, match="empty"):
        hash_password("")


def test_a_dummy_costs_the_same_and_matches_nothing():
    parameters = Parameters(memory=64, passes=3, lanes=2)
    dummy = dummy_hash(parameters)
    assert read_parameters(dummy) == parameters
    assert dummy != dummy_hash(parameters)
    for password in (b"", b"development", dummy.encode()):
        assert not Hashing().matches(dummy, password)


SALT, TAG = "c2FsdHNhbHRzYWx0c2E", "A" * 43


@pytest.mark.parametrize("encoded", [CHEAP, f"$argon2id$v=19$m=262144,t=10,p=4${SALT}M${TAG}"])
def test_parameters_of_usable_hashes_are_read(encoded):
    assert read_parameters(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "development",
        CHEAP.replace("argon2id", "argon2i"),
        CHEAP.replace("argon2id", "argon2d"),
        CHEAP.replace("v=19", "v=16"),
        CHEAP + "\n",
        CHEAP + "=",
        " " + CHEAP,
        CHEAP.replace("t=1", "t=0"),
        CHEAP.replace("p=1", "p=0"),
        CHEAP.replace("m=8", "m=7"),
        CHEAP.replace("m=8", "m=262145"),
        CHEAP.replace("m=8", "m=99999999"),
        CHEAP.replace("t=1", "t=11"),
        CHEAP.replace("p=1,", "p=5,").replace("p=1$", "p=5$"),
        f"$argon2id$v=19$m=8,t=1,p=1${SALT}M$AAAA",
        f"$argon2id$v=19$m=8,t=1,p=1$AAAA${TAG}",
        f"$argon2id$v=19$m=8,t=1,p=1${SALT}M${TAG[:-1]}B",  # unused bits
        f"$argon2id$v=19$m=8,t=1,p=1${SALT}M${TAG}AA",  # no length of Base64
        "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZLvB9fV3F8QYVQZ0bq0t6Z1bJ0i6aW",
    ],
)
def test_what_is_no_usable_hash_is_refused(encoded):
    with pytest.raises(ValueError):
        read_parameters(encoded)


def test_whatever_is_read_can_be_checked():
    for length in (16, 31, 32, 64):
        tag = base64.b64encode(os.urandom(length)).decode().rstrip("=")
        encoded = f"$argon2id$v=19$m=8,t=1,p=1${SALT}M${tag}"
        read_parameters(encoded)
        assert not Hashing().matches(encoded, b"development")


def test_a_hash_that_cannot_be_computed_is_a_backend_error():
    with pytest.raises(BackendError):
        Hashing().matches("$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", b"development")


class Slow(Hashing):
    """Counts who is inside, and holds them there until told."""

    def __init__(self, **limits):
        super().__init__(**limits)
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.counts = []

    def matches(self, encoded, password, *, source=""):
        with self._turns.turn(source):
            self.counts.append(self._turns.running)
            self.inside.release()
            assert self.go_on.wait(10)
            return True


def started(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def wait_for_waiting(hashing, count):
    deadline = threading.Event()
    for _ in range(1_000):
        if hashing._turns.waiting == count:
            return
        deadline.wait(0.005)
    pytest.fail(f"{hashing._turns.waiting} are waiting, not {count}")


def test_two_at_once_eight_wait_and_the_next_is_refused_at_once():
    hashing = Slow()
    results = []
    threads = started(10, lambda: results.append(hashing.matches(CHEAP, b"development")))
    assert hashing.inside.acquire(timeout=10)
    assert hashing.inside.acquire(timeout=10)
    wait_for_waiting(hashing, 8)
    with pytest.raises(WSSecurityError) as caught:
        hashing.matches(CHEAP, b"development")
    assert caught.value.reason is Reason.AUTHENTICATION_BUSY
    hashing.go_on.set()
    for thread in threads:
        thread.join(10)
    assert results == [True] * 10
    assert max(hashing.counts) == 2
    assert hashing.matches(CHEAP, b"development")  # free again


def test_a_failing_hash_gives_its_turn_back():
    hashing = Hashing(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(BackendError):
            hashing.matches("$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", b"x")
    assert hashing.matches(CHEAP, b"development")


def test_a_child_does_not_wait_for_the_parents_threads():
    hashing = Slow(at_once=1, waiting=0)
    thread = started(1, lambda: hashing.matches(CHEAP, b"development"))[0]
    assert hashing.inside.acquire(timeout=10)
    taken = hashing._turns._lock
    hashing._turns.after_fork_in_child()
    assert hashing._turns.running == 0
    # put back what the real parent keeps, so that its thread can end
    hashing._turns._lock, hashing._turns._running = taken, 1
    hashing.go_on.set()
    thread.join(10)


def test_one_source_leaves_half_of_the_waiting_places_to_others():
    hashing = Slow(at_once=1, waiting=4)
    flood = started(3, lambda: hashing.matches(CHEAP, b"x", source="2001:db8::/64"))
    assert hashing.inside.acquire(timeout=10)
    wait_for_waiting(hashing, 2)
    with pytest.raises(WSSecurityError) as caught:
        hashing.matches(CHEAP, b"x", source="2001:db8::/64")
    assert caught.value.reason is Reason.AUTHENTICATION_BUSY
    others = started(2, lambda: hashing.matches(CHEAP, b"development", source="192.0.2.1"))
    wait_for_waiting(hashing, 4)
    hashing.go_on.set()
    for thread in (*flood, *others):
        thread.join(10)
    assert len(hashing.counts) == 5


def test_whoever_has_no_source_of_their_own_has_no_share():
    hashing = Slow(at_once=1, waiting=4)
    threads = started(5, lambda: hashing.matches(CHEAP, b"x"))
    assert hashing.inside.acquire(timeout=10)
    wait_for_waiting(hashing, 4)
    hashing.go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(hashing.counts) == 5


def test_whoever_is_known_may_wait_though_the_queue_is_full():
    """A client that comes with many calls at once after a restart is no flood."""
    hashing = Slow(at_once=1, waiting=1)
    threads = started(2, lambda: hashing.matches(CHEAP, b"x"))
    assert hashing.inside.acquire(timeout=10)
    wait_for_waiting(hashing, 1)
    with pytest.raises(WSSecurityError):
        hashing.matches(CHEAP, b"x")
    threads += started(5, lambda: hashing.matches(CHEAP, b"x", source=None))
    wait_for_waiting(hashing, 6)
    hashing.go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(hashing.counts) == 7


def test_what_was_found_out_meanwhile_is_not_computed_again():
    never = "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA"
    assert Hashing().matches(never, b"development", spared=lambda: True)
    with pytest.raises(BackendError):
        Hashing().matches(never, b"development", spared=lambda: False)


def test_first_come_first_served():
    """Whoever had waited could be overtaken by one who came at the very moment at which a turn ended."""
    turns = Turns(at_once=1, waiting=8)
    order, threads = [], []

    def take(number):
        with turns.turn():
            order.append(number)

    with turns.turn():
        for number in range(8):
            threads += started(1, lambda number=number: take(number))
            wait_for(lambda number=number: turns.waiting == number + 1)
    # the turn was handed over: one who comes now is behind all of them, or first after them
    take("late")
    for thread in threads:
        thread.join(10)
    assert [one for one in order if one != "late"] == list(range(8))
    assert order[0] == 0
    assert (turns.running, turns.waiting) == (0, 0)


def test_who_gives_up_waiting_leaves_the_queue(monkeypatch):
    turns = Turns(at_once=1, waiting=1)
    with turns.turn():
        monkeypatch.setattr(threading.Event, "wait", lambda self, timeout=None: raise_interrupt())
        with pytest.raises(KeyboardInterrupt), turns.turn():
            pass
        monkeypatch.undo()
        assert turns.waiting == 0
    with turns.turn():
        assert turns.running == 1
    assert turns.running == 0


def raise_interrupt():
    raise KeyboardInterrupt


def wait_for(condition):
    for _ in range(1_000):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("it did not come about")
