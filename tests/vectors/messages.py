"""A message of another project, the policy it needs, the keys it names, and what must come of it.

A :class:`Message` goes the way of a request (or of a reply) through ``parse``, ``examine`` and
``judge``, with the clock one second after the message was made, under a suite that lets in what the
file uses. Then it goes again under the strict defaults, which must refuse it.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from lxml import etree

from tests.simulator import pki
from tests.vectors.material import CXF, RAMPART, entry, read
from tests.vectors.walker import cipher_octets, offered_keys, unwrapped, verify
from wsprovider.crypto.ciphers import decrypt
from wsprovider.header import binary_security_token
from wsprovider.inbound.context import Context, Gate, SecondOpinion
from wsprovider.inbound.evidence import Evidence
from wsprovider.inbound.examine import examine
from wsprovider.inbound.finding import Circumstances, Freshness
from wsprovider.inbound.judge import judge
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.policy.model import Layout
from wsprovider.policy.requirements import MessageRequirements, PartsRequirement, Protection
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES, KeyTransport, Suite
from wsprovider.xml.canonical import Room
from wsprovider.xml.parse import parse

BODY = PartsRequirement(body=True)
ALL = PartsRequirement(body=True, all_headers=True)
HEADERS = PartsRequirement(all_headers=True)
NOTHING = PartsRequirement()

OLD = Suite(
    name="what old messages use",
    digests=(alg.SHA1, alg.SHA256),
    asymmetric_signatures=(alg.RSA_SHA1, alg.RSA_SHA256),
    symmetric_signatures=(alg.HMAC_SHA1,),
    encryptions=(alg.AES128_CBC, alg.AES256_CBC, alg.TRIPLEDES_CBC),
    key_transports=(
        KeyTransport(alg.RSA_15),
        KeyTransport(alg.RSA_OAEP_MGF1P),
        KeyTransport(alg.RSA_OAEP_MGF1P, alg.SHA1),
    ),
    symmetric_bits=128,
    signature_derived_bits=192,
    encryption_derived_bits=256,
)
"""RSA 1.5, SHA-1 and CBC: let in here, and nowhere else."""

WEAK = Limits(rsa_bits_minimum=1024)
_ENVELOPE = re.compile(rb"<(?:[\w.-]+:)?Envelope[\s>]")


@dataclass(frozen=True)
class Key:
    """An entry of a key store, or a PEM certificate, of the vectors."""

    store: str
    alias: str
    password: str
    key_password: str | None = None

    @property
    def certificate(self) -> Certificate:
        chain = entry(self.store, self.alias, self.password, self.key_password).chain
        return Certificate.from_der(chain[0])

    @property
    def pair(self) -> KeyPair:
        private = entry(self.store, self.alias, self.password, self.key_password).key
        return KeyPair(self.alias, self.certificate, private)


MYALIAS = Key(f"{CXF}/privatestore.jks", "myalias", "keyStorePassword", "myAliasPassword")
RAMPART_SERVICE = Key(f"{RAMPART}/modules/rampart-samples/keys/service.jks", "service", "apache")
RAMPART_CLIENT = Key(f"{RAMPART}/modules/rampart-samples/keys/client.jks", "client", "apache")


@dataclass(frozen=True)
class InMessage:
    """The certificate that stands in the file's Security header (the one that is not the root's)."""

    index: int = 0


@dataclass(frozen=True)
class Message:
    """One file.

    Attributes:
        expected: None when the policy is met, else why the message is refused.
        strict: why the default suites and limits refuse it.
        signer: whose signature is trusted.
        own: whose private key decrypts.
        proven: the file's signatures hold, or it decrypts, although the engine refuses it by design:
            shown by the walker, which knows no grammar.
        why: what in our design refuses what upstream lets in.
        also: further requirements.
        bend: what is replaced in the file, outside of what is signed.
    """

    file: str
    expected: Reason | None
    strict: Reason
    protection: Protection = Protection.ASYMMETRIC
    signed: PartsRequirement = NOTHING
    encrypted: PartsRequirement = NOTHING
    timestamp: bool = False
    signer: Any = None
    own: Any = None
    soap12: bool = False
    moment: datetime | None = None
    proven: Callable[["Message"], bool] | None = None
    why: str = ""
    also: dict[str, Any] = field(default_factory=dict)
    request: bool = True
    bend: tuple[bytes, bytes] | None = None

    @property
    def id(self) -> str:
        return self.file.replace(".xml", "").rpartition("/")[2].replace(" ", "-")

    def data(self) -> bytes:
        """The envelope; some files hold the HTTP around it, too."""
        whole = read(self.file)
        if self.bend is not None:
            assert self.bend[0] in whole
            whole = whole.replace(*self.bend)
        found = _ENVELOPE.search(whole)
        alone = found is None or b"<?xml" not in whole[1 : found.start()]
        if found is None or (alone and whole.lstrip().startswith(b"<")):
            return whole
        return whole[found.start() : whole.rindex(b"Envelope>") + len(b"Envelope>")]

    def requirements(self) -> MessageRequirements:
        """Under the suite of old messages."""
        return MessageRequirements(
            request=self.request,
            protection=self.protection,
            suite=OLD,
            timestamp=self.timestamp,
            signed=self.signed,
            encrypted=self.encrypted,
            layout=Layout.LAX,
            **self.also,
        )

    def strictly(self) -> MessageRequirements:
        """Under the default suite, and with the Timestamp that every scenario has."""
        return replace(self.requirements(), suite=SUITES["Basic256Sha256"], timestamp=True)

    def now(self) -> datetime:
        """One second after it was made; some day of 2026 for what does not say."""
        if self.moment is not None:
            return self.moment
        created = etree.fromstring(self.data()).find(f".//{{{ns.WSU}}}Created")
        if created is None or not created.text:
            return datetime(2026, 6, 1, tzinfo=UTC)
        return datetime.fromisoformat(created.text) + timedelta(seconds=1)

    def certificates(self) -> tuple[Certificate, ...]:
        if self.signer is None:
            return ()
        if hasattr(self.signer, "certificate"):
            return (self.signer.certificate,)
        if isinstance(self.signer, InMessage):
            tokens = list(etree.fromstring(self.data()).iter(f"{{{ns.WSSE}}}BinarySecurityToken"))
            token = binary_security_token.read(tokens[self.signer.index], 0, Limits())
            return (Certificate.from_der(token.certificate.der),)
        return (self.signer(),)


def pem(name: str) -> Certificate:
    """A certificate file."""
    return Certificate.from_x509(x509.load_pem_x509_certificate(read(name)))


class Keys(RingSnapshot):
    """Keys of which the same one may be ours and a partner's, as in tests with a single key pair."""

    def own(self, certificate: Certificate) -> bool:
        return False


def snapshot(message: Message, limits: Limits) -> RingSnapshot:
    pair = message.own.pair if message.own else pki.self_signed("CN=nobody").pair()
    ring = Ring("ring", (RingKey(pair, frozenset({Purpose.SIGN, Purpose.DECRYPT})),))
    partner = Partner("partner", message.certificates())
    return Keys(ring, Trust((PinnedGroup("peers", (partner,)),), limits), "1")


def evidence_of(
    message: Message,
    requirements: MessageRequirements,
    limits: Limits,
    established: dict[bytes, bytes] | None = None,
    opinion: SecondOpinion | None = None,
) -> Evidence:
    """parse and examine.

    Raises:
        WSSecurityError, SoapError: refused.
    """
    version = SOAP_12 if message.soap12 else SOAP_11
    context = Context(
        keys=snapshot(message, limits),
        now=message.now(),
        entropy=os.urandom,
        limits=limits,
        gate=Gate.of((requirements,)),
        established=established or {},
        room=Room.of(message.data(), limits.canonical_growth),
        signature_seen=lambda _: None,
        timestamp_seen=lambda _: None,
        second_opinion=opinion,
    )
    return examine(parse(message.data(), limits), version, context)


def outcome(
    message: Message,
    requirements: MessageRequirements,
    limits: Limits = WEAK,
    opinion: SecondOpinion | None = None,
) -> tuple[Reason | None, str]:
    """Why a message is refused (None when it is not), and the detail."""
    try:
        evidence = evidence_of(message, requirements, limits, opinion=opinion)
        now = Circumstances(now=message.now(), freshness=Freshness(), secure=True)
        judge(evidence, (requirements,), now)
    except (WSSecurityError, SoapError) as error:
        return error.reason, str(error)
    return None, ""


def secrets(message: Message, root: etree._Element) -> list[bytes]:
    """What our private key makes of every EncryptedKey of a document."""
    if message.own is None:
        return []
    pairs = [message.own.pair.private_key]
    wrapped = root.iter(f"{{{ns.XENC}}}EncryptedKey")
    return [secret for one in wrapped for secret in unwrapped(one, pairs)]


def decrypts(message: Message) -> bool:
    """Whether every EncryptedData decrypts, its place and grammar aside."""
    root = etree.fromstring(message.data(), etree.XMLParser(remove_comments=True))
    found = secrets(message, root)
    data = list(root.iter(f"{{{ns.XENC}}}EncryptedData"))
    for one in data:
        method = one.find(f"{{{ns.XENC}}}EncryptionMethod")
        decrypt(method.get("Algorithm"), found[0], cipher_octets(one))
    return bool(data)


def signatures_hold(message: Message) -> bool:
    """Whether every signature holds over the document as it stands, its grammar aside."""
    root = etree.fromstring(message.data(), etree.XMLParser(remove_comments=True))
    keys: list[Any] = [one.public_key for one in message.certificates()]
    keys += secrets(message, root)
    signatures = list(root.iter(f"{{{ns.DS}}}Signature"))
    try:
        for signature in signatures:
            verify(signature, [*keys, *offered_keys(signature)])
    except WSSecurityError:
        return False
    return bool(signatures)
