"""Counters of this process, by endpoint and Reason, in the text form that Prometheus reads."""

import threading
from typing import Final

from wsprovider.words.reasons import Reason

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
ANSWERED: Final = "ANSWERED"
"""The label of requests that the service answered."""


class Metrics:
    """How often which endpoint answered or refused, and for which Reason; one instance a process.

    Labels come from configuration and from the Reason enumeration only, so that no message can make
    the table grow.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str], int] = {}
        self._seconds: dict[str, float] = {}

    def count(self, endpoint: str, reason: Reason | None, seconds: float) -> None:
        """Note one request."""
        key = (endpoint, ANSWERED if reason is None else reason.name)
        with self._lock:
            self._requests[key] = self._requests.get(key, 0) + 1
            self._seconds[endpoint] = self._seconds.get(endpoint, 0.0) + seconds

    def requests(self, endpoint: str, reason: Reason | None) -> int:
        """How many requests of that endpoint ended that way."""
        with self._lock:
            return self._requests.get((endpoint, ANSWERED if reason is None else reason.name), 0)

    def text(self) -> str:
        """The exposition format, version 0.0.4."""
        with self._lock:
            requests, seconds = sorted(self._requests.items()), sorted(self._seconds.items())
        lines = [
            "# HELP wsprovider_requests_total Requests by endpoint and outcome.",
            "# TYPE wsprovider_requests_total counter",
            *(
                f'wsprovider_requests_total{{endpoint="{_escaped(endpoint)}",reason="{reason}"}} {count}'
                for (endpoint, reason), count in requests
            ),
            "# HELP wsprovider_request_seconds_total Time spent on requests by endpoint.",
            "# TYPE wsprovider_request_seconds_total counter",
            *(
                f'wsprovider_request_seconds_total{{endpoint="{_escaped(endpoint)}"}} {spent:.6f}'
                for endpoint, spent in seconds
            ),
        ]
        return "\n".join(lines) + "\n"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
