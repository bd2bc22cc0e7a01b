"""The user store that a service's ``users`` line names."""

from collections.abc import Callable
from pathlib import Path

from wsprovider.adapters.users.file import FileUsers
from wsprovider.words.errors import ConfigurationError


def _silent(_: object) -> None:
    """Tell nobody."""


def open_users(
    keys: Path,
    name: str,
    *,
    on_swap: Callable[[tuple[str, ...]], None] = _silent,
    on_failure: Callable[[ConfigurationError], None] = _silent,
) -> FileUsers:
    """Open a store.

    Args:
        keys: the keys folder.
        name: a TOML file, relative to it.
        on_swap: told the warnings of a changed store that is in force from now on.
        on_failure: told why a changed store is not taken over; the old one stays in force.

    Raises:
        ConfigurationError: the store cannot be used.
        BackendError: the store did not answer.
    """
    return FileUsers(keys / name, on_swap=on_swap, on_failure=on_failure)
