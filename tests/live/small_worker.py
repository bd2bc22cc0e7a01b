"""Our worker with small bounds, and an application that is none of ours: for gunicorn to load."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wsprovider.server.peers.bounds import Bounds
from wsprovider.server.peers.worker import Worker

SMALL = Bounds(
    handshake=1.0,
    head=1.0,
    window=1.0,
    window_bytes=1_000,
    message=6.0,
    linger=1.0,
    body_bytes=1_000_000,
    held_bytes=3_000_000,
)


class SmallWorker(Worker):
    """A few connections, a few seconds, a few bytes."""

    bounds = SMALL

    def load_wsgi(self) -> None:
        """Keep to what is small, whatever the application says."""
        super().load_wsgi()
        self.bounds = replace(self.bounds, held_bytes=SMALL.held_bytes)


def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """Say how long the body is; or fail, take time, say much, as the path has it."""
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise ZeroDivisionError("on purpose")
    if path == "/sleep":
        time.sleep(1)
    if path == "/unread":
        start_response("200 OK", [("Content-Length", "0")])
        return iter(())
    length = len(environ["wsgi.input"].read())
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (b"x" * 100_000 for _ in range(100))
    data = f"{length}".encode()
    start_response("200 OK", [("Content-Length", str(len(data)))])
    return iter((data,))
