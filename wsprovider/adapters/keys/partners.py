"""Read ``keys/partners.toml``: under which name partners call, by what they are known, and what they may do.

::

    [acme]
    certificates = ["clients/acme", "bank-ca/head-office"]  # a trust group, and the name it knows the holder by
    users = ["acme-batch"]                                  # of the user store of whichever endpoint is called
    tickets = ["acme@EXAMPLE.ORG"]                          # Kerberos principals, whole
    roles = ["partner"]                                     # beside those of trust or user store
    services = ["orders", "echo/integrity"]                 # a service, or one endpoint of it; absent: all
    operations = ["orders:place_order", "echo:*"]           # absent: all of those services
    suite = "Basic256"                                      # accepted from this partner beside the endpoint's own
    rsa_sha1 = true                                         # and these, as in service.toml
    short_symmetric_keys = true
    allow_weak_suite = true

Nothing secret stands there. Where there is no file, there are no partners.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.tables import Table
from wsprovider.exchange.partners import (
    Access,
    Deviation,
    Partner,
    Partners,
    certificate_identity,
    ticket_identity,
    user_identity,
)
from wsprovider.keyring.trust import PinnedGroup, TrustGroup
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES, Suite

FILE: Final = "partners.toml"
_NAME_CHARACTERS: Final = 256
_ALL: Final = "*"


@dataclass(frozen=True, slots=True)
class ServicePlaces:
    """What of one service a partner may be let into.

    Attributes:
        endpoints: by name, whether it serves a policy document of its own, which no ``suite`` line changes.
        operations: their names; None: not known here.
    """

    endpoints: Mapping[str, bool]
    operations: frozenset[str] | None


def _no_groups() -> None:
    return None


def _no_users(name: str) -> None:
    del name


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the file may speak of.

    Attributes:
        services: by name.
        groups: the trust groups in use; gives None where nobody can say.
        knows_user: whether a user store in use knows somebody of that name; None where it cannot say.
    """

    services: Mapping[str, ServicePlaces]
    groups: Callable[[], Iterable[TrustGroup] | None] = _no_groups
    knows_user: Callable[[str], bool | None] = _no_users


@dataclass(frozen=True, slots=True)
class Reading:
    """What the file says.

    Attributes:
        present: there is one.
        warnings: what the operator should look at.
    """

    partners: Partners
    present: bool
    warnings: tuple[str, ...] = ()


def read_partners(reader: Reader, around: Surroundings) -> Reading:
    """Read the file of a keys folder.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    path = reader.folder / FILE
    if not reader.exists(path):
        reader.stamps[path] = None
        return Reading(Partners(), present=False)
    where = reader.shown(path)
    try:
        document = reader.toml(path)
    except MaterialError as error:
        reader.problem(where, str(error))
        document = {}
    groups = around.groups()
    known = None if groups is None else {group.name: group for group in groups}
    entries = [
        _Entry(Table(reader, f"{where}: [{name}]", values), name, around, known)
        for name, values in document.items()
    ]
    partners = [entry.read() for entry in entries]
    _check_apart(entries, partners)
    if reader.problems:
        raise ConfigurationError(reader.problems)
    warnings = tuple(str(warning) for warning in reader.warnings)
    return Reading(Partners(partners), present=True, warnings=warnings)


def _check_apart(entries: Iterable["_Entry"], partners: Iterable[Partner]) -> None:
    """One identity must mean one partner."""
    holder: dict[str, str] = {}
    for entry, partner in zip(entries, partners, strict=True):
        for identity in dict.fromkeys(partner.identities):
            first = holder.setdefault(identity, partner.name)
            if first != partner.name:
                kind, _, name = identity.partition(" ")
                entry.table.problem(f"{kind}s", f'"{name}" is {first} already')


class _Entry:
    """One partner's table, being read."""

    def __init__(
        self, table: Table, name: str, around: Surroundings, groups: Mapping[str, TrustGroup] | None
    ) -> None:
        self.table, self.name, self._around, self._groups = table, name, around, groups

    def read(self) -> Partner:
        """The partner; worth something only if there are no problems."""
        table = self.table
        if not self.name.isprintable() or not self.name or len(self.name) > _NAME_CHARACTERS:
            table.problem("name", f"has 1 to {_NAME_CHARACTERS} characters, all printable")
        certificates, users, tickets = self._certificates(), self._users(), self._tickets()
        identities = (
            *(certificate_identity(group, name) for group, name in certificates),
            *(user_identity(user) for user in users),
            *(ticket_identity(principal) for principal in tickets),
        )
        if not any(table.values.get(key) for key in ("certificates", "users", "tickets")):
            table.problem("certificates", "are missing, as are users and tickets: nobody can be this partner")
        roles = frozenset(table.texts("roles"))
        access = self._access()
        self._check_name(certificates, users)
        table.finish()
        return Partner(self.name, identities, roles, access)

    def _named(self, key: str) -> tuple[str, ...]:
        names = self.table.texts(key)
        if len(set(names)) < len(names):
            self.table.problem(key, "names something twice")
        return names

    # identities ------------------------------------------------------------------------------

    def _certificates(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for text in self._named("certificates"):
            group, slash, name = text.partition("/")
            if not slash or not group or not name:
                what = f'"{text}" is no "group/name", such as "clients/acme" for trust/clients/acme.2026.pem'
                self.table.problem("certificates", what)
                continue
            self._check_certificate(text, group, name)
            found.append((group, name))
        return found

    def _check_certificate(self, text: str, group: str, name: str) -> None:
        if self._groups is None:
            return
        known = self._groups.get(group)
        if known is None:
            groups = ", ".join(sorted(self._groups)) or "none"
            self.table.problem(
                "certificates", f'"{text}": no endpoint trusts a group "{group}"; in use: {groups}'
            )
        elif name not in (names := _names_in(known)) and None not in names:
            self.table.problem("certificates", f'"{text}": the trust group knows nobody of that name')

    def _users(self) -> tuple[str, ...]:
        users = self._named("users")
        for user in users:
            if self._around.knows_user(user) is False:
                self.table.problem("users", f'"{user}" is in no user store: add it, or take it out here')
        return users

    def _tickets(self) -> tuple[str, ...]:
        tickets = self._named("tickets")
        for principal in tickets:
            if "@" not in principal.strip("@"):
                what = f'"{principal}" is no principal with its realm, such as "acme@EXAMPLE.ORG"'
                self.table.problem("tickets", what)
        return tickets

    def _check_name(self, certificates: Iterable[tuple[str, str]], users: Iterable[str]) -> None:
        """The name must not be that of somebody else, whom services could not tell from this partner then."""
        if self.name not in users and self._around.knows_user(self.name):
            self.table.problem(
                "users", f'do not name "{self.name}", who is a user: one name would be two callers'
            )
        for group in self._groups.values() if self._groups is not None else ():
            if self.name in _names_in(group) and (group.name, self.name) not in certificates:
                what = (
                    f'do not name "{group.name}/{self.name}", whom trust knows: one name would be two callers'
                )
                self.table.problem("certificates", what)

    # what it may do --------------------------------------------------------------------------

    def _access(self) -> dict[str, Access]:
        endpoints = self._endpoints()
        operations = self._operations(endpoints)
        deviation = self._deviation()
        found: dict[str, Access] = {}
        fixed: list[str] = []
        for service, name, document in endpoints:
            if operations is not None and service not in operations:
                continue
            allowed = None if operations is None else operations[service]
            own = deviation
            if document and deviation is not None and deviation.suite is not None:
                fixed.append(name)
                own = Deviation(None, deviation.rsa_sha1, deviation.short_symmetric_keys)
            found[name] = Access(allowed, own if own != Deviation() else None)
        if fixed:
            self._tell_fixed(fixed, everywhere=len(fixed) == len(found))
        return found

    def _tell_fixed(self, fixed: list[str], *, everywhere: bool) -> None:
        what = f"is to no effect at {', '.join(fixed)}: a policy document of one's own names its suite itself"
        if everywhere:
            self.table.problem("suite", f"{what}; remove the line, or name services with a scenario")
        else:
            self.table.warn("suite", what)

    def _endpoints(self) -> list[tuple[str, str, bool]]:
        """Service, endpoint, and whether that has a document of its own, of all that may be called."""
        services = self._around.services
        everything = [
            (service, name, document)
            for service, places in services.items()
            for name, document in places.endpoints.items()
        ]
        named = self._named("services")
        if "services" not in self.table.values:
            return everything
        for text in named:
            if text not in services and text not in {name for _, name, _ in everything}:
                known = ", ".join([*services, *(name for _, name, _ in everything if name not in services)])
                self.table.problem("services", f'"{text}" is no service and no endpoint; there are: {known}')
        whole = [text for text in named if text in services]
        single = [text for text in named if text not in services]
        return [one for one in everything if one[0] in whole or one[1] in single]

    def _operations(
        self, endpoints: Iterable[tuple[str, str, bool]]
    ) -> dict[str, frozenset[str] | None] | None:
        """What may be called of each service; None: everything of all."""
        callable_services = dict.fromkeys(service for service, _, _ in endpoints)
        named = self._named("operations")
        if "operations" not in self.table.values:
            return None
        found: dict[str, frozenset[str] | None] = {}
        for text in named:
            service, colon, operation = text.rpartition(":")
            if not colon or not service or not operation:
                what = f'"{text}" is no "service:operation", such as "orders:place_order" or "orders:*"'
                self.table.problem("operations", what)
            elif service not in callable_services:
                self.table.problem("operations", f'"{text}": {self._why_not(service)}')
            else:
                self._check_operation(text, service, operation)
                before = found.get(service, frozenset())
                whole = operation == _ALL or before is None
                found[service] = None if whole else (before or frozenset()) | {operation}
        if "services" in self.table.values:
            for service in (one for one in callable_services if one not in found):
                what = f'none is of {service}, which services names: write "{service}:*" for all of them'
                self.table.problem("operations", what)
        return found

    def _why_not(self, service: str) -> str:
        if service in self._around.services:
            return f"{service} is not among the services that this partner may call"
        return f"there is no service {service}; there are: {', '.join(self._around.services)}"

    def _check_operation(self, text: str, service: str, operation: str) -> None:
        known = self._around.services[service].operations
        if operation != _ALL and known is not None and operation not in known:
            what = f'"{text}": there is no such operation; there are: {", ".join(sorted(known))}'
            self.table.problem("operations", what)

    def _deviation(self) -> Deviation | None:
        suite = self._suite()
        rsa_sha1, short = self.table.flag("rsa_sha1"), self.table.flag("short_symmetric_keys")
        allowed = self.table.flag("allow_weak_suite")
        weak = suite is not None and suite.weak
        if weak and not allowed:
            what = "is broken or nearly so (RSA 1.5 or Triple DES); if the partner can do nothing better, say"
            self.table.problem("suite", f"{what} allow_weak_suite = true")
        if allowed and not weak:
            self.table.problem(
                "allow_weak_suite", "allows nothing here: no weak suite is named; remove the line"
            )
        deviation = Deviation(suite, rsa_sha1, short)
        return None if deviation == Deviation() else deviation

    def _suite(self) -> Suite | None:
        name = self.table.text("suite")
        if name is not None and name not in SUITES:
            self.table.problem("suite", f'"{name}" is no algorithm suite; known are {", ".join(SUITES)}')
        return SUITES.get(name or "")


def _names_in(group: TrustGroup) -> frozenset[str | None]:
    """The names that a group knows; None among them where it calls customers by their whole subject."""
    if isinstance(group, PinnedGroup):
        return frozenset(partner.name for partner in group.partners)
    return frozenset(rule.partner for rule in group.subjects)
