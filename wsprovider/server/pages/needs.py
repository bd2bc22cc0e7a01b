"""What a client has to have and to do for one alternative of a policy."""

from wsprovider.policy.model import Layout
from wsprovider.policy.requirements import KeySource, MessageRequirements, Protection, Requirements, source_of
from wsprovider.words.suites import Suite


def openings(way: Requirements) -> tuple[Requirements, ...]:
    """The alternative itself, and those by which its conversation is opened."""
    return (way, *(way.conversation.bootstrap if way.conversation is not None else ()))


def uses_own_key(way: Requirements) -> bool:
    """The client signs with a private key of its own in some message."""
    return any(
        one.request.protection is Protection.ASYMMETRIC
        or any(source_of(token.token) is KeySource.ENCRYPTED_KEY for token in one.request.endorsing)
        for one in openings(way)
    )


def uses_service_certificate(way: Requirements) -> bool:
    """The client needs the service's certificate in some message."""
    return any(
        one.request.protection is not Protection.TRANSPORT
        and one.request.key_source is KeySource.ENCRYPTED_KEY
        for one in openings(way)
    )


def uses_name(way: Requirements) -> bool:
    """The client sends a user name in some message."""
    return any(one.request.usernames for one in openings(way))


def over_tls(way: Requirements) -> bool:
    """Some message goes over TLS only."""
    return any(one.request.protection is Protection.TRANSPORT for one in openings(way))


def tickets(way: Requirements) -> bool:
    """The client needs Kerberos tickets."""
    return any(
        source_of(token) is KeySource.TICKET
        for one in openings(way)
        for token in (one.request.signature_token, *(endorsing.token for endorsing in one.request.endorsing))
    )


def suite(way: Requirements) -> Suite:
    """The suite of its calls."""
    return way.request.suite


def signs(request: MessageRequirements) -> bool:
    """Something in a request is signed by a key of the message layer."""
    return request.has_signature or bool(request.endorsing)


def plain(request: MessageRequirements) -> bool:
    """Nothing beyond a signature of the Body by the client's own key, and its encryption."""
    return (
        request.protection is Protection.ASYMMETRIC
        and request.signed.body
        and not (request.signed.headers or request.signed.all_headers)
        and not (request.encrypted.headers or request.encrypted.all_headers or request.required_headers)
        and not (request.encrypt_before_signing and request.has_encryption)
        and not (request.encrypt_signature or request.protect_tokens or request.endorsing)
        and request.layout in (Layout.STRICT, Layout.LAX)
    )
