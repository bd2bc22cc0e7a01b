"""What ``docs/deploy.md`` says, carried out with other folders and ports: gunicorn under a supervisor, and proxies.

The supervisor does what systemd does for the unit of that page: it binds the socket, passes it on, and hears READY=1.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from tests.live.pages import blocks_of
from tests.live.provider import ROOT, free_port
from wsprovider.cli.development import first_keys

PAGE = ROOT / "docs" / "deploy.md"
BLOCKS = {block.name: block.text for block in blocks_of(PAGE)}
NAMESPACE = "urn:wsprovider:echo"
_PATIENCE = 60.0
_SERVICE = '''\
"""Answers with the text that it was told, and writes down that it did."""

import os

from spyne import ServiceBase, Unicode, rpc


class Counted(ServiceBase):
    @rpc(Unicode, _returns=Unicode, _out_variable_name="text")
    def echo(ctx, text):
        file = os.open(os.environ["EXECUTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{text}\\n".encode())
        os.close(file)
        return text
'''
_PASS_ON = (
    "import os, sys\n"
    "for number, descriptor in enumerate(map(int, sys.argv[1].split(','))):\n"
    "    os.dup2(descriptor, 3 + number)\n"
    "os.environ['LISTEN_PID'] = str(os.getpid())\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def require(*programs: str) -> None:
    """Skip the test by name where a program is missing (``REQUIRE_LIVE`` makes every skip a failure)."""
    for program in programs:
        if shutil.which(program) is None and not Path("/usr/sbin", program).exists():
            pytest.skip(f"not installed: {program}")


class Place:
    """One folder in the place of ``/opt``, ``/srv``, ``/run``, ``/var`` and ``/etc``.

    Attributes:
        site: in the place of ``/srv/wsprovider``.
        tls: with ``server.cert.pem``, ``server.key.pem``, ``server.pem`` and ``clients.ca.pem``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site, self.run = folder / "srv", folder / "run"
        self.bin, self.var, self.tls = folder / "opt" / "bin", folder / "var", folder / "tls"
        for made in (self.site, self.run, self.bin, self.var, self.tls):
            made.mkdir(parents=True, exist_ok=True)
        for name in ("wsprovider", "gunicorn"):
            self._program(name, f"{shlex.quote(sys.executable)} -m {name}")
        self._program("python", shlex.quote(sys.executable))
        self.executed = folder / "executed"
        self.executed.touch()

    def _program(self, name: str, command: str) -> None:
        (self.bin / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (self.bin / name).chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        """Of the programs that are run here."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("WSPROVIDER_")},
            "PATH": f"{self.bin}:{os.environ['PATH']}:/usr/sbin",
            "PYTHONPATH": str(ROOT),
            "EXECUTIONS": str(self.executed),
            "WORKERS": "2",
        }

    def text(self, name: str, **more: str) -> str:
        """A block of the page, with the paths of this place.

        Args:
            more: what stands for what; each must occur.
        """
        text = BLOCKS[name]
        for old, new in more.items():
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new)
        places = {
            "/opt/wsprovider/bin": self.bin,
            "/opt/wsprovider": self.folder / "opt",
            "/srv/wsprovider": self.site,
            "/run/wsprovider": self.run,
            "/var/lib/wsprovider": self.var,
            "/var/backups": self.var,
            "/etc/nginx/tls": self.tls,
            "/etc/haproxy/tls": self.tls,
            "/run/nginx.pid": self.run / "nginx.pid",
            "/run/haproxy": self.run,
        }
        for old, made in places.items():
            text = text.replace(old, str(made))
        return text

    def sh(self, script: str, cwd: Path | None = None) -> str:
        """Run lines of a shell, stopping at the first that fails; what they printed."""
        done = subprocess.run(
            ["sh", "-eu"],
            input=script,
            cwd=cwd or self.site,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def furnish(self, process: str, scenarios: Sequence[str]) -> None:
        """Development keys, TLS files, and the counted service at ``/counted/<scenario>``.

        Args:
            process: provider.toml.
        """
        first_keys(self.site / "keys")
        development = self.site / "keys" / "development"
        for name in ("server.cert.pem", "server.key.pem"):
            shutil.copy(self.site / "keys" / "tls" / name, self.tls)
        pair = [(self.tls / f"server.{kind}.pem").read_text() for kind in ("cert", "key")]
        (self.tls / "server.pem").write_text("".join(pair))
        shutil.copy(development / "ca.pem", self.tls / "clients.ca.pem")
        service = self.site / "services" / "counted"
        service.mkdir(parents=True)
        (service / "service.py").write_text(_SERVICE)
        lines = [f'namespace = "{NAMESPACE}"', 'trust = ["clients"]', 'users = "users.toml"']
        for scenario in scenarios:
            lines += ["[[endpoint]]", f'path = "/counted/{scenario}"', f'scenario = "{scenario}"']
        (service / "service.toml").write_text("\n".join(lines) + "\n")
        (service.parent / "provider.toml").write_text(process)
        shutil.copy(ROOT / "wsgi.py", self.site)

    def executions(self) -> list[str]:
        """What the service carried out."""
        return self.executed.read_text().splitlines()


class Unit:
    """``wsprovider.service`` under a supervisor that owns its sockets; use it as a context manager.

    Attributes:
        log: its standard error.
    """

    def __init__(self, place: Place, listeners: Sequence[socket.socket], name: str = "unit") -> None:
        self._place, self._listeners = place, listeners
        self.log = place.folder / f"{name}.log"
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(str(place.run / f"{name}.notify"))
        self._notices.settimeout(_PATIENCE)
        self._process: subprocess.Popen[bytes] | None = None
        unit = place.text("wsprovider.service")
        [self._command] = [line[10:] for line in unit.splitlines() if line.startswith("ExecStart=")]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._notices.close()

    def start(self) -> None:
        """Start, and wait for READY=1."""
        descriptors = [listener.fileno() for listener in self._listeners]
        command = shlex.split(self._command)
        first = [sys.executable, "-c", _PASS_ON, ",".join(map(str, descriptors))]
        told = {"LISTEN_FDS": str(len(descriptors)), "NOTIFY_SOCKET": str(self._notices.getsockname())}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*first, *command],
                cwd=self._place.site,
                env=self._place.environ | told,
                pass_fds=descriptors,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            while b"READY=1" not in self._notices.recv(4096).splitlines():
                pass
        except TimeoutError:
            self.stop()
            raise AssertionError(self.log.read_text()) from None

    def stop(self) -> None:
        """As systemd does: tell gunicorn, which tells its workers."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0, self.log.read_text()

    def kill(self) -> None:
        """All of its processes at once."""
        process, self._process = self._process, None
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def requests(self, since: int = 0, count: int = 0) -> list[dict[str, Any]]:
        """The log's lines of requests; waits until there are so many."""
        deadline = time.monotonic() + 5
        while True:
            lines = self.log.read_bytes()[since:].decode().splitlines()
            found = [json.loads(line) for line in lines if line.startswith('{"event": "request"')]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


def listening(address: str | int) -> socket.socket:
    """A socket as a ``.socket`` unit binds it: a path, or a port of loopback."""
    if isinstance(address, int):
        return socket.create_server(("127.0.0.1", address), backlog=2048)
    made = socket.socket(socket.AF_UNIX)
    made.bind(address)
    made.listen(2048)
    return made


@contextmanager
def _running(place: Place, name: str, command: Sequence[str], port: int) -> Iterator[int]:
    log = place.folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=place.environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(log.read_text()) from None
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def nginx(place: Place) -> Iterator[int]:
    """nginx with the page's file; its port."""
    port = free_port()
    root = "user root;" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {place.var / kind};" for kind in kinds)
    text = place.text(
        "nginx.conf",
        **{
            "user www-data;": root,
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "access_log off;": f"access_log off; {folders}",
        },
    )
    file = place.folder / "nginx.conf"
    file.write_text(text)
    command = ["nginx", "-c", str(file), "-g", "daemon off;"]
    place.sh(shlex.join([*command, "-t"]))
    with _running(place, "nginx", command, port) as port:
        yield port


@contextmanager
def haproxy(place: Place, **more: str) -> Iterator[int]:
    """HAProxy with the page's file; its port.

    Args:
        more: what else stands for what.
    """
    port = free_port()
    text = place.text("haproxy.cfg", **{**more, "bind :443": f"bind 127.0.0.1:{port}"})
    file = place.folder / "haproxy.cfg"
    file.write_text(text)
    place.sh(f"haproxy -c -f {file}")
    with _running(place, "haproxy", ["haproxy", "-db", "-f", str(file)], port) as port:
        yield port


class UnixConnection(http.client.HTTPConnection):
    """HTTP as the proxy speaks it to the service."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        """Open the socket of the unit."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def tls_to(place: Place, port: int, client: str | None = None) -> http.client.HTTPSConnection:
    """A connection to a proxy, with one of the development certificates or without any."""
    context = ssl.create_default_context(cafile=str(place.tls / "clients.ca.pem"))
    if client is not None:
        folder = place.site / "keys" / "development"
        context.load_cert_chain(folder / f"{client}.cert.pem", folder / f"{client}.key.pem")
    return http.client.HTTPSConnection("localhost", port, timeout=30, context=context)


def post(
    connection: http.client.HTTPConnection,
    path: str,
    data: bytes,
    fields: Sequence[tuple[str, str]] | Mapping[str, str] = (),
) -> tuple[int, bytes]:
    """One POST, with header fields just as they are, twice if need be."""
    connection.putrequest("POST", path)
    usual = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(data)))]
    for name, value in [*usual, *(fields.items() if isinstance(fields, Mapping) else fields)]:
        connection.putheader(name, value)
    connection.endheaders(data)
    answer = connection.getresponse()
    return answer.status, answer.read()
