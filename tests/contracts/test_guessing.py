"""Counts of wrong passwords over every shared store: what one worker counts, the others know."""

import multiprocessing
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from tests.live.redis_server import RedisServer, require_redis
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.adapters.shared.redis import RedisStore
from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.exchange.guessing.attempt import Guesses
from wsprovider.exchange.guessing.counts import KIND, Count, user_key
from wsprovider.exchange.guessing.settings import GuessingSettings, Scale
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

NOW = datetime(2001, 3, 1, 12, 0, tzinfo=UTC)
SETTINGS = GuessingSettings(caller=Scale(3, timedelta(minutes=10)))
PATIENCE = 60.0
HERE = "192.0.2.1"
REDIS = pytest.param("redis", marks=pytest.mark.live)


def opened(url):
    if url.startswith("sqlite:"):
        return SqliteStore(Path(url.removeprefix("sqlite:///")), timeout=PATIENCE)
    return RedisStore(url, timeout=PATIENCE)


@pytest.fixture(params=["sqlite", REDIS])
def url(request, tmp_path):
    """A store that several workers see as one."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shared.sqlite3'}"
        return
    require_redis()
    with RedisServer() as server:
        yield server.url


@pytest.fixture
def workers(url):
    """Two workers, each with a store of its own."""
    stores = [opened(url), opened(url)]
    yield [Guesses(store, SETTINGS, "users.toml") for store in stores]
    for store in stores:
        store.close()


def attempt(guesses, *, right=False, name="alice", peer=HERE, now=NOW):
    """The Reason of a refusal; None for a success."""
    try:
        with guesses.attempt(name, peer, now) as one:
            one.admit(remembered=False)
            judge(right=right)
    except WSSecurityError as error:
        return error.reason
    return None


def judge(*, right):
    if not right:
        raise WSSecurityError(Reason.PASSWORD_WRONG)


def test_two_workers_have_one_count(workers):
    one, other = workers
    reasons = [attempt(worker) for worker in (one, other, one, other, one, other)]
    assert reasons == [Reason.PASSWORD_WRONG] * 4 + [Reason.AUTHENTICATION_BACKOFF] * 2
    assert attempt(other, right=True, now=NOW + timedelta(seconds=1)) is None
    assert attempt(one, now=NOW + timedelta(seconds=1)) is Reason.PASSWORD_WRONG


def test_who_is_known_to_one_is_known_to_the_other(workers):
    one, other = workers
    assert attempt(one, right=True) is None
    for number in range(40):
        attempt(other, name=f"user {number}")
        attempt(other, peer=f"198.51.100.{number}")
    assert attempt(other, name="bob", right=True) is Reason.AUTHENTICATION_BACKOFF
    assert attempt(other, right=True) is None


def test_of_many_at_the_same_time_one_is_heard(workers):
    for _ in range(4):
        attempt(workers[0])
    later, begin = NOW + timedelta(seconds=1), Barrier(8)

    def guess(number):
        begin.wait(PATIENCE)
        return attempt(workers[number % 2], now=later)

    with ThreadPoolExecutor(8) as pool:
        counted = Counter(pool.map(guess, range(8)))
    assert counted == {Reason.PASSWORD_WRONG: 1, Reason.AUTHENTICATION_BACKOFF: 7}


def test_no_failure_is_lost(workers):
    """Of failures that are free, and counted only afterwards."""

    def guess(number):
        return attempt(workers[number % 2], peer=f"198.51.100.{number}")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(guess, range(9))) == {Reason.PASSWORD_WRONG}
    key = user_key(workers[0].user("alice"))
    assert Count.read(workers[0].records.record(KIND, key, now=NOW)).failures == 9


def guess_elsewhere(url, answers):
    store = opened(url)
    guesses = Guesses(store, SETTINGS, "users.toml")
    for _ in range(5):
        answers.put(attempt(guesses))
    store.close()


def test_two_processes_have_one_count(url):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    opened(url).close()
    processes = [context.Process(target=guess_elsewhere, args=(url, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    counted = Counter(answers.get(timeout=PATIENCE) for _ in range(10))
    for process in processes:
        process.join(PATIENCE)
    # the free ones at the same time may be heard together, once in each process
    assert 4 <= counted[Reason.PASSWORD_WRONG] <= 5
    assert counted[Reason.AUTHENTICATION_BACKOFF] == 10 - counted[Reason.PASSWORD_WRONG]


def test_memory_has_the_same_counts():
    guesses = Guesses(MemoryStore(), SETTINGS, "users.toml")
    reasons = [attempt(guesses) for _ in range(6)]
    assert reasons == [Reason.PASSWORD_WRONG] * 4 + [Reason.AUTHENTICATION_BACKOFF] * 2
    assert attempt(guesses, right=True, now=NOW + timedelta(seconds=1)) is None
