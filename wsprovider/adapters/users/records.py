"""What a store knows of one user."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Final

from wsprovider.adapters.users.hashing import octets
from wsprovider.ports import User

_ROUNDS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One user as a store holds it; exactly one of the two secrets is there.

    Attributes:
        name: compared exactly: case, accents and spaces matter.
        password: an argon2id hash.
        clear_password: the password itself, which digests need (UsernameToken Profile 1.1, 3.1).
        roles: given to the service.
        disabled: known, but refused.
    """

    name: str
    password: str | None = field(default=None, repr=False)
    clear_password: str | None = field(default=None, repr=False)
    roles: frozenset[str] = frozenset()
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """An entry made ready for checking.

    Attributes:
        entry: as the store holds it.
        user: what the caller gets on success.
    """

    entry: Entry
    user: User

    @classmethod
    def of(cls, entry: Entry) -> "Record":
        """The record of an entry."""
        return cls(entry, User(entry.name, entry.roles, version(entry)))


def version(entry: Entry) -> str:
    """A text that changes with anything of the entry, and is the same in all workers.

    It may end up where a password must not. A hash is salted and slow to guess already; a clear password
    is first made slow to guess, so that a leaked version is no quick way to it.
    """
    if entry.clear_password is not None:
        salt = hashlib.sha256(octets(entry.name)).digest()
        secret = hashlib.pbkdf2_hmac("sha256", octets(entry.clear_password), salt, _ROUNDS).hex()
    else:
        secret = entry.password or ""
    kind = "clear" if entry.clear_password is not None else "hash"
    everything = json.dumps([entry.name, kind, secret, sorted(entry.roles), entry.disabled])
    return hashlib.sha256(everything.encode()).hexdigest()[:32]
