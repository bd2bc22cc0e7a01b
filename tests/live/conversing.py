"""What the tests of conversations share: the context on the wire, in the shared store, and by our own client."""

from __future__ import annotations

import base64
import http.client
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from lxml import etree

from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.adapters.shared import open_store
from wsprovider.conversation.contexts import Contexts
from wsprovider.exchange.session import Asking, Session
from wsprovider.keyring.material import KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot, SealKeys
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.ports import SharedState, Totals
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11
from wsprovider.words import namespaces as ns
from wsprovider.words.limits import Limits

NAMED = ("9", "10", "11", "14", "15")
"""Scenarios whose caller proves who they are when they open a conversation."""
NOBODY = ("12", "13", "13e")
"""Scenarios in which anybody may open one."""
ISSUE, RENEW, CANCEL = (f"security-context-{name}" for name in ("issue", "renew", "cancel"))
ECHO = "urn:wsprovider:echo"
LIMITS = Limits()
_WSC = (ns.WSC_200502, ns.WSC_200512)


def context_of(message: str | bytes) -> tuple[str, str | None]:
    """Identifier and Instance of the context that a message names in its header."""
    octets = base64.b64decode(message) if isinstance(message, str) else message
    for token in etree.fromstring(octets).iter(*(f"{{{one}}}SecurityContextToken" for one in _WSC)):
        identifier, instance = (token.findtext(f"{{*}}{name}") for name in ("Identifier", "Instance"))
        assert identifier
        return identifier, instance
    raise AssertionError("no SecurityContextToken")


def fault_of(message: str | bytes) -> str:
    """Clark name of the most particular code of the Fault that a message is, or carries."""
    octets = base64.b64decode(message) if isinstance(message, str) else message
    codes = [
        element
        for element in etree.fromstring(octets).iter("faultcode", f"{{{ns.SOAP12}}}Value")
        if element.text
    ]
    assert codes, octets
    prefix, _, local = codes[-1].text.strip().rpartition(":")
    return f"{{{codes[-1].nsmap[prefix]}}}{local}"


BAD_CONTEXT = frozenset(f"{{{namespace}}}BadContextToken" for namespace in _WSC)


# the shared store, seen by the operator ----------------------------------------------------------


@contextmanager
def opened(url: str) -> Iterator[SharedState]:
    """The shared store, beside the workers that use it."""
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def end(url: str, identifier: str) -> bool:
    """Take a context away, as an operator does."""
    with opened(url) as store:
        contexts = Contexts(store, SealKeys, os.urandom, unused=timedelta(minutes=5), per_owner=1, contexts=1)
        return contexts.end(identifier, datetime.now(UTC))


def totals(url: str) -> Totals:
    """How contexts came and went."""
    with opened(url) as store:
        return store.totals("context", now=datetime.now(UTC))


# our own client ----------------------------------------------------------------------------------


class Refused(Exception):
    """The service answered with a fault."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def client_keys(keys: Path, name: str = "client-1") -> RingSnapshot:
    """The keys of a client, out of a keys folder, and the service it knows."""
    folder = keys / "development"
    key, certificate, chain = load_bundle((folder / f"{name}.p12").read_bytes(), b"development")
    (service, *_) = load_certificates((folder / "service.cert.pem").read_bytes())
    ring = Ring("client", (RingKey(KeyPair("client", certificate, key, chain), frozenset(Purpose)),))
    trust = Trust((PinnedGroup("service", (Partner("service", (service,)),)),), LIMITS)
    return RingSnapshot(ring, trust, "1")


class Conversation:
    """One client of ours over HTTP; by one thread at a time.

    Args:
        url: of the endpoint.
        slug: its scenario.
        patience: seconds in which a connection that was cut or refused is tried again; the message of such a
            call is made anew.
    """

    def __init__(
        self,
        keys: RingSnapshot,
        url: str,
        slug: str,
        *,
        lifetime: timedelta | None = None,
        patience: float = 0.0,
    ) -> None:
        self.url, self.patience, self.cut = url, patience, 0
        self.session = Session(
            find(slug).policy(),
            slug,
            keys=lambda: keys,
            clock=lambda: datetime.now(UTC),
            entropy=os.urandom,
            address=url,
            lifetime=lifetime,
            credentials=Credentials("alice", "development"),
            partner="service",
        )
        self._connection: http.client.HTTPConnection | None = None

    @property
    def context(self) -> tuple[str, str | None]:
        """Identifier and Instance of the context in force."""
        context = self.session.context
        assert context is not None
        return context.identifier, context.instance

    def open(self) -> None:
        """Open a conversation."""
        self._ask(self.session.ask(version=SOAP_11))

    def renew(self) -> None:
        """Renew it."""
        self._ask(self.session.ask_renewal(version=SOAP_11))

    def cancel(self) -> None:
        """Give it up; who wants to use it nevertheless keeps ``session.context``."""
        self._ask(self.session.ask_end(version=SOAP_11))

    def call(self, text: str) -> None:
        """One call, which must be answered with the same text."""
        deadline = time.monotonic() + self.patience
        while True:
            body = etree.Element(f"{{{ns.SOAP11}}}Body", nsmap={"m": ECHO})
            payload = etree.SubElement(body, f"{{{ECHO}}}echo")
            etree.SubElement(payload, f"{{{ECHO}}}text").text = text
            pending = self.session.request(body, version=SOAP_11)
            try:
                answer = self._post(pending.data, f"{ECHO}/echo")
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline:
                    raise
                self.cut += 1
                time.sleep(0.02)
                continue
            reply = self.session.accept(pending, answer, secure=False)
            assert reply.payload is not None
            said = reply.payload.findtext(f"{{{ECHO}}}text")
            assert said == text, f"{said!r} came back for {text!r}"
            return

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, asking: Asking) -> None:
        self.session.take(asking, self._post(asking.data, asking.action), secure=False)

    def _post(self, data: bytes, action: str) -> bytes:
        target = urlsplit(self.url)
        connection = self._connection
        if connection is None:
            connection = self._connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=60)
        try:
            headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
            connection.request("POST", target.path, data, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.status != 200:
            raise Refused(fault_of(content))
        return content


def policy_file(policies: Path, number: str) -> Path:
    """WSO2's file of a scenario."""
    return policies / f"scenario{number}-policy.xml"
