"""One JSON line a request: what an operator needs to know, and nothing that a peer may not make him read.

Texts of a peer are bounded and escaped (JSON in ASCII has neither line breaks nor escape sequences of
a terminal); payloads, passwords, digests and keys are never among the fields.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wsprovider.server.telemetry.stages import Stage
from wsprovider.words.reasons import Reason

requests: Final = logging.getLogger("wsprovider.request")
internal: Final = logging.getLogger("wsprovider.internal")
start: Final = logging.getLogger("wsprovider.start")

_LIMIT: Final = 300
_FRAMES: Final = 12
_TEXTS: Final = ("operation", "principal", "identity", "message_id", "context", "archive", "detail", "remark")


@dataclass(slots=True)
class Record:
    """What is known of one request, filled while it is worked on.

    Attributes:
        service, endpoint, scenario: from configuration.
        peer: the source address.
        operation: once the request is verified.
        principal: who called, once that is proven.
        identity: what proved that, where a partner is called by another name.
        message_id: the request's wsa:MessageID, once verified.
        context: identifier of the security context that protects the request, or that it renews or cancels.
        archive: name of the request's record in the archive, where there is one.
        reason: why it was refused or failed; None when the service answered.
        detail: a few words on that.
        remark: what did not keep the request from being accepted, and wants a look all the same.
        status: the HTTP status.
        milliseconds: from the first look to the finished reply.
        times: seconds of each stage that has happened; the line says milliseconds.
    """

    service: str
    endpoint: str
    scenario: str | None
    peer: str = ""
    operation: str | None = None
    principal: str | None = None
    identity: str | None = None
    message_id: str | None = None
    context: str | None = None
    archive: str | None = None
    reason: Reason | None = None
    detail: str = ""
    remark: str = ""
    status: int = 0
    milliseconds: float = 0.0
    times: Mapping[Stage, float] = field(default_factory=dict)

    def write(self) -> None:
        """Hand the line to the log: refusals as warnings, our own errors as errors."""
        level = _level(self.reason)
        if requests.isEnabledFor(level):
            # A record of our own: Logger.log walks the stack for the caller's line, which is always this one.
            requests.handle(
                logging.LogRecord(requests.name, level, __file__, 0, self.line(), None, None, "write")
            )

    def line(self) -> str:
        """The line."""
        fields: dict[str, Any] = {
            "event": "request",
            "service": self.service,
            "endpoint": self.endpoint,
            "scenario": self.scenario,
            "peer": self.peer[:_LIMIT],
            "status": self.status,
            "reason": None if self.reason is None else self.reason.name,
            "ms": round(self.milliseconds, 2),
        }
        for name in _TEXTS:
            value = getattr(self, name)
            if value:
                fields[name] = value[:_LIMIT]
        if self.reason is not None and self.reason.fault_code != "-":
            fields["fault_code"] = self.reason.fault_code
        # numbers and names of ours: a formatter is quicker with them than json.dumps
        times = ", ".join([f'"{stage.said}": {spent * 1000:.3f}' for stage, spent in self.times.items()])
        return f'{json.dumps(fields)[:-1]}, "times": {{{times}}}}}'


_OURS: Final = frozenset(
    {
        Reason.INTERNAL,
        Reason.BACKEND,
        Reason.CROSSCHECK,
        Reason.REPLAY_STORE,
        Reason.REPLAY_FULL,
        Reason.ARCHIVE,
    }
)


def is_ours(reason: Reason) -> bool:
    """Whether the fault is on our side, and not the sender's."""
    return reason in _OURS


def _level(reason: Reason | None) -> int:
    if reason is None:
        return logging.INFO
    return logging.ERROR if is_ours(reason) else logging.WARNING


def failure(where: str, error: BaseException, logger: logging.Logger = internal) -> None:
    """Report an exception of our own, or with the logger of services one of theirs."""
    logger.error("%s", _Failure(where, error))


class _Failure:
    """One JSON line for an exception of our own or of a service, written only if the log wants it."""

    def __init__(self, where: str, error: BaseException) -> None:
        self._where = where
        self._error = error

    def __str__(self) -> str:
        frames = traceback.extract_tb(self._error.__traceback__)[-_FRAMES:]
        return json.dumps(
            {
                "event": "failure",
                "where": self._where,
                "exception": type(self._error).__name__,
                "message": _text_of(self._error)[:_LIMIT],
                "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
            }
        )


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a class of the service's, whose __str__ fails too
        return ""


def connection(peer: str, status: int, why: str) -> None:
    """One JSON line for a connection that was ended, with the status of its last answer or 0 for none."""
    text = json.dumps({"event": "connection", "peer": peer[:_LIMIT], "status": status, "why": why[:_LIMIT]})
    requests.warning("%s", text)


def sentence(text: str) -> str:
    """One JSON line for a sentence of our own to the operator."""
    return json.dumps({"event": "notice", "text": text})


def to_stderr(level: int = logging.INFO) -> None:
    """Write the lines to standard error, for a process that has not set up its logging otherwise.

    Python drops what is below a warning unless somebody asked for it.
    """
    ours = logging.getLogger("wsprovider")
    if ours.handlers or logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    ours.addHandler(handler)
    ours.setLevel(level)
    ours.propagate = False
