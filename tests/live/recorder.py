"""A listener in a client's way: it keeps what foreign clients send, and passes on what it is told to.

What it holds back never reached the service, so it may be bent, sent, and at last be accepted as it was.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

_KEPT = ("content-type", "soapaction")


@dataclass(frozen=True)
class Held:
    """A request as a client sent it; its headers are those that matter to SOAP."""

    path: str
    headers: dict[str, str]
    data: bytes


class Recorder:
    """Listens on loopback for plain HTTP and for TLS; use it as a context manager.

    Attributes:
        held: what was kept back, in the order of its coming.
    """

    def __init__(self, base: str, tls: Path) -> None:
        """Take the service's base URL, to pass requests on to, and the folder of its TLS key."""
        self.held: list[Held] = []
        self._base = urlsplit(base)
        self._passing = False
        self._plain = _listener(self)
        self._secure = _listener(self)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "server.cert.pem", tls / "server.key.pem")
        self._secure.socket = context.wrap_socket(self._secure.socket, server_side=True)

    def __enter__(self) -> Self:
        for server in (self._plain, self._secure):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._plain, self._secure):
            server.shutdown()
            server.server_close()

    def url(self, path: str, *, secure: bool = False) -> str:
        """Where a client is to send."""
        server = self._secure if secure else self._plain
        return f"http{'s' if secure else ''}://localhost:{server.server_address[1]}{path}"

    def caught(self, call: Callable[..., object], *, opening: bool, session: str) -> Held:
        """The message of a client's call.

        Args:
            opening: let a first call through, which opens the conversation that the second one goes on with.
            session: by which the client knows that both are one conversation.
        """
        more: dict[str, object] = {"session": session} if opening else {}
        if opening:
            self._passing = True
            try:
                call(**more)
            finally:
                self._passing = False
        said = call(**more)
        assert self.held, said
        return self.held.pop()

    def take(self, request: Held) -> tuple[int, str, bytes]:
        """What to answer."""
        if not self._passing:
            self.held.append(request)
            return 503, "text/plain", b"held back\n"
        connection = http.client.HTTPConnection(str(self._base.hostname), self._base.port, timeout=60)
        try:
            connection.request("POST", request.path, request.data, request.headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()


def _listener(recorder: Recorder) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers = {name: value for name in _KEPT if (value := self.headers.get(name)) is not None}
            status, content_type, data = recorder.take(Held(self.path, headers, self._body()))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _body(self) -> bytes:
            if "content-length" in self.headers:
                return self.rfile.read(int(self.headers["content-length"]))
            blocks = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                blocks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(blocks)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server
