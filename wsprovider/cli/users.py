"""``wsprovider users``: the users of a file store, ``keys/users.toml`` unless another is named.

``list`` shows them; ``add`` adds one, or gives one that is there a new password or roles; ``disable`` keeps
one out; ``unblock`` ends the delays that wrong passwords have brought upon a user or an address. A password is
asked for twice on a terminal, or is the first line of standard input; it is never part of a command line. It is
stored as a hash, or with ``--clear`` as it is, which password digests need. Running servers notice the changed
file by themselves.
"""

import argparse
import getpass
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.reading import read_users_file
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.cli import guesses
from wsprovider.cli.folders import SERVICES
from wsprovider.cli.services import aligned
from wsprovider.config.load import keys_folder
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits


def register(commands: Any) -> None:
    """Add the command and its own commands."""
    command = commands.add_parser(
        "users",
        help="list, add, disable or unblock users",
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
    disabling = verbs.add_parser("disable", help="keep a user, and refuse it")
    disabling.add_argument("name")
    disabling.set_defaults(run=run_disable)
    guesses.register(verbs)


def run_list(options: argparse.Namespace) -> int:
    """Show name, kind of password, roles and state."""
    rows = [
        (
            entry.name,
            "clear" if entry.clear_password is not None else "hash",
            ", ".join(sorted(entry.roles)) or "-",
            "disabled" if entry.disabled else "",
        )
        for entry in _read(_file(options)).values()
    ]
    for line in aligned([("NAME", "PASSWORD", "ROLES", ""), *rows]):
        print(line)
    return 0


def run_add(options: argparse.Namespace) -> int:
    """Add or change a user."""
    path = _file(options)
    entries = _read(path) if path.exists() else {}
    known = entries.get(options.name)
    password = _ask_password(options.name)
    roles = known.roles if known and options.role is None else frozenset(options.role or ())
    entry = Entry(
        options.name,
        password=None if options.clear else hash_password(password),
        clear_password=password if options.clear else None,
        roles=roles,
    )
    _write(path, {**entries, options.name: entry})
    print(f"{'changed' if known else 'added'} {options.name} in {path}")
    return 0


def run_disable(options: argparse.Namespace) -> int:
    """Mark a user as refused."""
    path = _file(options)
    entries = _read(path)
    if options.name not in entries:
        raise ConfigurationError([Problem(str(path), f"holds no user {options.name!r}")])
    _write(path, {**entries, options.name: replace(entries[options.name], disabled=True)})
    print(f"disabled {options.name} in {path}")
    return 0


def _file(options: argparse.Namespace) -> Path:
    given: Path | None = options.file
    return given or keys_folder(SERVICES) / "users.toml"


def _read(path: Path) -> dict[str, Entry]:
    return read_users_file(path, Limits())


def _write(path: Path, entries: Mapping[str, Entry]) -> None:
    """Write the file if what it will hold can be read again."""
    staging = path.with_name(f".{path.name}.check")
    try:
        write_users_file(staging, entries.values())
        _read(staging)
    finally:
        staging.unlink(missing_ok=True)
    write_users_file(path, entries.values())


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
