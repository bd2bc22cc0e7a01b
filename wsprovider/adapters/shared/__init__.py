"""Stores of what all workers share, chosen by URL.

========================  ==========================================================================
``memory:``               threads of one process; for tests and single-process experiments
``sqlite:///PATH``        workers of one machine; the default. Three slashes, then the path: four in a
                          row begin an absolute one
``redis://HOST:PORT/N``   workers on several machines; ``rediss://`` and ``unix://`` as redis-py has them
========================  ==========================================================================

What the stores promise is said once, in :class:`wsprovider.ports.SharedState`, and held by two contract
suites: ``tests/contracts/test_shared_store.py`` for the entries, ``test_records.py`` for the records.
"""

from pathlib import Path
from typing import Final

from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.adapters.shared.redis import RedisStore
from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.adapters.shared.terms import MAX_ENTRIES
from wsprovider.ports import SharedState
from wsprovider.words.errors import ConfigurationError, Problem

_SQLITE: Final = "sqlite:///"


def open_store(url: str, *, max_entries: int = MAX_ENTRIES) -> SharedState:
    """Open the store that a URL names.

    SQLite's file is created and checked here, so that a folder nobody can write to is found at start. So is a
    Redis that evicts; one that is down refuses messages until it comes, it does not stop workers.

    Args:
        url: see the module's table.
        max_entries: how many entries ``memory:`` and ``sqlite:`` hold at most; Redis has ``maxmemory``. Records
            are limited by whoever keeps them.

    Raises:
        ConfigurationError: no store has such a URL, its library is not installed, or the server evicts.
        BackendError: the file cannot be opened, or is no store of ours.
    """
    scheme = url.partition(":")[0]
    if url == "memory:":
        return MemoryStore(max_entries=max_entries)
    if url.startswith(_SQLITE):
        return SqliteStore(_sqlite_path(url), max_entries=max_entries)
    if scheme in {"redis", "rediss", "unix"}:
        store = RedisStore(url)
        store.look()
        return store
    # the URL may hold a password: only its scheme is repeated
    what = f'a URL that begins with "{scheme}" names no store; write memory:, sqlite:///path or redis://host:port/number'
    raise ConfigurationError([Problem("shared", what)])


def _sqlite_path(url: str) -> Path:
    path = url.removeprefix(_SQLITE)
    if path in {"", ":memory:"} or path.endswith("/"):
        what = f'"{url}" names no file; write sqlite:///var/shared.sqlite3, or memory: for tests'
        raise ConfigurationError([Problem("shared", what)])
    return Path(path)
