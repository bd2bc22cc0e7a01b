"""What a running process tells its operator: sentences in the log, and what health and metrics ask the store."""

from datetime import UTC, datetime, timedelta
from typing import Final

from wsprovider.adapters.keys.folder import Loaded
from wsprovider.config.model import ProviderConfig
from wsprovider.conversation.contexts import KIND
from wsprovider.exchange.sightings import Sightings
from wsprovider.ports import SharedState, Totals
from wsprovider.server import log, metrics_keys
from wsprovider.server.holdings import Holdings
from wsprovider.words.errors import BackendError, ConfigurationError

_SLOT: Final = 10


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def check_store(store: SharedState) -> None:
    """Have the shared store remember something, once in ten seconds over all workers: a full one answers, too.

    Raises:
        BackendError: it does not answer, or has no room.
    """
    moment = now()
    slot = int(moment.timestamp()) // _SLOT
    store.add_if_absent(f"healthz {slot}", expires=moment + timedelta(seconds=_SLOT), now=moment)


def count_contexts(store: SharedState) -> Totals:
    """How many security contexts there are and were.

    Raises:
        BackendError: the store does not answer.
    """
    return store.totals(KIND, now=now())


def gauges(
    config: ProviderConfig,
    store: SharedState,
    holdings: Holdings,
    sightings: Sightings,
    services: frozenset[str],
) -> str:
    """What ``/metrics`` says of keys, and of the room for what must not be accepted twice."""
    return key_metrics(holdings, sightings, services) + _room(config, store)


def _room(config: ProviderConfig, store: SharedState) -> str:
    """Nothing of Redis, which says itself how full it is."""
    if not config.shared.startswith(("memory:", "sqlite:")):
        return ""
    try:
        entries = store.size()
    except BackendError as error:
        log.failure("metrics: room in the shared store", error)
        return ""
    return "".join(
        f"# HELP wsprovider_{name} {told}\n# TYPE wsprovider_{name} gauge\nwsprovider_{name} {number}\n"
        for name, told, number in (
            ("replay_entries", "Entries of the shared store, those that may be freed included.", entries),
            ("replay_entries_limit", "Entries that the shared store may have.", config.replay_entries),
        )
    )


def key_metrics(holdings: Holdings, sightings: Sightings, services: frozenset[str]) -> str:
    """What ``/metrics`` says of keys; without their uses when the store does not answer."""
    seen = None
    moment = now()
    try:
        seen = sightings.seen(moment)
    except BackendError as error:
        log.failure("metrics: uses of keys", error)
    return metrics_keys.text(holdings, seen, services, moment)


def keys_swapped(loaded: Loaded) -> None:
    """A changed keys folder is in force."""
    log.start.info("%s", log.sentence("keys: a changed keys folder is in force"))
    for warning in loaded.warnings:
        log.start.warning("%s", log.sentence(str(warning)))


def keys_refused(error: ConfigurationError) -> None:
    """A changed keys folder cannot be used."""
    for problem in error.problems:
        log.start.error("%s", log.sentence(f"keys: the old ones stay in force: {problem}"))


def users_swapped(warnings: tuple[str, ...]) -> None:
    """A changed file of users is in force."""
    log.start.info("%s", log.sentence("users: a changed file is in force"))
    for warning in warnings:
        log.start.warning("%s", log.sentence(warning))


def users_refused(error: ConfigurationError) -> None:
    """A changed file of users cannot be used."""
    for problem in error.problems:
        log.start.error("%s", log.sentence(f"users: the old ones stay in force: {problem}"))


def use_not_noted(why: str) -> None:
    """A use of a key could not be noted, though its message was in order."""
    log.start.warning("%s", log.sentence(f"keys: who uses which is not noted: {why}"))
