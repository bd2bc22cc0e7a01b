"""``[kerberos]``: our own principals, where their keys are, and whose tickets an endpoint takes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.kerberos import KeytabAcceptor, named_password, password_acceptor
from wsprovider.adapters.kerberos.enctypes import USUAL, enctype_numbers
from wsprovider.adapters.kerberos.gss import gss_library
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.config.table import Table
from wsprovider.exchange.settings import KerberosSettings
from wsprovider.ports import TicketAcceptor
from wsprovider.words.errors import BackendError, ConfigurationError, Problem

KEYS: Final = frozenset(
    {
        "principal",
        "keytab",
        "password_env",
        "password_file",
        "salt",
        "realms",
        "enctypes",
        "names",
        "strip_realm",
        "later_messages",
        "per_owner",
        "tickets",
    }
)

_SOURCES: Final = ("keytab", "password_env", "password_file")
_REALM: Final = re.compile(r"[^/@\\\x00-\x20]+")
_MOST_TICKETS: Final = 10**7
_IN_THE_CLEAR: Final = (
    "is never written here, where every reader of the file sees it: name the environment variable that "
    "holds it (password_env), or a file (password_file)"
)


@dataclass(frozen=True, slots=True)
class TicketKeys:
    """What the keys of our own principals are taken from; endpoints that say the same share them.

    Attributes:
        principals: ``HTTP/host@REALM``; empty: every principal of the keytab.
        keytab: a file, relative to the keys folder.
        password_env: the environment variable that holds the one principal's password.
        password_file: the file that does, relative to the keys folder.
        salt: what the password is salted with; None for realm and name, as KDCs have it.
        enctypes: what tickets and their keys may be encrypted with, as krb5.conf names it.
    """

    principals: tuple[str, ...] = ()
    keytab: str | None = None
    password_env: str | None = None
    password_file: str | None = None
    salt: str | None = None
    enctypes: tuple[str, ...] = USUAL

    @property
    def source(self) -> str:
        """The key of ``[kerberos]`` that counts."""
        return "password_env" if self.password_env else "password_file" if self.password_file else "keytab"

    @property
    def by_password(self) -> bool:
        """Whether a password is named."""
        return (self.password_env or self.password_file) is not None

    @property
    def complete(self) -> bool:
        """Whether there is what to open."""
        return self.keytab is not None or (self.by_password and len(self.principals) == 1)


def read_kerberos(table: Table) -> tuple[TicketKeys, KerberosSettings]:
    """``[kerberos]``, on top of the service's; whether it names a key at all is for the policy to ask.

    Returns:
        Where our keys are, and the settings. Their realms are empty where only the keytab can tell them.
    """
    table.only(KEYS | {"password"}, meant="[kerberos]")
    if "password" in table:
        table.problem("password", _IN_THE_CLEAR)
    principals = _read_principals(table)
    keys = _read_keys(table, tuple(str(one) for one in principals))
    realms = _read_realms(table) or frozenset(one.realm for one in principals)
    strip = table.flag("strip_realm")
    if strip and len(realms) != 1:
        table.problem(
            "strip_realm", "needs realms to name exactly one: alice@A and alice@B would be the same"
        )
    usual = KerberosSettings()
    later = table.flag("later_messages")
    for key in ("per_owner", "tickets"):
        if table.has_own(key) and not later:
            table.problem(key, "is to no effect without later_messages = true; remove the line")
    tickets = table.whole("tickets", usual.tickets, lowest=1, highest=_MOST_TICKETS)
    return keys, KerberosSettings(
        realms=realms,
        names=_read_names(table, realms),
        strip_realm=strip,
        later_messages=later,
        per_owner=table.whole("per_owner", min(usual.per_owner, tickets), lowest=1, highest=tickets),
        tickets=tickets,
    )


def check_named(table: Table, keys: TicketKeys) -> None:
    """A policy that takes tickets needs a principal of ours: note what is missing for one.

    Args:
        table: the endpoint's, above its ``[kerberos]``.
        keys: what was read there.
    """
    below = table.table("kerberos")
    if not any(source in below for source in _SOURCES):
        table.problem(
            "kerberos",
            "names no key, and the policy asks for Kerberos tickets: give a keytab (such as "
            '"kerberos/http.keytab"), or principal with password_env or password_file',
        )
    elif keys.by_password and len(below.texts("principal")) != 1:
        below.problem("principal", "must name the one principal whose password it is")


def missing_extra() -> str | None:
    """Why Kerberos cannot be had in this process, as a sentence; None where it can."""
    try:
        gss_library()
    except ConfigurationError as error:
        return "; ".join(problem.what for problem in error.problems)
    return None


@dataclass(frozen=True, slots=True)
class OpenedTickets:
    """What opens tickets for our principals.

    Attributes:
        realms: of those principals, as they are now.
        warnings: what is worth a sentence in the log.
    """

    acceptor: TicketAcceptor
    realms: frozenset[str]
    warnings: tuple[str, ...] = ()


def open_tickets(
    keys: TicketKeys,
    folder: Path,
    environ: Mapping[str, str],
    *,
    on_swap: Callable[[tuple[str, ...]], None] = lambda _: None,
    on_failure: Callable[[ConfigurationError], None] = lambda _: None,
) -> OpenedTickets:
    """Take the keys into use.

    Args:
        keys: where they are.
        folder: the keys folder.
        environ: where a password is looked up.
        on_swap, on_failure: as for :class:`~wsprovider.adapters.kerberos.KeytabAcceptor`.

    Raises:
        ConfigurationError: gssapi is not installed, or the keys cannot be used.
    """
    named = frozenset(Principal.parse(name).realm for name in keys.principals)
    if keys.keytab is not None:
        path = folder / keys.keytab
        opened = KeytabAcceptor(
            path, principals=keys.principals, enctypes=keys.enctypes, on_swap=on_swap, on_failure=on_failure
        )
        return OpenedTickets(opened, named or opened.realms, opened.warnings)
    file = None if keys.password_file is None else folder / keys.password_file
    gss_library()  # what is missing is told before what is wrong
    password = named_password(variable=keys.password_env, file=file, environ=environ)
    (principal,) = keys.principals
    try:
        made = password_acceptor(principal, password, salt=keys.salt, enctypes=keys.enctypes)
    except BackendError as error:
        raise ConfigurationError([Problem("kerberos.principal", str(error))]) from None
    return OpenedTickets(made, named)


def _read_principals(table: Table) -> tuple[Principal, ...]:
    found = []
    for name in table.texts("principal"):
        try:
            found.append(Principal.parse(name))
        except ValueError as error:
            table.problem("principal", f'"{name}": {error}')
    return tuple(found)


def _read_keys(table: Table, principals: tuple[str, ...]) -> TicketKeys:
    """What stands nearest goes before: an endpoint's keytab before its service's password."""
    source: str | None = None
    for has in (table.has_own, table.__contains__):
        given = [key for key in _SOURCES if has(key)]
        if len(given) > 1:
            table.problem(given[1], f"stands beside {given[0]}; say one of {', '.join(_SOURCES)}")
        if given:
            source = given[0]
            break
    named = {source: table.text(source)} if source is not None else {}
    salt = table.text("salt")
    if table.has_own("salt") and source in (None, "keytab"):
        table.problem("salt", "belongs to a password; a keytab holds keys that are made already")
    if "salt" in table and source == "keytab":
        salt = None
    enctypes = table.texts("enctypes")
    try:
        enctype_numbers(enctypes or USUAL)
    except ConfigurationError as error:
        for problem in error.problems:
            table.problem("enctypes", problem.what)
        enctypes = ()
    return TicketKeys(principals=principals, salt=salt, enctypes=enctypes or USUAL, **named)


def _read_realms(table: Table) -> frozenset[str]:
    realms = table.texts("realms")
    for realm in realms:
        if not _REALM.fullmatch(realm):
            table.problem("realms", f'"{realm}" is no realm; one is written EXAMPLE.ORG')
    return frozenset(realms)


def _read_names(table: Table, realms: frozenset[str]) -> Mapping[str, str]:
    """``names``: an endpoint's own table stands for the service's whole one."""
    values: Any = table.raw("names")
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(
        isinstance(name, str) and name.strip() for name in values.values()
    ):
        table.problem(
            "names", 'must be a table of names by principals, such as { "alice@EXAMPLE.ORG" = "alice" }'
        )
        return {}
    for principal in values:
        try:
            realm = Principal.parse(principal).realm
        except ValueError:
            table.problem("names", f'"{principal}" is no principal; one is written alice@EXAMPLE.ORG')
            continue
        if realms and realm not in realms:
            table.problem("names", f'"{principal}" may not call: realms has no {realm}')
    return dict(values)
