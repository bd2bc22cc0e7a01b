"""``wsprovider users``: the users of a store, ``keys/users.toml`` unless another file is named.

The file holds the users, or says in which SQL database they are (docs/users.md); ``tables`` makes the tables there.
``list`` shows them; ``add`` adds one, or gives one that is there a new password or roles; ``disable`` keeps
one out and ``enable`` lets them in again; ``remove`` forgets one; ``unblock`` ends the delays that wrong passwords have brought upon a user or an address. A password is
asked for twice on a terminal, or is the first line of standard input; it is never part of a command line. It is
stored as a hash, or with ``--clear`` as it is, which password digests need. Running servers notice what has
changed by themselves.
"""

import argparse
import getpass
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from wsprovider.adapters.users.editing import Editor, open_editor, sql_editor
from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.records import Entry, possible_name
from wsprovider.cli import guesses
from wsprovider.cli.folders import SERVICES
from wsprovider.cli.services import aligned
from wsprovider.config.environment import process_environ
from wsprovider.config.load import keys_folder
from wsprovider.words.errors import ConfigurationError, Problem


def register(commands: Any) -> None:
    """Add the command and its own commands."""
    command = commands.add_parser(
        "users",
        help="list, add, remove, disable or unblock users",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--file", type=Path, help="default: users.toml in the keys folder")
    verbs = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = verbs.add_parser("list", help="show every user")
    listing.set_defaults(run=run_list)
    adding = verbs.add_parser("add", help="add a user, or change one")
    adding.add_argument("name")
    adding.add_argument(
        "--role", action="append", metavar="ROLE", help="may be repeated; replaces the roles of a known user"
    )
    adding.add_argument(
        "--clear", action="store_true", help="store the password itself, for password digests"
    )
    adding.set_defaults(run=run_add)
    for verb, told, run in (
        ("remove", "forget a user", run_remove),
        ("disable", "keep a user, and refuse it", run_disable),
        ("enable", "let a disabled user in again", run_enable),
    ):
        changing = verbs.add_parser(verb, help=told)
        changing.add_argument("name")
        changing.set_defaults(run=run)
    making = verbs.add_parser("tables", help="make the tables of a SQL store, where they are not there")
    making.add_argument(
        "--print", action="store_true", help="show the SQL that makes them, and change nothing"
    )
    making.set_defaults(run=run_tables)
    guesses.register(verbs)


def run_list(options: argparse.Namespace) -> int:
    """Show name, kind of password, roles and state."""
    with _editor(options) as editor:
        entries = editor.entries()
    rows = [
        (
            entry.name,
            "clear" if entry.clear_password is not None else "hash" if entry.password is not None else "none",
            ", ".join(sorted(entry.roles)) or "-",
            "disabled" if entry.disabled else "",
        )
        for entry in entries
    ]
    for line in aligned([("NAME", "PASSWORD", "ROLES", ""), *rows]):
        print(line)
    return 0


def run_add(options: argparse.Namespace) -> int:
    """Add or change a user."""
    if not possible_name(options.name):
        raise ConfigurationError([Problem("NAME", "has 1 to 256 characters, all printable")])
    with _editor(options) as editor:
        known = editor.find(options.name)
        password = _ask_password(options.name)
        roles = known.roles if known and options.role is None else frozenset(options.role or ())
        entry = Entry(
            options.name,
            password=None if options.clear else hash_password(password),
            clear_password=password if options.clear else None,
            roles=roles,
        )
        editor.put(entry)
    print(f"{'changed' if known else 'added'} {options.name} in {_file(options)}")
    return 0


def run_disable(options: argparse.Namespace) -> int:
    """Mark a user as refused."""
    return _done(options, "disabled", lambda editor: editor.disable(options.name, disabled=True))


def run_enable(options: argparse.Namespace) -> int:
    """Let a disabled user in again."""
    return _done(options, "enabled", lambda editor: editor.disable(options.name, disabled=False))


def run_remove(options: argparse.Namespace) -> int:
    """Forget a user."""
    return _done(options, "removed", lambda editor: editor.remove(options.name))


def run_tables(options: argparse.Namespace) -> int:
    """Make the tables of a SQL store, or show what makes them."""
    with closing(sql_editor(_file(options), process_environ())) as editor:
        if options.print:
            print("\n\n".join(editor.tables()))
            return 0
        there = editor.tables_are_there()
        editor.make_tables()
    print(f"{'the tables are there already' if there else 'made the tables'}: {_file(options)}")
    return 0


def _done(options: argparse.Namespace, what: str, change: Callable[[Editor], bool]) -> int:
    path = _file(options)
    with _editor(options) as editor:
        if not change(editor):
            raise ConfigurationError([Problem(str(path), f"holds no user {options.name!r}")])
    print(f"{what} {options.name} in {path}")
    return 0


def _editor(options: argparse.Namespace) -> "closing[Editor]":
    return closing(open_editor(_file(options), process_environ()))


def _file(options: argparse.Namespace) -> Path:
    given: Path | None = options.file
    return given or keys_folder(SERVICES) / "users.toml"


def _ask_password(name: str) -> str:
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = getpass.getpass(f"Password for {name}: ")
        if password != getpass.getpass("Again: "):
            raise ConfigurationError([Problem("password", "the two are not the same")])
    if not password:
        raise ConfigurationError([Problem("password", "is empty")])
    return password
