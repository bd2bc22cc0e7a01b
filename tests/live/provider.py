"""The product itself for the live tests: ``wsprovider serve`` with two workers a master, on loopback.

The services are the project's own, and beside them the echo service once per scenario and suite under
``/suite/<suite>/<slug>``, and under ``/sha1/`` for clients that sign with SHA-1, checked by both engines. Keys are development keys in a folder of the test run.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from wsprovider.scenarios.catalogue import SCENARIOS
from wsprovider.words.suites import SUITES

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0
_FIRST_EIGHT = frozenset(str(number) for number in range(1, 9))

SLUGS = {row.number: row.slug for row in SCENARIOS if row.number in _FIRST_EIGHT}
"""The slugs of scenarios 1 to 8 by number."""
CONVERSATIONS = {row.number: row.slug for row in SCENARIOS if row.slug.startswith("conversation-")}
"""The slugs of scenarios 9 to 15, and of 13e, by number."""
CONVERSING = ("Basic128", "Basic256Sha256", "Basic256Rsa15")
"""Suites, besides the scenarios' own, under which there are conversations."""

ENDORSING = (
    "endorsing",
    "endorsing-encrypted",
    "signed-endorsing",
    "signed-endorsing-encrypted",
    "transport-endorsing",
)
"""Policy documents of ours with endorsing tokens."""
BY_THUMBPRINT = "signed-endorsing-by-thumbprint"
"""One of them that wants the certificate of the message signature named by its thumbprint."""
PASSWORD_TOO = "transport-endorsing-password"
"""One of them that wants a UsernameToken besides."""
USERNAME_TOKEN = """<sp:SignedSupportingTokens>
        <wsp:Policy>
          <sp:UsernameToken sp:IncludeToken="http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702/IncludeToken/AlwaysToRecipient">
            <wsp:Policy/>
          </sp:UsernameToken>
        </wsp:Policy>
      </sp:SignedSupportingTokens>"""
"""What a policy document has to have in it to want a signed UsernameToken."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def copy_services(folder: Path, *, process: str = "", echo: str = "") -> None:
    """The project's services, with metrics.

    Args:
        process: more lines for ``provider.toml``.
        echo: more tables for the echo service's file.
    """
    shutil.copytree(ROOT / "services", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file, more in (("provider.toml", f"metrics = true\n{process}"), ("echo/service.toml", echo)):
        with (folder / file).open("a") as lines:
            lines.write(f"\n{more}\n")


def write_services(folder: Path) -> None:
    """The project's services, and the echo service once more for every suite, and for SHA-1."""
    copy_services(folder)
    suites = folder / "suites"
    suites.mkdir()
    shutil.copy(ROOT / "services" / "echo" / "service.py", suites / "service.py")
    lines = [
        'namespace = "urn:wsprovider:echo"',
        'ring = "service"',
        'trust = ["clients"]',
        'users = "users.toml"',
        "allow_weak_suite = true",
        "clear_password_over_http = true",
        "short_symmetric_keys = true",
        'crosscheck = "xmlsec"',
    ]
    for suite in SUITES.values():
        for slug in (*SLUGS.values(), *(CONVERSATIONS.values() if suite.name in CONVERSING else ())):
            lines += [
                "",
                "[[endpoint]]",
                f'path = "/suite/{suite.name}/{slug}"',
                f'scenario = "{slug}"',
                f'suite = "{suite.name}"',
            ]
    policies = suites / "policies"
    shutil.copytree(ROOT / "services" / "echo" / "policies", policies)
    token = "<sp:WssX509V3Token10/>"
    direct = (policies / "signed-endorsing.xml").read_text()
    named = direct.replace(token, f"<sp:RequireThumbprintReference/>{token}", 1)
    (policies / f"{BY_THUMBPRINT}.xml").write_text(named)
    token = "<sp:EndorsingSupportingTokens>"
    alone = (policies / "transport-endorsing.xml").read_text()
    (policies / f"{PASSWORD_TOO}.xml").write_text(alone.replace(token, f"{USERNAME_TOKEN}\n      {token}", 1))
    for name in (*ENDORSING, BY_THUMBPRINT, PASSWORD_TOO):
        lines += [
            "",
            "[[endpoint]]",
            f'path = "/sha1/{name}"',
            f'policy = "policies/{name}.xml"',
            "rsa_sha1 = true",
        ]
    (suites / "service.toml").write_text("\n".join(lines) + "\n")


class ProviderProcess:
    """``wsprovider serve``, from start to stop; use it as a context manager.

    Attributes:
        http, https: base URLs.
        ports: of HTTP and HTTPS.
        keys: the keys folder, made by the first start.
        log: what the process printed, over all its starts: one that was left can be entered again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        services: Path | None = None,
        workers: int = 2,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.services = services or folder / "services"
        self.keys = folder / "keys"
        self.log = folder / "provider.log"
        self.workers = workers
        self._more = dict(environ or {})
        self.ports = (free_port(), free_port())
        self.http = f"http://localhost:{self.ports[0]}"
        self.https = f"https://localhost:{self.ports[1]}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if not self.services.exists():
            write_services(self.services)
        environ = {
            **os.environ,
            "HTTP_PORT": str(self.ports[0]),
            "HTTPS_PORT": str(self.ports[1]),
            "WORKERS": str(self.workers),
            "WSPROVIDER_SERVICES": str(self.services),
            "WSPROVIDER_KEYS": str(self.keys),
            **self._more,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wsprovider", "serve"],
                cwd=ROOT,
                env=environ,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def store(self) -> str:
        """URL of the shared store, where nobody said otherwise."""
        return f"sqlite:///{self.services.parent / 'var' / 'shared.sqlite3'}"

    def requests(self, since: int, count: int = 0) -> list[dict[str, Any]]:
        """The log's lines about requests.

        Args:
            since: the length of the log before the first of them.
            count: wait until there are so many.
        """
        deadline = time.monotonic() + 5
        while True:
            text = self.log.read_bytes()[since:].decode()
            lines = text[: text.rfind("\n") + 1].splitlines()
            found = [json.loads(line) for line in lines if line.startswith('{"event": "request"')]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def logged(self) -> int:
        """The length of the log."""
        return self.log.stat().st_size

    def http_workers(self) -> list[int]:
        """The process ids of the workers that answer over HTTP."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(entry.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.parent.name))
        assert self._process is not None
        for master in parents.get(self._process.pid, []):
            if f":{self.ports[0]}".encode() in Path(f"/proc/{master}/cmdline").read_bytes():
                return parents.get(master, [])
        return []

    def client(self, name: str = "client-1") -> dict[str, object]:
        """What a Java peer needs to be a client of this provider."""
        folder = self.keys / "development"
        return {
            "client": folder / f"{name}.p12",
            "clientPassword": "development",
            "serviceCert": folder / "service.cert.pem",
            "ca": folder / "ca.pem",
            "username": "alice",
            "password": "development",
        }

    def url(self, path: str, *, secure: bool = False) -> str:
        """An absolute URL."""
        return f"{self.https if secure else self.http}{path}"

    def post(self, path: str, data: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Send bytes as they are; status and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[0], timeout=60)
        try:
            connection.request(
                "POST", path, data, {"Content-Type": "text/xml; charset=utf-8", **(headers or {})}
            )
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        for port in self.ports:
            while True:
                process = self._process
                if process is None or process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"the provider did not start:\n{self.log.read_text()}")
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
