"""One endpoint: an address, its message security, and the service behind it."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from wsprovider.exchange.recipient import Recipient, Transport, VerifiedRequest, WireMessage
from wsprovider.inbound.http_basic import challenge
from wsprovider.keyring.uses import Use
from wsprovider.server import even, http, log
from wsprovider.server.archives import Archiving
from wsprovider.server.caller import Caller
from wsprovider.server.invoker import Invoker, Outcome
from wsprovider.server.metrics import Counted, Metrics
from wsprovider.server.pages.served import ServicePage
from wsprovider.server.telemetry.spans import Tracing
from wsprovider.server.telemetry.stages import Stage, Stopwatch
from wsprovider.server.wsdl import WsdlDocument
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import BackendError, SoapError, WSSecurityError
from wsprovider.words.reasons import Reason

_ACCEPTED: Final = 202
_UNAUTHORIZED: Final = 401
_NO_CREDENTIALS: Final = frozenset({Reason.BASIC_MISSING, Reason.NO_SECURITY_HEADER})

NO_STORE: Final = (("Cache-Control", "no-store"),)
"""The header of what is different every time."""

Note = Callable[[str, Iterable[Use], datetime], None]
"""Told of a service's uses of certificates as they are seen; raises nothing."""


def _unnoted(service: str, uses: Iterable[Use], now: datetime) -> None:
    """Where nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the WSGI server.

    Attributes:
        headers: beside Content-Type and Content-Length.
        refused: length of the body, when it was read and the message not accepted.
    """

    status: int
    content_type: str
    data: bytes
    headers: tuple[tuple[str, str], ...] = ()
    refused: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """Everything that one address needs, made at start.

    Attributes:
        name: for logs and metrics, such as ``echo/integrity``.
        service: the service's name.
        path: the path below the application's mount point.
        scenario: the scenario's slug, if it is one of the catalogue.
        message_bytes: the longest body that is read.
        wsdl: what GET with ``?wsdl`` answers.
        note: told which certificates accepted requests and their replies were protected with.
        crosschecked: whether a second engine checks everything again.
        http_basic: an alternative of the policy takes user name and password by HTTP Basic.
        page: what a browser is shown; None: a line of text.
        archive: keeps accepted requests before they are carried out, and replies before they are sent.
    """

    name: str
    service: str
    path: str
    scenario: str | None
    recipient: Recipient
    invoker: Invoker
    message_bytes: int
    wsdl: WsdlDocument
    note: Note = _unnoted
    crosschecked: bool = False
    http_basic: bool = False
    page: ServicePage | None = None
    archive: Archiving | None = None

    @property
    def counted(self) -> Counted:
        """The endpoint as metrics know it."""
        return Counted(self.service, self.name, self.crosschecked)

    def handle(
        self,
        environ: Mapping[str, Any],
        transport: Transport,
        metrics: Metrics,
        tracing: Tracing | None = None,
    ) -> Reply:
        """Answer one POST; whatever happens, there is an answer, a line in the log and a count."""
        record = log.Record(self.service, self.name, self.scenario, transport.peer)
        span = None if tracing is None else tracing.request(record, environ)
        watch = Stopwatch(span)
        reply = self._answer(environ, transport, record, metrics, watch)
        watch.end()
        seconds = time.perf_counter() - watch.started
        record.status = reply.status
        record.milliseconds = seconds * 1000
        record.times = watch.times
        metrics.count(self.name, record.reason, seconds, watch.times)
        record.write()
        if span is not None:
            span.finish(record)
        return reply

    def _answer(
        self,
        environ: Mapping[str, Any],
        transport: Transport,
        record: log.Record,
        metrics: Metrics,
        watch: Stopwatch,
    ) -> Reply:
        version = http.promised_version(environ)
        received = 0
        try:
            read = http.read_request(environ, self.message_bytes)
            received = len(read.body)
            if self.archive is not None:
                self.archive.check()
            request = self._verified(read, transport, watch)
            watch.end()
            record.operation = request.operation.name
            record.principal = request.principal.name
            record.identity = request.principal.identity if request.principal.partner else None
            record.message_id = request.message_id
            record.context = request.context_identifier
            record.remark = request.remark
            self.note(self.service, request.uses, request.received)
            kept = 0 if self.archive is None else self.archive.request(request, read, transport)
            record.archive = f"{self.service}/{kept}" if kept else None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - attacks.md P06
            watch.end()
            if isinstance(error, WSSecurityError) and error.decrypted:
                even.pause(watch.started, received)
            reply = replace(self._refused(error, version, record), refused=received)
            return self._challenged(reply) if self._wants_basic(error, transport) else reply
        try:
            return self._served(request, kept, environ, record, metrics, watch)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a reply that cannot be protected: P09
            return self._refused(error, version, record)

    def _verified(self, request: http.HttpRequest, transport: Transport, watch: Stopwatch) -> VerifiedRequest:
        watch.begin(Stage.PARSE)
        return self.recipient.accept(
            request.body,
            version=request.version,
            transport=transport,
            charset=request.charset,
            action=request.action,
            parsed=watch.verify,
        )

    def _served(
        self,
        request: VerifiedRequest,
        kept: int,
        environ: Mapping[str, Any],
        record: log.Record,
        metrics: Metrics,
        watch: Stopwatch,
    ) -> Reply:
        watch.begin(Stage.SERVICE)
        answered = self.recipient.answer(request)
        if answered is not None:
            if request.errand is not None:
                metrics.count_conversation(self.name, request.errand.request.kind)
            record.context = answered.context
            return self._sent(answered.wire, request, kept, answered.context)
        caller = Caller(
            request.principal,
            self.name,
            self.scenario,
            request.message_id,
            request.signature_values,
            request,
        )
        outcome = self.invoker.call(request, caller, environ)
        record.reason, record.detail = outcome.reason, outcome.detail
        if request.operation.one_way:
            # WSDL 1.1 section 2.4.1: nothing goes back, not even a fault.
            return Reply(_ACCEPTED, "text/plain", b"")
        watch.begin(Stage.PROTECT)
        return self._sent(self._protected(request, outcome), request, kept)

    def _sent(
        self, message: WireMessage, request: VerifiedRequest, kept: int, context: str | None = None
    ) -> Reply:
        if self.archive is not None:
            self.archive.reply(message, kept, context)
        self.note(self.service, message.uses, request.received)
        return _wire(message)

    def _protected(self, request: VerifiedRequest, outcome: Outcome) -> WireMessage:
        return self.recipient.reply(
            request, outcome.body, headers=outcome.headers, fault=outcome.fault, exact=outcome.exact
        )

    def _wants_basic(self, error: BaseException, transport: Transport) -> bool:
        """Whether a refusal asks for HTTP's credentials: it follows from the request, not from what is wrong.

        Only over TLS: nobody is to send a password in clear for our asking.
        """
        return (
            self.http_basic
            and transport.secure
            and isinstance(error, WSSecurityError)
            and (transport.authorization is not None or error.reason in _NO_CREDENTIALS)
        )

    def _challenged(self, reply: Reply) -> Reply:
        header = ("WWW-Authenticate", challenge(self.path.lstrip("/")))
        return replace(reply, status=_UNAUTHORIZED, headers=(*reply.headers, header))

    def _refused(self, error: BaseException, version: SoapVersion, record: log.Record) -> Reply:
        """The fault for a message that was not accepted, or for a reply that could not be made."""
        record.reason, record.detail = _explained(error)
        if record.reason is Reason.INTERNAL:
            log.failure(self.name, error)
        try:
            answer = error if isinstance(error, Exception) else RuntimeError("SystemExit")
            wire = self.recipient.refuse(answer, version=version)
        except Exception as second:  # noqa: BLE001 - error in error: attacks.md P09
            log.failure(self.name, second)
            return last_resort(version)
        headers = (("Allow", "GET, POST"),) if record.reason is Reason.METHOD else ()
        return _wire(wire, headers)


def last_resort(version: SoapVersion) -> Reply:
    """The fault for when nothing else works: constant, unsigned, without a word of the cause."""
    soap = version.namespace
    if version.name == "1.1":
        content = "<faultcode>soap:Server</faultcode><faultstring>Internal error</faultstring>"
    else:
        content = (
            "<soap:Code><soap:Value>soap:Receiver</soap:Value></soap:Code>"
            '<soap:Reason><soap:Text xml:lang="en">Internal error</soap:Text></soap:Reason>'
        )
    data = (
        f'<soap:Envelope xmlns:soap="{soap}"><soap:Body><soap:Fault>{content}</soap:Fault></soap:Body>'
        "</soap:Envelope>"
    )
    return Reply(version.server_status, version.written_type, data.encode())


def _wire(message: WireMessage, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(message.status, message.content_type, message.data, headers)


def _explained(error: BaseException) -> tuple[Reason, str]:
    if isinstance(error, WSSecurityError | SoapError):
        return error.reason, error.detail
    if isinstance(error, BackendError):
        return Reason.BACKEND, str(error)
    return Reason.INTERNAL, type(error).__name__
