"""zeep, unmodified, with what ``docs/peers/zeep.md`` tells its users to write."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import xmlsec
import zeep
from lxml import etree
from zeep.exceptions import Fault, SignatureVerificationFailed
from zeep.wsse.compose import Compose
from zeep.wsse.signature import BinarySignature, Signature
from zeep.wsse.username import UsernameToken

from tests.live.conftest import Matrix
from tests.live.pages import block
from tests.live.provider import PASSWORD_TOO, SLUGS, ProviderProcess
from wsprovider.words import namespaces as ns

pytestmark = pytest.mark.live
CLIENT = "zeep 4.3"
SUITE = "Basic256Sha256"
TEXT = "Grüße\n <b>&\"' ]]> \u2603"
PORTS = {"1.1": "EchoSoap11", "1.2": "EchoSoap12"}
SHA2 = {"signature_method": xmlsec.Transform.RSA_SHA256, "digest_method": xmlsec.Transform.SHA256}


def module(name: str) -> ModuleType:
    """A block of the page as a module."""
    made = ModuleType(name)
    exec(compile(block("zeep", name), f"docs/peers/zeep.md: {name}", "exec"), made.__dict__)
    return made


@pytest.fixture(scope="module")
def page() -> Iterator[ModuleType]:
    """The functions of the page, above the module they import."""
    with pytest.MonkeyPatch.context() as here:
        here.setitem(sys.modules, "security", module("security"))
        yield module("clients")


class Party:
    """Clients of the page's making with our development keys."""

    def __init__(self, page: ModuleType, provider: ProviderProcess) -> None:
        self.page, self.provider = page, provider
        folder = provider.keys / "development"
        self.ca, self.service = str(folder / "ca.pem"), str(folder / "service.cert.pem")
        self.pair = str(folder / "client-1.key.pem"), str(folder / "client-1.cert.pem")

    def wsdl(self, path: str, *, secure: bool = False) -> str:
        """Where the WSDL of an endpoint is."""
        return self.provider.url(f"{path}?wsdl", secure=secure)

    def by_password(self, password: str = "development", **more: Any) -> zeep.Client:
        """Scenario 1."""
        wsdl = self.wsdl(f"/echo/{SLUGS['1']}", secure=True)
        return self.page.by_password(wsdl, self.ca, "alice", password, **more)

    def by_certificate(self) -> zeep.Client:
        """Scenario 2."""
        return self.page.by_certificate(self.wsdl(f"/echo/{SLUGS['2']}"), *self.pair, self.service)

    def by_both(self, password: str = "development") -> zeep.Client:
        """A password and a certificate."""
        wsdl = self.wsdl(f"/sha1/{PASSWORD_TOO}", secure=True)
        return self.page.by_both(wsdl, self.ca, "alice", password, *self.pair)

    def plain(self, path: str, wsse: Any, *, secure: bool = False) -> zeep.Client:
        """zeep without the page's classes."""
        transport = zeep.Transport(session=self.page.session(self.ca))
        return zeep.Client(self.wsdl(path, secure=secure), wsse=wsse, transport=transport)

    def refused(self, call: Callable[[], object]) -> str:
        """The Reason that the log tells of a call which must be refused by the service."""
        marked = self.provider.logged()
        with pytest.raises((Fault, SignatureVerificationFailed)):
            call()
        [line] = self.provider.requests(marked, 1)
        assert line["fault_code"]
        return str(line["reason"])


@pytest.fixture(scope="module")
def party(page: ModuleType, provider: ProviderProcess) -> Party:
    """Who calls."""
    return Party(page, provider)


def bend(client: zeep.Client, change: Callable[[bytes], bytes]) -> list[bytes]:
    """Have a client's messages changed on their way; returns what it wrote before that."""
    genuine: list[bytes] = []
    post = client.transport.post

    def bent(address: str, message: bytes, headers: dict[str, str]) -> Any:
        genuine.append(message)
        return post(address, change(message), headers)

    client.transport.post = bent
    return genuine


@pytest.mark.parametrize("soap", list(PORTS))
@pytest.mark.parametrize("digest", [False, True], ids=["password", "digest"])
def test_password(party: Party, matrix: Matrix, digest: bool, soap: str) -> None:
    """Scenario 1: a password or a digest of it; a wrong one is refused."""
    service = party.by_password(digest=digest).bind("EchoService", PORTS[soap])
    assert service.echo(TEXT) == TEXT
    wrong = party.by_password("guess", digest=digest).bind("EchoService", PORTS[soap])
    assert party.refused(lambda: wrong.echo(TEXT)) == "PASSWORD_WRONG"
    matrix.record(CLIENT, SUITE, "1", soap)


@pytest.mark.parametrize("soap", list(PORTS))
def test_certificate(party: Party, matrix: Matrix, soap: str) -> None:
    """Scenario 2: Timestamp and Body signed, and so is the reply; calls that are alike are no replays."""
    service = party.by_certificate().bind("EchoService", PORTS[soap])
    assert service.echo(TEXT) == TEXT
    assert service.echo(TEXT) == TEXT
    matrix.record(CLIENT, SUITE, "2", soap)


def test_changed_body(party: Party) -> None:
    """A changed Body is refused, and zeep tells the fault; the message as it was is accepted afterwards."""
    client = party.by_certificate()
    genuine = bend(client, lambda message: message.replace(b">hello<", b">hullo<"))
    assert party.refused(lambda: client.service.echo("hello")) == "DIGEST_MISMATCH"
    with pytest.raises(Fault, match="was not accepted"):
        client.service.echo("hello")
    assert party.provider.post(f"/echo/{SLUGS['2']}", genuine[0])[0] == 200


def test_both(party: Party) -> None:
    """A password and a certificate over HTTPS; neither may be missing or wrong."""
    marked = party.provider.logged()
    assert party.by_both().service.echo(TEXT) == TEXT
    assert [line["principal"] for line in party.provider.requests(marked, 1)] == ["alice"]
    assert party.refused(lambda: party.by_both("guess").service.echo(TEXT)) == "PASSWORD_WRONG"
    client = party.by_both()
    client.wsse = Compose(client.wsse.wsse_objects[:2])
    assert party.refused(lambda: client.service.echo(TEXT)) == "TOKEN_MISSING"


def test_as_it_is(party: Party) -> None:
    """What zeep does without the page, and why that is not enough."""
    path = f"/echo/{SLUGS['2']}"
    stamp = sys.modules["security"].Timestamp()
    alone = party.plain(f"/echo/{SLUGS['1']}", UsernameToken("alice", "development"), secure=True)
    assert party.refused(lambda: alone.service.echo(TEXT)) == "TIMESTAMP_MISSING"
    for wsse, reason in (
        (BinarySignature(*party.pair), "ALGORITHM_NOT_IN_SUITE"),
        (BinarySignature(*party.pair, **SHA2), "LAYOUT"),
        (Signature(*party.pair, **SHA2), "MALFORMED_REFERENCE"),
    ):
        client = party.plain(path, Compose([stamp, wsse]))
        assert party.refused(lambda client=client: client.service.echo(TEXT)) == reason
    assert party.by_certificate().service.echo(TEXT) == TEXT


def _other_text(envelope: etree._Element) -> None:
    envelope.find(".//{urn:wsprovider:echo}text").text = "another"


def _moved(envelope: etree._Element) -> None:
    """The signed Body goes into the header, and another one takes its place."""
    header, body = envelope
    envelope.append(etree.fromstring(etree.tostring(body)))
    del envelope[-1].attrib[f"{{{ns.WSU}}}Id"]
    _other_text(envelope[-1])
    header.append(body)


def _unsigned(envelope: etree._Element) -> None:
    envelope.remove(envelope[0])


def _false_fault(envelope: etree._Element) -> None:
    """Not signed, and beside the answer what looks like a fault; zeep reads the answer."""
    _unsigned(envelope)
    etree.SubElement(envelope[0], "{urn:another}Fault")


def _second_body(envelope: etree._Element) -> None:
    """What was signed comes last, and zeep would read the first."""
    another = etree.fromstring(etree.tostring(envelope[1]))
    del another.attrib[f"{{{ns.WSU}}}Id"]
    envelope.insert(1, another)


@pytest.mark.parametrize("change", [_other_text, _moved, _unsigned, _false_fault, _second_body])
def test_changed_reply(party: Party, change: Callable[[etree._Element], None]) -> None:
    """``Signed`` refuses a reply whose Body is not what was signed; zeep alone takes one that was moved."""
    client = party.by_certificate()
    replies: list[bytes] = []
    post = client.transport.post

    def bent(address: str, message: bytes, headers: dict[str, str]) -> Any:
        response = post(address, message, headers)
        replies.append(response.content)
        envelope = etree.fromstring(response.content)
        change(envelope)
        response._content = etree.tostring(envelope)
        return response

    client.transport.post = bent
    with pytest.raises(SignatureVerificationFailed):
        client.service.echo("hello")
    envelope = etree.fromstring(replies[0])
    client.wsse.verify(envelope)
    if change is _moved:
        _moved(envelope)
        client.wsse.service.verify(envelope)
