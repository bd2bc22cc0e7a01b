"""What a request costs the server over HTTP: gunicorn with two workers, a keep-alive client, fresh messages.

    python -m benchmarks over_http [--requests 400] [--suite Basic256]

CPU is that of the workers (/proc, so Linux only), user and system; it contains everything: gunicorn,
HTTP, the application, Spyne, the SQLite store. *plain* is the same service under stock Spyne in the same
gunicorn, without security. Requests per second depend on the client beside it and are told for orientation.
"""

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks import machine, payloads
from benchmarks.development import caller
from benchmarks.exchanges import SCENARIOS
from benchmarks.served import ROOT, write_services
from wsprovider.cli.development import first_keys
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11
from wsprovider.words.suites import SUITES

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE: Final = 60.0
_WORKERS: Final = 2
_PLAIN: Final = "/plain"
_APPLICATION: Final = """\
import runpy
from wsprovider import create_app
provider = create_app("services")
from spyne import Application
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
echo = runpy.run_path("services/echo/service.py")["Echo"]
plain = WsgiApplication(Application([echo], "urn:wsprovider:echo", in_protocol=Soap11(), out_protocol=Soap11()))
def application(environ, start_response):
    return (plain if environ["PATH_INFO"] == "/plain" else provider)(environ, start_response)
"""
_PLAIN_MESSAGE: Final = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<echo xmlns="urn:wsprovider:echo"><text>{text}</text></echo></soap:Body></soap:Envelope>'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--suite")
    parser.add_argument("--size", type=int, default=1_000, help="bytes of payload")
    parser.add_argument("--requests", type=int, default=400, help="of each scenario in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated")


def run(options: argparse.Namespace) -> None:
    """Print the table."""
    print(machine.describe())
    print(
        f"payload: {options.size} bytes of text; CPU ms a request of {_WORKERS} gunicorn workers, "
        f"least of {options.rounds} rounds of {options.requests}\n"
    )
    print("| scenario | CPU ms | times plain | requests/s |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, Gunicorn(Path(folder), options.suite) as server:
        text = "x" * options.size
        messages = [_PLAIN_MESSAGE.format(text=text).encode()] * options.requests
        plain, rate = min(server.cost(_PLAIN, messages) for _ in range(options.rounds))
        print(f"| plain | {plain:.2f} | 1.0 | {rate:.0f} |", flush=True)
        for number in options.scenario or SCENARIOS:
            rounds = [
                server.cost(f"/echo/{number}", server.requests(number, options))
                for _ in range(options.rounds)
            ]
            cpu, rate = min(rounds)
            print(f"| {number} | {cpu:.2f} | {cpu / plain:.1f} | {rate:.0f} |", flush=True)


class Gunicorn:
    """The server, from start to stop; use it as a context manager."""

    def __init__(self, folder: Path, suite: str | None) -> None:
        self._folder = folder
        self._suite = suite
        self._keys = folder / "keys"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        first_keys(self._keys)
        services = write_services(self._folder, self._suite)
        (services / "provider.toml").write_text(
            f'shared = "sqlite:///{self._folder / "shared.sqlite3"}"\ntrusted_proxies = ["127.0.0.1"]\n'
        )
        (self._folder / "wsgi.py").write_text(_APPLICATION)
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "WORKERS": str(_WORKERS),
            "WSPROVIDER_KEYS": str(self._keys),
            "WSPROVIDER_MONITOR": "off",
        }
        bind = f"127.0.0.1:{self._port}"
        command = [
            *(sys.executable, "-m", "gunicorn", "--config", "python:wsprovider.cli.gunicorn_settings"),
            *("--bind", bind, "--log-level", "warning", "wsgi:application"),
        ]
        with (self._folder / "gunicorn.log").open("wb") as log:  # a line a request, as in production
            self._process = subprocess.Popen(command, cwd=self._folder, env=environ, stderr=log)
        deadline = time.monotonic() + _PATIENCE
        while len(self._workers()) < _WORKERS or not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("gunicorn did not start")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_PATIENCE)

    def requests(self, number: str, options: argparse.Namespace) -> list[bytes]:
        """Fresh requests of a scenario."""
        policy = find(number).policy(SUITES[self._suite] if self._suite else None)
        client = caller(self._keys, policy, lambda data: self._post(f"/echo/{number}", [data])[0])
        body = payloads.text(options.size)(SOAP_11, "echo")
        return [client.request(body, version=SOAP_11).data for _ in range(options.requests)]

    def cost(self, path: str, messages: list[bytes]) -> tuple[float, float]:
        """CPU milliseconds of the workers a request, and requests a second."""
        cpu, begin = self._cpu(), time.perf_counter()
        self._post(path, messages)
        seconds = time.perf_counter() - begin
        spent = self._cpu() - cpu
        return spent / len(messages) * 1000, len(messages) / seconds

    def _post(self, path: str, messages: list[bytes]) -> list[bytes]:
        """What is answered to messages that go one after the other over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        headers = {"Content-Type": "text/xml; charset=utf-8", "X-Forwarded-Proto": "https"}
        answers: list[bytes] = []
        for message in messages:
            connection.request("POST", path, message, headers)
            answer = connection.getresponse()
            answers.append(answer.read())
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"{path}: {answer.status} {answers[-1][:500]!r}")
        connection.close()
        return answers

    def _workers(self) -> list[int]:
        pid = self._process.pid if self._process is not None else 0
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(one) for one in listed.split()]

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def _cpu(self) -> float:
        """Seconds of CPU that the workers have used: fields 14 and 15 of /proc/<pid>/stat."""
        ticks = 0
        for worker in self._workers():
            fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICKS
