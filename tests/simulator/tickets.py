"""Messages under Kerberos tickets that a usual client would not send: by name, by another spelling, by one key."""

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lxml import etree

from tests.simulator.bend import SECURITY, SIGNATURE, WSU_ID, Change, bend, element, every, one, remove
from tests.simulator.realm import Realm
from tests.simulator.world import World, echo_body, policy
from wsprovider.exchange.initiator import Pending
from wsprovider.exchange.settings import KerberosSettings
from wsprovider.header import kerberos_token
from wsprovider.header import token_reference as str_
from wsprovider.keyring.tickets import ticket_sha1
from wsprovider.policy.model import DerivedKeys, Policy
from wsprovider.ports import AcceptedTicket, FreshTicket
from wsprovider.scenarios import blocks
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

TICKET = f"{SECURITY}/wsse:BinarySecurityToken[contains(@ValueType,'Kerberosv5_AP_REQ')]"
LATER = KerberosSettings(later_messages=True)
EXPLICIT, IMPLIED = DerivedKeys.REQUIRED, DerivedKeys.IMPLIED
BODY_TOO = {"signed": blocks.BODY, "encrypted": blocks.BODY}
SEALED = policy("16", **BODY_TOO)
STR = f"{SIGNATURE}/ds:KeyInfo/wsse:SecurityTokenReference"


@dataclass
class Again:
    """A source that gives one AP-REQ for every message."""

    fresh: FreshTicket

    def ticket(self, *, now: datetime) -> FreshTicket:
        """See :class:`wsprovider.ports.TicketSource`."""
        return self.fresh


@dataclass
class NoSubKey:
    """A source whose authenticators bring no sub-key: the ticket's session key stands for all of them."""

    world: World
    key: bytes = bytes(range(32))

    def ticket(self, *, now: datetime) -> FreshTicket:
        """See :class:`wsprovider.ports.TicketSource`."""
        fresh = self.world.holder.ticket(now=now)
        self.world.realm.known[fresh.token[1:]] = replace(
            self.world.realm.known[fresh.token[1:]], key=self.key
        )
        return replace(fresh, key=self.key)


@dataclass
class Refusing(Realm):
    """A realm that takes nothing, for a reason."""

    reason: Reason = Reason.TICKET_INVALID

    def accept(self, token: bytes, *, now: datetime) -> AcceptedTicket:
        """See :class:`wsprovider.ports.TicketAcceptor`."""
        self.accepted += 1
        raise WSSecurityError(self.reason, "a detail")


def deriving(keys: DerivedKeys, **parts: Any) -> Policy:
    """Scenario 16 by derived keys."""
    token = replace(blocks.KERBEROS, derived_keys=keys)
    return policy("16", signature_token=token, encryption_token=token, **parts)


def under(world: World, fresh: FreshTicket, text: str = "hello", **message: Any) -> Pending:
    """A request under one AP-REQ, whether it was sent before or not."""
    speaker = world.make_initiator(tickets=Again(fresh))
    return speaker.request(echo_body(world.soap, text), version=world.soap, **message)


def named(sha1: bytes) -> Change:
    """The ticket is named by its hash wherever it is named; the token itself stays."""

    def change(root: etree._Element) -> None:
        identifier = one(root, TICKET).get(WSU_ID)
        for found in every(root, f"//wsse:SecurityTokenReference[wsse:Reference/@URI='#{identifier}']"):
            new = element(str_.write_key_identifier(uris.KERBEROS_AP_REQ_SHA1, sha1))
            found.replace(found[0], new[0])

    return change


def without(sha1: bytes, *also: Change) -> Callable[[bytes], bytes]:
    """A later message: the ticket is named by its hash, and not there."""
    return lambda message: bend(message, named(sha1), remove(TICKET), *also)


def later(world: World, fresh: FreshTicket, text: str = "later", **message: Any) -> bytes:
    """A later message under a ticket."""
    return without(ticket_sha1(fresh.token))(under(world, fresh, text, **message).data)


def spelled(value_type: str, first: bytes) -> Change:
    """The same AP-REQ, called and wrapped otherwise."""

    def change(root: etree._Element) -> None:
        found = one(root, TICKET)
        octets = first + kerberos_octets(found)[1:]
        found.text = etree.fromstring(kerberos_token.write("x", octets)).text
        found.set("ValueType", value_type)
        for reference in every(root, f"//wsse:Reference[@URI='#{found.get(WSU_ID)}']"):
            reference.set("ValueType", value_type)

    return change


def kerberos_octets(found: etree._Element) -> bytes:
    """Of a token."""
    return base64.b64decode(found.text or "")


def shown(world: World, principal: str = "alice@TEST.LOCAL", *, key: bytes | None = None) -> FreshTicket:
    """An AP-REQ of somebody, with any key."""
    token, secret = os.urandom(400), key or os.urandom(32)
    expires = world.now + world.holder.life
    authenticator = hashlib.sha256(token).digest()
    world.realm.known[token] = AcceptedTicket(principal, secret, 18, expires, authenticator)
    return FreshTicket(b"\x60" + token, secret, expires)


def token_of(world: World) -> bytes:
    """Another ticket of the same caller, as an element."""
    return kerberos_token.write("KRB-x", world.holder.ticket(now=world.now).token)
