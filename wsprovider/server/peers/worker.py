"""A gunicorn worker for a public address: threads see only requests that have come whole.

One loop owns all connections: it makes their TLS handshakes, reads heads and bodies, and sends what an
answer's reader did not take at once. None of these may last, each has its deadline, and none takes a thread.
Where room is short (connections, bytes held, connections of one address), whoever has most of it gives up
what is waiting longest, so that a newcomer is let in. Requests run in gunicorn's ``threads``, as under its
own worker ``gthread``; signals, ``max_requests`` and graceful stops work as there.
"""

import contextlib
import errno
import math
import os
import queue
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from ssl import SSLWantReadError, SSLWantWriteError
from typing import Any, Final

from gunicorn.workers.base import Worker as Base

from wsprovider.config.environment import read_environment
from wsprovider.server import log
from wsprovider.server.peers.answering import answer, error_answer
from wsprovider.server.peers.bounds import Bounds
from wsprovider.server.peers.certificate import TlsContext
from wsprovider.server.peers.connection import BadRequest, Connection, Phase
from wsprovider.server.peers.crowd import Crowd

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE
_TICK: Final = 1.0
_ACCEPTS: Final = 16
_STOP_LINGER: Final = 2.0
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_RESET: Final = struct.pack("ii", 1, 0)


class Worker(Base):  # type: ignore[misc]
    """See the module; gunicorn makes one in each worker process."""

    alive: bool
    nr: int
    bounds: Bounds = Bounds()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As gunicorn has it."""
        super().__init__(*args, **kwargs)
        self._connections = Crowd()
        self._jobs: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._listening = False
        self._looked = 0.0
        self._tls: TlsContext | None = None
        self._is_proxy: Callable[[str], bool] = lambda _address: False

    # the life of the worker -----------------------------------------------------------------------

    @classmethod
    def check_config(cls, cfg: Any, _log: Any) -> None:
        """Refuse settings of gunicorn's that this worker does not have.

        Raises:
            RuntimeError: with what to change; gunicorn prints it and does not start.
        """
        if cfg.protocol != "http" or "h2" in cfg.http_protocols:
            raise RuntimeError("this worker speaks HTTP/1.1 only: leave protocol and http_protocols alone")
        if cfg.proxy_protocol not in ("off", "v1"):
            raise RuntimeError(
                "this worker reads version 1 of the PROXY protocol only: proxy_protocol = 'v1'"
            )
        if cfg.header_map == "dangerous":
            raise RuntimeError("this worker takes no X_Name for an X-Name: header_map = 'drop' or 'refuse'")

    def load_wsgi(self) -> None:
        """Load the application and the TLS certificate; what fails here stops the start."""
        super().load_wsgi()
        self._tls = TlsContext(self.cfg) if self.cfg.is_ssl else None
        longest = getattr(self.wsgi, "longest_message", self.bounds.body_bytes)
        self.bounds = replace(
            self.bounds,
            body_bytes=longest,
            held_bytes=max(self.bounds.held_bytes, 4 * longest),
            per_address=read_environment().per_address or self.bounds.per_address,
        )
        self._is_proxy = getattr(self.wsgi, "is_proxy", self._is_proxy)

    def run(self) -> None:
        """Serve until told to stop, then finish what has begun, for ``graceful_timeout`` at most."""
        self._poller = selectors.DefaultSelector()
        self._poller.register(self.PIPE[0], READ, self._woken)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.cfg.threads)]
        for thread in threads:
            thread.start()
        self._listen(on=True)
        while self.alive and self.ppid == os.getppid():
            self._turn(_TICK)
        self._listen(on=False)
        self._finish()
        for _ in threads:
            self._jobs.put(None)
        self._poller.close()
        for listener in self.sockets:
            listener.close()

    def _finish(self) -> None:
        until = time.monotonic() + self.cfg.graceful_timeout
        while self._connections and (now := time.monotonic()) < until:
            for connection in self._connections:
                if connection.phase is Phase.IDLE or (
                    connection.phase is Phase.HEAD and not connection.incoming
                ):
                    connection.deadline = min(connection.deadline, now + _STOP_LINGER)
            self._turn(_TICK / 10)
        for connection in list(self._connections):
            self._close(connection)

    def _turn(self, patience: float) -> None:
        self.notify()
        for key, _ in self._poller.select(patience):
            key.data()
        now = time.monotonic()
        if now - self._looked < patience:
            return
        self._looked = now
        for connection in [one for one in self._connections if one.deadline <= now]:
            self._late(connection, now)
        self._listen(on=self.alive)

    def _woken(self) -> None:
        """A thread has finished, or a signal came."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)
        with contextlib.suppress(queue.Empty):
            while True:
                self._guard(self._done.get_nowait(), self._answered)

    # letting in and out ---------------------------------------------------------------------------

    def _listen(self, *, on: bool) -> None:
        if on == self._listening:
            return
        self._listening = on
        for listener in self.sockets:
            if on:
                listener.setblocking(False)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.bounds.send_buffer)
                self._poller.register(listener, READ, partial(self._accept, listener))
            else:
                self._poller.unregister(listener)

    def _accept(self, listener: Any) -> None:
        for _ in range(_ACCEPTS):
            if len(self._connections) >= self.cfg.worker_connections and not self._make_room():
                self._listen(on=False)
                return
            try:
                sock, client = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_ROOM and not self._make_room():
                    self._listen(on=False)
                return
            self._admit(sock, client, listener.getsockname())

    def _admit(self, sock: socket.socket, client: Any, server: Any) -> None:
        now = time.monotonic()
        connection = Connection(sock, client, server, now)
        same = self._connections.of(connection.source)
        full = len(same) >= self.bounds.per_address and not self._without_limit(connection)
        if full and not self._end_oldest(same):
            sock.close()
            return
        self._connections.add(connection)
        sock.setblocking(False)
        connection.enter(Phase.HEAD, now, self.bounds.head)
        if self._tls is not None:
            connection.enter(Phase.HANDSHAKE, now, self.bounds.handshake)
        self._guard(connection, self._begin)

    def _begin(self, connection: Connection) -> None:
        if self._tls is not None:
            connection.sock = self._tls.wrap(connection.sock)
        self._step(connection)  # what was sent with the connection need not wait for an event

    def _without_limit(self, connection: Connection) -> bool:
        """Proxies bring the connections of everybody."""
        return not connection.source or self._is_proxy(str(connection.client[0]))

    def _make_room(self) -> bool:
        """End a connection of whoever has most of them."""
        return any(self._end_oldest(some) for some in self._connections.largest())

    def _end_oldest(self, connections: Iterable[Connection]) -> bool:
        """End the one that waits longest, if any does without work of ours being done for it."""
        waiting = [one for one in connections if one.phase is not Phase.WORK]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda one: one.since)
        if oldest.phase is not Phase.IDLE:
            self._report(oldest, 0, f"its place was needed; it waited for: {oldest.phase.value}")
        self._close(oldest)
        return True

    def _weigh(self, connection: Connection) -> None:
        """Keep count of the bytes held; when they are too many, whoever holds most gives up some."""
        self._connections.weigh(connection)
        while self._connections.held > self.bounds.held_bytes:
            if not any(self._end_oldest(some) for some in self._connections.heaviest()):
                return

    def _close(self, connection: Connection) -> None:
        if connection.closed:
            return
        untaken = connection.phase is Phase.SEND
        self._watch(connection, 0)
        connection.phase = Phase.CLOSED
        self._connections.remove(connection)
        with contextlib.suppress(OSError):
            if untaken:  # what the other end did not take is not to stay in the kernel
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.sock.close()
        self._listen(on=self.alive)

    # one connection -------------------------------------------------------------------------------

    def _watch(self, connection: Connection, events: int) -> None:
        if events == connection.watched:
            return
        if not events:
            self._poller.unregister(connection.sock)
        elif connection.watched:
            self._poller.modify(connection.sock, events, partial(self._guard, connection, self._step))
        else:
            self._poller.register(connection.sock, events, partial(self._guard, connection, self._step))
        connection.watched = events

    def _guard(self, connection: Connection, step: Callable[[Connection], None]) -> None:
        """Do a step; whatever goes wrong is the end of this connection and of nothing else."""
        if connection.closed:
            return
        try:
            step(connection)
        except (BlockingIOError, SSLWantReadError):
            self._watch(connection, READ)
        except SSLWantWriteError:
            self._watch(connection, WRITE)
        except BadRequest as error:
            self._refuse(connection, error.status, str(error))
        except OSError:
            self._close(connection)
        except Exception as error:  # noqa: BLE001 - the loop goes on for the others
            log.failure("connection", error)
            self._close(connection)
        if not connection.closed:
            self._weigh(connection)

    def _step(self, connection: Connection) -> None:
        match connection.phase:
            case Phase.WORK:
                self._watch(connection, 0)  # what comes now waits in the kernel
            case Phase.HANDSHAKE:
                connection.sock.do_handshake()
                connection.enter(Phase.HEAD, time.monotonic(), self.bounds.head)
                self._watch(connection, READ)
            case Phase.SEND:
                self._sent(connection)
            case Phase.LINGER:
                if connection.drained(self.bounds):
                    self._close(connection)
            case _:
                self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        if not connection.receive():
            if connection.phase is Phase.BODY:
                raise BadRequest(400, "the body ended early")
            self._close(connection)
            return
        self._advance(connection)

    def _advance(self, connection: Connection) -> None:
        now = time.monotonic()
        if connection.phase is Phase.IDLE:
            connection.enter(Phase.HEAD, now, self.bounds.head)
        if not connection.complete(self.cfg, self.bounds, now):
            self._watch(connection, READ)
            return
        connection.enter(Phase.WORK, now, math.inf)
        self.nr += 1
        if self.alive and self.nr >= self.max_requests:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        self._jobs.put(connection)

    def _answered(self, connection: Connection) -> None:
        """A thread has made the answer, and sent what the client took at once."""
        now = time.monotonic()
        connection.enter(Phase.SEND, now, self.bounds.window)
        self._sent(connection)

    def _sent(self, connection: Connection) -> None:
        if not connection.flush():
            self._watch(connection, WRITE)
            return
        connection.done()
        if not connection.keep:
            self._linger(connection)
            return
        connection.enter(Phase.IDLE, time.monotonic(), self.cfg.keepalive)
        if connection.incoming:
            self._advance(connection)
        else:
            self._watch(connection, READ)

    def _linger(self, connection: Connection) -> None:
        """Close so that the last answer arrives: first our side, then the whole (RFC 9112 section 9.6)."""
        connection.incoming.clear()
        connection.enter(Phase.LINGER, time.monotonic(), self.bounds.linger)
        connection.sock.shutdown(socket.SHUT_WR)
        self._watch(connection, READ)

    def _refuse(self, connection: Connection, status: int, why: str) -> None:
        """Answer what is no request, and read nothing behind it."""
        self._report(connection, status, why)
        try:
            connection.done()
            connection.sendall(error_answer(status))
            connection.flush()
            self._linger(connection)
        except OSError:
            self._close(connection)

    def _late(self, connection: Connection, now: float) -> None:
        phase = connection.phase
        if phase in (Phase.BODY, Phase.SEND) and connection.progressed(now, self.bounds):
            return
        if phase is Phase.BODY or (phase is Phase.HEAD and connection.incoming):
            self._refuse(connection, 408, f"too slow: {phase.value}")
            return
        if phase in (Phase.SEND, Phase.HANDSHAKE):
            self._report(connection, 0, f"too slow: {phase.value}")
        self._close(connection)

    def _report(self, connection: Connection, status: int, why: str) -> None:
        log.connection(connection.source, status, why)

    def _work(self) -> None:
        """What a thread does."""
        while (connection := self._jobs.get()) is not None:
            answer(connection, self, self.bounds)
            self._done.put(connection)
            with contextlib.suppress(OSError):
                os.write(self.PIPE[1], b".")
