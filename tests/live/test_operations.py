"""Policies by operation and message: CXF reads them off the WSDL, and so does ``wsprovider call``."""

from __future__ import annotations

import base64
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.live.java_peer import JavaPeer
from tests.live.provider import ROOT, ProviderProcess
from tests.live.test_cxf import SHA2
from wsprovider.config.development import PASSWORD
from wsprovider.words import namespaces as ns

pytestmark = pytest.mark.live

TNS = "urn:wsprovider:desk"
SERVICE = """
from spyne import ServiceBase, Unicode, rpc


class Desk(ServiceBase):
    @rpc(_returns=Unicode)
    def ping(ctx):
        return f"for {ctx.udc.principal.name or 'anybody'}"

    @rpc(Unicode, _returns=Unicode)
    def ask(ctx, text):
        return f"{text} for {ctx.udc.principal.name}"

    @rpc(Unicode, _returns=Unicode)
    def pay(ctx, text):
        return f"{text} by {ctx.udc.principal.name}"

    @rpc(Unicode, _returns=Unicode)
    def report(ctx, text):
        return f"{text} read by {ctx.udc.principal.name}"

    @rpc(Unicode, _is_async=True)
    def notify(ctx, text):
        open(TOLD, "a").write(f"{text} from {ctx.udc.principal.name}\\n")
"""
PARTS = (
    f'<wsp:Policy xmlns:wsp="{ns.WSP_200409}" xmlns:sp="{ns.SP_200702}">'
    "<sp:EncryptedParts><sp:Body/></sp:EncryptedParts></wsp:Policy>"
)
SETTINGS = f"""
namespace = "{TNS}"
trust = ["clients"]
users = "users.toml"

[[endpoint]]
path = "/desk"
scenario = "non-repudiation"
unprotected = ["ping"]

[endpoint.operations.pay]
scenario = "sign-encrypt-username"

[endpoint.operations.report]
reply = "sealed.xml"
"""
CONTRACT = """
namespace = "urn:wsprovider:desk"
trust = ["clients"]
users = "users.toml"
path = "/contract"
policy = "contract.wsdl"
port = "PORT"
unprotected = ["ping"]
"""
CALLERS = {"ping": "", "ask": "client-1", "pay": "alice", "report": "client-1", "notify": "client-1"}
ANSWERS = {
    "ping": "for anybody",
    "ask": "x for client-1",
    "pay": "x by alice",
    "report": "x read by client-1",
}


def write(folder: Path, name: str, settings: str) -> Path:
    service = folder / "services" / name
    service.mkdir(parents=True)
    told = folder / f"{name}.txt"
    (service / "service.py").write_text(SERVICE.replace("TOLD", repr(str(told))))
    (service / "service.toml").write_text(settings)
    (service / "sealed.xml").write_text(PARTS)
    return service


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """The service by its settings; and once more by the contract that it publishes."""
    folder = tmp_path_factory.mktemp("desk")
    write(folder, "desk", SETTINGS)
    with ProviderProcess(folder, services=folder / "services", workers=1) as first:
        published = urllib.request.urlopen(first.url("/desk?wsdl")).read()
    service = write(folder, "contract", CONTRACT.replace("PORT", port_of(published)))
    (service / "contract.wsdl").write_bytes(published)
    with ProviderProcess(folder, services=folder / "services", workers=2) as second:
        yield second


def port_of(wsdl: bytes) -> str:
    """The name of the first port."""
    return str(etree.fromstring(wsdl).find(f".//{{{ns.WSDL11}}}port").get("name"))


def payload(operation: str, text: str = "x") -> str:
    inner = "" if operation == "ping" else f"<t:text>{text}</t:text>"
    return f'<t:{operation} xmlns:t="{TNS}">{inner}</t:{operation}>'


def call(cxf: JavaPeer, desk: ProviderProcess, path: str, operation: str, **more: Any) -> dict[str, Any]:
    """One call by CXF."""
    return cxf.call(
        cmd="cxf-call",
        properties=SHA2,
        **{
            **desk.client(),
            "wsdl": desk.url(f"{path}?wsdl"),
            "payload": payload(operation),
            "action": f"{TNS}/{operation}",
            "oneWay": operation == "notify",
            "record": True,
            **more,
        },
    )


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("path", ["/desk", "/contract"])
@pytest.mark.parametrize("operation", CALLERS)
def test_cxf_calls_each_operation_as_its_policy_says(
    cxf: JavaPeer, desk: ProviderProcess, path: str, operation: str, soap: str
) -> None:
    since = desk.logged()
    answer = call(cxf, desk, path, operation, soap=soap)
    assert answer["ok"], answer
    (line,) = desk.requests(since, 1)
    assert (line["reason"], line.get("principal", "")) == (None, CALLERS[operation])
    exchange = {key: base64.b64decode(answer["exchanges"][0][key] or "") for key in ("request", "response")}
    protected = {name: b"EncryptedData" in data for name, data in exchange.items()}
    assert protected == {"request": operation == "pay", "response": operation in {"pay", "report"}}
    assert (b"Security" in exchange["request"]) == (operation != "ping")
    if operation == "notify":
        assert line["status"] == 202
        assert (desk.folder / f"{path[1:]}.txt").read_text().splitlines()[-1] == "x from client-1"
    else:
        assert ANSWERS[operation] in answer["response"]


@pytest.mark.parametrize("path", ["/desk", "/contract"])
def test_what_is_protected_as_another_operation_is_refused(
    cxf: JavaPeer, desk: ProviderProcess, path: str
) -> None:
    """CXF is told another action than its payload's, and so takes the other operation's policy."""
    for operation, like in (("pay", "ask"), ("ask", "pay"), ("ask", "ping"), ("notify", "ping")):
        since = desk.logged()
        bent = desk.folder / "bent.wsdl"
        bent.write_bytes(swapped(urllib.request.urlopen(desk.url(f"{path}?wsdl")).read(), operation, like))
        refused = call(cxf, desk, path, operation, wsdl=str(bent), url=desk.url(path), oneWay=False)
        assert not refused["ok"], (operation, like, refused)
        (line,) = desk.requests(since, 1)
        assert line["reason"] not in (None, "ACTION_MISMATCH", "INTERNAL"), line
        if operation == "notify":  # no reply is awaited, but the HTTP status is
            assert "HTTP response '500" in refused["error"]
        else:
            assert refused["fault"]["code"].endswith("}InvalidSecurity")
        assert call(cxf, desk, path, operation)["ok"]


def swapped(wsdl: bytes, operation: str, like: str) -> bytes:
    """The WSDL as somebody reads it who believes that an operation has another one's policies."""
    root = etree.fromstring(wsdl)
    for binding in root.iterfind(f"{{{ns.WSDL11}}}binding"):
        bound = {one.get("name"): one for one in binding.iterfind(f"{{{ns.WSDL11}}}operation")}
        for element in list(bound[operation].iter(f"{{{ns.WSP_200409}}}PolicyReference")):
            element.getparent().remove(element)
        for reference in bound[like].iterfind(f"{{{ns.WSP_200409}}}PolicyReference"):
            bound[operation].insert(0, etree.fromstring(etree.tostring(reference)))
    return etree.tostring(root)


@pytest.mark.parametrize("path", ["/desk", "/contract"])
def test_our_own_client_does_the_same(desk: ProviderProcess, path: str) -> None:
    for operation, answer in {**ANSWERS, "notify": ""}.items():
        done = subprocess.run(
            [
                *(sys.executable, "-m", "wsprovider", "call", desk.url(f"{path}?wsdl"), operation),
                *(["text=x"] if operation != "ping" else []),
                *("--client", str(desk.keys / "development" / "client-1.p12"), "--user", "alice"),
                *("--service-certificate", str(desk.keys / "development" / "service.cert.pem")),
            ],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "WSPROVIDER_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert answer in done.stdout


def test_operations_without_protection_are_told_at_start(desk: ProviderProcess) -> None:
    said = desk.log.read_text()
    for path in ("/desk", "/contract"):
        assert f"{path}: the operation ping is unprotected" in said
    listed = subprocess.run(
        [sys.executable, "-m", "wsprovider", "services", "--services", desk.services, "--keys", desk.keys],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "  ping" in listed
    assert "unprotected, as it is named" in listed
