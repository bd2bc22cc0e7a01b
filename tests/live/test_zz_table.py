"""The published table of clients is the one that this very run has filled. Runs last, by its name."""

from __future__ import annotations

import pytest

from tests.live.conftest import Matrix
from tests.live.kdc import require_kdc
from tests.live.provider import ROOT

pytestmark = pytest.mark.live


def test_the_page_shows_what_ran(request: pytest.FixtureRequest, matrix: Matrix) -> None:
    """Only a run of all live tests can tell."""
    modules = {item.module.__name__.rpartition(".")[2] for item in request.session.items}
    clients = {"test_cxf", "test_kerberos_java", "test_metro", "test_rampart", "test_wss4j"}
    clients |= {f"test_conversations_{name}" for name in ("cxf", "metro", "rampart")}
    if not clients <= modules or request.config.option.keyword:
        pytest.skip("not all clients were run")
    require_kdc()
    page = (ROOT / "docs" / "interoperability.md").read_text()
    shown = page.partition("<!-- table -->\n")[2].partition("<!-- end -->")[0]
    assert shown == matrix.table(), "copy var/interoperability.md into docs/interoperability.md"
