"""One endpoint: its table in ``service.toml``, on top of the service's own lines."""

import importlib.util
import re
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wsprovider.config import policies
from wsprovider.config.demands import Demands, demands_of
from wsprovider.config.model import EndpointConfig
from wsprovider.config.problems import Problems
from wsprovider.config.table import Table
from wsprovider.config.warn import policy_warnings
from wsprovider.exchange.settings import Freshness
from wsprovider.policy.model import Policy
from wsprovider.scenarios.catalogue import Scenario
from wsprovider.words.limits import Limits

KEYS: Final = policies.KEYS | {
    "path",
    "ring",
    "trust",
    "users",
    "roles",
    "clear_password_over_http",
    "sender_fault_400",
    "crosscheck",
    "dialect",
    "public_url",
    "freshness",
    "limits",
}
"""What an ``[[endpoint]]`` may say; a service says the same for all of its endpoints."""

RESERVED: Final = frozenset({"/healthz", "/metrics"})
"""Paths that the server itself answers."""

_DIALECTS: Final = {"200702": "200702", "2005": "200507", "200507": "200507"}
_CROSSCHECK: Final = {"xmlsec": "xmlsec", "none": "none"}
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_DAY: Final = 86_400
_LARGEST_LIMIT: Final = 10**10


@dataclass(frozen=True, slots=True)
class ReadEndpoint:
    """An endpoint as read, with what later steps check it by.

    Attributes:
        table: for messages.
        demands: what its policy needs of keys and users.
        warnings: sentences for the log.
    """

    config: EndpointConfig
    table: Table
    demands: Demands
    warnings: tuple[str, ...]


def read_endpoint(table: Table, folder: Path, label: str, problems: Problems) -> ReadEndpoint | None:
    """Read one endpoint; None when it has no usable policy or path (the problems say why).

    Args:
        table: its own table, or the service's when that lists none.
        folder: the service's folder.
        label: how messages name that folder.
        problems: takes whatever is wrong.
    """
    path = _read_path(table)
    source = policies.read_endpoint_policy(table, folder, label, problems)
    ring = _read_names(table, "ring", several=False) or ("service",)
    trust = _read_names(table, "trust", several=True)
    users = table.text("users")
    roles = frozenset(table.texts("roles"))
    freshness = read_freshness(table.table("freshness"))
    limits = read_limits(table.table("limits"))
    dialect = table.choice("dialect", _DIALECTS, "200702")
    clear_password = table.flag("clear_password_over_http")
    crosscheck = _read_crosscheck(table)
    public_url = read_base_url(table, "public_url")
    if path is None or source is None:
        return None
    policy, scenario = source
    demands = demands_of(policy)
    config = EndpointConfig(
        where=table.where().split(":", 1)[0] + (f": endpoint[{table.place[-1]}]" if table.place else ""),
        path=path,
        policy=policy,
        scenario=scenario.slug if scenario else None,
        ring=ring[0],
        trust=trust,
        users=users,
        roles=roles,
        freshness=freshness,
        limits=limits,
        dialect=dialect,
        clear_password_over_http=clear_password,
        sender_fault_400=table.flag("sender_fault_400"),
        crosscheck=crosscheck,
        public_url=public_url,
    )
    _check_demands(config, demands, table)
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
                int(getattr(usual, name).total_seconds()),
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
    if config.roles and not (demands.users or demands.trust):
        table.problem("roles", "cannot be met: under this policy every caller is anonymous")


def _warnings(config: EndpointConfig, policy: Policy, scenario: Scenario | None) -> tuple[str, ...]:
    return tuple(f"{config.path}: {sentence}" for sentence in policy_warnings(policy, scenario))
