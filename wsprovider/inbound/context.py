"""What the examination of one message is given: keys, clock, budgets, the algorithms let in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from lxml import etree

from wsprovider.crypto.algorithms import PublicKey
from wsprovider.crypto.ciphers import CIPHERS
from wsprovider.header.timestamp import Timestamp
from wsprovider.inbound.evidence import MessageKey
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.keyring.tickets import TicketKey
from wsprovider.policy.requirements import MessageRequirements, Protection
from wsprovider.ports import Entropy
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import KeyTransport, Suite
from wsprovider.xml.canonical import Room

_SHORT: Final = 16


@dataclass(frozen=True, slots=True)
class Gate:
    """The union of what an endpoint's alternatives let in; checked before any work.

    The judge later holds each fact against the one alternative that is proven.

    Attributes:
        secret_lengths: lengths in bytes that an EncryptedKey may carry.
        short_keys: a 128-bit key may stand under a cipher of 256 (Apache Rampart).
        encryption: some alternative lets anything be encrypted by the message's own means.
        signature: every alternative that does has a Signature.
        hidden_signature: some alternative has its Signature encrypted.
        timestamp: every alternative has a Timestamp.
    """

    digests: frozenset[str]
    signatures: frozenset[str]
    ciphers: frozenset[str]
    transports: frozenset[KeyTransport]
    secret_lengths: frozenset[int]
    short_keys: bool
    encrypt_before_signing: bool
    encryption: bool
    signature: bool
    hidden_signature: bool
    timestamp: bool

    @classmethod
    def of(cls, messages: Iterable[MessageRequirements]) -> "Gate":
        """The gate of some alternatives."""
        found = tuple(one for one in messages if one.protection is not Protection.NONE)
        sealing = [one for one in found if one.seals]
        suites = [message.suite for message in found]
        short = any(suite.short_symmetric_keys for suite in suites)
        lengths = {length for suite in suites for length in secret_lengths(suite)}
        return cls(
            digests=frozenset(uri for suite in suites for uri in suite.digests),
            signatures=frozenset(
                uri for suite in suites for uri in (*suite.asymmetric_signatures, *suite.symmetric_signatures)
            ),
            ciphers=frozenset(uri for suite in suites for uri in suite.encryptions),
            transports=frozenset(way for suite in suites for way in suite.key_transports),
            secret_lengths=frozenset(lengths),
            short_keys=short,
            encrypt_before_signing=any(one.encrypt_before_signing for one in found),
            encryption=bool(sealing),
            signature=all(one.has_signature for one in sealing),
            hidden_signature=any(one.encrypt_signature for one in found),
            timestamp=all(one.timestamp for one in sealing),
        )


def secret_lengths(suite: Suite) -> frozenset[int]:
    """Lengths in bytes that an EncryptedKey may carry under a suite."""
    lengths = {suite.symmetric_bits // 8, *(CIPHERS[cipher].key_bytes for cipher in suite.encryptions)}
    return frozenset(lengths | ({_SHORT} if suite.short_symmetric_keys else set()))


FindContext = Callable[[str, str | None], ContextKey]
"""The key of a living context, by its identifier and the namespace of the WS-SecureConversation that named
it (None where nothing said so).

Raises SoapError BAD_CONTEXT_TOKEN; WSSecurityError UNSUPPORTED_REFERENCE where nobody agrees on contexts;
BackendError when a store did not answer.
"""


def no_contexts(identifier: str, namespace: str | None) -> ContextKey:
    """Of an endpoint without conversations.

    Raises:
        WSSecurityError: UNSUPPORTED_REFERENCE, always.
    """
    del namespace
    raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, f"security context {identifier}")


class Tickets(Protocol):
    """Where the keys of Kerberos tickets come from."""

    def shown(self, token: bytes) -> TicketKey:
        """The key of an AP-REQ that stands in the message.

        Raises:
            WSSecurityError: UNSUPPORTED_TOKEN where nobody takes tickets; what accepting it says.
            BackendError: the service's own keys cannot be read.
        """
        ...

    def named(self, sha1: bytes) -> TicketKey:
        """The key of an AP-REQ that an earlier message has shown.

        Raises:
            WSSecurityError: TICKET_UNKNOWN, or UNRESOLVED_REFERENCE where nobody takes tickets.
            BackendError: the store did not answer.
        """
        ...


class NoTickets:
    """Of an endpoint that takes none."""

    def shown(self, token: bytes) -> TicketKey:
        """See :meth:`Tickets.shown`."""
        raise WSSecurityError(Reason.UNSUPPORTED_TOKEN, f"a Kerberos ticket of {len(token)} bytes")

    def named(self, sha1: bytes) -> TicketKey:
        """See :meth:`Tickets.named`."""
        raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, f"the Kerberos ticket {sha1.hex()}")


class SecondOpinion(Protocol):
    """Another engine that must agree with ours (``crosscheck``)."""

    def signature(
        self, element: etree._Element, key: PublicKey | bytes, targets: Iterable[etree._Element]
    ) -> None:
        """Verify the Signature again; ``targets`` are what its References name.

        Raises:
            WSSecurityError: CROSSCHECK.
        """
        ...

    def decryption(self, element: etree._Element, method: str, secret: bytes, plaintext: bytes) -> None:
        """Decrypt the EncryptedData again and compare.

        Raises:
            WSSecurityError: CROSSCHECK.
        """
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One message's view of the world.

    Attributes:
        now: the one moment of this message.
        established: secrets that both sides already hold, by EncryptedKeySHA1 (for replies).
        unwrapped: what EncryptedKeys of the message carry, by EncryptedKeySHA1, where that is known already (of an
            archived message, whose private key may have gone).
        signature_seen: told the identity of each SignatureValue before it is verified; raises REPLAY when an
            accepted message had it.
        unwrapping: told before a private key of ours is used; raises where that is too much asked.
        timestamp_seen: told each Timestamp that can be read, also before anything is decrypted; raises
            TIMESTAMP_EXPIRED or TIMESTAMP_FUTURE.
        contexts: looks up security contexts.
        tickets: gives the keys of Kerberos tickets.
        understood: header blocks, by Clark name, that somebody behind us understands.
        room: what canonical forms of this message may still take.
        narrow: the gate of a message by the keys whose signatures hold; gives None where these show nobody.
            None: it is everybody's.
        second_opinion: checks what our engine accepted with another one; None without.
    """

    keys: KeySnapshot
    now: datetime
    entropy: Entropy
    limits: Limits
    gate: Gate
    established: Mapping[bytes, bytes]
    room: Room
    signature_seen: Callable[[bytes], None]
    timestamp_seen: Callable[[Timestamp], None]
    unwrapping: Callable[[], None] = lambda: None
    contexts: FindContext = no_contexts
    tickets: Tickets = field(default_factory=NoTickets)
    second_opinion: SecondOpinion | None = None
    narrow: Callable[[Sequence[MessageKey]], Gate | None] | None = None
    understood: frozenset[str] = frozenset()
    unwrapped: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
