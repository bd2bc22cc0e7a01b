"""What the core needs from outside, on one page: time, randomness, users, shared state, keys.

The core (everything from ``xml`` up to ``exchange``) has no clock, no randomness and no I/O of its
own; adapters implement these protocols and the composition root passes them in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Clock = Callable[[], datetime]
"""The current time, timezone-aware, UTC. Asked once per message."""

Entropy = Callable[[int], bytes]
"""That many unpredictable bytes (``os.urandom``)."""


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

    def check_password(self, name: str, password: str) -> User:
        """Authenticate by the clear password.

        Raises:
            WSSecurityError: USER_UNKNOWN, PASSWORD_WRONG, USER_DISABLED or AUTHENTICATION_BUSY.
            BackendError: the store did not answer.
        """
        ...

    def check_digest(self, name: str, digest: bytes, nonce: bytes, created: str) -> User:
        """Authenticate by Base64(SHA-1(nonce + created + password)), given decoded.

        Raises:
            WSSecurityError: USER_UNKNOWN, PASSWORD_WRONG (also when the store holds no clear
                password for that user) or USER_DISABLED.
            BackendError: the store did not answer.
        """
        ...


class SharedStore(Protocol):
    """State that all workers (and machines) share; every change is one atomic operation."""

    def add_if_absent(self, key: str, *, expires: datetime, now: datetime) -> bool:
        """Remember the key until it expires; false when it was already there and alive.

        Exactly one of any number of concurrent callers gets true.

        Raises:
            BackendError: the store did not answer, or is full (a live entry is never evicted).
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
