"""``wsprovider call`` reads the policy from the WSDL and is answered; a process of its own over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.live.provider import ROOT, SLUGS, ProviderProcess

pytestmark = pytest.mark.live
DOCUMENTS = ("derived-keys", "encrypt-before-signing", "encrypt-signature", "protect-tokens")


def call(
    provider: ProviderProcess, path: str, *more: str, password: str = "development"
) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    folder = provider.keys / "development"
    wsdl = provider.url(f"{path}?wsdl", secure=path.endswith(SLUGS["1"]))
    return subprocess.run(
        [
            *(sys.executable, "-m", "wsprovider", "call", wsdl, "echo", "text=Grüße"),
            *("--client", str(folder / "client-1.p12")),
            *("--service-certificate", str(folder / "service.cert.pem")),
            *("--ca", str(folder / "ca.pem"), *more),
        ],
        cwd=ROOT,
        env={**os.environ, "WSPROVIDER_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", [*SLUGS.values(), *DOCUMENTS])
def test_each_policy(provider: ProviderProcess, name: str) -> None:
    """Every policy that the echo service is published under."""
    done = call(provider, f"/echo/{name}", "--user", "alice")
    assert done.returncode == 0, done.stderr
    assert "Grüße" in done.stdout


def test_digest(provider: ProviderProcess) -> None:
    """A policy that wants a digest gets one with --digest, and refuses the password itself."""
    path = "/echo/password-digest"
    assert call(provider, path, "--user", "alice", "--digest").returncode == 0
    refused = call(provider, path, "--user", "alice")
    assert refused.returncode == 1
    assert "was not accepted" in refused.stderr


def test_wrong_password(provider: ProviderProcess) -> None:
    """What the service answers is shown; nothing of the reason is known here."""
    refused = call(provider, f"/echo/{SLUGS['8']}", "--user", "alice", password="guess")
    assert refused.returncode == 1
    assert "was not accepted" in refused.stderr
    assert not refused.stdout
