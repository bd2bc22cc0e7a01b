"""``wsprovider explain`` on a site as it is served, with what clients of it send."""

import io
import logging
import os
import re
import shutil
import stat
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from tests.simulator.talk import Talk
from tests.simulator.world import ECHO, echo_body
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.cli.main import main, parser
from wsprovider.exchange.initiator import Initiator
from wsprovider.explain.advice import advice as advice_of
from wsprovider.keyring.material import KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.server.application import Provider
from wsprovider.server.create import create_app
from wsprovider.soap.version import SOAP_11
from wsprovider.words import namespaces as ns
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = ("1", "2", "5", "6", "8", "15")
CANARY = "canary-of-the-body"


@dataclass
class Site:
    """A services folder, its keys, and a worker that serves it."""

    folder: Path
    worker: Provider

    def post(self, path: str, data: bytes, action: str = "echo") -> bytes:
        headers = {"SOAPAction": f'"{action}"'}
        return (
            Client(self.worker)
            .post(path, data=data, content_type="text/xml; charset=utf-8", headers=headers)
            .data
        )

    def request(self, scenario: str, *, now: datetime | None = None, text: str = CANARY) -> bytes:
        """What a client with development keys sends."""
        folder = self.folder / "keys" / "development"
        key, certificate, chain = load_bundle((folder / "client-1.p12").read_bytes(), b"development")
        (service, *_) = load_certificates((folder / "service.cert.pem").read_bytes())
        ring = Ring("client", (RingKey(KeyPair("client", certificate, key, chain), frozenset(Purpose)),))
        snapshot = RingSnapshot(
            ring, Trust((PinnedGroup("service", (Partner("service", (service,)),)),), Limits()), "1"
        )
        initiator = Initiator(
            find(scenario).policy(),
            "client",
            keys=lambda: snapshot,
            clock=lambda: now or datetime.now(UTC),
            entropy=os.urandom,
            credentials=Credentials("alice", "development"),
            partner="service",
        )
        return initiator.request(echo_body(SOAP_11, text), version=SOAP_11).data

    def write(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    def explain(self, *words: object, path: str | None = None) -> int:
        folders = ["--services", self.folder / "services", "--keys", self.folder / "keys"]
        given = [*words, "--service", "echo", *(["--path", path] if path else []), *folders]
        return main(["explain", *(str(one) for one in given)])


@pytest.fixture(scope="module")
def site(tmp_path_factory, development_keys):
    """One site for all tests: nothing that the command does may change it."""
    folder = tmp_path_factory.mktemp("explained")
    shutil.copytree(development_keys, folder / "keys")
    service = folder / "services" / "echo"
    service.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", service)
    endpoints = "".join(f'[[endpoint]]\npath = "/{one}"\nscenario = "{one}"\n' for one in SCENARIOS)
    settings = 'namespace = "urn:wsprovider:echo"\ntrust = ["clients"]\nusers = "users.toml"\n'
    (service / "service.toml").write_text(settings + endpoints)
    worker = create_app(folder / "services", keys=folder / "keys", environ={})
    yield Site(folder, worker)
    worker.close()


# requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["1", "2", "5", "6", "8"])
def test_a_genuine_request_is_accepted_and_still_is_by_the_server(site, scenario, capsys):
    request = site.request(scenario)
    assert site.explain(site.write("request.xml", request), path=f"/{scenario}") == 0
    said = capsys.readouterr().out
    assert said.startswith("Accepted as a call of echo by ")
    assert f"echo, /{scenario}: " in said
    assert "now" in said
    if scenario != "1":  # which wants TLS
        assert b"Fault" not in site.post(f"/{scenario}", request)
    assert site.explain(site.folder / "request.xml", path=f"/{scenario}") == 0


def test_partners_are_known(site, capsys):
    request = site.write("request.xml", site.request("5"))
    file = site.folder / "keys" / "partners.toml"
    file.write_text('[acme]\ncertificates = ["clients/client-1"]\noperations = ["echo:other"]\n')
    try:
        assert site.explain(request, path="/5") == 1
        assert "PARTNER_OPERATION" in capsys.readouterr().out
        file.write_text('[acme]\ncertificates = ["clients/client-1"]\n')
        assert site.explain(request, path="/5") == 0
        assert "by acme (certificate)" in capsys.readouterr().out
    finally:
        file.unlink()


def test_a_request_that_was_changed_is_refused(site, capsys):
    request = site.request("2").replace(CANARY.encode(), b"other")
    assert site.explain(site.write("changed.xml", request), path="/2") == 1
    said = capsys.readouterr().out
    assert said.startswith("Refused, DIGEST_MISMATCH: something is not what was signed (Body-")
    assert "at /Envelope/Body line 1, column " in said.splitlines()[0]


def test_what_standard_input_holds_is_explained(site, capsys, monkeypatch):
    class Input:
        buffer = io.BytesIO(site.request("2"))

    monkeypatch.setattr(sys, "stdin", Input)
    assert site.explain("-", path="/2") == 0
    assert capsys.readouterr().out.startswith("Accepted")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_dump_says_path_action_and_type(site, capsys, end):
    request = site.request("2")
    head = [
        "POST /2?x HTTP/1.1",
        "Host: localhost",
        "Content-Type: text/xml; charset=utf-8",
        'SOAPAction: "echo"',
        "",
        "",
    ]
    assert site.explain(site.write("dump.txt", end.join(head).encode() + request)) == 0
    wrong = end.join(head).replace("text/xml", "application/soap+xml")
    assert site.explain(site.write("dump.txt", wrong.encode() + request)) == 1
    assert "Refused, SOAP_VERSION" in capsys.readouterr().out
    assert site.explain(site.folder / "dump.txt", "--content-type", "text/xml") == 0
    assert site.explain(site.folder / "dump.txt", "--content-type", "text/plain") == 1
    assert "CONTENT_TYPE" in capsys.readouterr().err
    chunked = end.join(head).replace("Host:", "Transfer-Encoding: chunked\nHost:")
    assert site.explain(site.write("dump.txt", chunked.encode() + request)) == 2
    assert "save the body by itself" in capsys.readouterr().err


def test_the_clock_is_what_is_said(site, capsys):
    made = datetime.now(UTC) - timedelta(hours=5)
    file = site.write("old.xml", site.request("2", now=made))
    assert site.explain(file, path="/2") == 1
    assert "--at message" in capsys.readouterr().out
    assert site.explain(file, "--at", "message", path="/2") == 0
    assert "when the message says it was made" in capsys.readouterr().out
    assert site.explain(file, "--at", made.isoformat(), path="/2") == 0
    assert "as --at says" in capsys.readouterr().out
    assert site.explain(site.write("none.xml", b"<x/>"), "--at", "message", path="/2") == 1
    assert "Timestamp cannot be read" in capsys.readouterr().out


def test_the_transport_is_what_is_said(site, capsys):
    file = site.write("request.xml", site.request("1"))
    assert site.explain(file, path="/1") == 0
    assert "TLS (as the policy wants it)" in capsys.readouterr().out
    assert site.explain(file, "--plain", path="/1") == 1
    assert "Refused, TRANSPORT" in capsys.readouterr().out
    assert site.explain(file, "--tls", path="/1") == 0


def test_the_action_is_what_is_said(site, capsys):
    file = site.write("request.xml", site.request("2"))
    assert site.explain(file, "--action", f"{ns.WST_200512}/RST/SCT", path="/2") == 1
    assert "Refused, ACTION_MISMATCH" in capsys.readouterr().out
    assert site.explain(file, "--action", f"{ECHO}/echo", path="/2") == 0


def test_a_conversation_is_looked_up_in_the_store_of_the_server(site, capsys):
    sent: list[bytes] = []

    def post(data: bytes, action: str) -> bytes:
        sent.append(data)
        return site.post("/15", data, action)

    talk = Talk("15", "http://localhost/15", post, site.folder / "keys")
    talk.open()
    assert site.explain(site.write("call.xml", site_call(talk)), path="/15") == 0
    said = capsys.readouterr().out
    assert "Accepted as a call of echo by alice" in said
    assert talk.identifier in said
    assert talk.call() == "hello"  # nothing was used up
    assert site.explain(site.write("asking.xml", sent[0]), path="/15") == 0
    assert "bootstrap policy" in capsys.readouterr().out
    talk.end()
    assert site.explain(site.folder / "call.xml", path="/15") == 1
    assert "Refused, CONTEXT_UNKNOWN" in capsys.readouterr().out


def site_call(talk: Talk) -> bytes:
    return talk.session.request(echo_body(SOAP_11, CANARY), version=SOAP_11).data


@pytest.mark.parametrize(
    ("terminal", "variable", "coloured"), [(True, None, True), (True, "1", False), (False, None, False)]
)
def test_colours_are_for_terminals(site, capsys, monkeypatch, terminal, variable, coloured):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable is not None:
        monkeypatch.setenv("NO_COLOR", variable)
    site.explain(site.write("request.xml", site.request("2")), path="/2")
    assert ("\x1b[" in capsys.readouterr().out) == coloured


# replies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["2", "5", "6", "8"])
def test_a_reply_is_examined_as_its_client_does(site, scenario, capsys):
    request = site.request(scenario)
    asked = site.write("request.xml", request)
    reply = site.write("reply.xml", site.post(f"/{scenario}", request))
    client = ["--client", site.folder / "keys" / "development" / "client-1.p12"]
    assert site.explain(reply, "--request", asked, *client, path=f"/{scenario}") == 0
    said = capsys.readouterr().out
    assert said.startswith("Accepted as the reply to this request.")
    assert "its request" in said
    code = site.explain(reply, "--request", asked, path=f"/{scenario}")
    said = capsys.readouterr().out
    assert (code, "--client FILE.p12" in said) == ((1, True) if scenario == "5" else (0, False))


# secrets, files, mistakes --------------------------------------------------------------------------


def test_secrets_are_shown_with_the_flag_only_and_a_page_is_private(site, capsys, caplog):
    file, html = site.write("request.xml", site.request("8")), site.folder / "report.html"
    with caplog.at_level(logging.DEBUG):
        assert site.explain(file, "--html", html, path="/8") == 0
        printed = capsys.readouterr()
        for written in (printed.out, printed.err, html.read_text(), caplog.text):
            assert CANARY not in written
            assert "password's value" not in written
        assert stat.S_IMODE(html.stat().st_mode) == 0o600
        assert etree.fromstring(html.read_text().removeprefix("<!DOCTYPE html>\n")).tag == "html"
        assert site.explain(file, "--show-content", path="/8") == 0
    shown = capsys.readouterr().out
    assert CANARY in shown
    assert "password's value: development" in shown
    assert shown.startswith("What follows holds decrypted content and passwords")
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.xml", "--service", "echo", "--path", "/2"], "nowhere.xml: cannot be read: No such file"),
        (["FILE", "--service", "other"], "there is no service 'other'; there are: echo"),
        (["FILE", "--service", "echo"], "--path: name one of: /1, /2, /5, /6, /8, /15"),
        (["FILE", "--service", "echo", "--path", "/9"], "'echo' has no '/9'; it has: /1, /2"),
        (["FILE", "--service", "echo", "--path", "/2", "--client", "x.p12"], "--client: is for replies"),
        (["FILE", "--service", "echo", "--path", "/2", "--tls-client", "x.pem"], "--tls-client: "),
        (
            ["FILE", "--service", "echo", "--path", "/2", "--request", "FILE", "--client", "x.p12"],
            "--client: ",
        ),
    ],
)
def test_a_mistake_is_told_and_gives_2(site, capsys, words, said):
    file = site.write("request.xml", site.request("2"))
    folders = ["--services", str(site.folder / "services"), "--keys", str(site.folder / "keys")]
    assert main(["explain", *(file if word == "FILE" else word for word in words), *folders]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["keys", "trust", "add", "FILE", "--partner", "NAME"],
        ["users", "list"],
        ["users", "add", "NAME"],
    ],
    ids=" ".join,
)
def test_what_a_report_says_to_do_is_a_command(words):
    advised = " ".join(advice for reason in Reason for advice in advice_of(reason, None))
    assert f"wsprovider {' '.join(words)}" in advised
    assert parser().parse_args(words).run


# the handbook --------------------------------------------------------------------------------------


def _in_general(text: str) -> str:
    """Without what differs from one message to the next."""
    text = re.sub(r"(signed|computed): [A-Za-z0-9+/]{20,}=*", r"\1: #", text)
    text = re.sub(r"[0-9a-f]{12,}", "#", text)
    return re.sub(r"\d+", "0", text)


def test_the_handbook_shows_what_the_command_says(site, capsys):
    request = site.request("2", text="hello").replace(b"hello", b"HELLO")
    assert site.explain(site.write("request.xml", request), "--at", "message", path="/2") == 1
    said = capsys.readouterr().out
    page = (ROOT / "docs" / "explain.md").read_text()
    sample = page.partition("```text\n")[2].partition("```")[0]
    assert _in_general(sample) == _in_general(said)


def test_the_handbook_tells_each_option():
    page = (ROOT / "docs" / "explain.md").read_text()
    for option in ("--path", "--request", "--client", "--at", "--tls", "--plain", "--tls-client", "--action"):
        assert f"`{option}" in page
    for option in ("--content-type", "--html", "--show-content"):
        assert f"`{option}" in page
