"""What one endpoint is told beside its policy: times, limits, roles, addresses, its operations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from wsprovider.inbound.finding import Freshness
from wsprovider.words.limits import Limits

__all__ = ["ConversationSettings", "Freshness", "KerberosSettings", "Operation", "RecipientSettings"]

_PRINCIPAL: Final = re.compile(r"((?:[^\\@]|\\.)*)@(.*)", re.DOTALL)


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
class ConversationSettings:
    """How long security contexts live, how many there may be, and how closely their owners are watched.

    Attributes:
        life: the longest that a context lives after it was issued or renewed; a client may ask for less.
        unused: how long one lives that was issued and never used.
        per_owner: live contexts of one user or certificate, or of one address where callers are anonymous.
        contexts: live contexts of all owners.
        unsigned_calls: calls in one context whose Body is encrypted and not signed; each is remembered as long
            as the context lives.
        recheck: how long a worker goes on before it looks again whether the user of a context is still
            there, enabled and unchanged. (Certificates are looked at with every message.)
    """

    life: timedelta = timedelta(hours=1)
    unused: timedelta = timedelta(minutes=5)
    per_owner: int = 1_000
    contexts: int = 100_000
    unsigned_calls: int = 10_000
    recheck: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class KerberosSettings:
    """Whose tickets an endpoint takes, and as whom.

    Attributes:
        realms: whose principals may call; empty: every realm that the KDC vouches for.
        names: names of callers by their principals (``alice@REALM``).
        strip_realm: a principal that has no name there is called by what stands before its realm.
        later_messages: a message may name a ticket that an earlier one has shown.
        per_owner: tickets of one principal that are known by name.
        tickets: tickets of all.
    """

    realms: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    strip_realm: bool = False
    later_messages: bool = False
    per_owner: int = 1_000
    tickets: int = 100_000

    def name_of(self, principal: str) -> str:
        """The name that a service sees."""
        named = self.names.get(principal)
        if named is not None:
            return named
        return split_principal(principal)[0] if self.strip_realm else principal


def split_principal(principal: str) -> tuple[str, str]:
    """Name and realm; either may hold an ``@`` of its own, behind a backslash."""
    found = _PRINCIPAL.fullmatch(principal)
    return (principal, "") if found is None else (found[1], found[2])


@dataclass(frozen=True, slots=True)
class RecipientSettings:
    """Everything about an endpoint that is not policy and not key material.

    Attributes:
        name: for logs and metrics, such as ``echo/sign-encrypt-username``.
        operations: by the Clark name of their input.
        roles: any one of them lets a caller in; empty: every proven caller.
        partners_required: a caller who is none of the partners is refused.
        understood: Clark names of header blocks that the service understands (mustUnderstand).
        clear_password_over_http: accept a clear password that nothing encrypts.
        sender_fault_400: HTTP status 400 for Sender faults of SOAP 1.2, instead of 500.
        crosscheck: have the second engine check every signature and decryption again.
        addresses: absolute URLs that wsa:To may name (their host matters only when non-empty).
        path: the endpoint's path, which wsa:To must end with in any case.
        conversation: of security contexts, where the policy has them.
        kerberos: of Kerberos tickets, where the policy has them.
        remember: how long accepted messages are remembered at least; where another endpoint of the same trust
            is more patient than this one, they must be known until that one takes them no more.
    """

    name: str
    operations: Mapping[str, Operation]
    path: str
    understood: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    partners_required: bool = False
    freshness: Freshness = field(default_factory=Freshness)
    limits: Limits = field(default_factory=Limits)
    clear_password_over_http: bool = False
    sender_fault_400: bool = False
    crosscheck: bool = False
    addresses: tuple[str, ...] = ()
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    kerberos: KerberosSettings = field(default_factory=KerberosSettings)
    remember: timedelta = timedelta()
