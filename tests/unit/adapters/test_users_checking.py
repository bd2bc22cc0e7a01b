"""The judgement that all stores share: digests, equal work, the cache of successes."""

import base64
import hashlib
import os

import pytest

from wsprovider.adapters.users.cache import Age, PositiveCache
from wsprovider.adapters.users.checking import Credentials, password_digest, usual_parameters
from wsprovider.adapters.users.hashing import PARAMETERS, Hashing, Parameters, dummy_hash
from wsprovider.adapters.users.records import Entry, Record, version
from wsprovider.header import username_token
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


class CountingHashing(Hashing):
    """Costs nothing, and notes what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []
        self.sources = []

    def matches(self, encoded, password, *, source="", spared=lambda: False):
        self.sources.append(source)
        if spared():
            return True
        self.asked.append((encoded, password))
        return encoded == f"hash of {password.decode()}"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return PositiveCache(life=300, entries=3, monotonic=clock)


@pytest.fixture
def hashing():
    return CountingHashing()


@pytest.fixture
def credentials(hashing, cache):
    return Credentials(hashing=hashing, cache=cache, limits=Limits())


ALICE = Record.of(Entry("alice", clear_password="alice's"))
BOB = Record.of(Entry("bob", password="hash of bob's"))


def reason(call, *arguments, **more):
    with pytest.raises(WSSecurityError) as caught:
        call(*arguments, **more)
    return caught.value.reason


# known answers


def test_digest_of_wss4js_test():
    """From Apache WSS4J's UsernameTokenTest: there the password is SHA-1("password")."""
    nonce = base64.b64decode("0x7bXAPZVn40AdCD0Xbt0g==")
    password = hashlib.sha1(b"password").digest()
    assert (
        base64.b64encode(password_digest(nonce, "2010-06-28T15:16:37Z", password))
        == b"C0rena/6gKpRZ9ATj+e6ss5sAbQ="
    )


@pytest.mark.parametrize(
    ("password", "digest"),
    [("s3cret pässword", "M3Oxip23+/btgZJP5srre9bARkE="), ("development", "vK/MBHpoMAdsqRPC78jKiCpDWxY=")],
)
def test_digest_as_openssl_computes_it(password, digest):
    """printf 'nonce-of-16-byte2026-03-01T12:00:00ZPASSWORD' | openssl dgst -sha1 -binary | base64."""
    nonce, created = b"nonce-of-16-byte", "2026-03-01T12:00:00Z"
    assert base64.b64encode(password_digest(nonce, created, password.encode())).decode() == digest
    assert username_token.password_digest(nonce, created, password) == base64.b64decode(digest)


# equal work


@pytest.mark.parametrize("record", [ALICE, BOB, None], ids=["clear", "hashed", "unknown"])
def test_a_refusal_costs_one_hash_of_the_same_kind_for_everybody(credentials, hashing, record):
    with pytest.raises(WSSecurityError):
        credentials.check_password("name", "wrong", record)
    ((_, password),) = hashing.asked
    assert password == b"wrong"


def test_a_success_with_a_clear_password_costs_a_hash_too(credentials, hashing):
    assert credentials.check_password("alice", "alice's", ALICE) is ALICE.user
    assert len(hashing.asked) == 1


@pytest.mark.parametrize("record", [ALICE, BOB, None])
@pytest.mark.parametrize("password", ["", "x" * 513])
def test_what_needs_no_look_up_costs_no_hash(credentials, hashing, record, password):
    assert reason(credentials.check_password, "name", password, record) is Reason.PASSWORD_WRONG
    assert reason(credentials.check_password, "", "good", record) is Reason.USER_UNKNOWN
    assert hashing.asked == []


def test_a_digest_costs_no_hash(credentials, hashing):
    good = password_digest(b"n" * 16, "c", b"alice's")
    assert credentials.check_digest("alice", good, b"n" * 16, "c", ALICE) is ALICE.user
    assert reason(credentials.check_digest, "bob", good, b"n" * 16, "c", BOB) is Reason.PASSWORD_WRONG
    assert reason(credentials.check_digest, "x", good, b"n" * 16, "c", None) is Reason.USER_UNKNOWN
    assert hashing.asked == []


def test_the_stand_in_costs_what_most_hashes_cost():
    rare, usual = Parameters(64, 1, 1), Parameters(128, 3, 1)
    entries = [Entry("a", password=dummy_hash(rare)), *(Entry(n, password=dummy_hash(usual)) for n in "bc")]
    assert usual_parameters(entries) == usual
    assert usual_parameters([Entry("a", clear_password="x")]) == PARAMETERS
    assert usual_parameters([]) == PARAMETERS


# cache


def test_a_success_spares_the_next_hash_until_its_life_ends(credentials, hashing, clock):
    credentials.check_password("bob", "bob's", BOB)
    clock.seconds += 299
    credentials.check_password("bob", "bob's", BOB)
    assert len(hashing.asked) == 1
    clock.seconds += 1  # from the hash on: being asked for does not prolong it
    credentials.check_password("bob", "bob's", BOB)
    assert len(hashing.asked) == 2


def test_a_failure_is_not_remembered(credentials, hashing, cache):
    for _ in range(3):
        assert reason(credentials.check_password, "bob", "wrong", BOB) is Reason.PASSWORD_WRONG
        assert reason(credentials.check_password, "nobody", "wrong", None) is Reason.USER_UNKNOWN
    assert len(hashing.asked) == 6
    assert len(cache) == 0


def test_a_changed_record_is_not_found_in_the_cache(credentials, hashing):
    credentials.check_password("bob", "bob's", BOB)
    changed = Record.of(Entry("bob", password="hash of bob's", roles=frozenset({"new"})))
    assert credentials.check_password("bob", "bob's", changed).roles == {"new"}
    assert len(hashing.asked) == 2
    replaced = Record.of(Entry("bob", password="hash of another"))
    assert reason(credentials.check_password, "bob", "bob's", replaced) is Reason.PASSWORD_WRONG
    assert reason(credentials.check_password, "bob", "bob's", None) is Reason.USER_UNKNOWN


def test_a_disabled_user_is_refused_from_the_cache_too(credentials):
    disabled = Record.of(Entry("bob", password="hash of bob's", disabled=True))
    for _ in range(2):
        assert reason(credentials.check_password, "bob", "bob's", disabled) is Reason.USER_DISABLED


WRONG = {Reason.PASSWORD_WRONG, Reason.USER_UNKNOWN}


class Door:
    """Notes who asks to be admitted; closed, it lets nobody in."""

    def __init__(self, *, closed=False, source=""):
        self.asked, self.closed, self.source = [], closed, source

    def __call__(self, *, remembered):
        self.asked.append(remembered)
        if self.closed:
            raise WSSecurityError(Reason.AUTHENTICATION_BACKOFF)
        return self.source


@pytest.mark.parametrize("record", [ALICE, BOB, None])
def test_who_is_not_admitted_costs_no_hash(credentials, hashing, record):
    digest = (bytes(20), b"n" * 16, "c")
    closed, door = Door(closed=True), Door()
    refused = reason(credentials.check_password, "name", "wrong", record, admit=closed)
    assert refused is Reason.AUTHENTICATION_BACKOFF
    refused = reason(credentials.check_digest, "name", *digest, record, admit=closed)
    assert refused is Reason.AUTHENTICATION_BACKOFF
    assert hashing.asked == []
    assert reason(credentials.check_password, "name", "wrong", record, admit=door) in WRONG
    assert reason(credentials.check_digest, "name", *digest, record, admit=door) in WRONG
    assert len(hashing.asked) == 1
    assert door.asked == [False, False]


def test_who_gave_the_password_a_moment_ago_need_not_be_admitted(credentials, clock):
    door = Door()
    credentials.check_password("bob", "bob's", BOB, admit=door)
    credentials.check_password("bob", "bob's", BOB, admit=door)
    assert door.asked == [False]
    clock.seconds += 300
    credentials.check_password("bob", "bob's", BOB, admit=door)
    credentials.check_password("bob", "bob's", BOB, admit=door)
    assert door.asked == [False, True]
    assert reason(credentials.check_password, "bob", "wrong", BOB, admit=door) is Reason.PASSWORD_WRONG
    changed = Record.of(Entry("bob", password="hash of bob's", roles=frozenset({"new"})))
    credentials.check_password("bob", "bob's", changed, admit=door)
    assert door.asked == [False, True, False, False]


@pytest.mark.parametrize("source", ["", "192.0.2.1", None])
def test_the_door_says_whose_place_in_the_queue_it_is(credentials, hashing, source):
    credentials.check_password("bob", "bob's", BOB, admit=Door(source=source))
    assert hashing.sources == [source]


def test_of_several_at_once_those_who_waited_find_out_from_the_first(credentials, hashing, cache):
    """Ten calls of one client after a restart would cost ten hashes."""

    def door(*, remembered):
        cache.add(cache.tag("bob", BOB.state, b"bob's"))  # while this one waits
        return ""

    assert credentials.check_password("bob", "bob's", BOB, admit=door) is BOB.user
    assert hashing.asked == []


def test_what_is_refused_at_once_is_not_admitted_first(credentials):
    door = Door()
    assert reason(credentials.check_password, "bob", "", BOB, admit=door) is Reason.PASSWORD_WRONG
    assert reason(credentials.check_digest, "", b"", b"", "", None, admit=door) is Reason.USER_UNKNOWN
    assert door.asked == []


def test_the_cache_is_bounded_and_keeps_who_comes_often(cache):
    tags = [cache.tag(name, "1", b"x") for name in "abcd"]
    for tag in tags[:3]:
        cache.add(tag)
    assert cache.age(tags[0]) is Age.FRESH
    cache.add(tags[3])
    assert len(cache) == 3
    assert [cache.age(tag) is Age.FRESH for tag in tags] == [True, False, True, True]


def test_who_it_was_is_known_until_its_life_ends(cache, clock):
    tags = [cache.tag(name, "", b"x") for name in "abcd"]
    cache.add(tags[0], ALICE.user, since=clock.seconds - 100)
    cache.add(tags[1], BOB.user)
    cache.add(tags[2])
    assert [cache.user(tag) for tag in tags] == [ALICE.user, BOB.user, None, None]
    clock.seconds += 199
    assert cache.user(tags[0]) is ALICE.user
    clock.seconds += 1
    assert [cache.user(tag) for tag in tags] == [None, BOB.user, None, None]
    assert cache.age(tags[0]) is Age.OLD


def test_whoever_keeps_the_secret_is_asked_in_its_place(credentials, hashing):
    """What a directory says goes before what the record holds."""
    nobody = Record.of(Entry("dora", changed="1"))
    asked = []

    def proof(secret, source, spared):
        asked.append((secret, source, spared()))
        return secret == b"dora's"

    assert credentials.check_password("dora", "dora's", nobody, admit=Door(), proof=proof) is nobody.user
    assert credentials.check_password("dora", "dora's", nobody, proof=proof) is nobody.user
    assert reason(credentials.check_password, "dora", "wrong", nobody, proof=proof) is Reason.PASSWORD_WRONG
    assert reason(credentials.check_password, "x", "dora's", None, proof=proof) is Reason.USER_UNKNOWN
    changed = Record.of(Entry("dora", changed="2"))
    assert credentials.check_password("dora", "dora's", changed, proof=proof).version != nobody.user.version
    assert [secret for secret, _, _ in asked] == [b"dora's", b"wrong", b"dora's", b"dora's"]
    assert hashing.asked == []


def test_fields_do_not_run_together(cache):
    tags = {
        cache.tag("ab", "c", b"d"),
        cache.tag("a", "bc", b"d"),
        cache.tag("a", "b", b"cd"),
        cache.tag("", "ab", b"cd"),
    }
    assert len(tags) == 4


def test_a_life_of_zero_is_no_cache(clock):
    cache = PositiveCache(life=0, entries=3, monotonic=clock)
    cache.add(cache.tag("a", "1", b"x"))
    assert len(cache) == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_has_a_key_of_its_own(cache):
    before = cache.tag("a", "1", b"x")
    cache.add(before)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, bytes([len(cache)]) + cache.tag("a", "1", b"x"))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        seen = pipe.read()
    os.waitpid(child, 0)
    assert seen[0] == 0
    assert seen[1:] != before
    assert cache.age(before) is Age.FRESH


def test_finding_costs_no_hash_and_remembers_nothing(credentials, hashing, cache):
    assert credentials.find("bob", BOB) is BOB.user
    assert reason(credentials.find, "x", None) is Reason.USER_UNKNOWN
    assert reason(credentials.find, "", BOB) is Reason.USER_UNKNOWN
    assert hashing.asked == []
    assert len(cache) == 0


# version


def test_the_version_changes_with_anything_and_tells_no_password():
    entries = [
        Entry("alice", clear_password="x"),
        Entry("alicf", clear_password="x"),
        Entry("alice", clear_password="y"),
        Entry("alice", password="x"),
        Entry("alice", clear_password="x", disabled=True),
        Entry("alice", clear_password="x", roles=frozenset({"a"})),
        Entry("alice", clear_password="x", roles=frozenset({"a", "b"})),
        Entry("alice", clear_password="x", roles=frozenset({"a, b"})),
    ]
    assert len({version(entry) for entry in entries}) == len(entries)
    assert version(entries[6]) == version(Entry("alice", clear_password="x", roles=frozenset({"b", "a"})))


def test_no_secret_shows_in_a_representation():
    for record in (ALICE, BOB):
        assert f"{record.entry.name}'s" not in repr(record)
        assert record.entry.name in repr(record)
