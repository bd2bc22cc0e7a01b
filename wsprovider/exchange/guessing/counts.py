"""Where counts of wrong passwords are kept, and how they are changed.

A count is found at one of a fixed number of places, by a digest: names and addresses that a flood invents share the
places that there are, and throw nobody out. What two of them share is, at worst, a delay. Known callers are kept under
the whole digest, and written by right passwords only.
"""

import hashlib
import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from wsprovider.exchange.guessing.settings import Scale
from wsprovider.ports import Record, Records, Room

KIND: Final = "guess"
"""The kind of record that a count is, and that a known caller is."""
_PLACE_CHARACTERS: Final = 4
PLACES: Final = 16**_PLACE_CHARACTERS
"""Where counts of one sort can be: this many, whatever comes."""
EVERYWHERE: Final = 3 * PLACES
"""The same for all three sorts."""
KNOWN: Final = "known:"
"""Begins the key of a known caller."""

_TRIES: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Count:
    """What a place holds.

    Attributes:
        failures: since the count began.
        until: microseconds since 1970 when a delay ends; 0: there was none.
        user: digest of the user counted last, so that an operator can end a user's delays.
    """

    failures: int = 0
    until: int = 0
    user: str = "-"

    @property
    def end(self) -> datetime:
        """When the delay ends."""
        return _EPOCH + self.until * _MICROSECOND

    def written(self) -> bytes:
        """As the store keeps it."""
        return f"{self.failures} {self.until} {self.user}".encode("ascii")

    @classmethod
    def read(cls, record: Record | None) -> "Count":
        """What a record says; nothing, where there is none, or what another version wrote in another way."""
        if record is None:
            return cls()
        try:
            failures, until, user = record.value.decode("ascii").split(" ")
            return cls(int(failures), int(until), user)
        except ValueError:
            return cls()


@dataclass(slots=True)
class Place:
    """A place as one attempt found it, and what that attempt has made of it.

    Attributes:
        scale: how its delay grows.
        user: digest of the user that is counted; ``-`` for those of all.
        found: what was there.
        lasts: until when a count is kept at least.
        limit: records of the kind that there may be.
        version: of our own change; 0: none was made.
    """

    key: str
    scale: Scale
    user: str
    found: Record | None
    lasts: datetime
    limit: int
    version: int = 0
    count: Count = field(init=False)

    def __post_init__(self) -> None:
        self.count = Count.read(self.found)

    def write(self, records: Records, failures: int, wait: timedelta, now: datetime) -> bool:
        """Put a count where it was found; false when somebody has changed it since."""
        until = (now + wait - _EPOCH) // _MICROSECOND if wait else self.count.until
        value = Count(failures, until, self.user).written()
        if self._put(records, value, max(self.lasts, now + wait), now):
            self.version = 1 if self.found is None else self.found.version + 1
            return True
        return False

    def add(self, records: Records, now: datetime) -> None:
        """Count a failure, however many others do so at the same time."""
        for _ in range(_TRIES):  # each try that is lost has seen another failure counted
            failures = self.count.failures + 1
            if self.write(records, failures, self.scale.delay(failures), now):
                return
            self.found = records.record(KIND, self.key, now=now)
            self.count = Count.read(self.found)

    def take_back(self, records: Records, now: datetime) -> None:
        """Undo our own change, if nobody has made another since."""
        if not self.version:
            return
        if self.found is None:
            records.remove(KIND, self.key, version=self.version, now=now)
            return
        value, expires = self.found.value, self.found.expires
        records.replace(KIND, self.key, value, version=self.version, expires=expires, now=now)

    def _put(self, records: Records, value: bytes, expires: datetime, now: datetime) -> bool:
        if self.found is not None:
            version = self.found.version
            return records.replace(KIND, self.key, value, version=version, expires=expires, now=now)
        room = records.keep(
            KIND,
            self.key,
            value,
            owner=self.key[:4],  # shares of 256 places: quickly counted by every store
            expires=expires,
            now=now,
            owner_limit=PLACES,
            limit=self.limit,
        )
        return room is Room.KEPT


def address_of(peer: str) -> Address | None:
    """The address of a client; None for what is no IP address."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_of(address: Address | None) -> str:
    """What counts as one address: of IPv6 a /64, the least that one customer gets (RFC 6177)."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return "" if address is None else str(address)


def digest(*parts: str) -> str:
    """One text for several, each with its length, so that no two run together."""
    found = hashlib.sha256()
    for part in parts:
        octets = part.encode("utf-8", "surrogatepass")
        found.update(len(octets).to_bytes(4, "big") + octets)
    return found.hexdigest()


def caller_key(caller: str) -> str:
    """The place of a caller's count, by its digest."""
    return _place("c", caller)


def address_key(network: str) -> str:
    """The place of an address's count."""
    return _place("a", network)


def user_key(user: str) -> str:
    """The place of a user's count, by its digest."""
    return _place("u", user)


def _place(sort: str, text: str) -> str:
    return f"{sort}:{digest(sort, text)[:_PLACE_CHARACTERS]}"
