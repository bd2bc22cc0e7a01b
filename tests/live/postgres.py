"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on loopback, ended with the test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

_PATIENCE = 30.0
_USER = "postgres"
_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Postgres:
    """One running ``postgres``; use it as a context manager. Ends only the process that it started.

    Root may not run it, so that it runs as Debian's user postgres there.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.port = 0

    @staticmethod
    def available() -> str | None:
        """Why none can run on this machine, or None when one can."""
        missing = [name for name in ("initdb", "postgres") if _program(name) is None]
        return f"not installed: {', '.join(missing)}" if missing else None

    @property
    def url(self) -> str:
        """Where it answers: an empty database, as SQLAlchemy has them."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/postgres"

    def fresh(self) -> str:
        """The URL of one more empty database."""
        self._databases += 1
        name = f"fresh{self._databases}"
        import psycopg  # an extra

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{self.url.rpartition('/')[0]}/{name}"

    def __enter__(self) -> Self:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        folder.chmod(0o777)
        data = folder / "data"
        try:
            self._run(
                "initdb", "-D", data, "-A", "trust", "-U", _USER, "-E", "UTF8", "--locale=C.UTF-8", "-N"
            )
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self.port = int(probe.getsockname()[1])
            settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder, **_FAST}
            options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
            with (folder / "log").open("wb") as log:
                self._process = subprocess.Popen(
                    _command("postgres", "-D", data, "-p", self.port, *options),
                    cwd=folder,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            self._wait(folder)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)  # does not wait for connections that somebody left open
            process.wait(_PATIENCE)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            _command(program, *arguments), cwd=self._folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def _wait(self, folder: Path) -> None:
        deadline = time.monotonic() + _PATIENCE
        while b"ready to accept connections" not in (log := (folder / "log").read_bytes()):
            assert self._process is not None
            assert self._process.poll() is None, log.decode()
            assert time.monotonic() < deadline, log.decode()
            time.sleep(0.05)


def _program(name: str) -> str | None:
    """Debian keeps each version's programs in a folder of its own."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((str(folder / name) for folder in folders[::-1] if (folder / name).exists()), None) or (
        shutil.which(name)
    )


def _command(program: str, *arguments: object) -> list[str]:
    """A process that has the signals itself: setpriv becomes the program."""
    other = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if os.getuid() == 0 else []
    return [*other, str(_program(program)), *(str(one) for one in arguments)]
