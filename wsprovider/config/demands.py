"""What a policy needs from the set-up before its service can start: keys, trust, users.

Derived from the policy value alone, so that a policy document of the developer's own is checked just
as a scenario is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from wsprovider.policy.model import (
    Alternative,
    AsymmetricBinding,
    ClientAuthentication,
    KerberosToken,
    Password,
    Policy,
    SecureConversationToken,
    SymmetricBinding,
    Token,
    TransportBinding,
    UsernameToken,
    X509Token,
)
from wsprovider.policy.publish import in_conversation
from wsprovider.words.suites import Suite


@dataclass(frozen=True, slots=True)
class Demands:
    """What some alternative of a policy, or of a bootstrap policy in it, needs.

    Attributes:
        ring: our own keys: a private key (a recipient's or protection token that is a certificate), or a
            seal key (a conversation).
        trust: a way to decide whose certificates may sign requests.
        users: a user store.
        conversation: security contexts (a protection token that is a SecureConversationToken), which the
            ring's seal key seals.
        kerberos: a service principal of ours, for which callers have tickets.
        http_basic: user name and password come with HTTP.
        clear_passwords: the store must be able to check password digests (HashPassword).
        https: every alternative is bound to the transport, or is a conversation that only TLS can open.
        suites: every suite named.
        malleable: an alternative encrypts the Body by a method without integrity and does not sign it.
    """

    ring: bool
    trust: bool
    users: bool
    conversation: bool
    kerberos: bool
    http_basic: bool
    clear_passwords: bool
    https: bool
    suites: tuple[Suite, ...]
    malleable: bool


def demands_of(policy: Policy) -> Demands:
    """Read off a policy what its service needs."""
    alternatives = tuple(all_alternatives(policy))
    names = [token for alternative in alternatives for token in _client_tokens(alternative)]
    users = [
        token for token in names if isinstance(token, UsernameToken) and token.password is not Password.NONE
    ]
    conversation = any(in_conversation(alternative) for alternative in alternatives)
    basic = any(_over(alternative, ClientAuthentication.BASIC) for alternative in alternatives)
    return Demands(
        ring=conversation
        or any(isinstance(token, X509Token) for a in alternatives for token in _service_tokens(a)),
        trust=any(isinstance(token, X509Token) for token in names)
        or any(_over(alternative, ClientAuthentication.CERTIFICATE) for alternative in alternatives),
        users=bool(users) or basic,
        conversation=conversation,
        kerberos=any(
            isinstance(token, KerberosToken)
            for alternative in alternatives
            for token in (*_service_tokens(alternative), *_client_tokens(alternative))
        ),
        http_basic=basic,
        clear_passwords=any(token.password is Password.HASH for token in users),
        https=_over_tls(policy),
        suites=tuple(dict.fromkeys(alternative.binding.suite for alternative in alternatives)),
        malleable=any(_malleable(alternative) for alternative in alternatives),
    )


def all_alternatives(policy: Policy) -> Iterator[Alternative]:
    """The policy's alternatives, each followed by those of the bootstrap policies inside it."""
    for alternative in policy.alternatives:
        yield alternative
        for token in (*_service_tokens(alternative), *_client_tokens(alternative)):
            if isinstance(token, SecureConversationToken) and token.bootstrap is not None:
                yield from all_alternatives(token.bootstrap)


def _over_tls(policy: Policy) -> bool:
    return all(
        isinstance(alternative.binding, TransportBinding)
        or any(
            isinstance(token, SecureConversationToken)
            and token.bootstrap is not None
            and _over_tls(token.bootstrap)
            for token in _service_tokens(alternative)
        )
        for alternative in policy.alternatives
    )


def _service_tokens(alternative: Alternative) -> tuple[Token, ...]:
    """Tokens whose key is the service's."""
    match alternative.binding:
        case SymmetricBinding(signature_token=signature, encryption_token=encryption):
            return tuple(t for t in (signature, encryption) if not isinstance(t, UsernameToken))
        case AsymmetricBinding(recipient_signature=signature, recipient_encryption=encryption):
            return tuple(t for t in (signature, encryption) if t is not None)
        case _:
            return ()


def _client_tokens(alternative: Alternative) -> tuple[Token, ...]:
    """Tokens by which the client shows who it is."""
    tokens: tuple[Token | None, ...] = ()
    match alternative.binding:
        case SymmetricBinding(signature_token=signature, encryption_token=encryption):
            tokens = tuple(t for t in (signature, encryption) if isinstance(t, UsernameToken))
        case AsymmetricBinding(initiator_signature=signature, initiator_encryption=encryption):
            tokens = (signature, encryption)
        case _:
            pass
    supporting = (token for supporting in alternative.supporting for token in supporting.tokens)
    return tuple(token for token in (*tokens, *supporting) if token is not None)


def _over(alternative: Alternative, client: ClientAuthentication) -> bool:
    """The transport authenticates the client: by a certificate that trust has to know, by a password of a user."""
    binding = alternative.binding
    return isinstance(binding, TransportBinding) and binding.token.client is client


def _malleable(alternative: Alternative) -> bool:
    encrypted, signed = alternative.encrypted_parts, alternative.signed_parts
    return (
        alternative.binding.suite.malleable
        and (encrypted.body or encrypted.all_parts)
        and not (signed.body or signed.all_parts)
    )
