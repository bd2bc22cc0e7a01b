"""Security contexts: secrets that both sides hold, named by a SecurityContextToken.

WS-SecureConversation 1.3, section 2. A :class:`ContextKey` is all that the message layer sees; a
:class:`SecurityContext` is what the service that issued it knows besides.
"""

from dataclasses import dataclass, field
from datetime import datetime

from wsprovider.keyring.material import Certificate


@dataclass(frozen=True, slots=True, eq=False)
class ContextKey:
    """One key of a security context.

    Attributes:
        identifier: of the context, a URI; never a secret.
        instance: which of the keys that a renewed context had; None for the first.
        namespace: of the WS-SecureConversation it was agreed in.
        secret: its key.
    """

    identifier: str
    instance: str | None
    namespace: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContextOwner:
    """Who opened a context, as its bootstrap proved.

    Attributes:
        name: of the user or partner; empty for an anonymous caller.
        proof: how it was proven, a value of ``exchange.principal.Proof``.
        certificate, path: that signed the request for the context, where one did.
        roles: that user store or trust gave.
        user_version: of the user's record then; None unless a user.
        transport_certificate: SHA-256 fingerprint of the TLS client certificate, where the bootstrap policy
            demanded one.
        identities: what a partner may be known by, as ``exchange.partners`` spells it.
        partner: who it was of the partners then; empty: none of them.
        variant: of the policy that the bootstrap met, a value of ``exchange.ways.Way.variant``.
    """

    name: str
    proof: str
    certificate: Certificate | None = None
    path: tuple[Certificate, ...] = ()
    roles: frozenset[str] = frozenset()
    user_version: str | None = None
    transport_certificate: str | None = None
    identities: tuple[str, ...] = ()
    partner: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SecurityContext(ContextKey):
    """A context that this service has issued.

    Attributes:
        endpoint: path of the endpoint that issued it, which is the only one that takes it.
        policy: fingerprint of the policy that it was issued under, likewise.
        owner: whose it is.
        created: when it was issued.
        expires: when its life ends, used or not.
        used: a message was accepted under it.
        version: of the record it was read from.
    """

    endpoint: str
    policy: str
    owner: ContextOwner
    created: datetime
    expires: datetime
    used: bool = False
    version: int = 1
