"""The users of the first run."""

from pathlib import Path
from typing import Final

from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file

PASSWORD: Final = "development"  # noqa: S105 - printed in the development keys' README


def development_users(path: Path) -> None:
    """Write alice (password in clear, so that digests work) and bob (hashed); never over a file.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    alice = Entry("alice", clear_password=PASSWORD, roles=frozenset({"user", "admin"}))
    bob = Entry("bob", password=hash_password(PASSWORD), roles=frozenset({"user"}))
    write_users_file(path, [alice, bob], overwrite=False)
