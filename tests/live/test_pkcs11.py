"""A service under gunicorn whose ring key is in a token: its workers sign and decrypt for clients of ours and for CXF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.live.java_peer import JavaPeer
from tests.live.provider import SLUGS, ProviderProcess
from tests.live.test_call_command import call
from tests.live.test_cxf import SHA2
from tests.live.test_cxf import call as cxf_call
from tests.simulator.softhsm import MODULE, PIN, Tokens, require_softhsm
from wsprovider.cli.development import first_keys

pytestmark = pytest.mark.live
NUMBERS = ("2", "5", "6", "8")


@pytest.fixture(scope="module")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """The provider with two workers; the development key was moved into a token and is in no file."""
    require_softhsm()
    folder = tmp_path_factory.mktemp("pkcs11")
    keys = folder / "keys"
    assert first_keys(keys)
    key = keys / "service" / "development.key.pem"
    tokens = Tokens(folder / "hsm", "wsprovider")
    tokens.add_key("wsprovider", "2027", load_pem_private_key(key.read_bytes(), None))
    key.unlink()
    ring = keys / "service" / "ring.toml"
    place = f'pkcs11 = {{module = "{MODULE}", token = "wsprovider", label = "2027"}}\npassphrase_env = "TOKEN_PIN"'
    ring.write_text(ring.read_text().replace('key = "development.key.pem"', place))
    with ProviderProcess(folder, environ={**tokens.environ, "TOKEN_PIN": PIN}) as running:
        yield running


@pytest.mark.parametrize("number", NUMBERS)
def test_our_command(hardware: ProviderProcess, number: str) -> None:
    done = call(hardware, f"/echo/{SLUGS[number]}", "--user", "alice")
    assert done.returncode == 0, done.stderr
    assert "Grüße" in done.stdout


@pytest.mark.parametrize("number", NUMBERS)
def test_cxf(cxf: JavaPeer, hardware: ProviderProcess, number: str) -> None:
    """Many calls at a time, so that both workers and several of their threads use the token."""
    more = {"text": "Grüße", "calls": 10, "parallel": 4}
    answer = cxf_call(cxf, hardware, f"/echo/{SLUGS[number]}", properties=SHA2, **more)
    assert answer["ok"], answer
    assert set(answer["texts"]) == {"Grüße"}


def test_both_workers_used_the_token(hardware: ProviderProcess) -> None:
    assert len(hardware.http_workers()) == 2
    assert Path(hardware.keys / "service" / "ring.toml").read_text().count("pkcs11") == 1
    assert not list((hardware.keys / "service").glob("*.key.pem"))
    assert PIN not in hardware.log.read_text()
