"""``wsprovider users unblock``: ends delays after wrong passwords, in the store that all workers share.

It works while the server runs, and for every user store that an endpoint names. Whoever is known at an address stays
known there. Delays end by themselves, too (docs/guessing.md); with the store ``memory:``, with the process.
"""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any, Final

from wsprovider.cli.folders import add_folders, environ_of, load
from wsprovider.cli.stores import opened
from wsprovider.config.model import ProviderConfig
from wsprovider.exchange.guessing.attempt import Guesses, forgive_address
from wsprovider.ports import Records
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.printable import printable

_MEMORY: Final = (
    "delays can be ended in sqlite:///path or redis://host:port/number, and in memory: end with the process"
)


def register(verbs: Any) -> None:
    """Add the command to those of ``wsprovider users``."""
    command = verbs.add_parser(
        "unblock",
        help="end delays after wrong passwords; exit code 1 when there is none",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", help="of the user, as it is written in messages")
    which.add_argument("--address", metavar="ADDRESS", help="of a client: whoever calls from there")
    add_folders(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """End the delays, and print what was done."""
    config, now = load(environ_of(options), backed=False), datetime.now(UTC)
    with opened(config.shared, _MEMORY) as store:
        if options.address is not None:
            ended = int(_forgive(store, options.address, now))
            whose = f"the address {printable(options.address)}"
        else:
            ended = sum(one.forgive(options.name, now) for one in _guesses(config, store))
            whose = printable(options.name)
    if not ended:
        print(f"wsprovider: {whose} has no failures counted", file=sys.stderr)
        return 1
    print(f"unblocked {whose}")
    return 0


def _guesses(config: ProviderConfig, store: Records) -> list[Guesses]:
    """The counts of every user store that an endpoint names."""
    named = {one.users: None for service in config.services for one in service.endpoints}
    return [Guesses(store, config.guessing, users) for users in named if users is not None]


def _forgive(store: Records, address: str, now: datetime) -> bool:
    try:
        return forgive_address(store, address, now)
    except ValueError as error:
        raise ConfigurationError([Problem("--address", f"{error}; write one such as 192.0.2.1")]) from None
