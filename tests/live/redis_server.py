"""A real Redis for tests: started on loopback, on a free port, without files, and ended with the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from typing import Self

import pytest

_START_SECONDS = 10.0
_TRIES = 5


class RedisServerError(Exception):
    """The program is there but did not start."""


class RedisServer:
    """One running ``redis-server``; use it as a context manager. Ends only the process that it started.

    Args:
        settings: more settings, in the words of ``redis.conf``.
    """

    def __init__(self, **settings: str) -> None:
        self._settings = {name.replace("_", "-"): value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @staticmethod
    def available() -> str | None:
        """Why no server can run on this machine, or None when one can."""
        return None if shutil.which("redis-server") else "not installed: redis-server"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start on a free port, or again on the port of before.

        Raises:
            RedisServerError: it did not answer.
        """
        for _ in range(_TRIES):
            port = self.port or free_port()
            if self._start(port):
                self.port = port
                return
        raise RedisServerError(f"redis-server did not start in {_TRIES} tries")

    def stop(self) -> None:
        """End the process, and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _start(self, port: int) -> bool:
        settings = {"bind": "127.0.0.1", "port": str(port), "save": "", "appendonly": "no", **self._settings}
        command = ["redis-server", "-"]
        lines = "".join(f'{name} "{value}"\n' for name, value in settings.items())
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None
        with self._process.stdin as configuration:
            configuration.write(lines.encode())
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if _answers(port):
                return True
            time.sleep(0.01)
        self.stop()
        return False


def require_redis() -> None:
    """Skip the test by name where there is no server (``REQUIRE_LIVE`` makes every skip a failure)."""
    reason = RedisServer.available()
    if reason is not None:
        pytest.skip(reason)


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False
