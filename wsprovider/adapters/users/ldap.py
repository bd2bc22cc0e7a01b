"""Users in an LDAP directory: an account of ours reads them, a bind as the user proves a password.

LDAP compares names without regard to case, accents in other forms or spaces (RFC 4518). Here a name counts as the directory
holds it, and another spelling is nobody, as in every store. Passwords go to the directory octet by octet.
"""

import json
import math
import os
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from wsprovider.adapters.users.cache import Age, PositiveCache
from wsprovider.adapters.users.checking import Credentials
from wsprovider.adapters.users.directory import Directory, Found, escaped, present
from wsprovider.adapters.users.groups import roles_of
from wsprovider.adapters.users.hashing import PROCESS_HASHING, octets
from wsprovider.adapters.users.ldap_settings import LdapSettings
from wsprovider.adapters.users.records import Entry, Record, possible_name
from wsprovider.adapters.users.turns import Turns
from wsprovider.ports import Admission, User, admit_all
from wsprovider.words.errors import BackendError, ConfigurationError, Problem
from wsprovider.words.limits import Limits

_LIMITS: Final = Limits()
_HELD: Final = 10
"""Threads that binds may hold, as hashes may: two of gunicorn's twelve are left to whoever needs none."""
_WAITING: Final = 2
_REFUSALS: Final = 32
"""Refusals of known users that say how long one may take."""
_SPANS: Final = 10
"""What takes longer than so many spans was a mishap."""


class LdapUsers:
    """Implements :class:`wsprovider.ports.Users`.

    Attributes:
        warnings: what is worth a sentence in the log.
        knows_clear_passwords: no directory tells passwords, so digests cannot be checked.
    """

    knows_clear_passwords = False
    warnings: tuple[str, ...] = ()

    def __init__(
        self,
        settings: LdapSettings,
        *,
        limits: Limits = _LIMITS,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        cache_entries: int = 10_000,
    ) -> None:
        """See whether the directory answers, and has what is named.

        Args:
            settings: where users stand.
            limits: ``password_bytes`` counts.
            monotonic: seconds that never run backwards.
            wait: sleeps so many seconds.
            cache_entries: how many successes are remembered.

        Raises:
            ConfigurationError: ldap3 is not installed, or the directory does not have what is named.
            BackendError: no server answered.
        """
        self._settings, self._monotonic, self._wait = settings, monotonic, wait
        self._directory = Directory(settings, monotonic=monotonic)
        try:
            self._check_bases()
        except BaseException:
            self._directory.close()
            raise
        self._cache = PositiveCache(life=settings.remember, entries=cache_entries, monotonic=monotonic)
        self._credentials = Credentials(hashing=PROCESS_HASHING, cache=self._cache, limits=limits)
        self._turns = Turns(at_once=settings.binds, waiting=max(_HELD - settings.binds, _WAITING))
        self._refusals: deque[float] = deque(maxlen=_REFUSALS)
        self._nobody = f"cn={os.urandom(8).hex()},{settings.base}"

    def check_password(self, name: str, password: str, *, admit: Admission = admit_all) -> User:
        """See :meth:`wsprovider.ports.Users.check_password`."""
        self._credentials.refuse_early(name, password)
        began, recent = self._monotonic(), self._cache.tag(name, "", octets(password))
        user = self._cache.user(recent)
        if user is not None:
            return user
        # first: how long the directory looks for a name must not show to whoever is not heard
        source = admit(remembered=self._cache.age(recent) is Age.OLD)
        heard = self._monotonic()
        dn, record = self._record(name)
        user = self._credentials.check_password(
            name,
            password,
            record,
            admit=lambda *, remembered: source,  # noqa: ARG005 - it was asked
            proof=partial(self._proof, dn, self._monotonic() - heard),
        )
        self._cache.add(recent, user, since=began)
        return user

    def check_digest(
        self, name: str, digest: bytes, nonce: bytes, created: str, *, admit: Admission = admit_all
    ) -> User:
        """See :meth:`wsprovider.ports.Users.check_digest`: refuses everybody."""
        _, record = self._record(name)
        return self._credentials.check_digest(name, digest, nonce, created, record, admit=admit)

    def find(self, name: str) -> User:
        """See :meth:`wsprovider.ports.Users.find`; asks the directory each time."""
        return self._credentials.find(name, self._record(name)[1])

    def close(self) -> None:
        """End the connections that nobody uses."""
        self._directory.close()

    def _check_bases(self) -> None:
        settings = self._settings
        named = [("base", settings.base)]
        if settings.groups is not None:
            named.append(("[groups].base", settings.groups.base))
        problems = [
            Problem(
                f"{settings.where}: {key}",
                f"the directory has no entry {base!r}, or does not show it to the account of ours",
            )
            for key, base in named
            if not present(self._directory, base)
        ]
        if problems:
            raise ConfigurationError(problems)

    def _record(self, name: str) -> tuple[str, Record | None]:
        """Where a user stands and what the directory holds of them; for nobody, as many questions are asked."""
        settings = self._settings
        found = self._found(name) if possible_name(name) else None
        dn = self._nobody if found is None else found.dn
        told = found or Found(dn, {})
        roles = roles_of(self._directory, settings, name if found else self._nobody, dn, told)
        if found is None:
            return dn, None
        changed = {
            attribute: sorted(one.hex() for one in found.of(attribute)) for attribute in settings.version
        }
        if not any(changed.values()):
            names = ", ".join(settings.version)
            what = (
                f"tells none of {names} of {dn}, so a changed password would go unnoticed: let the account of"
            )
            raise BackendError(f"LDAP: the directory {what} ours read one, or name others in version")
        entry = Entry(name, roles=roles, disabled=self._disabled(found), changed=json.dumps(changed))
        return dn, Record.of(entry)

    def _found(self, name: str) -> Found | None:
        """The one entry that is called exactly so."""
        settings = self._settings
        base, search = settings.base, f"(&{settings.filter}({settings.name}={escaped(name)}))"
        if settings.dn is not None:
            base = settings.dn.replace("{name}", escaped(name))
        member_of = settings.groups.member_of if settings.groups is not None else None
        asked = {settings.name, *settings.disabled, *settings.version, *([member_of] if member_of else ())}
        found = self._directory.search(base, search, sorted(asked), below=settings.dn is None, limit=2)
        if len(found) != 1 or name not in found[0].texts(settings.name):
            return None
        return found[0]

    def _disabled(self, found: Found) -> bool:
        for attribute, sign in self._settings.disabled.items():
            values = found.of(attribute)
            if sign is True and values:
                return True
            if isinstance(sign, tuple):
                signs = {one.lower() for one in sign}
                if any(value.decode("utf-8", "replace").lower() in signs for value in values):
                    return True
            elif any(_has(value, int(sign)) for value in values):
                return True
        return False

    def _proof(
        self, dn: str, looked: float, secret: bytes, source: str | None, spared: Callable[[], bool]
    ) -> bool:
        """Whether the directory lets the user in; when it does not, that is told at a moment that says no more.

        Args:
            dn: where the user stands.
            looked: seconds that it took to find that.
            secret, source, spared: see :data:`wsprovider.adapters.users.checking.Proof`.
        """
        with self._turns.turn(source):
            if spared():
                return True
            began = self._monotonic()
            proven = self._directory.proves(dn, secret)
            if not proven:  # what it has waited for others is no matter of this user
                self._pause(looked + self._monotonic() - began, known=dn != self._nobody)
            return proven

    def _pause(self, took: float, *, known: bool) -> None:
        """Wait until somebody else's refusal would leave: a directory that hashes takes longer for a user it knows."""
        span = self._settings.refuse_after / 1000
        if not span:
            return
        if known:
            self._refusals.append(took)
        longest = min(max(self._refusals, default=0.0), _SPANS * span)
        spans = max(1, math.ceil(max(took, longest) / span))
        self._wait(max(0.0, spans * span - took))


def _has(value: bytes, bits: int) -> bool:
    """Whether a number has one of the bits; of what is no number nobody knows."""
    try:
        return bool(int(value) & bits)
    except ValueError:
        return True
