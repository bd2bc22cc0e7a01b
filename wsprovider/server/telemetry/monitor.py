"""A process beside the workers that tells of all of them: ``/metrics``, ``/healthz`` and ``/readyz`` on a bind of its own.

It is a child of gunicorn's master, made before the workers, and ends with it. It never serves a message, and no
worker waits for it. A bind that is taken is told once in the log and tried again until it is free: a deployment
that takes over from another one finds it free in the end, and the services do not depend on it.
"""

import ctypes
import os
import signal
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol

from wsprovider.config.monitor import Monitor
from wsprovider.server import log
from wsprovider.server.endpoint import Reply

TRIED: Final = 5.0
"""Seconds between two attempts to take a bind."""

_TICK: Final = 1.0
_PATIENCE: Final = 10.0
_AT_A_TIME: Final = 16
_PR_SET_PDEATHSIG: Final = 1
_SIGNALS: Final = (
    *(signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH, signal.SIGCHLD),
)

Answer = Callable[[str], Reply | None]
"""What is answered at a path; None: there is nothing."""


class Listener(Protocol):
    """A socket of the services."""

    def close(self) -> None:
        """Leave it to the others."""
        ...


def start(bind: Monitor, answer: Answer, listeners: Iterable[Listener], settle: Callable[[], None]) -> int:
    """Make the process.

    Args:
        listeners: sockets of the services, which it lets go of.
        settle: called in it, first; makes it the user that workers are.

    Returns:
        Its id.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        settle()
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the master's to act on
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        for listener in listeners:
            listener.close()
        serve(bind, answer, lambda: os.getppid() == parent)
    except Exception as error:  # noqa: BLE001 - the services go on without it
        log.failure("monitor", error)
    os._exit(0)


def serve(bind: Monitor, answer: Answer, wanted: Callable[[], bool]) -> None:
    """Answer for as long as it is wanted."""
    server = _bound(bind, answer, wanted)
    if server is None:
        return
    with server:
        server.timeout = _TICK
        while wanted():
            server.handle_request()


def _bound(bind: Monitor, answer: Answer, wanted: Callable[[], bool]) -> "_Server | None":
    """A server at that bind, as soon as it can be had."""
    said, due = False, time.monotonic()
    while wanted():
        if time.monotonic() < due:
            time.sleep(_TICK / 4)
            continue
        try:
            return _Server(bind, answer)
        except OSError as error:
            due = time.monotonic() + TRIED
            if not said:
                log.start.warning("%s", log.sentence(_taken(bind, error)))
            said = True
    return None


def _taken(bind: Monitor, error: OSError) -> str:
    return (
        f"monitor: {bind} cannot be bound ({error.strerror or error}); it is tried again, and the services go on. "
        "Another deployment may have it: name another bind in WSPROVIDER_MONITOR or in [monitor] of provider.toml, or off"
    )


class _Server(ThreadingHTTPServer):
    """Bounded: whoever comes while so many are being answered is turned away."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, bind: Monitor, answer: Answer) -> None:
        self.address_family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
        self.answer = answer
        self._room = threading.BoundedSemaphore(_AT_A_TIME)
        super().__init__((bind.host, bind.port), _Handler)

    def server_bind(self) -> None:
        """Without asking DNS for the host's name, as the standard library does."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, if there is room."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The whole of one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0: one request a connection, with a deadline for each wait."""

    timeout = _PATIENCE
    server: _Server

    def do_GET(self) -> None:
        """Answer."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer without the content."""
        self._answer(body=False)

    def version_string(self) -> str:
        """What is told of us."""
        return "wsprovider"

    def log_message(self, *_: Any) -> None:
        """Requests for metrics are no news."""

    def _answer(self, *, body: bool) -> None:
        reply = self.server.answer(self.path.partition("?")[0])
        if reply is None:
            reply = Reply(404, "text/plain; charset=utf-8", b"Here are /metrics, /healthz and /readyz.\n")
        self.send_response(reply.status)
        headers = (
            ("Content-Type", reply.content_type),
            ("Content-Length", str(len(reply.data))),
            *reply.headers,
        )
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(reply.data)
