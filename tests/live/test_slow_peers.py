"""Slow peers in crowds: good clients are served meanwhile, over HTTP and HTTPS (attacks.md B06)."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pytest

from tests.live import slow_peers
from tests.live.provider import ProviderProcess
from tests.live.slow_peers import Signer, good_calls

pytestmark = [pytest.mark.live, pytest.mark.slow]
LOG = logging.getLogger(__name__)
MANY = 30
"""Source addresses of a crowd, so that no limit of one address keeps any of it away."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("slow")
    slow_peers.write_echo(folder / "services")
    with ProviderProcess(folder) as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "addresses"),
    [
        ("heads", 1),
        *((kind, MANY) for kind in ("heads", "heads over TLS", "bodies", "handshakes", "readers", "all")),
    ],
)
def test_good_clients_are_served_beside(served: ProviderProcess, kind: str, addresses: int) -> None:
    signer = Signer(served.keys)
    count = 300 if addresses == MANY else 600  # more than the limit of one address in two workers
    http, https = served.ports
    crowds = {
        "heads": lambda: [slow_peers.slow_heads(http, count, addresses)],
        "heads over TLS": lambda: [slow_peers.slow_heads(https, count // 3, addresses, secure=True)],
        "bodies": lambda: [slow_peers.slow_bodies(http, count, addresses)],
        "handshakes": lambda: [slow_peers.slow_handshakes(https, 100, addresses)],
        "readers": lambda: [slow_peers.slow_readers(http, 50, signer, 3_000_000, addresses)],
    }
    made = [one for name, make in crowds.items() if kind in (name, "all") for one in make()]
    with ExitStack() as stack:
        for crowd in made:
            stack.enter_context(crowd)
        good = good_calls(signer, served.ports, 15)
    LOG.info("%s from %s: %s; ended: %s", kind, addresses, good, [crowd.ended for crowd in made])
    assert not good.wrong
    assert len(good.seconds) > 100
    assert all(crowd.ended > 0 for crowd in made)
