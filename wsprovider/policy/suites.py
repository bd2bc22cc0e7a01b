"""A policy under other algorithm suites than its own (WS-SecurityPolicy 1.2, section 6.1)."""

from collections.abc import Callable
from dataclasses import replace

from wsprovider.policy.model import (
    Alternative,
    AsymmetricBinding,
    Policy,
    SecureConversationToken,
    SymmetricBinding,
    Token,
)
from wsprovider.words.suites import Suite


def with_suites(policy: Policy, change: Callable[[Suite], Suite]) -> Policy:
    """The same policy with every suite changed, also those of bootstrap policies."""
    return replace(policy, alternatives=tuple(_alternative(a, change) for a in policy.alternatives))


def _alternative(alternative: Alternative, change: Callable[[Suite], Suite]) -> Alternative:
    binding = replace(alternative.binding, suite=change(alternative.binding.suite))
    match binding:
        case SymmetricBinding():
            binding = replace(
                binding,
                signature_token=_token(binding.signature_token, change),
                encryption_token=_token(binding.encryption_token, change),
            )
        case AsymmetricBinding():
            binding = replace(
                binding,
                initiator_signature=_optional(binding.initiator_signature, change),
                initiator_encryption=_optional(binding.initiator_encryption, change),
                recipient_signature=_optional(binding.recipient_signature, change),
                recipient_encryption=_optional(binding.recipient_encryption, change),
            )
        case _:
            pass
    supporting = tuple(
        replace(tokens, tokens=tuple(_token(token, change) for token in tokens.tokens))
        for tokens in alternative.supporting
    )
    return replace(alternative, binding=binding, supporting=supporting)


def _optional(token: Token | None, change: Callable[[Suite], Suite]) -> Token | None:
    return None if token is None else _token(token, change)


def _token(token: Token, change: Callable[[Suite], Suite]) -> Token:
    if isinstance(token, SecureConversationToken) and token.bootstrap is not None:
        return replace(token, bootstrap=with_suites(token.bootstrap, change))
    return token
