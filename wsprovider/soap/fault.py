"""Faults that refuse a message: the only place with sentences that a peer sees.

All security refusals are one fault, byte for byte, whatever the Reason (SOAP Message Security 1.1,
section 12, allows it, to give no oracle). A context that is not there any more is told from them: its name
was no secret, and the client has to open another one (WS-SecureConversation 1.3, section 10). SOAP 1.1 section 4.4, SOAP 1.2 part 1 section 5.4.
"""

from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from wsprovider.soap.version import SoapVersion
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason


@dataclass(frozen=True, slots=True)
class FaultMessage:
    """A fault, ready to be sent."""

    data: bytes
    status: int


@dataclass(frozen=True, slots=True)
class _Row:
    """What a fault says: a code in SOAP's namespace, perhaps a code of another one, a sentence."""

    ours: bool
    namespace: str | None
    name: str | None
    sentence: str


_SECURITY: Final = _Row(False, ns.WSSE, "InvalidSecurity", "The security of the message was not accepted.")
_INTERNAL: Final = _Row(True, None, None, "The service could not handle the message.")
_ROWS: Final = {
    SoapFault.VERSION_MISMATCH: _Row(False, None, None, "The SOAP version does not fit."),
    SoapFault.MUST_UNDERSTAND: _Row(
        False, None, None, "A header that must be understood was not understood."
    ),
    SoapFault.CLIENT: _Row(False, None, None, "The message is not one that this service takes."),
    SoapFault.SERVER: _INTERNAL,
    SoapFault.ACTION_MISMATCH: _Row(
        False, ns.WSA_200508, "ActionMismatch", "The action does not fit the message."
    ),
    SoapFault.INVALID_ADDRESSING_HEADER: _Row(
        False, ns.WSA_200508, "InvalidAddressingHeader", "An addressing header is not valid."
    ),
    SoapFault.MESSAGE_ADDRESSING_HEADER_REQUIRED: _Row(
        False,
        ns.WSA_200508,
        "MessageAddressingHeaderRequired",
        "A required addressing header is not there.",
    ),
    SoapFault.ONLY_ANONYMOUS: _Row(
        False,
        ns.WSA_200508,
        "OnlyAnonymousAddressSupported",
        "Replies go back on the connection that the request came by.",
    ),
    SoapFault.DESTINATION_UNREACHABLE: _Row(
        False, ns.WSA_200508, "DestinationUnreachable", "The message is not addressed to us."
    ),
    # the namespace is that of the version that the message speaks
    SoapFault.BAD_CONTEXT_TOKEN: _Row(
        False, ns.WSC_200512, "BadContextToken", "The security context is not known here: open another one."
    ),
    SoapFault.UNABLE_TO_RENEW: _Row(
        False, ns.WSC_200512, "UnableToRenew", "The context could not be renewed."
    ),
    SoapFault.INVALID_REQUEST: _Row(
        False, ns.WST_200512, "InvalidRequest", "The token request is not one that this service takes."
    ),
    SoapFault.REQUEST_FAILED: _Row(False, ns.WST_200512, "RequestFailed", "The token request failed."),
}
#: faults whose code is SOAP's own and neither Client nor Server
_SOAP_CODES: Final = {
    SoapFault.VERSION_MISMATCH: "VersionMismatch",
    SoapFault.MUST_UNDERSTAND: "MustUnderstand",
}


def refusal(error: Exception, version: SoapVersion, *, sender_400: bool = False) -> FaultMessage:
    """The fault that answers a refused message.

    Args:
        error: what refused it; anything but our own errors is an internal error.
        version: of the reply.
        sender_400: HTTP status 400 for a Sender fault of SOAP 1.2, which Apache CXF cannot read.
    """
    code = None
    status = None
    if isinstance(error, WSSecurityError):
        row = _SECURITY
    elif isinstance(error, SoapError):
        row, code, status = _ROWS[error.fault], _SOAP_CODES.get(error.fault), error.status
        if error.namespace is not None:
            row = replace(row, namespace=error.namespace)
    else:
        row = _INTERNAL
    code = code or (version.server_code if row.ours else version.client_code)
    if status is None:
        status = fault_status(code, version, sender_400=sender_400)
    return FaultMessage(_write(version, code, row), status)


def fault_status(code: str, version: SoapVersion, *, sender_400: bool) -> int:
    """The HTTP status that goes with a fault's code (local name in SOAP's namespace)."""
    if sender_400 and code == version.client_code:
        return version.client_status
    return version.server_status


def code_of(body: etree._Element, version: SoapVersion) -> str:
    """The local name of a SOAP 1.2 fault's Code; empty for SOAP 1.1."""
    value = body.find(
        f"{{{version.namespace}}}Fault/{{{version.namespace}}}Code/{{{version.namespace}}}Value"
    )
    return (value.text or "").rpartition(":")[2].strip() if value is not None else ""


def reason_of(error: Exception) -> Reason:
    """The Reason that the log and the metrics name."""
    if isinstance(error, WSSecurityError | SoapError):
        return error.reason
    return Reason.INTERNAL


def _write(version: SoapVersion, code: str, row: _Row) -> bytes:
    declared = f' xmlns:q="{row.namespace}"' if row.namespace else ""
    if version.name == "1.1":
        value = f"q:{row.name}" if row.name else f"soap:{code}"
        content = f"<faultcode{declared}>{value}</faultcode><faultstring>{row.sentence}</faultstring>"
    else:
        subcode = (
            f"<soap:Subcode><soap:Value{declared}>q:{row.name}</soap:Value></soap:Subcode>"
            if row.name
            else ""
        )
        content = (
            f"<soap:Code><soap:Value>soap:{code}</soap:Value>{subcode}</soap:Code>"
            f'<soap:Reason><soap:Text xml:lang="en">{row.sentence}</soap:Text></soap:Reason>'
        )
    return (
        f'<soap:Envelope xmlns:soap="{version.namespace}"><soap:Body><soap:Fault>{content}'
        "</soap:Fault></soap:Body></soap:Envelope>"
    ).encode("ascii")
