"""The folders that several commands work on, and reading the configuration in them."""

import argparse
from pathlib import Path
from typing import Final

from wsprovider.config.environment import process_environ
from wsprovider.config.load import load_provider
from wsprovider.config.model import ProviderConfig
from wsprovider.server.create import load_classes

SERVICES: Final = Path("services")
"""Where services are unless something says otherwise."""


def add_folders(command: argparse.ArgumentParser) -> None:
    """Give a command the options ``--services`` and ``--keys``."""
    command.add_argument(
        "--services",
        type=Path,
        metavar="FOLDER",
        help="the services folder (default: WSPROVIDER_SERVICES, or ./services)",
    )
    command.add_argument(
        "--keys",
        type=Path,
        metavar="FOLDER",
        help="the keys folder (default: WSPROVIDER_KEYS, what provider.toml says, or ./keys)",
    )


def environ_of(options: argparse.Namespace) -> dict[str, str]:
    """The environment of the process, with the options in the place of their variables."""
    chosen = {"WSPROVIDER_SERVICES": options.services, "WSPROVIDER_KEYS": options.keys}
    given = {name: str(folder.resolve()) for name, folder in chosen.items() if folder is not None}
    return {**process_environ(), **given}


def load(environ: dict[str, str], *, backed: bool = True) -> ProviderConfig:
    """Read the whole configuration; see :func:`wsprovider.config.load.load_provider`.

    Raises:
        ConfigurationError: every problem found.
    """
    return load_provider(SERVICES, load_classes=load_classes, environ=environ, backed=backed)
