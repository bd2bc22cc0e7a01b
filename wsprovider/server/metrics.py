"""Counters of this process by endpoint, and of the security contexts of all, in the text form of Prometheus."""

import threading
from collections.abc import Iterator
from typing import Final

from wsprovider.conversation.request import Kind
from wsprovider.ports import Totals
from wsprovider.words.reasons import Reason

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
ANSWERED: Final = "ANSWERED"
"""The label of requests that the service answered."""


class Metrics:
    """How often which endpoint answered or refused, and for which Reason; one instance a process.

    Labels come from configuration and from enumerations (Reason, Kind) only, so that no message can make
    the table grow.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str], int] = {}
        self._seconds: dict[str, float] = {}
        self._conversations: dict[tuple[str, str], int] = {}

    def count(self, endpoint: str, reason: Reason | None, seconds: float) -> None:
        """Note one request."""
        key = (endpoint, ANSWERED if reason is None else reason.name)
        with self._lock:
            self._requests[key] = self._requests.get(key, 0) + 1
            self._seconds[endpoint] = self._seconds.get(endpoint, 0.0) + seconds

    def count_conversation(self, endpoint: str, kind: Kind) -> None:
        """Note that a context was issued, renewed or cancelled for a client."""
        key = (endpoint, kind.value.lower())
        with self._lock:
            self._conversations[key] = self._conversations.get(key, 0) + 1

    def requests(self, endpoint: str, reason: Reason | None) -> int:
        """How many requests of that endpoint ended that way."""
        with self._lock:
            return self._requests.get((endpoint, ANSWERED if reason is None else reason.name), 0)

    def text(self, contexts: Totals | None = None) -> str:
        """The exposition format, version 0.0.4.

        Args:
            contexts: what the shared store says of security contexts; None: nothing is said of them.
        """
        with self._lock:
            requests, seconds = sorted(self._requests.items()), sorted(self._seconds.items())
            conversations = sorted(self._conversations.items())
        lines = [
            "# HELP wsprovider_requests_total Requests by endpoint and outcome.",
            "# TYPE wsprovider_requests_total counter",
            *(
                f'wsprovider_requests_total{{endpoint="{escaped(endpoint)}",reason="{reason}"}} {count}'
                for (endpoint, reason), count in requests
            ),
            "# HELP wsprovider_request_seconds_total Time spent on requests by endpoint.",
            "# TYPE wsprovider_request_seconds_total counter",
            *(
                f'wsprovider_request_seconds_total{{endpoint="{escaped(endpoint)}"}} {spent:.6f}'
                for endpoint, spent in seconds
            ),
        ]
        if conversations:
            lines += [
                "# HELP wsprovider_conversation_requests_total Contexts issued, renewed, cancelled, by endpoint.",
                "# TYPE wsprovider_conversation_requests_total counter",
                *(
                    f'wsprovider_conversation_requests_total{{endpoint="{escaped(endpoint)}",kind="{kind}"}}'
                    f" {count}"
                    for (endpoint, kind), count in conversations
                ),
            ]
        if contexts is not None:
            lines += _of_the_store(contexts)
        return "\n".join(lines) + "\n"


def _of_the_store(contexts: Totals) -> Iterator[str]:
    """What is the same whichever worker says it: issued = live + ended + expired."""
    live = "Security contexts in the shared store, those kept for their renewal included."
    yield f"# HELP wsprovider_contexts {live}"
    yield "# TYPE wsprovider_contexts gauge"
    yield f"wsprovider_contexts {contexts.live}"
    for name, what, count in (
        ("issued", "Security contexts that were issued, since the shared store was made.", contexts.kept),
        ("ended", "Security contexts that a client, a check or an operator ended.", contexts.removed),
        ("expired", "Security contexts whose time was over.", contexts.expired),
    ):
        yield f"# HELP wsprovider_contexts_{name}_total {what}"
        yield f"# TYPE wsprovider_contexts_{name}_total counter"
        yield f"wsprovider_contexts_{name}_total {count}"


def escaped(label: str) -> str:
    """A label's value as it stands between quotation marks."""
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
