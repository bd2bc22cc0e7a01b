"""What only the Redis store promises: fast refusals, no eviction, recovery."""

import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.live.redis_server import RedisServer, free_port, require_redis
from wsprovider.adapters.shared import open_store
from wsprovider.adapters.shared.redis import APART_MILLISECONDS, RedisStore
from wsprovider.server.telemetry.clock import ClockError, ClockWatch
from wsprovider.words.errors import BackendError, BackendFullError, ConfigurationError

pytestmark = pytest.mark.live


@pytest.fixture
def server():
    require_redis()
    with RedisServer() as running:
        yield running


@pytest.fixture
def store(server):
    opened = RedisStore(server.url)
    yield opened
    opened.close()


def add(store, key, seconds=60.0):
    now = datetime.now(UTC)
    return store.add_if_absent(key, expires=now + timedelta(seconds=seconds), now=now)


def refuses_within(store, seconds):
    begin = time.monotonic()
    with pytest.raises(BackendError):
        add(store, "a")
    return time.monotonic() - begin < seconds


def test_a_server_that_is_not_there_refuses_within_a_second():
    store = open_store(f"redis://127.0.0.1:{free_port()}/0")
    assert refuses_within(store, 1.0)
    store.close()


def test_a_server_that_never_answers_refuses_within_a_second():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = open_store(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        assert refuses_within(store, 1.0)
        store.close()


def test_what_answers_something_else_is_a_backend_error():
    with socket.create_server(("127.0.0.1", 0)) as other:
        store = open_store(f"redis://127.0.0.1:{other.getsockname()[1]}/0")
        from threading import Thread

        def answer():
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = Thread(target=answer)
        thread.start()
        assert refuses_within(store, 1.0)
        thread.join()
        store.close()


def test_its_clock_is_looked_at_and_the_latest_moment_kept(server, store):
    now = datetime.now(UTC)
    assert abs(store.clock() - now) < timedelta(seconds=5)

    def watch(shift, kernel):
        return ClockWatch(
            clock=lambda: datetime.now(UTC) + timedelta(seconds=shift),
            store=store,
            keys=lambda _: (),
            theirs=store.clock,
            kernel=lambda: kernel,
        )

    watch(30, kernel=None).check()
    with pytest.raises(ClockError, match="that of the shared store"):
        watch(90, kernel=None).check()
    watch(300, kernel=True).check()
    with pytest.raises(ClockError, match="a synchronised machine has seen"):
        watch(0, kernel=None).check()
    server.stop()
    with pytest.raises(BackendError):
        store.clock()


def test_a_server_that_comes_back_is_used_again(server, store):
    assert add(store, "a")
    server.stop()
    assert refuses_within(store, 1.0)
    server.start()
    assert add(store, "b")
    assert not add(store, "b")


def test_a_server_that_evicts_is_refused(store, server):
    import redis

    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(BackendError, match="noeviction"):
            add(store, "a")
        client.config_set("maxmemory-policy", "noeviction")
        assert add(store, "a")


def test_a_server_that_evicts_is_refused_at_start(server):
    import redis

    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        open_store(server.url).close()  # without a limit there is nothing to evict for
        client.config_set("maxmemory", "100mb")
        with pytest.raises(ConfigurationError, match="set maxmemory-policy noeviction"):
            open_store(server.url)
        client.config_set("maxmemory-policy", "noeviction")
    open_store(server.url).close()


def test_a_server_told_to_evict_while_it_runs_is_refused_within_seconds(store, server, monkeypatch):
    """It was looked at once for each connection that broke: CONFIG SET went unnoticed for good."""
    import redis

    monkeypatch.setattr("wsprovider.adapters.shared.redis._CHECK_SECONDS", 0.05)
    with redis.Redis.from_url(server.url) as client:
        assert add(store, "a")
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "volatile-lru")
        time.sleep(0.1)
        with pytest.raises(BackendError, match="noeviction"):
            add(store, "b")
        client.config_set("maxmemory-policy", "noeviction")
        assert add(store, "b")


def test_a_full_server_takes_entries_again_when_there_is_room(store, server):
    import redis

    with redis.Redis.from_url(server.url) as client:
        assert add(store, "a")
        client.config_set("maxmemory", "1")
        with pytest.raises(BackendFullError):
            add(store, "b")
        assert store.contains("a", now=datetime.now(UTC))
        client.config_set("maxmemory", "0")
    assert add(store, "b")
    assert not add(store, "a")


def test_a_connection_that_was_cut_while_nobody_used_it_refuses_nothing(store, server):
    import redis

    assert add(store, "a")
    with redis.Redis.from_url(server.url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert add(store, "b")
    assert not add(store, "a")


def test_a_killed_server_with_a_file_of_its_own_has_lost_nothing(tmp_path):
    require_redis()
    with RedisServer(appendonly="yes", appendfsync="everysec", dir=str(tmp_path)) as server:
        store = open_store(server.url)
        for number in range(500):
            assert add(store, f"key {number}")
        server.stop()  # SIGKILL
        server.start()
        assert not any(add(store, f"key {number}") for number in range(500))
        assert add(store, "new")
        store.close()


def test_a_wrong_password_is_a_backend_error_that_does_not_repeat_it(server):
    import redis

    with redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", "right")
    wrong = RedisStore(f"redis://:mistaken@127.0.0.1:{server.port}/0")
    with pytest.raises(BackendError) as caught:
        add(wrong, "a")
    assert "mistaken" not in str(caught.value)
    wrong.close()
    good = RedisStore(f"redis://:right@127.0.0.1:{server.port}/0")
    assert add(good, "a")
    good.close()


def test_systems_with_other_prefixes_do_not_meet(server, store):
    other = RedisStore(server.url, prefix="other:")
    assert add(store, "a")
    assert add(other, "a")
    other.close()


def test_keys_are_kept_as_hashes_with_an_expiry(server, store):
    import redis

    assert add(store, "a very telling key", 60)
    with redis.Redis.from_url(server.url) as client:
        (name,) = client.keys("*")
        assert name.startswith(b"wsprovider:once:")
        assert b"telling" not in name
        assert 59_000 < client.pttl(name) - APART_MILLISECONDS <= 60_001  # rounded up


def test_redis_frees_an_entry_by_itself(server, monkeypatch):
    monkeypatch.setattr("wsprovider.adapters.shared.redis.APART_MILLISECONDS", 0)
    store = RedisStore(server.url)
    assert add(store, "a", 0.2)
    assert store.size() == 1
    deadline = time.monotonic() + 10
    while store.size() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert store.size() == 0
    store.close()


def test_an_entry_of_the_version_before_counts_until_redis_frees_it(server, store):
    import redis

    with redis.Redis.from_url(server.url) as client:
        client.set(store._name("a"), b"1", nx=True, px=60_000)
        assert not add(store, "a")
        assert store.contains("a", now=datetime.now(UTC))
        client.delete(store._name("a"))
    assert add(store, "a")
