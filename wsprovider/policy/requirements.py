"""A policy alternative compiled into what one message must show: frozen values, no elements.

Compiled once at start. The same values lead the judge (what must be proven), the outbound plan (what
must be done) and both roles: ``request`` and ``reply`` are told apart, who we are is not.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from wsprovider.policy import model
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.suites import Suite


class Protection(Enum):
    """What protects messages (WS-SecurityPolicy 1.2, section 7)."""

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
class MessageRequirements:
    """What one message of an exchange must show.

    Attributes:
        request: a request (else a reply).
        signature_token: whose key signs; None without a message signature (transport).
        encryption_token: to whose key is encrypted; in a symmetric binding the protection token.
        signature_derived, encryption_derived: by keys derived from the protection token's.
        confirmation: the reply confirms the request's signatures (Wss11, section 9.2).
    """

    request: bool
    protection: Protection
    suite: Suite
    timestamp: bool
    signed: PartsRequirement
    encrypted: PartsRequirement
    usernames: tuple[UsernameRequirement, ...] = ()
    signature_token: model.X509Token | None = None
    encryption_token: model.X509Token | None = None
    signature_derived: bool = False
    encryption_derived: bool = False
    encrypt_before_signing: bool = False
    encrypt_signature: bool = False
    protect_tokens: bool = False
    layout: model.Layout = model.Layout.LAX
    confirmation: bool = False
    required_headers: tuple[model.HeaderPart, ...] = ()
    references: frozenset[model.KeyReference] = frozenset()

    @property
    def has_signature(self) -> bool:
        """A message signature is called for: something must be signed, if only the Timestamp."""
        if self.protection is Protection.TRANSPORT:
            return False
        return (
            self.timestamp
            or not self.signed.empty
            or self.confirmation
            or any(username.signed for username in self.usernames)
        )

    @property
    def has_encryption(self) -> bool:
        """Something must be encrypted by the message's own means."""
        if self.protection is Protection.TRANSPORT:
            return False
        return (
            not self.encrypted.empty
            or any(username.encrypted for username in self.usernames)
            or (self.encrypt_signature and self.has_signature)
        )


@dataclass(frozen=True, slots=True)
class Requirements:
    """Both messages of an exchange under one alternative."""

    request: MessageRequirements
    reply: MessageRequirements
    client_certificate: bool = False
    """TLS client authentication is demanded (HttpsToken, section 5.4.9)."""


def compile_policy(policy: model.Policy, where: str) -> tuple[Requirements, ...]:
    """Compile every alternative.

    Args:
        policy: the policy in normal form.
        where: file and key it came from, for the error.

    Raises:
        ConfigurationError: what the policy asks for and the engine does not do, all of it.
    """
    compiler = _Compiler(where)
    compiled = tuple(compiler.alternative(alternative) for alternative in policy.alternatives)
    if not compiled:
        compiler.refuse("the policy has no alternative, so nothing could satisfy it")
    if len({one.request.encrypt_before_signing for one in compiled}) > 1:
        compiler.refuse("alternatives of one endpoint must agree on the protection order")
    if compiler.problems:
        raise ConfigurationError(compiler.problems)
    return compiled


class _Compiler:
    """Collects problems while compiling."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[Problem] = []

    def refuse(self, what: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.where, what))

    def alternative(self, alternative: model.Alternative) -> Requirements:
        binding = alternative.binding
        usernames = self._usernames(alternative)
        request, reply = self._binding(binding)
        common = {
            "suite": binding.suite,
            "timestamp": binding.timestamp,
            "signed": self._parts(alternative.signed_parts, empty_means_all=True),
            "encrypted": self._parts(alternative.encrypted_parts, empty_means_all=False),
            "layout": binding.layout,
            "required_headers": alternative.required_headers,
            "references": alternative.wss.references,
        }
        request_requirements = MessageRequirements(request=True, usernames=usernames, **{**common, **request})
        reply_requirements = MessageRequirements(
            request=False,
            confirmation=alternative.wss.signature_confirmation,
            **{**common, **reply},
        )
        self._sane(request_requirements)
        client = (
            isinstance(binding, model.TransportBinding)
            and binding.token.client is model.ClientAuthentication.CERTIFICATE
        )
        return Requirements(request_requirements, reply_requirements, client)

    def _binding(self, binding: model.Binding) -> tuple[dict[str, Any], dict[str, Any]]:
        if isinstance(binding, model.TransportBinding):
            if binding.token.client in (
                model.ClientAuthentication.BASIC,
                model.ClientAuthentication.DIGEST,
            ):
                self.refuse(f"HttpsToken with {binding.token.client.value} is not supported")
            both: dict[str, Any] = {"protection": Protection.TRANSPORT}
            return both, both
        order: dict[str, Any] = {
            "encrypt_before_signing": binding.encrypt_before_signing,
            "encrypt_signature": binding.encrypt_signature,
            "protect_tokens": binding.protect_tokens,
        }
        if isinstance(binding, model.SymmetricBinding):
            signature = self._x509(binding.signature_token, "ProtectionToken")
            encryption = self._x509(binding.encryption_token, "ProtectionToken")
            if signature != encryption:
                self.refuse("SignatureToken and EncryptionToken must be the same token")
            derived = signature is not None and self._derived(signature)
            both = {
                **order,
                "protection": Protection.SYMMETRIC,
                "signature_token": signature,
                "encryption_token": encryption,
                "signature_derived": derived,
                "encryption_derived": derived,
            }
            return both, both
        return self._asymmetric(binding, order)

    def _asymmetric(
        self, binding: model.AsymmetricBinding, order: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        tokens: dict[str, model.X509Token | None] = {}
        for name in (
            "initiator_signature",
            "initiator_encryption",
            "recipient_signature",
            "recipient_encryption",
        ):
            token = getattr(binding, name)
            tokens[name] = None if token is None else self._x509(token, name)
            found = tokens[name]
            if found is not None and found.derived_keys is not model.DerivedKeys.NONE:
                self.refuse(
                    "RequireDerivedKeys in an AsymmetricBinding proves no client key: use a SymmetricBinding"
                )
        order["protection"] = Protection.ASYMMETRIC
        return (
            {
                **order,
                "signature_token": tokens["initiator_signature"],
                "encryption_token": tokens["recipient_encryption"],
            },
            {
                **order,
                "signature_token": tokens["recipient_signature"],
                "encryption_token": tokens["initiator_encryption"],
            },
        )

    def _x509(self, token: model.Token, role: str) -> model.X509Token | None:
        if isinstance(token, model.X509Token):
            return token
        self.refuse(f"{type(token).__name__} as {role} is not supported")
        return None

    def _derived(self, token: model.X509Token) -> bool:
        if token.derived_keys is model.DerivedKeys.IMPLIED:
            self.refuse("RequireImpliedDerivedKeys is not supported")
        return token.derived_keys is not model.DerivedKeys.NONE

    def _usernames(self, alternative: model.Alternative) -> tuple[UsernameRequirement, ...]:
        found: list[UsernameRequirement] = []
        for supporting in alternative.supporting:
            if supporting.endorsing:
                self.refuse("endorsing supporting tokens are not supported")
            if not (supporting.signed_parts.empty and supporting.encrypted_parts.empty):
                self.refuse("parts inside a supporting token assertion are not supported")
            for token in supporting.tokens:
                if not isinstance(token, model.UsernameToken):
                    self.refuse(f"{type(token).__name__} as supporting token is not supported")
                    continue
                if token.derived_keys is not model.DerivedKeys.NONE:
                    self.refuse("keys derived from a UsernameToken are not supported")
                if token.password is model.Password.NONE:
                    self.refuse("NoPassword proves nothing: a UsernameToken needs a password")
                found.append(UsernameRequirement(token, supporting.signed, supporting.encrypted))
        if len(found) > 1:
            self.refuse("more than one UsernameToken is not supported")
        return tuple(found)

    def _parts(self, parts: model.Parts, *, empty_means_all: bool) -> PartsRequirement:
        if parts.all_parts:
            return PartsRequirement(body=True, all_headers=empty_means_all)
        return PartsRequirement(body=parts.body, headers=parts.headers)

    def _sane(self, message: MessageRequirements) -> None:
        """Refuse a policy under which a message would prove nothing."""
        if message.protection is Protection.TRANSPORT:
            return
        if not message.has_signature and not message.has_encryption:
            self.refuse("the policy protects nothing: no parts, no Timestamp, no tokens")
        if message.protection is Protection.ASYMMETRIC:
            if message.has_signature and message.signature_token is None:
                self.refuse("something must be signed, but the binding has no signature token")
            if message.has_encryption and message.encryption_token is None:
                self.refuse("something must be encrypted, but the binding has no encryption token")
        if not message.has_signature:
            self.refuse(
                "without IncludeTimestamp or SignedParts nothing is signed and replay cannot be "
                "told: add IncludeTimestamp"
            )
