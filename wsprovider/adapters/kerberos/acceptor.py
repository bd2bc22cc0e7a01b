"""Our service's side of Kerberos: with a keytab that is followed as it changes, or with a password."""

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from wsprovider.adapters.kerberos.enctypes import USUAL, enctype_names, enctype_numbers
from wsprovider.adapters.kerberos.gss import gss_library
from wsprovider.adapters.kerberos.keytab import KeytabKey, parse_keytab
from wsprovider.adapters.kerberos.passwords import password_key
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.adapters.kerberos.service_keys import ServiceKeys
from wsprovider.adapters.shared.following import Followed, OneFile
from wsprovider.ports import AcceptedTicket
from wsprovider.words.errors import BackendError, ConfigurationError, Problem, WSSecurityError
from wsprovider.words.reasons import Reason

_LARGEST: Final = 4_000_000
_WHERE: Final = "kerberos.principals"
_NO_KEY: Final = frozenset({Reason.TICKET_SERVICE, Reason.TICKET_ENCTYPE, Reason.TICKET_INVALID})
"""What a ticket is refused for by keys that are too old for it (a ticket need not say its key's version)."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    keys: ServiceKeys
    realms: frozenset[str]
    warnings: tuple[str, ...]


class KeytabAcceptor:
    """Implements :class:`wsprovider.ports.TicketAcceptor` for the keys of a keytab.

    Safe between threads and across forks. All versions of a key that the keytab holds count. The file is
    followed (:mod:`wsprovider.adapters.shared.following`), and looked at when a ticket comes that no key opens, too.
    """

    def __init__(
        self,
        path: Path,
        *,
        principals: Sequence[str] = (),
        enctypes: Sequence[str] = USUAL,
        monotonic: Callable[[], float] = time.monotonic,
        interval: float = 1.0,
        on_swap: Callable[[tuple[str, ...]], None] = lambda _: None,
        on_failure: Callable[[ConfigurationError], None] = lambda _: None,
    ) -> None:
        """Read the keytab for the first time.

        Args:
            path: the keytab, as ``ktadd``, ``ktutil`` or ``ktpass`` write it.
            principals: ``HTTP/host@REALM``, each of which must be in it; when none is named, all that are.
            enctypes: what tickets, and the keys they bring, may be encrypted with. libkrb5 has to permit them,
                too (``permitted_enctypes`` in krb5.conf).
            monotonic: seconds that never run backwards.
            interval: seconds between two looks at the file.
            on_swap: told of each changed keytab that is now in force, with its warnings.
            on_failure: told when a changed keytab cannot be used; the old keys stay in force.

        Raises:
            ConfigurationError: gssapi is not installed, the keytab cannot be used, or an argument is wrong.
        """
        gss_library()
        self._enctypes = enctype_numbers(enctypes)
        self._principals = _parsed(principals)
        self._keytab = Followed(
            OneFile(path.absolute(), self._read),
            monotonic=monotonic,
            interval=interval,
            on_swap=lambda snapshot: on_swap(snapshot.warnings),
            on_failure=on_failure,
        )

    @property
    def realms(self) -> frozenset[str]:
        """The realms of whoever can be shown a ticket by the keys in force."""
        return self._keytab.current().realms

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth a sentence in the log about the keytab in force."""
        return self._keytab.current().warnings

    @property
    def failed(self) -> bool:
        """Whether the keytab as it is now cannot be used, and an older one is in force."""
        return self._keytab.failed

    def accept(self, token: bytes, *, now: datetime) -> AcceptedTicket:
        """See :meth:`wsprovider.ports.TicketAcceptor.accept`."""
        snapshot = self._keytab.current()
        try:
            return snapshot.keys.accept(token, now=now)
        except WSSecurityError as error:
            # a KDC gives out tickets for a new key at once; if the keytab has it by now, they need not wait
            fresh = self._keytab.newest() if error.reason in _NO_KEY else snapshot
            if fresh is snapshot:
                raise
        return fresh.keys.accept(token, now=now)

    def _read(self, path: Path) -> _Snapshot:
        content, status = _content(path)
        try:
            every = parse_keytab(content)
        except ValueError as error:
            raise ConfigurationError([Problem(str(path), str(error))]) from None
        chosen = self._chosen(path, every)
        try:
            keys = ServiceKeys(chosen, self._enctypes)
        except BackendError as error:
            raise ConfigurationError([Problem(str(path), str(error))]) from None
        realms = frozenset(key.principal.realm for key in chosen if key.enctype in self._enctypes)
        return _Snapshot(keys, realms, _warnings(path, status))

    def _chosen(self, path: Path, every: Sequence[KeytabKey]) -> list[KeytabKey]:
        """The keys of our principals, of which some are of types that are allowed."""
        named = self._principals or {key.principal for key in every}
        ours = [key for key in every if key.principal in named]
        allowed = enctype_names(self._enctypes)
        problems = []
        for principal in self._principals:
            has = {key.enctype for key in every if key.principal == principal}
            if not has:
                there = ", ".join(sorted({str(key.principal) for key in every})) or "nothing"
                problems.append(Problem(str(path), f"has no key of {principal}; it holds {there}"))
            elif not has & self._enctypes:
                what = f"has keys of {principal} for {enctype_names(has)} only; allowed are {allowed}"
                problems.append(Problem(str(path), what))
        if not problems and not any(key.enctype in self._enctypes for key in ours):
            what = f"holds no key of an encryption type that is allowed ({allowed})"
            problems.append(Problem(str(path), what))
        if problems:
            raise ConfigurationError(problems)
        return ours


def password_acceptor(
    principal: str, password: str, *, salt: str | None = None, kvno: int = 0, enctypes: Sequence[str] = USUAL
) -> ServiceKeys:
    """An acceptor for a principal by its password, as WSO2 asks for it.

    The keys are derived once and never touch a disk; after a change of the password, start again (with a
    keytab, an old and a new key can be in force together).

    Args:
        principal: ``HTTP/host@REALM``.
        password: the principal's.
        salt: None for realm and components, as KDCs have it unless the principal was renamed. Active Directory
            takes the realm and the *account's* name.
        kvno: the key's version, if tickets of another version are to be refused as such; 0 for any.
        enctypes: as for :class:`KeytabAcceptor`.

    Raises:
        ConfigurationError: gssapi is not installed, or an argument is wrong.
        BackendError: libkrb5 does not take the keys.
    """
    gss_library()
    numbers = enctype_numbers(enctypes)
    (name,) = _parsed([principal])
    if not password:
        raise ConfigurationError([Problem("kerberos.password", "an empty password")])
    salted = name.usual_salt if salt is None else salt
    keys = [KeytabKey(name, kvno, enctype, password_key(password, salted, enctype)) for enctype in numbers]
    return ServiceKeys(keys, numbers)


def _parsed(names: Iterable[str]) -> tuple[Principal, ...]:
    principals, problems = [], []
    for name in names:
        try:
            principals.append(Principal.parse(name))
        except ValueError as error:
            problems.append(Problem(_WHERE, f"{name!r}: {error}"))
    if problems:
        raise ConfigurationError(problems)
    return tuple(principals)


def _content(path: Path) -> tuple[bytes, os.stat_result]:
    try:
        # a pipe in the file's place must not hold anybody up
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigurationError([Problem(str(path), "is no file")])
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    if len(content) > _LARGEST:
        raise ConfigurationError([Problem(str(path), f"is larger than {_LARGEST} octets")])
    return content, status


def _warnings(path: Path, status: os.stat_result) -> tuple[str, ...]:
    if status.st_mode & 0o077:
        return (
            f"{path} may be used by others than its owner: whoever reads it is the service; chmod 600 it",
        )
    return ()
