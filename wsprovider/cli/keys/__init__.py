"""``wsprovider keys``: the rings and trust groups of the keys folder, from a key's making to its removal.

What changes something takes ``--dry-run``, which says what would be written and writes nothing; everything is tried
first, and a ring that would not load is not written. Running servers notice the changed folder by themselves,
within seconds. Each change is written down in the folder's audit log (``wsprovider audit``), and the log's head is
printed. docs/keys.md tells how keys live; ``wsprovider renew`` leads through a renewal with a partner.
"""

import argparse
from typing import Any

from wsprovider.cli.keys import listing, making, partners, standing, states


def register(commands: Any) -> None:
    """Add the command and its own commands."""
    command = commands.add_parser(
        "keys",
        help="make, renew, list and watch keys and certificates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (listing, standing, making, states, partners):
        part.register(verbs)
