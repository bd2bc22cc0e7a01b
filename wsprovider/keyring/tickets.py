"""Keys that came by a Kerberos ticket (Kerberos Token Profile 1.1, section 3.4)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

SHA1_BYTES: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class TicketKey:
    """The key of an AP-REQ: the authenticator's sub-key, or the ticket's session key.

    Attributes:
        sha1: of the token's octets, by which later messages and replies name it (section 3.5).
        secret: the key.
        principal: whose ticket it is, ``user@REALM``.
        expires: when the ticket's life ends.
        authenticator: what tells the AP-REQ from others; None where it was not shown but named.
    """

    sha1: bytes
    secret: bytes = field(repr=False)
    principal: str
    expires: datetime
    authenticator: bytes | None = None


def ticket_sha1(token: bytes) -> bytes:
    """The name of a token: SHA-1 of its octets, as they stand in the message."""
    return hashlib.sha1(token, usedforsecurity=False).digest()
