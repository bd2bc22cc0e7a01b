"""A shared store in Redis, for workers on several machines; needs the extra ``wsprovider[redis]``.

For an entry one ``SET key 1 NX PX life`` is the atomic operation. Redis ends an entry by its own clock,
``expires - now`` after it was added, whatever ``now`` later callers bring; it frees what has expired by itself.
Records are in :mod:`wsprovider.adapters.shared.redis_records`. A Redis that evicts entries when its memory is full would accept replays and is refused; so is, by failing closed, one that
does not answer. What replication and restarts may lose is told in docs/decisions/0011-shared-store.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from wsprovider.adapters.shared.redis_records import RedisRecords, Scripts
from wsprovider.adapters.shared.terms import fingerprint, window
from wsprovider.words.errors import BackendError, ConfigurationError, Problem

if TYPE_CHECKING:
    import redis

PREFIX: Final = "wsprovider:once:"


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
        self._prefix = prefix.encode()
        self._checked = False
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

    def add_if_absent(self, key: str, *, expires: datetime, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.add_if_absent`."""
        end, begin = window(expires, now)
        with self._asking() as client:
            return bool(client.set(self._name(key), b"1", nx=True, px=max(end - begin, 1)))

    def contains(self, key: str, *, now: datetime) -> bool:
        """See :meth:`wsprovider.ports.SharedStore.contains`; ``now`` is Redis' own."""
        del now
        with self._asking() as client:
            return bool(client.exists(self._name(key)))

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
            if not self._checked:
                self._check(self._client.info("memory"))
                self._checked = True
            yield self._client
        except self._errors as error:
            # A server that comes back may be another one, or the same with other settings.
            self._checked = False
            raise BackendError(f"Redis: {error}") from error

    @staticmethod
    def _check(memory: Any) -> None:
        """Refuse a server that evicts: every entry of ours has an expiry, so each may be the victim."""
        policy = str(memory.get("maxmemory_policy", "noeviction"))
        if int(memory.get("maxmemory", 0)) > 0 and policy != "noeviction":
            raise BackendError(f"Redis: maxmemory-policy {policy} evicts live entries; set noeviction")
