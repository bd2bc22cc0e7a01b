"""The version, in one place: the package, its metadata and ``wsprovider version`` read it here."""

from datetime import UTC, datetime
from typing import Final

__version__ = "0.1.0"

RELEASED: Final = datetime(2026, 11, 21, tzinfo=UTC)
"""A day that this version is not older than: a clock that stands before it is wrong."""
