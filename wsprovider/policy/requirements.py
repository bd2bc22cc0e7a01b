"""What one message of an exchange must show: frozen values, no elements.

Compiled once at start (:mod:`wsprovider.policy.compile`). The same values lead the judge (what must be
proven), the outbound plan (what must be done) and both roles: ``request`` and ``reply`` are told apart, who
we are is not.
"""

from dataclasses import dataclass
from enum import Enum

from wsprovider.policy import model
from wsprovider.words.suites import SUITES, Suite

ProtectionToken = model.X509Token | model.SecureConversationToken | model.KerberosToken
"""Tokens whose key can sign and encrypt."""


class KeySource(Enum):
    """Where a secret comes from that both sides hold."""

    ENCRYPTED_KEY = "EncryptedKey"
    CONTEXT = "SecurityContextToken"
    TICKET = "Kerberos ticket"


def source_of(token: ProtectionToken | None) -> KeySource:
    """Where the secret of a protection token comes from."""
    if isinstance(token, model.SecureConversationToken):
        return KeySource.CONTEXT
    return KeySource.TICKET if isinstance(token, model.KerberosToken) else KeySource.ENCRYPTED_KEY


class Protection(Enum):
    """What protects messages (WS-SecurityPolicy 1.2, section 7)."""

    NONE = "no binding"
    TRANSPORT = "TransportBinding"
    SYMMETRIC = "SymmetricBinding"
    ASYMMETRIC = "AsymmetricBinding"


@dataclass(frozen=True, slots=True)
class PartsRequirement:
    """What must be signed, or encrypted.

    Attributes:
        body: the Body (its content, when encrypted).
        headers: header blocks; only those present count (section 4.1.1).
        all_headers: every header block but wsse:Security.
    """

    body: bool = False
    headers: tuple[model.HeaderPart, ...] = ()
    all_headers: bool = False

    @property
    def empty(self) -> bool:
        """Nothing is demanded."""
        return not (self.body or self.headers or self.all_headers)

    def wants(self, tag: str) -> bool:
        """Whether a header block with this Clark name is among them."""
        if self.all_headers:
            return True
        namespace, _, name = tag[1:].rpartition("}")
        return any(part.namespace == namespace and part.name in (None, name) for part in self.headers)


@dataclass(frozen=True, slots=True)
class UsernameRequirement:
    """A UsernameToken as a supporting token (section 8)."""

    token: model.UsernameToken
    signed: bool
    encrypted: bool


@dataclass(frozen=True, slots=True)
class EndorsingRequirement:
    """A token whose key signs the message signature, or over TLS the Timestamp (section 8).

    Attributes:
        signed: the message signature covers the token.
        encrypted: the token is encrypted, where it stands in the message.
    """

    token: ProtectionToken
    signed: bool = False
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class MessageRequirements:
    """What one message of an exchange must show.

    Attributes:
        request: a request (else a reply).
        signature_token: whose key signs; None without a message signature (transport).
        encryption_token: to whose key is encrypted; in a symmetric binding the protection token.
        signature_derived, encryption_derived: by keys derived from the protection token's.
        implied_keys: derived keys are told by the references to them, without tokens of their own.
        endorsing: signatures over the message signature.
        confirmation: the reply confirms the request's signatures (Wss11, section 9.2).
        stray_confirmation: a request may carry one all the same, which Metro's renewals do.
        http_basic: a user name and password come with HTTP (HttpBasicAuthentication, section 5.4.9).
    """

    request: bool
    protection: Protection
    suite: Suite
    timestamp: bool
    signed: PartsRequirement
    encrypted: PartsRequirement
    usernames: tuple[UsernameRequirement, ...] = ()
    endorsing: tuple[EndorsingRequirement, ...] = ()
    signature_token: ProtectionToken | None = None
    encryption_token: ProtectionToken | None = None
    signature_derived: bool = False
    encryption_derived: bool = False
    implied_keys: bool = False
    encrypt_before_signing: bool = False
    encrypt_signature: bool = False
    protect_tokens: bool = False
    layout: model.Layout = model.Layout.LAX
    confirmation: bool = False
    stray_confirmation: bool = False
    required_headers: tuple[model.HeaderPart, ...] = ()
    references: frozenset[model.KeyReference] = frozenset()
    http_basic: bool = False

    @property
    def names_user(self) -> bool:
        """The user store is asked for the caller."""
        return bool(self.usernames) or self.http_basic

    @property
    def seals(self) -> bool:
        """The message itself is protected, rather than the line it comes by."""
        return self.protection in (Protection.SYMMETRIC, Protection.ASYMMETRIC)

    @property
    def key_source(self) -> KeySource:
        """Where the protection token's secret comes from."""
        return source_of(self.signature_token or self.encryption_token)

    @property
    def in_context(self) -> bool:
        """The protection token is a security context."""
        return self.key_source is KeySource.CONTEXT

    @property
    def has_signature(self) -> bool:
        """A message signature is called for: something must be signed, if only the Timestamp."""
        if not self.seals:
            return False
        return (
            self.timestamp
            or not self.signed.empty
            or self.confirmation
            or any(username.signed for username in self.usernames)
            or bool(self.endorsing)
        )

    @property
    def has_encryption(self) -> bool:
        """Something must be encrypted by the message's own means."""
        if not self.seals:
            return False
        return (
            not self.encrypted.empty
            or any(username.encrypted for username in self.usernames)
            or any(endorsing.encrypted for endorsing in self.endorsing)
            or (self.encrypt_signature and self.has_signature)
        )


@dataclass(frozen=True, slots=True)
class ConversationRequirements:
    """How the context is agreed on that protects messages of an alternative (section 5.4.7).

    Attributes:
        bootstrap: alternatives under which a context is asked for.
        bits: length of its key.
        client_entropy, server_entropy: who must contribute to its key (section 10).
        applies_to: a request for a context must say what it is for (section 10).
        cancel, renew: the client may ask for that.
    """

    bootstrap: "tuple[Requirements, ...]"
    bits: int
    client_entropy: bool = False
    server_entropy: bool = False
    applies_to: bool = False
    cancel: bool = True
    renew: bool = True


@dataclass(frozen=True, slots=True)
class Requirements:
    """Both messages of an exchange under one alternative.

    Attributes:
        client_certificate: TLS client authentication is demanded (HttpsToken, section 5.4.9).
        conversation: messages are protected by a security context.
    """

    request: MessageRequirements
    reply: MessageRequirements
    client_certificate: bool = False
    conversation: ConversationRequirements | None = None


def _bare(*, request: bool) -> MessageRequirements:
    nothing = PartsRequirement()
    # no algorithm of it is ever let in by this: see Gate.of
    suite = SUITES["Basic256Sha256"]
    return MessageRequirements(
        request=request,
        protection=Protection.NONE,
        suite=suite,
        timestamp=False,
        signed=nothing,
        encrypted=nothing,
    )


UNPROTECTED = Requirements(_bare(request=True), _bare(request=False))
"""Of an operation that was left without a policy, by name."""
