"""Genuine messages, captured before they arrive and then sent again and again; both sides count what becomes of them.

The service leaves one line for each execution, so that nobody has to believe the answers. The senders are processes
with threads that keep their connections, as cheap as they can be, so that the servers are what is busy.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from lxml import etree

from tests.live.conversing import Conversation, client_keys
from tests.live.provider import ROOT, ProviderProcess
from wsprovider.exchange.initiator import Initiator
from wsprovider.exchange.session import Session
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11
from wsprovider.words import namespaces as ns

COUNTED = "urn:wsprovider:echo"
"""The namespace that the Java peers speak."""
KINDS = ("1", "2", "3", "4", "5", "7", "8", "10", "14", "15")
"""Scenarios whose messages are captured; in 1 and 7 alice proves a digest, in 10 and 14 nothing signs the Body."""
DIGESTS = ("1", "7")
PROCESSES, CONNECTIONS = 2, 8
SENDERS = PROCESSES * CONNECTIONS
_SERVICE = '''\
"""Answers with the text that it was told, and writes down that it did."""

import os

from spyne import ServiceBase, Unicode, rpc


class Counted(ServiceBase):
    @rpc(Unicode, _returns=Unicode, _out_variable_name="text")
    def echo(ctx, text):
        file = os.open(os.environ["EXECUTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{text} {os.getpid()}\\n".encode())
        os.close(file)
        return text
'''
_CONNECTION_LIFE = 100
_PATIENCE = 30.0


def write_services(folder: Path, process: str = "") -> None:
    """The counted service, once for each kind at ``/counted/<number>``.

    Args:
        process: lines for ``provider.toml``.
    """
    counted = folder / "counted"
    counted.mkdir(parents=True)
    (counted / "service.py").write_text(_SERVICE)
    lines = [
        f'namespace = "{COUNTED}"',
        'ring = "service"',
        'trust = ["clients"]',
        'users = "users.toml"',
        "clear_password_over_http = true",
    ]
    for kind in KINDS:
        lines += ["", "[[endpoint]]", f'path = "/counted/{kind}"', f'scenario = "{kind}"']
    (counted / "service.toml").write_text("\n".join(lines) + "\n")
    (folder / "provider.toml").write_text(f'trusted_proxies = ["127.0.0.1"]\n{process}\n')
    shutil.copy(ROOT / "wsgi.py", folder.parent / "wsgi.py")


class Site:
    """Machines that serve the counted service and share a store and keys; use it as a context manager.

    Attributes:
        machines: one for each store URL that was given; the store may be the same.
    """

    def __init__(
        self, folder: Path, store: str = "", *, machines: int = 1, workers: int = 4, process: str = ""
    ) -> None:
        self.folder = folder
        self._executions = folder / "executions"
        self._executions.touch()
        self._workers = workers * machines
        self._store = store or f"sqlite:///{folder / 'shared.sqlite3'}"
        process = f'shared = "{self._store}"\n{process}'
        write_services(folder / "services", process)
        environ = {"EXECUTIONS": str(self._executions)}
        self.machines = [
            ProviderProcess(
                folder / str(number), services=folder / "services", workers=workers, environ=environ
            )
            for number in range(machines)
        ]
        for machine in self.machines:
            machine.folder.mkdir()
            machine.keys = folder / "keys"

    def __enter__(self) -> Self:
        for machine in self.machines:
            machine.__enter__()
        deadline = time.monotonic() + _PATIENCE
        while len(self.workers()) < self._workers and time.monotonic() < deadline:
            time.sleep(0.05)
        self._since = [machine.logged() for machine in self.machines]
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines:
            machine.__exit__()

    @property
    def ports(self) -> list[int]:
        """Of the HTTP listeners."""
        return [int(machine.http.rpartition(":")[2]) for machine in self.machines]

    def workers(self) -> list[int]:
        """Process ids of all workers that answer over HTTP."""
        return [worker for machine in self.machines for worker in machine.http_workers()]

    def executions(self) -> tuple[Counter[str], set[str]]:
        """How often the service carried out what, and in which processes."""
        pairs = [line.split(" ") for line in self._executions.read_text().splitlines()]
        return Counter(text for text, _ in pairs), {process for _, process in pairs}

    def mark(self) -> None:
        """Forget the log's lines up to now."""
        self._since = [machine.logged() for machine in self.machines]

    def reasons(self) -> Counter[str | None]:
        """What the logs say became of requests since the mark; None: answered."""
        lines = [
            line
            for machine, since in zip(self.machines, self._since, strict=True)
            for line in machine.requests(since)
        ]
        return Counter(line["reason"] for line in lines)


# capturing ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Captured:
    """A message that was not delivered yet.

    Attributes:
        name: what it asks the service to say, and nothing else does.
        kind: its scenario, and who made it.
        request: the whole HTTP request.
    """

    name: str
    kind: str
    request: bytes


def capture(site: Site, kinds: Sequence[str], count: int, name: str = "first") -> list[Captured]:
    """So many messages of each kind, made by clients of ours; those of conversations belong to one each."""
    keys = client_keys(site.folder / "keys")
    found = []
    for kind in kinds:
        caller = _caller(site, keys, kind)
        for number in range(count):
            text = f"{name}-{kind}-{number}"
            body = etree.Element(f"{{{ns.SOAP11}}}Body", nsmap={"m": COUNTED})
            payload = etree.SubElement(body, f"{{{COUNTED}}}echo")
            etree.SubElement(payload, f"{{{COUNTED}}}text").text = text
            data = caller.request(body, version=SOAP_11).data
            found.append(Captured(text, kind, _http(f"/counted/{kind}", data)))
    return found


def _caller(site: Site, keys: RingSnapshot, kind: str) -> Initiator | Session:
    row = find(kind)
    if row.slug.startswith("conversation-"):
        conversation = Conversation(keys, site.machines[0].url(f"/counted/{kind}"), row.slug)
        conversation.open()
        conversation.close()
        return conversation.session
    return Initiator(
        row.policy(),
        row.slug,
        keys=lambda: keys,
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        credentials=Credentials("alice", "development", digest=kind in DIGESTS),
        partner="service",
    )


def _http(path: str, data: bytes, content_type: str = "text/xml; charset=utf-8") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f'SOAPAction: "{COUNTED}/echo"\r\nX-Forwarded-Proto: {"https" if path.endswith("/1") else "http"}\r\n'
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if "Content-Length" in request.headers:
        return request.rfile.read(int(request.headers["Content-Length"]))
    chunks = []
    while size := int(request.rfile.readline().partition(b";")[0], 16):
        chunks.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(chunks)


class Recorder:
    """Stands in a client's way: keeps what it sends, and delivers nothing. Use it as a context manager."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, str, bytes]] = []
        recorded = self.recorded

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = _body(self)
                recorded.append((self.path, self.headers["Content-Type"], data))
                self.send_error(502)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def captured(self, names: Sequence[str]) -> list[Captured]:
        """What was recorded, in order, under its names."""
        return [
            Captured(name, path, _http(path, data, content_type))
            for name, (path, content_type, data) in zip(names, self.recorded, strict=True)
        ]


# sending ------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What the senders have seen.

    Attributes:
        accepted: how often which message was answered by something other than a fault.
        faults: by their bytes.
        cut: how often a connection ended before the answer to which message.
    """

    sends: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    faults: Counter[bytes] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.sends + other.sends,
            self.accepted + other.accepted,
            self.faults + other.faults,
            self.cut + other.cut,
        )


def send(ports: Sequence[int], messages: Sequence[Captured], copies: int, seed: int = 1) -> Tally:
    """Send each message that often: first all senders the same one at a time, then each whichever comes.

    Args:
        ports: of machines; a connection goes to any of them.
        copies: of each message; at least one for each of the :data:`SENDERS`.
    """
    assert copies >= SENDERS
    random_sends = len(messages) * (copies - SENDERS) // SENDERS
    jobs = [(list(ports), list(messages), random_sends, seed * PROCESSES + n) for n in range(PROCESSES)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        return sum(pool.starmap(_send, jobs), Tally())


def send_once(ports: Sequence[int], messages: Sequence[Captured]) -> Tally:
    """Each message once, over one connection."""
    sender = _Sender(ports, random.Random(0))
    for message in messages:
        sender.send(message)
    sender.close()
    return sender.seen


def _send(ports: list[int], messages: list[Captured], random_sends: int, seed: int) -> Tally:
    """One process's share."""
    senders = [_Sender(ports, random.Random(seed * 1000 + number)) for number in range(CONNECTIONS)]
    together = threading.Barrier(CONNECTIONS)
    threads = [threading.Thread(target=one.run, args=(messages, random_sends, together)) for one in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum((one.seen for one in senders), Tally())


class _Sender:
    """One connection after the other."""

    def __init__(self, ports: Sequence[int], chance: random.Random) -> None:
        self._ports, self._chance = ports, chance
        self._socket: socket.socket | None = None
        self._left = 0
        self.seen = Tally()

    def run(self, messages: Sequence[Captured], random_sends: int, together: threading.Barrier) -> None:
        for message in messages:
            together.wait(_PATIENCE)
            self.send(message)
        for _ in range(random_sends):
            self.send(self._chance.choice(messages))
        self.close()

    def send(self, message: Captured) -> None:
        self.seen.sends += 1
        try:
            status, body = self._exchange(message.request)
        except OSError:
            self.seen.cut[message.name] += 1
            self.close()
            return
        if status == 200:
            self.seen.accepted[message.name] += 1
        else:
            self.seen.faults[body] += 1
        self._left -= 1
        if self._left <= 0:  # to come to another worker
            self.close()

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket = None

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            port = self._chance.choice(self._ports)
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._left = self._chance.randrange(1, 2 * _CONNECTION_LIFE)
        self._socket.sendall(request)
        data = self._more(b"")
        while b"\r\n\r\n" not in data:
            data = self._more(data)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        while len(body) < length:
            body = self._more(body)
        if b"connection: close" in lines:
            self._left = 0
        return int(head[9:12]), body

    def _more(self, data: bytes) -> bytes:
        assert self._socket is not None
        received = self._socket.recv(65_536)
        if not received:
            raise ConnectionResetError
        return data + received
