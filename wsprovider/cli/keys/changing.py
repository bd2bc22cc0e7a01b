"""What the commands that change keys share: their options, the folder's lock, and what they say at the end."""

import argparse
import os
import platform
import pwd
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from wsprovider.adapters.keys.changing import Change, Wanted
from wsprovider.adapters.keys.folder import Loaded
from wsprovider.adapters.keys.locking import locked
from wsprovider.adapters.keys.ring_changes import Protection, RingChange
from wsprovider.adapters.keys.tables import span_of
from wsprovider.cli.folders import SERVICES, add_folders, environ_of
from wsprovider.cli.folders import load as read_services
from wsprovider.cli.printing import say
from wsprovider.config.demands import demands_of
from wsprovider.config.endpoints import seals
from wsprovider.config.environment import process_environ
from wsprovider.config.fitting import unfit_keys
from wsprovider.config.load import keys_folder
from wsprovider.config.model import EndpointConfig
from wsprovider.words.errors import ConfigurationError, Problem

RING: Final = "service"
"""The ring of endpoints that name none."""

_PIPE_LIMIT: Final = 4096


def add_change(command: argparse.ArgumentParser) -> None:
    """Give a command the options of every change."""
    add_folders(command)
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be written, and write nothing"
    )


def add_ring(command: argparse.ArgumentParser) -> None:
    """Give a command the option ``--ring`` and those of every change."""
    command.add_argument(
        "--ring", default=RING, metavar="RING", help="the ring's folder (default: %(default)s)"
    )
    add_change(command)


def add_passphrase(command: argparse.ArgumentParser, name: str, what: str) -> None:
    """Give a command ``--NAME-fd``, ``--NAME-file`` and ``--NAME-env``; a secret is never part of a command line."""
    group = command.add_mutually_exclusive_group()
    group.add_argument(f"--{name}-fd", type=int, metavar="NUMBER", help=f"{what}, from a file descriptor")
    group.add_argument(f"--{name}-file", type=Path, metavar="FILE", help=f"{what}, from a file's first line")
    group.add_argument(f"--{name}-env", metavar="VARIABLE", help=f"{what}, from an environment variable")


def passphrase(options: argparse.Namespace, name: str) -> bytes | None:
    """What the options of :func:`add_passphrase` give; None where none is given.

    Raises:
        ConfigurationError: it is not there, or empty.
    """
    descriptor, file, variable = (getattr(options, f"{name}_{kind}") for kind in ("fd", "file", "env"))
    if descriptor is not None:
        where = f"file descriptor {descriptor}"
        try:
            found: bytes | None = os.read(descriptor, _PIPE_LIMIT)
        except OSError as error:
            raise ConfigurationError([Problem(where, f"cannot be read: {error.strerror}")]) from None
    elif file is not None:
        where = str(file)
        try:
            found = file.read_bytes()
        except OSError as error:
            raise ConfigurationError([Problem(where, f"cannot be read: {error.strerror}")]) from None
    elif variable is not None:
        where = f"the environment variable {variable}"
        found = process_environ().get(variable, "").encode()
    else:
        return None
    first = (found or b"").split(b"\n", 1)[0].rstrip(b"\r")
    if not first:
        raise ConfigurationError([Problem(where, "holds no passphrase")])
    return first


def moment(text: str) -> datetime:
    """A moment from an option: ``now``, ``+7d`` (from now), or a date with or without time, in UTC unless it says.

    Raises:
        argparse.ArgumentTypeError: it is none of them.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    if text == "now":
        return now
    try:
        if text.startswith("+"):
            return now + span_of(text[1:])
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        what = f"{text!r} is no moment: write now, +7d, 2027-01-31 or 2027-01-31T08:00:00Z"
        raise argparse.ArgumentTypeError(what) from None


def span(text: str) -> timedelta:
    """A length of time from an option.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return span_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command worked out.

    Attributes:
        rings, groups: whose files change, to be loaded as they will be.
        advice: sentences on what to do next, printed after a success.
    """

    rings: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


def folder_of(options: argparse.Namespace) -> Path:
    """The keys folder.

    Raises:
        ConfigurationError: there is none.
    """
    folder = keys_folder(SERVICES, environ_of(options))
    if not folder.is_dir():
        raise ConfigurationError([Problem(str(folder), "there is no such keys folder")])
    return folder


def change(options: argparse.Namespace, work: Callable[[Change], Outcome]) -> int:
    """Work a change out, try it, and carry it out unless it is a dry run; one command at a time.

    Raises:
        ConfigurationError: it cannot be done; nothing was written.
    """
    folder = folder_of(options)
    if options.dry_run:
        return _change(options, folder, work)
    try:
        with locked(folder):
            return _change(options, folder, work)
    except OSError as error:
        raise ConfigurationError([Problem(str(folder), f"cannot be written: {error.strerror}")]) from None


def change_ring(options: argparse.Namespace, work: Callable[[RingChange], Iterable[str]]) -> int:
    """The same for the ring that the options name; ``work`` returns advice.

    Raises:
        ConfigurationError: it cannot be done; nothing was written.
    """

    def edit(begun: Change) -> Outcome:
        ring = RingChange(begun, options.ring, datetime.now(UTC))
        advice = tuple(work(ring))
        ring.save()
        return Outcome(rings=(options.ring,), advice=advice)

    return change(options, edit)


def protection(options: argparse.Namespace, ring: RingChange) -> Protection | None:
    """How a new private key is to be encrypted: by the options ``--protect-env`` and ``--protect-file``.

    Raises:
        ConfigurationError: the passphrase is not there.
    """
    if options.protect_file is None and options.protect_env is None:
        return None
    if options.protect_file is not None:
        # the ring names it relative to its own folder; an absolute name stays absolute
        path = ring.folder / options.protect_file
        options.protect_file = path
        found = passphrase(options, "protect")
        assert found is not None
        named = path.relative_to(ring.folder) if path.is_relative_to(ring.folder) else path
        return Protection(found, file=named.as_posix())
    found = passphrase(options, "protect")
    assert found is not None
    return Protection(found, variable=options.protect_env)


def add_protection(command: argparse.ArgumentParser) -> None:
    """Give a command the options of :func:`protection`."""
    group = command.add_mutually_exclusive_group()
    group.add_argument(
        "--protect-env",
        metavar="VARIABLE",
        help="encrypt the key's file with what this variable holds; the server needs it, too",
    )
    group.add_argument(
        "--protect-file",
        type=Path,
        metavar="FILE",
        help="encrypt the key's file with this file's first line; relative to the ring's folder",
    )
    command.set_defaults(protect_fd=None)


def who() -> str:
    """Who runs the command, for the audit log: login names and machine."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        name = str(os.getuid())
    before = process_environ().get("SUDO_USER")
    return f"{name}{f' ({before})' if before and before != name else ''}@{platform.node()}"


def _change(options: argparse.Namespace, folder: Path, work: Callable[[Change], Outcome]) -> int:
    begun = Change(folder, environ_of(options), datetime.now(UTC).replace(microsecond=0))
    outcome = work(begun)
    warnings = begun.check(outcome.rings, outcome.groups)
    unfit = dict.fromkeys(_unfit(options, begun, outcome))
    if unfit:
        raise ConfigurationError(tuple(unfit))
    for sentence in begun.what:
        say(sentence)
    for warning in warnings:
        say(f"warning: {warning}")
    if options.dry_run:
        for step in begun.steps:
            say(f"would {step}")
        return 0
    entry = begun.carry_out(who())
    for sentence in outcome.advice:
        say(sentence)
    print(f"audit log: {entry.head}")
    return 0


def _unfit(options: argparse.Namespace, begun: Change, outcome: Outcome) -> Iterator[Problem]:
    """What the services of this project could not do with what has changed: servers would not take it over."""
    now = datetime.now(UTC)
    try:
        services = read_services(environ_of(options), backed=False)
    except ConfigurationError as error:
        say(f"warning: whether the services can use it was not checked, for they do not load: {error}")
        return
    for endpoint in (one for service in services.services for one in service.endpoints):
        wanted = _wanted(endpoint)
        if wanted.ring not in outcome.rings and not {*wanted.trust} & {*outcome.groups}:
            continue
        found = _faults(endpoint, begun.loaded, now, outcome)
        before = _faults(endpoint, begun.before, now, outcome) if found else ()
        for problem in found:
            if problem in before:  # of several mistakes one has to be mended first
                say(f"warning: {endpoint.where}: as before, {problem}")
            else:
                yield problem


def _faults(
    endpoint: EndpointConfig, load: Callable[[Wanted], Loaded], now: datetime, outcome: Outcome
) -> tuple[Problem, ...]:
    """What keeps servers from using the keys of an endpoint."""
    try:
        snapshot = load(_wanted(endpoint)).snapshot
    except ConfigurationError as error:
        return tuple(error.problems)
    if endpoint.ring not in outcome.rings or not demands_of(endpoint.policy).ring:
        return ()
    return tuple(
        Problem(endpoint.where, f'ring "{endpoint.ring}": {what}')
        for what in unfit_keys(endpoint.policy, snapshot, now)
    )


def _wanted(endpoint: EndpointConfig) -> Wanted:
    """What servers load for an endpoint."""
    demands = demands_of(endpoint.policy)
    sealing = seals(endpoint, demands)
    return Wanted(
        endpoint.ring if demands.ring or sealing else None,
        endpoint.trust if demands.trust else (),
        endpoint.limits,
        sealing,
    )
