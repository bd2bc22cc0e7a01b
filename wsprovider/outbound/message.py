"""What an outgoing message is made of: content, and the keys that protect it."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from lxml import etree

from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.soap.version import SoapVersion
from wsprovider.words import namespaces as ns
from wsprovider.words.suites import KeyTransport
from wsprovider.xml import canonical


class Block(Protocol):
    """A header block beside wsse:Security."""

    @property
    def tag(self) -> str:
        """Clark name, which policies name it by."""
        ...

    def write(self, identifier: str | None) -> bytes:
        """The block in exclusive canonical form, with a wsu:Id where it will be signed."""
        ...

    def soap_attributes(self, version: SoapVersion) -> dict[str, str]:
        """SOAP's own attributes (role and mustUnderstand) by local name, in order."""
        ...


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A block of ours that holds text only.

    Attributes:
        name: with its prefix, which must sort before ``wsu``.
        declaration: of that prefix, with a leading space.
        content: escaped.
    """

    tag: str
    name: str
    declaration: str
    content: str

    def write(self, identifier: str | None) -> bytes:
        """See :meth:`Block.write`."""
        ours = f' xmlns:wsu="{ns.WSU}" wsu:Id="{identifier}"' if identifier is not None else ""
        return f"<{self.name}{self.declaration}{ours}>{self.content}</{self.name}>".encode()

    def soap_attributes(self, version: SoapVersion) -> dict[str, str]:  # noqa: ARG002
        """See :meth:`Block.soap_attributes`; ours have none."""
        return {}


@dataclass(frozen=True, slots=True, eq=False)
class ElementBlock:
    """A block of the application."""

    element: etree._Element

    @property
    def tag(self) -> str:
        """See :meth:`Block.tag`."""
        return self.element.tag

    def write(self, identifier: str | None) -> bytes:
        """See :meth:`Block.write`; the application's element stays as it is."""
        element = copy.deepcopy(self.element)
        if identifier is not None:
            element.set(f"{{{ns.WSU}}}Id", identifier)
        return canonical.exclusive(element)

    def soap_attributes(self, version: SoapVersion) -> dict[str, str]:
        """See :meth:`Block.soap_attributes`."""
        own = f"{{{version.namespace}}}"
        found = {str(name): str(value) for name, value in self.element.attrib.items()}
        return {name.removeprefix(own): found[name] for name in sorted(found) if name.startswith(own)}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a UsernameToken is made of."""

    username: str
    password: str = field(repr=False)
    digest: bool = False


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A secret that the receiver already holds (a reply in a symmetric binding).

    Attributes:
        sha1: EncryptedKeySHA1, by which the receiver finds it.
    """

    secret: bytes = field(repr=False)
    sha1: bytes


@dataclass(frozen=True, slots=True)
class TicketSecret:
    """The key of a Kerberos ticket.

    Attributes:
        sha1: of the AP-REQ, by which a reply names it.
        token: the AP-REQ, of a request that shows it.
    """

    secret: bytes = field(repr=False)
    sha1: bytes
    token: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Algorithms:
    """Methods that the message to be answered used, which a reply follows; None: the suite's first.

    Attributes:
        derivation: the namespace of the derived keys' WS-SecureConversation.
    """

    signature: str | None = None
    digest: str | None = None
    encryption: str | None = None
    transport: KeyTransport | None = None
    derivation: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message before protection.

    Attributes:
        body: the soap:Body element.
        blocks: header blocks, addressing first.
        confirmations: request signatures to confirm; None without SignatureConfirmation.
        signing: our key pair (asymmetric signature).
        encrypt_to: the receiver's certificate.
        secret: of a reply in a symmetric binding.
        context: whose key protects the message, where the policy wants a security context.
        ticket: likewise, where the policy wants a Kerberos ticket.
        endorsing: our key pair and the context that sign the message signature, one for each requirement.
    """

    version: SoapVersion
    body: etree._Element
    now: datetime
    life: timedelta
    blocks: Sequence[Block] = ()
    exact: bool = False
    confirmations: Sequence[bytes | None] | None = None
    credentials: Credentials | None = None
    signing: KeyPair | None = None
    encrypt_to: Certificate | None = None
    secret: SharedSecret | None = None
    context: ContextKey | None = None
    ticket: TicketSecret | None = None
    endorsing: Sequence[KeyPair | ContextKey | TicketSecret] = ()
    algorithms: Algorithms = field(default_factory=Algorithms)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was written, and what a reply to it will be held against.

    Attributes:
        data: the message.
        signatures: the SignatureValues in it, the message signature's first.
        secrets: established secrets by EncryptedKeySHA1.
        receiver: the certificate that the EncryptedKey in it is for; None without one.
    """

    data: bytes
    signatures: tuple[bytes, ...]
    secrets: dict[bytes, bytes] = field(repr=False, default_factory=dict)
    receiver: Certificate | None = None
