"""``wsprovider attack`` against the product itself: everything is refused, and only good calls are carried out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.live.kdc import Kdc
from tests.live.provider import CONVERSATIONS, ROOT, SLUGS, ProviderProcess
from wsprovider.soap.fault import refusal
from wsprovider.soap.version import SOAP_11
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

pytestmark = [pytest.mark.live, pytest.mark.slow]
DOCUMENTS = (
    "derived-keys",
    "encrypt-before-signing",
    "encrypt-signature",
    "protect-tokens",
    "password-digest",
    "endorsing",
    "signed-endorsing-encrypted",
    "transport-endorsing",
)
OVER_TLS = (SLUGS["1"], "password-digest", "transport-endorsing")
PASSED_ON = ("content-type", "soapaction")
SENT = 180
"""Variants that each policy has, at least; tests/unit/attack counts those of each scenario."""
DEVELOPMENT = "development"  # the password of whoever calls here
OPENED, ENDED = "security-context-issue", "security-context-cancel"


def attack(
    provider: ProviderProcess, url: str, report: Path, *more: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "wsprovider", "attack", url, "echo", "text=hello", "--service", "echo"),
            *("--services", str(provider.services), "--keys", str(provider.keys)),
            *("--json", str(report), "--rate", "1000", *more),
        ],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def check(provider: ProviderProcess, path: str, folder: Path, *more: str, **environ: str) -> None:
    """All variants are refused, and the service has carried out the good messages, and no others."""
    since = provider.logged()
    url = provider.url(path, secure=path.endswith(OVER_TLS))
    done = attack(provider, url, folder / "report.json", *more, **environ)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    report = json.loads((folder / "report.json").read_text())
    assert len([row for row in report["rows"] if row["status"] is not None]) >= SENT
    carried_out = Counter(line["operation"] for line in provider.requests(since) if line["reason"] is None)
    assert set(carried_out) <= {"echo", OPENED, ENDED}
    assert carried_out[OPENED] == carried_out[ENDED]
    conversing = 1 if carried_out[OPENED] else 0  # the context of the calls
    assert carried_out["echo"] + carried_out[OPENED] == report["good_messages"] + conversing
    assert DEVELOPMENT not in done.stdout + done.stderr + (folder / "report.json").read_text()


@pytest.mark.parametrize("number", [*SLUGS, *CONVERSATIONS])
def test_each_scenario(provider: ProviderProcess, number: str, tmp_path: Path) -> None:
    """Every scenario refuses all of its variants."""
    slug = SLUGS.get(number) or CONVERSATIONS[number]
    check(provider, f"/echo/{slug}", tmp_path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_policy_document(provider: ProviderProcess, name: str, tmp_path: Path) -> None:
    """So does every policy beyond the scenarios; what says nothing of it is left out."""
    check(provider, f"/echo/{name}", tmp_path)


# services that do not refuse as they should -----------------------------------------------------

Spoil = Callable[[BaseHTTPRequestHandler, int, bytes], None]
"""Answers a client in the place of the service, which has refused: its status and body."""


def _answer(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "text/xml; charset=utf-8")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _accepted(handler: BaseHTTPRequestHandler, _: int, __: bytes) -> None:
    _answer(handler, 200, b"<done/>")


def _talkative(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    told = b"ValueError: invalid literal in /srv/app/service.py, line 7"
    _answer(handler, status, body.replace(b"The security of the message was not accepted.", told))


def _slow(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    time.sleep(5)
    _answer(handler, status, body)


def _broken(handler: BaseHTTPRequestHandler, _: int, __: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def spoilt(provider: ProviderProcess, spoil: Spoil, *, good: bool = True) -> Iterator[str]:
    """The service behind somebody who answers in its place whatever it refuses; the base URL.

    Args:
        good: what the service accepts stays accepted; else that is spoilt, too.
    """

    class Handler(BaseHTTPRequestHandler):
        """Passes one request on."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Ask the service, and answer as it did, or otherwise."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED_ON}
            status, answer = provider.post(self.path, body, headers)
            (_answer if status == 200 and good else spoil)(self, status, answer)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nobody wants to know."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("spoil", "only", "outcome"),
    [
        (_accepted, "F02,J01", "ACCEPTED"),
        (_talkative, "F02,J01", "LEAK"),
        (_slow, "F13", "SLOW"),
        (_broken, "F02,J01", "NO ANSWER"),
    ],
)
def test_findings(provider: ProviderProcess, tmp_path: Path, spoil: Spoil, only: str, outcome: str) -> None:
    """A service that accepts, tells, dawdles or breaks off where it must refuse is found out: exit code 1."""
    with spoilt(provider, spoil) as base:
        url = f"{base}/echo/{SLUGS['3']}"
        done = attack(provider, url, tmp_path / "report.json", "--only", only)
    assert done.returncode == 1, f"{done.stdout}{done.stderr}"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["findings"] == len(report["rows"]) >= 1
    assert {row["outcome"] for row in report["rows"]} == {outcome.lower().replace(" ", "_")}
    assert outcome in done.stdout


def test_the_same_service_with_nobody_in_between(provider: ProviderProcess, tmp_path: Path) -> None:
    """What passes everything on is no finding."""
    with spoilt(provider, _answer) as base:
        url = f"{base}/echo/{SLUGS['3']}"
        done = attack(provider, url, tmp_path / "report.json", "--only", "F02,J01")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_no_verdict(provider: ProviderProcess, tmp_path: Path) -> None:
    """A service that refuses good messages, too, has shown nothing: exit code 3."""
    fault = refusal(WSSecurityError(Reason.SIGNATURE_VALUE), SOAP_11).data
    with spoilt(provider, lambda handler, _, __: _answer(handler, 500, fault), good=False) as base:
        url = f"{base}/echo/{SLUGS['3']}"
        done = attack(provider, url, tmp_path / "report.json")
    assert done.returncode == 3
    assert "no verdict: the good call is not accepted" in done.stdout
    assert json.loads((tmp_path / "report.json").read_text())["rows"] == []


def test_kerberos(kerberized: ProviderProcess, kdc: Kdc, tmp_path: Path) -> None:
    """Scenario 16, where a ticket can be had."""
    alice = kdc.full("alice")
    keytab = kdc.keytab("alice", file="attack.keytab")
    ours = ("--kerberos-service", kdc.full("HTTP/localhost"), "--kerberos-principal", alice)
    check(kerberized, "/echo/kerberos", tmp_path, *ours, "--kerberos-keytab", str(keytab), **kdc.environment)
