"""The user store that a service's ``users`` line names."""

from collections.abc import Callable, Mapping
from pathlib import Path

from wsprovider.adapters.users.file import FileUsers
from wsprovider.adapters.users.followed import FollowedUsers
from wsprovider.adapters.users.settings import kind_of
from wsprovider.words.errors import ConfigurationError


def _silent(_: object) -> None:
    """Tell nobody."""


def open_users(
    keys: Path,
    name: str,
    *,
    environ: Mapping[str, str],
    on_swap: Callable[[tuple[str, ...]], None] = _silent,
    on_failure: Callable[[ConfigurationError], None] = _silent,
) -> FileUsers | FollowedUsers:
    """Open a store.

    Args:
        keys: the keys folder.
        name: a TOML file, relative to it: of users, or of settings that say where they are (``kind``).
        environ: where variables that settings name are looked up.
        on_swap: told the warnings of a changed store that is in force from now on.
        on_failure: told why a changed store is not taken over; the old one stays in force.

    Raises:
        ConfigurationError: the store cannot be used.
        BackendError: the store did not answer.
    """
    path = keys / name
    if kind_of(path) == "file":
        return FileUsers(path, on_swap=on_swap, on_failure=on_failure)
    return FollowedUsers(path, environ=environ, on_swap=on_swap, on_failure=on_failure)
