"""A Kerberos realm in a dictionary: tickets that only it can make and read, for messages without a KDC.

The real thing is in ``tests/live/kdc.py``; what is shown here is what the message layer does with tickets.
"""

import hashlib
import os
import pickle
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from wsprovider.ports import AcceptedTicket, FreshTicket
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

AES256 = 18


@dataclass
class Realm:
    """Implements :class:`wsprovider.ports.TicketAcceptor`."""

    known: MutableMapping[bytes, AcceptedTicket] = field(default_factory=dict)
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


class Kept(MutableMapping[bytes, AcceptedTicket]):
    """The tickets of a realm that several processes know: a file each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder

    def _file(self, token: bytes) -> Path:
        return self._folder / hashlib.sha256(token).hexdigest()

    def __getitem__(self, token: bytes) -> AcceptedTicket:
        try:
            ticket: AcceptedTicket = pickle.loads(self._file(token).read_bytes())
        except FileNotFoundError:
            raise KeyError(token) from None
        return ticket

    def __setitem__(self, token: bytes, ticket: AcceptedTicket) -> None:
        self._file(token).write_bytes(pickle.dumps(ticket))

    def __delitem__(self, token: bytes) -> None:
        self._file(token).unlink()

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError("files are named by hashes")

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.iterdir())


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
