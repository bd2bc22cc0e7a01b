"""Telling our own replies from requests, where one secret protects both and nothing else says which is which.

The ids in a reply end in a nonce and a MAC of it under the secret of the exchange. A request whose signature
covers such an id is a reply of ours that somebody sent back, in whole or in part. No store is asked, and a
client that knows the secret and imitates the mark only has its own request refused.
"""

import hmac
from typing import Final

NONCE_BYTES: Final = 8
_MAC_BYTES: Final = 8
_PURPOSE: Final = b"wsprovider reply\x00"
_DIGITS: Final = 2 * (NONCE_BYTES + _MAC_BYTES)


def reply_suffix(secret: bytes, nonce: bytes) -> str:
    """The end of every id in a reply under a secret; hexadecimal digits."""
    return (nonce + _mac(secret, nonce)).hex()


def of_our_reply(secret: bytes, identifier: str) -> bool:
    """Whether an id was written for a reply under this secret."""
    suffix = identifier[-_DIGITS:]
    try:
        octets = bytes.fromhex(suffix)
    except ValueError:
        return False
    if len(octets) != NONCE_BYTES + _MAC_BYTES:
        return False
    return hmac.compare_digest(octets[NONCE_BYTES:], _mac(secret, octets[:NONCE_BYTES]))


def _mac(secret: bytes, nonce: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + nonce, "sha256")[:_MAC_BYTES]
