"""Eclipse Metro 4, unmodified, sets itself up from our WSDL alone and is answered.

What its conversations go through beyond calls and their end is in ``test_conversations_metro.py``.
"""

from __future__ import annotations

import base64
import itertools
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.live.conftest import Matrix
from tests.live.conversing import CANCEL, ISSUE, RENEW, context_of, end, fault_of
from tests.live.java_peer import JavaPeer
from tests.live.provider import CONVERSATIONS, SLUGS, ProviderProcess
from wsprovider.scenarios.catalogue import find
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns

pytestmark = pytest.mark.live
CLIENT = "Metro 4.0"
NUMBERS = {**SLUGS, **CONVERSATIONS}
GCM = [number for number in NUMBERS if "Gcm" in find(number).default_suite]
"""Scenarios whose default suite Metro does not know."""
MASK = "Invalid Security Header"
"""What Metro tells of a fault that nothing secures."""
LIFE = 1.5
"""Seconds for which a token is asked where it is to run out."""
INVALID_SECURITY = f"{{{ns.WSSE}}}InvalidSecurity"
_calls = itertools.count()


def another_text() -> str:
    """Never the same: Metro's equal calls of one second are alike to the last octet of the signature."""
    return f"Grüße\n <b>&\"' ]]> \u2603 {next(_calls)}"


class Client:
    """One Metro client, and what the service says about it."""

    def __init__(self, metro: JavaPeer, provider: ProviderProcess, path: str, **settings: Any) -> None:
        self.provider, self._metro, self.path = provider, metro, path
        wsdl = provider.url(f"{path}?wsdl", secure=path.endswith(SLUGS["1"]))
        self._settings = {"cmd": "metro-call", "wsdl": wsdl, "record": True, **provider.client(), **settings}
        self._marked = provider.logged()

    def ask(self, **more: Any) -> dict[str, Any]:
        """Have the driver do something, whatever comes of it."""
        self._marked = self.provider.logged()
        return self._metro.call(**{"text": another_text(), **self._settings, **more})

    def call(self, **more: Any) -> dict[str, Any]:
        """A call that must succeed, and the Cancel after it, if any."""
        text = another_text()
        answer = self.ask(text=text, **more)
        assert answer["ok"], answer
        assert answer["text"] == text
        assert "closing" not in answer, answer
        return answer

    def outcomes(self, count: int) -> list[tuple[str | None, str | None]]:
        """What the log says of the last requests: operation (unknown for what was refused) and Reason."""
        lines = self.provider.requests(self._marked, count)
        assert {line["endpoint"] for line in lines} == {self.path[1:]}
        return [(line.get("operation"), line["reason"]) for line in lines]

    def details(self, count: int) -> set[str | None]:
        """The details in those lines."""
        return {line.get("detail") for line in self.provider.requests(self._marked, count)}

    def principals(self, count: int) -> set[str | None]:
        """Whom the log takes the caller of the last requests for."""
        return {line.get("principal") for line in self.provider.requests(self._marked, count)}


def reply(answer: dict[str, Any]) -> bytes:
    """The last message from the service."""
    return base64.b64decode(answer["exchanges"][-1]["response"])


def conversed(number: str) -> list[tuple[str, None]]:
    """The log of one call by a client of its own, which Metro ends by a Cancel."""
    return [(ISSUE, None), ("echo", None), (CANCEL, None)] if number in CONVERSATIONS else [("echo", None)]


def principal(number: str) -> str | None:
    """Who calls."""
    if number in ("1", "7", "8", "14", "15"):
        return "alice"
    return "client-1" if number in ("2", "5", "9", "10", "11") else None


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize(
    ("family", "number"),
    [
        *(("echo", number) for number in NUMBERS if number not in GCM),
        *(("wso2", number) for number in NUMBERS),
    ],
)
def test_scenario(
    metro: JavaPeer, provider: ProviderProcess, matrix: Matrix, family: str, number: str, soap: str
) -> None:
    """Each scenario under our suites, but for those with GCM, and under WSO2's."""
    client = Client(metro, provider, f"/{family}/{NUMBERS[number]}", soap=soap)
    client.call()
    expected = conversed(number)
    assert client.outcomes(len(expected)) == expected
    assert client.principals(len(expected)) == {principal(number)}
    suite = "Basic256" if family == "wso2" else find(number).default_suite
    matrix.record(CLIENT, suite, number, soap)


@pytest.mark.parametrize("number", GCM)
def test_gcm(metro: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """Metro does not see that it lacks the suite, and falls back to one of its own.

    Refused by the service; under WSO2's suite the same scenario works.
    """
    client = Client(metro, provider, f"/echo/{NUMBERS[number]}")
    answer = client.ask()
    assert not answer["ok"]
    assert client.outcomes(1) == [(None, "ALGORITHM_NOT_IN_SUITE")]
    assert client.details(1) <= {alg.SHA1, alg.RSA_SHA1}
    Client(metro, provider, f"/wso2/{NUMBERS[number]}").call()


@pytest.mark.parametrize(
    ("suite", "number"),
    [
        *(("Basic256Sha256", number) for number in SLUGS),
        *((suite, "5") for suite in ("Basic128", "Basic192", "TripleDes", "Basic128Sha256", "Basic256Rsa15")),
    ],
)
def test_suite(metro: JavaPeer, provider: ProviderProcess, matrix: Matrix, suite: str, number: str) -> None:
    """The suites with a name of their own; Basic256Sha256 is the way out for 4 and 7."""
    Client(metro, provider, f"/suite/{suite}/{SLUGS[number]}").call()
    matrix.record(CLIENT, suite, number, "1.1")


@pytest.mark.parametrize("number", [number for number in NUMBERS if number != "13e"])
def test_from_wso2_policy_file(
    metro: JavaPeer, provider: ProviderProcess, matrix: Matrix, wso2_policies: Path, number: str
) -> None:
    """Led by WSO2's own policy files, with WS-Addressing besides where a conversation is held."""
    policy = wso2_policies / f"scenario{number}-policy.xml"
    client = Client(
        metro,
        provider,
        f"/wso2/{NUMBERS[number]}",
        policy=policy,
        addressing=number in CONVERSATIONS,
    )
    client.call()
    expected = conversed(number)
    assert client.outcomes(len(expected)) == expected
    matrix.record(f"{CLIENT}, WSO2's files", "Basic256", number, "1.1")


def test_conversation_without_addressing(
    metro: JavaPeer, provider: ProviderProcess, wso2_policies: Path
) -> None:
    """Metro sends nothing where the policy does not demand WS-Addressing; our WSDL does."""
    client = Client(metro, provider, f"/wso2/{NUMBERS['9']}", policy=wso2_policies / "scenario9-policy.xml")
    answer = client.ask()
    assert "Unexpected null Addressing version" in answer["error"]
    assert answer["exchanges"] == []


@pytest.mark.parametrize("number", ["2", "8"])
def test_addressing(metro: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """WS-Addressing headers are answered."""
    Client(metro, provider, f"/echo/{SLUGS[number]}", addressing=True).call()


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize(
    "document", ["derived-keys", "encrypt-before-signing", "encrypt-signature", "password-digest"]
)
def test_policy_document(metro: JavaPeer, provider: ProviderProcess, document: str, soap: str) -> None:
    """The policy documents beside the scenarios."""
    Client(metro, provider, f"/echo/{document}", soap=soap).call()


def test_protect_tokens(metro: JavaPeer, provider: ProviderProcess) -> None:
    """Its request is accepted, but it cannot check the reply.

    The reply names our certificate by its thumbprint, and the signature covers it by the STR-Transform.
    Metro's transform follows references into the message only.
    """
    client = Client(metro, provider, "/echo/protect-tokens")
    answer = client.ask()
    assert MASK in answer["error"]
    assert client.outcomes(1) == [("echo", None)]
    assert metro.log is not None
    assert "WSS1721: Validation of Reference with URI #STR-" in metro.log.read_text()


def test_the_attribute_of_metro(metro: JavaPeer, provider: ProviderProcess, tmp_path: Path) -> None:
    """RSA with SHA-256 has to be asked for by an attribute of Metro's own; our WSDL has it."""
    path = f"/echo/{SLUGS['2']}"
    with urllib.request.urlopen(provider.url(f"{path}?wsdl")) as opened:
        published = opened.read().decode()
    file = tmp_path / "service.wsdl"
    stripped, count = re.subn(r' signatureAlgorithm="SHA256withRSA"', "", published)
    assert count
    file.write_text(stripped)
    client = Client(metro, provider, path, wsdl=file)
    assert not client.ask()["ok"]
    assert client.outcomes(1) == [(None, "ALGORITHM_NOT_IN_SUITE")]
    assert client.details(1) == {alg.RSA_SHA1}
    client.call(signatureAlgorithm="SHA256withRSA")


@pytest.mark.parametrize("number", ["2", "9"])
def test_equal_calls(metro: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """Two in one second are a replay: Metro's Timestamps know no fractions, and its Ids are always the same."""
    client = Client(metro, provider, f"/wso2/{NUMBERS[number]}")
    answer = client.ask(calls=10)
    assert not answer["ok"]
    made = len(answer["texts"])
    assert 1 <= made < 10
    opened = [(ISSUE, None)] if number == "9" else []
    expected = [*opened, *[("echo", None)] * made, (None, "REPLAY")]
    assert client.outcomes(len(expected))[: len(expected)] == expected
    client.call(calls=2, pauseMillis=1_001)


@pytest.mark.parametrize("number", ["2", "5"])
def test_carriage_return(metro: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """Metro's canonical form has none: it signs another text than it sends, and encrypts without it."""
    client = Client(metro, provider, f"/wso2/{SLUGS[number]}")
    text = another_text()
    answer = client.ask(text=text.replace("\n", "\r\n"))
    if number == "2":
        assert not answer["ok"]
        assert client.outcomes(1) == [(None, "DIGEST_MISMATCH")]
        assert client.ask(text=text)["ok"]
    else:
        assert answer["text"] == text


# faults --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "soap"), [("2", "1.2"), ("5", "1.1"), ("15", "1.2")])
def test_fault_of_the_service(metro: JavaPeer, provider: ProviderProcess, number: str, soap: str) -> None:
    """It is secured as any reply is, and Metro tells it."""
    client = Client(metro, provider, f"/wso2/{NUMBERS[number]}", soap=soap)
    wrong = f"<e:echo xmlns:e='urn:wsprovider:echo'><e:wrong>{next(_calls)}</e:wrong></e:echo>"
    answer = client.ask(text=None, payload=wrong, session=f"fault {number} {soap}")
    client.ask(calls=0, endSession=True, session=f"fault {number} {soap}")
    assert etree.fromstring(reply(answer)).find(f"*/{{{ns.WSSE}}}Security") is not None
    assert answer["fault"]["code"].endswith("}Client" if soap == "1.1" else "}Sender")
    assert "schema" in answer["fault"]["reason"]


@pytest.mark.parametrize(("number", "soap"), [("8", "1.1"), ("14", "1.2")])
def test_wrong_password(metro: JavaPeer, provider: ProviderProcess, number: str, soap: str) -> None:
    """A fault about security is not secured: Metro tells that there is no security header, and no more."""
    client = Client(metro, provider, f"/wso2/{NUMBERS[number]}", soap=soap)
    answer = client.ask(password="guess")
    assert answer["fault"] is None
    # a request for a token: "There was a problem creating SOAP Fault"
    assert ("WSSC0022" if number == "14" else MASK) in answer["error"]
    assert fault_of(reply(answer)) == INVALID_SECURITY
    assert client.outcomes(1) == [(None, "PASSWORD_WRONG")]
    client.call()


# conversations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "number"), [("echo", "15"), ("wso2", "9")])
def test_conversation(metro: JavaPeer, provider: ProviderProcess, family: str, number: str) -> None:
    """One request for a context, several calls under it; Metro cancels it when the client is closed."""
    client = Client(metro, provider, f"/{family}/{NUMBERS[number]}", session=f"{family} {number}")
    named = context_of(client.call()["exchanges"][-1]["request"])
    for _ in range(2):
        answer = client.call()
        assert client.outcomes(1) == [("echo", None)]
        assert context_of(answer["exchanges"][0]["request"]) == named
    client.call(cancel=True)
    assert client.outcomes(2) == [("echo", None), (CANCEL, None)]
    assert not end(provider.store, named[0])


def test_second_renewal(metro: JavaPeer, provider: ProviderProcess) -> None:
    """Metro proves possession of the token by its first key for ever: it cannot renew it again.

    Nor does it do anything else from then on, but a new client can.
    """
    client = Client(
        metro,
        provider,
        f"/wso2/{NUMBERS['12']}",
        session="twice",
        renew=True,
        lifetimeMillis=int(1000 * LIFE),
    )
    client.call()
    time.sleep(LIFE)
    client.call()
    assert client.outcomes(2) == [(RENEW, None), ("echo", None)]
    time.sleep(LIFE)
    answer = client.ask(cancel=True)
    assert MASK in answer["error"]
    assert MASK in answer["closing"]["error"]
    assert client.outcomes(2) == [(None, "SIGNATURE_VALUE")] * 2
    Client(metro, provider, client.path).call()


def test_expired_token(metro: JavaPeer, provider: ProviderProcess) -> None:
    """Without ``renewExpiredSCT`` Metro sends nothing under such a token, not even a Cancel."""
    client = Client(
        metro, provider, f"/wso2/{NUMBERS['12']}", session="expired", lifetimeMillis=int(1000 * LIFE)
    )
    client.call()
    time.sleep(LIFE)
    answer = client.ask(cancel=True)
    assert MASK in answer["error"]
    assert MASK in answer["closing"]["error"]
    assert answer["exchanges"] == []
