"""Choosing a shared store by URL."""

import os
import sys

import pytest

from wsprovider.adapters.shared import open_store
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.adapters.shared.redis import RedisStore
from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.words.errors import ConfigurationError


def test_memory():
    assert isinstance(open_store("memory:"), MemoryStore)


def test_sqlite_with_an_absolute_path(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'a b?c%20.sqlite3'}")
    assert isinstance(store, SqliteStore)
    assert [file.name for file in tmp_path.glob("*.sqlite3")] == ["a b?c%20.sqlite3"]
    store.close()


def test_sqlite_with_a_relative_path_stays_where_it_was_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///var/shared.sqlite3")
    os.chdir("/")
    store.before_fork()
    store.after_fork_in_parent()
    assert store.size() == 0
    assert (tmp_path / "var" / "shared.sqlite3").is_file()
    store.close()


@pytest.mark.parametrize(
    "url", ["redis://localhost:1/0", "rediss://localhost:1/0", "unix:///nowhere/redis.sock"]
)
def test_redis_is_not_asked_yet(url):
    store = open_store(url)
    assert isinstance(store, RedisStore)
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        "memory:x",
        "sqlite:",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///folder/",
        "sqlite://host/path",
        "shared.sqlite3",
        "postgresql://localhost/x",
        "redis://localhost:port/0",
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(ConfigurationError):
        open_store(url)


@pytest.mark.parametrize(
    "url", ["redis://user:secret@localhost:port/0", "reddis://user:secret@localhost:1/0"]
)
def test_passwords_in_urls_are_not_repeated(url):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_without_redis_py_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"wsprovider\[redis\]"):
        open_store("redis://localhost:1/0")
