"""What ``/readyz`` asks beside what ``/healthz`` does: a key to answer with, and a clock that can be right."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TypedDict

from wsprovider.adapters.shared.redis import RedisStore
from wsprovider.config.model import ProviderConfig
from wsprovider.keyring.lifecycle import KeyState
from wsprovider.keyring.ring import Purpose
from wsprovider.ports import SharedState
from wsprovider.server import reports
from wsprovider.server.health import Doubt, HealthCheck
from wsprovider.server.holdings import Holdings
from wsprovider.server.telemetry.clock import ClockWatch
from wsprovider.words.errors import ConfigurationError, Problem


class Readiness(TypedDict):
    """Arguments of :class:`wsprovider.server.health.Health`."""

    ready: Mapping[str, HealthCheck]
    uncertain: Mapping[str, Doubt]


def of(config: ProviderConfig, store: SharedState, holdings: Holdings) -> Readiness:
    """The checks of one process."""
    clock = ClockWatch(
        clock=reports.now,
        store=store,
        keys=partial(_begun, holdings),
        theirs=partial(_clock_of, store),
        skew=config.skew,
    )
    return {
        "ready": {"signing key": lambda: check_keys(holdings, reports.now()), "clock": clock.check},
        "uncertain": {"clock": clock.unsynchronised},
    }


def check_keys(holdings: Holdings, now: datetime) -> None:
    """Look whether each ring has a key that signs.

    Raises:
        ConfigurationError: the rings that have none.
    """
    lacking = [
        Problem(f"ring {ring.name!r}", "no key is active: see `wsprovider keys list`")
        for ring in holdings.rings()
        if any(Purpose.SIGN in key.purposes for key in ring.keys) and ring.signing_key(now) is None
    ]
    if lacking:
        raise ConfigurationError(lacking)


def _begun(holdings: Holdings, now: datetime) -> Iterator[tuple[str, datetime]]:
    for one in holdings.own_keys(now):
        if one.state is KeyState.ACTIVE:
            name = f"key {one.key.pair.name!r} of ring {one.ring!r}"
            yield name, one.certificate.parsed.not_valid_before_utc


def _clock_of(store: SharedState) -> datetime | None:
    """That of Redis; the other stores have the clock of this machine."""
    return store.clock() if isinstance(store, RedisStore) else None
