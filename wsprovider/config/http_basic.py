"""``http_basic = true``: a second alternative beside a user name over TLS, the same user by HTTP Basic.

WS-SecurityPolicy 1.2, section 5.4.9. The policy stays the one model: what is enforced, published and explained is the
alternative that is added here.
"""

from dataclasses import replace

from wsprovider.policy.model import (
    Alternative,
    ClientAuthentication,
    HttpsToken,
    Policy,
    TransportBinding,
    UsernameToken,
    Wss,
)


def with_http_basic(policy: Policy) -> Policy:
    """The policy with such an alternative behind its own; unchanged where it cannot have one, or has it."""
    alternatives = dict.fromkeys(policy.alternatives)
    for alternative in policy.alternatives:
        binding = alternative.binding
        if isinstance(binding, TransportBinding) and _by_password(binding, alternative):
            alternatives[_by_http(binding, alternative)] = None
    return replace(policy, alternatives=tuple(alternatives))


def _by_password(binding: TransportBinding, alternative: Alternative) -> bool:
    """A UsernameToken is all that shows who sent a message."""
    tokens = [token for supporting in alternative.supporting for token in supporting.tokens]
    anonymous = binding.token.client is ClientAuthentication.NONE
    return anonymous and bool(tokens) and all(isinstance(token, UsernameToken) for token in tokens)


def _by_http(binding: TransportBinding, alternative: Alternative) -> Alternative:
    """Without a Timestamp: whoever writes no Security header has none to put it into."""
    by_http = replace(binding, token=HttpsToken(ClientAuthentication.BASIC), timestamp=False)
    return replace(alternative, binding=by_http, supporting=(), wss=Wss())
