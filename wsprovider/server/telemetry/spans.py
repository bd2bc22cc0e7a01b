"""OpenTelemetry: a span for each request, with a child for each of its stages.

Only the API package is used (extra ``wsprovider[tracing]``): where spans go is the operator's to configure, with
the SDK of their choice (docs/watching.md). Attributes are what the log's line says, without who called: never a
payload, a password, a key or a message id.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from wsprovider.server.log import Record, is_ours
from wsprovider.server.telemetry.stages import Stage
from wsprovider.version import __version__
from wsprovider.words.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from opentelemetry.context import Context

_HEADERS: Final = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}


class Tracing:
    """Makes the spans of one process; shared by its threads."""

    def __init__(self, believed: Callable[[Mapping[str, Any]], bool]) -> None:
        """Take the tracer of whatever SDK is configured, now or later.

        Args:
            believed: whether a request's ``traceparent`` (W3C Trace Context) counts, by its WSGI environment.

        Raises:
            ConfigurationError: the API is not installed.
        """
        try:
            from opentelemetry import context, trace  # noqa: PLC0415 - an extra: only who traces needs it
            from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415
        except ImportError:
            what = 'opentelemetry-api is not installed; install the extra: pip install "wsprovider[tracing]"'
            raise ConfigurationError([Problem("tracing", what)]) from None
        self.trace, self.context = trace, context
        self.tracer = trace.get_tracer("wsprovider", __version__)
        self._propagator = tracecontext.TraceContextTextMapPropagator()
        self._believed = believed

    def request(self, record: Record, environ: Mapping[str, Any]) -> "RequestSpan":
        """Begin the span of a request; it is the root of a trace, unless its sender is believed."""
        parent = self.context.Context()
        if "HTTP_TRACEPARENT" in environ and self._believed(environ):
            carrier = {name: environ[key] for name, key in _HEADERS.items() if key in environ}
            parent = self._propagator.extract(carrier, context=parent)
        return RequestSpan(self, record, parent)


class RequestSpan:
    """The span of one request; follows its :class:`~wsprovider.server.telemetry.stages.Stopwatch`.

    While a stage lasts its span is the current one, so that what the service traces stands below ``service``.
    """

    __slots__ = ("_above", "_span", "_stage", "_token", "_tracing")

    def __init__(self, tracing: Tracing, record: Record, parent: "Context") -> None:
        self._tracing = tracing
        attributes = {"wsprovider.service": record.service, "wsprovider.endpoint": record.endpoint}
        if record.scenario:
            attributes["wsprovider.scenario"] = record.scenario
        kind = tracing.trace.SpanKind.SERVER
        self._span = tracing.tracer.start_span(record.endpoint, parent, kind, attributes)
        self._above = tracing.trace.set_span_in_context(self._span, parent)

    def begin(self, stage: Stage) -> None:
        """See :class:`wsprovider.server.telemetry.stages.Follower`."""
        self._stage = self._tracing.tracer.start_span(stage.value, self._above)
        current = self._tracing.trace.set_span_in_context(self._stage, self._above)
        self._token = self._tracing.context.attach(current)

    def end(self) -> None:
        """See :class:`wsprovider.server.telemetry.stages.Follower`."""
        self._tracing.context.detach(self._token)
        self._stage.end()

    def finish(self, record: Record) -> None:
        """End the span with what has become of the request; only errors of ours are errors of the span."""
        self._span.set_attribute("http.response.status_code", record.status)
        if record.operation is not None:
            self._span.set_attribute("wsprovider.operation", record.operation)
        if record.reason is not None:
            self._span.set_attribute("wsprovider.reason", record.reason.name)
            if is_ours(record.reason):
                self._span.set_status(self._tracing.trace.StatusCode.ERROR, record.reason.name)
        self._span.end()
