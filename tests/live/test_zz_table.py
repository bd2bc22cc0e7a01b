"""The published tables of clients and of bad inputs are those that this very run has filled. Runs last, by its name."""

from __future__ import annotations

import pytest

from tests.attacks.page import TARGET, page
from tests.live.conftest import Matrix, Verdicts
from tests.live.kdc import require_kdc
from tests.live.provider import ROOT

pytestmark = pytest.mark.live


def test_the_page_shows_what_ran(request: pytest.FixtureRequest, matrix: Matrix) -> None:
    """Only a run of all live tests can tell."""
    _all_ran(request)
    text = (ROOT / "docs" / "interoperability.md").read_text()
    shown = text.partition("<!-- table -->\n")[2].partition("<!-- end -->")[0]
    assert shown == matrix.table(), "copy var/interoperability.md into docs/interoperability.md"


def test_the_catalogue_shows_what_ran(request: pytest.FixtureRequest, verdicts: Verdicts) -> None:
    """What became of bad inputs over HTTP, by whose message was bent."""
    _all_ran(request)
    assert TARGET.read_text() == page(verdicts.seen), "run python -m tests.attacks.page"


def _all_ran(request: pytest.FixtureRequest) -> None:
    modules = {item.module.__name__.rpartition(".")[2] for item in request.session.items}
    clients = {"test_cxf", "test_kerberos_java", "test_metro", "test_rampart", "test_wss4j"}
    clients |= {"test_gsoap", "test_node_soap", "test_zeep"}
    clients |= {"test_catalogue_http", "test_catalogue_recorded"}
    clients |= {f"test_conversations_{name}" for name in ("cxf", "metro", "rampart")}
    if not clients <= modules or request.config.option.keyword:
        pytest.skip("not all clients were run")
    require_kdc()
