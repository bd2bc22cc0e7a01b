"""The command line: finds the command, runs it, and turns the families of error into exit codes.

0: done; 1: it ran and failed; 2: the command line or the configuration is wrong (each problem stands on
stderr on a line of its own). ``attack`` knows one more.
"""

import argparse
from collections.abc import Sequence
from typing import Final

from wsprovider.cli import (
    archive,
    attack,
    audit,
    call,
    check,
    explain,
    init,
    keys,
    partners,
    renew,
    serve,
    services,
    sessions,
    users,
    version,
)
from wsprovider.cli.printing import complain
from wsprovider.words.errors import ConfigurationError, WsproviderError

_COMMANDS: Final = (
    init,
    serve,
    services,
    check,
    call,
    explain,
    attack,
    keys,
    partners,
    renew,
    audit,
    archive,
    sessions,
    users,
    version,
)


def parser() -> argparse.ArgumentParser:
    """The parser with every command."""
    top = argparse.ArgumentParser(
        prog="wsprovider",
        description="Serve WS-Security protected SOAP services. See README.md for a five-minute tutorial.",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.register(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except ConfigurationError as error:
        report(error)
        return 2
    except (WsproviderError, OSError) as error:
        complain(f"wsprovider: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def report(error: ConfigurationError) -> None:
    """Print every problem of a set-up."""
    count = len(error.problems)
    complain(f"wsprovider: {count} problem{'s' if count > 1 else ''} in the configuration:")
    for problem in error.problems:
        complain(f"  {problem}")
