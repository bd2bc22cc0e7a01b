"""A policy compiled into requirements, or refused with everything that the engine does not do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wsprovider.policy import model
from wsprovider.policy.assigned import Assigned, OperationPolicies, pairs
from wsprovider.policy.requirements import (
    UNPROTECTED,
    ConversationRequirements,
    EndorsingRequirement,
    KeySource,
    MessageRequirements,
    PartsRequirement,
    Protection,
    ProtectionToken,
    Requirements,
    UsernameRequirement,
    source_of,
)
from wsprovider.words.errors import ConfigurationError, Problem


def compile_policy(policy: model.Policy, where: str) -> tuple[Requirements, ...]:
    """Compile every alternative.

    Args:
        policy: the policy in normal form.
        where: file and key it came from, for the error.

    Raises:
        ConfigurationError: what the policy asks for and the engine does not do, all of it.
    """
    compiler = _Compiler(where)
    compiled = compiler.policy(policy)
    everything = [*compiled]
    for one in compiled:
        everything += one.conversation.bootstrap if one.conversation is not None else ()
    if len({one.request.encrypt_before_signing for one in everything}) > 1:
        compiler.refuse("alternatives of one endpoint must agree on the protection order")
    if compiler.problems:
        raise ConfigurationError(compiler.problems)
    return compiled


Assignment = tuple[Requirements, frozenset[str] | None]
"""One alternative, and the operations that it is for; None: all that there are."""


def compile_assigned(
    assigned: Assigned, operations: Mapping[str, bool], where: str
) -> tuple[Assignment, ...]:
    """Compile the policies of all operations.

    Args:
        operations: their names, and whether each is one-way.
        where: the endpoint, for the error.

    Raises:
        ConfigurationError: what the policies ask for and the engine does not do.
    """
    if not assigned.operations and assigned.usual is not None:
        return tuple((one, None) for one in compile_policy(assigned.usual, where))
    groups: dict[OperationPolicies, list[str]] = {}
    for name, one_way in operations.items():
        groups.setdefault(assigned.of(name, one_way=one_way), []).append(name)
    compiled: list[Assignment] = []
    for policies, names in groups.items():
        compiled += [(one, frozenset(names)) for one in compile_operation(names[0], policies, where)]
    problems = list(_disagreements([one for one, _ in compiled if one is not UNPROTECTED], where))
    if problems:
        raise ConfigurationError(problems)
    return tuple(compiled)


def compile_operation(name: str, policies: OperationPolicies, where: str) -> tuple[Requirements, ...]:
    """Compile the policies of one operation, alternative by alternative.

    Raises:
        ConfigurationError: what the policies ask for and the engine does not do.
    """
    if policies.request is None and policies.reply is None:
        return (UNPROTECTED,)
    compiled = []
    for request, reply in pairs(name, policies):
        (one,) = compile_policy(request, f"{where}, operation {name}, request")
        (other,) = compile_policy(reply, f"{where}, operation {name}, reply")
        compiled.append(replace(one, reply=other.reply))
    return tuple(compiled)


def _disagreements(compiled: Sequence[Requirements], where: str) -> Iterator[Problem]:
    """What is looked at before it is known which operation a message calls has to be the same for all."""
    if len({one.request.encrypt_before_signing for one in compiled}) > 1:
        yield Problem(where, "operations of one endpoint must agree on the protection order")
    if len({one.conversation for one in compiled if one.conversation is not None}) > 1:
        yield Problem(
            where, "operations of one endpoint must agree on the conversation: a context is for all of them"
        )


class _Compiler:
    """Collects problems while compiling."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[Problem] = []

    def refuse(self, what: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.where, what))

    def policy(self, policy: model.Policy) -> tuple[Requirements, ...]:
        compiled = tuple(self.alternative(alternative) for alternative in policy.alternatives)
        if not compiled:
            self.refuse("the policy has no alternative, so nothing could satisfy it")
        return compiled

    def alternative(self, alternative: model.Alternative) -> Requirements:
        binding = alternative.binding
        usernames = self._usernames(alternative)
        endorsing = self._endorsing(alternative)
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
        request_requirements = MessageRequirements(
            request=True, usernames=usernames, endorsing=endorsing, **{**common, **request}
        )
        reply_requirements = MessageRequirements(
            request=False,
            confirmation=alternative.wss.signature_confirmation,
            **{**common, **reply},
        )
        self._sane(request_requirements)
        self._fit_for_tickets(request_requirements)
        client = (
            isinstance(binding, model.TransportBinding)
            and binding.token.client is model.ClientAuthentication.CERTIFICATE
        )
        return Requirements(request_requirements, reply_requirements, client, self._conversation(alternative))

    def _conversation(self, alternative: model.Alternative) -> ConversationRequirements | None:
        binding = alternative.binding
        token = binding.signature_token if isinstance(binding, model.SymmetricBinding) else None
        if not isinstance(token, model.SecureConversationToken):
            return None
        bootstrap = token.bootstrap
        if bootstrap is None:
            self.refuse(
                "a SecureConversationToken without a BootstrapPolicy says nothing of who may ask for it"
            )
            return None
        compiled = self.policy(bootstrap)
        if any(one.conversation is not None for one in compiled):
            self.refuse("the bootstrap policy of a conversation cannot be a conversation itself")
        if any(one.request.http_basic for one in compiled):
            self.refuse("HttpBasicAuthentication cannot open a conversation: bootstrap with a UsernameToken")
        if alternative.supporting:
            self.refuse(
                "supporting tokens beside a SecureConversationToken: put them into its BootstrapPolicy"
            )
        for one in compiled:
            if one.request.protection is not Protection.TRANSPORT and not (
                one.request.encrypted.body and one.reply.encrypted.body
            ):
                self.refuse("a bootstrap policy must encrypt the Body, which carries what the key is made of")
        trust = alternative.trust or frozenset()
        return ConversationRequirements(
            compiled,
            binding.suite.symmetric_bits,
            client_entropy=model.TrustOption.CLIENT_ENTROPY in trust,
            server_entropy=model.TrustOption.SERVER_ENTROPY in trust,
            applies_to=model.TrustOption.APPLIES_TO in trust,
            cancel=not token.must_not_send_cancel,
            renew=not token.must_not_send_renew,
        )

    def _binding(self, binding: model.Binding) -> tuple[dict[str, Any], dict[str, Any]]:
        if isinstance(binding, model.TransportBinding):
            if binding.token.client is model.ClientAuthentication.DIGEST:
                self.refuse(f"HttpsToken with {binding.token.client.value} is not supported")
            both: dict[str, Any] = {"protection": Protection.TRANSPORT}
            basic = binding.token.client is model.ClientAuthentication.BASIC
            return {**both, "http_basic": basic}, both
        order: dict[str, Any] = {
            "encrypt_before_signing": binding.encrypt_before_signing,
            "encrypt_signature": binding.encrypt_signature,
            "protect_tokens": binding.protect_tokens,
        }
        if isinstance(binding, model.SymmetricBinding):
            signature = self._protection(binding.signature_token)
            encryption = self._protection(binding.encryption_token)
            if signature != encryption:
                self.refuse("SignatureToken and EncryptionToken must be the same token")
            derived = signature is not None and signature.derived_keys is not model.DerivedKeys.NONE
            implied = signature is not None and signature.derived_keys is model.DerivedKeys.IMPLIED
            both = {
                **order,
                "protection": Protection.SYMMETRIC,
                "signature_token": signature,
                "encryption_token": encryption,
                "signature_derived": derived,
                "encryption_derived": derived,
                "implied_keys": implied,
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

    def _protection(self, token: model.Token) -> ProtectionToken | None:
        if isinstance(token, model.SecureConversationToken | model.KerberosToken):
            return token
        return self._x509(token, "ProtectionToken")

    def _endorsing(self, alternative: model.Alternative) -> tuple[EndorsingRequirement, ...]:
        found: list[EndorsingRequirement] = []
        for supporting in alternative.supporting:
            for token in supporting.tokens if supporting.endorsing else ():
                if not isinstance(token, model.X509Token | model.KerberosToken):
                    self.refuse(f"{type(token).__name__} as endorsing supporting token is not supported")
                    continue
                if token.derived_keys is not model.DerivedKeys.NONE:
                    self.refuse("keys derived from an endorsing token are not supported")
                if supporting.signed and not _in_requests(token):
                    self.refuse("a signed endorsing token that no request includes cannot be signed")
                if supporting.encrypted and isinstance(token, model.KerberosToken):
                    self.refuse("an encrypted endorsing KerberosToken is not supported")
                found.append(EndorsingRequirement(token, supporting.signed, supporting.encrypted))
        if len(found) > 1:
            self.refuse("more than one endorsing supporting token is not supported")
        return tuple(found)

    def _usernames(self, alternative: model.Alternative) -> tuple[UsernameRequirement, ...]:
        found: list[UsernameRequirement] = []
        for supporting in alternative.supporting:
            if not (supporting.signed_parts.empty and supporting.encrypted_parts.empty):
                self.refuse("parts inside a supporting token assertion are not supported")
            for token in () if supporting.endorsing else supporting.tokens:
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

    def _fit_for_tickets(self, message: MessageRequirements) -> None:
        """One ticket's key protects several messages, so that what was sealed for one would fit another.

        (A message may name the ticket of an earlier one; authenticators without a sub-key all bring the same.)
        """
        if message.protection is not Protection.SYMMETRIC or message.key_source is not KeySource.TICKET:
            return
        signed, sealed = message.signed, message.encrypted
        bare = sealed.all_headers and not signed.all_headers
        bare = bare or not all(_wants(signed, part) for part in sealed.headers)
        if bare or (sealed.body and not signed.body):
            self.refuse("a KerberosToken's key encrypts nothing that it does not sign: add it to SignedParts")
        if any(one.encrypted and not one.signed for one in message.usernames):
            self.refuse("an encrypted UsernameToken beside a KerberosToken must be signed as well")
        if any(source_of(one.token) is KeySource.TICKET for one in message.endorsing):
            self.refuse("an endorsing KerberosToken beside one that protects the message is not supported")

    def _sane(self, message: MessageRequirements) -> None:
        """Refuse a policy under which a message would prove nothing."""
        if message.http_basic and message.usernames:
            self.refuse("HttpBasicAuthentication beside a UsernameToken names two users: keep one of them")
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


def _wants(parts: PartsRequirement, part: model.HeaderPart) -> bool:
    everything = f"{{{part.namespace}}}{part.name}"
    return part in parts.headers or parts.all_headers or (part.name is not None and parts.wants(everything))


def _in_requests(token: model.X509Token | model.KerberosToken) -> bool:
    return token.inclusion not in (model.Inclusion.NEVER, model.Inclusion.ALWAYS_TO_INITIATOR)
