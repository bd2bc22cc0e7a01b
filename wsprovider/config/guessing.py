"""``[guessing]`` of ``provider.toml``: what wrong passwords cost those who send them."""

import ipaddress
from datetime import timedelta
from typing import Final

from wsprovider.config.table import Table
from wsprovider.exchange.guessing.settings import GuessingSettings, Scale

KEYS: Final = frozenset(
    {
        "enabled",
        "free_per_caller",
        "longest_per_caller",
        "free_per_address",
        "longest_per_address",
        "free_per_user",
        "longest_per_user",
        "forget",
        "known_days",
        "known",
        "shared_addresses",
    }
)

_DAY: Final = 86_400
_MOST: Final = 10**6
_LONGEST_PER_USER: Final = 300
"""Strangers may keep a user waiting for so long at a new address, and no longer."""


def read_guessing(table: Table) -> GuessingSettings:
    """The table; what it leaves out has its default."""
    usual = GuessingSettings()
    table.only(KEYS, meant="[guessing]")
    return GuessingSettings(
        enabled=table.flag("enabled", default=usual.enabled),
        caller=_scale(table, "caller", usual.caller, _DAY),
        address=_scale(table, "address", usual.address, _DAY),
        user=_scale(table, "user", usual.user, _LONGEST_PER_USER),
        forget=timedelta(seconds=table.whole("forget", _seconds(usual.forget), lowest=60, highest=7 * _DAY)),
        known_for=timedelta(days=table.whole("known_days", usual.known_for.days, lowest=1, highest=400)),
        known=table.whole("known", usual.known, lowest=1, highest=10 * _MOST),
        shared_addresses=_networks(table),
    )


def _scale(table: Table, of: str, usual: Scale, highest: int) -> Scale:
    free = table.whole(f"free_per_{of}", usual.free, lowest=0, highest=_MOST)
    longest = table.whole(f"longest_per_{of}", _seconds(usual.longest), lowest=1, highest=highest)
    return Scale(free, timedelta(seconds=longest))


def _networks(table: Table) -> tuple[str, ...]:
    networks = []
    for text in table.texts("shared_addresses"):
        try:
            networks.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            table.problem("shared_addresses", f"{error}; write an address or a network such as 10.0.0.0/8")
    return tuple(networks)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
