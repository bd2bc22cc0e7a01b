"""What one endpoint is told beside its policy: times, limits, roles, addresses, its operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsprovider.inbound.finding import Freshness
from wsprovider.words.limits import Limits

__all__ = ["Freshness", "Operation", "RecipientSettings"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as the message layer sees it.

    Attributes:
        input: Clark name ``{namespace}local`` of the Body's only child in a request.
        action: the request's SOAPAction and wsa:Action.
        reply_action: the reply's wsa:Action.
        one_way: there is no reply.
    """

    name: str
    input: str
    action: str
    reply_action: str
    one_way: bool = False


@dataclass(frozen=True, slots=True)
class RecipientSettings:
    """Everything about an endpoint that is not policy and not key material.

    Attributes:
        name: for logs and metrics, such as ``echo/sign-encrypt-username``.
        operations: by the Clark name of their input.
        roles: any one of them lets a caller in; empty: every proven caller.
        understood: Clark names of header blocks that the service understands (mustUnderstand).
        clear_password_over_http: accept a clear password that nothing encrypts.
        sender_fault_400: HTTP status 400 for Sender faults of SOAP 1.2, instead of 500.
        crosscheck: have the second engine check every signature and decryption again.
        addresses: absolute URLs that wsa:To may name (their host matters only when non-empty).
        path: the endpoint's path, which wsa:To must end with in any case.
    """

    name: str
    operations: Mapping[str, Operation]
    path: str
    understood: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    freshness: Freshness = field(default_factory=Freshness)
    limits: Limits = field(default_factory=Limits)
    clear_password_over_http: bool = False
    sender_fault_400: bool = False
    crosscheck: bool = False
    addresses: tuple[str, ...] = ()
