"""What every shared store promises (wsprovider.ports.SharedStore), on each of them.

A new store joins by one more ``Harness`` in ``harness``.
"""

import multiprocessing
import time
from abc import ABC, abstractmethod
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier

import pytest

from tests.live.redis_server import RedisServer, require_redis
from wsprovider.adapters.shared import open_store
from wsprovider.ports import SharedStore
from wsprovider.words.errors import BackendError, BackendFullError

LONG = 300.0
SHARED_KEYS = 2_000
PROCESSES = 4


class Harness(ABC):
    """A kind of store. Time is what the caller says.

    Attributes:
        url: names one and the same store each time it is opened.
    """

    url: str

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.stores: list[SharedStore] = []

    def open(self, *, max_entries: int = 100_000) -> SharedStore:
        store = open_store(self.url, max_entries=max_entries)
        self.stores.append(store)
        return store

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def add(self, store: SharedStore, key: str, life: float = LONG) -> bool:
        return store.add_if_absent(key, expires=self.now + timedelta(seconds=life), now=self.now)

    def alive(self, store: SharedStore, key: str) -> bool:
        return store.contains(key, now=self.now)

    @abstractmethod
    def full_store(self) -> SharedStore:
        """A store that holds live entries only and takes no more."""

    def close(self) -> None:
        for store in self.stores:
            store.close()


class Counting(Harness):
    """Stores that have a number of entries, and free what has expired themselves."""

    def full_store(self):
        store = self.open(max_entries=50)
        for number in range(50):
            assert self.add(store, f"entry {number}")
        return store


class Memory(Counting):
    url = "memory:"


class Sqlite(Counting):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.file = folder / "var" / "shared.sqlite3"
        self.url = f"sqlite:///{self.file}"

    def broken_store(self):
        store = self.open()
        assert self.add(store, "before")
        store.before_fork()  # closes its connection
        store.after_fork_in_parent()
        for file in self.file.parent.iterdir():
            file.write_bytes(b"no database at all" * 1000)
        return store


class Redis(Harness):
    """The callers' time decides here, too; Redis' own frees an entry later."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__()
        self.server = server
        self.url = server.url

    def full_store(self):
        import redis

        store = self.open()
        with redis.Redis.from_url(self.url) as client:
            assert self.add(store, "entry 0", LONG)
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1")
        return store

    def broken_store(self):
        store = self.open()
        assert self.add(store, "before", LONG)
        self.server.stop()
        return store


REDIS = pytest.param("redis", marks=pytest.mark.live)


def made(kind, folder):
    if kind == "redis":
        require_redis()
        with RedisServer() as server:
            harness = Redis(server)
            yield harness
            harness.close()
        return
    harness = Memory() if kind == "memory" else Sqlite(folder)
    yield harness
    harness.close()


@pytest.fixture(params=["memory", "sqlite", REDIS])
def harness(request, tmp_path):
    """Every store."""
    yield from made(request.param, tmp_path)


@pytest.fixture(params=["sqlite", REDIS])
def shared(request, tmp_path):
    """Stores that several processes, and several handles one after the other, see as one."""
    yield from made(request.param, tmp_path)


@pytest.fixture(params=["memory", "sqlite"])
def counting(request, tmp_path):
    """Stores that free entries themselves."""
    yield from made(request.param, tmp_path)


# once


def test_a_key_is_added_once(harness):
    store = harness.open()
    assert harness.add(store, "a", LONG)
    assert not harness.add(store, "a", LONG)
    assert harness.add(store, "b", LONG)


@pytest.mark.parametrize("other", ["A", "a ", "a\0", "ä", "a\u0308", "x" * 100_000, ""])
def test_keys_are_told_apart_exactly(harness, other):
    store = harness.open()
    assert harness.add(store, "a", LONG)
    assert harness.add(store, other, LONG)
    assert not harness.add(store, other, LONG)


def test_of_fifty_threads_one_adds(harness):
    store = harness.open()
    together = Barrier(50)

    def attempt(_):
        together.wait()
        return harness.add(store, "the same", LONG)

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(attempt, range(50))) == 1


def test_of_many_threads_each_key_is_added_by_one(harness):
    store = harness.open()

    def run(_):
        return [number for number in range(200) if harness.add(store, f"key {number}", LONG)]

    with ThreadPoolExecutor(8) as pool:
        added = Counter(number for numbers in pool.map(run, range(8)) for number in numbers)
    assert added == dict.fromkeys(range(200), 1)


def add_all(store, now, ready, results):
    """What each process does: race for the same keys."""
    ready.wait()
    end = now + timedelta(seconds=LONG)
    results.put([n for n in range(SHARED_KEYS) if store.add_if_absent(f"key {n}", expires=end, now=now)])


def open_and_add_all(url, now, ready, results):
    store = open_store(url)
    add_all(store, now, ready, results)
    store.close()


def race(context, target, arguments):
    ready, results = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=target, args=(*arguments, ready, results)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    added = Counter(number for _ in processes for number in results.get(timeout=60))
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    return added


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_of_several_processes_each_key_is_added_by_one(shared, method):
    added = race(multiprocessing.get_context(method), open_and_add_all, (shared.url, shared.now))
    assert added == dict.fromkeys(range(SHARED_KEYS), 1)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_store_opened_and_used_before_the_fork_is_good_after_it(shared):
    store = shared.open()
    assert shared.add(store, "by the parent", LONG)
    added = race(multiprocessing.get_context("fork"), add_all, (store, shared.now))
    assert added == dict.fromkeys(range(SHARED_KEYS), 1)
    assert not shared.add(store, "by the parent", LONG)
    assert not shared.add(store, "key 0", LONG)
    assert store.size() == SHARED_KEYS + 1


def test_entries_are_there_after_opening_again(shared):
    first = shared.open()
    assert shared.add(first, "a", LONG)
    first.close()
    second = shared.open()
    assert not shared.add(second, "a", LONG)
    assert shared.add(second, "b", LONG)


def test_two_handles_see_the_same(shared):
    first, second = shared.open(), shared.open()
    assert shared.add(first, "a", LONG)
    assert shared.alive(second, "a")
    assert not shared.add(second, "a", LONG)


# time


def test_an_entry_is_alive_until_it_expires(harness):
    store = harness.open()
    assert harness.add(store, "a")
    harness.pass_time(LONG / 2)
    assert harness.alive(store, "a")
    assert not harness.add(store, "a")


def test_a_key_is_free_again_when_its_entry_has_expired(harness):
    store = harness.open()
    assert harness.add(store, "a")
    harness.pass_time(LONG + 0.1)
    assert not harness.alive(store, "a")
    assert harness.add(store, "a")
    assert not harness.add(store, "a")


@pytest.mark.parametrize(("microseconds", "free"), [(-1, False), (0, True), (1, True)])
def test_at_the_border_itself_the_key_is_free(harness, microseconds, free):
    store = harness.open()
    harness.add(store, "a", 10)
    harness.now += timedelta(seconds=10, microseconds=microseconds)
    assert harness.alive(store, "a") is not free
    assert harness.add(store, "a", 10) is free


def test_an_expiry_between_milliseconds_is_not_early(harness):
    store = harness.open()
    harness.add(store, "a", 1.000_4)
    harness.now += timedelta(seconds=1, microseconds=300)
    assert not harness.add(store, "a", 1)


def test_what_a_clock_ahead_remembered_counts_for_one_behind(harness):
    """Redis ended an entry by its own clock: who was behind by more accepted the message again."""
    ahead, behind = harness.open(), harness.open() if harness.url != "memory:" else None
    harness.now += timedelta(minutes=4)
    assert harness.add(ahead, "a", 10)
    harness.now -= timedelta(minutes=4)
    for store in (ahead, behind or ahead):
        harness.pass_time(120)
        assert harness.alive(store, "a")
        assert not harness.add(store, "a", 10)
    harness.pass_time(10)
    assert harness.add(ahead, "a", 10)


def test_a_refused_addition_does_not_prolong_the_entry(harness):
    store = harness.open()
    assert harness.add(store, "a")
    assert not harness.add(store, "a", LONG)
    harness.pass_time(LONG + 0.1)
    assert harness.add(store, "a")


def test_a_clock_set_back_frees_nothing(harness):
    store = harness.open()
    assert harness.add(store, "a", LONG)
    harness.now -= timedelta(days=1)
    assert harness.alive(store, "a")
    assert not harness.add(store, "a", LONG)


def test_a_clock_that_jumped_ahead_and_is_set_right_has_freed_nothing(harness):
    store = harness.open()
    assert harness.add(store, "a", LONG)
    harness.now += timedelta(minutes=30)
    for number in range(200):  # enough to set off any cleaning
        assert harness.add(store, f"other {number}", LONG)
    harness.now -= timedelta(minutes=30)
    assert harness.alive(store, "a")
    assert not harness.add(store, "a", LONG)


def test_time_zones_do_not_matter(harness):
    store = harness.open()
    assert harness.add(store, "a", LONG)
    harness.now = harness.now.astimezone(timezone(timedelta(hours=9)))
    assert harness.alive(store, "a")
    assert not harness.add(store, "a", LONG)


@pytest.mark.parametrize("seconds", [0, -1])
def test_an_entry_that_would_be_over_at_once_is_a_mistake(harness, seconds):
    store = harness.open()
    with pytest.raises(RuntimeError):
        harness.add(store, "a", seconds)
    assert harness.add(store, "a", LONG)


def test_a_moment_without_time_zone_is_a_mistake(harness):
    store = harness.open()
    harness.now = harness.now.replace(tzinfo=None)
    with pytest.raises(TypeError):
        harness.add(store, "a", LONG)


# asking


def test_contains_tells_and_changes_nothing(harness):
    store = harness.open()
    assert not harness.alive(store, "a")
    assert not harness.alive(store, "a")
    assert harness.add(store, "a", LONG)
    assert harness.alive(store, "a")
    assert not harness.alive(store, "b")
    assert store.size() == 1


# room


def test_a_full_store_refuses_and_forgets_nothing(harness):
    store = harness.full_store()
    with pytest.raises(BackendFullError):
        harness.add(store, "one more", LONG)
    assert not harness.alive(store, "one more")
    assert harness.alive(store, "entry 0")


def test_expired_entries_make_room(counting):
    store = counting.full_store()
    counting.pass_time(LONG)
    assert counting.add(store, "one more")
    assert counting.add(store, "entry 0")
    assert store.size() <= 50


def test_an_expired_entry_makes_room_for_its_own_key(counting):
    store = counting.open(max_entries=2)
    counting.add(store, "short", 10)
    counting.add(store, "long", 100)
    counting.pass_time(50)
    assert counting.add(store, "short", 100)
    with pytest.raises(BackendFullError):
        counting.add(store, "another", 100)
    assert not counting.add(store, "long", 100)


def test_remove_expired_frees_the_expired_only(harness):
    store = harness.open()
    for number in range(1_000 if isinstance(harness, Counting) else 20):
        harness.add(store, f"short {number}")
    harness.add(store, "long", LONG * 2)
    harness.pass_time(LONG + 0.1)
    freed = store.remove_expired(now=harness.now)
    assert freed == (1_000 if isinstance(harness, Counting) else 0)
    assert harness.alive(store, "long")
    if isinstance(harness, Counting):
        assert store.size() == 1


def test_nothing_grows_forever(counting):
    store = counting.open()
    largest = 0
    for number in range(6_000):
        counting.add(store, f"key {number}", 300)
        counting.pass_time(10)  # an hour's grace and the life hold 390 of them
        largest = max(largest, store.size())
    assert largest < 1_000


# failing


def test_a_closed_store_refuses(harness):
    store = harness.open()
    harness.add(store, "a", LONG)
    store.close()
    store.close()
    for operation in (
        lambda: harness.add(store, "b", LONG),
        lambda: harness.alive(store, "a"),
        lambda: store.remove_expired(now=harness.now),
        store.size,
    ):
        with pytest.raises(BackendError):
            operation()


def test_a_backend_that_went_away_refuses_soon(shared):
    store = shared.broken_store()
    begin = time.monotonic()
    with pytest.raises(BackendError):
        shared.add(store, "a", LONG)
    with pytest.raises(BackendError):
        shared.alive(store, "before")
    assert time.monotonic() - begin < 2.0
