"""``/healthz`` and ``/readyz``: whether this process lives, and whether requests should be sent to it.

What exactly is wrong is in the log only; the answer names the check.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from wsprovider.server import log
from wsprovider.server.endpoint import NO_STORE, Reply
from wsprovider.version import __version__

HealthCheck = Callable[[], None]
"""Raises when what it looks at does not work."""
Doubt = Callable[[], bool]
"""Whether something is wrong that does not keep this process from serving."""

HEALTH_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"


class Health:
    """The checks of one process, by name."""

    def __init__(
        self,
        checks: Mapping[str, HealthCheck] | None = None,
        doubts: Mapping[str, Doubt] | None = None,
        *,
        ready: Mapping[str, HealthCheck] | None = None,
        uncertain: Mapping[str, Doubt] | None = None,
    ) -> None:
        """Take note.

        Args:
            checks: for both answers.
            doubts: for both: degraded is not failing. A broken file that all machines share must not take all
                of them out while what they read before goes on working.
            ready: more checks, for ``/readyz`` only.
            uncertain: more doubts, for ``/readyz`` only.
        """
        self._checks, self._doubts = dict(checks or {}), dict(doubts or {})
        self._ready, self._uncertain = dict(ready or {}), dict(uncertain or {})

    def healthz(self, more: Mapping[str, HealthCheck] | None = None) -> Reply:
        """Whether this process can answer requests at all.

        Args:
            more: checks beside its own.
        """
        return _answer("healthz", "ok", {**self._checks, **(more or {})}, self._doubts)

    def readyz(self, more: Mapping[str, HealthCheck] | None = None) -> Reply:
        """Whether its answers could be trusted, too: keys to answer with, and a clock that can be right."""
        checks = {**self._checks, **self._ready, **(more or {})}
        return _answer("readyz", "ready", checks, self._doubts | self._uncertain)


def _answer(where: str, good: str, checks: Mapping[str, HealthCheck], doubts: Mapping[str, Doubt]) -> Reply:
    failed = []
    for name, check in checks.items():
        try:
            check()
        except Exception as error:  # noqa: BLE001 - a failed check is the answer
            failed.append(name)
            log.failure(f"{where}: {name}", error)
    degraded = [name for name, wrong in doubts.items() if wrong()]
    status = "failing" if failed else "degraded" if degraded else good
    answer = {"status": status, "version": __version__, "failed": failed, "degraded": degraded}
    body = f"{json.dumps(answer)}\n".encode()
    return Reply(503 if failed else 200, "application/json", body, NO_STORE)
