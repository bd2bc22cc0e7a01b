"""What ``docs/deploy.md`` tells to do works as it stands there, as far as one machine can show it."""

from __future__ import annotations

import base64
import configparser
import http.client
import json
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.live.conversing import Conversation, client_keys
from tests.live.deployed import (
    BLOCKS,
    NAMESPACE,
    PAGE,
    Place,
    Unit,
    UnixConnection,
    haproxy,
    listening,
    nginx,
    post,
    require,
    tls_to,
)
from tests.live.pages import blocks_of
from tests.live.provider import ROOT, free_port
from tests.live.redis_server import RedisServer, require_redis
from tests.live.replays import SENDERS, capture, send, send_once
from tests.live.slow_peers import Signer

pytestmark = [pytest.mark.live, pytest.mark.slow]

HTTPS_TOKEN = "<sp:HttpsToken><wsp:Policy><sp:RequireClientCertificate/></wsp:Policy></sp:HttpsToken>"
MESSAGE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<echo xmlns="{NAMESPACE}"><text>hello</text></echo></s:Body></s:Envelope>'
).encode()


def test_every_frame_of_the_page_is_somebody_s() -> None:
    marked = blocks_of(PAGE)
    assert {block.test for block in marked} == {"tests/live/test_deploy.py"}
    drawing = 1
    assert PAGE.read_text().count("\n```") == 2 * (len(marked) + drawing)
    used = "\n".join(path.read_text() for path in (ROOT / "tests" / "live").glob("*deploy*.py"))
    for name in BLOCKS:
        assert f'"{name}"' in used, name


# installing ----------------------------------------------------------------------------------------


def test_the_environment(tmp_path: Path) -> None:
    """The wheel into an environment of its own; what it needs is this environment's, for want of time."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    place = Place(tmp_path)
    shutil.rmtree(place.bin)
    make, *locked, wheel = place.text("install").splitlines()
    for line in locked:
        words = shlex.split(line)
        assert "--require-hashes" in words
        assert (ROOT / words[-1]).is_file()
    place.sh(f"{make}\n{wheel}", cwd=tmp_path)
    (packages,) = (place.folder / "opt").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path))
    told = subprocess.run(
        [place.bin / "wsprovider", "version"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    code = "import wsprovider; print(wsprovider.__file__)"
    found = subprocess.run(
        [place.bin / "python", "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith(str(packages))
    assert "wsprovider" in told.stdout


def test_the_account_and_the_keys(tmp_path: Path) -> None:
    """In folders with those modes; what comes of it is a configuration without a mistake, and a backup."""
    place = Place(tmp_path)
    place.var.rmdir()
    add, *folders = place.text("account").splitlines()
    assert "--system" in shlex.split(add)
    known = subprocess.run(["useradd", "--help"], capture_output=True, text=True, check=False).stdout
    assert [word for word in shlex.split(add) if word.startswith("--") and word not in known] == []
    own = f"-o {os.geteuid()} -g {os.getegid()}"
    place.sh(re.sub(r"-o \w+ -g \w+", own, "\n".join(folders)))
    assert [(path.stat().st_mode & 0o777) for path in (place.site, place.var)] == [0o750, 0o700]
    assert (place.site / "keys").stat().st_mode & 0o777 == 0o700
    other = Place(tmp_path / "other")
    other.furnish("", ["8"])
    shutil.copy(other.site / "keys" / "development" / "client-1.cert.pem", place.site / "partner.pem")
    (place.site / "password.txt").write_text("correct horse\n")
    shutil.copytree(other.site / "services", place.site / "services", dirs_exist_ok=True)
    (place.site / "services" / "provider.toml").write_text(place.text("provider.toml"))
    assert "1 endpoints of 1 services: nothing wrong" in place.sh(place.text("keys"))
    modes = [path.stat().st_mode & 0o777 for path in (place.site / "keys").rglob("*.key.pem")]
    assert modes == [0o600]
    place.sh(place.text("backup"))
    listed = place.sh(f"tar --list --file {place.var / 'wsprovider.tar.gz'}").splitlines()
    assert {"keys/service/ring.toml", "keys/audit.log", "services/provider.toml"} <= set(listed)


def test_a_new_release_is_checked_first(tmp_path: Path) -> None:
    """The moving of folders, and that a configuration that the new release does not understand stops it."""
    place = Place(tmp_path)
    place.furnish("", ["8"])
    shutil.copytree(tmp_path / "opt", tmp_path / "opt-new")
    (tmp_path / "opt-new" / "new").touch()
    (place.bin / "systemctl").write_text("#!/bin/sh\necho $*\n")
    (place.bin / "systemctl").chmod(0o755)
    shutil.copy(place.bin / "systemctl", tmp_path / "opt-new" / "bin")
    script = place.text("upgrade")
    assert place.sh(script).endswith("restart wsprovider\n")
    assert (tmp_path / "opt" / "new").exists()
    assert (tmp_path / "opt-old").exists()
    (place.site / "services" / "provider.toml").write_text("unknown = 1\n")
    (tmp_path / "opt").rename(tmp_path / "opt-new")
    with pytest.raises(AssertionError, match=r"provider\.toml:1: unknown"):
        place.sh(script)
    assert (tmp_path / "opt-new").exists()


def test_the_journal_shows_refusals(tmp_path: Path) -> None:
    """What the pipe lets through of our own lines."""
    place = Place(tmp_path)
    lines = ['{"event": "request", "reason": null}', '{"event": "request", "reason": "REPLAY"}', "other"]
    (place.bin / "journalctl").write_text("#!/bin/sh\nprintf '%s\\n' " + shlex.join(lines) + "\n")
    (place.bin / "journalctl").chmod(0o755)
    assert place.sh(place.text("journal")).splitlines() == [lines[1]]


# the units -----------------------------------------------------------------------------------------


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """No word is unknown to it, the programs are there, and the score is what the page says."""
    require("systemd-analyze")
    place = Place(tmp_path)
    for name in ("wsprovider.service", "wsprovider.socket"):
        (tmp_path / name).write_text(place.text(name))
    unit = tmp_path / "wsprovider.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit), str(tmp_path / "wsprovider.socket")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not [line for line in done.stderr.splitlines() if "wsprovider." in line], done.stderr
    (told,) = re.findall(r"rates this unit (\d\.\d) of 10", PAGE.read_text())
    analyze = ["systemd-analyze", "security", "--offline=yes", "--no-pager"]
    done = subprocess.run([*analyze, str(unit)], capture_output=True, text=True, check=False)
    (score,) = re.findall(r"Overall exposure level for \S+: (\d\.\d)", done.stdout)
    assert abs(float(score) - float(told)) <= 0.3  # it rates a little differently from release to release


def test_the_unit_stops_gunicorn_no_sooner_than_gunicorn_stops() -> None:
    from wsprovider.cli import gunicorn_settings

    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read_string(BLOCKS["wsprovider.service"])
    assert int(unit["Service"]["TimeoutStopSec"]) > gunicorn_settings.graceful_timeout
    (patience,) = re.findall(r"proxy_read_timeout (\d+)s", BLOCKS["nginx.conf"])
    assert int(patience) > int(unit["Service"]["TimeoutStopSec"])
    assert BLOCKS["gunicorn"].split(" --bind ")[0] in unit["Service"]["ExecStart"]
    assert "wsgi:application" in BLOCKS["gunicorn"]


# behind a proxy ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A site with a service that wants a certificate in TLS, whose partner is client-1 alone."""
    made = Place(tmp_path_factory.mktemp("deploy"))
    made.furnish(made.text("provider.toml"), ["3"])
    partners = made.site / "keys" / "trust" / "partners"
    partners.mkdir(mode=0o700)
    shutil.copy(made.site / "keys" / "trust" / "clients" / "client-1.pem", partners)
    certified = made.site / "services" / "certified"
    certified.mkdir()
    shutil.copy(made.site / "services" / "counted" / "service.py", certified)
    policy = (ROOT / "services" / "echo" / "policies" / "transport-endorsing.xml").read_text()
    policy = re.sub(r"<sp:HttpsToken>.*</sp:HttpsToken>", HTTPS_TOKEN, policy, flags=re.DOTALL)
    policy = re.sub(r"<sp:EndorsingSup.*</sp:EndorsingSupportingTokens>", "", policy, flags=re.DOTALL)
    (certified / "policy.xml").write_text(policy.replace("<sp:IncludeTimestamp/>", ""))
    lines = [f'namespace = "{NAMESPACE}"', 'path = "/certified"', 'policy = "policy.xml"']
    (certified / "service.toml").write_text("\n".join([*lines, 'trust = ["partners"]']) + "\n")
    return made


@pytest.fixture(scope="module")
def port() -> int:
    """Where the service listens besides, for those who come past the proxies."""
    return free_port()


@pytest.fixture(scope="module")
def unit(place: Place, port: int) -> Iterator[Unit]:
    """The service, at the socket of the unit and at a port."""
    listeners = [listening(str(place.run / "http.sock")), listening(port)]
    with Unit(place, listeners) as running:
        yield running
    for listener in listeners:
        listener.close()


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def proxy(request: pytest.FixtureRequest, place: Place, unit: Unit) -> Iterator[int]:
    """The port of each proxy in turn."""
    require(request.param)
    if request.param == "nginx":
        with nginx(place) as port:
            yield port
    else:
        one = {"server one 10.0.0.11:8080": f"server local unix@{place.run}/http.sock check"}
        with haproxy(place, **one, **{"server two 10.0.0.12:8080": ""}) as port:
            yield port


def forms(place: Place) -> dict[str, str]:
    """What the forger has: the certificate of the partner, which is no secret."""
    pem = (place.site / "keys" / "development" / "client-1.cert.pem").read_bytes()
    der = base64.b64encode(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).decode()
    return {"RFC 9440": f":{der}:", "PEM": quote(pem.decode(), safe=""), "DER": der}


def outcome(
    unit: Unit, connection: http.client.HTTPConnection, fields: list[tuple[str, str]] | None = None
) -> str | None:
    """The Reason in the log of one call; None: it was answered."""
    since = unit.log.stat().st_size
    with closing(connection):
        status, body = post(connection, "/certified", MESSAGE, fields or [])
    [line] = unit.requests(since, 1)
    assert (status == 200) is (line["reason"] is None)
    assert (b"hello" in body) is (line["reason"] is None)
    return line["reason"]


def test_a_proxy_passes_on_the_certificate_of_its_client(place: Place, unit: Unit, proxy: int) -> None:
    """The partner's is taken, another of the same authority refused, and so is none."""
    assert outcome(unit, tls_to(place, proxy, "client-1")) is None
    assert outcome(unit, tls_to(place, proxy, "client-2")) == "CERTIFICATE_NOT_TRUSTED"
    assert outcome(unit, tls_to(place, proxy)) == "CLIENT_CERTIFICATE_MISSING"


@pytest.mark.parametrize("name", ["Client-Cert", "client-cert", "Client_Cert", "CLIENT_CERT"])
def test_a_proxy_drops_what_a_client_says_of_itself(place: Place, unit: Unit, proxy: int, name: str) -> None:
    """In every form, once and twice: the forger is who their handshake says, or nobody."""
    secure = ("X-Forwarded-Proto", "https")
    for form, value in forms(place).items():
        for fields in ([(name, value)], [(name, value), (name, value)], [secure, (name, value)]):
            assert outcome(unit, tls_to(place, proxy), fields) == "CLIENT_CERTIFICATE_MISSING", form
            assert outcome(unit, tls_to(place, proxy, "client-2"), fields) == "CERTIFICATE_NOT_TRUSTED", form
    assert outcome(unit, tls_to(place, proxy, "client-1"), [(name, "nonsense")]) is None


def test_past_the_proxy_the_header_counts_for_nothing(place: Place, unit: Unit, port: int) -> None:
    """From the socket, where only the proxy is, each form is taken; from anywhere else none."""
    secure = ("X-Forwarded-Proto", "https")
    for form, value in forms(place).items():
        said = [secure, ("Client-Cert", value)]
        assert outcome(unit, UnixConnection(place.run / "http.sock"), said) is None, form
        assert outcome(unit, http.client.HTTPConnection("127.0.0.1", port), said) == "TRANSPORT", form
        for name in ("Client_Cert", "X-Client-Cert"):
            other = [secure, (name, value)]
            found = outcome(unit, UnixConnection(place.run / "http.sock"), other)
            assert found == "CLIENT_CERTIFICATE_MISSING"
        assert outcome(unit, UnixConnection(place.run / "http.sock"), said[1:]) == "TRANSPORT"
        twice = [*said, said[1]]
        assert outcome(unit, UnixConnection(place.run / "http.sock"), twice) == "CLIENT_CERTIFICATE_MISSING"


def test_what_a_proxy_does_not_let_through(place: Place, unit: Unit, proxy: int) -> None:
    """Metrics are not for the public, health is; and what is too long is refused before it is sent on."""

    def get(connection: http.client.HTTPConnection, path: str) -> int:
        with closing(connection):
            connection.request("GET", path)
            return int(connection.getresponse().status)

    assert get(tls_to(place, proxy), "/healthz") == 200
    assert get(tls_to(place, proxy), "/metrics") == 404
    assert get(UnixConnection(place.run / "http.sock"), "/metrics") == 200
    with closing(tls_to(place, proxy)) as connection:
        connection.putrequest("POST", "/certified")
        connection.putheader("Content-Type", "text/xml")
        connection.putheader("Content-Length", "16000001")
        connection.endheaders()
        assert connection.getresponse().status == 413


CHUNKED, LAST = b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"
FRAMES = {
    "length and chunks": (b"Content-Length: %d\r\n" + CHUNKED + b"\r\n", LAST),
    "chunks and length": (CHUNKED + b"Content-Length: %d\r\n\r\n", LAST),
    "nearly chunks": (b"Content-Length: %d\r\nTransfer-Encoding: xchunked\r\n\r\n", LAST),
    "chunks in disguise": (b"Content-Length: %d\r\nTransfer-Encoding:\x0bchunked\r\n\r\n", LAST),
    "chunks with a blank": (b"Content-Length: %d\r\nTransfer-Encoding : chunked\r\n\r\n", LAST),
    "chunks and more": (CHUNKED + b"Transfer-Encoding: identity\r\n\r\n", LAST),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n", b""),
    "a length with a sign": (b"Content-Length: +0\r\n\r\n", b""),
    "a line that ends with LF": (b"Content-Length: 0\n\r\n", b""),
    "a length in a folded field": (b"X: y\r\n Content-Length: 0\r\n\r\n", b""),
    "a chunk of a hex number": (CHUNKED + b"\r\n", b"0x0\r\n\r\n"),
    "no doubt at all": (b"Content-Length: 0\r\n\r\n", b""),
}
"""How requests may be framed so that it is doubted where they end: the end of the head, and the body before the next."""


@pytest.mark.parametrize("name", FRAMES)
def test_nobody_smuggles_a_request_past_a_proxy(place: Place, unit: Unit, proxy: int, name: str) -> None:
    """The inner request would be accepted if it came from the proxy as it is; through it, it never is."""
    opening = "POST /certified HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
    shown = f"X-Forwarded-Proto: https\r\nClient-Cert: {forms(place)['DER']}\r\n"
    inner = f"{opening}{shown}Content-Length: {len(MESSAGE)}\r\n\r\n".encode() + MESSAGE
    head, end = FRAMES[name]
    head = head.replace(b"%d", str(len(end + inner)).encode())
    since = unit.log.stat().st_size
    with closing(tls_to(place, proxy)) as connection:
        connection.connect()
        connection.sock.sendall(opening.encode() + head + end + inner)
        connection.sock.settimeout(0.3)
        with suppress(OSError):
            while connection.sock.recv(65536):
                pass
    with closing(UnixConnection(place.run / "http.sock")) as connection:
        connection.connect()
        connection.sock.sendall(inner)
        assert b"hello" in connection.sock.recv(65536)
    *before, last = unit.requests(since, 1)
    assert last["reason"] is None
    assert [line for line in before if line["reason"] is None] == []


def test_the_health_check_of_the_container(place: Place, unit: Unit, port: int) -> None:
    """It says that the service is well, and that nobody is there."""
    (line,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", BLOCKS["Containerfile"], re.MULTILINE)
    for asked, code in ((port, 0), (free_port(), 1)):
        script = line.replace("8080", str(asked)).replace("/opt/wsprovider/bin", str(place.bin))
        done = subprocess.run(json.loads(script), env=place.environ, capture_output=True, check=False)
        assert done.returncode == code, done.stderr


def test_a_restart_refuses_nobody(place: Place, unit: Unit) -> None:
    """Three restarts while four clients call through nginx: every call is answered, once."""
    require("nginx")
    over, failures, calls = threading.Event(), list[object](), Counter[str]()

    def call(number: int) -> None:
        signer = Signer(place.site / "keys")
        connection = tls_to(place, front)
        while not over.is_set():
            text = f"restart-{number}-{calls[str(number)]}"
            request = signer.request(text)
            status, body = post(connection, "/counted/3", request.data)
            calls[str(number)] += 1
            if status != 200 or signer.text_of(body, request) != text:
                failures.append((status, body))
            time.sleep(0.02)
        connection.close()

    with nginx(place) as front:
        threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                time.sleep(0.3)
                unit.stop()
                unit.start()
        finally:
            time.sleep(0.3)
            over.set()
            for thread in threads:
                thread.join()
    assert not failures
    executed = Counter(text for text in place.executions() if text.startswith("restart-"))
    assert set(executed.values()) == {1}
    assert len(executed) == calls.total() > 30


# two machines --------------------------------------------------------------------------------------


def test_two_machines(tmp_path: Path) -> None:
    """A copy is refused by the other machine, a conversation goes on there, and one may be killed under load."""
    require("haproxy")
    require_redis()
    place = Place(tmp_path)
    settings = dict(line.split(" ", 1) for line in BLOCKS["redis.conf"].splitlines())
    own = {name: value.strip('"') for name, value in settings.items() if name not in ("bind", "port")}
    ports = [free_port(), free_port()]
    fronts = free_port()
    with RedisServer(dir=str(tmp_path), **own) as server:
        told = {
            "redis://10.0.0.5:6379/0": server.url,
            '"10.0.0.1"': '"127.0.0.1"',
            "https://services.example.org": f"https://127.0.0.1:{fronts}",
        }
        place.furnish(place.text("machines.toml", **told), ["2", "3", "15"])
        listeners = [listening(port) for port in ports]
        more = {
            "10.0.0.11:8080": f"127.0.0.1:{ports[0]}",
            "10.0.0.12:8080": f"127.0.0.1:{ports[1]}",
            "bind :443 ssl": f"bind 127.0.0.1:{fronts}\n    bind :443 ssl",
        }
        with Unit(place, listeners[:1], "one") as one, Unit(place, listeners[1:], "two") as two:
            for listener in listeners:
                listener.close()  # the machine's alone now: when it dies, nobody listens there
            _two_machines(place, (one, two), ports, fronts, more)


def _two_machines(
    place: Place, units: tuple[Unit, Unit], ports: list[int], front: int, more: dict[str, str]
) -> None:
    keys = client_keys(place.site / "keys")
    url = f"http://127.0.0.1:{front}"
    site = SimpleNamespace(
        folder=place.site, machines=[SimpleNamespace(url=lambda path: f"http://127.0.0.1:{ports[0]}{path}")]
    )
    first = capture(site, ["2", "3"], 5)
    assert len(send_once(ports[:1], first).accepted) == len(first)
    again = send_once(ports[1:], first)
    assert not again.accepted
    assert again.faults.total() == len(first)
    with haproxy(place, **more):
        talk = Conversation(keys, f"{url}/counted/15", "conversation-sign-encrypt-username", patience=5)
        talk.open()
        for number in range(6):
            talk.call(f"talk-{number}")
        _tell(place, "set server machines/one state drain")
        since = units[0].log.stat().st_size
        for number in range(4):
            talk.call(f"drained-{number}")
        assert not units[0].requests(since)
        _tell(place, "set server machines/one state ready")
        context = talk.context[0]
        assert all(
            len([line for line in unit.requests(0, 1) if line.get("context") == context]) >= 3
            for unit in units
        )
        messages = capture(site, ["2", "3"], 30, "load")
        busy = len(units[1].requests()) + 150

        def kill() -> None:
            while len(units[1].requests()) < busy:
                time.sleep(0.05)
            units[1].kill()

        dead = threading.Thread(target=kill)
        dead.start()
        tally = send([front], messages, SENDERS + 8, seed=random.randrange(1 << 20))
        dead.join()
        for number in range(6):
            talk.call(f"alone-{number}")
        talk.close()
        late = send_once([front], messages)
    executed = Counter(text for text in place.executions() if text.startswith("load-"))
    assert set(executed.values()) == {1}
    accepted = tally.accepted + late.accepted
    assert set(accepted.values()) == {1}
    assert set(accepted) <= set(executed)
    unanswered = tally.cut.total() + sum(n for fault, n in tally.faults.items() if b"502 Bad" in fault)
    assert len(executed) - len(accepted) <= unanswered <= 2 * SENDERS
    others = [fault for fault in tally.faults if b"502 Bad" not in fault]
    assert [b"security of the message was not accepted" in fault for fault in others] == [True]
    assert len(units[0].requests()) > len(units[1].requests()) + SENDERS, "it died after the load"


def _tell(place: Place, command: str) -> None:
    """Say something to HAProxy's admin socket."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(place.run / "admin.sock"))
        admin.sendall(f"{command}\n".encode())
        assert admin.recv(4096).strip() == b""


# the container file --------------------------------------------------------------------------------

_INSTRUCTIONS = {
    *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "VOLUME"),
    *("STOPSIGNAL", "HEALTHCHECK", "CMD"),
}


def test_the_container_file() -> None:
    """No instruction is unknown, nothing runs as root, what is copied is there, and CMD is the page's own."""
    lines = [line.split(" ", 1) for line in BLOCKS["Containerfile"].splitlines() if line]
    assert {word for word, _ in lines} <= _INSTRUCTIONS
    assert [word for word, _ in lines].count("FROM") == 2
    last = dict(lines)
    assert last["USER"] == "10001"
    assert [word for word, _ in lines].index("USER") > [word for word, _ in lines].index("RUN")
    for word, rest in lines:
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists() or source == "wsprovider-*.whl"
    installs = [
        rest.replace("--no-cache-dir ", "") for word, rest in lines if word == "RUN" and "/opt" in rest
    ]
    assert installs == BLOCKS["install"].replace("requirements/", "").splitlines()
    command = shlex.split(BLOCKS["gunicorn"].replace("unix:/run/wsprovider/http.sock", "0.0.0.0:8080"))
    assert last["CMD"] == str(command).replace("'", '"')
    options = re.findall(r" (--[a-z-]+)", BLOCKS["container"])
    assert {"--read-only", "--cap-drop", "--security-opt"} <= set(options)
