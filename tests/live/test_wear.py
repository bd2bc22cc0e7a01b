"""Strangers' names make a worker grow; gunicorn replaces it, and good clients are served meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.java_peer import JavaPeer
from tests.live.provider import ProviderProcess, write_services
from tests.live.test_cxf import SHA2, call

pytestmark = pytest.mark.live


def test_a_worn_worker_is_replaced(cxf: JavaPeer, tmp_path: Path) -> None:
    """Bounded: 60 messages of 100 KB, one worker a master that bears 1 MB."""
    services = tmp_path / "services"
    write_services(services)
    (services / "provider.toml").write_text("refused_bytes = 1_000_000\n")
    names = "".join(f"<n{number:06}{'x' * 80}/>" for number in range(1000))
    stranger = f"<a>{names}</a>".encode()
    with ProviderProcess(tmp_path, services=services, workers=1) as provider:
        for _ in range(60):
            assert provider.post("/echo/integrity", stranger)[0] == 500
        assert call(cxf, provider, "/echo/integrity", properties=SHA2)["ok"]
        log = provider.log.read_text()
    assert log.count("it is replaced") >= 3
    assert log.count("Booting worker") >= 5
