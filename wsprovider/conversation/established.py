"""Kerberos tickets that an earlier message has shown, so that later ones need only name them.

Kerberos Token Profile 1.1, section 3.5 and BSP 1.1 R6903, R6904: a message may name the AP-REQ by the SHA-1 of
its octets. What was shown to one worker is known to all: sealed in the shared store, as long as the ticket lives.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from wsprovider.conversation.sealing import open_octets, seal_octets
from wsprovider.keyring.ring import SealKeys
from wsprovider.keyring.tickets import SHA1_BYTES, TicketKey
from wsprovider.ports import Entropy, Records, Room
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

KIND: Final = "ticket"
"""The kind of record that a ticket is."""
_PURPOSE: Final = b"wsprovider kerberos ticket\x00"


class EstablishedTickets:
    """The tickets that services of one ring were shown; shared by all threads."""

    def __init__(
        self,
        store: Records,
        seals: Callable[[], SealKeys],
        entropy: Entropy,
        *,
        per_owner: int,
        tickets: int,
    ) -> None:
        """Take the store.

        Args:
            seals: gives the seal keys in force.
            per_owner: tickets of one principal that are kept.
            tickets: tickets of all.
        """
        self._store, self._seals, self._entropy = store, seals, entropy
        self._per_owner, self._tickets = per_owner, tickets

    def keep(self, ticket: TicketKey, endpoint: str, now: datetime) -> bool:
        """Remember a ticket that an accepted message has shown; false when there is no room, or it has ended.

        Raises:
            ConfigurationError: no seal key is active.
            BackendError: the store did not answer.
        """
        if ticket.expires <= now:
            return False
        name = _name(ticket.sha1, endpoint)
        values = {
            "secret": base64.b64encode(ticket.secret).decode("ascii"),
            "principal": ticket.principal,
            "expires": ticket.expires.timestamp(),
        }
        plain = json.dumps(values, separators=(",", ":")).encode()
        room = self._store.keep(
            KIND,
            name,
            seal_octets(_PURPOSE, name, plain, self._seals(), now, self._entropy),
            owner=f"{endpoint}\n{ticket.principal}",
            expires=ticket.expires,
            now=now,
            owner_limit=self._per_owner,
            limit=self._tickets,
        )
        return room in (Room.KEPT, Room.TAKEN)

    def find(self, sha1: bytes, endpoint: str, now: datetime) -> TicketKey:
        """The ticket of that hash, if it was shown to this endpoint and lives.

        Raises:
            WSSecurityError: TICKET_UNKNOWN.
            BackendError: the store did not answer.
        """
        if len(sha1) != SHA1_BYTES:
            raise WSSecurityError(Reason.TICKET_UNKNOWN, "no SHA-1")
        name = _name(sha1, endpoint)
        record = self._store.record(KIND, name, now=now)
        plain = None if record is None else open_octets(_PURPOSE, record, self._seals(), now)
        if plain is None:
            raise WSSecurityError(Reason.TICKET_UNKNOWN, sha1.hex())
        values = json.loads(plain)
        expires = datetime.fromtimestamp(values["expires"], UTC)
        if expires <= now:  # whatever the store says of it
            raise WSSecurityError(Reason.TICKET_UNKNOWN, "expired")
        return TicketKey(sha1, binascii.a2b_base64(values["secret"]), values["principal"], expires)


def _name(sha1: bytes, endpoint: str) -> str:
    """Of whatever length the endpoint is: a record's key is short."""
    return f"{sha1.hex()}:{hashlib.sha256(endpoint.encode()).hexdigest()}"
