"""The WSGI application in process: development keys and a SQLite store in a temporary folder."""

import io
import logging
import os
from pathlib import Path
from typing import Any

from benchmarks.development import caller
from benchmarks.payloads import Payload
from benchmarks.rounds import Job, Subject
from wsprovider import create_app
from wsprovider.cli.development import first_keys
from wsprovider.exchange.initiator import Initiator
from wsprovider.exchange.session import Session
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.server.endpoint import Endpoint
from wsprovider.soap.version import SOAP_11

ROOT = Path(__file__).resolve().parents[1]
ECHO_SERVICE = ROOT / "services" / "echo" / "service.py"


def write_services(folder: Path, suite: str | None = None, service: Path = ECHO_SERVICE) -> Path:
    """A service once per scenario at ``/echo/<number>``, under each scenario's own suite or another."""
    echo = folder / "services" / "echo"
    echo.mkdir(parents=True)
    (echo / "service.py").write_bytes(service.read_bytes())
    lines = [
        'namespace = "urn:wsprovider:echo"',
        'ring = "service"',
        'trust = ["clients"]',
        'users = "users.toml"',
        "clear_password_over_http = true",
        "allow_weak_suite = true",
    ]
    for number in range(1, 16):
        lines += ["", "[[endpoint]]", f'path = "/echo/{number}"', f'scenario = "{number}"']
        lines += [f'suite = "{suite}"'] if suite else []
    (echo / "service.toml").write_text("\n".join(lines) + "\n")
    return echo.parent


class Served:
    """The application, and clients of it."""

    def __init__(self, folder: Path, *, suite: str | None = None, service: Path = ECHO_SERVICE) -> None:
        self.keys = folder / "keys"
        first_keys(self.keys)
        logging.basicConfig(level=logging.INFO, filename=os.devnull, force=True)
        services = write_services(folder, suite, service)
        (services / "provider.toml").write_text(f'shared = "sqlite:///{folder / "shared.sqlite3"}"\n')
        self.application = create_app(services, keys=self.keys, environ={})
        self._endpoints = {one.path.rpartition("/")[2]: one for one in self.application.endpoints}

    def close(self) -> None:
        """Let go of the store."""
        self.application.close()

    def client(self, number: str, credentials: Credentials | None = None) -> Initiator | Session:
        """A client of a scenario; in those with conversations, one is open."""
        endpoint = self._endpoints[number]

        def send(data: bytes) -> bytes:
            return self._answer(_environ(endpoint, data, ""))

        return caller(self.keys, endpoint.recipient.policy, send, credentials)

    def environ(self, number: str, data: bytes) -> dict[str, Any]:
        """What a WSGI server makes of one POST to a scenario."""
        return _environ(self._endpoints[number], data)

    def requests(self, number: str, payload: Payload, count: int) -> list[bytes]:
        """Fresh requests of a scenario."""
        client = self.client(number)
        body = payload(SOAP_11, "echo")
        return [client.request(body, version=SOAP_11).data for _ in range(count)]

    def subject(self, number: str, payload: Payload) -> Subject:
        """Answering requests of a scenario."""
        endpoint = self._endpoints[number]

        def prepare(count: int) -> Job:
            environs = [_environ(endpoint, data) for data in self.requests(number, payload, count)]
            return lambda: [self._answer(environ) for environ in environs]

        return prepare

    def _answer(self, environ: dict[str, Any]) -> bytes:
        told: list[str] = []
        data = b"".join(self.application(environ, lambda status, _headers: told.append(status)))
        if told != ["200 OK"]:
            raise RuntimeError(f"{told}: {data!r}")
        return data


def _environ(endpoint: Endpoint, data: bytes, action: str = "urn:wsprovider:echo/echo") -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": endpoint.path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(data)),
        "HTTP_SOAPACTION": f'"{action}"',
        "wsgi.url_scheme": "https" if find("1").slug == endpoint.scenario else "http",
        "wsgi.input": io.BytesIO(data),
    }
