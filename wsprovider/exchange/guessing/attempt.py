"""One attempt to authenticate: whether it is heard, and what came of it."""

import ipaddress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from wsprovider.exchange.guessing.counts import (
    EVERYWHERE,
    KIND,
    KNOWN,
    Count,
    Place,
    address_key,
    address_of,
    caller_key,
    digest,
    network_of,
    user_key,
)
from wsprovider.exchange.guessing.settings import GuessingSettings, Scale
from wsprovider.ports import Record, Records
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

KNOWN_PER_USER: Final = 100
"""Addresses at which one user is known."""

_HALF: Final = 32
"""Characters of a digest: half of it is enough to tell users apart."""
_DOUBLINGS: Final = 20
_RENEWED: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_NO_WAIT: Final = timedelta()
_WRONG: Final = frozenset({Reason.PASSWORD_WRONG, Reason.USER_UNKNOWN})


class Guesses:
    """The counts of one user store; shared by all threads, and over the store by all workers."""

    def __init__(self, records: Records, settings: GuessingSettings, users: str) -> None:
        """Take the store.

        Args:
            users: what the user store is called: the same name in another one is another user.
        """
        self.records, self.settings = records, settings
        self._users = users
        self._shared = tuple(ipaddress.ip_network(one) for one in settings.shared_addresses)

    def attempt(self, name: str, peer: str, now: datetime) -> "Attempt":
        """Begin an attempt; nothing is asked yet.

        Args:
            name: of the user, as the message says it.
            peer: the client's address; what is none (a Unix socket) is one that many share.
            now: the present.
        """
        address = address_of(peer)
        many = address is None or any(address in network for network in self._shared)
        return Attempt(self, name, network_of(address), many=many, now=now)

    def user(self, name: str) -> str:
        """The digest that stands for a user."""
        return digest("user", self._users, name)[:_HALF]

    def forgive(self, name: str, now: datetime) -> int:
        """End every delay of a user; where they are known, they stay known. How many counts were ended.

        Raises:
            BackendError: the store did not answer.
        """
        user = self.user(name)
        ours = [one for one in self.records.records(KIND, now=now) if Count.read(one).user == user]
        # the user's own count first: another user may share its place, and have been counted last
        ended = int(self.records.remove(KIND, user_key(user), version=None, now=now))
        for one in ours:
            if one.key.startswith(KNOWN):
                value, failed = Count(user=user).written(), Count.read(one).failures > 0
                ended += failed and self.records.replace(
                    KIND, one.key, value, version=one.version, expires=one.expires, now=now
                )
            else:
                ended += self.records.remove(KIND, one.key, version=None, now=now)
        return ended


def forgive_address(records: Records, peer: str, now: datetime) -> bool:
    """End the delay of an address; false when it has none.

    Raises:
        ValueError: it is no address.
        BackendError: the store did not answer.
    """
    address = address_of(peer)
    if address is None:
        raise ValueError(f"{peer} is no IP address")
    return records.remove(KIND, address_key(network_of(address)), version=None, now=now)


class Attempt:
    """One attempt to authenticate; used by one thread, once, as a context."""

    def __init__(self, guesses: Guesses, name: str, network: str, *, many: bool, now: datetime) -> None:
        self._source = "" if many else network
        self._settings, self._records = guesses.settings, guesses.records
        self._name, self._network, self._now = name, network, now
        self._user = guesses.user(name)
        self._known: Record | None = None
        self._callers: Place | None = None
        self._addresses: Place | None = None
        self._users: Place | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Count what came of it; what was answered without being heard counts for nothing."""
        if self._callers is None:
            return
        if error is None:
            self._succeeded(self._callers)
        elif isinstance(error, WSSecurityError) and error.reason in _WRONG:
            self._failed()
        else:
            self._take_back()

    def admit(self, *, remembered: bool) -> str | None:
        """Have the password looked at, or not: an :class:`wsprovider.ports.Admission`. One look into the store.

        Raises:
            WSSecurityError: AUTHENTICATION_BACKOFF.
            BackendError: the store did not answer.
        """
        caller, address, user = self._places()
        if not remembered:
            self._pass(caller, address, user)
        self._callers, self._addresses, self._users = caller, address, user
        return None if remembered or self._known is not None else self._source

    def _pass(self, caller: Place, address: Place | None, user: Place | None) -> None:
        """Wait for nothing any more, and count beforehand what the next attempt will have to wait for."""
        for gate in (caller, address):
            self._check(gate)
        pressure = _NO_WAIT
        if user is not None:  # from other addresses
            pressure = user.scale.delay(user.count.failures - caller.count.failures)
        if pressure and not caller.count.until:
            # the wait is written down and the failures stay: a stranger to this user begins by waiting
            caller.write(self._records, caller.count.failures, pressure, self._now)
            raise self._refused(caller, self._now + pressure)
        # under attack no failure is free, and each one doubles the wait that the user's failures ask for
        doubled = pressure * (1 << min(caller.count.failures + 1, _DOUBLINGS))
        self._claim(caller, min(doubled, caller.scale.longest))
        try:
            self._claim(address, _NO_WAIT)
        except WSSecurityError:
            caller.take_back(self._records, self._now)
            raise

    def _places(self) -> tuple[Place, Place | None, Place | None]:
        """The counts of the caller, the address and the user; the latter two only where they count."""
        settings, limit = self._settings, 2 * EVERYWHERE + self._settings.known
        caller = digest("caller", self._user, self._network)
        keys = [KNOWN + caller, caller_key(caller), user_key(self._user), address_key(self._network)]
        found = self._records.several(KIND, keys if self._source else keys[:-1], now=self._now)
        known, callers, users, addresses = (found.get(key) for key in keys)
        self._known, lasts = known, self._now + settings.forget
        scale = settings.caller if self._source else Scale(settings.caller.free, settings.user.longest)
        if known is not None:
            return Place(known.key, scale, self._user, known, known.expires, limit), None, None
        address = Place(keys[3], settings.address, "-", addresses, lasts, limit) if self._source else None
        return (
            Place(keys[1], scale, self._user, callers, lasts, limit),
            address,
            Place(keys[2], settings.user, self._user, users, lasts, limit),
        )

    def _check(self, gate: Place | None) -> None:
        # a delay that ends later than any can is that of a clock which was ahead
        if gate is not None and self._now < gate.count.end <= self._now + self._settings.longest:
            raise self._refused(gate, gate.count.end)

    def _claim(self, gate: Place | None, least: timedelta) -> None:
        """Count the attempt before it is heard, where the next one will have to wait for it."""
        if gate is None:
            return
        failures = gate.count.failures + 1
        wait = max(gate.scale.delay(failures), least)
        if wait and not gate.write(self._records, failures, wait, self._now):
            raise WSSecurityError(Reason.AUTHENTICATION_BACKOFF, f"{self._name[:100]}: another was faster")

    def _refused(self, gate: Place, end: datetime) -> WSSecurityError:
        whose = "address" if gate.scale is self._settings.address else "caller"
        seconds = -((self._now - end) // _SECOND)
        detail = f"{self._name[:100]}: {seconds} s more, by {whose}"
        return WSSecurityError(Reason.AUTHENTICATION_BACKOFF, detail)

    def _succeeded(self, caller: Place) -> None:
        """The caller is known from now on; what was counted beforehand does not count."""
        records, now, settings = self._records, self._now, self._settings
        value, expires = Count(user=self._user).written(), now + settings.known_for
        known = self._known
        if known is not None:
            if caller.count.failures or known.expires < expires - _RENEWED:
                version = caller.version or known.version
                records.replace(KIND, known.key, value, version=version, expires=expires, now=now)
            return
        if self._addresses is not None:
            self._addresses.take_back(records, now)
        if caller.found is not None or caller.version:
            records.remove(KIND, caller.key, version=None, now=now)
        records.keep(
            KIND,
            KNOWN + digest("caller", self._user, self._network),
            value,
            owner=self._user,
            expires=expires,
            now=now,
            owner_limit=KNOWN_PER_USER,
            limit=EVERYWHERE + settings.known,
        )

    def _failed(self) -> None:
        """Count what was not counted before."""
        for place in (self._callers, self._addresses, self._users):
            if place is not None and not place.version:
                place.add(self._records, self._now)

    def _take_back(self) -> None:
        for place in (self._callers, self._addresses):
            if place is not None:
                place.take_back(self._records, self._now)
