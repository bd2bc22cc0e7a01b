"""Peers that dawdle: crowds of connections that say a byte a second or nothing, and good clients beside them."""

from __future__ import annotations

import functools
import http.client
import os
import selectors
import shutil
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lxml import etree

from tests.live.conversing import ECHO, client_keys
from tests.live.provider import ROOT
from wsprovider.exchange.initiator import Initiator
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11

PATH = "/echo/integrity"
TLS_PATH = "/echo/username-token"
_SERVICE = f"""
namespace = "{ECHO}"
ring = "service"
trust = ["clients"]
users = "users.toml"

[[endpoint]]
path = "{PATH}"
scenario = "integrity"

[[endpoint]]
path = "{TLS_PATH}"
scenario = "username-token"
"""
_HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"


def write_echo(services: Path, process: str = "") -> None:
    """The echo service at two addresses.

    Args:
        process: lines for ``provider.toml``.
    """
    folder = services / "echo"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", folder)
    (folder / "service.toml").write_text(_SERVICE)
    (services / "provider.toml").write_text(process)


class Signer:
    """A client of scenario 3, or of another: makes requests that are good once, and reads their replies."""

    def __init__(self, keys: Path, scenario: str = "3") -> None:
        snapshot = client_keys(keys)
        self._initiator = Initiator(
            find(scenario).policy(),
            "client",
            keys=lambda: snapshot,
            clock=lambda: datetime.now(UTC),
            entropy=os.urandom,
            credentials=Credentials("alice", "development"),
            partner="service",
        )

    def request(self, text: str) -> Any:
        """A fresh request."""
        body = f'<e:Body xmlns:e="{ECHO}"><e:echo><e:text>{text}</e:text></e:echo></e:Body>'
        return self._initiator.request(etree.fromstring(body), version=SOAP_11)

    def text_of(self, data: bytes, request: Any) -> str | None:
        """What a reply, verified, says."""
        reply = self._initiator.accept(request, data, secure=False)
        return None if reply.payload is None else reply.payload.findtext(f"{{{ECHO}}}text")


@dataclass
class Crowd:
    """So many connections of one kind, each renewed a second after the server ended it; a context manager.

    Attributes:
        opening: what each says at once.
        drop: what each says again and again, once a second; nothing: it only waits.
        reads: whether it takes in what the server says; otherwise with the smallest window there is.
        secure: over TLS, its handshake made.
        addresses: how many source addresses share the work.
        ended: how often the server ended one.
    """

    port: int
    count: int
    opening: Callable[[], bytes] = lambda: b""
    drop: bytes = b""
    reads: bool = True
    secure: bool = False
    addresses: int = 1
    network: int = 1
    ended: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._members: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        for number in range(self.count):
            self._open(number)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._selector.close()
        for member in self._members.values():
            member.close()

    def _open(self, number: int) -> None:
        member = socket.socket()
        if not self.reads:
            member.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        member.bind((f"127.0.{self.network}.{1 + number % self.addresses}", 0))
        member.settimeout(10)
        member.connect(("127.0.0.1", self.port))
        if self.secure:
            member = trusting().wrap_socket(member)
        member.settimeout(0)
        self._members[number] = member
        if self.reads:
            self._selector.register(member, selectors.EVENT_READ, number)
        self._say(number, self.opening())

    def _say(self, number: int, data: bytes) -> None:
        try:
            self._members[number].send(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            self._end(number)

    def _end(self, number: int) -> None:
        member = self._members.pop(number)
        if self.reads:
            self._selector.unregister(member)
        member.close()
        self.ended += 1

    def _run(self) -> None:
        due = time.monotonic() + 1
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.2):
                self._hear(key.data)
            if time.monotonic() >= due:
                due = time.monotonic() + 1
                for number in range(self.count):
                    self._go_on(number)

    def _hear(self, number: int) -> None:
        try:
            gone = not self._members[number].recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            gone = True
        if gone:
            self._end(number)

    def _go_on(self, number: int) -> None:
        if number not in self._members:
            self._open(number)
        elif self.drop:
            self._say(number, self.drop)
        elif self._members[number].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end(number)  # reset, and nobody was reading


def slow_heads(port: int, count: int, addresses: int = 1, *, secure: bool = False) -> Crowd:
    """A head that never ends."""
    opening = f"{_HEAD}X-Slow: ".encode
    network = 5 if secure else 1
    return Crowd(port, count, opening, b"x", secure=secure, addresses=addresses, network=network)


def slow_bodies(port: int, count: int, addresses: int = 1) -> Crowd:
    """A body of which a byte comes every second."""
    return Crowd(
        port,
        count,
        f"{_HEAD}Content-Length: 100000\r\n\r\n<a>".encode,
        b"x",
        addresses=addresses,
        network=2,
    )


def slow_handshakes(port: int, count: int, addresses: int = 1) -> Crowd:
    """The first bytes of a TLS handshake, and nothing behind them."""
    return Crowd(port, count, lambda: b"\x16\x03\x01\x02\x00\x01", addresses=addresses, network=3)


def slow_readers(port: int, count: int, signer: Signer, length: int, addresses: int = 1) -> Crowd:
    """Genuine requests whose long answers nobody reads."""

    def asked() -> bytes:
        data = signer.request("y" * length).data
        return f"{_HEAD}Content-Length: {len(data)}\r\n\r\n".encode() + data

    return Crowd(port, count, asked, reads=False, addresses=addresses, network=4)


@dataclass(frozen=True)
class Good:
    """What became of good calls: how long each took in seconds, and what went wrong."""

    seconds: list[float]
    wrong: list[str]

    def __str__(self) -> str:
        if not self.seconds:
            return f"no call succeeded; {Counter(self.wrong)}"
        times = sorted(self.seconds)
        middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
        return (
            f"{len(times)} calls, median {middle * 1000:.0f} ms, 99th of 100 {late * 1000:.0f} ms, "
            f"longest {times[-1] * 1000:.0f} ms; {dict(Counter(self.wrong))}"
        )


def good_calls(signer: Signer, ports: tuple[int, int], seconds: float, clients: int = 4) -> Good:
    """Good clients for some time: half over HTTPS, and of each half some by a new connection every time.

    Args:
        ports: of HTTP and HTTPS.
    """
    found = Good([], [])
    until = time.monotonic() + seconds

    def one(number: int) -> None:
        connection = _connection(ports, secure=bool(number % 2))
        while time.monotonic() < until:
            request = signer.request(f"call of {number}")
            begin = time.monotonic()
            try:
                connection.request("POST", PATH, request.data, {"Content-Type": "text/xml; charset=utf-8"})
                answer = connection.getresponse()
                data = answer.read()
                found.seconds.append(time.monotonic() - begin)
                if answer.status != 200 or signer.text_of(data, request) != f"call of {number}":
                    found.wrong.append(f"{answer.status}")
            except (OSError, http.client.HTTPException) as error:
                found.wrong.append(type(error).__name__)
                connection.close()
            if number % 4 >= 2:
                connection.close()
            time.sleep(0.02)
        connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _connection(ports: tuple[int, int], *, secure: bool) -> http.client.HTTPConnection:
    if not secure:
        return http.client.HTTPConnection("127.0.0.1", ports[0], timeout=20)
    return http.client.HTTPSConnection("127.0.0.1", ports[1], timeout=20, context=trusting())


@functools.cache
def trusting() -> ssl.SSLContext:
    """TLS with whoever is there."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
