"""``wsprovider check``: read all configuration and compile every policy, without serving anything.

Prints every problem with its file and key and exits with 2, or says what would be served. Meant for a
deployment's pipeline and for the moment before a restart.
"""

import argparse
from dataclasses import replace
from typing import Any

from wsprovider.cli.folders import add_folders, environ_of, load
from wsprovider.server.create import create_app


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "check", help="check all configuration, keys and users", description=__doc__
    )
    add_folders(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; ConfigurationError carries what is wrong."""
    config = load(environ_of(options))
    create_app(replace(config, warnings=())).close()  # they are printed here instead of logged
    for warning in config.warnings:
        print(f"warning: {warning}")
    count = sum(len(service.endpoints) for service in config.services)
    print(f"{count} endpoints of {len(config.services)} services: nothing wrong")
    return 0
