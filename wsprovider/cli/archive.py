"""``wsprovider archive``: verify, show and export what services keep of accepted messages and their replies.

``verify`` needs no key, and says more with it: with the configuration at hand each record must also open. ``head`` prints
the end of each chain, to be noted where nobody can change it: with a notary, in a log of another machine, on paper.
``verify --head`` then tells whether the chain still holds that very record. ID is ``service/number``, as the log has it.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.archive.exporting import export
from wsprovider.archive.keys import ArchiveKey
from wsprovider.archive.proving import Proof, prove_reply, prove_request
from wsprovider.archive.reading import Found, Reader
from wsprovider.archive.record import Kind
from wsprovider.archive.report import Line, reply_lines, request_lines
from wsprovider.archive.store import Store, open_store
from wsprovider.archive.verifying import Head, Verification
from wsprovider.archive.writing import CONTEXT, MESSAGE_ID
from wsprovider.cli.folders import SERVICES, add_folders, environ_of, load
from wsprovider.cli.printing import complain, say
from wsprovider.config.load import keys_folder
from wsprovider.keyring.ring import SealKeys
from wsprovider.words.errors import BackendError, ConfigurationError, Problem
from wsprovider.words.limits import Limits

_NO_ARCHIVE: Final = (
    'no service has an archive: say archive = "folder" in its service.toml, or name one with --archive'
)


@dataclass(frozen=True, slots=True)
class _Chain:
    """One service's chain, and where its ring is."""

    name: str
    location: str
    ring: str
    limits: Limits


def register(commands: Any) -> None:
    """Add the command and its own commands."""
    command = commands.add_parser(
        "archive",
        help="verify, show and export archived messages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = verbs.add_parser(
        "verify", help="check every record; exit code 1 where one was touched or is missing"
    )
    verify.add_argument(
        "--since", type=_day, metavar="DATE", help="only from this day on, such as 2026-11-22"
    )
    verify.add_argument("--head", action="append", default=[], metavar="HEAD", help="as head has printed it")
    verify.set_defaults(run=run_verify)
    head = verbs.add_parser("head", help="print the end of each chain")
    head.set_defaults(run=run_head)
    show = verbs.add_parser(
        "show", help="who sent a message, and what it proves now; exit code 1 if it does not hold"
    )
    _add_choice(show)
    show.add_argument("--content", action="store_true", help="print the decrypted documents, too")
    show.set_defaults(run=run_show)
    exporting = verbs.add_parser("export", help="write a message and everything that proves it into a folder")
    _add_choice(exporting)
    exporting.add_argument("folder", type=Path, metavar="FOLDER", help="a new one")
    exporting.set_defaults(run=run_export)
    for verb in (verify, head, show, exporting):
        verb.add_argument("--service", metavar="NAME", help="of this service (default: every one)")
        verb.add_argument("--archive", metavar="PLACE", help="folder or URL (default: as configured)")
        verb.add_argument(
            "--ring", metavar="NAME", default="service", help="with --archive: whose seal keys open it"
        )
        add_folders(verb)


def _add_choice(verb: argparse.ArgumentParser) -> None:
    which = verb.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", metavar="ID", help="service/number, of a request or a reply")
    which.add_argument("--message-id", metavar="URI", help="the request's wsa:MessageID")
    which.add_argument("--context", metavar="URI", help="the requests of a security context")
    which.add_argument("--last", action="store_true", help="the last request of each service")


def run_verify(options: argparse.Namespace) -> int:
    """Verify; 0 where every chain holds."""
    heads = [_head(text) for text in options.head]
    chains = list(_chains(options))
    unknown = [str(head) for head in heads if head.chain not in {one.name for one in chains}]
    for text in unknown:
        complain(f"{text}: there is no archive of that service here")
    failed = bool(unknown)
    for chain in chains:
        store = _store(chain)
        key, why = _key_or_none(chain, store, options)
        verified = Verification(store, chain.name, key=key, heads=heads, since=options.since or "").run()
        for note in (*verified.notes, *why):
            say(f"note: {note}")
        for finding in verified.findings:
            say(f"WRONG: {finding}")
        counts = f"{verified.records} records, {verified.requests} requests, {verified.replies} replies"
        word = "DOES NOT HOLD" if verified.findings else "holds"
        say(f"{chain.name}: the chain {word}: {counts}; head {verified.head or 'none'}")
        failed |= bool(verified.findings)
    return 1 if failed else 0


def run_head(options: argparse.Namespace) -> int:
    """Print heads, one a line."""
    for chain in _chains(options):
        store = _store(chain)
        head = None
        for segment in store.segments()[-1:]:
            for record in store.records(segment):
                head = Head(record.chain, record.sequence, record.hash)
        if head is not None:
            say(str(head))
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Show what was found; 0 where all of it holds."""
    failed = False
    for number, (messages, lines) in enumerate(_found(options)):
        if number:
            print()
        for name, text in lines:
            say(f"{name + ':':<14} {text}")
        for _, _, proof in messages:
            failed |= proof.failure is not None
            if options.content:
                sys.stdout.write(f"\n{proof.tree.decode('utf-8', 'replace')}\n")
    return 1 if failed else 0


def run_export(options: argparse.Namespace) -> int:
    """Export one exchange; 0 where it holds."""
    exchanges = list(_found(options))
    if len(exchanges) > 1:
        raise BackendError("several messages are meant: name one by its ID")
    messages, lines = exchanges[0]
    for name in export(options.folder, messages, lines):
        say(f"{options.folder}/{name}")
    return 1 if any(proof.failure is not None for _, _, proof in messages) else 0


_Messages = list[tuple[str, Found, Proof]]


def _found(options: argparse.Namespace) -> Iterator[tuple[_Messages, list[Line]]]:
    """The exchanges that are meant, each with its report.

    Raises:
        BackendError: there is none.
    """
    none = True
    if options.id is not None:
        options.service = options.id.rpartition("/")[0] or options.service
    for chain in _chains(options):
        store = _store(chain)
        reader = Reader(store, _key(chain, store, options))
        shown: set[int] = set()
        for found in _chosen(reader, options):
            request = reader.request_of(found) if found.record.kind is Kind.REPLY else found
            if request is None:
                raise BackendError(
                    f"the request of {found.record.name} was removed, and with it what judges it"
                )
            if request.record.sequence not in shown:
                shown.add(request.record.sequence)
                yield _exchange(reader, request)
        none &= not shown
    if none:
        raise BackendError("no such message is in the archive")


def _chosen(reader: Reader, options: argparse.Namespace) -> Iterator[Found]:
    if options.message_id is not None:
        yield from reader.named(MESSAGE_ID, options.message_id)
    elif options.context is not None:
        yield from reader.named(CONTEXT, options.context)
    else:
        found = reader.last() if options.last else reader.numbered(_number(options.id))
        if found is not None:
            yield found


def _exchange(reader: Reader, request: Found) -> tuple[_Messages, list[Line]]:
    proof = prove_request(request)
    messages = [("request", request, proof)]
    lines = list(request_lines(request, proof))
    reply = reader.reply(request)
    if reply is None:
        one_way = request.facts["one_way"]
        lines.append(("reply", "none: a one-way operation" if one_way else "none was kept: none was sent"))
    else:
        answered = prove_reply(reply, request)
        messages.append(("reply", reply, answered))
        lines += reply_lines(reply, answered)
    return messages, lines


def _number(text: str) -> int:
    number = text.rpartition("/")[2]
    if not number.isdigit():
        raise ConfigurationError(
            [Problem("ID", f'"{text}" is no ID: write service/number, as the log has it')]
        )
    return int(number)


def _day(text: str) -> str:
    """A day as segments are called."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is no date such as 2026-11-22') from None


def _head(text: str) -> Head:
    try:
        return Head.of(text)
    except ValueError:
        what = "is no head: write it in quotes as wsprovider archive head has printed it"
        raise ConfigurationError([Problem("--head", f'"{text}" {what}')]) from None


def _chains(options: argparse.Namespace) -> Iterator[_Chain]:
    """The chains that are meant: as configured, or at a place that is named.

    Raises:
        ConfigurationError: none is.
    """
    if options.archive is not None:
        if options.service is None:
            raise ConfigurationError(
                [Problem("--archive", "needs --service: a place may hold those of several")]
            )
        yield _Chain(options.service, options.archive, options.ring, Limits())
        return
    config = load(environ_of(options), backed=False)
    found: dict[tuple[str, str], _Chain] = {}
    for service in config.services:
        for one in service.endpoints:
            if one.archive is not None and options.service in (None, service.name):
                chain = _Chain(service.name, one.archive, one.ring, one.limits)
                found.setdefault((service.name, one.archive), chain)
    if not found:
        what = (
            _NO_ARCHIVE
            if options.service is None
            else f"service {options.service!r} has none, or is not there"
        )
        raise ConfigurationError([Problem("archive", what)])
    yield from found.values()


def _store(chain: _Chain) -> Store:
    return open_store(chain.location, chain.name, make=False)


def _key(chain: _Chain, store: Store, options: argparse.Namespace) -> bytes:
    """The archive's key, by the seal keys of the ring.

    Raises:
        ConfigurationError: the ring cannot be read.
        BackendError: it does not open the archive's key.
    """
    now = datetime.now(UTC)
    environ = environ_of(options)

    def seals() -> SealKeys:
        folder = keys_folder(SERVICES, environ)
        return load_snapshot(folder, chain.ring, (), limits=chain.limits, now=now, environ=environ).seals

    key = ArchiveKey(store, chain.name, seals, clock=lambda: now, entropy=os.urandom)
    return key.secret(make=False)


def _key_or_none(chain: _Chain, store: Store, options: argparse.Namespace) -> tuple[bytes | None, list[str]]:
    try:
        return _key(chain, store, options), []
    except (BackendError, ConfigurationError) as error:
        why = "; ".join(str(error).splitlines())
        return None, [f"{chain.name}: without its key, only the chain of hashes is checked ({why})"]
