"""What a store knows of one user."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from wsprovider.adapters.users.hashing import octets
from wsprovider.ports import User

_ROUNDS: Final = 2_000
_REMEMBERED: Final = 10_000
_NAME_CHARACTERS: Final = 256


def possible_name(name: str) -> bool:
    """Whether a user can be called so: 1 to 256 characters, all printable."""
    return bool(name) and name.isprintable() and len(name) <= _NAME_CHARACTERS


@dataclass(frozen=True, slots=True)
class Entry:
    """One user as a store holds it; exactly one of the two secrets is there, unless others keep it.

    Attributes:
        name: compared exactly: case, accents and spaces matter.
        password: an argon2id hash.
        clear_password: the password itself, which digests need (UsernameToken Profile 1.1, 3.1).
        roles: given to the service.
        disabled: known, but refused.
        changed: where others keep the secret: what they change with it.
    """

    name: str
    password: str | None = field(default=None, repr=False)
    clear_password: str | None = field(default=None, repr=False)
    roles: frozenset[str] = frozenset()
    disabled: bool = False
    changed: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """An entry made ready for checking.

    Attributes:
        entry: as the store holds it.
        state: differs whenever anything of the entry does; holds its secrets.
    """

    entry: Entry
    state: str = field(repr=False)

    @classmethod
    def of(cls, entry: Entry) -> "Record":
        """The record of an entry; costs the same whatever secret it has."""
        return cls(entry, json.dumps([*_plain(entry), entry.password, entry.clear_password]))

    @property
    def user(self) -> User:
        """What the caller gets on success; before that, the time it takes would tell of a clear password."""
        return _user(self.entry)


@lru_cache(_REMEMBERED)
def _user(entry: Entry) -> User:
    return User(entry.name, entry.roles, version(entry))


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
    name, *rest = _plain(entry)
    everything = json.dumps([name, kind, secret, *rest])
    return hashlib.sha256(everything.encode()).hexdigest()[:32]


def _plain(entry: Entry) -> list[object]:
    """What of an entry is no secret."""
    changed = [entry.changed] if entry.changed else []
    return [entry.name, sorted(entry.roles), entry.disabled, *changed]
