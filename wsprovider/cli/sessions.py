"""``wsprovider sessions``: the security contexts that clients have open, in the store that all workers share.

``list`` shows them, never their secrets; ``end`` takes some away: every worker refuses the next message under
one, and a client that still may opens another. Both work while the server runs. A context sealed under a key
that no ring has any more is shown with that key's name; only its identifier or ``--all`` ends it.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.cli.folders import add_folders, environ_of, load
from wsprovider.cli.services import aligned
from wsprovider.cli.stores import opened
from wsprovider.config.demands import demands_of
from wsprovider.config.model import ProviderConfig
from wsprovider.conversation.contexts import KIND
from wsprovider.conversation.sealing import sealed_by, unseal
from wsprovider.exchange.principal import Proof
from wsprovider.keyring.contexts import SecurityContext
from wsprovider.keyring.ring import SealKeys
from wsprovider.ports import Record, Records
from wsprovider.words.errors import SoapError
from wsprovider.words.printable import printable

_HEADING: Final = ("IDENTIFIER", "ENDPOINT", "OWNER", "PROOF", "ISSUED", "EXPIRES", "LEFT", "USED")
_OWNER: Final = 'of this user or partner, however proven; "" for anonymous callers'
_MEMORY: Final = (
    "sessions can be listed and ended in sqlite:///path or redis://host:port/number, and in memory: end with "
    "the process"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A record of the store, and what it says where a ring opens it.

    Attributes:
        context: None where no ring has the key.
    """

    record: Record
    context: SecurityContext | None

    @property
    def ends(self) -> datetime:
        """From when on no message is accepted under it; it may be kept a little longer, to be renewed."""
        expires = self.record.expires
        return expires if self.context is None else min(self.context.expires, expires)

    def of(self, owner: str | None, endpoint: str | None) -> bool:
        """Whether it is of that owner and endpoint (None: of any); what does not open is of none."""
        if self.context is None:
            return owner is None and endpoint is None
        return owner in (None, self.context.owner.name) and endpoint in (None, self.context.endpoint)

    def line(self, now: datetime) -> tuple[str, ...]:
        """A line of the table."""
        context, seal = self.context, sealed_by(self.record)
        about = (
            ("-", f'sealed under "{seal}"', "-", "-")
            if context is None
            else (context.endpoint, *_who(context), _moment(context.created))
        )
        left = _left(self.ends - now)
        used = "-" if context is None else "yes" if context.used else "no"
        cells = (self.record.key, *about, _moment(self.ends), left, used)
        return tuple(printable(cell) for cell in cells)

    def told(self, now: datetime) -> dict[str, Any]:
        """The same for programs; times as ISO 8601 and in seconds."""
        context = self.context
        anonymous = context is None or context.owner.proof == Proof.NOTHING.value
        return {
            "identifier": self.record.key,
            "endpoint": context and context.endpoint,
            "owner": None if context is None or anonymous else context.owner.name,
            "proof": context and context.owner.proof,
            "issued": context and context.created.isoformat(),
            "expires": self.ends.isoformat(),
            "left": max(0, int((self.ends - now).total_seconds())),
            "used": context and context.used,
            "sealed_by": sealed_by(self.record),
        }

    def sentence(self) -> str:
        """The few words that ``end`` says of it."""
        if self.context is None:
            return printable(f'{self.record.key}, sealed under "{sealed_by(self.record)}"')
        return printable(f"{self.record.key} of {_who(self.context)[0]} at {self.context.endpoint}")


def register(commands: Any) -> None:
    """Add the command and its own commands."""
    command = commands.add_parser(
        "sessions",
        help="list and end secure conversations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = verbs.add_parser("list", help="show every security context")
    listing.add_argument("--owner", metavar="NAME", help=_OWNER)
    listing.add_argument("--endpoint", metavar="PATH", help="of the endpoint at this path")
    listing.add_argument("--json", action="store_true", help="print one JSON array")
    listing.set_defaults(run=run_list)
    ending = verbs.add_parser("end", help="end security contexts; exit code 1 when one named is not there")
    which = ending.add_mutually_exclusive_group(required=True)
    which.add_argument("identifiers", nargs="*", metavar="IDENTIFIER", default=[], help="as list shows it")
    which.add_argument("--owner", metavar="NAME", help=_OWNER)
    which.add_argument("--endpoint", metavar="PATH", help="of the endpoint at this path")
    which.add_argument("--all", action="store_true", help="whatever is in the store")
    ending.add_argument("--dry-run", action="store_true", help="only say what would be ended")
    ending.set_defaults(run=run_end)
    for verb in (listing, ending):
        add_folders(verb)


def run_list(options: argparse.Namespace) -> int:
    """Print the table, or JSON."""
    now = datetime.now(UTC)
    with _opened(options) as (store, look):
        everything = [look(record) for record in store.records(KIND, now=now)]
    chosen = sorted((one for one in everything if one.of(options.owner, options.endpoint)), key=_order)
    if options.json:
        print(json.dumps([one.told(now) for one in chosen], indent=1))
        return 0
    for line in aligned([_HEADING, *(one.line(now) for one in chosen)]):
        print(line)
    _tell_unopened(everything, options)
    return 0


def run_end(options: argparse.Namespace) -> int:
    """End what is chosen, and print it."""
    now = datetime.now(UTC)
    with _opened(options) as (store, look):
        if options.identifiers:
            return _end_named(options, store, look, now)
        everything = [look(record) for record in store.records(KIND, now=now)]
        chosen = sorted((one for one in everything if one.of(options.owner, options.endpoint)), key=_order)
        ended = [_end(one, options, store, now) for one in chosen]
    if not any(ended):
        print("there is nothing to end")
    _tell_unopened(everything, options)
    return 0


def _end_named(
    options: argparse.Namespace, store: Records, look: Callable[[Record], Seen], now: datetime
) -> int:
    missing = False
    for identifier in dict.fromkeys(options.identifiers):
        record = store.record(KIND, identifier, now=now)
        if record is None or not _end(look(record), options, store, now):
            print(f"wsprovider: there is no {printable(identifier)}", file=sys.stderr)
            missing = True
    return 1 if missing else 0


def _end(one: Seen, options: argparse.Namespace, store: Records, now: datetime) -> bool:
    """End one, whatever was done to it meanwhile; false when it had gone already."""
    if options.dry_run:
        print(f"would end {one.sentence()}")
        return True
    if not store.remove(KIND, one.record.key, version=None, now=now):
        return False
    print(f"ended {one.sentence()}")
    return True


def _tell_unopened(everything: Sequence[Seen], options: argparse.Namespace) -> None:
    """Whose they are is sealed as well: a choice by owner or endpoint cannot find them."""
    if options.owner is None and options.endpoint is None:
        return
    unopened = sum(one.context is None for one in everything)
    if unopened:
        text = "of contexts that no ring's seal key opens, owner and endpoint cannot be told"
        print(f"wsprovider: {unopened} left out: {text}", file=sys.stderr)


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[tuple[Records, Callable[[Record], Seen]]]:
    """The configured store, and what opens its records.

    Raises:
        ConfigurationError: every mistake of the configuration; the store is a process's memory.
        BackendError: the store did not answer, or there is none yet.
    """
    environ = environ_of(options)
    config = load(environ)
    now = datetime.now(UTC)
    rings = tuple(_seals(config, environ, now))

    def look(record: Record) -> Seen:
        for seals in rings:
            try:
                return Seen(record, unseal(record, seals, now))
            except SoapError:
                continue
        return Seen(record, None)

    with opened(config.shared, _MEMORY) as store:
        yield store, look


def _seals(config: ProviderConfig, environ: Mapping[str, str], now: datetime) -> Iterator[SealKeys]:
    """The seal keys of every ring that an endpoint with conversations uses."""
    endpoints = (endpoint for service in config.services for endpoint in service.endpoints)
    rings = {one.ring: one.limits for one in endpoints if demands_of(one.policy).conversation}
    for ring, limits in rings.items():
        yield load_snapshot(config.keys, ring, (), limits=limits, now=now, environ=environ).seals


def _order(one: Seen) -> tuple[str, ...]:
    context = one.context
    if context is None:
        return ("\U0010ffff", one.record.key)
    return (context.endpoint, context.owner.name, context.created.isoformat(), one.record.key)


def _who(context: SecurityContext) -> tuple[str, str]:
    """Name and proof, as a person reads them."""
    owner = context.owner
    return ("anonymous", "-") if owner.proof == Proof.NOTHING.value else (owner.name, owner.proof)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _left(span: timedelta) -> str:
    """``0:59:59``; a context that is over can only be renewed any more."""
    return str(timedelta(seconds=int(span.total_seconds()))) if span > timedelta() else "over"
