"""Fixtures of the server's tests; Spyne is made importable before any of them is imported."""

import pytest

from wsprovider.server.spyne_compat import install

install()


@pytest.fixture
def plain():
    from tests.unit.server import plain

    return plain


@pytest.fixture
def seen(plain):
    plain.Shop.seen.clear()
    return plain.Shop.seen


@pytest.fixture
def served(plain, seen):
    return plain.serve()
