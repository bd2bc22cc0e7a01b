"""Which operation a request calls: the one that its Body's element is the input of, and no header says otherwise."""

from typing import Final

from lxml import etree

from wsprovider.conversation.request import Kind
from wsprovider.exchange.settings import Operation, RecipientSettings
from wsprovider.exchange.ways import TOKEN_OPERATIONS
from wsprovider.inbound.evidence import Evidence
from wsprovider.soap import addressing as wsa
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.reasons import Reason

_TOKEN_ACTIONS: Final = frozenset(operation.action for operation in TOKEN_OPERATIONS.values())


def operation_of(
    evidence: Evidence, kind: Kind | None, settings: RecipientSettings
) -> tuple[etree._Element, Operation]:
    """The Body's only child, which must be an input of this endpoint, and its operation.

    Args:
        kind: of the request for a token that it is; None for everything else.

    Raises:
        SoapError: NOT_AN_INPUT.
    """
    payload = evidence.envelope.payload
    operation = None
    if payload is not None:
        if kind is not None:
            return payload, TOKEN_OPERATIONS[payload.tag, kind]
        operation = settings.operations.get(payload.tag)
    if payload is None or operation is None:
        detail = payload.tag if payload is not None else "empty Body"
        raise SoapError(SoapFault.CLIENT, Reason.NOT_AN_INPUT, detail)
    return payload, operation


def check_addressing(
    addressing: wsa.Addressing | None, operation: Operation, action: str | None, settings: RecipientSettings
) -> None:
    """The Body decides what is called; whatever names another operation is refused.

    Args:
        action: what HTTP says (SOAPAction, or the action parameter), if anything.

    Raises:
        SoapError: ACTION_MISMATCH, or what :func:`wsprovider.soap.addressing.check_request` says.
    """
    named = [action] if action else []
    if addressing is not None:
        wsa.check_request(addressing, path=settings.path, addresses=settings.addresses)
        named += [addressing.action] if addressing.action else []
    for value in named:
        if value == operation.action:
            continue
        others = settings.operations.values()
        if value in _TOKEN_ACTIONS or any(other.action == value for other in others):
            raise SoapError(SoapFault.ACTION_MISMATCH, Reason.ACTION_MISMATCH, value)
