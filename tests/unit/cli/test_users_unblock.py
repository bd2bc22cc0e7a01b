"""``wsprovider users unblock`` on the store of a server that goes on serving."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.simulator.world import echo_body, issued, party
from wsprovider.cli.main import main
from wsprovider.exchange.initiator import Initiator
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.server.application import Provider
from wsprovider.server.create import create_app
from wsprovider.soap.version import SOAP_11

ROOT = Path(__file__).resolve().parents[3]
HERE, THERE = "192.0.2.1", "192.0.2.2"
SERVICE = """
namespace = "urn:wsprovider:echo"
path = "/echo"
scenario = "username-token"
users = "users.toml"
"""
SLOW = "[guessing]\nlongest_per_caller = 9\n"


@dataclass
class Site:
    """A service of scenario 1, and calls to it as if by TLS from some address."""

    folder: Path
    keys: Path
    provider: Provider

    def call(self, password: str, name: str = "alice", peer: str = HERE) -> bool:
        """Whether a call with that password is answered."""
        caller = Initiator(
            find("1").policy(),
            "client",
            keys=lambda: party(issued("client")).snapshot,
            clock=lambda: datetime.now(UTC),
            entropy=bytes,
            credentials=Credentials(name, password),
        )
        answer = Client(self.provider).post(
            "/echo",
            base_url="https://localhost",
            data=caller.request(echo_body(SOAP_11, "hello"), version=SOAP_11).data,
            content_type="text/xml; charset=utf-8",
            environ_base={"REMOTE_ADDR": peer},
        )
        return answer.status_code == 200

    def fail(self, count: int, name: str = "alice", peer: str = HERE) -> None:
        assert not any(self.call("wrong", name, peer) for _ in range(count))

    def run(self, *words: str) -> int:
        folders = ("--services", str(self.folder / "services"), "--keys", str(self.keys))
        return main(["users", "unblock", *words, *folders])

    def reasons(self) -> dict[str, int]:
        text = Client(self.provider).get("/metrics").data.decode()
        lines = (line for line in text.splitlines() if line.startswith("wsprovider_requests_total"))
        return {line.split('reason="')[1].split('"')[0]: int(line.split()[-1]) for line in lines}


def opened(folder: Path, keys: Path, more: str = "") -> Site:
    service = folder / "services" / "echo"
    service.mkdir(parents=True)
    (service / "service.py").write_text((ROOT / "services" / "echo" / "service.py").read_text())
    (service / "service.toml").write_text(SERVICE)
    (folder / "services" / "provider.toml").write_text(f"metrics = true\n{more}")
    return Site(folder, keys, create_app(folder / "services", keys=keys))


@pytest.fixture
def site(tmp_path, development_keys):
    made = opened(tmp_path, development_keys, SLOW)
    yield made
    made.provider.close()


def test_a_user_is_unblocked(site, capsys):
    site.fail(12)
    assert not site.call("development")
    assert site.reasons().keys() == {"PASSWORD_WRONG", "AUTHENTICATION_BACKOFF"}
    assert site.run("alice") == 0
    assert capsys.readouterr().out == "unblocked alice\n"
    assert site.call("development")
    assert site.run("alice") == 1
    assert capsys.readouterr().err == "wsprovider: alice has no failures counted\n"


def test_an_address_is_unblocked(site, capsys):
    for number in range(25):
        site.fail(1, f"user {number}")
    assert not site.call("development")
    assert site.call("development", peer=THERE)
    assert site.run("--address", HERE) == 0
    assert capsys.readouterr().out == "unblocked the address 192.0.2.1\n"
    assert site.call("development")
    assert site.run("--address", HERE) == 1


def test_others_are_not(site, capsys):
    site.fail(7)
    assert site.run("bob") == 1
    assert not site.call("development")
    assert site.run("--address", THERE) == 1
    assert not site.call("development")


@pytest.mark.parametrize(
    ("words", "what"), [(("--address", "here"), "here is no IP address; write one such as 192.0.2.1")]
)
def test_mistakes(site, capsys, words, what):
    assert site.run(*words) == 2
    assert what in capsys.readouterr().err


def test_memory_cannot_be_looked_into(tmp_path, development_keys, capsys):
    made = opened(tmp_path, development_keys, 'shared = "memory:"\n')
    assert made.run("alice") == 2
    assert "in memory: end with the process" in capsys.readouterr().err
    made.provider.close()


@pytest.mark.parametrize(
    "more",
    [
        "[guessing]\nenabled = false\n",
        '[guessing]\nshared_addresses = "192.0.2.0/24"\nfree_per_caller = 100\n',
    ],
)
def test_settings_switch_it_off(tmp_path, development_keys, more):
    made = opened(tmp_path, development_keys, more)
    for number in range(25):
        made.fail(1, f"user {number}")
    made.fail(9)
    assert made.reasons().keys() == {"PASSWORD_WRONG", "USER_UNKNOWN"}
    assert made.call("development")
    made.provider.close()


def test_a_proxy_that_does_not_say_for_whom_it_speaks_is_no_address_of_one(tmp_path, development_keys):
    """Its address is that of all its clients: one of them must not keep the others waiting."""
    made = opened(tmp_path, development_keys, 'trusted_proxies = ["192.0.2.0/24", "unix"]\n')
    environ = {"REMOTE_ADDR": HERE, "HTTP_X_FORWARDED_PROTO": "https"}
    made.provider._facts.of(environ)
    settings = made.provider.endpoints[0].recipient._callers._guesses.settings
    assert settings.shared_addresses == ("192.0.2.0/24",)
    made.provider.close()
