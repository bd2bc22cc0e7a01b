"""``wsprovider audit``: the keys folder's log of changes, each entry chained to the one before.

``verify`` finds every changed, missing or inserted entry, and files that were changed without one; exit code 1 when
there is anything. What a cut end leaves is found by the files it spoke of, and for good with ``--head``: the number
and digest that each change prints, kept in another place. ``record`` takes a change by hand into the log.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wsprovider.adapters.keys import audit
from wsprovider.adapters.keys.audit import FileChange
from wsprovider.adapters.keys.locking import locked
from wsprovider.cli.folders import add_folders
from wsprovider.cli.keys.changing import folder_of, who
from wsprovider.cli.printing import say
from wsprovider.words.errors import ConfigurationError, Problem


def register(commands: Any) -> None:
    """Add the command and its own commands."""
    command = commands.add_parser(
        "audit",
        help="verify the log of changes to keys, and take changes by hand into it",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = verbs.add_parser("verify", help="find any change or hole; exit code 1 when there is one")
    verify.add_argument("--head", metavar="NUMBER:DIGEST", help="an entry kept elsewhere that must be there")
    verify.set_defaults(run=run_verify)
    record = verbs.add_parser("record", help="write down a change that was made by hand")
    record.add_argument("--why", required=True, metavar="TEXT", help="what was done, and why")
    record.add_argument(
        "--dry-run", action="store_true", help="say what would be recorded, and write nothing"
    )
    record.set_defaults(run=run_record)
    for verb in (verify, record):
        add_folders(verb)


def run_verify(options: argparse.Namespace) -> int:
    """Print what was found."""
    found = audit.verify(folder_of(options), head=options.head)
    for note in found.notes:
        say(f"note: {note}")
    for finding in found.findings:
        say(f"FOUND: {finding}")
    if found.findings:
        return 1
    say(f"{len(found.entries)} entries hold together; head {found.head}")
    return 0


def run_record(options: argparse.Namespace) -> int:
    """Take the files as they are into the log."""
    folder = folder_of(options)
    try:
        if options.dry_run:
            for name in _changed(folder):
                say(f"would record {name}")
            return 0
        with locked(folder):
            changed = _changed(folder)
            about = dict.fromkeys(name.rpartition("/")[0] for name in changed)
            entry = audit.append(
                folder,
                at=datetime.now(UTC).replace(microsecond=0),
                who=who(),
                what=(f"by hand: {options.why}",),
                about=about,
                files=changed,
                done=True,
            )
    except ValueError as error:
        what = f"{error}; see wsprovider audit verify"
        raise ConfigurationError([Problem(f"{folder.name}/{audit.NAME}", what)]) from None
    for name in changed:
        say(f"recorded {name}")
    say(f"audit log: {entry.head}")
    return 0


def _changed(folder: Path) -> dict[str, FileChange]:
    """What is not as the log says.

    Raises:
        ValueError: the log cannot be read.
    """
    known: dict[str, str | None] = {}
    for entry in audit.entries(folder):
        known.update((name, change.after) for name, change in entry.files.items())
    there = audit.watched(folder)
    return {
        name: FileChange(known.get(name), there.get(name))
        for name in sorted({*there, *known})
        if known.get(name) not in (there.get(name), audit.SECRET)
    }
