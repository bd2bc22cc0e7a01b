"""``wsprovider sessions`` beside gunicorn with two workers: what it ends, no worker takes any more."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.provider import ROOT, ProviderProcess
from tests.live.redis_server import RedisServer, require_redis
from tests.simulator.talk import Talk
from wsprovider.words.errors import WSSecurityError

pytestmark = pytest.mark.live
SCENARIO = "conversation-sign-encrypt-username"
CALLS = 10
SETTINGS = f"""
namespace = "urn:wsprovider:echo"
trust = ["clients"]
users = "users.toml"
path = "/echo"
scenario = "{SCENARIO}"
"""


def sessions(provider: ProviderProcess, *words: str) -> str:
    """What the command prints, in a process of its own."""
    folders = ("--services", str(provider.services), "--keys", str(provider.keys))
    command = [sys.executable, "-m", "wsprovider", "sessions", *words, *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["sqlite", "redis"])
def shared(request: pytest.FixtureRequest) -> Iterator[str]:
    """What provider.toml says of the store."""
    if request.param == "sqlite":
        yield ""
        return
    require_redis()
    with RedisServer() as server:
        yield f'shared = "{server.url}"\n'


def test_an_operator_ends_a_session(tmp_path: Path, shared: str) -> None:
    """Every message comes by a connection of its own, so both workers have their turn."""
    service = tmp_path / "services" / "echo"
    service.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", service)
    (service / "service.toml").write_text(SETTINGS)
    (service.parent / "provider.toml").write_text(shared)
    with ProviderProcess(tmp_path) as provider:

        def post(data: bytes, action: str) -> bytes:
            return provider.post("/echo", data, {"SOAPAction": f'"{action}"'})[1]

        alice, spared = (Talk(SCENARIO, provider.url("/echo"), post, provider.keys) for _ in range(2))
        identifiers = {alice.open(), spared.open()}
        assert {alice.call() for _ in range(CALLS)} == {"hello"}
        listed = json.loads(sessions(provider, "list", "--json"))
        assert {one["identifier"] for one in listed} == identifiers
        assert {one["owner"] for one in listed} == {"alice"}
        assert sessions(provider, "end", alice.identifier).startswith(f"ended {alice.identifier} of alice")
        for _ in range(CALLS):
            with pytest.raises(WSSecurityError):
                alice.call()
        assert {spared.call() for _ in range(CALLS)} == {"hello"}
        alice.open()
        assert alice.call() == "hello"
        lines = [json.loads(line) for line in provider.log.read_text().splitlines() if '"request"' in line]
    refused = [line["reason"] for line in lines if line["reason"]]
    assert refused == ["CONTEXT_UNKNOWN"] * CALLS
