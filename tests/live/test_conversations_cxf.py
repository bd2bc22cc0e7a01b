"""Secure conversations with Apache CXF 4, unmodified: it opens, renews and cancels them by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Matrix
from tests.live.conversing import (
    BAD_CONTEXT,
    CANCEL,
    ISSUE,
    NAMED,
    NOBODY,
    RENEW,
    context_of,
    end,
    policy_file,
)
from tests.live.java_peer import JavaPeer
from tests.live.provider import CONVERSATIONS, ProviderProcess
from tests.live.test_cxf import TEXT, properties
from wsprovider.scenarios.catalogue import find

pytestmark = pytest.mark.live
FAMILIES = ("echo", "wso2")


def suite_of(family: str, number: str) -> str:
    """The suite of a scenario: our default, or that of WSO2's files."""
    return "Basic256" if family == "wso2" else find(number).default_suite


class Client:
    """One CXF client with its conversation, and what the service says about it."""

    def __init__(
        self, cxf: JavaPeer, provider: ProviderProcess, family: str, number: str, **settings: Any
    ) -> None:
        self.provider, self._cxf = provider, cxf
        self.path = f"/{family}/{CONVERSATIONS[number]}"
        suite = suite_of(family, number)
        self._settings = {
            "cmd": "cxf-call",
            "wsdl": provider.url(f"{self.path}?wsdl"),
            "url": provider.url(self.path),
            "session": f"{id(self)} {self.path}",
            "properties": properties(suite),
            "record": True,
            **provider.client(),
            **settings,
        }
        self._marked = provider.logged()

    def ask(self, **more: Any) -> dict[str, Any]:
        """Have the driver do something, whatever comes of it."""
        self._marked = self.provider.logged()
        return self._cxf.call(**{**self._settings, "text": TEXT, **more})

    def call(self, **more: Any) -> dict[str, Any]:
        """Calls that must succeed."""
        answer = self.ask(**more)
        assert answer["ok"], answer
        assert answer["texts"] == [TEXT] * more.get("calls", 1)
        return answer

    def refused(self, **more: Any) -> None:
        """A call that is refused since its context has gone, upon which the client does nothing."""
        answer = self.ask(**more)
        assert not answer["ok"]
        codes = {answer["fault"]["code"], *answer["fault"]["subcodes"]}
        assert codes & BAD_CONTEXT, answer["fault"]
        assert len(answer["exchanges"]) == 1
        assert self.outcomes(1) == [(None, "CONTEXT_UNKNOWN")]

    def outcomes(self, count: int) -> list[tuple[str | None, str | None]]:
        """What the log says of the last requests: operation (unknown for what was refused) and Reason."""
        lines = self.provider.requests(self._marked, count)
        assert {line["endpoint"] for line in lines} == {self.path[1:]}
        return [(line.get("operation"), line["reason"]) for line in lines]

    def principals(self, count: int) -> set[str | None]:
        """Whom the log takes the caller of the last requests for."""
        return {line.get("principal") for line in self.provider.requests(self._marked, count)}

    def close(self) -> None:
        """Leave, without a word to the service."""
        self.ask(calls=0, endSession=True)


def identifier(answer: dict[str, Any]) -> str:
    """The context that the client holds after its calls."""
    return str(answer["conversation"]["identifier"])


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", list(CONVERSATIONS))
@pytest.mark.parametrize("family", FAMILIES)
def test_conversation(
    cxf: JavaPeer, provider: ProviderProcess, matrix: Matrix, family: str, number: str, soap: str
) -> None:
    """Led by our WSDL: one request for a context, then calls under it."""
    client = Client(cxf, provider, family, number, soap=soap)
    client.call(calls=3)
    assert client.outcomes(4) == [(ISSUE, None), *[("echo", None)] * 3]
    assert client.principals(4) == {
        None if number in NOBODY else "alice" if number in ("14", "15") else "client-1"
    }
    client.close()
    suite = suite_of(family, number)
    matrix.record("CXF 4.2", suite, number, soap)


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", [number for number in CONVERSATIONS if number != "13e"])
def test_from_wso2_policy_file(
    cxf: JavaPeer, provider: ProviderProcess, matrix: Matrix, wso2_policies: Path, number: str, soap: str
) -> None:
    """Led by WSO2's own policy files instead of our WSDL's policy."""
    client = Client(cxf, provider, "wso2", number, soap=soap, policy=policy_file(wso2_policies, number))
    client.call(calls=3)
    assert client.outcomes(4) == [(ISSUE, None), *[("echo", None)] * 3]
    client.close()
    matrix.record("CXF 4.2, WSO2's files", "Basic256", number, soap)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number", NAMED)
def test_renewal(cxf: JavaPeer, provider: ProviderProcess, family: str, number: str) -> None:
    """A token whose time is over is renewed, and the call after that goes under its new Instance."""
    client = Client(cxf, provider, family, number)
    first = client.call()
    named = identifier(first)
    assert context_of(first["exchanges"][-1]["request"]) == (named, None)
    instances: set[str | None] = set()
    for _ in range(2):
        answer = client.call(renew=True, calls=2)
        assert client.outcomes(3) == [(RENEW, None), *[("echo", None)] * 2]
        assert identifier(answer) == named
        seen = {context_of(one["request"]) for one in answer["exchanges"][1:]}
        ((again, instance),) = seen
        assert again == named
        assert instance
        instances.add(instance)
    assert len(instances) == 2
    client.close()


@pytest.mark.parametrize("number", NOBODY)
def test_nobody_renews(cxf: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """Nothing proves whose the conversation is: renewing is refused, and CXF opens another by itself."""
    client = Client(cxf, provider, "wso2", number)
    named = identifier(client.call())
    answer = client.call(renew=True)
    assert client.outcomes(3) == [(None, "CONTEXT_IDENTITY"), (ISSUE, None), ("echo", None)]
    assert [one["status"] for one in answer["exchanges"]] == [500, 200, 200]
    assert identifier(answer) != named
    client.close()


@pytest.mark.parametrize("number", NAMED)
def test_cancelling(cxf: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """CXF cancels under the bootstrap policy; the token that it holds on to is nothing from then on."""
    client = Client(cxf, provider, "wso2", number)
    named = identifier(client.call())
    answer = client.call(cancel=True)
    assert client.outcomes(2) == [("echo", None), (CANCEL, None)]
    assert identifier(answer) == named
    client.refused()
    client.refused()
    assert not end(provider.store, named)
    renewed = client.call(forget=True)
    assert client.outcomes(2) == [(ISSUE, None), ("echo", None)]
    assert identifier(renewed) != named
    client.close()


@pytest.mark.parametrize("number", NOBODY)
def test_nobody_cancels(cxf: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """Nor is it ended on the word of nobody in particular; CXF makes nothing of that."""
    client = Client(cxf, provider, "wso2", number)
    named = identifier(client.call())
    answer = client.call(cancel=True)
    assert client.outcomes(2) == [("echo", None), (None, "CONTEXT_IDENTITY")]
    assert answer["exchanges"][-1]["status"] == 500
    assert identifier(client.call()) == named
    assert client.outcomes(1) == [("echo", None)]
    client.close()


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("number", ["9", "12", "14"])
def test_a_context_that_went_away(
    cxf: JavaPeer, provider: ProviderProcess, family: str, number: str, soap: str
) -> None:
    """CXF tells the fault to its application, and goes on with the token until that expires or is forgotten."""
    client = Client(cxf, provider, family, number, soap=soap)
    for again in ({"renew": True}, {"forget": True}):
        named = identifier(client.call())
        assert end(provider.store, named)
        client.refused()
        client.refused()
        answer = client.call(**again)
        assert identifier(answer) != named
        tried = [(None, "CONTEXT_UNKNOWN")] if "renew" in again else []
        assert client.outcomes(len(tried) + 2) == [*tried, (ISSUE, None), ("echo", None)]
    client.close()
