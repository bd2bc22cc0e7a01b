"""What tests of several commands share."""

from pathlib import Path

import pytest

from tests.simulator.keys_site import KeysSite


@pytest.fixture
def site(tmp_path: Path, development_keys: Path) -> KeysSite:
    """A project whose keys may be changed."""
    return KeysSite.make(tmp_path / "project", development_keys)
