"""The clients of the test of rollover, each a :data:`tests.live.rollover.Peer`: ours, WSS4J, CXF, Rampart."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from lxml import etree

from tests.live import test_cxf, test_wss4j
from tests.live.conversing import ECHO, Conversation, Refused, fault_of
from tests.live.java_peer import JavaPeer
from tests.live.provider import CONVERSATIONS, SLUGS, ProviderProcess
from tests.live.rollover import Means
from tests.simulator import pki
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.exchange.initiator import Initiator
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PeerPurpose, Pin, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11
from wsprovider.words import namespaces as ns
from wsprovider.words.limits import Limits

PASSWORD = "development"
_RENEWED_EVERY = 7
_QUICK = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1).build(PASSWORD.encode())
"""How key stores are encrypted: Java peers open them for every call."""


def life() -> dict[str, datetime]:
    """Validity of a certificate of the present, for :mod:`tests.simulator.pki`."""
    now = datetime.now(UTC).replace(microsecond=0)
    return {"start": now - timedelta(days=1), "end": now + timedelta(days=365)}


class Wallet:
    """The files of all clients: key stores by partner and label, certificates of the service by label."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._snapshots: dict[tuple[str, Means], RingSnapshot] = {}
        self._labels: dict[Certificate, str] = {}

    def put(self, partner: str, label: str, certificate: bytes, key: bytes) -> None:
        """Take a key pair (PEM); its store holds no certificate of a CA, so that nothing is trusted by one."""
        (leaf, *_) = load_certificates(certificate)
        private = load_pem_private_key(key, None)
        store = pkcs12.serialize_key_and_certificates(
            b"key",
            private,  # type: ignore[arg-type]
            leaf.parsed,
            None,
            _QUICK,
        )
        self.store(partner, label).write_bytes(store)
        self.own(partner, label).write_bytes(certificate)

    def make(self, partner: str, label: str) -> Path:
        """Make a key pair; the file with its certificate."""
        holder = pki.self_signed(
            f"CN={partner},O=Bank", key=pki.key("rsa-2048", f"{partner} {label}"), **life()
        )
        self.put(partner, label, holder.cert_pem, holder.key_pem)
        return self.own(partner, label)

    def store(self, partner: str, label: str) -> Path:
        """A client's key store."""
        return self.folder / f"{partner}.{label}.p12"

    def own(self, partner: str, label: str) -> Path:
        """A client's certificate."""
        return self.folder / f"{partner}.{label}.pem"

    def service(self, label: str) -> Path:
        """A certificate of the service."""
        return self.folder / f"service.{label}.pem"

    def parsed(self, partner: str, label: str) -> Certificate:
        """A client's certificate, read."""
        return load_certificates(self.own(partner, label).read_bytes())[0]

    def bundle(self, labels: Iterable[str]) -> Path:
        """One file with several certificates of the service."""
        path = self.folder / f"trusted.{'+'.join(labels)}.pem"
        if not path.exists():
            staging = path.with_name(f"{path.name}.{threading.get_ident()}")
            staging.write_bytes(b"".join(self.service(label).read_bytes() for label in labels))
            staging.replace(path)
        return path

    def keys(self, partner: str, means: Means) -> RingSnapshot:
        """The same for our own client."""
        if (partner, means) not in self._snapshots:
            ring = Ring("client", ())
            if partner:
                content = self.store(partner, means.client).read_bytes()
                key, certificate, chain = load_bundle(content, PASSWORD.encode())
                pair = KeyPair("client", certificate, key, chain)
                ring = Ring("client", (RingKey(pair, frozenset(Purpose)),))
            known = {label: self.certificate(label) for label in (means.service, *means.trusted)}
            self._labels.update({certificate: label for label, certificate in known.items()})
            pins = {
                certificate: Pin(frozenset(self._purposes(label, means)))
                for label, certificate in known.items()
            }
            service = Partner("service", tuple(known.values()), pins=pins)
            trust = Trust((PinnedGroup("service", (service,)),), Limits())
            self._snapshots[partner, means] = RingSnapshot(ring, trust, f"{means}")
        return self._snapshots[partner, means]

    def certificate(self, label: str) -> Certificate:
        """A certificate of the service."""
        return load_certificates(self.service(label).read_bytes())[0]

    def label(self, certificate: Certificate | None) -> str:
        """Which certificate of the service it is, of those that were read; empty for none."""
        return "" if certificate is None else self._labels[certificate]

    @staticmethod
    def _purposes(label: str, means: Means) -> Iterator[PeerPurpose]:
        if label == means.service:
            yield PeerPurpose.ENCRYPT
        if label in means.trusted:
            yield PeerPurpose.VERIFY


class NotAnswered(Exception):
    """A Java client got no answer, or did not accept it."""


@dataclass
class _Client:
    """One client.

    Attributes:
        number: of the scenario.
        partner: whose keys it has; empty for one without.
    """

    wallet: Wallet
    machines: tuple[ProviderProcess, ProviderProcess]
    number: str
    partner: str

    @property
    def slug(self) -> str:
        return {**SLUGS, **CONVERSATIONS}[self.number]

    def held(self, means: Means) -> dict[str, object]:
        """What a Java peer is told of keys; a PEM file with what it trusts stands for its CAs."""
        return {
            "client": self.wallet.store(self.partner, means.client) if self.partner else None,
            "clientPassword": PASSWORD,
            "serviceCert": self.wallet.service(means.service),
            "ca": self.wallet.bundle(means.trusted),
        }


@dataclass
class Ours(_Client):
    """Our own initiator."""

    _sides: dict[Means, Initiator] = field(default_factory=dict)

    def __call__(self, means: Means, machine: int) -> str:
        side = self._sides.get(means)
        if side is None:
            keys = self.wallet.keys(self.partner, means)
            side = self._sides[means] = Initiator(
                find(self.slug).policy(),
                self.slug,
                keys=lambda: keys,
                clock=lambda: datetime.now(UTC),
                entropy=os.urandom,
                credentials=Credentials("alice", PASSWORD),
                partner="service",
            )
        body = etree.Element(f"{{{ns.SOAP11}}}Body", nsmap={"m": ECHO})
        payload = etree.SubElement(body, f"{{{ECHO}}}echo")
        etree.SubElement(payload, f"{{{ECHO}}}text").text = "x"
        pending = side.request(body, version=SOAP_11)
        headers = {"SOAPAction": f'"{ECHO}/echo"'}
        status, content = self.machines[machine].post(f"/echo/{self.slug}", pending.data, headers)
        if status != 200:
            raise Refused(fault_of(content))
        reply = side.accept(pending, content, secure=False)
        assert reply.payload is not None
        assert reply.payload.findtext(f"{{{ECHO}}}text") == "x"
        return self.wallet.label(reply.certificate)


@dataclass
class OurConversation(_Client):
    """A conversation of ours, whose messages go to either machine; renewed, and opened anew with new means."""

    _held: tuple[Means, Conversation] | None = None
    _calls: int = 0

    def __call__(self, means: Means, machine: int) -> str:
        if self._held is None or self._held[0] != means:
            if self._held is not None:
                self._held[1].cancel()
            one = self.opened(means, machine)
            self._held = means, one
        one = self._held[1]
        self.move(one, machine)
        self._calls += 1
        if self._calls % _RENEWED_EVERY == 0:
            one.renew()
        one.call("x")
        return ""

    def opened(self, means: Means, machine: int) -> Conversation:
        """Another conversation."""
        keys = self.wallet.keys(self.partner, means)
        one = Conversation(keys, self.machines[machine].url(f"/echo/{self.slug}"), self.slug)
        one.open()
        return one

    def move(self, one: Conversation, machine: int) -> None:
        """Have the next message of a conversation go to a machine."""
        one.close()
        one.url = self.machines[machine].url(f"/echo/{self.slug}")


@dataclass
class Wss4j(_Client):
    """WSS4J alone, with new key stores for each call."""

    peer: JavaPeer | None = None

    def __call__(self, means: Means, machine: int, **more: Any) -> str:
        assert self.peer is not None
        settings = {"suite": test_wss4j.suite_of(self.number), "text": "x", **self.held(means), **more}
        provider = self.machines[machine]
        _check(test_wss4j.call(self.peer, provider, f"/echo/{self.slug}", self.number, **settings))
        return ""


@dataclass
class _Living(_Client):
    """A Java client for each machine and for all that it may hold; they live on until they are closed."""

    peer: JavaPeer | None = None
    _living: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ask(self, means: Means, machine: int, **command: Any) -> None:
        """Have one of them call."""
        assert self.peer is not None
        name = f"{id(self)} {machine} {means}"
        if name not in self._living:
            provider = self.machines[machine]
            self._living[name] = {
                **provider.client(),
                **self.held(means),
                **command,
                "text": "x",
                "session": name,
            }
        _check(self.peer.call(**self._living[name]))

    def close(self) -> None:
        """End all of them."""
        assert self.peer is not None
        while self._living:
            self.peer.call(**{**self._living.popitem()[1], "calls": 0, "endSession": True})


@dataclass
class Cxf(_Living):
    """CXF.

    Attributes:
        url: of a balancer, for conversations.
    """

    url: str = ""

    def __call__(self, means: Means, machine: int) -> str:
        path = f"/echo/{self.slug}"
        one = 0 if self.url else machine
        provider = self.machines[one]
        url = f"{self.url}{path}" if self.url else provider.url(path)
        self.ask(
            means, one, cmd="cxf-call", wsdl=provider.url(f"{path}?wsdl"), url=url, properties=test_cxf.SHA2
        )
        return ""


@dataclass
class Rampart(_Living):
    """Rampart, led by WSO2's policy file."""

    policies: Path = Path()

    def __call__(self, means: Means, machine: int) -> str:
        policy = self.policies / f"scenario{self.number}-policy.xml"
        url = self.machines[machine].url(f"/wso2/{self.slug}")
        self.ask(means, machine, cmd="rampart-call", policy=policy, url=url)
        return ""


def _check(answer: dict[str, Any]) -> None:
    if not answer["ok"]:
        raise NotAnswered(f"{answer.get('error')} {answer.get('fault')}")
    if answer["text"] != "x":
        raise NotAnswered(f"{answer['text']!r} came back")
