"""``wsprovider version``: the version, and those of the libraries that decide what it can do."""

import argparse
import importlib.metadata
import platform
from typing import Any, Final

from wsprovider.version import __version__

_LIBRARIES: Final = ("lxml", "cryptography", "spyne", "werkzeug", "gunicorn", "xmlsec", "redis")


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("version", help="print versions", description=__doc__)
    command.set_defaults(run=run)


def run(_options: argparse.Namespace) -> int:
    """Print them."""
    print(f"wsprovider {__version__}")
    print(f"  Python {platform.python_version()}")
    for name in _LIBRARIES:
        print(f"  {name} {_version(name)}")
    return 0


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
