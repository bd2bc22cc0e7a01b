"""What a running process tells its operator: sentences in the log, and what health and metrics ask the store."""

from datetime import UTC, datetime

from wsprovider.adapters.keys.folder import Loaded
from wsprovider.conversation.contexts import KIND
from wsprovider.exchange.sightings import Sightings
from wsprovider.ports import SharedState, Totals
from wsprovider.server import log, metrics_keys
from wsprovider.server.holdings import Holdings
from wsprovider.words.errors import BackendError, ConfigurationError


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def check_store(store: SharedState) -> None:
    """Ask the shared store anything.

    Raises:
        BackendError: it does not answer.
    """
    store.contains("healthz", now=now())


def count_contexts(store: SharedState) -> Totals:
    """How many security contexts there are and were.

    Raises:
        BackendError: the store does not answer.
    """
    return store.totals(KIND, now=now())


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
