"""What running servers have seen on the wire, for commands that must know whether a certificate is still in use."""

import argparse
from datetime import UTC, datetime
from typing import Final

from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.cli.folders import environ_of, load
from wsprovider.cli.keys.changing import folder_of
from wsprovider.cli.stores import opened
from wsprovider.exchange.renewal import QUIET, in_use, lately, named
from wsprovider.exchange.sightings import Sighting, Sightings, Watch
from wsprovider.keyring.material import Certificate
from wsprovider.words.errors import BackendError, ConfigurationError, Problem
from wsprovider.words.limits import Limits

_INSTEAD: Final = "what was seen on the wire is told by sqlite:///path or redis://host:port/number"


def add_unseen(command: argparse.ArgumentParser) -> None:
    """Give a command the option ``--unseen``."""
    command.add_argument(
        "--unseen",
        action="store_true",
        help="go on although the wire still shows it in use, or cannot be asked; the audit log says so",
    )


def asked(options: argparse.Namespace) -> tuple[tuple[Sighting, ...], Watch]:
    """Everything that the servers of the configured services have seen, and how far that can be relied on.

    Raises:
        ConfigurationError: the configuration does not load, or the store is a process's memory.
        BackendError: the store did not answer, or there is none yet.
    """
    config, now = load(environ_of(options)), datetime.now(UTC)
    with opened(config.shared, _INSTEAD) as store:
        sightings = Sightings(store, monotonic=lambda: 0.0)
        return sightings.seen(now), sightings.watch(now)


def known_partners(options: argparse.Namespace) -> frozenset[str]:
    """Whoever is pinned in any trust group, or was seen.

    Raises:
        ConfigurationError: a trust group does not load.
    """
    folder, now = folder_of(options), datetime.now(UTC)
    groups = [one.name for one in (folder / "trust").glob("*") if one.is_dir()]
    loaded = load_snapshot(folder, None, groups, limits=Limits(), now=now, environ=environ_of(options))
    pinned = {one.name for one in loaded.snapshot.partners}
    try:
        return frozenset({*pinned, *(one.partner for one in asked(options)[0])})
    except (ConfigurationError, BackendError):
        return frozenset(pinned)


def check_quiet(options: argparse.Namespace, certificate: Certificate) -> tuple[str, ...]:
    """Refuse to go on while a certificate is in use; what the audit log says of an order to go on all the same.

    Raises:
        ConfigurationError: it was seen lately, or last by somebody who has used no other since, or it cannot be told.
    """
    now = datetime.now(UTC)
    try:
        everything, watch = asked(options)
    except (ConfigurationError, BackendError) as error:
        if options.unseen:
            return ("whether it was in use was not known",)
        what = (
            f"whether it is still in use cannot be told ({error}): go on with --unseen if you know it is not"
        )
        raise ConfigurationError([Problem("the wire", what)]) from None
    left = in_use(certificate, everything, now)
    told = "; ".join(
        f"{one.case.value} for {named(one.partner)} of {one.service} on {one.last:%Y-%m-%d %H:%M}Z"
        for one in left
    )
    unknown = doubts(watch, now, certificate)
    if options.unseen:
        return (*((f"it was still in use: {told}",) if told else ()), *unknown)
    problems = [f"whether it is still in use cannot be told: {one}" for one in unknown]
    if any(lately(one, now) for one in left):
        problems.append(
            f"{certificate.subject} is still in use: {told}. Nothing is removed before {QUIET.days} quiet days"
        )
    elif left:
        what = "and with no other certificate since: who calls seldom is silent for long, so ask"
        problems.append(f"{certificate.subject} may still be in use: {told}, {what}")
    if problems:
        raise ConfigurationError(
            [Problem("the wire", f"{one}; --unseen goes on all the same") for one in problems]
        )
    return ()


def doubts(watch: Watch, now: datetime, certificate: Certificate | None = None) -> tuple[str, ...]:
    """Why what was not seen may have been used all the same.

    Args:
        certificate: that is asked about; one that is younger than the watch was never used unseen.
    """
    found = []
    if watch.since is None:
        found.append("no server has noted yet who uses what")
    elif watch.since > now - QUIET and (
        certificate is None or watch.since > certificate.parsed.not_valid_before_utc
    ):
        what = f"servers note who uses what only since {watch.since:%Y-%m-%d %H:%M}Z"
        found.append(f"{what}, and {QUIET.days} days are needed")
    if watch.missed is not None:
        what = f"on {watch.missed:%Y-%m-%d %H:%M}Z the store had no room to note a use"
        found.append(f"{what}, so who was not seen may have called")
    return tuple(found)
