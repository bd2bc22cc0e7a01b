"""A conversation with a provider that runs on development keys, by whatever carries bytes there and back."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.simulator.world import ECHO, echo_body
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.exchange.session import Asking, Session
from wsprovider.keyring.material import KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11
from wsprovider.words.limits import Limits

Post = Callable[[bytes, str], bytes]
"""Sends a message under a SOAPAction; the body of the answer."""


class Talk:
    """One client of the echo service under a scenario with a conversation; refused messages raise."""

    def __init__(self, scenario: str, url: str, post: Post, keys: Path, *, client: str = "client-1") -> None:
        folder = keys / "development"
        key, certificate, chain = load_bundle((folder / f"{client}.p12").read_bytes(), b"development")
        (service, *_) = load_certificates((folder / "service.cert.pem").read_bytes())
        ring = Ring("client", (RingKey(KeyPair("client", certificate, key, chain), frozenset(Purpose)),))
        trust = Trust((PinnedGroup("service", (Partner("service", (service,)),)),), Limits())
        snapshot = RingSnapshot(ring, trust, "1")
        self.url, self.post = url, post
        self.session = Session(
            find(scenario).policy(),
            "talk",
            keys=lambda: snapshot,
            clock=lambda: datetime.now(UTC),
            entropy=os.urandom,
            address=url,
            credentials=Credentials("alice", "development"),
            partner="service",
        )

    @property
    def identifier(self) -> str:
        """Of the context in force."""
        assert self.session.context is not None
        return self.session.context.identifier

    def open(self) -> str:
        """Have a context issued; its identifier."""
        self._ask(self.session.ask(version=SOAP_11))
        return self.identifier

    def renew(self) -> None:
        """Have the context renewed."""
        self._ask(self.session.ask_renewal(version=SOAP_11))

    def end(self) -> None:
        """Have the context cancelled."""
        self._ask(self.session.ask_end(version=SOAP_11))

    def call(self, text: str = "hello") -> str | None:
        """What the service echoes."""
        pending = self.session.request(echo_body(SOAP_11, text), version=SOAP_11)
        # Spyne's SOAPAction for an operation is its name
        answer = self.session.accept(pending, self.post(pending.data, "echo"), secure=False)
        return None if answer.payload is None else answer.payload.findtext(f"{{{ECHO}}}text")

    def _ask(self, asking: Asking) -> None:
        self.session.take(asking, self.post(asking.data, asking.action), secure=False)
