"""A clock that cannot be right makes a process unready, and one that is right makes it ready again."""

from datetime import UTC, datetime, timedelta

import pytest

from wsprovider.adapters.shared import open_store
from wsprovider.server.telemetry import clock as module
from wsprovider.server.telemetry.clock import HELD, ClockError, ClockWatch
from wsprovider.version import RELEASED
from wsprovider.words.errors import BackendError

NOW = datetime(2027, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Machine:
    """A machine whose clock, seconds and kernel say what a test wants."""

    def __init__(self, store, *, kernel=False, now=NOW):
        self.now, self.second, self.kernel, self.theirs = now, 0.0, kernel, None
        self.key = NOW - timedelta(days=30)
        self.watch = ClockWatch(
            clock=lambda: self.now,
            store=store,
            keys=lambda _: [("key 'one' of ring 'service'", self.key)],
            theirs=lambda: self.theirs,
            skew=MINUTE,
            seconds=lambda: self.second,
            kernel=lambda: self.kernel,
        )

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.second += seconds

    def wrong(self, match):
        with pytest.raises(ClockError, match=match):
            self.watch.check()


@pytest.fixture(params=["memory:", "sqlite"])
def store(request, tmp_path):
    made = open_store(request.param if request.param == "memory:" else f"sqlite:///{tmp_path}/shared.sqlite3")
    yield made
    made.close()


@pytest.fixture
def machine(store):
    return Machine(store)


def test_a_clock_that_goes_on(machine):
    for _ in range(3):
        machine.watch.check()
        machine.wait(3600)


def test_before_this_version(store):
    young = Machine(store, now=RELEASED)
    young.key = RELEASED
    young.watch.check()
    unset = Machine(store, now=RELEASED - timedelta(microseconds=1))
    unset.wrong("this version is of")


def test_before_our_key_in_force(machine):
    machine.key = NOW + MINUTE
    machine.watch.check()
    machine.key += timedelta(seconds=1)
    machine.wrong("before our key 'one' of ring 'service'")


@pytest.mark.parametrize("jump", [-61, 61, 8_640_000])
def test_a_jump_is_believed_when_it_has_lasted(machine, jump):
    machine.watch.check()
    machine.now += timedelta(seconds=jump)
    machine.wait(30)
    machine.wrong(rf"was set by {'+' if jump > 0 else ''}{jump} s".replace("+", r"\+"))
    machine.wait(HELD - 1)
    machine.wrong("was set by")
    machine.wait(1)
    machine.watch.check()
    machine.watch.check()


def test_small_steps_are_no_jump(machine):
    for _ in range(5):
        machine.now += MINUTE
        machine.watch.check()


def test_a_jump_that_nobody_looked_at_has_lasted(machine):
    machine.now += timedelta(hours=1)
    machine.wait(HELD)
    machine.watch.check()


def test_a_kernel_that_was_synchronised_meanwhile_is_believed(machine):
    machine.now += timedelta(hours=1)
    machine.wrong("was set by")
    machine.kernel = True
    machine.watch.check()
    machine.kernel = None
    machine.watch.check()


def test_behind_what_a_synchronised_machine_has_seen(store):
    Machine(store, kernel=True).watch.check()
    behind = Machine(store, now=NOW - MINUTE)
    behind.watch.check()
    late = Machine(store, now=NOW - MINUTE - timedelta(seconds=1))
    late.wrong("a synchronised machine has seen 2027-05-01T12:00:00")
    late.kernel = True
    late.watch.check()


def test_who_is_not_synchronised_sets_no_standard(store):
    for kernel in (False, None):
        Machine(store, kernel=kernel, now=NOW + timedelta(days=2000)).watch.check()
    Machine(store).watch.check()


def test_a_wrong_standard_is_put_right_by_the_next_that_is_synchronised(store):
    Machine(store, kernel=True, now=NOW + timedelta(days=300)).watch.check()
    Machine(store).wrong("has seen")
    right = Machine(store, kernel=True)
    right.watch.check()
    Machine(store).watch.check()
    right.wait(30)
    right.watch.check()  # writes once a minute
    Machine(store, now=NOW - MINUTE).watch.check()
    right.wait(31)
    right.watch.check()
    Machine(store, now=NOW - MINUTE).wrong("has seen")


@pytest.mark.parametrize("sign", [1, -1])
def test_another_clock_than_that_of_redis(machine, sign):
    machine.theirs = NOW + sign * MINUTE
    machine.watch.check()
    machine.theirs += sign * timedelta(seconds=1)
    machine.wrong("that of the shared store")
    machine.kernel = True
    machine.watch.check()


def test_a_store_that_does_not_answer_is_told_of_by_its_own_check(machine, store):
    store.close()
    with pytest.raises(BackendError):
        store.record("clock", "latest", now=NOW)
    machine.watch.check()
    machine.kernel = True
    with pytest.raises(BackendError):
        machine.watch._note(NOW)
    machine.watch.check()


def test_a_kernel_that_says_so_is_a_doubt_only(machine):
    machine.watch.check()
    assert machine.watch.unsynchronised()
    for kernel in (True, None):
        machine.kernel = kernel
        assert not machine.watch.unsynchronised()


def test_the_machines_own(monkeypatch):
    assert module.synchronised() in (True, False, None)
    assert module.elapsed() <= module.elapsed()
    monkeypatch.setattr(module.ctypes, "CDLL", lambda _: object())
    assert module.synchronised() is None
