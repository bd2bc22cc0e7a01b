"""The WSGI application: paths, health, metrics, WSDLs, and a request's way to its endpoint.

PEP 3333. Nothing raised below leaves :meth:`Provider.__call__`. Paths are those below the mount point
(``PATH_INFO``), so that the application works wherever another one mounts it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from wsprovider.config.monitor import Monitor
from wsprovider.exchange.recipient import Transport
from wsprovider.ports import Totals
from wsprovider.server import log, metrics, wsdl
from wsprovider.server.endpoint import NO_STORE, Endpoint, Reply, last_resort
from wsprovider.server.health import HEALTH_PATH, READY_PATH, Doubt, Health, HealthCheck
from wsprovider.server.pages import served
from wsprovider.server.pages.listing import Listing
from wsprovider.server.telemetry.spans import Tracing
from wsprovider.server.transport import TransportFacts
from wsprovider.server.wear import Wear
from wsprovider.soap.version import SOAP_11
from wsprovider.words.errors import BackendError, ConfigurationError, Problem

StartResponse = Callable[[str, list[tuple[str, str]]], Any]

METRICS_PATH: Final = "/metrics"
INDEX_PATH: Final = "/"

_TEXT: Final = "text/plain; charset=utf-8"
_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_STATUS_LINES[413] = "413 Content Too Large"
_READ_METHODS: Final = ("GET", "HEAD")


class Provider:
    """A WSGI application that serves endpoints; make one with ``create_app`` or ``secure``.

    Attributes:
        longest_message: bytes that the longest body has which any endpoint reads.
        is_proxy: whether an address is one of the proxies.
        monitor: where all workers' numbers are told, if gunicorn's master serves this very application.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        trusted_proxies: Sequence[str] = (),
        client_certificate_header: str | None = None,
        health: Mapping[str, HealthCheck] | None = None,
        publish_metrics: bool = False,
        publish_index: bool = False,
        contexts: Callable[[], Totals] | None = None,
        wear: Wear | None = None,
        degraded: Mapping[str, Doubt] | None = None,
        ready: Mapping[str, HealthCheck] | None = None,
        uncertain: Mapping[str, Doubt] | None = None,
        monitor: Monitor | None = None,
        tracing: bool = False,
        watch: Callable[[], None] = lambda: None,
        key_metrics: Callable[[], str] | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Lay out the paths.

        Args:
            endpoints: what is served.
            trusted_proxies: networks whose forwarded-protocol header counts.
            client_certificate_header: in which those pass on the client's certificate.
            health, degraded, ready, uncertain: see :class:`wsprovider.server.health.Health`.
            publish_metrics: ``/metrics`` is answered.
            publish_index: ``/`` lists the endpoints that have a page.
            contexts: counts security contexts for ``/metrics``; None where no endpoint has conversations.
            wear: has the worker replaced that parsed too much of strangers.
            tracing: a span is made of each request.
            watch: called with every request; looks after what comes with time.
            key_metrics: what ``/metrics`` says of keys.
            close: releases what the endpoints use.

        Raises:
            ConfigurationError: a path is taken twice, a proxy is no network, its header no header's name, or there
                is nothing to trace with.
        """
        problems: list[Problem] = []
        self._endpoints: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            path = _as_path_info(endpoint.path)
            if path in (HEALTH_PATH, READY_PATH, METRICS_PATH) or not path.startswith("/"):
                problems.append(Problem(endpoint.name, f"the path {endpoint.path!r} cannot be an endpoint's"))
            elif path in self._endpoints:
                other = self._endpoints[path].name
                problems.append(
                    Problem(endpoint.name, f"the path {endpoint.path!r} is that of {other} already")
                )
            self._endpoints[path] = endpoint
        if problems:
            raise ConfigurationError(problems)
        self.metrics = metrics.Metrics(one.counted for one in endpoints)
        self.endpoints = tuple(endpoints)
        self.longest_message = max((endpoint.message_bytes for endpoint in endpoints), default=0)
        self._facts = TransportFacts(trusted_proxies, client_certificate_header)
        self.is_proxy = self._facts.is_proxy
        self.monitor = monitor
        self._tracing = Tracing(self._facts.from_proxy) if tracing else None
        self._health = Health(health, degraded, ready=ready, uncertain=uncertain)
        self._publish_metrics = publish_metrics
        self._listing = Listing.of(endpoints) if publish_index else None
        self._contexts = contexts
        self._wear = wear or Wear()
        self._watch, self._key_metrics = watch, key_metrics
        self._close = close

    def close(self) -> None:
        """Release stores and their files; afterwards every request is refused."""
        self._close()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            reply = self._reply(environ)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - attacks.md P06
            log.failure("application", error)
            reply = last_resort(SOAP_11)
        headers = [
            ("Content-Type", reply.content_type),
            ("Content-Length", str(len(reply.data))),
            ("X-Content-Type-Options", "nosniff"),
            *reply.headers,
        ]
        start_response(_STATUS_LINES.get(reply.status, f"{reply.status} Other"), headers)
        return () if environ.get("REQUEST_METHOD") == "HEAD" else (reply.data,)

    def _reply(self, environ: dict[str, Any]) -> Reply:
        self._watch()
        path = environ.get("PATH_INFO", "")
        endpoint = self._endpoints.get(path)
        method = environ.get("REQUEST_METHOD")
        if endpoint is not None:
            transport = self._facts.of(environ)
            if method in _READ_METHODS:
                return _document(endpoint, environ, transport)
            reply = endpoint.handle(environ, transport, self.metrics, self._tracing)
            if reply.refused:
                self._wear.note(reply.refused, environ)
            return reply
        told = self._told(path, environ) if method in _READ_METHODS else None
        return told or Reply(404, _TEXT, b"Nothing is served at this path.\n")

    def _told(self, path: str, environ: Mapping[str, Any]) -> Reply | None:
        """What the process tells of itself; None: nothing at this path."""
        if path == HEALTH_PATH:
            return self._health.healthz()
        if path == READY_PATH:
            return self._health.readyz()
        if path == METRICS_PATH and self._publish_metrics:
            return self._metrics(own=environ.get("QUERY_STRING") == "worker")
        if path == INDEX_PATH and self._listing is not None:
            return self._listing.reply(environ)
        return None

    def _metrics(self, *, own: bool = False) -> Reply:
        """Counters and gauges; without those of the shared store when it does not answer."""
        totals = None
        if self._contexts is not None:
            try:
                totals = self._contexts()
            except Exception as error:  # noqa: BLE001 - the other counters are told all the same
                log.failure("metrics: contexts", error)
        text = self.metrics.text(totals, own=own)
        if self._key_metrics is not None:
            text += self._key_metrics()
        return Reply(200, metrics.CONTENT_TYPE, text.encode(), NO_STORE)

    def monitored(self, path: str) -> Reply | None:
        """What the monitor's bind answers at a path, for all workers of the deployment; None: nothing."""
        if path == METRICS_PATH:
            return self._metrics()
        workers = {"workers": self._check_workers}
        if path == HEALTH_PATH:
            return self._health.healthz(workers)
        return self._health.readyz(workers) if path == READY_PATH else None

    def _check_workers(self) -> None:
        """Raises: BackendError: nobody is there who answers requests."""
        if not self.metrics.board.workers():
            raise BackendError("no worker is running")


def _document(endpoint: Endpoint, environ: Mapping[str, Any], transport: Transport) -> Reply:
    """What a browser, or a client that configures itself, gets from an endpoint's address."""
    query = environ.get("QUERY_STRING", "")
    if query.partition("&")[0].partition("=")[0].lower() == "wsdl":
        data = endpoint.wsdl.served(environ, secure=transport.secure)
        return Reply(200, wsdl.CONTENT_TYPE, data, NO_STORE)
    page = endpoint.page
    if page is not None and query.lower() == "certificate" and (pem := page.pem()):
        return Reply(200, served.PEM, pem, served.PEM_HEADERS)
    if query:
        return Reply(404, _TEXT, b"There is no such document.\n")
    if page is not None and served.prefers_html(environ.get("HTTP_ACCEPT")):
        return Reply(200, served.HTML, page.html(environ, secure=transport.secure), served.PAGE_HEADERS)
    secured = f", secured by the scenario {endpoint.scenario}" if endpoint.scenario else ""
    lines = (
        f"{endpoint.name}: a SOAP 1.1 and 1.2 endpoint{secured}.",
        "Messages are sent to it by POST. Its description, with the security policy: ?wsdl",
    )
    return Reply(200, _TEXT, "\n".join((*lines, "")).encode(), served.TEXT_HEADERS)


def _as_path_info(path: str) -> str:
    """The path as PEP 3333 hands it over: decoded, its bytes as Latin-1 characters."""
    return unquote_to_bytes(path).decode("latin-1")
