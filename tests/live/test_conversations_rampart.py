"""Secure conversations with Apache Rampart, unmodified, led by WSO2's own policy files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Matrix
from tests.live.conversing import (
    BAD_CONTEXT,
    CANCEL,
    ISSUE,
    NOBODY,
    context_of,
    end,
    fault_of,
    policy_file,
)
from tests.live.java_peer import JavaPeer
from tests.live.provider import CONVERSATIONS, CONVERSING, ProviderProcess
from tests.live.test_rampart import TEXT

pytestmark = pytest.mark.live
FILED = [number for number in CONVERSATIONS if number != "13e"]
"""The scenarios of which WSO2 has a file."""


class Client:
    """One Rampart client with its conversation, all it sends and gets, and what the service says about it."""

    def __init__(
        self,
        rampart: JavaPeer,
        provider: ProviderProcess,
        policies: Path,
        number: str,
        record: Path,
        suite: str | None = None,
        **settings: Any,
    ) -> None:
        self.provider, self._rampart, self._record = provider, rampart, record
        family = "wso2" if suite is None else f"suite/{suite}"
        self.endpoint = f"{family}/{CONVERSATIONS[number]}"
        self._settings = {
            "cmd": "rampart-call",
            "policy": policy_file(policies, number),
            "suite": suite,
            "url": provider.url(f"/{self.endpoint}"),
            "addressing": True,
            "session": f"{record} {number}",
            "record": record,
            **provider.client(),
            **settings,
        }
        self._marked = 0

    def ask(self, **more: Any) -> dict[str, Any]:
        """Have the driver do something, whatever comes of it."""
        self._marked = self.provider.logged()
        return self._rampart.call(**{**self._settings, "text": TEXT, **more})

    def call(self, **more: Any) -> dict[str, Any]:
        """Calls that must succeed."""
        answer = self.ask(**more)
        assert answer["ok"], answer
        assert answer["texts"] == [TEXT] * more.get("calls", 1)
        return answer

    def refused(self) -> None:
        """A call that is refused since its context has gone, upon which the client does nothing.

        Rampart tells its application no fault without a security header but those of WS-Security's own
        namespace: of this one it says that the header is missing.
        """
        answer = self.ask()
        assert not answer["ok"]
        assert answer["fault"] is None
        assert "SOAP header missing" in answer["error"]
        assert self.outcomes(1) == [(None, "CONTEXT_UNKNOWN")]
        assert fault_of(self.sent("response")[-1]) in BAD_CONTEXT

    def outcomes(self, count: int) -> list[tuple[str | None, str | None]]:
        """What the log says of the last requests: operation (unknown for what was refused) and Reason."""
        lines = self.provider.requests(self._marked, count)
        assert {line["endpoint"] for line in lines} == {self.endpoint}
        return [(line.get("operation"), line["reason"]) for line in lines]

    def principals(self, count: int) -> set[str | None]:
        """Whom the log takes the caller of the last requests for."""
        return {line.get("principal") for line in self.provider.requests(self._marked, count)}

    def sent(self, kind: str = "request") -> list[bytes]:
        """The bytes of all messages so far."""
        found = self._record.glob(f"*.{kind}.xml")
        return [file.read_bytes() for file in sorted(found, key=lambda file: int(file.name.split(".")[0]))]

    def context(self) -> str:
        """The context that the last message named."""
        return context_of(self.sent()[-1])[0]

    def close(self) -> None:
        """Leave, without a word to the service."""
        self.ask(calls=0, endSession=True)


@pytest.fixture
def client(rampart: JavaPeer, provider: ProviderProcess, wso2_policies: Path, tmp_path: Path) -> Any:
    """Makes clients of a scenario."""
    made: list[Client] = []

    def make(number: str, **settings: Any) -> Client:
        made.append(Client(rampart, provider, wso2_policies, number, tmp_path / str(len(made)), **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", FILED)
def test_conversation(client: Any, matrix: Matrix, number: str, soap: str) -> None:
    """One request for a context, calls under it, and its end, under the context too."""
    one = client(number, soap=soap)
    answer = one.call(calls=3, cancel=True)
    assert one.outcomes(5) == [(ISSUE, None), *[("echo", None)] * 3, (CANCEL, None)]
    assert one.principals(5) == {
        None if number in NOBODY else "alice" if number in ("14", "15") else "client-1"
    }
    assert "RequestedTokenCancelled" in answer["cancelReply"]
    matrix.record("Rampart 1.7, WSO2's files", "Basic256", number, soap)


@pytest.mark.parametrize("suite", CONVERSING)
@pytest.mark.parametrize("number", FILED)
def test_suite(client: Any, matrix: Matrix, number: str, suite: str) -> None:
    """The same files with another suite in them."""
    one = client(number, suite=suite)
    one.call(calls=2, cancel=True)
    assert one.outcomes(4) == [(ISSUE, None), ("echo", None), ("echo", None), (CANCEL, None)]
    matrix.record("Rampart 1.7, WSO2's files", suite, number, "1.1")


@pytest.mark.parametrize("number", FILED)
def test_after_cancelling(client: Any, provider: ProviderProcess, number: str) -> None:
    """A cancelled token is nothing to the service, even if the client holds on to it."""
    one = client(number)
    one.call(cancel=True, keepCancelled=True)
    named = one.context()
    one.refused()
    assert one.context() == named
    assert not end(provider.store, named)


def test_it_opens_another_after_cancelling(client: Any) -> None:
    """So it does by itself: a cancelled token is forgotten."""
    one = client("9")
    one.call(cancel=True)
    named = one.context()
    one.call()
    assert one.outcomes(2) == [(ISSUE, None), ("echo", None)]
    assert one.context() != named


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("number", ["9", "12", "14"])
def test_a_context_that_went_away(client: Any, provider: ProviderProcess, number: str, soap: str) -> None:
    """Rampart tells its application that a header is missing, and goes on with the token; a new client helps."""
    one = client(number, soap=soap)
    one.call()
    named = one.context()
    assert end(provider.store, named)
    one.refused()
    one.refused()
    assert one.context() == named
    other = client(number, soap=soap)
    other.call()
    assert other.outcomes(2) == [(ISSUE, None), ("echo", None)]
    assert other.context() != named
