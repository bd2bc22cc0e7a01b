"""What the records of every shared store promise (wsprovider.ports.Records), on each of them.

A new store joins by one more ``Place`` in ``place``.
"""

import itertools
import multiprocessing
import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.live.redis_server import RedisServer, require_redis
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.adapters.shared.redis import PREFIX, RedisStore
from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.ports import Record, Room, Totals
from wsprovider.words.errors import BackendError

# far from the time of any server: what is alive is the caller's to say
NOW = datetime(2001, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE = 60.0
"""Seconds to wait for a lock or an answer: races are about who wins, not about when."""

KIND = "context"
THREADS = 16
PROCESSES = 4


def after(seconds, microseconds=0):
    return NOW + timedelta(seconds=seconds, microseconds=microseconds)


def opened(url, prefix=PREFIX):
    if url == "memory:":
        return MemoryStore()
    if url.startswith("sqlite:"):
        return SqliteStore(Path(url.removeprefix("sqlite:///")), timeout=PATIENCE)
    return RedisStore(url, prefix=prefix, timeout=PATIENCE)


class Place(ABC):
    """A kind of store.

    Attributes:
        url: names one and the same store each time it is opened.
    """

    url: str

    def __init__(self):
        self.stores = []

    def open(self):
        return self._noted(opened(self.url))

    @abstractmethod
    def another(self):
        """A store that is empty and knows nothing of the others."""

    @abstractmethod
    def held(self, store):
        """How many records take up memory, expired ones included."""

    @abstractmethod
    def check(self, store):
        """Fail when what the store holds contradicts itself."""

    def close(self):
        for store in self.stores:
            store.close()

    def _noted(self, store):
        self.stores.append(store)
        return store


class Memory(Place):
    url = "memory:"

    def another(self):
        return self.open()

    def held(self, store):
        return len(store._kinds[KIND].held)

    def check(self, store):
        kind = store._kinds[KIND]
        assert kind.by_owner == Counter(one.owner for one in kind.held.values())
        assert len(kind.held) == kind.kept - kind.removed - kind.expired
        assert {(one.expires, key) for key, one in kind.held.items()} <= set(kind.queue)


class Sqlite(Place):
    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.url = f"sqlite:///{folder / 'shared.sqlite3'}"
        self.numbers = itertools.count()

    def another(self):
        return self._noted(opened(f"sqlite:///{self.folder / f'another {next(self.numbers)}.sqlite3'}"))

    def held(self, store):
        with store._connected() as connection:
            return connection.execute("SELECT count(*) FROM records").fetchone()[0]

    def check(self, store):
        with store._connected() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            counted = connection.execute("SELECT kept - removed - expired FROM record_totals").fetchone() or (
                0,
            )
            assert connection.execute("SELECT count(*) FROM records").fetchone() == counted

    def break_it(self, store):
        store.before_fork()  # closes its connection
        store.after_fork_in_parent()
        for file in self.folder.iterdir():
            file.write_bytes(b"no database at all" * 1000)


class Redis(Place):
    def __init__(self, server):
        super().__init__()
        self.server = server
        self.url = server.url
        self.numbers = itertools.count()

    def another(self):
        return self._noted(opened(self.url, prefix=f"another {next(self.numbers)}:"))

    def held(self, store):
        return sum(1 for _ in store._client.scan_iter(f"{PREFIX}record:{KIND}:*"))

    def check(self, store):
        client, prefix = store._client, store._prefix.decode()
        expiries = dict(client.zrange(f"{prefix}expiries:{KIND}", 0, -1, withscores=True))
        by_owner = {}
        for name in client.scan_iter(f"{prefix}owner:{KIND}:*"):
            for key, expires in client.zrange(name, 0, -1, withscores=True):
                assert client.hget(f"{prefix}record:{KIND}:".encode() + key, "owner") == name
                by_owner[key] = expires
        records = {
            name.removeprefix(f"{prefix}record:{KIND}:".encode()): int(client.hget(name, "expires"))
            for name in client.scan_iter(f"{prefix}record:{KIND}:*")
        }
        assert expiries == records == by_owner
        for key, expires in records.items():
            known = client.hgetall(f"{prefix}record:{KIND}:".encode() + key)
            assert known[b"record"].startswith(b"%s %d " % (known[b"version"], expires))
        assert -1 not in [client.pttl(name) for name in client.scan_iter(f"{prefix}*")]

    def break_it(self, store):
        self.server.stop()


REDIS = pytest.param("redis", marks=pytest.mark.live)


def made(kind, folder):
    if kind == "redis":
        require_redis()
        with RedisServer() as server:
            place = Redis(server)
            yield place
            place.close()
        return
    place = Memory() if kind == "memory" else Sqlite(folder)
    yield place
    place.close()


@pytest.fixture(params=["memory", "sqlite", REDIS])
def place(request, tmp_path):
    """Every store."""
    yield from made(request.param, tmp_path)


@pytest.fixture(params=["sqlite", REDIS])
def shared(request, tmp_path):
    """Stores that several processes see as one."""
    yield from made(request.param, tmp_path)


@pytest.fixture
def store(place):
    return place.open()


def keep(
    store,
    key,
    value=b"value",
    *,
    kind=KIND,
    owner="owner",
    life=3600,
    now=NOW,
    owner_limit=10**6,
    limit=10**6,
):
    return store.keep(
        kind,
        key,
        value,
        owner=owner,
        expires=now + timedelta(seconds=life),
        now=now,
        owner_limit=owner_limit,
        limit=limit,
    )


def listed(store, now=NOW, kind=KIND):
    return sorted(store.records(kind, now=now), key=lambda record: record.key)


# one record


def test_what_is_kept_is_found(store):
    assert keep(store, "a", b"one") is Room.KEPT
    assert store.record(KIND, "a", now=NOW) == Record("a", b"one", 1, after(3600))
    assert store.record(KIND, "b", now=NOW) is None
    assert listed(store) == [Record("a", b"one", 1, after(3600))]
    assert store.totals(KIND, now=NOW) == Totals(live=1, kept=1, replaced=0, removed=0, expired=0)


@pytest.mark.parametrize(
    "value", [b"", bytes(range(256)), b"\0", b"\xff" * 4096, os.urandom(200_000)], ids=len
)
def test_a_value_comes_back_byte_by_byte(store, value):
    assert keep(store, "a", value) is Room.KEPT
    assert store.record(KIND, "a", now=NOW).value == value
    assert store.replace(KIND, "a", value + value, version=1, expires=after(1), now=NOW)
    assert store.record(KIND, "a", now=NOW).value == value + value
    assert [record.value for record in store.records(KIND, now=NOW)] == [value + value]


def test_an_expiry_comes_back_as_it_was_given(store):
    zone = timezone(timedelta(hours=9))
    expires = after(5, 123_457).astimezone(zone)
    store.keep(KIND, "a", b"", owner="o", expires=expires, now=NOW.astimezone(zone), owner_limit=1, limit=1)
    assert store.record(KIND, "a", now=NOW).expires == expires
    assert store.record(KIND, "a", now=NOW).expires.tzinfo is UTC


@pytest.mark.parametrize(
    "other",
    ["A", "a ", " a", "a\0", "\0", "ä", "a\u0308", "a:", ":", "*", "%", "x" * 256, "\U0001f511" * 256],
)
def test_keys_are_told_apart_exactly(store, other):
    assert keep(store, "a", b"one") is Room.KEPT
    assert keep(store, other, b"two") is Room.KEPT
    assert keep(store, other, b"three") is Room.TAKEN
    assert {record.key: record.value for record in listed(store)} == {"a": b"one", other: b"two"}
    assert store.remove(KIND, other, version=1, now=NOW)
    assert store.record(KIND, other, now=NOW) is None
    assert store.record(KIND, "a", now=NOW).value == b"one"


@pytest.mark.parametrize("key", ["", "x" * 257, "\udc80"])
def test_a_key_that_cannot_be_kept_is_a_mistake_to_keep_and_found_nowhere(store, key):
    with pytest.raises(RuntimeError):
        keep(store, key)
    assert store.record(KIND, key, now=NOW) is None
    assert not store.replace(KIND, key, b"", version=1, expires=after(1), now=NOW)
    assert not store.remove(KIND, key, version=None, now=NOW)
    assert store.totals(KIND, now=NOW) == Totals(0, 0, 0, 0, 0)


def test_kinds_do_not_meet(store):
    assert keep(store, "a", b"one") is Room.KEPT
    assert keep(store, "a", b"two", kind="other", limit=1, owner_limit=1) is Room.KEPT
    assert store.remove(KIND, "a", version=None, now=NOW)
    assert store.record("other", "a", now=NOW).value == b"two"
    assert store.totals(KIND, now=NOW) == Totals(0, 1, 0, 1, 0)
    assert store.totals("other", now=NOW) == Totals(1, 1, 0, 0, 0)
    assert store.totals("third", now=NOW) == Totals(0, 0, 0, 0, 0)
    assert listed(store) == []


def test_records_and_entries_do_not_meet(store):
    assert keep(store, "a") is Room.KEPT
    assert store.add_if_absent("a", expires=after(1), now=NOW)
    assert store.remove(KIND, "a", version=None, now=NOW)
    assert store.contains("a", now=NOW)


def test_a_taken_key_keeps_its_record(store):
    assert keep(store, "a", b"one") is Room.KEPT
    assert keep(store, "a", b"two", owner="another") is Room.TAKEN
    assert store.record(KIND, "a", now=NOW) == Record("a", b"one", 1, after(3600))
    assert store.totals(KIND, now=NOW) == Totals(1, 1, 0, 0, 0)


def test_several_are_found_at_once_and_only_the_live_ones(store):
    keep(store, "a", b"one")
    keep(store, "b", b"two", life=10)
    keep(store, "c", b"other", kind="ticket")
    store.replace(KIND, "a", b"three", version=1, expires=after(3600), now=NOW)
    asked = ["b", "a", "c", "d", "a", "", "x" * 300]
    assert store.several(KIND, asked, now=NOW) == {
        "a": Record("a", b"three", 2, after(3600)),
        "b": Record("b", b"two", 1, after(10)),
    }
    assert store.several(KIND, asked, now=after(10)).keys() == {"a"}
    assert store.several(KIND, [], now=NOW) == store.several(KIND, ["d"], now=NOW) == {}


def test_several_of_a_store_that_is_closed(store):
    store.close()
    with pytest.raises(BackendError):
        store.several(KIND, ["a"], now=NOW)


def test_a_replacement_needs_the_version(store):
    keep(store, "a", b"one")
    assert not store.replace(KIND, "a", b"no", version=0, expires=after(1), now=NOW)
    assert not store.replace(KIND, "a", b"no", version=2, expires=after(1), now=NOW)
    assert not store.replace(KIND, "b", b"no", version=1, expires=after(1), now=NOW)
    assert store.replace(KIND, "a", b"two", version=1, expires=after(7200), now=NOW)
    assert not store.replace(KIND, "a", b"no", version=1, expires=after(1), now=NOW)
    assert store.replace(KIND, "a", b"three", version=2, expires=after(10), now=NOW)
    assert store.record(KIND, "a", now=NOW) == Record("a", b"three", 3, after(10))
    assert store.totals(KIND, now=NOW) == Totals(live=1, kept=1, replaced=2, removed=0, expired=0)


def test_a_removal_needs_the_version_or_none(store):
    keep(store, "a")
    keep(store, "b")
    assert not store.remove(KIND, "a", version=2, now=NOW)
    assert store.remove(KIND, "a", version=1, now=NOW)
    assert not store.remove(KIND, "a", version=1, now=NOW)
    assert store.remove(KIND, "b", version=None, now=NOW)
    assert not store.remove(KIND, "b", version=None, now=NOW)
    assert store.totals(KIND, now=NOW) == Totals(live=0, kept=2, replaced=0, removed=2, expired=0)
    assert keep(store, "a", b"anew") is Room.KEPT
    assert store.record(KIND, "a", now=NOW) == Record("a", b"anew", 1, after(3600))


def test_a_value_is_not_shown(store):
    keep(store, "a", b"secret")
    assert "secret" not in repr(store.record(KIND, "a", now=NOW))


# time


@pytest.mark.parametrize(("microseconds", "alive"), [(-1, True), (0, False), (1, False)])
def test_a_record_is_gone_when_its_time_has_come(store, microseconds, alive):
    keep(store, "a", life=10.000_3)
    now = after(10, 300 + microseconds)
    assert (store.record(KIND, "a", now=now) is not None) is alive
    assert (len(listed(store, now)) == 1) is alive
    assert store.replace(KIND, "a", b"", version=1, expires=after(10, 300), now=now) is alive
    assert store.totals(KIND, now=now) == Totals(int(alive), 1, int(alive), 0, int(not alive))
    assert store.remove(KIND, "a", version=None, now=now) is alive
    assert keep(store, "a", now=now) is Room.KEPT


def test_what_has_expired_is_not_there_whether_it_was_freed_or_not(place, store):
    keep(store, "a", life=10)
    now = after(10)
    assert store.record(KIND, "a", now=now) is None
    assert not store.replace(KIND, "a", b"", version=1, expires=after(100), now=now)
    assert not store.remove(KIND, "a", version=1, now=now)
    assert not store.remove(KIND, "a", version=None, now=now)
    assert listed(store, now) == []
    assert place.held(store) == 1
    assert store.totals(KIND, now=now) == Totals(0, 1, 0, 0, 1)


def test_a_replacement_moves_the_expiry_both_ways(store):
    keep(store, "longer", owner="longer", life=10)
    keep(store, "shorter", owner="shorter", life=100)
    assert store.replace(KIND, "longer", b"", version=1, expires=after(100), now=NOW)
    assert store.replace(KIND, "shorter", b"", version=1, expires=after(10), now=NOW)
    assert [record.key for record in listed(store, after(50))] == ["longer"]
    assert keep(store, "a", owner="longer", now=after(50), owner_limit=1) is Room.OWNER_FULL
    assert keep(store, "a", owner="shorter", now=after(50), owner_limit=1) is Room.KEPT
    assert store.totals(KIND, now=after(50)) == Totals(2, 3, 2, 0, 1)
    assert store.totals(KIND, now=after(100)) == Totals(1, 3, 2, 0, 2)


def test_a_replacement_that_has_expired_ends_the_record(place, store):
    keep(store, "a")
    assert store.replace(KIND, "a", b"", version=1, expires=NOW - timedelta(days=3), now=NOW)
    assert store.record(KIND, "a", now=NOW) is None
    assert store.totals(KIND, now=NOW) == Totals(0, 1, 1, 0, 1)
    place.check(store)


def test_an_expired_record_gives_its_key_free_and_counts_once(store):
    keep(store, "a", b"one", owner="first", life=10)
    assert keep(store, "a", b"two", owner="second", now=after(10), owner_limit=1, limit=1) is Room.KEPT
    assert store.record(KIND, "a", now=after(10)) == Record("a", b"two", 1, after(3610))
    assert store.totals(KIND, now=after(10)) == Totals(live=1, kept=2, replaced=0, removed=0, expired=1)
    assert keep(store, "b", owner="first", now=after(10), owner_limit=1) is Room.KEPT
    assert keep(store, "c", owner="second", now=after(10), owner_limit=1) is Room.OWNER_FULL
    assert store.totals(KIND, now=after(9999)) == Totals(live=0, kept=3, replaced=0, removed=0, expired=3)


def test_an_expired_record_whose_turn_to_be_freed_has_not_come_counts_once_too(place, store):
    for number in range(100):
        keep(store, f"{number}", life=10)
    keep(store, "last", owner="first", life=20)
    assert keep(store, "last", owner="second", now=after(20)) is Room.KEPT
    assert place.held(store) > 1
    place.check(store)
    assert store.totals(KIND, now=after(20)) == Totals(live=1, kept=102, replaced=0, removed=0, expired=101)
    place.check(store)


@pytest.mark.parametrize("life", [0, -1])
def test_a_record_that_would_be_over_at_once_is_a_mistake(store, life):
    with pytest.raises(RuntimeError):
        keep(store, "a", life=life)


def test_a_moment_without_time_zone_is_a_mistake(store):
    keep(store, "a")
    bare = NOW.replace(tzinfo=None)
    for operation in (
        lambda: keep(store, "b", now=bare),
        lambda: store.record(KIND, "a", now=bare),
        lambda: store.replace(KIND, "a", b"", version=1, expires=bare, now=NOW),
        lambda: store.remove(KIND, "a", version=None, now=bare),
        lambda: store.records(KIND, now=bare),
        lambda: store.totals(KIND, now=bare),
    ):
        with pytest.raises(TypeError):
            operation()
    assert store.totals(KIND, now=NOW) == Totals(1, 1, 0, 0, 0)


def test_totals_free_all_that_has_expired(place, store):
    for number in range(700):
        keep(store, f"{number}", life=10 + number % 2)
    assert store.totals(KIND, now=after(10)) == Totals(350, 700, 0, 0, 350)
    assert place.held(store) == 350
    assert store.totals(KIND, now=after(11)) == Totals(0, 700, 0, 0, 700)
    assert place.held(store) == 0


def test_nothing_grows_for_ever(place, store):
    largest = 0
    for number in range(1_000):
        assert keep(store, f"{number}", now=after(number), life=20) is Room.KEPT
        if number % 100 == 0:
            largest = max(largest, place.held(store))
    assert largest <= 22
    assert store.totals(KIND, now=after(999)) == Totals(20, 1_000, 0, 0, 980)


# room


def test_an_owner_has_so_many(store):
    for number in range(3):
        assert keep(store, f"{number}", owner_limit=3) is Room.KEPT
    assert keep(store, "3", owner_limit=3) is Room.OWNER_FULL
    assert keep(store, "3", owner_limit=3, owner="another") is Room.KEPT
    assert keep(store, "4", owner_limit=4) is Room.KEPT
    assert keep(store, "0", owner_limit=3) is Room.TAKEN
    assert keep(store, "5", owner_limit=4) is Room.OWNER_FULL
    assert store.remove(KIND, "1", version=None, now=NOW)
    assert keep(store, "5", owner_limit=4) is Room.KEPT


def test_there_are_so_many(store):
    for number in range(3):
        assert keep(store, f"{number}", owner=f"{number}", limit=3) is Room.KEPT
    assert keep(store, "3", owner="3", limit=3) is Room.FULL
    assert keep(store, "0", owner="3", limit=3) is Room.TAKEN
    assert keep(store, "3", owner="0", limit=3, owner_limit=1) is Room.OWNER_FULL
    assert store.remove(KIND, "1", version=None, now=NOW)
    assert keep(store, "3", owner="3", limit=3) is Room.KEPT
    assert store.totals(KIND, now=NOW) == Totals(3, 4, 0, 1, 0)


def test_no_room_at_all(store):
    assert keep(store, "a", owner_limit=0) is Room.OWNER_FULL
    assert keep(store, "a", limit=0) is Room.FULL
    assert store.totals(KIND, now=NOW) == Totals(0, 0, 0, 0, 0)


def test_what_has_expired_takes_no_room(store):
    """More than one bite of it, too."""
    for number in range(500):
        assert keep(store, f"{number}", life=10) is Room.KEPT
    for number in range(5):
        assert keep(store, f"long {number}", owner="another", life=100) is Room.KEPT
    for number in range(2):
        assert keep(store, f"new {number}", now=after(10), owner_limit=2, limit=7) is Room.KEPT
    assert keep(store, "new 2", now=after(10), owner_limit=2, limit=8) is Room.OWNER_FULL
    assert keep(store, "new 2", now=after(10), owner_limit=3, limit=7) is Room.FULL
    assert store.totals(KIND, now=after(10)) == Totals(live=7, kept=507, replaced=0, removed=0, expired=500)


@pytest.mark.parametrize("owner", ["", "CN=A, O=Ä" * 1000, "\0", "\udc80"])
def test_any_text_can_be_an_owner(store, owner):
    assert keep(store, "a", owner=owner, owner_limit=1) is Room.KEPT
    assert keep(store, "b", owner=owner, owner_limit=1) is Room.OWNER_FULL
    assert keep(store, "b", owner=owner + " ", owner_limit=1) is Room.KEPT


# listing


def test_many_are_listed_once_each(store):
    for number in range(1_200):
        keep(store, f"{number}", b"%d" % number, life=10 if number % 3 == 0 else 100)
    keep(store, "other", kind="other")
    found = list(store.records(KIND, now=after(10)))
    assert Counter(record.key for record in found) == {f"{n}": 1 for n in range(1_200) if n % 3}
    assert all(record.value == record.key.encode() for record in found)


def test_the_store_can_be_used_while_it_is_listed(store):
    for number in range(900):
        keep(store, f"{number}")
    seen = []
    for record in store.records(KIND, now=NOW):
        seen.append(record.key)
        number = int(record.key)
        if number % 3 == 1:
            assert store.remove(KIND, record.key, version=None, now=NOW)
        elif number % 3 == 2:
            assert store.replace(KIND, record.key, b"", version=1, expires=after(number + 1), now=NOW)
    assert sorted(seen, key=int) == [f"{number}" for number in range(900)]
    assert len(listed(store)) == 600


def test_an_unfinished_listing_holds_nothing_up(store):
    for number in range(300):
        keep(store, f"{number}")
    listing = store.records(KIND, now=NOW)
    next(listing)
    assert keep(store, "one more") is Room.KEPT
    assert store.totals(KIND, now=NOW).live == 301


# races of threads


def together(number, action):
    """The results of that many threads which begin at once."""
    barrier = Barrier(number)

    def run(index):
        barrier.wait()
        return action(index)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # or a thread would be done with what it does before another has its turn
    try:
        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(run, range(number)))
    finally:
        sys.setswitchinterval(interval)


def count_up(store, times):
    """Add to a number by compare and set; how often another was faster."""
    retries = 0
    for _ in range(times):
        while True:
            found = store.record(KIND, "number", now=NOW)
            value = b"%d" % (int(found.value) + 1)
            if store.replace(KIND, "number", value, version=found.version, expires=found.expires, now=NOW):
                break
            retries += 1
    return retries


def test_threads_lose_no_update(store):
    keep(store, "number", b"0")
    together(THREADS, lambda _: count_up(store, 25))
    assert store.record(KIND, "number", now=NOW) == Record("number", b"400", 401, after(3600))
    assert store.totals(KIND, now=NOW) == Totals(1, 1, 400, 0, 0)


def test_of_many_threads_one_keeps(store):
    rooms = together(THREADS, lambda index: [keep(store, f"{n}", b"%d" % index) for n in range(20)])
    for number in range(20):
        of_key = [room[number] for room in rooms]
        assert Counter(of_key) == {Room.KEPT: 1, Room.TAKEN: THREADS - 1}
        assert store.record(KIND, f"{number}", now=NOW).value == b"%d" % of_key.index(Room.KEPT)


@pytest.mark.parametrize("version", [1, None])
def test_of_many_threads_one_removes(store, version):
    for number in range(20):
        keep(store, f"{number}")
    removed = together(
        THREADS, lambda _: [store.remove(KIND, f"{n}", version=version, now=NOW) for n in range(20)]
    )
    assert [sum(of_key) for of_key in zip(*removed, strict=True)] == [1] * 20
    assert store.totals(KIND, now=NOW) == Totals(0, 20, 0, 20, 0)


def test_of_replacing_and_removing_one_wins(store):
    for number in range(20):
        keep(store, f"{number}")

    def change(index, key):
        if index % 2:
            return store.remove(KIND, key, version=1, now=NOW)
        return store.replace(KIND, key, b"", version=1, expires=after(10), now=NOW)

    won = together(THREADS, lambda index: [change(index, f"{n}") for n in range(20)])
    assert [sum(of_key) for of_key in zip(*won, strict=True)] == [1] * 20
    totals = store.totals(KIND, now=NOW)
    assert totals.replaced + totals.removed == totals.kept == 20
    assert totals.live == totals.replaced == len(listed(store))


def test_of_many_threads_one_keeps_in_the_place_of_an_expired_record(store):
    keep(store, "a", life=10)
    rooms = together(THREADS, lambda index: keep(store, "a", owner=f"{index}", now=after(10)))
    assert Counter(rooms) == {Room.KEPT: 1, Room.TAKEN: THREADS - 1}
    assert store.totals(KIND, now=after(10)) == Totals(1, 2, 0, 0, 1)


def fill(store, index, owners, owner_limit, limit):
    """Keep more than there is room for; how many of which owner were kept."""
    kept = Counter()
    for number in range(20):
        owner = f"owner {number % owners}"
        room = keep(store, f"{index} {number}", owner=owner, owner_limit=owner_limit, limit=limit)
        kept[owner] += room is Room.KEPT
    return kept


@pytest.mark.parametrize(("owners", "owner_limit", "limit", "expected"), [(4, 7, 1000, 28), (20, 5, 33, 33)])
def test_threads_do_not_pass_the_limits(store, owners, owner_limit, limit, expected):
    kept = sum(together(THREADS, lambda index: fill(store, index, owners, owner_limit, limit)), Counter())
    assert kept.total() == expected
    assert max(kept.values()) <= owner_limit
    assert store.totals(KIND, now=NOW) == Totals(expected, expected, 0, 0, 0)


# races of processes


def in_processes(method, action, *arguments):
    context = multiprocessing.get_context(method)
    ready, results = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(target=run_in_process, args=(action, arguments, index, ready, results))
        for index in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    gathered = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    return gathered


def run_in_process(action, arguments, index, ready, results):
    ready.wait()
    results.put(action(index, *arguments))


def count_up_in_process(_, url):
    store = opened(url)
    retries = count_up(store, 100)
    store.close()
    return retries


def count_up_inherited(_, store):
    return count_up(store, 100)


def fill_in_process(index, url, *limits):
    store = opened(url)
    kept = fill(store, index, *limits)
    store.close()
    return kept


def remove_in_process(_, url):
    store = opened(url)
    removed = [store.remove(KIND, f"{n}", version=None, now=NOW) for n in range(200)]
    store.close()
    return removed


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_lose_no_update(shared, method):
    store = shared.open()
    keep(store, "number", b"0")
    in_processes(method, count_up_in_process, shared.url)
    assert store.record(KIND, "number", now=NOW) == Record("number", b"400", 401, after(3600))
    assert store.totals(KIND, now=NOW) == Totals(1, 1, 400, 0, 0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_store_opened_before_the_fork_loses_no_update(shared):
    store = shared.open()
    keep(store, "number", b"0")
    in_processes("fork", count_up_inherited, store)
    assert store.record(KIND, "number", now=NOW).version == 401


@pytest.mark.parametrize(("owners", "owner_limit", "limit", "expected"), [(4, 7, 1000, 28), (20, 5, 33, 33)])
def test_processes_do_not_pass_the_limits(shared, owners, owner_limit, limit, expected):
    store = shared.open()
    kept = sum(in_processes("spawn", fill_in_process, shared.url, owners, owner_limit, limit), Counter())
    assert kept.total() == expected
    assert max(kept.values()) <= owner_limit
    assert store.totals(KIND, now=NOW) == Totals(expected, expected, 0, 0, 0)


def test_of_several_processes_one_removes(shared):
    store = shared.open()
    for number in range(200):
        keep(store, f"{number}")
    removed = in_processes("spawn", remove_in_process, shared.url)
    assert [sum(of_key) for of_key in zip(*removed, strict=True)] == [1] * 200
    assert store.totals(KIND, now=NOW) == Totals(0, 200, 0, 200, 0)


def work_until_killed(url, done):
    """Each round keeps, replaces, and removes what the round before has kept; one in four expires."""
    store = opened(url)
    for number in itertools.count():
        life = 10 if number % 4 == 0 else 3600
        assert keep(store, f"{number}", life=life) is Room.KEPT
        assert store.replace(KIND, f"{number}", b"two", version=1, expires=after(life), now=NOW)
        if number % 2:
            assert store.remove(KIND, f"{number}", version=2, now=NOW)
        done.value = number + 1


def test_a_killed_writer_leaves_totals_that_add_up(shared):
    context = multiprocessing.get_context("spawn")
    done = context.Value("L", 0, lock=False)
    writer = context.Process(target=work_until_killed, args=(shared.url, done))
    writer.start()
    deadline = time.monotonic() + PATIENCE
    while done.value < 1_000 and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(10)
    count = done.value
    assert count >= 1_000
    store = shared.open()
    before = store.totals(KIND, now=NOW)
    shared.check(store)
    assert before.live == len(listed(store)) == before.kept - before.removed
    assert count <= before.kept <= count + 1  # one round may have been under way
    assert count <= before.replaced <= before.kept
    assert {f"{n}" for n in range(0, count, 2)} <= {record.key for record in listed(store)}
    totals = store.totals(KIND, now=after(10))
    assert totals.kept == totals.live + totals.removed + totals.expired
    assert totals.live == len(listed(store, after(10)))
    assert totals.expired >= count // 4
    shared.check(store)


# failing


def test_a_closed_store_refuses(store):
    keep(store, "a")
    listing = store.records(KIND, now=NOW)
    store.close()
    for operation in (
        lambda: keep(store, "b"),
        lambda: store.record(KIND, "a", now=NOW),
        lambda: store.replace(KIND, "a", b"", version=1, expires=after(1), now=NOW),
        lambda: store.remove(KIND, "a", version=None, now=NOW),
        lambda: list(store.records(KIND, now=NOW)),
        lambda: next(listing),
        lambda: store.totals(KIND, now=NOW),
    ):
        with pytest.raises(BackendError):
            operation()


def test_a_backend_that_went_away_refuses(shared):
    store = shared.open()
    keep(store, "a")
    shared.break_it(store)
    for operation in (
        lambda: keep(store, "b"),
        lambda: store.record(KIND, "a", now=NOW),
        lambda: store.replace(KIND, "a", b"", version=1, expires=after(1), now=NOW),
        lambda: store.remove(KIND, "a", version=None, now=NOW),
        lambda: list(store.records(KIND, now=NOW)),
        lambda: store.totals(KIND, now=NOW),
    ):
        with pytest.raises(BackendError):
            operation()


# against a plain model


@dataclass
class Modelled:
    record: Record
    owner: str


class Model:
    """The promise, written down without any care for cost."""

    def __init__(self):
        self.records = {}
        self.counts = SimpleNamespace(kept=0, replaced=0, removed=0, expired=0)

    def free(self, now):
        for key in [key for key, one in self.records.items() if one.record.expires <= now]:
            del self.records[key]
            self.counts.expired += 1

    def keep(self, key, value, owner, expires, owner_limit, limit):
        if key in self.records:
            return Room.TAKEN
        if sum(one.owner == owner for one in self.records.values()) >= owner_limit:
            return Room.OWNER_FULL
        if len(self.records) >= limit:
            return Room.FULL
        self.records[key] = Modelled(Record(key, value, 1, expires), owner)
        self.counts.kept += 1
        return Room.KEPT

    def replace(self, key, value, version, expires):
        one = self.records.get(key)
        if one is None or one.record.version != version:
            return False
        one.record = Record(key, value, version + 1, expires)
        self.counts.replaced += 1
        return True

    def remove(self, key, version):
        if key not in self.records or version not in {None, self.records[key].record.version}:
            return False
        del self.records[key]
        self.counts.removed += 1
        return True

    def totals(self):
        return Totals(live=len(self.records), **vars(self.counts))


KEYS = st.sampled_from(["a", "b", "c", "d"])
OWNERS = st.sampled_from(["x", "y"])
LIVES = st.integers(1, 6)
VALUES = st.binary(max_size=4)
STEPS = st.one_of(
    st.tuples(st.just("keep"), KEYS, VALUES, OWNERS, LIVES, st.integers(1, 3), st.integers(2, 4)),
    st.tuples(st.just("replace"), KEYS, VALUES, st.integers(1, 3), LIVES),
    st.tuples(st.just("remove"), KEYS, st.none() | st.integers(1, 3)),
    st.tuples(st.just("record"), KEYS),
    st.tuples(st.just("pass"), st.integers(1, 4)),
    st.tuples(st.just("list")),
    st.tuples(st.just("totals")),
)


def step(store, model, now, what, *arguments):
    """What the store and the model answer to the same."""
    match what, *arguments:
        case "keep", key, value, owner, life, owner_limit, limit:
            room = keep(
                store, key, value, owner=owner, life=life, now=now, owner_limit=owner_limit, limit=limit
            )
            return room, model.keep(key, value, owner, now + timedelta(seconds=life), owner_limit, limit)
        case "replace", key, value, version, life:
            expires = now + timedelta(seconds=life)
            replaced = store.replace(KIND, key, value, version=version, expires=expires, now=now)
            return replaced, model.replace(key, value, version, expires)
        case "remove", key, version:
            return store.remove(KIND, key, version=version, now=now), model.remove(key, version)
        case "record", key:
            known = model.records.get(key)
            return store.record(KIND, key, now=now), known and known.record
        case ("list",):
            return listed(store, now), [model.records[key].record for key in sorted(model.records)]
    return store.totals(KIND, now=now), model.totals()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_any_sequence_is_answered_as_by_the_model(place, steps):
    store, model, now = place.another(), Model(), NOW
    for what, *arguments in [*steps, ("list",), ("totals",)]:
        if what == "pass":
            now += timedelta(seconds=arguments[0])
        model.free(now)
        if what != "pass":
            ours, theirs = step(store, model, now, what, *arguments)
            assert ours == theirs
    totals = store.totals(KIND, now=now)
    assert totals.kept == totals.live + totals.removed + totals.expired
    place.check(store)
    store.close()
