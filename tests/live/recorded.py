"""Messages of foreign clients that were held back, with what only their senders know.

CXF, WSS4J and Rampart write one message each for a scenario, and a listener keeps it from the service. What a
hostile sender would know (the secrets in it, the client's key) is known here because the service's keys are.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.live import test_cxf, test_wss4j
from tests.live.conversing import context_of, opened, policy_file
from tests.live.java_peer import JavaPeer
from tests.live.provider import CONVERSATIONS, SLUGS, ProviderProcess
from tests.live.recorder import Held, Recorder
from tests.live.sending import post
from tests.simulator.bend import every, tree
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.conversation.contexts import Contexts
from wsprovider.crypto.ciphers import unwrap_key
from wsprovider.exchange.initiator import Pending
from wsprovider.header import encrypted_key
from wsprovider.keyring.contexts import ContextKey
from wsprovider.soap.version import SOAP_11
from wsprovider.words.limits import Limits

_SLUGS = {**SLUGS, **CONVERSATIONS}
_DECLARATION = b"<?xml"
_KEYS = "xenc:EncryptedKey"


@dataclass(frozen=True)
class Recorded:
    """A message of somebody else's client.

    Attributes:
        pending: as if we had written it; without an XML declaration, so that something can stand before it.
        world: what rows ask of a world: the client's key, the service's certificate, the time.
    """

    held: Held
    secure: bool
    pending: Pending
    world: Any

    def send(self, provider: ProviderProcess, data: bytes) -> tuple[int, bytes, str | None]:
        """Send bytes in its place; status, reply and what the log gives for the Reason."""
        logged = provider.logged()
        url = provider.url(self.held.path, secure=self.secure)
        status, content = post(url, data, self.held.headers, provider.keys / "development" / "ca.pem")
        (line,) = provider.requests(logged, 1)
        return status, content, line["reason"]


class Recording:
    """Has the clients write."""

    def __init__(
        self,
        provider: ProviderProcess,
        recorder: Recorder,
        cxf: JavaPeer,
        rampart: Callable[[], tuple[JavaPeer, Path]],
    ) -> None:
        self._provider, self._recorder, self._cxf, self._rampart = provider, recorder, cxf, rampart

    def message(self, client: str, number: str) -> Recorded:
        """What a client writes in a scenario."""
        write = {"CXF": self._by_cxf, "WSS4J": self._by_wss4j, "Rampart": self._by_rampart}[client]
        held = write(number)
        data = held.data
        if data.startswith(_DECLARATION):
            data = data[data.index(b"?>") + 2 :].lstrip()
        development = self._provider.keys / "development"
        key, _, _ = load_bundle((development / "client-1.p12").read_bytes(), b"development")
        (service,) = load_certificates((development / "service.cert.pem").read_bytes())
        (client_certificate,) = load_certificates((development / "client-1.cert.pem").read_bytes())
        now = datetime.now(UTC)
        context = self._context(data, now) if number in CONVERSATIONS else None
        pending = Pending(data, SOAP_11, (), now, self._secrets(data), context)
        world = SimpleNamespace(
            client=SimpleNamespace(issued=SimpleNamespace(key=key), certificate=client_certificate),
            service=SimpleNamespace(certificate=service),
            now=now,
        )
        return Recorded(held, number == "1", pending, world)

    def _by_cxf(self, number: str) -> Held:
        path = f"/echo/{_SLUGS[number]}"
        call = partial(
            self._cxf.call,
            cmd="cxf-call",
            wsdl=self._provider.url(f"{path}?wsdl"),
            url=self._recorder.url(path, secure=number == "1"),
            text="hello",
            properties=test_cxf.properties(test_cxf.default_suite(number)),
            **self._provider.client(),
        )
        return self._recorder.caught(call, opening=number in CONVERSATIONS, session=f"recorded {path}")

    def _by_rampart(self, number: str) -> Held:
        peer, policies = self._rampart()
        path = f"/wso2/{_SLUGS[number]}"
        call = partial(
            peer.call,
            cmd="rampart-call",
            policy=policy_file(policies, number),
            url=self._recorder.url(path, secure=number == "1"),
            addressing=True if number in CONVERSATIONS else None,
            text="hello",
            **self._provider.client(),
        )
        return self._recorder.caught(call, opening=number in CONVERSATIONS, session=f"recorded {path}")

    def _by_wss4j(self, number: str) -> Held:
        path = f"/echo/{_SLUGS[number]}"
        suite = test_wss4j.suite_of(number)
        made = test_wss4j.call(self._cxf, self._provider, path, number, suite=suite, dryRun=True)
        return Held(path, {"Content-Type": "text/xml"}, base64.b64decode(made["request"]))

    def _secrets(self, message: bytes) -> dict[bytes, bytes]:
        """What the sender encrypted to the service."""
        key = load_pem_private_key(
            (self._provider.keys / "service" / "development.key.pem").read_bytes(), None
        )
        assert isinstance(key, RSAPrivateKey)
        found = {}
        for element in every(tree(message), f"//{_KEYS}"):
            read = encrypted_key.read(element, 0, Limits())
            secret = unwrap_key(read.transport, key, read.octets, frozenset({16, 24, 32}), bytes)
            assert any(secret), "not unwrapped"
            found[read.sha1] = secret
        return found

    def _context(self, message: bytes, now: datetime) -> ContextKey:
        """The context that protects a message, as the shared store holds it."""
        loaded = load_snapshot(
            self._provider.keys, "service", ["clients"], limits=Limits(), now=now, environ={}
        )
        with opened(self._provider.store) as store:
            contexts = Contexts(
                store,
                lambda: loaded.seals,
                bytes,
                unused=timedelta(minutes=5),
                per_owner=1,
                contexts=1,
                unsigned_calls=1,
            )
            found = contexts.find(context_of(message)[0], now)
        assert found is not None
        return found
