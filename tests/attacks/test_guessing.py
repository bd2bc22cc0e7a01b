"""K09 and K10: guessing at passwords, whoever guesses, from wherever, and those who must not suffer from it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulator.world import World, echo_body
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.adapters.users.file import FileUsers
from wsprovider.adapters.users.hashing import Hashing
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.exchange.guessing.attempt import Guesses
from wsprovider.exchange.guessing.settings import GuessingSettings
from wsprovider.exchange.transport import Transport
from wsprovider.outbound.message import Credentials
from wsprovider.words.errors import BackendError, WSSecurityError
from wsprovider.words.reasons import Reason

HOME, OFFICE = "192.0.2.1", "192.0.2.2"
SECOND = timedelta(seconds=1)


def attempt(world, name="alice", password="secret", peer=HOME, *, digest=False):
    """The Reason of a refusal (None: accepted), and what went over the wire for it."""
    caller = world.make_initiator(credentials=Credentials(name, password, digest=digest))
    message = caller.request(echo_body(world.soap, "hello"), version=world.soap).data
    try:
        world.accept(message, transport=replace(world.transport, peer=peer))
    except WSSecurityError as error:
        return error.reason, world.recipient.refuse(error, version=world.soap)
    return None, None


def reason(*arguments, **more):
    return attempt(*arguments, **more)[0]


def waited(world, *arguments, most=3_600, **more):
    """Seconds until one who tries once a second is accepted."""
    for seconds in range(most):
        if reason(world, *arguments, **more) is None:
            return seconds
        world.now += SECOND
    raise AssertionError("never accepted")


@pytest.mark.parametrize("digest", [False, True], ids=["text", "digest"])
def test_k10_one_stranger_guesses_at_one_user(digest):
    """A digest costs no hash, and is guessed at all the same."""
    world = World("1")
    reasons = [reason(world, password="wrong", digest=digest) for _ in range(50)]
    assert reasons == [Reason.PASSWORD_WRONG] * 6 + [Reason.AUTHENTICATION_BACKOFF] * 44
    heard = 0
    for _ in range(3_600):
        world.now += SECOND
        heard += reason(world, password="wrong", digest=digest) is Reason.PASSWORD_WRONG
    assert heard == 12  # after 1, 2, 4, ... 512 seconds, then a quarter of an hour
    assert waited(world, peer=OFFICE, digest=digest) <= 30


@pytest.mark.parametrize("digest", [False, True], ids=["text", "digest"])
def test_k09_an_unknown_user_has_the_same_course_and_the_same_replies(digest):
    def course(name):
        world, replies, refused = World("1"), [], []
        for step in range(40):
            peer = f"198.51.100.{step % 4}"
            why, reply = attempt(world, name, "wrong", peer, digest=digest)
            refused.append(why is Reason.AUTHENTICATION_BACKOFF)
            replies.append((reply.status, reply.data))
            world.now += SECOND * (step % 3)
        return refused, replies

    known, unknown = course("alice"), course("nobody")
    assert known == unknown
    assert True in known[0]
    assert False in known[0]
    assert len(set(known[1])) == 1
    assert known[1][0][1] == attempt(World("1"), password="wrong")[1].data


def test_k09_a_right_password_during_a_delay_shows_in_nothing():
    world = World("1")
    for _ in range(7):
        attempt(world, password="wrong")
    right, wrong = attempt(world), attempt(world, password="wrong")
    assert right == wrong
    assert right[0] is Reason.AUTHENTICATION_BACKOFF
    world.now += SECOND
    assert reason(world) is None


def test_k10_many_addresses_guess_at_one_user():
    """After the first few, every address waits before it is heard, and longer after each failure."""
    world = World("1")
    assert reason(world, peer=OFFICE) is None
    heard = 0
    for _ in range(120):
        for number in range(1, 60):
            heard += reason(world, password="wrong", peer=f"198.51.100.{number}") is Reason.PASSWORD_WRONG
        assert reason(world, peer=OFFICE) is None  # used before
        world.now += SECOND * 5
    assert heard <= 11 + 59 * 4  # in ten minutes
    assert waited(world) <= 30  # never used before


def test_k10_the_flood_does_not_pass_those_who_wait():
    """Were there one turn in so many seconds, whoever asks most often would have it."""
    world = World("1")
    for number in range(1, 30):
        attempt(world, password="wrong", peer=f"198.51.100.{number}")
    assert reason(world) is Reason.AUTHENTICATION_BACKOFF
    begin = world.now
    for _ in range(32):
        world.now += SECOND
        for number in range(1, 50):
            attempt(world, password="wrong", peer=f"203.0.113.{number}")
        if reason(world) is None:
            break
    assert world.now - begin <= SECOND * 30
    assert reason(world) is None


def test_k10_one_address_guesses_at_many_users():
    world = World("1")
    assert reason(world, "bob", "geheim") is None
    heard = 0
    for number in range(3_600):
        heard += reason(world, f"user {number}", "Summer2026") is Reason.USER_UNKNOWN
        world.now += SECOND
    assert heard <= 21 + 6 + 60
    assert (
        reason(world) is Reason.AUTHENTICATION_BACKOFF
    )  # alice, from the guesser's address for the first time
    assert reason(world, "bob", "geheim") is None  # who has used it before
    assert reason(world, peer=OFFICE) is None
    world.now += SECOND * 60
    assert reason(world) is None


def test_k10_a_stranger_does_not_keep_a_user_out_for_good():
    """From an address used before: not at all. From a new one: no longer than the longest delay of a user."""
    world = World("1")
    assert reason(world, peer=OFFICE) is None
    for _ in range(600):
        attempt(world, password="wrong", peer="198.51.100.1")
        world.now += SECOND
    assert reason(world, peer=OFFICE) is None
    assert waited(world) <= 30


def test_k10_a_password_of_a_moment_ago_is_not_asked_about(tmp_path):
    world = World("1")
    write_users_file(tmp_path / "users.toml", [Entry("alice", clear_password="secret")])
    world.users = FileUsers(tmp_path / "users.toml", hashing=Hashing(), monotonic=lambda: 0.0)
    world.recipient = world.make_recipient(world.settings)
    assert reason(world) is None
    before = world.store.totals("guess", now=world.now)
    for _ in range(12):
        attempt(world, password="wrong")
    assert reason(world, password="wrong") is Reason.AUTHENTICATION_BACKOFF
    assert reason(world) is None
    assert world.store.totals("guess", now=world.now) != before


def test_k10_a_neighbour_with_the_old_password_keeps_nobody_out(tmp_path):
    """Two clients of one address and user; only one of them was told of the new password."""
    world, seconds = World("1"), [0.0]
    write_users_file(tmp_path / "users.toml", [Entry("alice", clear_password="secret")])
    world.users = FileUsers(tmp_path / "users.toml", hashing=Hashing(), monotonic=lambda: seconds[0])
    world.recipient = world.make_recipient(world.settings)
    assert reason(world) is None
    refused = []
    for _ in range(120):
        refused.append(reason(world, password="old"))
        assert reason(world) is None
        world.now += SECOND * 10
        seconds[0] += 10  # remembered for five minutes, then hashed again
    assert set(refused) == {Reason.PASSWORD_WRONG, Reason.AUTHENTICATION_BACKOFF}


def test_k10_what_is_refused_before_the_password_is_looked_at_is_no_guess():
    world = World("1")
    for _ in range(30):
        assert reason(world, password="x" * 600) is Reason.PASSWORD_TOO_LONG
    assert world.store.totals("guess", now=world.now).live == 0
    assert reason(world) is None


def test_k10_conversations_begin_with_the_same_delays():
    world = World("14")
    guesser = world.make_session(credentials=Credentials("alice", "wrong"))
    reasons = [world.refused(guesser.ask(version=world.soap).data).reason for _ in range(8)]
    assert reasons == [Reason.PASSWORD_WRONG] * 6 + [Reason.AUTHENTICATION_BACKOFF] * 2
    world.now += SECOND
    world.open()


def test_k10_without_an_address_many_share_the_delay_and_it_stays_short():
    world = World("1")
    for _ in range(300):
        attempt(world, password="wrong", peer="")
        attempt(world, "nobody", "wrong", peer="")
        world.now += SECOND
    assert reason(world, "bob", "geheim", peer="") is None
    assert waited(world, peer="") <= 30


def test_k10_addresses_of_one_ipv6_network_are_one():
    world = World("1")
    reasons = [reason(world, password="wrong", peer=f"2001:db8:1:2:{n:x}::1") for n in range(1, 20)]
    assert reasons == [Reason.PASSWORD_WRONG] * 6 + [Reason.AUTHENTICATION_BACKOFF] * 13
    assert reason(world, peer="2001:db8:1:3::1") is None


def test_k10_nothing_of_it_is_in_the_replay_store():
    world = World("1")
    for number in range(200):
        attempt(world, f"invented {number}", "wrong", f"2001:db8:{number:x}::1")
    assert world.store.size() == 0
    assert world.store.totals("guess", now=world.now).live >= 200
    world.now += timedelta(hours=2)
    assert world.store.totals("guess", now=world.now).live == 0
    world.transport = Transport(secure=True, peer=HOME)
    assert world.call().text == "hello"


def test_k10_without_the_store_nobody_new_is_let_in(tmp_path):
    world = World("1")
    write_users_file(tmp_path / "users.toml", [Entry("alice", clear_password="secret")])
    world.users = FileUsers(tmp_path / "users.toml", hashing=Hashing(), monotonic=lambda: 0.0)
    broken = MemoryStore()
    world.guesses = Guesses(broken, GuessingSettings(), "users.toml")
    world.recipient = world.make_recipient(world.settings)
    assert reason(world) is None
    broken.close()
    for name, password in (("alice", "wrong"), ("nobody", "wrong"), ("bob", "geheim")):
        with pytest.raises(BackendError):
            attempt(world, name, password)
    assert reason(world) is None  # of a moment ago


def test_k10_no_password_is_told():
    world = World("1")
    for _ in range(7):
        caller = world.make_initiator(credentials=Credentials("alice", "my-guess"))
        message = caller.request(echo_body(world.soap, "hello"), version=world.soap).data
        error = world.refused(message)
    assert error.reason is Reason.AUTHENTICATION_BACKOFF
    assert error.detail == "alice: 1 s more, by caller"
    assert "my-guess" not in repr(list(world.store.records("guess", now=world.now)))
    world.now += SECOND
    assert reason(world) is None
