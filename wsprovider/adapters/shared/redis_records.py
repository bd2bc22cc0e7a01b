"""The records of the Redis store: a hash for each, and sorted sets of their expiries to count and free them.

=========================  ==========================================================================
``record:KIND:KEY``        a hash: the record, and for the scripts its version, expiry and owner's set
``expiries:KIND``          a sorted set: every key by its expiry; what is alive is a range of it
``owner:KIND:SHA-256``     the same for one owner; Redis deletes a set with its last member
``totals:KIND``            a hash: kept, replaced, removed
=========================  ==========================================================================

All names begin with the store's prefix. A change is one Lua script, which Redis runs alone. A script names keys that
it finds in others, which Redis Cluster does not permit; it is not supported.

What is alive, the expiries decide, by the caller's clock. Redis' own clock ends each key a day after that, so that
nothing stays for ever when nobody calls any more. No count depends on what Redis ended by itself: ``expired`` is
what was kept and neither was removed nor is alive.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from wsprovider.adapters.shared.records import (
    FREED_AT_ONCE,
    FREED_PER_KEEP,
    PAGE,
    Candidate,
    Found,
    Replacement,
    StoredRecords,
)
from wsprovider.ports import Room, Totals

if TYPE_CHECKING:
    import redis

_MARGIN_MILLISECONDS: Final = 86_400_000
"""How long past its expiry Redis holds a record that nobody freed: longer than clocks differ."""

_RECORD: Final = "record"
_Arguments = list[bytes | str | int]

# The totals outlive what they count, or they would not add up; a month of silence begins them anew.
_LASTING: Final = """
local function last(name, life)
  if redis.call('PTTL', name) < life then redis.call('PEXPIRE', name, life) end
end
local function last_all(expiries, owner, totals, life)
  last(expiries, life)
  last(owner, life)
  last(totals, life + 30 * 86400000)
end
"""
_FREEING: Final = """
local function drop(names, expiries, key)
  local owner = redis.call('HGET', names .. key, 'owner')
  if owner then redis.call('ZREM', owner, key) end
  redis.call('ZREM', expiries, key)
  redis.call('DEL', names .. key)
end
local function free(names, expiries, now, most)
  local over = redis.call('ZRANGEBYSCORE', expiries, '-inf', now, 'LIMIT', 0, most)
  for _, key in ipairs(over) do drop(names, expiries, key) end
  return #over
end
"""
_KEEP: Final = """
local expiries, totals, owner = KEYS[1], KEYS[2], KEYS[3]
local names, key, record, expires, now, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local known = redis.call('ZSCORE', expiries, key)
if known and tonumber(known) > tonumber(now) then return 'TAKEN' end
if known then drop(names, expiries, key) end
free(names, expiries, now, ARGV[9])
if redis.call('ZCOUNT', owner, '(' .. now, '+inf') >= tonumber(ARGV[7]) then return 'OWNER_FULL' end
if redis.call('ZCOUNT', expiries, '(' .. now, '+inf') >= tonumber(ARGV[8]) then return 'FULL' end
-- the first to write unless something was freed: a server without memory refuses here, and nothing has changed
redis.call('HSET', names .. key, 'record', record, 'version', 1, 'expires', expires, 'owner', owner)
redis.call('PEXPIRE', names .. key, life)
redis.call('ZADD', expiries, expires, key)
redis.call('ZREMRANGEBYSCORE', owner, '-inf', now) -- freeing missed those whose hash had ended by itself
redis.call('ZADD', owner, expires, key)
redis.call('HINCRBY', totals, 'kept', 1)
last_all(expiries, owner, totals, life)
return 'KEPT'
"""
_REPLACE: Final = """
local expiries, totals, name = KEYS[1], KEYS[2], KEYS[3]
local key, record, version, expires, now, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local known = redis.call('HMGET', name, 'version', 'expires', 'owner')
if known[1] ~= version or tonumber(known[2]) <= tonumber(now) then return 0 end
redis.call('HSET', name, 'record', record, 'expires', expires)
redis.call('HINCRBY', name, 'version', 1)
redis.call('PEXPIRE', name, life)
redis.call('ZADD', expiries, expires, key)
redis.call('ZADD', known[3], expires, key)
redis.call('HINCRBY', totals, 'replaced', 1)
last_all(expiries, known[3], totals, life)
return 1
"""
_REMOVE: Final = """
local expiries, totals = KEYS[1], KEYS[2]
local names, key, version, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local known = redis.call('HMGET', names .. key, 'version', 'expires')
if not known[1] or tonumber(known[2]) <= tonumber(now) then return 0 end
if version ~= '' and version ~= known[1] then return 0 end
drop(names, expiries, key)
redis.call('HINCRBY', totals, 'removed', 1)
return 1
"""
_TOTALS: Final = """
local expiries, totals = KEYS[1], KEYS[2]
local freed = free(ARGV[1], expiries, ARGV[2], ARGV[3])
local counts = redis.call('HMGET', totals, 'kept', 'replaced', 'removed')
return {freed, redis.call('ZCARD', expiries), counts[1] or '0', counts[2] or '0', counts[3] or '0'}
"""


class Scripts:
    """The scripts, called by their hash; redis-py sends one whole when the server does not know it (yet)."""

    def __init__(self, client: "redis.Redis") -> None:
        self.keep = client.register_script(_LASTING + _FREEING + _KEEP)
        self.replace = client.register_script(_LASTING + _REPLACE)
        self.remove = client.register_script(_FREEING + _REMOVE)
        self.totals = client.register_script(_FREEING + _TOTALS)


class RedisRecords(StoredRecords):
    """The part of :class:`wsprovider.adapters.shared.redis.RedisStore` that keeps records."""

    _prefix: bytes
    _scripts: Scripts

    @abstractmethod
    def _asking(self) -> AbstractContextManager["redis.Redis"]: ...

    def _keep(self, new: Candidate) -> Room:
        owner = self._named("owner", new.kind) + b":" + new.owner.hex().encode()
        keys = [*self._counted(new.kind), owner]
        names, life = self._names(new.kind), _life(new.expires, new.now)
        found = _packed(new.value, 1, new.expires)
        record: _Arguments = [names, new.key, found, new.expires, new.now, life]
        limits: _Arguments = [new.owner_limit, new.limit, FREED_PER_KEEP]
        with self._asking():
            room = self._scripts.keep(keys, record + limits)
        return Room[_text(room)]

    def _find(self, kind: str, key: str, now: int) -> Found | None:
        with self._asking() as client:
            answer = client.hget(self._names(kind) + key.encode(), _RECORD)
        return _live(answer, now)

    def _find_several(self, kind: str, keys: Sequence[str], now: int) -> Mapping[str, Found]:
        names = self._names(kind)
        with self._asking() as client, client.pipeline(transaction=False) as together:
            for key in keys:
                together.hget(names + key.encode(), _RECORD)
            answers = together.execute()
        found = {key: _live(answer, now) for key, answer in zip(keys, answers, strict=True)}
        return {key: one for key, one in found.items() if one is not None}

    def _replace(self, new: Replacement) -> bool:
        keys = [*self._counted(new.kind), self._names(new.kind) + new.key.encode()]
        life = _life(new.expires, new.now)
        found = _packed(new.value, new.version + 1, new.expires)
        arguments: _Arguments = [new.key, found, new.version, new.expires, new.now, life]
        with self._asking():
            return bool(self._scripts.replace(keys, arguments))

    def _remove(self, kind: str, key: str, version: int | None, now: int) -> bool:
        arguments: _Arguments = [self._names(kind), key, "" if version is None else version, now]
        with self._asking():
            return bool(self._scripts.remove(self._counted(kind), arguments))

    def _list(self, kind: str, now: int) -> Iterator[tuple[str, Found]]:
        (expiries, _), names = self._counted(kind), self._names(kind)
        seen: set[bytes] = set()  # a scan misses none, but may bring one twice
        cursor, first = 0, True
        while cursor or first:
            with self._asking() as client, client.pipeline(transaction=False) as together:
                scanned: Any = client.zscan(expiries, cursor, count=PAGE)
                cursor, first = int(scanned[0]), False
                keys = {key for key, _ in scanned[1]} - seen
                for key in keys:
                    together.hget(names + key, _RECORD)
                answers = together.execute()
            seen |= keys
            for key, answer in zip(keys, answers, strict=True):
                found = _live(answer, now)
                if found is not None:
                    yield _text(key), found

    def _totals(self, kind: str, now: int) -> Totals:
        freed, counts = FREED_AT_ONCE, [0, 0, 0, 0]
        while freed == FREED_AT_ONCE:  # others get their turn in between
            with self._asking():
                answer = self._scripts.totals(self._counted(kind), [self._names(kind), now, FREED_AT_ONCE])
            freed, *counts = map(int, answer)
        live, kept, replaced, removed = counts
        return Totals(live, kept, replaced, removed, kept - removed - live)

    def _named(self, what: str, kind: str) -> bytes:
        return self._prefix + f"{what}:{kind}".encode()

    def _names(self, kind: str) -> bytes:
        """What a record's key is appended to; scripts do so for those they free."""
        return self._named("record", kind) + b":"

    def _counted(self, kind: str) -> list[bytes]:
        return [self._named("expiries", kind), self._named("totals", kind)]


def _packed(value: bytes, version: int, expires: int) -> bytes:
    """A record as one string: a third of the answer's cost would be that it came in three."""
    return b"%d %d %b" % (version, expires, value)


def _live(packed: Any, now: int) -> Found | None:
    if packed is None:
        return None
    version, expires, value = packed.split(b" ", 2)
    return (value, int(version), int(expires)) if int(expires) > now else None


def _life(expires: int, now: int) -> int:
    """Milliseconds until Redis may end what nobody freed."""
    return max(expires - now, 0) // 1000 + _MARGIN_MILLISECONDS


def _text(answer: bytes) -> str:
    return answer.decode()
