"""Secure conversations with Eclipse Metro 4, unmodified: its renewals are endorsed by the context.

Its calls and cancellations are in ``test_metro.py``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.live.conversing import BAD_CONTEXT, ISSUE, RENEW, context_of, end, fault_of
from tests.live.java_peer import JavaPeer
from tests.live.provider import CONVERSATIONS, ProviderProcess

pytestmark = pytest.mark.live

LIFE = 1.5
"""Seconds that the clients ask for: long enough for a call, and soon over."""
UNSIGNED = ("10", "13e", "14")
"""Under WSO2's suite only: Metro knows no GCM."""
CASES = [
    (family, number, soap)
    for family in ("echo", "wso2")
    for number in CONVERSATIONS
    for soap in ("1.1", "1.2")
    if family == "wso2" or (number not in UNSIGNED and soap == "1.1")
]


class Client:
    """One Metro client with its conversation, and what the service says about it."""

    def __init__(
        self, metro: JavaPeer, provider: ProviderProcess, family: str, number: str, soap: str, **settings: Any
    ) -> None:
        self.provider, self._metro = provider, metro
        path = f"/{family}/{CONVERSATIONS[number]}"
        self.endpoint = path[1:]
        self._settings = {
            "cmd": "metro-call",
            "wsdl": provider.url(f"{path}?wsdl"),
            "url": provider.url(path),
            "session": f"{id(self)} {path}",
            "soap": soap,
            "addressing": True,
            "renew": True,
            "record": True,
            "signatureAlgorithm": "SHA256withRSA" if family == "echo" else None,
            **provider.client(),
            **settings,
        }
        self._marked, self._said = 0, 0

    def ask(self, **more: Any) -> dict[str, Any]:
        """Have the driver do something, whatever comes of it; never twice the same text."""
        self._marked = self.provider.logged()
        self._said += 1
        return self._metro.call(**{**self._settings, "text": f"{self._said}", **more})

    def call(self) -> dict[str, Any]:
        """A call that must succeed."""
        answer = self.ask()
        assert answer["ok"], answer
        assert answer["text"] == f"{self._said}"
        return answer

    def refused(self) -> None:
        """A call that is refused since its context has gone, upon which the client does nothing.

        Metro tells its application no fault without a security header.
        """
        answer = self.ask()
        assert not answer["ok"]
        assert answer["fault"] is None
        assert "Invalid Security Header" in answer["error"]
        (sent,) = answer["exchanges"]
        assert fault_of(sent["response"]) in BAD_CONTEXT
        assert self.outcomes(1) == [(None, "CONTEXT_UNKNOWN")]

    def outcomes(self, count: int) -> list[tuple[str | None, str | None]]:
        """What the log says of the last requests: operation (unknown for what was refused) and Reason."""
        lines = self.provider.requests(self._marked, count)
        assert {line["endpoint"] for line in lines} == {self.endpoint}
        return [(line.get("operation"), line["reason"]) for line in lines]


@dataclass
class Opened:
    """A conversation that has begun, and when its time is over."""

    client: Client
    identifier: str
    until: float
    outcomes: list[tuple[str | None, str | None]]


@pytest.fixture(scope="module")
def opened(metro: JavaPeer, provider: ProviderProcess) -> Iterator[dict[tuple[str, str, str], Opened]]:
    """All that are going to be, so that their time is over together."""
    warm = Client(metro, provider, *CASES[0])  # Java's first call is a slow one
    warm.call()
    warm.ask(calls=0, endSession=True)
    found = {}
    for case in CASES:
        client = Client(metro, provider, *case, lifetimeMillis=round(LIFE * 1000))
        answer = client.call()
        identifier, instance = context_of(answer["exchanges"][-1]["request"])
        assert instance is None
        found[case] = Opened(client, identifier, time.monotonic() + LIFE + 0.1, client.outcomes(2))
    yield found
    for one in found.values():
        one.client.ask(calls=0, endSession=True)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_renewal(opened: dict[tuple[str, str, str], Opened], case: tuple[str, str, str]) -> None:
    """One request for a context, and a call; when its time is over, a renewal before the next one.

    Nobody's conversation can be renewed, too: the request is signed by its key.
    """
    one = opened[case]
    assert one.outcomes == [(ISSUE, None), ("echo", None)]
    time.sleep(max(0.0, one.until - time.monotonic()))
    answer = one.client.call()
    assert one.client.outcomes(2) == [(RENEW, None), ("echo", None)]
    again, instance = context_of(answer["exchanges"][-1]["request"])
    assert again == one.identifier
    assert instance


@pytest.mark.parametrize("number", UNSIGNED)
def test_two_calls_within_a_second_are_one(metro: JavaPeer, provider: ProviderProcess, number: str) -> None:
    """Where only the Timestamp is signed, Metro's signatures differ from second to second, not from call to call."""
    client = Client(metro, provider, "wso2", number, "1.1")
    client.call()
    for _ in range(10):
        if not client.ask()["ok"]:
            break
    assert client.outcomes(1) == [(None, "REPLAY")]
    time.sleep(1.1)
    client.call()
    client.ask(calls=0, endSession=True)


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", ["9", "12"])
def test_a_context_that_went_away(metro: JavaPeer, provider: ProviderProcess, number: str, soap: str) -> None:
    """Metro tells its application of an invalid header, and goes on with the token; a new client helps."""
    client = Client(metro, provider, "wso2", number, soap)
    identifier, _ = context_of(client.call()["exchanges"][-1]["request"])
    assert end(provider.store, identifier)
    client.refused()
    client.refused()
    other = Client(metro, provider, "wso2", number, soap)
    assert context_of(other.call()["exchanges"][-1]["request"])[0] != identifier
    assert other.outcomes(2) == [(ISSUE, None), ("echo", None)]
    for one in (client, other):
        one.ask(calls=0, endSession=True)
