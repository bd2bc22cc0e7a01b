"""What is sent and what comes back: one HTTP request after the other, each on a connection of its own (RFC 9112).

No redirect is followed and no proxy asked: what is sent goes to the host that the operator named, or nowhere.
"""

import contextlib
import http.client
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from wsprovider.words.errors import WsproviderError

_ANSWER_BYTES: Final = 4_000_000
_SECONDS: Final = 30.0
_CONTENT_TYPE: Final = "text/xml; charset=utf-8"


class Lost(WsproviderError):
    """No answer came: the connection was refused, broken off, or silent for too long."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One HTTP request.

    Attributes:
        headers: all of them but Host, as they will be sent; a name may come twice.
        query: behind the path, with its question mark.
    """

    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...]
    method: str = "POST"
    query: str = ""

    def but(self, **headers: str | None) -> "Letter":
        """The same with other headers; ``_`` in a name stands for ``-``, None takes one away."""
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        kept = [pair for pair in self.headers if pair[0].lower() not in named]
        more = [(name, value) for name, value in named.items() if value is not None]
        return replace(self, headers=(*kept, *more))


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response.

    Attributes:
        content_type: as it came.
        seconds: from the first byte sent to the last one received, without connecting.
    """

    status: int
    content_type: str
    body: bytes
    seconds: float = field(default=0.0, compare=False)


Post = Callable[[Letter], Answer]
"""Sends a letter.

Raises:
    Lost: nothing came back.
"""


def letter(message: bytes, action: str) -> Letter:
    """A SOAP 1.1 message as it is usually sent (SOAP 1.1, section 6)."""
    headers = (
        ("Content-Type", _CONTENT_TYPE),
        ("SOAPAction", f'"{action}"'),
        ("Content-Length", str(len(message))),
    )
    return Letter(message, headers)


class Line:
    """The way to one address; at most so many requests a second."""

    def __init__(
        self, url: str, tls: ssl.SSLContext | None, *, rate: float, authorization: str | None = None
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: absolute, http or https.
            tls: verifies the service's certificate.
            rate: requests a second, at most.
            authorization: header that goes with each request, where the policy has HTTP Basic.
        """
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._target, self._named = parts.path or "/", parts.netloc
        self._tls = tls if parts.scheme == "https" else None
        self._always = () if authorization is None else (("Authorization", authorization),)
        self._pause, self._next = 1 / rate, 0.0
        self.secure = parts.scheme == "https"
        self.sent = 0

    def post(self, sent: Letter) -> Answer:
        """Send one, and wait for the answer.

        Raises:
            Lost: there was none.
        """
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._pause
        self.sent += 1
        connection = self._connection()
        try:
            connection.connect()
            return self._exchange(connection, sent)
        except (OSError, http.client.HTTPException) as error:
            raise Lost(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=_SECONDS, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)

    def _exchange(self, connection: http.client.HTTPConnection, sent: Letter) -> Answer:
        started = time.perf_counter()
        connection.putrequest(
            sent.method, f"{self._target}{sent.query}", skip_host=True, skip_accept_encoding=True
        )
        always = (("Host", self._named), ("Connection", "close"), *self._always)
        for name, value in (*always, *sent.headers):
            connection.putheader(name, value)
        # refused before all of it was read: the answer may be there all the same
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(sent.body)
        answer = connection.getresponse()
        body = answer.read(_ANSWER_BYTES)
        seconds = time.perf_counter() - started
        return Answer(answer.status, answer.getheader("Content-Type", ""), body, seconds)
