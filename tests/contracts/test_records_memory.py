"""What only the records in memory promise: what they leave behind is bounded, and forks copy them."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.ports import Room, Totals

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
END = NOW + timedelta(hours=1)


def keep(store, key):
    return store.keep("context", key, b"", owner="owner", expires=END, now=NOW, owner_limit=100, limit=100)


def test_changes_and_removals_leave_little_behind():
    store = MemoryStore()
    keep(store, "a")
    for number in range(1, 2_000):
        assert store.replace("context", "a", b"", version=number, expires=END, now=NOW)
        assert keep(store, "b") is Room.KEPT
        assert store.remove("context", "b", version=None, now=NOW)
    assert len(store._kinds["context"].queue) < 100
    assert list(store._kinds["context"].by_owner.values()) == [1]
    assert store.totals("context", now=END) == Totals(0, 2_000, 1_999, 1_999, 1)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_goes_on_with_a_copy():
    store = MemoryStore()
    keep(store, "a")
    child = os.fork()
    if child == 0:
        good = False
        try:
            good = store.remove("context", "a", version=1, now=NOW) and keep(store, "b") is Room.KEPT
        finally:
            os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [record.key for record in store.records("context", now=NOW)] == ["a"]
