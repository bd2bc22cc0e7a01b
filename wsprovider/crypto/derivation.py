"""P_SHA1: WS-SecureConversation 1.3 section 7 (and the 2005/02 version), after RFC 2246 section 5."""

import hmac
from typing import Final

DEFAULT_LABEL: Final = b"WS-SecureConversationWS-SecureConversation"
"""The label when a message gives none: client label and service label are both the default."""
DEFAULT_LENGTH: Final = 32


def p_sha1(secret: bytes, seed: bytes, length: int, offset: int = 0) -> bytes:
    """Generate ``length`` bytes of the key stream from ``offset`` on.

    Args:
        secret: the key that is derived from.
        seed: label and nonce, joined.
        length: bytes wanted.
        offset: bytes of the stream to leave out.
    """
    stream = bytearray()
    block = seed
    while len(stream) < offset + length:
        block = hmac.digest(secret, block, "sha1")
        stream += hmac.digest(secret, block + seed, "sha1")
    return bytes(stream[offset : offset + length])
