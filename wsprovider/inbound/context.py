"""What the examination of one message is given: keys, clock, budgets, the algorithms let in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lxml import etree

from wsprovider.crypto.algorithms import PublicKey
from wsprovider.crypto.ciphers import CIPHERS
from wsprovider.header.timestamp import Timestamp
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.policy.requirements import MessageRequirements
from wsprovider.ports import Entropy
from wsprovider.words.limits import Limits
from wsprovider.words.suites import KeyTransport


@dataclass(frozen=True, slots=True)
class Gate:
    """The union of what an endpoint's alternatives let in; checked before any work.

    The judge later holds each fact against the one alternative that is proven.

    Attributes:
        secret_lengths: lengths in bytes that an EncryptedKey may carry.
        short_keys: a 128-bit key may stand under a cipher of 256 (Apache Rampart).
        signature: every alternative has a Signature.
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
    signature: bool
    hidden_signature: bool
    timestamp: bool

    @classmethod
    def of(cls, messages: Iterable[MessageRequirements]) -> "Gate":
        """The gate of some alternatives."""
        found = tuple(messages)
        suites = [message.suite for message in found]
        short = any(suite.short_symmetric_keys for suite in suites)
        lengths = {CIPHERS[cipher].key_bytes for suite in suites for cipher in suite.encryptions}
        lengths |= {suite.symmetric_bits // 8 for suite in suites}
        return cls(
            digests=frozenset(uri for suite in suites for uri in suite.digests),
            signatures=frozenset(
                uri for suite in suites for uri in (*suite.asymmetric_signatures, *suite.symmetric_signatures)
            ),
            ciphers=frozenset(uri for suite in suites for uri in suite.encryptions),
            transports=frozenset(way for suite in suites for way in suite.key_transports),
            secret_lengths=frozenset(lengths | ({16} if short else set())),
            short_keys=short,
            encrypt_before_signing=found[0].encrypt_before_signing,
            signature=all(one.has_signature for one in found),
            hidden_signature=any(one.encrypt_signature for one in found),
            timestamp=all(one.timestamp for one in found),
        )


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
        signature_seen: told the identity of each SignatureValue that holds, before anything is
            decrypted; raises REPLAY when an accepted message had it.
        timestamp_seen: told each Timestamp that can be read, also before anything is decrypted; raises
            TIMESTAMP_EXPIRED or TIMESTAMP_FUTURE.
        understood: header blocks, by Clark name, that somebody behind us understands.
        second_opinion: checks what our engine accepted with another one; None without.
    """

    keys: KeySnapshot
    now: datetime
    entropy: Entropy
    limits: Limits
    gate: Gate
    established: Mapping[bytes, bytes]
    signature_seen: Callable[[bytes], None]
    timestamp_seen: Callable[[Timestamp], None]
    second_opinion: SecondOpinion | None = None
    understood: frozenset[str] = frozenset()
