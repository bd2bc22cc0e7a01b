"""node-soap, unmodified, with what ``docs/peers/node-soap.md`` tells its users to write."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.live import node_program
from tests.live.conftest import Matrix
from tests.live.provider import PASSWORD_TOO, SLUGS, ProviderProcess
from tests.live.relay import changing
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns

pytestmark = pytest.mark.live
CLIENT = "node-soap 1.13"
SUITE = "Basic256Sha256"
UNSECURED = (
    f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body><echoResponse xmlns="urn:wsprovider:echo"><text>another</text>'
    "</echoResponse></s:Body></s:Envelope>"
).encode()
_calls = itertools.count()


def another_text() -> str:
    """Never the same: equal calls of one second bear the same signature."""
    return f"Grüße\n <b>&\"' ]]> \u2603 {next(_calls)}"


class Node:
    """node-soap with our development keys."""

    def __init__(self, provider: ProviderProcess, folder: Path) -> None:
        self.provider, self._folder = provider, folder
        keys = provider.keys / "development"
        self._ca = keys / "ca.pem"
        self._pair = keys / "client-1.key.pem", keys / "client-1.cert.pem"

    def _call(
        self, function: str, path: str, *arguments: object, secure: bool, **order: Any
    ) -> dict[str, Any]:
        wsdl = self.provider.url(f"{path}?wsdl", secure=secure)
        order = {"text": another_text(), **order}
        answer = node_program.call(self._folder, function, wsdl, self._ca, *arguments, **order)
        if "endpoint" not in order:
            assert set(answer["texts"]) <= {order["text"]}
        return answer

    def by_password(
        self, password: str = "development", kind: str = "PasswordText", *, soap12: bool = False
    ) -> dict[str, Any]:
        """Scenario 1."""
        path = f"/echo/{SLUGS['1']}"
        return self._call("byPassword", path, "alice", password, kind, soap12, secure=True)

    def by_certificate(self, *, soap12: bool = False, **order: Any) -> dict[str, Any]:
        """Scenario 2."""
        path = f"/echo/{SLUGS['2']}"
        return self._call("byCertificate", path, *self._pair, soap12, secure=False, **order)

    def by_both(self, password: str = "development", **order: Any) -> dict[str, Any]:
        """A password and a certificate."""
        path = f"/sha1/{PASSWORD_TOO}"
        return self._call("byBoth", path, "alice", password, *self._pair, secure=True, **order)

    def as_it_is(self, function: str, path: str, *arguments: object, secure: bool = False) -> str:
        """The Reason why a client without the page's options is refused."""
        marked = self.provider.logged()
        more = {"module": "as_it_is.mjs", "secure": secure}
        answer = self._call(function, path, *arguments[:-1], *self._pair, arguments[-1], **more)
        assert answer["texts"] == []
        [line] = self.provider.requests(marked, 1)
        return str(line["reason"])


@pytest.fixture(scope="module")
def node(provider: ProviderProcess) -> Node:
    """The client, once it is installed."""
    reason = node_program.missing()
    if reason is not None:
        pytest.skip(reason)
    return Node(provider, node_program.install())


def envelope(soap: str) -> str:
    """What an envelope of this version begins with, as node-soap writes it."""
    return f'<soap:Envelope xmlns:soap="{ns.SOAP11 if soap == "1.1" else ns.SOAP12}"'


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("kind", ["PasswordText", "PasswordDigest"])
def test_password(node: Node, matrix: Matrix, kind: str, soap: str) -> None:
    """Scenario 1: a password or a digest of it."""
    answer = node.by_password(kind=kind, soap12=soap == "1.2")
    assert answer["texts"], answer
    assert envelope(soap) in answer["request"]
    assert f"#{kind}" in answer["request"]
    matrix.record(CLIENT, SUITE, "1", soap)


@pytest.mark.parametrize("kind", ["PasswordText", "PasswordDigest"])
def test_wrong_password(node: Node, kind: str) -> None:
    """Refused, and the promise is rejected with the fault's text; the right one is accepted."""
    marked = node.provider.logged()
    answer = node.by_password("guess", kind)
    assert answer["texts"] == []
    assert "InvalidSecurity" in answer["fault"]
    assert [line["reason"] for line in node.provider.requests(marked, 1)] == ["PASSWORD_WRONG"]
    assert node.by_password(kind=kind)["texts"]


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_certificate(node: Node, matrix: Matrix, soap: str) -> None:
    """Scenario 2: Timestamp and Body signed."""
    marked = node.provider.logged()
    answer = node.by_certificate(soap12=soap == "1.2")
    assert answer["texts"], answer
    assert envelope(soap) in answer["request"]
    assert [line["principal"] for line in node.provider.requests(marked, 1)] == ["client-1"]
    matrix.record(CLIENT, SUITE, "2", soap)


def test_changed_body(node: Node) -> None:
    """A changed Body is refused; the message as it was is accepted afterwards."""
    marked = node.provider.logged()
    answer = node.by_certificate(text="hello", bend=[">hello<", ">hullo<"])
    assert answer["texts"] == []
    assert [line["reason"] for line in node.provider.requests(marked, 1)] == ["DIGEST_MISMATCH"]
    assert ">hello<" in answer["request"]
    assert node.provider.post(f"/echo/{SLUGS['2']}", answer["request"].encode())[0] == 200


def test_equal_calls(node: Node) -> None:
    """One client may say the same twice. Two clients within one second may not.

    Timestamps are in whole seconds, and each client counts its Ids from 0.
    """
    assert len(node.by_certificate(calls=20)["texts"]) == 20
    marked = node.provider.logged()
    made = len(node.by_certificate(clients=20)["texts"])
    assert 1 <= made < 20
    reasons = [line["reason"] for line in node.provider.requests(marked, made + 1)]
    assert reasons == [*[None] * made, "REPLAY"]


def test_changed_reply(node: Node) -> None:
    """node-soap does not look at the security of a reply, be it changed or gone."""
    path = f"/echo/{SLUGS['2']}"
    for change in (
        lambda reply: reply.replace(b">hello<", b">another<"),
        lambda _: UNSECURED,
    ):
        with changing(node.provider, change) as base:
            assert node.by_certificate(text="hello", endpoint=base + path)["texts"] == ["another"]
    assert node.by_certificate(text="hello again")["texts"] == ["hello again"]


def test_both(node: Node) -> None:
    """A password and a certificate over HTTPS; neither may be wrong."""
    answer = node.by_both()
    assert answer["texts"], answer
    marked = node.provider.logged()
    assert node.by_both("guess")["texts"] == []
    assert node.by_both(bend=["<Created>", "<Created> "])["texts"] == []
    reasons = [line["reason"] for line in node.provider.requests(marked, 2)]
    assert reasons == ["PASSWORD_WRONG", "DIGEST_MISMATCH"]


BY_NAME = {"signerOptions": {"idMode": "wssecurity"}}
LIKE_THE_PAGE = {**BY_NAME, "signatureTransformations": [alg.EXC_C14N], "signatureAlgorithm": alg.RSA_SHA256}


@pytest.mark.parametrize(
    ("options", "reason"), [({}, "MALFORMED_HEADER_CHILD"), (BY_NAME, "TRANSFORM_NOT_ALLOWED")]
)
def test_certificate_as_it_is(node: Node, options: dict[str, object], reason: str) -> None:
    """What each option of the page is for."""
    assert node.as_it_is("certificate", f"/echo/{SLUGS['2']}", options) == reason


def test_both_as_they_are(node: Node) -> None:
    """Two Timestamps; and a password that does not say what it is."""
    path = f"/sha1/{PASSWORD_TOO}"
    who = ("alice", "development")
    assert node.as_it_is("both", path, *who, LIKE_THE_PAGE, secure=True) == "DUPLICATE_HEADER_CHILD"
    assert node.as_it_is("certificateWithToken", path, *who, BY_NAME, secure=True) == "PASSWORD_TYPE"
