"""Facts about a message, as they were proven; the judge compares them with requirements.

A fact names elements of the last tree, by identity. Keys are told apart by their root: the
EncryptedKey (or established secret) that they come from, derived or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.header.encrypted_key import EncryptedKey
from wsprovider.header.signature import Signature
from wsprovider.inbound.candidates import Candidates
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.tickets import TicketKey
from wsprovider.policy.requirements import KeySource
from wsprovider.soap.envelope import Envelope
from wsprovider.words.suites import KeyTransport
from wsprovider.xml.ids import Ids


@dataclass(frozen=True, slots=True, eq=False)
class KeyRoot:
    """One secret that both sides hold: what an EncryptedKey carried, or one established before.

    Attributes:
        sha1: EncryptedKeySHA1 (SOAP Message Security 1.1, section 7.7); empty for a context.
        encrypted_key: the candidate it was unwrapped from; None when established before.
        recipient: our key pair that unwrapped it.
        context: the security context whose key it is.
        ticket: the Kerberos ticket that it came by.
    """

    secret: bytes
    sha1: bytes = b""
    encrypted_key: EncryptedKey | None = None
    recipient: KeyPair | None = None
    context: ContextKey | None = None
    ticket: TicketKey | None = None

    @property
    def source(self) -> KeySource:
        """What it came by."""
        if self.context is not None:
            return KeySource.CONTEXT
        return KeySource.ENCRYPTED_KEY if self.ticket is None else KeySource.TICKET

    def __repr__(self) -> str:
        name = self.sha1.hex() if self.context is None else self.context.identifier
        return f"KeyRoot({name})"


IMPLIED: Final = -1
"""Stands for the index of a DerivedKeyToken where the reference itself says how to derive."""


@dataclass(frozen=True, slots=True, eq=False)
class SecretKey:
    """A secret that signs or decrypts: a root's own, or derived from it.

    Attributes:
        derived: index of the DerivedKeyToken it was derived by, or IMPLIED; None for the root's own.
        namespace: the version of WS-SecureConversation it was derived by.
    """

    secret: bytes
    root: KeyRoot
    derived: int | None = None
    namespace: str | None = None

    def __repr__(self) -> str:
        return f"SecretKey(root={self.root!r}, derived={self.derived})"


@dataclass(frozen=True, slots=True, eq=False)
class CertificateKey:
    """The public key of a certificate that signs; trusted already.

    Attributes:
        token: index of the BinarySecurityToken it came by; None when named or embedded.
        partner: under which trust knows its holder.
        roles: what trust gives that partner.
        groups: the trust groups that know the holder by that name.
    """

    certificate: Certificate
    path: tuple[Certificate, ...]
    token: int | None
    partner: str
    roles: frozenset[str]
    groups: tuple[str, ...] = ()


MessageKey = SecretKey | CertificateKey


@dataclass(frozen=True, slots=True, eq=False)
class SignatureFact:
    """A signature whose value and every digest hold.

    Attributes:
        covered: the elements of the last tree whose canonical bytes were digested.
        tokens: indices of header children covered through the STR-Transform, and
        certificates: certificates covered through it that are not in the message.
    """

    signature: Signature
    key: MessageKey
    covered: frozenset[etree._Element]
    tokens: frozenset[int]
    certificates: frozenset[Certificate]
    digests: frozenset[str]
    decrypted: bool

    def covers(self, element: etree._Element) -> bool:
        """Whether this very element was digested."""
        return element in self.covered


@dataclass(frozen=True, slots=True, eq=False)
class DecryptionFact:
    """Content that was decrypted.

    Attributes:
        element: of the last tree: the parent of decrypted content, or the decrypted element.
        content: all content of ``element`` was decrypted (else the element itself was).
        key: what decrypted it.
        octets: of the CipherValue.
    """

    element: etree._Element
    content: bool
    key: SecretKey
    method: str
    octets: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Everything that one message has shown.

    Attributes:
        envelope: of the last tree.
        candidates: the header's children, as last read.
        signatures, decryptions: the facts.
        roots: every unwrapped EncryptedKey, by the index of its candidate.
        transports: key transport methods that were used.
        used: indices of header children that some key or list needed.
    """

    envelope: Envelope
    ids: Ids
    candidates: Candidates
    signatures: tuple[SignatureFact, ...]
    decryptions: tuple[DecryptionFact, ...]
    roots: Mapping[int, KeyRoot]
    used: frozenset[int]

    @property
    def transports(self) -> frozenset[KeyTransport]:
        """The key transport methods of the EncryptedKeys that were unwrapped."""
        return frozenset(
            root.encrypted_key.transport for root in self.roots.values() if root.encrypted_key is not None
        )

    def child(self, index: int) -> etree._Element:
        """The element of a header candidate in the last tree."""
        security = self.envelope.security
        if security is None:
            raise RuntimeError("no Security header, so no candidate")
        return security[index]
