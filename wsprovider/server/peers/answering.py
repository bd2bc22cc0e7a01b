"""A whole request's way through the application, in a thread: what gunicorn's own workers do between two waits.

PEP 3333. The answer is handed to the connection, which sends at once what its reader takes; the rest is the
loop's to send.
"""

import select
import ssl
import time
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from gunicorn.http import wsgi

from wsprovider.server import log
from wsprovider.server.peers.bounds import Bounds
from wsprovider.server.peers.connection import Connection

_LAST: Final = frozenset({400, 411, 413})
"""Statuses that leave a doubt where the next request begins."""


def answer(connection: Connection, worker: Any, bounds: Bounds) -> None:
    """Have the application answer; afterwards ``connection.keep`` says whether another request may follow.

    Args:
        worker: gunicorn's, for its application, settings, log and state.
    """
    try:
        _answer(connection, worker, bounds)
    except (ConnectionError, TimeoutError, ssl.SSLError):
        connection.keep = False  # the client is gone: the loop will see it
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an application's own, or a hook's
        log.failure("application", error)
        connection.keep = False


def error_answer(status: int) -> bytes:
    """An answer without a word of the request."""
    phrase = HTTPStatus(status).phrase
    return f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()


def _answer(connection: Connection, worker: Any, bounds: Bounds) -> None:
    cfg, request = worker.cfg, connection.request
    environ: dict[str, Any] = {}
    response: Any = None
    begin = datetime.now()  # noqa: DTZ005 - what gunicorn's access log wants
    try:
        cfg.pre_request(worker, request)
        response, environ = wsgi.create(request, connection.sock, connection.client, connection.server, cfg)
        response.sock = connection
        environ.pop("wsgi.early_hints", None)  # would write past the answer
        environ |= {"wsgi.input": connection.stream(), "wsgi.multithread": True}
        if not (worker.alive and cfg.keepalive and connection.whole):
            response.force_close()
        _respond(connection, response, worker.wsgi(environ, response.start_response), bounds)
        connection.keep = not response.should_close()
        worker.log.access(response, request, environ, datetime.now() - begin)  # noqa: DTZ005
    except (Exception, SystemExit):
        if response is None or not response.headers_sent:
            connection.sendall(error_answer(500))
        raise
    finally:
        cfg.post_request(worker, request, environ, response)


def _respond(connection: Connection, response: Any, blocks: Iterable[bytes], bounds: Bounds) -> None:
    until = time.monotonic() + bounds.message
    try:
        for block in blocks:
            _make_way(connection, bounds, until)
            if response.status_code in _LAST:
                response.force_close()
            response.write(block)
            connection.flush()
        response.close()
        connection.flush()
    finally:
        if hasattr(blocks, "close"):
            blocks.close()


def _make_way(connection: Connection, bounds: Bounds, until: float) -> None:
    """Before another block, wait while more is left of those before it than is worth holding.

    An answer of one block, and so every answer of ours, never waits.
    """
    while connection.owes > bounds.body_bytes and not connection.flush():
        poll = select.poll()
        poll.register(connection.sock, select.POLLOUT)
        if not poll.poll(bounds.window * 1000) or time.monotonic() > until:
            raise TimeoutError("too slow: taking of the answer")
