"""The simulator's services behind HTTP, in gunicorn's workers: what is shown by functions, shown over the wire.

:class:`Remote` is a :class:`~tests.simulator.world.World` whose service is not here. Its client bends messages
as ever; what they deserve is said by a gunicorn with the product's own settings, and read off its replies and
its log. Both sides share the store (SQLite), the service's keys and the clock, by files.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from tests.live.provider import ROOT, free_port
from tests.live.sending import LOST, post
from tests.simulator import moving
from tests.simulator.realm import Kept, Realm
from tests.simulator.world import ECHO, Exchange, Party, Refusal, World
from wsprovider.adapters.shared import open_store
from wsprovider.exchange.settings import RecipientSettings
from wsprovider.exchange.transport import Transport
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason

_PATIENCE = 60.0
_CALLS, _LOG, _KIND, _PARTY, _NOW = "calls.txt", "provider.log", "kind", "party", "now"
_UNIFORM = WSSecurityError(Reason.SIGNATURE_VALUE)


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP, and the log's line on it."""

    status: int
    data: bytes
    line: dict[str, Any]


class House:
    """One gunicorn for any number of worlds, which may be made while it runs; use it as a context manager."""

    def __init__(self, folder: Path, *, workers: int = 2) -> None:
        self._folder, self._workers = folder, workers
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._worlds: list[Remote] = []
        self._known: list[tuple[Any, dict[str, Any], Remote]] = []

    def __enter__(self) -> Self:
        (self._folder / _CALLS).touch()
        with (self._folder / _LOG).open("ab") as log:
            command = [sys.executable, "-m", "tests.live.housed", self._folder, self._port, self._workers]
            self._process = subprocess.Popen(
                [str(word) for word in command], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )
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

    def world(self, scenario: Any, **settings: Any) -> Remote:
        """A world of its own; to be put in the place of the simulator's."""
        own = self._folder / str(len(self._worlds))
        own.mkdir()
        moving.write(own / _KIND, (scenario, settings))
        world = Remote(self, own, scenario, settings)
        self._worlds.append(world)
        return world

    def shared_world(self, scenario: Any, **settings: Any) -> Remote:
        """The same world for the same settings, for tests that change nothing in it."""
        for known, others, world in self._known:
            if (known, others) == (scenario, settings):
                return world
        self._known.append((scenario, settings, self.world(scenario, **settings)))
        return self._known[-1][2]

    def calls(self) -> int:
        """How often a service's method was called, over all workers and worlds."""
        return (self._folder / _CALLS).stat().st_size

    def post(self, path: str, data: bytes, headers: dict[str, str]) -> Answer:
        """Send bytes to one of the worlds."""
        log = self._folder / _LOG
        before = log.stat().st_size
        status, content = post(f"http://127.0.0.1:{self._port}/{path}", data, headers)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for line in log.read_bytes()[before:].decode().splitlines():
                if line.startswith('{"event": "request"') and line.endswith("}"):
                    found = json.loads(line)
                    if found["endpoint"] == path:
                        return Answer(status, content, found)
            time.sleep(0.005)
        raise AssertionError(f"nothing was logged:\n{log.read_bytes()[before:].decode()}")


class Remote(World):
    """A world whose service answers over HTTP."""

    def __init__(self, house: House, folder: Path, scenario: Any, settings: dict[str, Any]) -> None:
        self._house, self._own, self._sisters = house, folder, 0
        super().__init__(scenario, **_state(folder), **settings)

    @property
    def service(self) -> Party:  # type: ignore[override]
        """The service's keys and trust, which its workers follow."""
        return self._party

    @service.setter
    def service(self, party: Party) -> None:
        self._party = party
        moving.write(self._own / _PARTY, party)

    @property
    def now(self) -> datetime:  # type: ignore[override]
        """The clock of both sides."""
        return self._now

    @now.setter
    def now(self, moment: datetime) -> None:
        self._now = moment
        moving.write(self._own / _NOW, moment)

    def accept(self, message: bytes, **arguments: Any) -> Any:
        """The reply, and as whom the log has the caller; raises what the log gives as the Reason."""
        arguments.setdefault("transport", self.transport)
        answer = self.send(message, **arguments)
        _raise(answer)
        assert answer.status in (200, 202)
        name = answer.line.get("principal", "")
        return SimpleNamespace(principal=SimpleNamespace(name=name), reply=answer.data)

    def refused(self, message: bytes, **arguments: Any) -> Refusal:
        """As by functions: the uniform fault, no change of state, and no call of the service."""
        before = self.state(), self._house.calls()
        answer = self.send(message, **{"transport": self.transport, **arguments})
        error = _error(answer)
        assert error is not None, "the message was accepted"
        assert (self.state(), self._house.calls()) == before, "a refused message changed state"
        if isinstance(error, WSSecurityError):
            fault = self.recipient.refuse(_UNIFORM, version=self.soap)
            assert (answer.status, answer.data) == (fault.status, fault.data)
        too_long = error.reason is Reason.MESSAGE_TOO_LARGE
        assert answer.status in range(400, 501) or (too_long and answer.status == LOST)
        assert error.reason.name.encode() not in answer.data
        return error

    def answer(self, message: bytes, **arguments: Any) -> bytes:
        """What the service answers to a request for a context."""
        reply: bytes = self.accept(message, **arguments).reply
        return reply

    def reply(self, verified: Any, text: str | None = None) -> bytes:
        """What the service replied."""
        assert text is None, "the service says what it says"
        reply: bytes = verified.reply
        return reply

    def call(self, text: str = "hello", **request: Any) -> Exchange:
        """The whole way; the service is called exactly once."""
        pending = self.request(text, **request)
        calls = self._house.calls()
        verified = self.accept(pending.data)
        assert self._house.calls() == calls + 1
        answer = self.initiator.accept(pending, verified.reply, secure=self.transport.secure)
        return Exchange(pending, verified, verified.reply, answer)

    def make_recipient(self, settings: RecipientSettings) -> Any:
        """Here, what writes the faults to compare with; another endpoint answers over HTTP."""
        if settings is self.settings:
            return super().make_recipient(settings)
        self._sisters += 1
        moving.write(self._own / str(self._sisters), settings)

        def accept(message: bytes, *, version: SoapVersion, transport: Transport) -> None:
            assert version is self.soap
            _raise(self.send(message, transport=transport, sister=f"/{self._sisters}"))

        return SimpleNamespace(accept=accept)

    def send(
        self,
        message: bytes,
        *,
        transport: Transport,
        charset: str | None = None,
        action: str | None = None,
        sister: str = "",
    ) -> Answer:
        """Send bytes, with what HTTP says of them; a proxy that the service trusts says whether by TLS."""
        parameter = "" if charset is None else f"; charset={charset}"
        headers = {"Content-Type": f"{self.soap.content_type}{parameter}"}
        if transport.secure:
            headers["X-Forwarded-Proto"] = "https"
        if action is not None:
            headers["SOAPAction"] = f'"{action}"'
        return self._house.post(f"{self._own.name}{sister}", message, headers)


def _error(answer: Answer) -> Refusal | None:
    if answer.line["reason"] is None:
        return None
    reason = Reason[answer.line["reason"]]
    return SoapError(SoapFault.CLIENT, reason) if reason.fault_code == "-" else WSSecurityError(reason)


def _raise(answer: Answer) -> None:
    error = _error(answer)
    if error is not None:
        raise error


def _state(folder: Path) -> dict[str, Any]:
    return {
        "store": open_store(f"sqlite:///{folder / 'shared.sqlite3'}"),
        "realm": Realm(Kept(folder / "tickets")),
    }


# the workers -----------------------------------------------------------------------------------------


class _Served(World):
    """The same world in a worker: what the test sets in its own, this one follows."""

    def __init__(self, folder: Path) -> None:
        self._own = folder
        scenario, settings = moving.read(folder / _KIND)
        super().__init__(scenario, **_state(folder), **settings)

    @property
    def service(self) -> Party:  # type: ignore[override]
        found = (self._own / _PARTY).stat()
        mark = found.st_mtime_ns, found.st_ino
        if mark != getattr(self, "_mark", None):
            self._mark, self._party = mark, moving.read(self._own / _PARTY)
        return self._party

    @service.setter
    def service(self, party: Party) -> None:
        """Another process says who the service is."""

    @property
    def now(self) -> datetime:  # type: ignore[override]
        moment: datetime = moving.read(self._own / _NOW)
        return moment

    @now.setter
    def now(self, moment: datetime) -> None:
        """Another process says what time it is."""


class _Application:
    """Makes a world's application when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._echo = _echo(folder / _CALLS)
        self._worlds: dict[str, _Served] = {}
        self._made: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"].strip("/")
        if path not in self._made:
            self._made[path] = self._make(path)
        return self._made[path](environ, start_response)

    def _make(self, path: str) -> Any:
        number, _, sister = path.partition("/")
        world = self._worlds.setdefault(number, _Served(self._folder / number))
        if sister:
            settings = moving.read(self._folder / number / sister)
            return _provider(path, world.make_recipient(settings), settings, self._echo)
        return _provider(path, world.recipient, world.settings, self._echo)


def _provider(path: str, recipient: Any, settings: RecipientSettings, service: type) -> Any:
    from spyne import Application

    from wsprovider.server import wsdl
    from wsprovider.server.application import Provider
    from wsprovider.server.endpoint import Endpoint
    from wsprovider.server.invoker import Invoker
    from wsprovider.server.protocols import SecureSoap11

    protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
    invoker = Invoker(Application([service], tns=ECHO, name="Echo", **protocols))
    document = wsdl.build(
        invoker.application, invoker.operations, path=f"/{path}", bases=wsdl.BaseUrls(), attach=None
    )
    limit = settings.limits.message_bytes
    endpoint = Endpoint(path, "world", f"/{path}", None, recipient, invoker, limit, document)
    return Provider([endpoint], trusted_proxies=("127.0.0.1",))


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
            return _Application(folder)

    Served().run()


if __name__ == "__main__":
    # imported under its own name, so that there is one of each class
    from tests.live import housed

    housed._serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
