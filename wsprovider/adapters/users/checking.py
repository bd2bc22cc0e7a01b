"""The judgement over a name and a password: one for every store, so that all refuse alike.

OASIS Web Services Security UsernameToken Profile 1.1, section 3.1: the password comes in clear, or as
Base64(SHA-1(nonce + created + password)).

Whether a user exists must not show in the time. An unknown user, a user with a hash and one with a clear
password take the same path: one look-up in the cache, one hash of the same cost, one comparison in constant
time. What needs no user to be refused (no name, no password, one that is too long) is refused before
anything is looked up.
"""

import hashlib
import hmac
import os
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from wsprovider.adapters.users.cache import Age, PositiveCache
from wsprovider.adapters.users.hashing import (
    PARAMETERS,
    Hashing,
    Parameters,
    dummy_hash,
    octets,
    read_parameters,
)
from wsprovider.adapters.users.records import Entry, Record
from wsprovider.ports import Admission, User, admit_all
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_KEY: Final = os.urandom(32)
"""Makes texts of any length comparable in constant time; nothing made with it leaves the process."""


Proof = Callable[[bytes, str | None, Callable[[], bool]], bool]
"""Whether a password is right, by whoever keeps it: a store that has no secret itself asks.

Called with the password, and with ``source`` and ``spared`` of
:meth:`wsprovider.adapters.users.hashing.Hashing.matches`; raises what that does.
"""


def password_digest(nonce: bytes, created: str, password: bytes) -> bytes:
    """SHA-1(nonce + created + password) (section 3.1), before Base64."""
    return hashlib.sha1(nonce + octets(created) + password, usedforsecurity=False).digest()


class Credentials:
    """Checks what a client gave against what a store found.

    Attributes:
        dummy: stands in for a hash where there is none.
    """

    def __init__(
        self, *, hashing: Hashing, cache: PositiveCache, limits: Limits, parameters: Parameters = PARAMETERS
    ) -> None:
        """Prepare the stand-ins.

        Args:
            hashing: takes turns with all other stores of the process.
            cache: of successes.
            limits: ``password_bytes`` counts.
            parameters: what a check against this store's hashes costs (:func:`usual_parameters`).
        """
        self._hashing = hashing
        self._cache = cache
        self._password_bytes = limits.password_bytes
        self._dummy_hash = dummy_hash(parameters)
        self._dummy_secret = os.urandom(16).hex()
        self._nobody = Record.of(Entry("", password=self._dummy_hash))

    def refuse_early(self, name: str, password: str) -> None:
        """Refuse what needs no look-up; call it before the store is asked.

        Raises:
            WSSecurityError: USER_UNKNOWN for an empty name, PASSWORD_WRONG for an empty password or one
                beyond the limit.
        """
        self._refuse_nameless(name)
        # four bytes a character at most: a huge password is not even encoded
        if (
            not password
            or len(password) > self._password_bytes
            or len(octets(password)) > self._password_bytes
        ):
            raise WSSecurityError(Reason.PASSWORD_WRONG, "empty, or beyond Limits.password_bytes")

    def check_password(
        self,
        name: str,
        password: str,
        record: Record | None,
        *,
        admit: Admission = admit_all,
        proof: Proof | None = None,
    ) -> User:
        """Authenticate by the clear password.

        Args:
            name: as given.
            password: as given.
            record: what the store holds under exactly that name; None if nothing.
            admit: see :meth:`wsprovider.ports.Users.check_password`.
            proof: asked in the place of the record's own secret.

        Raises:
            WSSecurityError: USER_UNKNOWN, PASSWORD_WRONG, USER_DISABLED or AUTHENTICATION_BUSY; what
                ``admit`` raises.
            BackendError: the hash could not be computed; what ``proof`` raises.
        """
        self.refuse_early(name, password)
        secret = octets(password)
        found = record or self._nobody
        tag = self._cache.tag(name, found.state, secret)
        age = self._cache.age(tag)
        if age is not Age.FRESH:
            source = admit(remembered=age is Age.OLD)
            proven = (proof or partial(self._proven, found))(
                secret, source, lambda: self._cache.age(tag) is Age.FRESH
            )
            _judge(record, proven=proven, name=name)
            self._cache.add(tag)
        return _enabled(found)

    def check_digest(
        self,
        name: str,
        digest: bytes,
        nonce: bytes,
        created: str,
        record: Record | None,
        *,
        admit: Admission = admit_all,
    ) -> User:
        """Authenticate by the password digest, decoded; the other arguments as above.

        Raises:
            WSSecurityError: USER_UNKNOWN, PASSWORD_WRONG or USER_DISABLED; what ``admit`` raises.
        """
        self._refuse_nameless(name)
        admit(remembered=False)
        found = record or self._nobody
        expected = password_digest(nonce, created, self._clear(found))
        _judge(record, proven=hmac.compare_digest(expected, digest), name=name)
        return _enabled(found)

    @classmethod
    def find(cls, name: str, record: Record | None) -> User:
        """The user of a record, no secret asked for; the arguments as above.

        Raises:
            WSSecurityError: USER_UNKNOWN or USER_DISABLED.
        """
        cls._refuse_nameless(name)
        if record is None:
            raise WSSecurityError(Reason.USER_UNKNOWN, name)
        return _enabled(record)

    def _proven(self, found: Record, secret: bytes, source: str | None, spared: Callable[[], bool]) -> bool:
        stored, clear = found.entry.password or self._dummy_hash, self._clear(found)
        hash_matches = self._hashing.matches(stored, secret, source=source, spared=spared)
        return hash_matches | hmac.compare_digest(_comparable(clear), _comparable(secret))

    def _clear(self, record: Record) -> bytes:
        """The clear password, or one that nobody knows."""
        clear = record.entry.clear_password
        return octets(self._dummy_secret if clear is None else clear)

    @staticmethod
    def _refuse_nameless(name: str) -> None:
        if not name:
            raise WSSecurityError(Reason.USER_UNKNOWN, "empty name")


def usual_parameters(entries: Iterable[Entry]) -> Parameters:
    """What most hashes of a store cost; the stand-in must cost the same."""
    costs = Counter(read_parameters(entry.password) for entry in entries if entry.password is not None)
    return costs.most_common(1)[0][0] if costs else PARAMETERS


def _judge(record: Record | None, *, proven: bool, name: str) -> None:
    if record is None:
        raise WSSecurityError(Reason.USER_UNKNOWN, name)
    if not proven:
        raise WSSecurityError(Reason.PASSWORD_WRONG, name)


def _enabled(record: Record) -> User:
    """The user, unless disabled: which only who knows the password, or knew it once, gets to hear."""
    if record.entry.disabled:
        raise WSSecurityError(Reason.USER_DISABLED, record.entry.name)
    return record.user


def _comparable(secret: bytes) -> bytes:
    return hmac.digest(_KEY, secret, "sha256")
