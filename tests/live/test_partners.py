"""Partners behind gunicorn: the file changes while CXF and WSS4J, unmodified, go on calling."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.java_peer import JavaPeer
from tests.live.provider import ROOT, ProviderProcess
from tests.live.test_cxf import SHA2
from wsprovider.words import algorithms as alg

pytestmark = pytest.mark.live
SERVICE = """namespace = "urn:wsprovider:echo"
trust = ["clients"]
users = "users.toml"
crosscheck = "xmlsec"
"""
BOTH, CONVERSING = "/sign-encrypt-x509", "/conversation-sign-encrypt-username"
ACME = '[acme]\ncertificates = ["clients/client-1"]\nusers = ["alice"]\n'
OLD = {
    "signature": alg.RSA_SHA1,
    "digest": alg.SHA1,
    "encryption": alg.AES256_CBC,
    "keyTransport": alg.RSA_OAEP_MGF1P,
}
LOOK = 1.2
"""Seconds after which each worker looks at the file before it answers."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """Two workers, and no partners yet."""
    folder = tmp_path_factory.mktemp("partners")
    echo = folder / "services" / "echo"
    echo.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", echo)
    lines = [SERVICE]
    for path, scenario in ((BOTH, BOTH[1:]), (CONVERSING, CONVERSING[1:])):
        lines.append(f'[[endpoint]]\npath = "{path}"\nscenario = "{scenario}"\n')
    (echo / "service.toml").write_text("\n".join(lines))
    with ProviderProcess(folder) as running:
        yield running


def write(served: ProviderProcess, text: str) -> None:
    """Another file in one rename; every worker looks before its next answer."""
    new = served.keys / "partners.new"
    new.write_text(text)
    new.replace(served.keys / "partners.toml")
    time.sleep(LOOK)


class Client:
    """A CXF client of one endpoint."""

    def __init__(
        self, cxf: JavaPeer, served: ProviderProcess, path: str, name: str = "client-1", **more: Any
    ) -> None:
        self._cxf, self._served = cxf, served
        url = served.url(path)
        self._command = {
            "cmd": "cxf-call",
            "wsdl": f"{url}?wsdl",
            "url": url,
            "text": "hello",
            **served.client(name),
            **more,
        }

    def call(self, **more: Any) -> tuple[str | None, str | None, str | None]:
        """Reason, principal and identity of one call, as the log has them."""
        since = self._served.logged()
        answer = self._cxf.call(**{**self._command, **more})
        line = self._served.requests(since, 1)[-1]
        assert answer["ok"] == (line["reason"] is None), answer
        return line["reason"], line.get("principal"), line.get("identity")


def test_sha1_is_its_partners_alone(cxf: JavaPeer, served: ProviderProcess) -> None:
    """CXF signs with SHA-1 unless it is told otherwise; what one partner may, others still may not."""
    one, two = (Client(cxf, served, BOTH, name) for name in ("client-1", "client-2"))
    newer = {"properties": SHA2}
    write(served, ACME)
    assert one.call()[0] == "ALGORITHM_NOT_IN_SUITE"
    assert one.call(**newer) == (None, "acme", "client-1")
    write(served, f"{ACME}rsa_sha1 = true\n")
    for _ in range(3):
        assert one.call() == (None, "acme", "client-1")
        assert two.call()[0] == "ALGORITHM_NOT_IN_SUITE"
    assert two.call(**newer) == (None, "client-2", None)
    write(served, '[beta]\ncertificates = ["clients/client-2"]\nrsa_sha1 = true\n')
    assert one.call()[0] == "ALGORITHM_NOT_IN_SUITE"
    assert two.call() == (None, "beta", "client-2")


def test_wss4j_by_the_suite_of_wso2s_files(cxf: JavaPeer, served: ProviderProcess) -> None:
    """``suite = "Basic256"``: SHA-1 throughout, also in the reply, which WSS4J verifies."""

    def call(name: str) -> tuple[bool, str | None]:
        since = served.logged()
        url = served.url(BOTH)
        answer = cxf.call(
            cmd="wss4j-call", url=url, scenario=5, text="hello", suite=OLD, **served.client(name)
        )
        return answer["ok"], served.requests(since, 1)[-1]["reason"]

    write(served, ACME)
    assert call("client-1") == (False, "ALGORITHM_NOT_IN_SUITE")
    write(served, f'{ACME}suite = "Basic256"\n')
    assert call("client-1") == (True, None)
    assert call("client-2") == (False, "ALGORITHM_NOT_IN_SUITE")


def test_permission_is_withdrawn_within_a_conversation(cxf: JavaPeer, served: ProviderProcess) -> None:
    """The context stays, and its calls are refused and answered as the file says."""
    write(served, ACME)
    client = Client(cxf, served, CONVERSING, session="partners", properties=SHA2)
    assert client.call() == (None, "acme", "alice")
    write(served, f'{ACME}services = ["echo"]\noperations = ["echo:other"]\n')
    assert client.call() == (None, "acme", "alice")  # there is no such operation: the old file is in force
    with urllib.request.urlopen(served.url("/healthz")) as answer:
        assert json.load(answer)["degraded"] == ["keys"]
    write(served, f"{ACME}services = []\n")
    assert client.call()[0] == "PARTNER_SERVICE"
    write(served, ACME)
    assert client.call() == (None, "acme", "alice")
