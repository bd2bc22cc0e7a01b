"""``wsprovider keys activate|retire|remove``: when a key takes over, when its duty ends, and its end."""

import argparse
from collections.abc import Iterator
from typing import Any

from wsprovider.adapters.keys import ring_dates
from wsprovider.adapters.keys.ring_changes import KEY, RingChange
from wsprovider.adapters.keys.ring_dates import Periods
from wsprovider.cli.keys.changing import add_ring, change_ring, moment, span
from wsprovider.cli.keys.making import ring_key
from wsprovider.cli.keys.wire import add_unseen, check_quiet, known_partners
from wsprovider.keyring.lifecycle import KeyState
from wsprovider.words.errors import ConfigurationError, Problem

_WHEN = "now (the default), +7d, or a date such as 2027-01-31T08:00:00Z"


def register(verbs: Any) -> None:
    """Add the commands."""
    activate = verbs.add_parser(
        "activate", help="have a key take over from the one that signs and is published"
    )
    activate.add_argument("name", help="the key's name in its ring")
    activate.add_argument("--at", type=moment, default="now", metavar="WHEN", help=_WHEN)
    activate.add_argument("--partner", metavar="PARTNER", help="sign for this partner only; the others stay")
    _add_periods(activate)
    activate.set_defaults(run=run_activate)

    retire = verbs.add_parser("retire", help="end a key's duty; it goes on decrypting for its retention")
    retire.add_argument("name", help="the key's name in its ring")
    retire.add_argument("--at", type=moment, default="now", metavar="WHEN", help=_WHEN)
    retire.add_argument(
        "--compromised", action="store_true", help="end everything at once, retention included"
    )
    _add_periods(retire)
    retire.set_defaults(run=run_retire)

    remove = verbs.add_parser("remove", help="delete a key that is gone, or was never used, with its files")
    remove.add_argument("name", help="the key's name in its ring")
    remove.add_argument("--seal", action="store_true", help="a seal key is meant")
    add_unseen(remove)
    add_ring(remove)
    remove.set_defaults(run=run_remove)


def run_activate(options: argparse.Namespace) -> int:
    """Name the day."""

    def work(ring: RingChange) -> Iterator[str]:
        if options.partner is None:
            ring_dates.activate(ring, options.name, options.at, _periods(options), seal=options.seal)
        elif options.seal or options.overlap or options.retention:
            what = "goes with none of --seal, --overlap, --retention: it retires nothing"
            raise ConfigurationError([Problem("--partner", what)])
        else:
            ring_dates.assign(ring, options.name, options.partner, options.at)
            if options.partner not in known_partners(options):
                yield (
                    f"nobody called {options.partner!r} is pinned or was seen: make sure of the name (that in trust, "
                    "else a user's)"
                )
        yield "running servers take it over within seconds; wsprovider keys status shows the dates"

    return change_ring(options, work)


def run_retire(options: argparse.Namespace) -> int:
    """End a duty."""
    named = False

    def work(ring: RingChange) -> Iterator[str]:
        nonlocal named
        ring_dates.retire(
            ring,
            options.name,
            options.at,
            _periods(options),
            seal=options.seal,
            compromised=options.compromised,
        )
        named = True
        yield f"when it is gone: wsprovider keys remove {options.name}{' --seal' if options.seal else ''}"
        if options.compromised and not options.seal:
            # whoever has the key can read the request that opened a context, and so knows the context's secret
            yield "conversations that were opened under it go on until they end: wsprovider sessions end --all"

    try:
        return change_ring(options, work)
    except ConfigurationError as error:
        if not named:  # no ring without a successor was tried
            raise
        what = "activate its successor first (wsprovider keys activate), or name a later --at"
        raise ConfigurationError([*error.problems, Problem(options.name, what)]) from None


def run_remove(options: argparse.Namespace) -> int:
    """Delete."""

    def work(ring: RingChange) -> Iterator[str]:
        if not options.seal and options.name in ring.document.names("key"):
            ring.change.what.extend(_check_unused(ring, options))
        ring_dates.remove(ring, options.name, seal=options.seal)
        yield from ()

    return change_ring(options, work)


def _check_unused(ring: RingChange, options: argparse.Namespace) -> tuple[str, ...]:
    """Ask the wire about the key's certificate, unless that was deleted with the files of a key that is gone.

    Raises:
        ConfigurationError: it is in use, or that cannot be told.
    """
    entry = ring.required(KEY, options.name)
    gone = ring.lifespan(entry).state(ring.now) is KeyState.GONE
    missing = [
        str(entry[one])
        for one in ("key", "certificate", "pkcs12")
        if one in entry and not (ring.folder / str(entry[one])).exists()
    ]
    if not gone or not missing:
        return check_quiet(options, ring_key(options, options.name).pair.certificate)
    if options.unseen:
        return ("whether it was in use was not asked, for its files were deleted",)
    what = f"{', '.join(missing)} does not exist: whether it is still in use cannot be told; --unseen goes on all the same"
    raise ring.refusal(what)


def _add_periods(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--overlap", type=span, metavar="TIME", help="how long a retired key still signs, such as 30d"
    )
    command.add_argument(
        "--retention", type=span, metavar="TIME", help="how long it decrypts after that, such as 90d"
    )
    command.add_argument("--seal", action="store_true", help="a seal key is meant")
    add_ring(command)


def _periods(options: argparse.Namespace) -> Periods:
    return Periods(options.overlap, options.retention)
