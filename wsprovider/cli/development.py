"""Making development keys and users on a first run; used by ``init`` and ``serve``."""

from datetime import UTC, datetime
from pathlib import Path

from wsprovider.adapters.users.development import development_users
from wsprovider.config.development import create_development_keys


def first_keys(folder: Path) -> bool:
    """Make them where there is no keys folder, or an empty one; true when they were made.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    made = create_development_keys(folder, now=datetime.now(UTC), write_users=development_users)
    return made.created
