"""A realm whose tickets are real AP-REQs from outside, read as strictly as those of a KDC; only their seal is a dictionary."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from tests.live.forged_tickets import bits, der, integer, name, tagged, text
from tests.simulator.realm import AES256, Holder, Realm
from tests.simulator.world import World
from wsprovider.adapters.kerberos.ap_req import read_ap_req
from wsprovider.ports import AcceptedTicket, Entropy, FreshTicket
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

MECHANISM = bytes.fromhex("06092a864886f712010202")


def _sealed(octets: bytes, version: int | None = None) -> bytes:
    number = b"" if version is None else tagged(1, integer(version))
    return der(0x30, tagged(0, integer(AES256)), number, tagged(2, der(0x04, octets)))


def ap_req(ticket: bytes, authenticator: bytes) -> bytes:
    """An AP-REQ, wrapped as GSS-API does (RFC 4120, section 5.5.1; RFC 4121, section 4.1)."""
    inside = der(
        0x30,
        tagged(0, integer(5)),
        tagged(1, text("TEST.LOCAL")),
        tagged(2, name("HTTP/service.example.org")),
        tagged(3, _sealed(ticket, 3)),
    )
    fields = (tagged(0, integer(5)), tagged(1, integer(14)), tagged(2, bits(0)), tagged(3, der(0x61, inside)))
    return der(0x60, MECHANISM, b"\x01\x00", der(0x6E, der(0x30, *fields, tagged(4, _sealed(authenticator)))))


class StrictRealm(Realm):
    """Implements :class:`wsprovider.ports.TicketAcceptor`: strict about the outside, and each octet counts."""

    def accept(self, token: bytes, *, now: datetime) -> AcceptedTicket:
        """See :class:`wsprovider.ports.TicketAcceptor`."""
        ticket = self.known.get(read_ap_req(token).wrapped)
        if ticket is None:
            raise WSSecurityError(Reason.TICKET_INVALID)
        if ticket.expires <= now:
            raise WSSecurityError(Reason.TICKET_EXPIRED)
        return ticket


@dataclass
class StrictHolder(Holder):
    """Implements :class:`wsprovider.ports.TicketSource` for one principal of such a realm."""

    entropy: Entropy = field(kw_only=True)

    def ticket(self, *, now: datetime) -> FreshTicket:
        """A fresh AP-REQ."""
        authenticator, key, expires = self.entropy(120), self.entropy(32), now + self.life
        token = ap_req(self.entropy(200), authenticator)
        digest = hashlib.sha256(authenticator).digest()
        self.realm.known[token] = AcceptedTicket(self.principal, key, AES256, expires, digest)
        return FreshTicket(token, key, expires)


def in_a_realm(world: World) -> World:
    """The world, with such a realm."""
    world.realm = StrictRealm()
    world.holder = StrictHolder(world.realm, entropy=world.entropy)
    world.initiator = world.make_initiator()
    return world
