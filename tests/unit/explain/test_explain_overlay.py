"""Records that are read through and never changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.explain.overlay import Overlay
from wsprovider.ports import Room

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
TERMS: dict[str, Any] = {"owner": "somebody", "expires": LATER, "now": NOW, "owner_limit": 9, "limit": 9}


@pytest.fixture
def store():
    store = MemoryStore()
    store.keep("kind", "there", b"1", **TERMS)
    return store


def test_what_is_there_is_read(store):
    overlay = Overlay(store)
    found = overlay.record("kind", "there", now=NOW)
    assert found is not None
    assert found.value == b"1"
    assert overlay.record("kind", "elsewhere", now=NOW) is None
    assert overlay.totals("kind", now=NOW).live == 1


def test_nothing_below_is_changed(store):
    overlay = Overlay(store)
    assert overlay.keep("kind", "there", b"2", **TERMS) is Room.TAKEN
    assert overlay.keep("kind", "new", b"2", **TERMS) is Room.KEPT
    assert overlay.replace("kind", "there", b"3", version=1, expires=LATER, now=NOW)
    assert not overlay.replace("kind", "there", b"4", version=1, expires=LATER, now=NOW)
    assert overlay.remove("kind", "new", version=None, now=NOW)
    assert not overlay.remove("kind", "new", version=None, now=NOW)
    changed = overlay.record("kind", "there", now=NOW)
    assert changed is not None
    assert (changed.value, changed.version) == (b"3", 2)
    assert [one.value for one in overlay.records("kind", now=NOW)] == [b"3"]
    assert [one.value for one in store.records("kind", now=NOW)] == [b"1"]


def test_what_is_kept_here_ends_as_well(store):
    overlay = Overlay(store)
    overlay.keep("kind", "new", b"2", **TERMS)
    assert overlay.record("kind", "new", now=LATER) is None
    assert [*overlay.records("kind", now=LATER)] == []


def test_without_a_store_there_is_only_what_was_kept_here():
    overlay = Overlay(None)
    assert overlay.record("kind", "there", now=NOW) is None
    overlay.keep("kind", "there", b"1", **TERMS)
    assert overlay.totals("kind", now=NOW).live == 1
