"""HTTP by hand: bytes as they are over a socket of our own, and the answers that come back."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import Self

from tests.live.slow_peers import trusting

_QUIET = 0.4


@dataclass(frozen=True)
class Answer:
    """One answer: status, header fields in lower case, body."""

    status: int
    fields: dict[str, str]
    body: bytes


class Wire:
    """One connection to the server; a context manager."""

    def __init__(self, port: int, *, secure: bool = False) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        if secure:
            self._sock = trusting().wrap_socket(self._sock)
        self._got = b""
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def send(self, data: bytes) -> None:
        """All of it; the server may have closed already."""
        try:
            self._sock.sendall(data)
        except OSError:
            self.closed = True

    def receive(self, size: int) -> None:
        """Take in up to so many bytes."""
        self._got += self._sock.recv(size)

    @property
    def received(self) -> int:
        """Bytes taken in and not yet asked for."""
        return len(self._got)

    def certificate(self) -> bytes:
        """The server's, in DER."""
        assert isinstance(self._sock, ssl.SSLSocket)
        found = self._sock.getpeercert(binary_form=True)
        assert found is not None
        return found

    def half_close(self) -> None:
        """Say that nothing more will come."""
        self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Be gone without a word."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def answers(self, count: int | None = None, patience: float = 20) -> list[Answer]:
        """So many answers; without a number, all until the server closes or is quiet for a while."""
        found: list[Answer] = []
        deadline = time.monotonic() + patience
        while count is None or len(found) < count:
            answer = self._next()
            if answer is not None:
                found.append(answer)
                continue
            # an answer is waited for; what may not come at all, only briefly
            waits = deadline - time.monotonic() if count is not None or not found else _QUIET
            if not self._more(max(waits, 0.01)):
                break
        return found

    def _more(self, patience: float) -> bool:
        self._sock.settimeout(patience)
        try:
            data = self._sock.recv(1 << 20)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        self.closed = not data
        self._got += data
        return bool(data)

    def _next(self) -> Answer | None:
        head, end, rest = self._got.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        found = re.fullmatch(r"HTTP/1\.[01] (\d{3}) .*", first)
        assert found is not None, first
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = 0 if found[1] == "100" else int(fields["content-length"])
        if len(rest) < length:
            return None
        self._got = rest[length:]
        return Answer(int(found[1]), fields, rest[:length])


def exchange(port: int, data: bytes, *, secure: bool = False) -> list[Answer]:
    """Everything that is answered to bytes."""
    with Wire(port, secure=secure) as wire:
        wire.send(data)
        return wire.answers()
