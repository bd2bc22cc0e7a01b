"""A Kerberos realm in a dictionary: tickets that only it can make and read, for messages without a KDC.

The real thing is in ``tests/live/kdc.py``; what is shown here is what the message layer does with tickets.
"""

import hashlib
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wsprovider.ports import AcceptedTicket, FreshTicket
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

AES256 = 18


@dataclass
class Realm:
    """Implements :class:`wsprovider.ports.TicketAcceptor`."""

    known: dict[bytes, AcceptedTicket] = field(default_factory=dict)
    accepted: int = 0

    def accept(self, token: bytes, *, now: datetime) -> AcceptedTicket:
        """See :class:`wsprovider.ports.TicketAcceptor`; raw and wrapped forms are one."""
        self.accepted += 1
        ticket = self.known.get(token[1:])
        if ticket is None:
            raise WSSecurityError(Reason.TICKET_INVALID)
        if ticket.expires <= now:
            raise WSSecurityError(Reason.TICKET_EXPIRED)
        return ticket


@dataclass
class Holder:
    """Implements :class:`wsprovider.ports.TicketSource` for one principal."""

    realm: Realm
    principal: str = "alice@TEST.LOCAL"
    life: timedelta = timedelta(hours=8)
    key_bytes: int = 32

    def ticket(self, *, now: datetime) -> FreshTicket:
        """A fresh AP-REQ, wrapped as GSS-API does."""
        token, key = os.urandom(400), os.urandom(self.key_bytes)
        authenticator = hashlib.sha256(token).digest()
        expires = now + self.life
        self.realm.known[token] = AcceptedTicket(self.principal, key, AES256, expires, authenticator)
        return FreshTicket(b"\x60" + token, key, expires)
