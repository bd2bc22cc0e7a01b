"""gSOAP and its plugin wsse, unmodified, with what ``docs/peers/gsoap.md`` tells its users to write."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import xmlsec
from lxml import etree
from zeep.wsse.signature import BinarySignature

from tests.live import gsoap_program
from tests.live.conftest import Matrix
from tests.live.provider import PASSWORD_TOO, SLUGS, ProviderProcess
from tests.live.recorder import Held, Recorder
from tests.live.relay import changing
from wsprovider.words import namespaces as ns

pytestmark = pytest.mark.live
CLIENT = "gSOAP 2.8"
SUITE = "Basic256Sha256"
RSA15 = "Basic256Sha256Rsa15"
"""What gSOAP encrypts by, whatever its messages say."""
SIGNED, ENCRYPTED = f"/echo/{SLUGS['2']}", f"/suite/{RSA15}/{SLUGS['5']}"
_calls = itertools.count()


def another_text() -> str:
    """Never the same: equal calls of one second bear the same signature."""
    return f"Grüße\n <b>&\"' ]]> \u2603 {next(_calls)}"


class Gsoap:
    """gSOAP's client with our development keys."""

    def __init__(self, provider: ProviderProcess, program: Path) -> None:
        self.provider, self._program = provider, program
        self.keys = provider.keys / "development"

    def run(
        self,
        what: str,
        url: str,
        *,
        service: Path | None = None,
        password: str = "development",
        text: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """One call, whatever comes of it; ``gsoap/client.c`` says what may be asked for."""
        certificate = service or self.keys / "service.cert.pem"
        command = [self._program, what, url, self.keys, certificate, "alice", password, text]
        return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)

    def call(self, what: str, path: str, *, secure: bool = False) -> str | None:
        """A call that must succeed; returns whom the service took for the caller."""
        text, marked = another_text(), self.provider.logged()
        done = self.run(what, self.provider.url(path, secure=secure), text=text)
        assert done.returncode == 0, done.stderr
        assert done.stdout == text
        [line] = self.provider.requests(marked, 1)
        principal: str | None = line["principal"]
        return principal

    def refused(self, what: str, path: str, *, secure: bool = False, password: str = "development") -> str:
        """The Reason in the log of a call that must be refused by the service."""
        marked = self.provider.logged()
        url = self.provider.url(path, secure=secure)
        assert self.run(what, url, password=password, text=another_text()).returncode == 1
        [line] = self.provider.requests(marked, 1)
        assert line["fault_code"]
        return str(line["reason"])

    def held(self, recorder: Recorder, what: str, path: str) -> Held:
        """A message that does not reach the service."""
        url = recorder.url(path)
        return recorder.caught(lambda: self.run(what, url, text=another_text()), opening=False, session="")


@pytest.fixture(scope="module")
def gsoap(provider: ProviderProcess) -> Gsoap:
    """The client, once it is built."""
    reason = gsoap_program.missing()
    if reason is not None:
        pytest.skip(reason)
    return Gsoap(provider, gsoap_program.build(provider, SIGNED))


@pytest.fixture(scope="module")
def recorder(provider: ProviderProcess) -> Iterator[Recorder]:
    """What holds messages back."""
    with Recorder(provider.http, provider.keys / "tls") as running:
        yield running


@pytest.mark.parametrize("kind", ["password", "digest"])
def test_password(gsoap: Gsoap, matrix: Matrix, kind: str) -> None:
    """Scenario 1: a password or a digest of it; a wrong one is refused."""
    path = f"/echo/{SLUGS['1']}"
    assert gsoap.call(kind, path, secure=True) == "alice"
    assert gsoap.refused(kind, path, secure=True, password="guess") == "PASSWORD_WRONG"
    matrix.record(CLIENT, SUITE, "1", "1.1")


@pytest.mark.parametrize(
    ("what", "number", "suite", "path"),
    [("certificate", "2", SUITE, SIGNED), ("encrypted", "5", RSA15, ENCRYPTED)],
)
def test_certificate(gsoap: Gsoap, matrix: Matrix, what: str, number: str, suite: str, path: str) -> None:
    """Scenario 2, and 5 in both directions."""
    assert gsoap.call(what, path) == "client-1"
    matrix.record(CLIENT, suite, number, "1.1")


def test_both(gsoap: Gsoap) -> None:
    """A password and a certificate over HTTPS; neither may be missing or wrong."""
    path = f"/sha1/{PASSWORD_TOO}"
    assert gsoap.call("both", path, secure=True) == "alice"
    assert gsoap.refused("both", path, secure=True, password="guess") == "PASSWORD_WRONG"
    assert gsoap.refused("password", path, secure=True) == "TOKEN_MISSING"


def test_what_is_sent(gsoap: Gsoap, recorder: Recorder) -> None:
    """Under scenario 5 a Body that nobody can read."""
    for what, path in (("certificate", SIGNED), ("encrypted", ENCRYPTED)):
        message = gsoap.held(recorder, what, path)
        assert f'"{ns.SOAP11}"'.encode() in message.data
        assert ("Grüße".encode() in message.data) == (what == "certificate")


@pytest.mark.parametrize(
    ("what", "path", "old", "new", "reason"),
    [
        ("certificate", SIGNED, "Grüße", "Grüne", "DIGEST_MISMATCH"),
        ("encrypted", ENCRYPTED, "<wsu:Created>", "<wsu:Created> ", "DIGEST_MISMATCH"),
        ("encrypted", ENCRYPTED, "aes256-cbc", "aes128-cbc", "ALGORITHM_NOT_IN_SUITE"),
    ],
)
def test_changed_message(
    gsoap: Gsoap, recorder: Recorder, what: str, path: str, old: str, new: str, reason: str
) -> None:
    """Changed it is refused; as it was it is accepted once, and then never again."""
    message = gsoap.held(recorder, what, path)
    assert old.encode() in message.data
    provider, marked = gsoap.provider, gsoap.provider.logged()
    assert provider.post(path, message.data.replace(old.encode(), new.encode()))[0] == 500
    assert provider.post(path, message.data)[0] == 200
    assert provider.post(path, message.data)[0] == 500
    assert [line["reason"] for line in provider.requests(marked, 3)] == [reason, None, "REPLAY"]


@pytest.mark.parametrize(("what", "path"), [("certificate", SIGNED), ("encrypted", ENCRYPTED)])
def test_equal_calls(gsoap: Gsoap, what: str, path: str) -> None:
    """Two in one second are a replay: whole seconds in the Timestamp, and Ids that are always the same.

    gSOAP tells that the fault is not signed, not what it says.
    """
    text, marked, url = another_text(), gsoap.provider.logged(), gsoap.provider.url(path)
    ended = [gsoap.run(what, url, text=text)]
    while ended[-1].returncode == 0:
        assert len(ended) < 20
        ended.append(gsoap.run(what, url, text=text))
    assert "Signature with SignedInfo required" in ended[-1].stderr
    reasons = [line["reason"] for line in gsoap.provider.requests(marked, len(ended))]
    assert reasons == [*[None for _ in ended[1:]], "REPLAY"]
    assert ended[1:]


def test_key_transport(gsoap: Gsoap) -> None:
    """With ``SOAP_MEC_OAEP`` the message says OAEP, and RSA 1.5 is what encrypted the key."""
    reason = gsoap.refused("oaep", f"/suite/{SUITE}/{SLUGS['5']}")
    assert reason in {"DECRYPTION", "DECRYPTED_STRUCTURE"}  # by what comes out of a wrong decryption
    assert gsoap.call("encrypted", ENCRYPTED) == "client-1"


def _another_text(envelope: etree._Element) -> None:
    envelope.find(".//{urn:wsprovider:echo}text").text = "another"


def _moved(envelope: etree._Element) -> None:
    """The signed Body goes into the header, and another one takes its place."""
    header, body = envelope
    envelope.append(etree.fromstring(etree.tostring(body)))
    envelope[-1].set(f"{{{ns.WSU}}}Id", "another")
    _another_text(envelope[-1])
    header.append(body)


def _stamped(envelope: etree._Element) -> None:
    """Another Timestamp in the place of the signed one, which stays in the header."""
    stamp = envelope.find(f".//{{{ns.WSU}}}Timestamp")
    another = etree.fromstring(etree.tostring(stamp))
    another.set(f"{{{ns.WSU}}}Id", "another")
    stamp.getparent().insert(0, another)
    envelope[0].append(stamp)


def _unsigned(envelope: etree._Element) -> None:
    envelope.remove(envelope[0])


@pytest.mark.parametrize("change", [_another_text, _moved, _stamped, _unsigned])
def test_changed_reply(gsoap: Gsoap, change: Callable[[etree._Element], None]) -> None:
    """gSOAP refuses a reply that is not what the service signed, and takes it as it was."""

    def changed(reply: bytes) -> bytes:
        envelope = etree.fromstring(reply)
        change(envelope)
        return etree.tostring(envelope)

    with changing(gsoap.provider, changed) as base:
        done = gsoap.run("certificate", base + SIGNED, text=another_text())
    assert done.returncode == 1, done.stdout
    with changing(gsoap.provider, bytes) as base:
        text = another_text()
        assert gsoap.run("certificate", base + SIGNED, text=text).stdout == text


def test_reply_with_a_certificate(gsoap: Gsoap) -> None:
    """Signed anew by another of the authority's certificates, which the reply brings: refused by the page's check.

    The plugin alone takes it.
    """
    pair = (str(gsoap.keys / "client-2.key.pem"), str(gsoap.keys / "client-2.cert.pem"))
    sha2 = {"signature_method": xmlsec.Transform.RSA_SHA256, "digest_method": xmlsec.Transform.SHA256}

    def signed(reply: bytes) -> bytes:
        envelope = etree.fromstring(reply)
        _another_text(envelope)
        signature = envelope.find(f".//{{{ns.DS}}}Signature")
        signature.getparent().remove(signature)
        BinarySignature(*pair, **sha2).apply(envelope, {})
        return etree.tostring(envelope)

    with changing(gsoap.provider, signed) as base:
        done = gsoap.run("certificate", base + SIGNED, text=another_text())
        assert "signed by a certificate that it brings" in done.stderr
        assert gsoap.run("unchecked", base + SIGNED, text=another_text()).stdout == "another"


def test_reply_by_another(gsoap: Gsoap) -> None:
    """A reply that somebody else signed is refused by gSOAP, after the call was carried out."""
    marked = gsoap.provider.logged()
    done = gsoap.run(
        "certificate",
        gsoap.provider.url(SIGNED),
        service=gsoap.keys / "client-2.cert.pem",
        text=another_text(),
    )
    assert done.returncode == 1
    assert [line["reason"] for line in gsoap.provider.requests(marked, 1)] == [None]
    assert "invalid" in done.stderr
    assert gsoap.call("certificate", SIGNED) == "client-1"
