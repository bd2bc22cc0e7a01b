"""What only the records in Redis promise: names, ends by Redis' own clock, scripts, a server that forgets."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.live.redis_server import RedisServer, require_redis
from wsprovider.adapters.shared.redis import RedisStore
from wsprovider.adapters.shared.terms import fingerprint
from wsprovider.ports import Room, Totals
from wsprovider.words.errors import BackendError

pytestmark = pytest.mark.live

NOW = datetime(2001, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 86_400_000
RECORD = b"wsprovider:once:record:context:a"
EXPIRIES = b"wsprovider:once:expiries:context"
OWNER = b"wsprovider:once:owner:context:" + fingerprint("a telling name").hex().encode()
TOTALS = b"wsprovider:once:totals:context"


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


@pytest.fixture
def client(server):
    import redis

    with redis.Redis.from_url(server.url) as connected:
        yield connected


def keep(store, key="a", value=b"value", *, owner="a telling name", life=HOUR, now=NOW, owner_limit=10):
    return store.keep(
        "context", key, value, owner=owner, expires=now + life, now=now, owner_limit=owner_limit, limit=10**6
    )


def find(store, key="a", now=NOW):
    return store.record("context", key, now=now)


def ends(client, name):
    """Milliseconds until Redis ends the key, in whole days and hours."""
    return round(client.pttl(name) / 3_600_000) * 3_600_000


def test_names_begin_with_the_prefix_and_do_not_tell_the_owner(store, client):
    assert keep(store) is Room.KEPT
    assert set(client.keys("*")) == {RECORD, EXPIRIES, OWNER, TOTALS}
    assert b"telling" not in b"".join(client.hvals(RECORD))


def test_systems_with_other_prefixes_do_not_meet(server, store):
    other = RedisStore(server.url, prefix="other:")
    assert keep(store) is Room.KEPT
    assert find(other) is None
    assert keep(other, owner_limit=1) is Room.KEPT
    assert store.remove("context", "a", version=None, now=NOW)
    assert find(other) is not None
    other.close()


# ends


def test_every_key_ends_by_redis_own_clock_too(store, client):
    keep(store)
    assert [ends(client, name) for name in (RECORD, EXPIRIES, OWNER)] == [DAY + 3_600_000] * 3
    assert ends(client, TOTALS) == 31 * DAY + 3_600_000


def test_what_counts_several_ends_with_the_last(store, client):
    keep(store, "a", life=5 * HOUR)
    keep(store, "b", life=HOUR)
    assert [ends(client, name) for name in (RECORD, EXPIRIES, OWNER)] == [DAY + 5 * 3_600_000] * 3
    store.replace("context", "b", b"", version=1, expires=NOW + 9 * HOUR, now=NOW)
    assert ends(client, RECORD) == DAY + 5 * 3_600_000
    assert [ends(client, name) for name in (EXPIRIES, OWNER)] == [DAY + 9 * 3_600_000] * 2


def test_a_shorter_life_ends_the_value_sooner(store, client):
    keep(store, life=5 * HOUR)
    store.replace("context", "a", b"", version=1, expires=NOW + HOUR, now=NOW)
    assert ends(client, RECORD) == DAY + 3_600_000


def test_sets_vanish_with_their_last_record(store, client):
    keep(store)
    assert store.remove("context", "a", version=None, now=NOW)
    assert client.keys("*") == [TOTALS]
    keep(store)
    assert store.totals("context", now=NOW + HOUR) == Totals(0, 2, 0, 1, 1)
    assert client.keys("*") == [TOTALS]
    keep(store)
    keep(store, "b", owner="another", now=NOW + HOUR)  # frees what has expired
    assert client.exists(OWNER, RECORD) == 0


def test_what_redis_ended_by_itself_counts_as_expired(store, client):
    keep(store)
    keep(store, "b", owner="another", life=9 * HOUR)
    client.delete(RECORD)
    assert find(store) is None
    assert not store.remove("context", "a", version=None, now=NOW)
    assert [record.key for record in store.records("context", now=NOW)] == ["b"]
    assert store.totals("context", now=NOW + HOUR) == Totals(live=1, kept=2, replaced=0, removed=0, expired=1)
    client.delete(EXPIRIES, *client.keys("*owner*"), *client.keys("*record*"))
    assert store.totals("context", now=NOW + HOUR) == Totals(live=0, kept=2, replaced=0, removed=0, expired=2)


def test_what_redis_ended_by_itself_takes_no_room_of_the_owner(store, client):
    keep(store)
    client.delete(RECORD)
    late = NOW + HOUR
    assert keep(store, "b", now=late, owner_limit=1) is Room.KEPT
    assert client.zrange(OWNER, 0, -1) == [b"b"]
    assert store.totals("context", now=late) == Totals(1, 2, 0, 0, 1)


def test_a_scan_that_brings_a_key_twice_lists_it_once(store, monkeypatch):
    keep(store, "a")
    keep(store, "b")
    page = [(b"a", 1.0), (b"b", 1.0)]
    answers = iter([(7, page[:1]), (9, page), (0, page[:1])])
    monkeypatch.setattr(store._client, "zscan", lambda *_, **__: next(answers))
    assert [record.key for record in store.records("context", now=NOW)] == ["a", "b"]
    assert next(answers, None) is None


# scripts


def test_a_server_that_forgot_the_scripts_gets_them_again(store, client):
    for version in range(1, 4):
        client.script_flush()
        assert keep(store, f"key {version}") is Room.KEPT
        assert store.replace("context", "key 1", b"", version=version, expires=NOW + HOUR, now=NOW)
    client.script_flush()
    assert store.remove("context", "key 1", version=4, now=NOW)
    client.script_flush()
    assert store.totals("context", now=NOW) == Totals(2, 3, 3, 1, 0)


def test_a_server_that_lost_everything_begins_anew(server, store):
    keep(store)
    server.stop()
    with pytest.raises(BackendError):
        find(store)
    server.start()
    assert find(store) is None
    assert store.totals("context", now=NOW) == Totals(0, 0, 0, 0, 0)
    assert keep(store) is Room.KEPT
    assert store.totals("context", now=NOW) == Totals(1, 1, 0, 0, 0)


def test_a_server_that_is_full_refuses_and_keeps_nothing_by_halves(store, client):
    keep(store)
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")
    with pytest.raises(BackendError):
        keep(store, "b")
    with pytest.raises(BackendError):
        store.replace("context", "a", b"new", version=1, expires=NOW + HOUR, now=NOW)
    assert find(store).version == 1
    assert store.totals("context", now=NOW) == Totals(1, 1, 0, 0, 0)
    client.config_set("maxmemory", "0")
    assert keep(store, "b") is Room.KEPT
    assert store.totals("context", now=NOW) == Totals(2, 2, 0, 0, 0)


def test_a_server_that_evicts_is_refused(store, client):
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", "volatile-ttl")
    with pytest.raises(BackendError, match="noeviction"):
        keep(store)
    with pytest.raises(BackendError, match="noeviction"):
        find(store)


@pytest.mark.parametrize("name", [RECORD, EXPIRIES])
def test_something_else_in_our_place_is_a_backend_error(store, client, name):
    client.set(name, "not ours")
    with pytest.raises(BackendError, match="WRONGTYPE"):
        keep(store)
