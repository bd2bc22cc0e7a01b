"""One call of a service: from a verified request to the Body of its reply, with Spyne in between.

Stock Spyne's server loop is replaced, for it lets StopIteration, AttributeError and others out. The
events that services and applications may listen to are fired as that loop fires them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from lxml import etree
from spyne.model.fault import Fault
from spyne.server import ServerBase
from spyne.server.http import HttpBase, HttpMethodContext, HttpTransportContext

from wsprovider.exchange.recipient import VerifiedRequest
from wsprovider.server import faults
from wsprovider.server.caller import Caller
from wsprovider.server.interface import check_application, exact_operations, operations_of
from wsprovider.server.log import failure
from wsprovider.server.protocols import companion, exchanged
from wsprovider.words.errors import ConfigurationError, Problem, SoapError, SoapFault
from wsprovider.words.reasons import Reason

log: Final = logging.getLogger("wsprovider.service")

_WRAPPED: Final = "BODY_STYLE_WRAPPED"
_BARE: Final = "BODY_STYLE_BARE"
_EMPTY: Final = "BODY_STYLE_EMPTY"
_MESSAGE_LIMIT: Final = 300
_INVALID: Final = "The request's parameters do not fit the service's schema"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call.

    Attributes:
        body: the reply's Body.
        headers: header blocks that the service set.
        fault: the Body holds a Fault.
        exact: see :meth:`wsprovider.exchange.recipient.Recipient.reply`.
        reason: for the log: None when the service answered.
        detail: for the log.
    """

    body: etree._Element
    headers: tuple[etree._Element, ...] = ()
    fault: bool = False
    exact: bool = False
    reason: Reason | None = None
    detail: str = ""


class _Transport(ServerBase):  # type: ignore[misc]
    """What Spyne wants to know of the transport that a context belongs to."""

    transport = HttpBase.transport


class _HttpContext(HttpTransportContext):  # type: ignore[misc]
    """``ctx.transport``: the WSGI environment, under the names that Spyne's WSGI server gives it."""

    def __init__(self, parent: Any, transport: Any, environ: Mapping[str, Any], content_type: str) -> None:
        super().__init__(parent, transport, environ, content_type)
        self.req_env = environ
        self.req_method = "POST"
        self.remote_addr = environ.get("REMOTE_ADDR")

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """The request's header fields by lower-case name."""
        return {key[5:].lower(): [value] for key, value in self.req_env.items() if key.startswith("HTTP_")}

    def get_path(self) -> str:
        return str(self.req_env.get("PATH_INFO", ""))

    def get_request_method(self) -> str:
        return self.req_method

    def get_request_content_type(self) -> str | None:
        return self.req_env.get("CONTENT_TYPE")


class _Context(HttpMethodContext):  # type: ignore[misc]
    """``ctx`` of one call."""

    TransportContext = None
    HttpTransportContext = _HttpContext
    # Spyne guards some fifty attributes against misspelling, at every assignment of every request.
    __setattr__ = object.__setattr__

    def close(self) -> None:
        """Release what the call held; unlike Spyne's, without a garbage collection in mid-request."""
        self.is_closed = True
        self.app.event_manager.fire_event("method_context_closed", self)
        for opened in self.files:
            opened.close()
        # What points back at this context: with that gone, the message's trees are freed here and now
        # and not when the garbage collector comes round.
        for part in (self.transport, self.event, self.inprot_ctx, self.outprot_ctx):
            part.parent = None


class Invoker:
    """A Spyne application behind message security; shared by its endpoints and by all threads."""

    def __init__(self, application: Any) -> None:
        """Exchange the application's protocols for ours.

        From here on Spyne's own transports can serve this application no longer: a forgotten
        ``WsgiApplication(application)`` answers with a fault instead of unprotected.

        Raises:
            ConfigurationError: it uses what could not be protected.
        """
        check_application(application)
        # It would print what a service returned and could not be written: payload, that is.
        logging.getLogger("spyne.util.coopmt").disabled = True
        try:
            incoming, outgoing = exchanged(application.in_protocol), exchanged(application.out_protocol)
        except TypeError as error:
            where = f"application {application.name}"
            raise ConfigurationError([Problem(where, str(error))]) from None
        if application.in_protocol is not incoming:
            incoming.set_app(application)
            incoming.message = incoming.REQUEST
            application.in_protocol = incoming
        if application.out_protocol is not outgoing:
            outgoing.set_app(application)
            outgoing.message = outgoing.RESPONSE
            application.out_protocol = outgoing
        self.application = application
        self.operations = operations_of(application)
        self._exact = exact_operations(application)
        self._transport = _Transport(application)
        self._protocols = {
            "1.1": (incoming, outgoing),
            "1.2": (companion(incoming, application), companion(outgoing, application)),
        }

    def call(self, request: VerifiedRequest, caller: Caller, environ: Mapping[str, Any]) -> Outcome:
        """Call the operation; whatever happens in it comes back as an outcome.

        Raises:
            KeyboardInterrupt: of a development server.
        """
        incoming, outgoing = self._protocols[request.version.name]
        ctx: Any = None
        try:
            ctx = _Context(self._transport, environ, request.version.content_type)
            ctx.udc = caller
            ctx._in_protocol, ctx._out_protocol = incoming, outgoing
            self._read(ctx, request)
            self._run(ctx)
            if ctx.out_error is None:
                outgoing.serialize(ctx, outgoing.RESPONSE)
                exact = request.payload.tag in self._exact
                return Outcome(ctx.out_body_doc, tuple(ctx.out_header_doc), exact=exact)
            return self._fault(ctx, request, ctx.out_error)
        except SoapError as error:
            return self._plain(request, "Client", _INVALID, error.reason, error.detail)
        except Fault as fault:  # while a generator of the service's was read
            return self._fault(ctx, request, fault)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a service may do anything
            return self._internal(request, error)
        finally:
            _close(ctx)

    def _read(self, ctx: Any, request: VerifiedRequest) -> None:
        """Turn the payload into parameters.

        Raises:
            SoapError: NOT_AN_INPUT, INVALID_PARAMETERS.
        """
        protocol = ctx.in_protocol
        protocol.take(ctx, request.root, request.payload)
        ctx.active = True
        try:
            protocol.deserialize(ctx, protocol.REQUEST)
        except (SoapError, RecursionError, MemoryError):
            raise
        except Exception as error:
            # The schema allows a little more than Python holds: the year 12000, say.
            raise SoapError(SoapFault.CLIENT, Reason.INVALID_PARAMETERS, type(error).__name__) from error

    def _run(self, ctx: Any) -> None:
        """Call the service's method as Spyne's Application does, with its events."""
        try:
            ctx.fire_event("method_call")
            style = ctx.descriptor.body_style.__name__
            if style == _BARE:
                ctx.in_object = [ctx.in_object]
            elif style == _EMPTY:
                ctx.in_object = []
            result = self.application.call_wrapper(ctx)
            single = style != _WRAPPED or len(ctx.descriptor.out_message._type_info) <= 1
            ctx.out_object = [result] if single else result
            ctx.protocol = ctx.outprot_ctx
            ctx.fire_event("method_return_object")
        except Fault as fault:
            ctx.out_error = fault
            ctx.fire_event("method_exception_object")

    def _fault(self, ctx: Any, request: VerifiedRequest, fault: Any) -> Outcome:
        """Write a Fault that the service raised; if that fails, the fault of an internal error."""
        try:
            detail = self._members(ctx, fault)
            tns = str(self.application.tns)
            rendered = faults.render(fault, request.version, tns=tns, detail=detail)
        except Exception as error:  # noqa: BLE001 - a fault's detail is the service's own code
            return self._internal(request, error)
        return Outcome(
            rendered.body,
            fault=True,
            exact=rendered.exact,
            reason=Reason.SERVICE_FAULT,
            detail=str(fault.faultcode)[:_MESSAGE_LIMIT],
        )

    def _members(self, ctx: Any, fault: Any) -> etree._Element | None:
        """The members of a declared fault class, as the element that the WSDL promises in detail."""
        cls = type(fault)
        if not cls.get_flat_type_info(cls):
            return None
        protocol = ctx.out_protocol
        parent = etree.Element("detail", nsmap=protocol.nsmap)
        tag = f"{{{cls.get_namespace()}}}{cls.get_type_name()}"
        protocol.gen_members_parent(ctx, cls, fault, parent, tag, [], add_type=False)
        return parent[0]

    def _internal(self, request: VerifiedRequest, error: BaseException) -> Outcome:
        """The fault for an exception that the service did not mean its caller to see."""
        failure(request.operation.name, error, log)
        return self._plain(request, "Server", faults.INTERNAL_ERROR, Reason.INTERNAL, type(error).__name__)

    def _plain(self, request: VerifiedRequest, code: str, text: str, reason: Reason, detail: str) -> Outcome:
        tns = str(self.application.tns)
        rendered = faults.render(Fault(code, text), request.version, tns=tns, detail=None)
        return Outcome(rendered.body, fault=True, reason=reason, detail=detail)


def _close(ctx: Any) -> None:
    if ctx is None:
        return
    try:
        ctx.close()
    except Exception as error:  # noqa: BLE001 - the reply is made already
        failure("close", error, log)
