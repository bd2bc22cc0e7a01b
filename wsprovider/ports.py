"""What the core needs from outside, on one page: time, randomness, users, shared state, keys.

The core (everything from ``xml`` up to ``exchange``) has no clock, no randomness and no I/O of its
own; adapters implement these protocols and the composition root passes them in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

Clock = Callable[[], datetime]
"""The current time, timezone-aware, UTC. Asked once per message."""

Entropy = Callable[[int], bytes]
"""That many unpredictable bytes (``os.urandom``)."""


class Admission(Protocol):
    """Asked once before a password is compared, unless a success of a moment ago has answered."""

    def __call__(self, *, remembered: bool) -> str | None:
        """Let it be compared, or refuse the message.

        Args:
            remembered: this very password was right here before, so that it is no guess.

        Returns:
            The source that shares places in the queue of hashing; empty: shares with nobody. None: may wait
            even if the queue is full.
        """
        ...


def admit_all(*, remembered: bool) -> str:
    """The :class:`Admission` that refuses nothing."""
    del remembered
    return ""


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated user of a store.

    Attributes:
        name: the name exactly as the store holds it.
        roles: the roles the store gives.
        version: changes whenever anything of the record changes (password, roles, disabled).
    """

    name: str
    roles: frozenset[str]
    version: str


class Users(Protocol):
    """A user store. Unknown user and wrong password cost the same and differ only in the Reason."""

    @property
    def knows_clear_passwords(self) -> bool:
        """Whether at least one user's password digest can be checked (UsernameToken Profile 1.1)."""
        ...

    def check_password(self, name: str, password: str, *, admit: Admission = admit_all) -> User:
        """Authenticate by the clear password.

        Args:
            admit: asked before anything is hashed, for a known user and for an unknown one.

        Raises:
            WSSecurityError: USER_UNKNOWN, PASSWORD_WRONG, USER_DISABLED or AUTHENTICATION_BUSY; what
                ``admit`` raises.
            BackendError: the store did not answer.
        """
        ...

    def check_digest(
        self, name: str, digest: bytes, nonce: bytes, created: str, *, admit: Admission = admit_all
    ) -> User:
        """Authenticate by Base64(SHA-1(nonce + created + password)), given decoded.

        Raises:
            WSSecurityError: USER_UNKNOWN, PASSWORD_WRONG (also when the store holds no clear
                password for that user) or USER_DISABLED; what ``admit`` raises.
            BackendError: the store did not answer.
        """
        ...

    def find(self, name: str) -> User:
        """What the store holds of a user who proved a password earlier; proves nothing by itself.

        Raises:
            WSSecurityError: USER_UNKNOWN or USER_DISABLED.
            BackendError: the store did not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class AcceptedTicket:
    """A Kerberos ticket for our service, as an AP-REQ of its holder has shown it.

    Attributes:
        principal: the client, ``user@REALM``.
        key: of the authenticator (its sub-key), or the ticket's session key where it names none.
        enctype: number of the key's encryption type (RFC 3961).
        expires: when the ticket's life ends.
        authenticator: digest of what the client has sealed for this AP-REQ; another spelling of the same
            AP-REQ has the same, so that a replay is told by it.
    """

    principal: str
    key: bytes = field(repr=False)
    enctype: int
    expires: datetime
    authenticator: bytes


class TicketAcceptor(Protocol):
    """Our service's side of Kerberos (RFC 4120, section 3.2.3); keeps no replay cache of its own."""

    def accept(self, token: bytes, *, now: datetime) -> AcceptedTicket:
        """Verify an AP-REQ, raw or wrapped as GSS-API does (RFC 4121, section 4.1).

        Raises:
            WSSecurityError: KERBEROS_TOKEN, TICKET_INVALID, TICKET_EXPIRED, TICKET_SKEW, TICKET_SERVICE or
                TICKET_ENCTYPE.
            BackendError: the service's own keys cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class FreshTicket:
    """An AP-REQ for a service, made for one message, and the key that goes with it.

    Attributes:
        token: wrapped as GSS-API does.
        key: as in :class:`AcceptedTicket`.
        expires: when the ticket's life ends.
    """

    token: bytes = field(repr=False)
    key: bytes = field(repr=False)
    expires: datetime


class TicketSource(Protocol):
    """A client's side of Kerberos, for one service principal."""

    def ticket(self, *, now: datetime) -> FreshTicket:
        """Make an AP-REQ with a fresh authenticator.

        Raises:
            BackendError: there is no ticket to be had (no credentials, no KDC, an unknown service).
        """
        ...


class Room(Enum):
    """What became of a record that was to be kept."""

    KEPT = "kept"
    TAKEN = "a live record of that key is there"
    OWNER_FULL = "the owner has as many live records as one may have"
    FULL = "there are as many live records as there may be"


@dataclass(frozen=True, slots=True)
class Record:
    """A value that outlives a message, shared by all workers.

    Attributes:
        key: its name among those of its kind; no secret.
        value: opaque; whoever keeps it here has sealed what must not be read.
        version: 1 when it was kept first, one more with each change.
        expires: when it is gone.
    """

    key: str
    value: bytes = field(repr=False)
    version: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """How the records of a kind came and went, over all workers since the store was made.

    ``kept == live + removed + expired`` at every moment at which nothing is being changed.
    """

    live: int
    kept: int
    replaced: int
    removed: int
    expired: int


class Records(Protocol):
    """Values that all workers (and machines) share; every change is one atomic operation.

    Kinds are few and fixed by us ("context"); each counts by itself. A record is alive as long as
    ``now < expires``; one that is not alive is not there, whether it was freed already or not.
    """

    def keep(
        self,
        kind: str,
        key: str,
        value: bytes,
        *,
        owner: str,
        expires: datetime,
        now: datetime,
        owner_limit: int,
        limit: int,
    ) -> Room:
        """Keep a new record, if there is room.

        Args:
            owner: for whom it is kept; only counted, never given back.
            owner_limit: live records of this kind that one owner may have, this one included.
            limit: live records of this kind that there may be, this one included.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def record(self, kind: str, key: str, *, now: datetime) -> Record | None:
        """The live record of that key.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def several(self, kind: str, keys: Sequence[str], *, now: datetime) -> dict[str, Record]:
        """The live ones among the records of a few keys, by key; the store is asked once.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def replace(
        self, kind: str, key: str, value: bytes, *, version: int, expires: datetime, now: datetime
    ) -> bool:
        """Put another value and expiry in the place of a live record, if its version is still this one.

        Exactly one of any number of concurrent callers with the same version gets true.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def remove(self, kind: str, key: str, *, version: int | None, now: datetime) -> bool:
        """Take a live record away, if its version is still this one (None: whatever it is).

        Exactly one of any number of concurrent callers gets true; once it has, nobody finds the record.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def records(self, kind: str, *, now: datetime) -> Iterator[Record]:
        """Every live record of a kind, in no order; ones that come or go meanwhile may be among them.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def totals(self, kind: str, *, now: datetime) -> Totals:
        """How many there are and were; frees what has expired first.

        Raises:
            BackendError: the store did not answer.
        """
        ...


class SharedStore(Protocol):
    """Marks that all workers (and machines) share; every change is one atomic operation."""

    def add_if_absent(self, key: str, *, expires: datetime, now: datetime) -> bool:
        """Remember the key until it expires; false when it was already there and alive.

        Exactly one of any number of concurrent callers gets true.

        Raises:
            BackendError: the store did not answer.
            BackendFullError: it is full; a live entry is never evicted.
        """
        ...

    def contains(self, key: str, *, now: datetime) -> bool:
        """Whether a live entry exists; a hint only, ``add_if_absent`` decides.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def remove_expired(self, *, now: datetime) -> int:
        """Free what has expired; the number of entries freed."""
        ...

    def size(self) -> int:
        """The number of entries held, expired ones that were not freed yet included."""
        ...

    def close(self) -> None:
        """Release connections and files; further calls raise BackendError."""
        ...


class SharedState(SharedStore, Records, Protocol):
    """Both kinds of shared state in one place: what a shared store's URL opens."""
