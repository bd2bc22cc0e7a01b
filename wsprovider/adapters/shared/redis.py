"""A shared store in Redis, for workers on several machines; needs the extra ``wsprovider[redis]``.

For an entry one ``SET key expires NX PX life`` is the atomic operation. As in the other stores the callers'
clocks decide what is alive, for those of several machines differ: what the one that is ahead has remembered must
count for as long as the one that is behind accepts the message. Redis' own clock frees an entry some minutes
later (docs/decisions/0060-replay-under-load.md). Records are in :mod:`wsprovider.adapters.shared.redis_records`.

A Redis that evicts entries when its memory is full would accept replays and is refused; so is, by failing closed,
one that does not answer. What replication and restarts may lose is told in docs/replay.md.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from wsprovider.adapters.shared.redis_records import RedisRecords, Scripts
from wsprovider.adapters.shared.terms import fingerprint, present, window
from wsprovider.words.errors import BackendError, BackendFullError, ConfigurationError, Problem

if TYPE_CHECKING:
    import redis

PREFIX: Final = "wsprovider:once:"

APART_MILLISECONDS: Final = 300_000
"""How much longer than its life an entry is kept: the clocks of machines, and a worker that stands still between
its first look at a message and its last, may be so far apart. Five minutes is what Kerberos allows, too."""

_CHECK_SECONDS: Final = 10.0
_OF_BEFORE: Final = b"1"  # an entry of when values said nothing: alive as long as it is there
_REPLACE: Final = """
local held = redis.call('GET', KEYS[1])
if held and (held == '1' or tonumber(held) > tonumber(ARGV[1])) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1"""


class EvictsError(BackendError):
    """The server gives up live entries when its memory is full."""


class RedisStore(RedisRecords):
    """Implements :class:`wsprovider.ports.SharedState`.

    redis-py's pool gives each thread, and each process after a fork, connections of its own.
    """

    def __init__(self, url: str, *, prefix: str = PREFIX, timeout: float = 0.4) -> None:
        """Take note of the server; the first operation connects.

        Args:
            url: as redis-py reads it: ``redis://[user:password@]host:port/number``, ``rediss://`` with TLS,
                ``unix:///path``.
            prefix: begins every key, so that systems which do not trust each other's messages can share a
                server. All workers of one system need the same.
            timeout: seconds to wait for a connection, and for each answer.

        Raises:
            ConfigurationError: redis-py is not installed, or cannot read the URL.
        """
        try:
            import redis  # noqa: PLC0415 - an extra: only who names a Redis needs it
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415
        except ImportError:
            what = 'redis-py is not installed; install the extra: pip install "wsprovider[redis]"'
            raise ConfigurationError([Problem("shared", what)]) from None
        self._errors: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._full = redis.OutOfMemoryError
        self._prefix = prefix.encode()
        self._check_due = 0.0
        self._closed = False
        try:
            self._client: redis.Redis = redis.Redis.from_url(
                url,
                protocol=2,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                # An addition that was made but whose answer was lost would, asked again, look like a replay
                # after twice the time; refusing at once is the same answer sooner.
                retry=Retry(NoBackoff(), 0),
            )
        except (ValueError, TypeError):
            what = "the Redis URL cannot be read; write redis://host:port/number"  # may hold a password
            raise ConfigurationError([Problem("shared", what)]) from None
        self._scripts = Scripts(self._client)
        self._replace_entry = self._client.register_script(_REPLACE)

    def look(self) -> None:
        """Refuse a server that evicts, if it can be asked; one that is not there yet may come.

        Raises:
            ConfigurationError: it evicts.
        """
        try:
            with self._asking():
                pass
        except EvictsError as error:
            raise ConfigurationError([Problem("shared", str(error))]) from None
        except BackendError:
            pass

    def add_if_absent(self, key: str, *, expires: datetime, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.add_if_absent`."""
        end, begin = window(expires, now)
        name, life = self._name(key), end - begin + APART_MILLISECONDS
        with self._asking() as client:
            if client.set(name, end, nx=True, px=life):
                return True
            # hardly ever of one that is over: a message's signature does not come again
            return bool(self._replace_entry(keys=[name], args=[begin, end, life]))

    def contains(self, key: str, *, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.contains`."""
        begin = present(now)
        with self._asking() as client:
            held = client.get(self._name(key))
        return held is not None and (held == _OF_BEFORE or int(held) > begin)

    def remove_expired(self, *, now: datetime) -> int:
        """Nothing to do: Redis does it."""
        del now
        with self._asking():
            return 0

    def size(self) -> int:
        """The number of keys in the whole database, which is the store's if it has it to itself.

        Records are among them. Counting only the entries' keys would mean to walk through all.
        """
        with self._asking() as client:
            return int(client.dbsize())

    def clock(self) -> datetime:
        """The present by the server's clock.

        Raises:
            BackendError: the store did not answer.
        """
        with self._asking() as client:
            seconds, microseconds = client.time()
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

    def close(self) -> None:
        """See :meth:`wsprovider.ports.SharedStore.close`."""
        self._closed = True
        self._client.close()

    def _name(self, key: str) -> bytes:
        return self._prefix + fingerprint(key).hex().encode()

    @contextmanager
    def _asking(self) -> "Iterator[redis.Redis]":
        if self._closed:
            raise BackendError("Redis: the store is closed")
        try:
            moment = time.monotonic()
            if moment >= self._check_due:  # its operator may change it while it runs
                self._check(self._client.info("memory"))
                self._check_due = moment + _CHECK_SECONDS
            yield self._client
        except self._full as error:
            raise BackendFullError(f"Redis: {error}") from error
        except self._errors as error:
            # A server that comes back may be another one, or the same with other settings.
            self._check_due = 0.0
            raise BackendError(f"Redis: {error}") from error

    @staticmethod
    def _check(memory: Any) -> None:
        """Refuse a server that evicts: every entry of ours has an expiry, so each may be the victim."""
        policy = str(memory.get("maxmemory_policy", "noeviction"))
        if int(memory.get("maxmemory", 0)) > 0 and policy != "noeviction":
            what = f"maxmemory-policy {policy} evicts live entries; set maxmemory-policy noeviction"
            raise EvictsError(f"Redis: {what}")
