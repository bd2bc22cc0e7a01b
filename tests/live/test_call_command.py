"""``wsprovider call`` reads the policy from the WSDL and is answered; a process of its own over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.kdc import Kdc, require_kdc
from tests.live.provider import ROOT, SLUGS, ProviderProcess

pytestmark = pytest.mark.live
DOCUMENTS = ("derived-keys", "encrypt-before-signing", "encrypt-signature", "protect-tokens")


def call(
    provider: ProviderProcess, path: str, *more: str, password: str = "development", **environ: str
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
        env={**os.environ, "WSPROVIDER_PASSWORD": password, **environ},
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


@pytest.fixture(scope="module")
def kdc(tmp_path_factory: pytest.TempPathFactory, provider: ProviderProcess) -> Iterator[Kdc]:
    """A KDC of the development realm, which has put its key into the keytab as the README there says."""
    require_kdc()
    with Kdc(tmp_path_factory.mktemp("kdc"), realm="DEVELOPMENT.LOCAL") as running:
        running.add("alice", "alice's")
        running.add("HTTP/localhost")
        keytab = provider.keys / "kerberos" / "echo.keytab"
        running._admin("ktadd", "-k", str(keytab), running.full("HTTP/localhost"))
        time.sleep(1.1)  # the server looks once a second
        yield running


@pytest.mark.parametrize("path", ["/echo/kerberos", "/wso2/kerberos"])
@pytest.mark.parametrize("ours", ["cache", "keytab", "password"])
def test_kerberos(provider: ProviderProcess, kdc: Kdc, path: str, ours: str, tmp_path: Path) -> None:
    """A ticket that kinit left, and those that a keytab or a password in a file gets."""
    alice = kdc.full("alice")
    options = ["--kerberos-service", kdc.full("HTTP/localhost"), "--kerberos-principal", alice]
    cache = {"KRB5CCNAME": f"FILE:{tmp_path / 'cache'}"}
    if ours == "cache":
        subprocess.run(
            ["kinit", alice], input=b"alice's\n", env={**os.environ, **kdc.environment, **cache}, check=True
        )
        options = ["--kerberos-service", "HTTP@localhost"]
    elif ours == "keytab":
        options += ["--kerberos-keytab", str(kdc.keytab("alice", file="alice.keytab"))]
    else:
        (tmp_path / "password").write_text("alice's\n")
        (tmp_path / "password").chmod(0o600)
        options += ["--kerberos-password-file", str(tmp_path / "password")]
    done = call(provider, path, *options, **{**kdc.environment, **cache})
    assert done.returncode == 0, done.stderr
    assert "Grüße" in done.stdout
    assert provider.requests(0)[-1]["principal"] == alice


def test_kerberos_without_what_it_takes(provider: ProviderProcess, kdc: Kdc, tmp_path: Path) -> None:
    """Each option that is missing is named; so is the service that no KDC knows."""

    def said(*options: str) -> str:
        done = call(provider, "/echo/kerberos", *options, **kdc.environment)
        assert done.returncode != 0
        return done.stderr

    service = ("--kerberos-service", kdc.full("HTTP/localhost"))
    assert "--kerberos-service: is missing" in said()
    assert "--kerberos-principal: is missing" in said(*service, "--kerberos-keytab", "any")
    assert "No Kerberos credentials available" in said(*service)
    keytab = ("--kerberos-principal", kdc.full("alice"), "--kerberos-keytab", str(kdc.keytab("alice")))
    assert "not found in Kerberos database" in said("--kerberos-service", "HTTP/nobody", *keytab)
