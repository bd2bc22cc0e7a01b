"""What is kept of the uses of certificates, on each shared store: first and last, bounds, a store that is away."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from tests.contracts.test_records import REDIS, made
from tests.simulator.world import issued
from wsprovider.exchange import sightings as module
from wsprovider.exchange.sightings import KIND, LIFE, WATCH, Sighting, Sightings
from wsprovider.keyring.uses import Case, Role, Use
from wsprovider.words.errors import BackendError

NOW = datetime(2001, 3, 1, 12, 0, tzinfo=UTC)
OURS, THEIRS = issued("service").certificate, issued("client").certificate
VERIFY, DECRYPT = Use(Case.VERIFY, "client", THEIRS), Use(Case.DECRYPT, "client", OURS)
THREADS = 8


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def sighting(use, first, last=None, *, service="echo", role=Role.PROVIDER):
    certificate = use.certificate
    subject = certificate.subject
    return Sighting(
        role, service, use.case, use.partner, certificate.fingerprint, subject, first, last or first
    )


@pytest.fixture(params=["memory", "sqlite", REDIS])
def place(request, tmp_path):
    yield from made(request.param, tmp_path)


@pytest.fixture
def store(place):
    return place.open()


class Watch:
    """Seconds that a test moves, and what was told."""

    def __init__(self):
        self.seconds, self.told = 0.0, []

    def sightings(self, store, **more):
        return Sightings(store, monotonic=lambda: self.seconds, on_failure=self.told.append, **more)


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def seen(store, watch):
    return watch.sightings(store)


class Counting:
    """A store that counts what it is asked."""

    def __init__(self, store):
        self.store, self.asked = store, []

    def __getattr__(self, name):
        self.asked.append(name)
        return getattr(self.store, name)


class Away:
    """A store that does not answer."""

    def __init__(self):
        self.asked = 0

    def record(self, *_, **__):
        self.asked += 1
        raise BackendError("away")

    records = record


def test_the_first_use_is_written_at_once(seen):
    seen.note("echo", (VERIFY, DECRYPT), NOW)
    assert seen.seen(NOW) == (sighting(DECRYPT, NOW), sighting(VERIFY, NOW))
    assert seen.seen(NOW)[1].subject == "CN=client,O=Tests"


def test_nothing_is_seen_of_nothing(seen):
    seen.note("echo", (), NOW)
    assert seen.seen(NOW) == ()


def test_later_uses_are_held_back(store, watch):
    counting = Counting(store)
    seen = watch.sightings(counting, every=60)
    seen.note("echo", (VERIFY,), NOW)
    asked = len(counting.asked)
    watch.seconds = 59.9
    seen.note("echo", (VERIFY,), after(59))
    assert len(counting.asked) == asked
    assert seen.seen(NOW) == (sighting(VERIFY, NOW),)
    watch.seconds = 60.0
    seen.note("echo", (VERIFY,), after(60))
    assert seen.seen(NOW) == (sighting(VERIFY, NOW, after(60)),)


def test_each_use_is_held_back_by_itself(seen):
    other = replace(VERIFY, partner="other")
    seen.note("echo", (VERIFY,), NOW)
    seen.note("desk", (VERIFY,), after(1))
    seen.note("echo", (other, DECRYPT), after(2))
    assert seen.seen(NOW) == (
        sighting(VERIFY, after(1), service="desk"),
        sighting(DECRYPT, after(2)),
        sighting(VERIFY, NOW),
        sighting(other, after(2)),
    )


def test_our_part_tells_sightings_apart(store, watch):
    watch.sightings(store).note("echo", (VERIFY,), NOW)
    consumer = watch.sightings(store, role=Role.CONSUMER)
    consumer.note("echo", (VERIFY,), after(1))
    assert consumer.seen(NOW) == (
        sighting(VERIFY, after(1), role=Role.CONSUMER),
        sighting(VERIFY, NOW),
    )


def test_neither_moment_runs_the_wrong_way(store, watch):
    """Whichever worker's clock is behind."""
    for seconds in (100, 50, 200, 150):
        watch.sightings(store).note("echo", (VERIFY,), after(seconds))
    assert watch.sightings(store).seen(NOW) == (sighting(VERIFY, after(50), after(200)),)


def test_a_use_is_forgotten_400_days_after_its_last_time(store, watch):
    watch.sightings(store).note("echo", (VERIFY,), NOW)
    watch.sightings(store).note("echo", (VERIFY,), after(1))
    last = NOW + LIFE
    assert watch.sightings(store).seen(last) == (sighting(VERIFY, NOW, after(1)),)
    assert watch.sightings(store).seen(last + timedelta(seconds=1)) == ()
    watch.sightings(store).note("echo", (VERIFY,), last + timedelta(seconds=2))
    assert watch.sightings(store).seen(last) == (sighting(VERIFY, last + timedelta(seconds=2)),)


@pytest.mark.parametrize("workers", [1, THREADS])
def test_threads_at_once(place, watch, workers):
    """Eight threads of one worker, and eight workers: one record each, from the first moment to the last."""
    store = place.open()
    noting = [watch.sightings(store, every=0) for _ in range(workers)]
    start = Barrier(THREADS)
    partners = [f"partner {number}" for number in range(4)]

    def run(number):
        start.wait()
        for step in range(10):
            for partner in partners:
                uses = (replace(VERIFY, partner=partner), replace(DECRYPT, partner=partner))
                noting[number % workers].note("echo", uses, after(step * THREADS + number))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))
    found = noting[0].seen(NOW)
    assert [(one.partner, one.case) for one in found] == [
        (partner, case) for partner in partners for case in (Case.DECRYPT, Case.VERIFY)
    ]
    assert {(one.first, one.last) for one in found} == {(NOW, after(9 * THREADS + THREADS - 1))}
    assert watch.told == []


def test_bounds_of_one_partner(seen, watch, monkeypatch):
    monkeypatch.setattr(module, "MOST_PER_PARTNER", 2)
    for service in ("a", "b", "c"):
        seen.note(service, (VERIFY,), NOW)
    assert [one.service for one in seen.seen(NOW)] == ["a", "b"]
    assert watch.told == ["there are 2 of 'client' already"]
    seen.note("c", (replace(VERIFY, partner="other"),), NOW)
    assert len(seen.seen(NOW)) == 3


def test_bounds_of_all(seen, watch, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    for partner in ("a", "b", "c"):
        seen.note("echo", (replace(VERIFY, partner=partner),), NOW)
    assert [one.partner for one in seen.seen(NOW)] == ["a", "b"]
    assert watch.told == ["there are 2 of them already"]
    assert len(seen._due) <= 2


def test_what_is_known_is_still_moved_on_where_all_is_full(store, watch, monkeypatch):
    watch.sightings(store).note("echo", (VERIFY,), NOW)
    monkeypatch.setattr(module, "MOST", 1)
    watch.sightings(store).note("echo", (VERIFY,), after(1))
    assert watch.sightings(store).seen(NOW) == (sighting(VERIFY, NOW, after(1)),)
    assert watch.told == []


def test_how_far_sightings_can_be_relied_on(store, watch, seen):
    """The beginning is kept, whoever begins again, for as long as there may be sightings."""
    assert seen.watch(NOW) == module.Watch(None, None)
    seen.begin(NOW)
    watch.sightings(store).begin(after(100))
    assert seen.watch(NOW) == module.Watch(NOW, None)
    later = after(100) + LIFE
    assert seen.watch(later - timedelta(seconds=1)) == module.Watch(NOW, None)
    assert seen.watch(later + timedelta(seconds=1)) == module.Watch(None, None)


def test_a_use_begins_the_watch_and_keeps_it_up(store, watch):
    noting = watch.sightings(store)
    noting.note("echo", (VERIFY,), NOW)
    watch.seconds = 86_400.0
    noting.note("echo", (VERIFY,), after(86_400))
    assert noting.watch(NOW + LIFE + timedelta(hours=1)) == module.Watch(NOW, None)


def test_what_there_was_no_room_for_is_kept(store, watch, seen, monkeypatch):
    seen.note("a", (VERIFY,), NOW)
    assert seen.watch(NOW).missed is None
    monkeypatch.setattr(module, "MOST_PER_PARTNER", 1)
    seen.note("b", (VERIFY,), after(1))
    assert seen.watch(NOW) == module.Watch(NOW, after(1))
    monkeypatch.setattr(module, "MOST", 1)
    watch.sightings(store).note("b", (replace(VERIFY, partner="other"),), after(2))
    watch.sightings(store).note("c", (VERIFY,), after(1))
    assert seen.watch(NOW) == module.Watch(NOW, after(2))
    assert seen.watch(after(2) + LIFE + timedelta(seconds=1)).missed is None


def test_a_watch_that_cannot_be_read_begins_anew(store, seen):
    store.keep(WATCH, "since", b"\xff", owner="", expires=NOW + LIFE, now=NOW, owner_limit=2, limit=2)
    assert seen.watch(NOW) == module.Watch(None, None)
    seen.begin(NOW)
    assert seen.watch(NOW) == module.Watch(NOW, None)


def test_a_watch_begins_when_the_store_is_back(store, watch):
    seen = watch.sightings(Away())
    seen.begin(NOW)
    assert watch.told == ["away"]
    seen._records = store
    seen.note("echo", (VERIFY,), after(5))
    assert seen.watch(NOW) == module.Watch(after(5), None)


def test_the_usual_bounds():
    assert (module.MOST, module.MOST_PER_PARTNER, module.LIFE.days) == (20_000, 200, 400)


@pytest.mark.parametrize("name", ["x" * 5000, "a\nb\x00\x1b[31m", "\ud800", '"quoted"', "", "grün"])
def test_names_that_a_peer_chose(seen, watch, name):
    seen.note("echo", (replace(VERIFY, partner=name),), NOW)
    assert seen.seen(NOW) == (sighting(replace(VERIFY, partner=name[:300]), NOW),)
    assert watch.told == []


def test_a_name_that_tries_to_be_another_use(seen):
    seen.note("echo", (replace(VERIFY, partner='client", "x'),), NOW)
    seen.note("echo", (VERIFY,), NOW)
    assert len(seen.seen(NOW)) == 2


def test_what_cannot_be_read_is_left_out_and_written_anew(store, seen, watch):
    seen.note("echo", (VERIFY,), NOW)
    (record,) = store.records(KIND, now=NOW)
    for version, value in enumerate(
        [b"no json", b"[]", b"{}", json.dumps({**json.loads(record.value), "role": "x"}).encode()], start=1
    ):
        store.replace(KIND, record.key, value, version=version, expires=record.expires, now=NOW)
        assert seen.seen(NOW) == ()
    watch.sightings(store).note("echo", (VERIFY,), after(1))
    assert seen.seen(NOW) == (sighting(VERIFY, after(1)),)


def test_a_store_that_is_away_refuses_nothing_and_is_told_once_a_minute(watch):
    away = Away()
    seen = watch.sightings(away, every=10)
    for seconds in (0, 1, 9):
        watch.seconds = seconds
        seen.note("echo", (VERIFY,), NOW)
    assert away.asked == 1
    for seconds in (10, 20, 59):
        watch.seconds = seconds
        seen.note("echo", (VERIFY, DECRYPT), NOW)
    assert watch.told == ["away"]
    watch.seconds = 80
    seen.note("echo", (VERIFY,), NOW)
    assert watch.told == ["away", "away"]
    with pytest.raises(BackendError):
        seen.seen(NOW)


def test_a_store_that_comes_back(store, watch):
    away = Away()
    seen = watch.sightings(away, every=10)
    seen.note("echo", (VERIFY,), NOW)
    seen._records = store
    seen.note("echo", (VERIFY,), after(5))
    assert seen.seen(NOW) == ()
    watch.seconds = 10
    seen.note("echo", (VERIFY,), after(10))
    assert seen.seen(NOW) == (sighting(VERIFY, after(10)),)


def test_whatever_a_store_raises(watch):
    class Broken(Away):
        def record(self, *_, **__):
            raise RuntimeError("secret")

    watch.sightings(Broken()).note("echo", (VERIFY,), NOW)
    assert watch.told == ["RuntimeError"]
