"""Guessing at passwords under gunicorn: one count for all workers, and who is served while others guess."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.live.provider import ROOT, ProviderProcess
from tests.live.redis_server import RedisServer, require_redis
from tests.simulator.world import echo_body, issued, party
from wsprovider.exchange.initiator import Initiator
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11

pytestmark = pytest.mark.live
SERVICE = """
namespace = "urn:wsprovider:echo"
path = "/echo"
scenario = "username-token"
users = "users.toml"
"""
GENEROUS = "[guessing]\nfree_per_caller = 100000\nfree_per_address = 100000\nfree_per_user = 100000\n"
HERE, THERE, STRANGER = "192.0.2.1", "192.0.2.2", "198.51.100.1"
FLOOD = 30
"""Connections that guess: more than two workers have threads."""


def message(password: str, name: str = "alice") -> bytes:
    """A call of echo."""
    caller = Initiator(
        find("1").policy(),
        "client",
        keys=lambda: party(issued("client")).snapshot,
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        credentials=Credentials(name, password),
    )
    return caller.request(echo_body(SOAP_11, "hello"), version=SOAP_11).data


def post(provider: ProviderProcess, data: bytes, address: str) -> bool:
    """Whether a message is answered that a proxy of ours passes on."""
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": address}
    return provider.post("/echo", data, forwarded)[0] == 200


def serving(folder: Path, settings: str) -> ProviderProcess:
    """The echo service under scenario 1 behind a proxy, with two workers for HTTP."""
    service = folder / "services" / "echo"
    service.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", service)
    (service / "service.toml").write_text(SERVICE)
    (service.parent / "provider.toml").write_text(f'trusted_proxies = ["127.0.0.1"]\n{settings}')
    return ProviderProcess(folder)


@pytest.fixture(params=["sqlite", "redis"])
def shared(request: pytest.FixtureRequest) -> Iterator[str]:
    """What provider.toml says of the store."""
    if request.param == "sqlite":
        yield ""
        return
    require_redis()
    with RedisServer() as server:
        yield f'shared = "{server.url}"\n'


def test_two_workers_have_one_count(tmp_path: Path, shared: str) -> None:
    """Every message comes by a connection of its own, so both workers have their turn."""
    with serving(
        tmp_path, f"{shared}[guessing]\nlongest_per_caller = 3600\nlongest_per_user = 300\n"
    ) as provider:
        assert post(provider, message("development"), THERE)
        since = provider.logged()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: post(provider, message("wrong"), STRANGER), range(60)))
        assert not any(answers)
        reasons = Counter(line["reason"] for line in provider.requests(since, 60))
        # of the free ones, as many as are on their way at the same time may be heard together
        assert 6 <= reasons["PASSWORD_WRONG"] <= 12
        assert reasons["PASSWORD_WRONG"] + reasons["AUTHENTICATION_BACKOFF"] == 60
        for _ in range(8):  # whichever worker answers
            assert post(provider, message("development"), THERE)
        command = [sys.executable, "-m", "wsprovider", "users", "unblock", "alice"]
        folders = ("--services", str(provider.services), "--keys", str(provider.keys))
        done = subprocess.run(
            [*command, *folders], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout == "unblocked alice\n", done.stderr
        assert post(provider, message("development"), STRANGER)


@pytest.mark.parametrize("many", [True, False], ids=["from many addresses", "from one address"])
def test_who_was_let_in_is_served_while_the_queue_is_full(tmp_path: Path, many: bool) -> None:
    """Ten of twelve threads may hash or wait; from one address, no more than two and half of the waiting."""
    with serving(tmp_path, GENEROUS) as provider:
        for _ in range(12):
            assert post(provider, message("development"), HERE)
        guesses = [message("wrong", f"user {number}") for number in range(FLOOD)]
        over, since = threading.Event(), provider.logged()

        def guess(number: int) -> None:
            while not over.wait(0.02):
                post(provider, guesses[number], f"203.0.113.{number}" if many else STRANGER)

        with ThreadPoolExecutor(FLOOD) as pool:
            for number in range(FLOOD):
                pool.submit(guess, number)
            try:
                calls = [post(provider, message("development"), HERE) for _ in range(15)]
                heard = [post(provider, message("wrong", "bob"), THERE) for _ in range(10)]
            finally:
                over.set()
        lines = provider.requests(since, 60)
    flood = Counter(line["reason"] for line in lines if line["peer"] not in {HERE, THERE})
    others = Counter(line["reason"] for line in lines if line["peer"] == THERE)
    assert flood["AUTHENTICATION_BUSY"] > 10
    assert flood["USER_UNKNOWN"] > 10
    assert calls == [True] * 15
    assert heard == [False] * 10
    if not many:
        assert others == {"PASSWORD_WRONG": 10}
