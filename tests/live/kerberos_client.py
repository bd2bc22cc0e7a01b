"""Our own client under Kerberos, over HTTP, by itself in every connection."""

from __future__ import annotations

import base64
import http.client
import os
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from lxml import etree

from tests.live.kdc import Kdc
from tests.live.kerberized import ECHO
from tests.live.provider import ProviderProcess
from tests.simulator.world import echo_body
from wsprovider.exchange.initiator import Initiator, Pending
from wsprovider.keyring.ring import Ring, RingSnapshot
from wsprovider.keyring.tickets import TicketKey, ticket_sha1
from wsprovider.keyring.trust import Trust
from wsprovider.outbound.message import Outgoing, TicketSecret
from wsprovider.outbound.plan import plan
from wsprovider.outbound.write import write
from wsprovider.policy.model import Policy
from wsprovider.policy.read import read_policy
from wsprovider.ports import FreshTicket, TicketSource
from wsprovider.soap.version import SOAP_11, SoapVersion
from wsprovider.words.limits import Limits

_LIFE = timedelta(minutes=5)
_RING = RingSnapshot(Ring("none", ()), Trust((), Limits()), "1")
_MECHANISM = bytes.fromhex("06092a864886f712010202")


class Refused(Exception):
    """The service answered with a fault."""


@dataclass
class Remembering:
    """A source of tickets that can give the last one once more."""

    source: TicketSource
    again: bool = False
    last: FreshTicket | None = None

    def ticket(self, *, now: datetime) -> FreshTicket:
        """See :class:`wsprovider.ports.TicketSource`."""
        if not self.again or self.last is None:
            self.last = self.source.ticket(now=now)
        return self.last


@dataclass
class Fixed:
    """A source of one ticket, from wherever it is."""

    last: FreshTicket

    def ticket(self, *, now: datetime) -> FreshTicket:
        """See :class:`wsprovider.ports.TicketSource`."""
        return self.last


@dataclass
class Client:
    """Our initiator over HTTP, every message by a connection of its own."""

    provider: ProviderProcess
    path: str
    policy: Policy
    tickets: TicketSource
    soap: SoapVersion = SOAP_11
    secure: bool = False
    _initiator: Initiator = field(init=False)

    def __post_init__(self) -> None:
        self._initiator = Initiator(
            self.policy,
            "client",
            keys=lambda: _RING,
            clock=lambda: datetime.now(UTC),
            entropy=os.urandom,
            tickets=self.tickets,
        )

    def message(self, text: str = "hello") -> Pending:
        """A protected request that shows a ticket."""
        return self._initiator.request(echo_body(self.soap, text), version=self.soap)

    def named(self, ticket: FreshTicket, text: str = "hello") -> Pending:
        """A later message, which names a ticket by its SHA-1."""
        now, sha1 = datetime.now(UTC), ticket_sha1(ticket.token)
        outgoing = Outgoing(
            version=self.soap,
            body=echo_body(self.soap, text),
            now=now,
            life=_LIFE,
            ticket=TicketSecret(ticket.key, sha1),
        )
        sent = write(plan(self._initiator.requirements.request), outgoing, os.urandom)
        known = TicketKey(sha1, ticket.key, "", ticket.expires)
        return Pending(sent.data, self.soap, sent.signatures, now, sent.secrets, None, known)

    def send(self, message: bytes, path: str | None = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        url = urlsplit(self.provider.url(path or self.path, secure=self.secure))
        connection: http.client.HTTPConnection
        if self.secure:
            trusted = ssl.create_default_context(cafile=str(self.provider.client()["ca"]))
            connection = http.client.HTTPSConnection("localhost", url.port, timeout=60, context=trusted)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", url.port or 80, timeout=60)
        kind = "text/xml" if self.soap is SOAP_11 else "application/soap+xml"
        headers = {"Content-Type": f"{kind}; charset=utf-8", "SOAPAction": f'"{ECHO}/echo"'}
        try:
            connection.request("POST", path or self.path, message, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answer(self, pending: Pending) -> str:
        """The text that comes back, verified.

        Raises:
            Refused: with the body of the fault.
        """
        status, body = self.send(pending.data)
        if status != http.client.OK:
            raise Refused(body.decode())
        verified = self._initiator.accept(pending, body, secure=self.secure)
        assert verified.payload is not None
        return verified.payload.findtext(f"{{{ECHO}}}text") or ""

    def call(self, text: str = "hello") -> str:
        """One call with a fresh AP-REQ."""
        return self.answer(self.message(text))


def read(document: str) -> Policy:
    """A policy document as the client has it."""
    return read_policy(document.encode(), where="the test")


def another_form(pending: Pending, token: bytes, value_type: str) -> bytes:
    """The same message with its ticket in another form; neither token nor KeyInfo is signed."""
    shown = etree.fromstring(pending.data)
    (found,) = shown.iter("{*}BinarySecurityToken")
    (reference,) = (one for one in shown.iter("{*}Reference") if one.get("ValueType") is not None)
    found.text = base64.b64encode(token).decode()
    for element in (found, reference):
        element.set("ValueType", value_type)
    return etree.tostring(shown)


def raw(token: bytes) -> bytes:
    """An AP-REQ out of what GSS-API wraps it in."""
    return token[token.index(_MECHANISM) + len(_MECHANISM) + 2 :]


def until(moment: datetime) -> None:
    """Wait for a moment to pass."""
    left = (moment - datetime.now(UTC)).total_seconds()
    if left > 0:
        time.sleep(left)


def login(kdc: Kdc, name: str, password: str) -> str:
    """What ``kinit`` leaves: a credential cache with a ticket-granting ticket, by its name."""
    import gssapi.raw as gss

    cache = f"FILE:{kdc.folder}/{name}.ccache"
    user = gss.import_name(kdc.full(name).encode(), gss.NameType.user)
    mechanisms = [gss.MechType.kerberos]
    made = gss.acquire_cred_with_password(user, password.encode(), usage="initiate", mechs=mechanisms).creds
    gss.store_cred_into(
        {b"ccache": cache.encode()}, made, usage="initiate", mech=mechanisms[0], overwrite=True
    )
    return cache
