"""The simulator's services behind HTTP: every world of the catalogue's rows, served by gunicorn.

A row's world is made twice, from the same keys: here, where its client bends messages, and in the workers of
a gunicorn with the product's own settings, where its service judges them. Both sides share a store (SQLite)
and the fixed clock, so what a refused message leaves behind can be seen from here.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.attacks.rows import Row
from tests.live.provider import ROOT, free_port
from tests.live.sending import post
from tests.simulator.realm import Kept, Realm
from tests.simulator.world import ECHO, World, hand_over, take_over
from wsprovider.adapters.shared import open_store
from wsprovider.exchange.transport import Transport
from wsprovider.policy.model import Policy

_PATIENCE = 60.0
_KEYS, _CALLS, _LOG, _STORE, _TICKETS = (
    "keys.pickle",
    "calls.txt",
    "provider.log",
    "shared.sqlite3",
    "tickets",
)


@dataclass(frozen=True)
class Kind:
    """What makes two rows' worlds one."""

    scenario: str
    policy: Policy | None
    settings: dict[str, Any]

    def world(self, folder: Path, number: int) -> World:
        """The world, with its state in a folder of its own."""
        own = folder / str(number)
        own.mkdir(exist_ok=True)
        store = open_store(f"sqlite:///{own / _STORE}")
        return World(
            self.policy or self.scenario, store=store, realm=Realm(Kept(own / _TICKETS)), **self.settings
        )


def kinds(rows: Sequence[Row]) -> list[Kind]:
    """Each kind of world once, in the order of the rows."""
    found: list[Kind] = []
    for row in rows:
        kind = kind_of(row)
        if kind not in found:
            found.append(kind)
    return found


def kind_of(row: Row) -> Kind:
    """The kind of a row's world."""
    return Kind(row.scenario, row.policy, row.world)


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP, and what the log says of it."""

    status: int
    data: bytes
    reason: str | None


class Housed:
    """Every kind of world under one gunicorn; use it as a context manager."""

    def __init__(self, folder: Path, rows: Sequence[Row], *, workers: int = 2) -> None:
        self._folder, self._kinds, self._workers = folder, kinds(rows), workers
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._worlds = [kind.world(folder, number) for number, kind in enumerate(self._kinds)]

    def __enter__(self) -> Self:
        hand_over(self._folder / _KEYS)
        (self._folder / _CALLS).touch()
        with (self._folder / _LOG).open("ab") as log:
            command = [
                sys.executable,
                "-m",
                "tests.live.housed",
                str(self._folder),
                str(self._port),
                str(self._workers),
            ]
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                break
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"did not start:\n{(self._folder / _LOG).read_text()}") from None
                time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for world in self._worlds:
            world.store.close()

    def world(self, row: Row) -> World:
        """The world of a row, whose service is the one behind HTTP."""
        return self._worlds[self._kinds.index(kind_of(row))]

    def calls(self) -> int:
        """How often a service's method was called, over all workers and worlds."""
        return (self._folder / _CALLS).stat().st_size

    def post(
        self,
        row: Row,
        data: bytes,
        *,
        charset: str | None = None,
        action: str | None = None,
        transport: Transport | None = None,
    ) -> Answer:
        """Send bytes to a row's service.

        Args:
            charset, action: as HTTP says them.
            transport: whether it is to come by TLS; the world's own if None. (A proxy that the service trusts says so.)
        """
        number = self._kinds.index(kind_of(row))
        world = self._worlds[number]
        parameter = "" if charset is None else f"; charset={charset}"
        headers = {"Content-Type": f"{world.soap.content_type}{parameter}"}
        if (transport or world.transport).secure:
            headers["X-Forwarded-Proto"] = "https"
        if action is not None:
            headers["SOAPAction"] = f'"{action}"'
        log = self._folder / _LOG
        before = log.stat().st_size
        status, content = post(f"http://127.0.0.1:{self._port}/{number}", data, headers)
        return Answer(status, content, self._reason(log, before, f"world/{number}"))

    @staticmethod
    def _reason(log: Path, since: int, endpoint: str) -> str | None:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for line in log.read_bytes()[since:].decode().splitlines():
                if line.startswith('{"event": "request"') and line.endswith("}"):
                    found = json.loads(line)
                    if found["endpoint"] == endpoint:
                        reason: str | None = found["reason"]
                        return reason
            time.sleep(0.005)
        raise AssertionError(f"nothing was logged:\n{log.read_bytes()[since:].decode()}")


def _serve(folder: Path, port: int, workers: int) -> None:
    """The other process: gunicorn, with the settings of ``wsprovider serve``."""
    # gunicorn and Spyne (whose import must be prepared) are no affair of the process that tests
    from wsprovider.server.spyne_compat import install

    install()
    from gunicorn.app.base import BaseApplication

    from wsprovider.cli import gunicorn_settings

    class Served(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name in dir(gunicorn_settings):
                if name in self.cfg.settings:
                    self.cfg.set(name, getattr(gunicorn_settings, name))
            self.cfg.set("bind", f"127.0.0.1:{port}")
            self.cfg.set("workers", workers)

        def load(self) -> Any:
            return _application(folder)

    Served().run()


def _application(folder: Path) -> Any:
    from tests.attacks.test_catalogue import ROWS

    take_over(folder / _KEYS)
    worlds = [kind.world(folder, n) for n, kind in enumerate(kinds(ROWS))]
    return provider(worlds, _echo(folder / _CALLS))


def _echo(calls: Path) -> type:
    from spyne import ServiceBase, Unicode, rpc

    class Echo(ServiceBase):  # type: ignore[misc]
        @rpc(Unicode, _returns=Unicode)
        def echo(ctx: Any, text: str) -> str:  # noqa: N805 - Spyne's way
            with calls.open("ab") as file:
                file.write(b".")
            return text

        @rpc()
        def erase(ctx: Any) -> None:  # noqa: N805 - Spyne's way
            with calls.open("ab") as file:
                file.write(b"!")

    return Echo


def provider(worlds: Sequence[World], service: type) -> Any:
    """One application with a world at each path ``/0``, ``/1``, ..."""
    from spyne import Application

    from wsprovider.server import wsdl
    from wsprovider.server.application import Provider
    from wsprovider.server.endpoint import Endpoint
    from wsprovider.server.invoker import Invoker
    from wsprovider.server.protocols import SecureSoap11

    protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
    invoker = Invoker(Application([service], tns=ECHO, name="Echo", **protocols))
    endpoints = []
    for number, world in enumerate(worlds):
        path = f"/{number}"
        document = wsdl.build(
            invoker.application, invoker.operations, path=path, bases=wsdl.BaseUrls(), attach=None
        )
        limit = world.settings.limits.message_bytes
        endpoints.append(
            Endpoint(f"world/{number}", "world", path, None, world.recipient, invoker, limit, document)
        )
    return Provider(endpoints, trusted_proxies=("127.0.0.1",))


if __name__ == "__main__":
    # imported under its own name, so that there is one of each class
    from tests.live import housed

    housed._serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
