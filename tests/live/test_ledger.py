"""The ledger on PostgreSQL behind two workers, called with a UsernameToken, signed and encrypted, and by HTTP Basic."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
import zeep
from lxml import etree

from tests.live.java_peer import JavaPeer
from tests.live.postgres import Postgres
from tests.live.provider import ROOT, ProviderProcess
from tests.live.test_cxf import SHA2
from wsprovider.config.http_basic import with_http_basic
from wsprovider.policy.model import Policy
from wsprovider.policy.write import write_policy
from wsprovider.scenarios.catalogue import find

pytestmark = pytest.mark.live
NS = "urn:wsprovider:ledger"
BRIDGE, SEALED = "/ledger/username-token", "/ledger/sign-encrypt-username"
WITHOUT, ALONE, ECHO = "/ledger/without", "/ledger/http-basic", "/echo/username-token"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
BASIC = {
    "jakarta.xml.ws.security.auth.username": "alice",
    "jakarta.xml.ws.security.auth.password": "development",
}
"""BindingProvider.USERNAME_PROPERTY and PASSWORD_PROPERTY: what CXF's conduit sends by HTTP Basic."""


class Answer(NamedTuple):
    """What curl got, and what the log says of it."""

    status: int
    challenge: str | None
    body: bytes
    reason: str | None
    principal: str | None


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """The ledger, once more without the bridge, once by HTTP Basic alone; and the echo service for Metro's driver."""
    if (lacking := Postgres.available()) is not None:
        pytest.skip(lacking)
    folder = tmp_path_factory.mktemp("ledger")
    shutil.copytree(
        ROOT / "services" / "ledger",
        folder / "services" / "ledger",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    echo = folder / "services" / "echo"
    echo.mkdir()
    shutil.copy(ROOT / "services" / "echo" / "service.py", echo)
    (echo / "service.toml").write_text(
        f'namespace = "urn:wsprovider:echo"\npath = "{ECHO}"\nscenario = 1\nusers = "users.toml"\nhttp_basic = true\n'
    )
    by_basic = Policy("HttpBasic", with_http_basic(find(1).policy()).alternatives[1:])
    (folder / "services" / "ledger" / "basic.xml").write_bytes(etree.tostring(write_policy(by_basic)))
    with (folder / "services" / "ledger" / "service.toml").open("a") as file:
        file.write(f'\n[[endpoint]]\npath = "{WITHOUT}"\nscenario = "username-token"\n')
        file.write(f'\n[[endpoint]]\npath = "{ALONE}"\npolicy = "basic.xml"\n')
    with (
        Postgres() as postgres,
        ProviderProcess(folder, environ={"LEDGER_DATABASE": postgres.url}) as running,
    ):
        yield running


def envelope(payload: str, header: str = "") -> bytes:
    """A message without any security of its own."""
    return (
        f'<s:Envelope xmlns:s="{SOAP11}">{header}<s:Body xmlns:l="{NS}">{payload}</s:Body></s:Envelope>'
    ).encode()


ACCOUNTS = envelope("<l:accounts/>")


def curl(
    provider: ProviderProcess,
    *options: str,
    path: str = BRIDGE,
    data: bytes = ACCOUNTS,
    secure: bool = True,
) -> Answer:
    """One POST by curl."""
    marked = provider.logged()
    command = ["curl", "--silent", "--show-error", "--include", "--data-binary", "@-"]
    command += ["--cacert", str(provider.keys / "development" / "ca.pem")]
    command += ["-H", "Content-Type: text/xml; charset=utf-8", *options, provider.url(path, secure=secure)]
    done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=30)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    [line] = provider.requests(marked, 1)
    assert line["status"] == int(first.split()[1])
    return Answer(
        line["status"], headers.get("www-authenticate"), body, line["reason"], line.get("principal")
    )


def basic(credentials: bytes) -> tuple[str, str]:
    """An Authorization header made by hand."""
    return "-H", f"Authorization: Basic {base64.b64encode(credentials).decode()}"


@pytest.fixture
def curled(provider: ProviderProcess) -> ProviderProcess:
    """The provider, where there is curl."""
    if shutil.which("curl") is None:
        pytest.skip("not installed: curl")
    return provider


def test_curl_with_a_user_name(curled: ProviderProcess) -> None:
    """The reply is as plain as the request; the caller is who the user store knows."""
    answer = curl(curled, "--user", "alice:development")
    assert (answer.status, answer.challenge, answer.reason, answer.principal) == (200, None, None, "alice")
    [body] = etree.fromstring(answer.body).iterchildren(f"{{{SOAP11}}}Body")
    assert [child.tag for child in body] == [f"{{{NS}}}accountsResponse"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "BASIC_MISSING"),
        (("--user", "alice:guess"), "PASSWORD_WRONG"),
        (("--user", "nobody:guess"), "USER_UNKNOWN"),
        (("--user", "alice:"), "PASSWORD_MISSING"),
        (("--user", f"alice:{'x' * 600}"), "PASSWORD_TOO_LONG"),
        (basic(b"alice"), "BASIC_MALFORMED"),
        (basic(b":development"), "BASIC_MALFORMED"),
        (basic("jörg:development".encode("latin-1")), "BASIC_MALFORMED"),
        (basic(b"alice:develop\nment"), "BASIC_MALFORMED"),
        (("-H", "Authorization: Bearer abc"), "BASIC_MALFORMED"),
        ((*basic(b"alice:development"), *basic(b"alice:development")), "BASIC_MALFORMED"),
        (("-H", "Authorization: Basic YWxp Y2U="), "BASIC_MALFORMED"),
        (("-H", "Authorization: Basic YWxpY2U6ZGV2ZWxvcG1lbnR="), "MALFORMED_BASE64"),
    ],
)
def test_one_challenge_for_whatever_is_wrong(
    curled: ProviderProcess, options: tuple[str, ...], reason: str
) -> None:
    """401, the same challenge and the same bytes, whether credentials are missing, malformed or wrong."""
    missing = curl(curled)
    answer = curl(curled, *options)
    assert answer.reason == reason
    assert answer[:3] == missing[:3]
    assert answer.status == 401
    assert answer.challenge == 'Basic realm="ledger/username-token", charset="UTF-8"'
    assert curl(curled, *basic(b"alice:development")).status == 200


def test_nothing_in_clear(curled: ProviderProcess) -> None:
    """Over plain HTTP the header counts for nothing, and nobody is asked for it."""
    for options in ((), ("--user", "alice:development")):
        answer = curl(curled, *options, secure=False)
        assert (answer.status, answer.challenge, answer.reason) == (500, None, "TRANSPORT")
    assert curl(curled, "--user", "alice:development").status == 200


@pytest.mark.parametrize("path", [WITHOUT, SEALED])
def test_off_unless_turned_on(curled: ProviderProcess, path: str) -> None:
    """Other endpoints neither take the header nor ask for it."""
    for options in ((), ("--user", "alice:development"), ("-H", "Authorization: Bearer abc")):
        answer = curl(curled, *options, path=path)
        assert (answer.status, answer.challenge, answer.reason) == (500, None, "NO_SECURITY_HEADER")
    assert curl(curled, "--user", "alice:development").status == 200


def python_client(provider: ProviderProcess, password: str = "development") -> zeep.Client:
    """zeep by HTTP Basic: as its documentation has it."""
    session = requests.Session()
    session.trust_env = False  # a CA or a netrc of the machine would go before what is said here
    session.verify = str(provider.keys / "development" / "ca.pem")
    session.auth = requests.auth.HTTPBasicAuth("alice", password)
    return zeep.Client(provider.url(f"{BRIDGE}?wsdl", secure=True), transport=zeep.Transport(session=session))


def java(
    cxf: JavaPeer, provider: ProviderProcess, operation: str, payload: str, **more: Any
) -> dict[str, Any]:
    """CXF, led by the WSDL."""
    path = more.pop("path", BRIDGE)
    properties = {**SHA2, **more.pop("more_properties", {})}
    return cxf.call(
        cmd="cxf-call",
        wsdl=provider.url(f"{path}?wsdl", secure=path != SEALED),
        url=provider.url(path, secure=path != SEALED),
        action=f"{NS}/{operation}",
        payload=f'<l:{operation} xmlns:l="{NS}">{payload}</l:{operation}>',
        **{**provider.client(), "properties": properties, **more},
    )


def test_one_ledger_by_three_ways(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """What zeep books by HTTP Basic, CXF reads signed and encrypted, with a UsernameToken, and by HTTP Basic."""
    service = python_client(provider).service
    bank, ann = (service.open(owner, Decimal(100)).number for owner in ("bank", "Ann Özil"))
    booked = service.transfer(
        {
            "debit": bank,
            "credit": ann,
            "amount": Decimal("12.34"),
            "value_date": "2031-02-03",
            "text": "für Ann",
        }
    )
    assert (booked.author, booked.amount) == ("alice", Decimal("12.34"))
    number = f"<l:number>{ann}</l:number>"
    nobody = {"username": None, "password": None}
    for ways in (
        {"path": SEALED},
        {"path": WITHOUT},
        {"maximal": True},
        {"more_properties": BASIC, **nobody},
    ):
        told = java(cxf, provider, "statement", number, **ways)
        assert told["ok"], (ways, told)
        statement = etree.fromstring(told["response"])
        for name, value in (("after", "12.34"), ("value_date", "2031-02-03"), ("text", "für Ann")):
            assert statement.findtext(f".//{{{NS}}}{name}") == value


def test_a_fault_of_the_service_undoes_what_was_booked(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """Of several transfers the last is not covered: none is booked, whichever way it came by."""
    service = python_client(provider).service
    bank, ann = (service.open(owner, Decimal(10)).number for owner in ("bank", "ann"))
    order = (
        "<l:NewTransfer><l:debit>{}</l:debit><l:credit>{}</l:credit><l:amount>{}</l:amount></l:NewTransfer>"
    )
    orders = "".join(order.format(*one) for one in ((bank, ann, 10), (ann, bank, 25)))
    for ways in ({"path": SEALED}, {"more_properties": BASIC}):
        told = java(cxf, provider, "transfer_all", f"<l:orders>{orders}</l:orders>", **ways)
        assert not told["ok"]
        assert told["fault"]["reason"] == f"Account {ann} has 20.00 to spend."
        assert service.account(ann).balance == 0
    with pytest.raises(zeep.exceptions.Fault, match=r"has 10\.00 to spend"):
        service.transfer({"debit": bank, "credit": ann, "amount": Decimal("10.01")})
    assert service.transfer({"debit": bank, "credit": ann, "amount": Decimal(10)}).number


def test_both_workers_and_many_threads_keep_one_ledger(provider: ProviderProcess) -> None:
    """Transfers at once, by new connections that either worker may take: no cent is lost."""
    service = python_client(provider).service
    bank, ann = (service.open(owner, Decimal(1000)).number for owner in ("bank", "ann"))

    def book(_: int) -> None:
        own = python_client(provider).service
        for _ in range(5):
            own.transfer({"debit": bank, "credit": ann, "amount": Decimal("0.05")})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(book, range(4)))
    assert [service.account(one).balance for one in (bank, ann)] == [Decimal("-1.00"), Decimal("1.00")]


def test_metro_takes_the_first_alternative(metro: JavaPeer, provider: ProviderProcess) -> None:
    """Metro goes on with its UsernameToken at an endpoint with the bridge."""
    wsdl = provider.url(f"{ECHO}?wsdl", secure=True)
    told = metro.call(cmd="metro-call", wsdl=wsdl, text="Grüße", **provider.client())
    assert told.get("text") == "Grüße", told
    wrong = metro.call(cmd="metro-call", wsdl=wsdl, text="x", **{**provider.client(), "password": "guess"})
    assert not wrong["ok"]
    assert provider.requests(0)[-1]["reason"] == "PASSWORD_WRONG"


def test_zeep_with_a_wrong_password(provider: ProviderProcess) -> None:
    """zeep tells the status; with the right one it is answered."""
    wrong = python_client(provider, "guess").service
    with pytest.raises((zeep.exceptions.Fault, zeep.exceptions.TransportError)):
        wrong.accounts()
    assert provider.requests(0)[-1]["reason"] == "PASSWORD_WRONG"
    assert python_client(provider).service.accounts() is not None


def command(provider: ProviderProcess, *words: str, password: str = "development") -> tuple[int, str, str]:
    """``wsprovider``, in a process of its own."""
    environ = {
        "WSPROVIDER_PASSWORD": password,
        "WSPROVIDER_SERVICES": str(provider.services),
        "WSPROVIDER_KEYS": str(provider.keys),
        "LEDGER_DATABASE": "sqlite://",
    }
    done = subprocess.run(
        [sys.executable, "-m", "wsprovider", *words],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_call(provider: ProviderProcess) -> None:
    """Without --basic a UsernameToken, with it HTTP Basic; only where the policy has it."""
    folder = provider.keys / "development"

    def call(path: str, *more: str, password: str = "development") -> tuple[int, str, str]:
        return command(
            provider,
            *("call", provider.url(f"{path}?wsdl", secure=True), "open", "owner=bank", "overdraft=1000.00"),
            *("--user", "alice"),
            *("--ca", str(folder / "ca.pem"), "--client", str(folder / "client-1.p12")),
            *("--service-certificate", str(folder / "service.cert.pem"), *more),
            password=password,
        )

    for options in ((), ("--basic",)):
        code, said, complaint = call(BRIDGE, *options)
        assert code == 0, complaint
        assert "overdraft>1000.00<" in said
    code, said, _ = call(BRIDGE, "--basic", password="guess")
    assert code == 1
    assert "was not accepted" in said
    code, _, complaint = call(WITHOUT, "--basic")
    assert code != 0
    assert "leave --basic out" in complaint


@pytest.mark.parametrize("path", [BRIDGE, ALONE])
def test_attack(provider: ProviderProcess, path: str) -> None:
    """The self-test of an endpoint with the bridge, or with HTTP Basic alone, has no findings."""
    code, said, complaint = command(
        provider,
        "attack",
        provider.url(path, secure=True),
        "accounts",
        "--service",
        "ledger",
        "--rate",
        "200",
    )
    assert code == 0, said + complaint


def test_explain(provider: ProviderProcess, tmp_path: Path) -> None:
    """A dump with its headers is explained by the alternative that it meets."""

    def explain(*headers: str) -> tuple[int, str]:
        dump = tmp_path / "request.txt"
        lines = [f"POST {BRIDGE} HTTP/1.1", "Content-Type: text/xml; charset=utf-8", *headers, "", ""]
        dump.write_bytes("\r\n".join(lines).encode() + ACCOUNTS)
        code, said, complaint = command(provider, "explain", str(dump), "--service", "ledger")
        assert not complaint
        return code, said

    password = base64.b64encode(b"alice:development").decode()
    code, said = explain(f"Authorization: Basic {password}")
    assert code == 0
    assert "by alice (HTTP Basic password)" in said
    assert password not in said
    code, said = explain()
    assert code == 1
    assert "BASIC_MISSING" in said
