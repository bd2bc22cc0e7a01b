"""One connection: bytes in, whole requests out; answers in, bytes out; and never a wait.

The head of a request is read by gunicorn's parser, and where its body ends is decided here once: the
application gets the bytes themselves, so nobody behind can see another end (RFC 9112 section 11.2). What
follows the end of a request is the next one, served when the answer before it has been sent (section 9.3.2);
after anything that is in doubt nothing more is read as a request.
"""

import io
import math
import ssl
from enum import Enum
from typing import Any, Final

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    UnsupportedTransferCoding,
)
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from wsprovider.server.peers.bounds import Bounds, source
from wsprovider.server.peers.chunks import Chunks, NotChunked

_BLOCK: Final = 65_536
_END: Final = b"\r\n\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUSES: Final = (
    (LimitRequestLine, 414),
    (ExpectationFailed, 417),
    (LimitRequestHeaders, 431),
    (UnsupportedTransferCoding, 501),
)


class Phase(Enum):
    """What a connection is waiting for; the value is told to operators."""

    HANDSHAKE = "TLS handshake"
    IDLE = "next request"
    HEAD = "request head"
    BODY = "request body"
    WORK = "answer of the service"
    SEND = "taking of the answer"
    LINGER = "end"
    CLOSED = "nothing"


class BadRequest(Exception):
    """What came is no request, and nothing that follows it can be one.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Connection:
    """The state of one connection; used by the loop, and between two of its steps by one thread.

    Attributes:
        sock: does not block; an ``SSLSocket`` where the server has TLS.
        client, server: both ends, as ``accept`` and ``getsockname`` say them.
        source: whose connection it is, see :func:`~wsprovider.server.peers.bounds.source`.
        since: when this phase began.
        deadline: when the present phase ends at the latest, or its progress is looked at.
        request: gunicorn's, once its head has come.
        body: of that request.
        whole: ``body`` is all of it; otherwise it was too long, and the rest was not read.
        keep: another request may follow.
        watched: the events that the loop waits for.
    """

    __slots__ = (
        "_chunks",
        "_moved",
        "_number",
        "_outgoing",
        "_sent",
        "body",
        "client",
        "deadline",
        "held",
        "incoming",
        "keep",
        "phase",
        "request",
        "server",
        "since",
        "sock",
        "source",
        "watched",
        "whole",
    )

    def __init__(self, sock: Any, client: Any, server: Any, now: float) -> None:
        """Begin with nothing said.

        Args:
            now: the monotonic clock's.
        """
        self.sock, self.client, self.server = sock, client, server
        self.source = source(client)
        self.incoming = bytearray()
        self.request: Any = None
        self.body = b""
        self.whole = True
        self.keep = False
        self.watched = 0
        self.held = 0
        self._outgoing = bytearray()
        self._sent = 0
        self._moved = 0
        self._number = 0
        self._chunks: Chunks | None = None
        self.phase, self.since, self.deadline = Phase.HEAD, now, math.inf

    def enter(self, phase: Phase, now: float, seconds: float) -> None:
        """Begin to wait for something else."""
        self.phase, self.since, self.deadline = phase, now, now + seconds
        self._moved = self.moved

    def progressed(self, now: float, bounds: Bounds) -> bool:
        """At the deadline of a body or an answer: whether it may go on, to another deadline."""
        moved = self.moved
        if moved - self._moved < bounds.window_bytes or now - self.since >= bounds.message:
            return False
        self._moved = moved
        self.deadline = now + bounds.window
        return True

    @property
    def closed(self) -> bool:
        """Nothing more is done with it."""
        return self.phase is Phase.CLOSED

    @property
    def moved(self) -> int:
        """How far the present body or answer is, in bytes."""
        if self.phase is Phase.SEND:
            return self._sent
        return len(self.incoming) + (len(self._chunks.data) if self._chunks is not None else 0)

    @property
    def weight(self) -> int:
        """Bytes that are held for this connection."""
        chunks = len(self._chunks.data) if self._chunks is not None else 0
        return len(self.incoming) + chunks + len(self.body) + len(self._outgoing)

    def receive(self) -> bool:
        """Take in what has come.

        Returns:
            False at the end of the stream.

        Raises:
            BlockingIOError, SSLWantReadError, SSLWantWriteError: nothing yet.
            OSError: the connection is gone.
        """
        data = self.sock.recv(_BLOCK)
        if not data:
            return False
        self.incoming += data
        pending = getattr(self.sock, "pending", None)  # decrypted already: no event will tell of it
        while pending is not None and (ready := pending()):
            self.incoming += self.sock.recv(ready)
        return True

    def drained(self, bounds: Bounds) -> bool:
        """After the last answer, let go what still comes; whether that is enough."""
        data = self.sock.recv(_BLOCK)
        self._sent += len(data)
        return not data or self._sent > bounds.linger_bytes

    def complete(self, cfg: Any, bounds: Bounds, now: float) -> bool:
        """Make a request of what has come, once all of it is there.

        Args:
            cfg: gunicorn's settings.

        Returns:
            Whether there is one: ``request``, ``body`` and ``whole`` tell of it.

        Raises:
            BadRequest: there never will be.
        """
        if self.phase is Phase.HEAD:
            end = self.incoming.find(_END) + len(_END)
            if end < len(_END) or end > bounds.head_bytes:
                if len(self.incoming) > bounds.head_bytes:
                    raise BadRequest(431, "the head is too long")
                if self.incoming.count(b"\n") == self.incoming.count(b"\r\n"):
                    return False
                end = len(self.incoming)
            self._begin(bytes(self.incoming[:end]), cfg, bounds, now)
        return self._body(bounds)

    def _begin(self, head: bytes, cfg: Any, bounds: Bounds, now: float) -> None:
        """Read a head that is complete, or cannot be completed."""
        self._number += 1
        unreader = IterUnreader((head,))
        try:
            request = Request(cfg, unreader, self.client, self._number)
        except Exception as error:
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
            raise BadRequest(status, type(error).__name__) from error
        if unreader.take_buffered():
            raise BadRequest(400, "the head has two ends")
        del self.incoming[: len(head)]
        self.request, self.whole, self.keep = request, True, False
        self._chunks = Chunks(bounds.body_bytes) if isinstance(request.body.reader, ChunkedReader) else None
        self.enter(Phase.BODY, now, bounds.window)
        if request._expected_100_continue:
            request._expected_100_continue = False  # gunicorn would say it when the body is there already
            if not self.incoming and (self._chunks or self._length <= bounds.body_bytes):
                self.sock.send(_CONTINUE)

    @property
    def _length(self) -> int:
        length: int = self.request.body.reader.length
        return length

    def _body(self, bounds: Bounds) -> bool:
        if self._chunks is not None:
            try:
                if not self._chunks.feed(self.incoming):
                    return False
                if self._chunks.trailer:
                    self.request.parse_headers(self._chunks.trailer, from_trailer=True)
            except NotChunked as error:
                raise BadRequest(400, str(error)) from error
            except Exception as error:
                raise BadRequest(400, type(error).__name__) from error
            self.body, self.whole = bytes(self._chunks.data), not self._chunks.too_long
            self._chunks = None
            return True
        length = self._length
        if length > bounds.body_bytes:
            self.body, self.whole = b"", False
            return True
        if len(self.incoming) < length:
            return False
        self.body = bytes(memoryview(self.incoming)[:length])
        del self.incoming[:length]
        return True

    def stream(self) -> io.BytesIO:
        """``wsgi.input``."""
        return io.BytesIO(self.body) if self.whole else Cut(self.body)

    def sendall(self, data: bytes) -> None:
        """Take a part of the answer; what gunicorn's Response writes to."""
        self._outgoing += data

    @property
    def owes(self) -> int:
        """Bytes of the answer that are not yet sent."""
        return len(self._outgoing)

    def flush(self) -> bool:
        """Send what the other end takes; whether that is all.

        Raises:
            OSError: the connection is gone.
        """
        while self._outgoing:
            try:
                # a TLS record that could not be written has to be offered again, no shorter
                sent = self.sock.send(memoryview(self._outgoing)[:_BLOCK])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            self._sent += sent
            del self._outgoing[:sent]
        return True

    def done(self) -> None:
        """Forget the request and its answer."""
        self.request, self.body = None, b""
        self._sent = 0


class Cut(io.BytesIO):
    """The beginning of a body that is too long; whoever reads beyond it learns so."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As much as was asked for, or nothing at all.

        Raises:
            ConnectionError: there would be more, and it was not read.
        """
        data = super().read(size)
        if size is None or size < 0 or len(data) < size:
            raise ConnectionError("the body is longer than this server reads")
        return data
