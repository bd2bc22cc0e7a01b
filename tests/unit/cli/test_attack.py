"""``wsprovider attack``: what it asks for before it sends anything, and what it says of mistakes."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from wsprovider.attack.catalogue import VARIANTS
from wsprovider.cli import attack
from wsprovider.cli.main import main
from wsprovider.words.errors import ConfigurationError

SERVICES = Path(__file__).resolve().parents[3] / "services"


@pytest.fixture
def command(tmp_path, development_keys, monkeypatch, capsys):
    """Run it on the project's own services; its exit code, and what it printed."""
    monkeypatch.setenv("WSPROVIDER_SERVICES", str(SERVICES))
    monkeypatch.setenv("WSPROVIDER_KEYS", str(development_keys))
    monkeypatch.delenv("WSPROVIDER_PASSWORD", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(["attack", *arguments])
        return code, "".join(capsys.readouterr())

    return run


@pytest.fixture
def nobody(monkeypatch):
    """Fails a test that connects to anything."""

    def connect(*_, **__):
        raise AssertionError("something was connected to")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)


# whom it may be sent to --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/echo",
        "http://127.0.0.1:8080/echo",
        "https://[::1]:8443/echo",
        "http://127.0.0.2/echo",
    ],
)
def test_this_machine_needs_no_consent(url):
    assert attack.consented(url, None) == url


@pytest.mark.parametrize(
    "host",
    [
        "service.example.org",
        "localhost.example.org",
        "127.0.0.1.example.org",
        "10.0.0.1",
        "0.0.0.0",
        "2130706433",
    ],
)
def test_another_host_is_named_twice(host, nobody):
    with pytest.raises(ConfigurationError, match=f"say --host {host}"):
        attack.consented(f"http://{host}/echo", None)
    with pytest.raises(ConfigurationError, match="is not this machine"):
        attack.consented(f"http://{host}/echo", "other.example.org")
    assert attack.consented(f"http://{host}/echo", host.upper()) == f"http://{host}/echo"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "localhost/echo",
        "file:///etc/hostname",
        "ftp://localhost/echo",
        "http://localhost:0/echo",
        "http://localhost:x/echo",
        "http://[localhost/echo",
        "http://user@localhost/echo",
        "http://localhost/echo?wsdl",
        "http://localhost/echo#a",
        "http:///echo",
    ],
)
def test_what_is_no_address_of_an_endpoint(url):
    with pytest.raises(ConfigurationError, match="name the endpoint's address"):
        attack.consented(url, None)


# mistakes ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the endpoint's address"),
        (("http://example.org/echo/integrity", "--service", "echo"), "say --host example.org"),
        (("http://localhost/echo/integrity",), "--service: is missing; name one of: echo, ledger, orders"),
        (("http://localhost/echo/integrity", "--service", "x"), "there is no service 'x'; name one of"),
        (("http://localhost/no", "--service", "echo"), "echo has no such path; it has: /echo/username-token"),
        (("http://localhost/echo/username-token", "--service", "echo"), "name the endpoint's https URL"),
        (("http://localhost/echo/integrity", "no", "--service", "echo"), "no operation 'no'; it has: echo"),
        (("http://localhost/echo/integrity", "echo", "x", "--service", "echo"), "not of the form NAME=VALUE"),
        (
            ("http://localhost/echo/integrity", "--service", "echo", "--only", "Z9"),
            "no entry 'Z9'; the groups",
        ),
        (("http://localhost/echo/integrity", "--service", "echo", "--only", ""), "--only: has no entry"),
        (("http://localhost/echo/kerberos", "--service", "echo"), "--kerberos-service: is missing"),
        (
            ("http://localhost/echo/non-repudiation", "--service", "echo", "--client", "no.p12"),
            "--client: [Errno 2]",
        ),
        (
            ("http://localhost/echo/integrity", "--service", "echo", "--service-certificate", "no.pem"),
            "--service-certificate: [Errno 2]",
        ),
    ],
)
def test_each_mistake_has_a_sentence(command, arguments, said):
    code, printed = command(*arguments)
    assert code == 2
    assert said in printed


@pytest.mark.usefixtures("nobody")
def test_a_user_is_asked_for_where_there_are_no_development_users(command, development_keys, tmp_path):
    keys = tmp_path / "keys"
    shutil.copytree(development_keys, keys)
    shutil.rmtree(keys / "development")
    arguments = ("http://localhost/echo/encrypt-username", "--service", "echo", "--keys", str(keys))
    code, said = command(*arguments)
    assert (code, "--user: is missing" in said) == (2, True)
    code, said = command(*arguments, "--user", "alice")
    assert (code, "name a --password-file" in said) == (2, True)


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "x"])
def test_a_rate_is_a_positive_number(command, value):
    with pytest.raises(SystemExit) as stopped:
        command("http://localhost/echo/integrity", "--service", "echo", "--rate", value)
    assert stopped.value.code == 2


# what it does ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nobody")
def test_the_list(command):
    code, said = command("--list")
    assert code == 0
    assert said.splitlines()[0] == "A01 document type (a stranger who has the bytes)"
    assert len(said.splitlines()) == len(VARIANTS)
    code, said = command("--list", "--only", "j01, K")
    assert {one[:3] for one in said.splitlines()} == {
        "J01",
        *(one.entry for one in VARIANTS if one.entry[0] == "K"),
    }


def test_a_service_that_does_not_run_gives_no_verdict(command, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://localhost:{port}/echo/integrity"
    report = tmp_path / "report.json"
    code, said = command(
        url, "--service", "echo", "--json", str(report), "--junit", str(tmp_path / "report.xml")
    )
    assert code == 3
    assert "no verdict: the good call is not answered: ConnectionRefusedError" in said
    assert json.loads(report.read_text())["no_verdict"]
    assert b"<error" in (tmp_path / "report.xml").read_bytes()


def test_a_report_that_cannot_be_written(command, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://localhost:{port}/echo/integrity"
    code, said = command(url, "--service", "echo", "--json", str(tmp_path / "no" / "report.json"))
    assert code == 2
    assert "--json: the folder" in said
