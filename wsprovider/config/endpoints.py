"""One endpoint: its table in ``service.toml``, on top of the service's own lines."""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wsprovider.config import operations
from wsprovider.config.archives import read_archive
from wsprovider.config.demands import Demands, demands_of
from wsprovider.config.kerberos import check_named, missing_extra, read_kerberos
from wsprovider.config.model import EndpointConfig
from wsprovider.config.problems import Problems
from wsprovider.config.table import Table
from wsprovider.config.warn import policy_warnings
from wsprovider.exchange.settings import ConversationSettings, Freshness
from wsprovider.policy.model import Policy
from wsprovider.scenarios.catalogue import Scenario
from wsprovider.words.limits import Limits

KEYS: Final = operations.KEYS | {
    "path",
    "ring",
    "trust",
    "users",
    "roles",
    "partners",
    "clear_password_over_http",
    "sender_fault_400",
    "crosscheck",
    "dialect",
    "public_url",
    "freshness",
    "limits",
    "conversation",
    "kerberos",
    "optional",
    "page",
    "archive",
    "archive_days",
}
"""What an ``[[endpoint]]`` may say; a service says the same for all of its endpoints."""

RESERVED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that the server itself answers."""

_DIALECTS: Final = {"200702": "200702", "2005": "200507", "200507": "200507"}
_PARTNERS: Final = {"required": "required", "optional": "optional"}
_OPTIONAL: Final = {"kerberos": "kerberos"}
_CROSSCHECK: Final = {"xmlsec": "xmlsec", "none": "none"}
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_DAY: Final = 86_400
_LARGEST_LIMIT: Final = 10**10
_MOST_CONTEXTS: Final = 10**7
_TO_NO_EFFECT: Final = "is to no effect: {} {}; remove {}"
_FOR: Final = {
    "conversation": ("secure conversation", "the table"),
    "kerberos": ("Kerberos token", "the table"),
    "optional": ("Kerberos token", "the line"),
    "http_basic": ("UsernameToken over TLS alone", "the line"),
}
"""Lines that only some policies give a meaning: what these have, and what there is to remove."""


@dataclass(frozen=True, slots=True)
class ReadEndpoint:
    """An endpoint as read, with what later steps check it by.

    Attributes:
        table: for messages.
        demands: what its policy needs of keys and users.
        warnings: sentences for the log.
        left_out: it is not served here, as its ``optional`` allows; a warning says why.
    """

    config: EndpointConfig
    table: Table
    demands: Demands
    warnings: tuple[str, ...]
    left_out: bool = False

    @property
    def needs_users(self) -> bool:
        """Whether its user store is ever asked."""
        return asks_users(self.config, self.demands)

    @property
    def needs_seal(self) -> bool:
        """Whether something is kept under its ring's seal."""
        return seals(self.config, self.demands)


def asks_users(config: EndpointConfig, demands: Demands) -> bool:
    """Whether an endpoint asks its user store: for passwords, or for the roles of holders of tickets."""
    return demands.users or (demands.kerberos and bool(config.roles))


def seals(config: EndpointConfig, demands: Demands) -> bool:
    """Whether an endpoint keeps secrets: of conversations, or of tickets for later, or an archive's."""
    later = demands.kerberos and config.kerberos.later_messages
    return demands.conversation or later or config.archive is not None


def read_endpoint(table: Table, folder: Path, label: str, problems: Problems) -> ReadEndpoint | None:
    """Read one endpoint; None when it has no usable policy or path (the problems say why).

    Args:
        table: its own table, or the service's when that lists none.
        folder: the service's folder.
        label: how messages name that folder.
        problems: takes whatever is wrong.
    """
    path = _read_path(table)
    source = operations.read_policies(table, folder, label, problems)
    ring = _read_names(table, "ring", several=False) or ("service",)
    trust = _read_names(table, "trust", several=True)
    users = table.text("users")
    roles = frozenset(table.texts("roles"))
    partners = table.choice("partners", _PARTNERS, "optional")
    freshness = read_freshness(table.table("freshness"))
    limits = read_limits(table.table("limits"))
    conversation = read_conversation(table.table("conversation"))
    ticket_keys, kerberos = read_kerberos(table.table("kerberos"))
    optional = table.choice("optional", _OPTIONAL, "")
    dialect = table.choice("dialect", _DIALECTS, "200702")
    clear_password = table.flag("clear_password_over_http")
    crosscheck = _read_crosscheck(table)
    public_url = read_base_url(table, "public_url")
    archive, archive_days = read_archive(table)
    if path is None or source is None:
        return None
    policy, scenario = source.assigned.everything, source.scenario
    demands = demands_of(policy)
    config = EndpointConfig(
        where=table.where().split(":", 1)[0] + (f": endpoint[{table.place[-1]}]" if table.place else ""),
        path=path,
        policy=policy,
        assigned=source.assigned if source.assigned.operations else None,
        unprotected=source.unprotected,
        scenario=scenario.slug if scenario else None,
        ring=ring[0],
        trust=trust,
        users=users,
        roles=roles,
        partners_required=partners == "required",
        freshness=freshness,
        limits=limits,
        conversation=conversation,
        kerberos=kerberos,
        ticket_keys=ticket_keys if demands.kerberos and ticket_keys.complete else None,
        dialect=dialect,
        clear_password_over_http=clear_password,
        sender_fault_400=table.flag("sender_fault_400"),
        crosscheck=crosscheck,
        public_url=public_url,
        page=table.flag("page", default=True),
        archive=archive,
        archive_days=archive_days,
    )
    _check_demands(config, demands, table)
    if demands.kerberos:
        check_named(table, ticket_keys)
        if optional and (lack := missing_extra()):
            return ReadEndpoint(config, table, demands, (f"{path} is left out: {lack}",), left_out=True)
    return ReadEndpoint(config, table, demands, _warnings(config, policy, scenario))


def read_freshness(table: Table) -> Freshness:
    """``[freshness]``: life, skew and future, in seconds."""
    usual = Freshness()
    names = [field.name for field in fields(Freshness)]
    table.only(names, meant="[freshness]")
    values = {
        name: timedelta(
            seconds=table.whole(
                name,
                _seconds(getattr(usual, name)),
                lowest=1 if name == "life" else 0,
                highest=_DAY,
            )
        )
        for name in names
    }
    return Freshness(**values)


def read_limits(table: Table) -> Limits:
    """``[limits]``: any field of :class:`~wsprovider.words.limits.Limits`."""
    usual = Limits()
    names = [field.name for field in fields(Limits)]
    table.only(names, meant="[limits]")
    limits = Limits(
        **{name: table.whole(name, getattr(usual, name), lowest=1, highest=_LARGEST_LIMIT) for name in names}
    )
    if limits.rsa_bits_minimum > limits.rsa_bits_maximum:
        table.problem("rsa_bits_minimum", "is more than rsa_bits_maximum")
        return usual
    return limits


def read_conversation(table: Table) -> ConversationSettings:
    """``[conversation]``: life, unused and recheck in seconds, per_owner and contexts in contexts.

    What is left out is never more than what is said: a shorter life shortens ``unused``, too.
    """
    usual = ConversationSettings()
    names = [field.name for field in fields(ConversationSettings)]
    table.only(names, meant="[conversation]")
    life = table.whole("life", _seconds(usual.life), lowest=60, highest=_DAY)
    unused = table.whole("unused", min(_seconds(usual.unused), life), lowest=10, highest=life)
    recheck = table.whole("recheck", _seconds(usual.recheck), lowest=0, highest=_DAY)
    contexts = table.whole("contexts", usual.contexts, lowest=1, highest=_MOST_CONTEXTS)
    per_owner = table.whole("per_owner", min(usual.per_owner, contexts), lowest=1, highest=contexts)
    return ConversationSettings(
        life=timedelta(seconds=life),
        unused=timedelta(seconds=unused),
        per_owner=per_owner,
        contexts=contexts,
        unsigned_calls=table.whole("unsigned_calls", usual.unsigned_calls, lowest=1, highest=_MOST_CONTEXTS),
        recheck=timedelta(seconds=recheck),
    )


def check_inherited(service: Table, tables: Sequence[Table], endpoints: Sequence[ReadEndpoint]) -> None:
    """Note what a service says for all of its endpoints and none of them can use.

    Args:
        service: the service's table.
        tables: its ``[[endpoint]]`` tables; none: the service is one endpoint, checked as such.
        endpoints: as read; while one could not be, nothing is said, as that one may be the one.
    """
    if not len(tables) == len(endpoints) > 0:
        return
    for key, (thing, what) in _FOR.items():
        if _says(service, key) and not any(_has(one.demands, key) for one in endpoints):
            service.problem(key, _TO_NO_EFFECT.format("no endpoint's policy has a", thing, what))


def read_base_url(table: Table, key: str) -> str | None:
    """An absolute http or https URL without a query; a trailing slash is dropped."""
    text = table.text(key)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment)
        usable = usable and parts.username is None and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:
        usable = False
    if not usable:
        table.problem(key, f'"{text}" is no base URL, such as "https://services.example.org"')
        return None
    return text.rstrip("/")


def _read_path(table: Table) -> str | None:
    if table.place and not table.has_own("path"):
        table.problem("path", "is missing")
        return None
    path = table.text("path")
    if path is None:
        if "path" not in table:
            table.problem("path", 'is missing; give a path such as "/orders", or list [[endpoint]] tables')
        return None
    if not _PATH.fullmatch(path):
        table.problem(
            "path",
            f'"{path}" cannot be served: start with /, end without one, and use letters, digits and . _ ~ - only',
        )
        return None
    if path in RESERVED:
        table.problem("path", f'"{path}" is answered by the server itself')
        return None
    return path


def _read_names(table: Table, key: str, *, several: bool) -> tuple[str, ...]:
    """Names of folders below the keys folder: never a path."""
    names = table.texts(key)
    if len(names) > 1 and not several:
        table.problem(key, "must be one name")
        return ()
    bad = [name for name in names if not _NAME.fullmatch(name)]
    if bad:
        table.problem(key, f'"{bad[0]}" is no name of a folder below the keys folder')
        return ()
    return names


def _read_crosscheck(table: Table) -> bool:
    if table.raw("crosscheck") is False or table.choice("crosscheck", _CROSSCHECK, "none") == "none":
        return False
    if importlib.util.find_spec("xmlsec") is None:
        table.problem("crosscheck", 'needs the second engine: pip install "wsprovider[crosscheck]"')
    return True


def _check_demands(config: EndpointConfig, demands: Demands, table: Table) -> None:
    """What the policy needs and the table does not name, and what it names to no effect."""
    if demands.trust and "trust" not in table:
        table.problem("trust", "is missing: the policy has clients sign with certificates; name trust groups")
    if demands.users and "users" not in table:
        table.problem(
            "users", 'is missing: the policy asks for a user name; name a store such as "users.toml"'
        )
    for key, wanted in (("roles", bool(config.roles)), ("partners", config.partners_required)):
        if wanted and not (demands.users or demands.trust or demands.kerberos):
            table.problem(key, "cannot be met: under this policy every caller is anonymous")
    for key, (thing, what) in _FOR.items():
        if _says(table, key) and not _has(demands, key):
            table.problem(key, _TO_NO_EFFECT.format("the policy has no", thing, what))


def _says(table: Table, key: str) -> bool:
    """Whether a line is there that could have an effect: a flag that is down has none anywhere."""
    return table.has_own(key) and (key != "http_basic" or table.raw(key) is True)


def _has(demands: Demands, key: str) -> bool:
    if key == "http_basic":
        return demands.http_basic
    return demands.conversation if key == "conversation" else demands.kerberos


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _warnings(config: EndpointConfig, policy: Policy, scenario: Scenario | None) -> tuple[str, ...]:
    bare = (
        f"the operation {name} is unprotected: anybody may call it, and read or change what is said"
        for name in sorted(config.unprotected)
    )
    return tuple(f"{config.path}: {sentence}" for sentence in (*policy_warnings(policy, scenario), *bare))
