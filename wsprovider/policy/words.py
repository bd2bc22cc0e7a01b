"""Keys, layouts and parts in words: the same ones on a service's page and in an explained message."""

from typing import Final

from wsprovider.policy.model import HeaderPart, Layout
from wsprovider.policy.requirements import KeySource, MessageRequirements, PartsRequirement, Protection

KEYS: Final = {
    KeySource.ENCRYPTED_KEY: "the key that an EncryptedKey brings for our certificate",
    KeySource.CONTEXT: "the key of a security context",
    KeySource.TICKET: "the key of a Kerberos ticket for our service",
}
"""The key that both sides hold, as a request shows it."""
_KEYS_OF_REPLIES: Final = {
    KeySource.ENCRYPTED_KEY: "the key that the request's EncryptedKey has brought",
    KeySource.CONTEXT: "the key of the request's security context",
    KeySource.TICKET: "the key of the request's Kerberos ticket",
}
LAYOUTS: Final = {
    Layout.STRICT: "Tokens stand before the signature that uses them",
    Layout.LAX_TIMESTAMP_FIRST: "The Timestamp stands first in the header",
    Layout.LAX_TIMESTAMP_LAST: "The Timestamp stands last in the header",
}
"""What a layout demands (WS-SecurityPolicy 1.2, section 6.7); Lax demands nothing."""


def shared_key(wanted: MessageRequirements) -> str:
    """The key that both sides hold, which encrypts (and in a symmetric binding signs, too)."""
    if wanted.request:
        return KEYS[wanted.key_source]
    if wanted.protection is Protection.ASYMMETRIC:
        return "the key that an EncryptedKey brings for the client's certificate"
    return _KEYS_OF_REPLIES[wanted.key_source]


def listed(parts: PartsRequirement) -> str:
    """The header blocks that must be signed or encrypted."""
    if parts.all_headers:
        return "all headers"
    return ", ".join(clark(one) for one in parts.headers)


def clark(part: HeaderPart) -> str:
    """A header block's Clark name, with ``*`` for any of a namespace."""
    return f"{{{part.namespace}}}{part.name or '*'}"
