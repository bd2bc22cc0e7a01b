"""The proxies of ``docs/deploy.md`` in front of its unit: what they pass on, what they drop, and a restart behind them."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.live.deployed import (
    BLOCKS,
    NAMESPACE,
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
from tests.live.provider import ROOT, free_port
from tests.live.slow_peers import Signer

pytestmark = [pytest.mark.live, pytest.mark.slow]

HTTPS_TOKEN = "<sp:HttpsToken><wsp:Policy><sp:RequireClientCertificate/></wsp:Policy></sp:HttpsToken>"
MESSAGE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<echo xmlns="{NAMESPACE}"><text>hello</text></echo></s:Body></s:Envelope>'
).encode()


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
