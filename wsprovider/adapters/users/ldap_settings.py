"""What the settings of an LDAP user store say: the servers, where users and groups stand, what counts as disabled.

::

    kind = "ldap"
    servers = ["ldaps://one.example.org", "ldaps://two.example.org"]
    ca = "directory-ca.pem"
    bind_dn = "cn=wsprovider,ou=services,dc=example,dc=org"
    bind_password_env = "DIRECTORY_PASSWORD"
    base = "ou=people,dc=example,dc=org"
    name = "uid"

    [groups]
    base = "ou=groups,dc=example,dc=org"

    [roles]
    "order clerks" = "clerk"

    [disabled]
    pwdAccountLockedTime = "000001010000Z"
"""

import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.adapters.keys.tables import Table
from wsprovider.adapters.users.settings import Settings

ANYTHING: Final = "(objectClass=*)"
CHANGES: Final = ("entryCSN", "pwdChangedTime", "pwdLastSet")
"""OpenLDAP's number of every change; the time of a password in OpenLDAP's ppolicy and in Active Directory."""

_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9;-]*")
_PORTS: Final = {"ldap": 389, "ldaps": 636}

Sign = bool | int | tuple[str, ...]
"""When an attribute says that a user is disabled: whenever it is there; one of these bits; one of these values."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the directory.

    Attributes:
        tls: from the first octet (LDAPS).
        starttls: TLS before anything is told.
    """

    url: str
    host: str
    port: int
    tls: bool
    starttls: bool


@dataclass(frozen=True, slots=True)
class Groups:
    """Where a user's groups are found.

    Attributes:
        base: groups stand below it; no other group gives a role.
        name: their attribute that names them.
        member: their attribute that holds their members.
        by_name: it holds names, not distinguished names.
        filter: they match it, too.
        nested: groups in groups count.
        member_of: the attribute of a user that holds the groups' distinguished names, in the place of a search.
    """

    base: str
    name: str = "cn"
    member: str = "member"
    by_name: bool = False
    filter: str = ANYTHING
    nested: bool = False
    member_of: str | None = None


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """What is asked of which directory.

    Attributes:
        where: the settings file, for problems.
        servers: tried in this order.
        authorities: the PEM of the authorities that servers' certificates come from.
        timeout: seconds for connecting, and for each answer.
        bind_dn, bind_password: the account that reads; None: the directory tells anybody.
        base: users stand below it.
        name: their attribute that names them.
        filter: they match it, too.
        dn: where a user stands, with ``{name}``; None: they are searched for.
        groups: None: nobody has a role.
        roles: what a group's members may do, by its name or distinguished name; None: a group's name is a role.
        disabled: attributes that say so.
        version: attributes of which one at least changes with the password.
        binds: users' passwords that are tried at the same time.
        remember: seconds for which the directory is not asked again after a password was right.
        refuse_after: milliseconds; refused passwords leave at multiples of it.
    """

    where: str
    servers: tuple[Server, ...]
    authorities: str | None
    timeout: int
    bind_dn: str | None
    bind_password: str | None = field(repr=False)
    base: str
    name: str
    filter: str
    dn: str | None
    groups: Groups | None
    roles: Mapping[str, frozenset[str]] | None
    disabled: Mapping[str, Sign]
    version: tuple[str, ...]
    binds: int
    remember: int
    refuse_after: int


def read_ldap_settings(settings: Settings) -> LdapSettings:
    """Read them.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    top = settings.top
    servers = _servers(settings)
    template = top.text("dn")
    if template is not None and template.count("{name}") != 1:
        top.problem("dn", 'must hold {name} once, such as "uid={name},ou=people,dc=example,dc=org"')
    bind_dn, password = _account(settings)
    groups, roles = settings.table("groups"), settings.table("roles")
    if roles is not None and groups is None:
        top.problem("roles", "belongs to [groups], which says where they are")
    disabled = settings.table("disabled")
    read = LdapSettings(
        where=str(settings.path),
        servers=servers,
        authorities=_authorities(settings, servers),
        timeout=settings.whole("timeout", 3, 1, 30),
        bind_dn=bind_dn,
        bind_password=password,
        base=_required(top, "base"),
        name=_attribute(top, "name", "uid"),
        filter=_filter(top),
        dn=template,
        groups=None if groups is None else _groups(settings, groups),
        roles=None if roles is None else _roles(roles),
        disabled={} if disabled is None else _disabled(disabled),
        version=_attributes(top, "version", CHANGES),
        binds=settings.whole("binds", 4, 1, 100),
        remember=settings.whole("remember", 60, 0, 300),
        refuse_after=settings.whole("refuse_after", 100, 0, 2000),
    )
    settings.finish()
    return read


def _servers(settings: Settings) -> tuple[Server, ...]:
    top = settings.top
    starttls, clear = settings.flag(top, "starttls"), settings.flag(top, "clear_text")
    urls = top.texts("servers")
    if not urls:
        top.problem("servers", 'names none; write such as ["ldaps://directory.example.org"]')
    found = []
    for url in urls:
        named = _address(url)
        if named is None:
            top.problem("servers", f"{url!r} is none; write ldaps://HOST, ldap://HOST or either with :PORT")
            continue
        scheme, host, port = named
        tls = scheme == "ldaps"
        found.append(Server(url, host, port, tls, starttls and not tls))
        if not (tls or starttls or clear or _loopback(host)):
            what = (
                "would be told passwords in clear: write ldaps://, or starttls = true, or clear_text = true"
            )
            top.problem("servers", f"{url}: {what}, if nobody can listen on the way")
    return tuple(found)


def _address(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None where there is anything else, or not that."""
    try:
        parts = urlsplit(url)
        usual = _PORTS[parts.scheme]
        port = parts.port or usual
    except (ValueError, KeyError):
        return None
    plain = url.rstrip("/") == f"{parts.scheme}://{parts.netloc}" and "@" not in url
    return (parts.scheme, parts.hostname, port) if plain and parts.hostname else None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authorities(settings: Settings, servers: tuple[Server, ...]) -> str | None:
    top = settings.top
    name = top.text("ca")
    if not any(one.tls or one.starttls for one in servers):
        if name is not None and servers:
            top.problem("ca", "is to no effect without TLS; remove the line, or write ldaps:// or starttls")
        return None
    if name is None:
        top.problem("ca", "is missing: name the file of the authorities that servers' certificates come from")
        return None
    try:
        authorities = settings.reader.read(settings.path.parent / Path(name)).decode()
        # not empty: that would mean whichever authorities the system trusts
        ssl.create_default_context(cadata=authorities or "none")
    except MaterialError as error:
        top.problem("ca", str(error))
    except (ValueError, ssl.SSLError):
        top.problem("ca", f"{name} holds no certificates in PEM")
    else:
        return authorities
    return None


def _account(settings: Settings) -> tuple[str | None, str | None]:
    """Who reads the directory for us."""
    top = settings.top
    name, anonymous = top.text("bind_dn"), settings.flag(top, "anonymous")
    password = settings.secret("bind_password")
    named = bool({"bind_password_env", "bind_password_file"} & top.values.keys())
    if "bind_password" in top.values:
        top.raw("bind_password")
        top.problem("bind_password", "is never written here: name bind_password_env or bind_password_file")
    elif name is not None and not named:
        top.problem("bind_dn", "has no password: name bind_password_env or bind_password_file")
    if name is None and named:
        top.problem("bind_dn", "is missing: whose password is it?")
    if (name is None) != anonymous:
        what = (
            "stands beside anonymous"
            if name
            else "is missing: name an account that may read users and groups"
        )
        top.problem("bind_dn", f"{what}, or write anonymous = true alone if anybody may")
    return name, password


def _groups(settings: Settings, table: Table) -> Groups:
    member_of = table.text("member_of")
    holds = table.text("holds") or "dn"
    if holds not in {"dn", "name"}:
        table.problem("holds", 'must be "dn" or "name"')
    groups = Groups(
        _required(table, "base"),
        _attribute(table, "name", "cn"),
        _attribute(table, "member", "member"),
        holds == "name",
        _filter(table),
        settings.flag(table, "nested"),
        member_of,
    )
    if member_of is not None:
        for key in {"name", "member", "holds", "filter", "nested"} & table.values.keys():
            table.problem(key, "belongs to a search for groups; with member_of the user names them")
    if groups.by_name and groups.nested:
        table.problem("nested", 'does not go with holds = "name"')
    return groups


def _roles(table: Table) -> Mapping[str, frozenset[str]]:
    found = {}
    for group in table.values:
        value = table.raw(group)
        roles = [value] if isinstance(value, str) else value
        if not isinstance(roles, list) or not all(isinstance(one, str) and one for one in roles) or not roles:
            table.problem(group, "must be a role or a list of roles, each a text")
            continue
        found[group] = frozenset(roles)
    return found


def _disabled(table: Table) -> Mapping[str, Sign]:
    found: dict[str, Sign] = {}
    for attribute in table.values:
        value: Any = table.raw(attribute)
        texts = [value] if isinstance(value, str) else value
        if value is True or (isinstance(value, int) and value > 0):
            found[attribute] = value
        elif isinstance(texts, list) and texts and all(isinstance(one, str) and one for one in texts):
            found[attribute] = tuple(texts)
        else:
            table.problem(
                attribute, "must be true (whenever it is there), a number (bits), or texts (values)"
            )
        if not _ATTRIBUTE.fullmatch(attribute):
            table.problem(attribute, "is no attribute")
    return found


def _filter(table: Table) -> str:
    text = table.text("filter") or ANYTHING
    if text[0] + text[-1] != "()":
        table.problem("filter", "must stand in brackets, such as (objectClass=person)")
    return text


def _attribute(table: Table, name: str, usual: str) -> str:
    value = table.text(name) or usual
    if not _ATTRIBUTE.fullmatch(value):
        table.problem(name, f"{value!r} is no attribute")
    return value


def _attributes(table: Table, name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    values = table.texts(name) or usual
    for value in values:
        if not _ATTRIBUTE.fullmatch(value):
            table.problem(name, f"{value!r} is no attribute")
    return values


def _required(table: Table, name: str) -> str:
    value = table.text(name)
    if value is None and name not in table.values:
        table.problem(name, "is missing")
    return value or ""
