"""Services that want a certificate of the client in TLS, called by CXF, Metro, node-soap and zeep."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import zeep
from zeep.exceptions import Fault
from zeep.wsse.compose import Compose
from zeep.wsse.username import UsernameToken

from tests.live import node_program
from tests.live.java_peer import JavaPeer
from tests.live.provider import ROOT, USERNAME_TOKEN, ProviderProcess
from tests.live.test_zeep import module

pytestmark = pytest.mark.live
ALONE, WITH_PASSWORD = "/certificate", "/certificate-password"
HTTPS_TOKEN = "<sp:HttpsToken><wsp:Policy><sp:RequireClientCertificate/></wsp:Policy></sp:HttpsToken>"
SERVICE = """namespace = "urn:wsprovider:echo"
trust = ["clients"]
users = "users.toml"
"""


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider of its own, whose gunicorn asks clients for a certificate, and lets them in without one, too."""
    folder = tmp_path_factory.mktemp("asking")
    echo = folder / "services" / "echo"
    echo.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "provider.toml", folder / "services")
    shutil.copy(ROOT / "services" / "echo" / "service.py", echo)
    policy = (ROOT / "services" / "echo" / "policies" / "transport-endorsing.xml").read_text()
    policy = re.sub(r"<sp:HttpsToken>.*</sp:HttpsToken>", HTTPS_TOKEN, policy, flags=re.DOTALL)
    endorsing = re.compile(r"<sp:EndorsingSupportingTokens>.*</sp:EndorsingSupportingTokens>", re.DOTALL)
    (echo / "certificate-password.xml").write_text(endorsing.sub(USERNAME_TOKEN, policy))
    (echo / "certificate.xml").write_text(endorsing.sub("", policy).replace("<sp:IncludeTimestamp/>", ""))
    endpoints = [
        f'[[endpoint]]\npath = "{path}"\npolicy = "{path[1:]}.xml"' for path in (ALONE, WITH_PASSWORD)
    ]
    (echo / "service.toml").write_text("\n\n".join([SERVICE, *endpoints]))
    authority = folder / "keys" / "development" / "ca.pem"
    environ = {"GUNICORN_CMD_ARGS": f"--ca-certs={authority} --cert-reqs=1"}
    with ProviderProcess(folder, workers=1, environ=environ) as running:
        yield running


def outcomes(provider: ProviderProcess, since: int, count: int) -> list[tuple[str | None, str | None]]:
    """Reason and principal of the last requests."""
    lines = provider.requests(since, count)
    return [(line["reason"], line.get("principal")) for line in lines]


@pytest.mark.parametrize(("path", "principal"), [(ALONE, "client-1"), (WITH_PASSWORD, "alice")])
def test_zeep(asking: ProviderProcess, path: str, principal: str) -> None:
    """With ``session.cert`` zeep is let in, without it is not."""
    folder = asking.keys / "development"
    session = requests.Session()
    session.verify, session.trust_env = str(folder / "ca.pem"), False
    stamp = module("security").Timestamp()
    wsse = Compose([stamp, UsernameToken("alice", "development")]) if path == WITH_PASSWORD else None
    wsdl = asking.url(f"{path}?wsdl", secure=True)
    client = zeep.Client(wsdl, wsse=wsse, transport=zeep.Transport(session=session))
    since = asking.logged()
    with pytest.raises(Fault):
        client.service.echo("hello")
    session.close()  # the connection that was opened without one
    session.cert = (str(folder / "client-1.cert.pem"), str(folder / "client-1.key.pem"))
    assert client.service.echo("hello") == "hello"
    assert outcomes(asking, since, 2) == [("CLIENT_CERTIFICATE_MISSING", None), (None, principal)]


def test_node_soap(asking: ProviderProcess) -> None:
    """``ClientSSLSecurity`` alone; without a certificate it is refused."""
    reason = node_program.missing()
    if reason is not None:
        pytest.skip(reason)
    program, folder = node_program.install(), asking.keys / "development"
    wsdl = asking.url(f"{ALONE}?wsdl", secure=True)
    pair = (folder / "client-1.key.pem", folder / "client-1.cert.pem")
    since = asking.logged()
    for some, texts in ((pair, ["hello"]), ((None, None), [])):
        answer = node_program.call(program, "byTlsCertificate", wsdl, folder / "ca.pem", *some, text="hello")
        assert answer["texts"] == texts, answer
    assert outcomes(asking, since, 2) == [(None, "client-1"), ("CLIENT_CERTIFICATE_MISSING", None)]


@pytest.mark.parametrize("peer", ["cxf", "metro"])
def test_java(asking: ProviderProcess, peer: str, request: pytest.FixtureRequest) -> None:
    """CXF and Metro, led by our WSDL, with a certificate in TLS and a UsernameToken."""
    java: JavaPeer = request.getfixturevalue(peer)
    wsdl = asking.url(f"{WITH_PASSWORD}?wsdl", secure=True)
    since = asking.logged()

    def call(*, certificate: bool) -> dict[str, Any]:
        more = {"text": "hello", "tlsClientCertificate": certificate}
        return java.call(cmd=f"{peer}-call", wsdl=wsdl, **asking.client(), **more)

    answer = call(certificate=True)
    assert answer["ok"], answer
    assert answer["text"] == "hello"
    assert outcomes(asking, since, 1) == [(None, "alice")]
    assert not call(certificate=False)["ok"]
