"""The pieces that a message is taken apart into, and how each of them stands by itself."""

import hmac
from dataclasses import dataclass, field

from wsprovider.explain.report import Refusal, Spot
from wsprovider.header.signature import Reference, Signature
from wsprovider.inbound.closing import Covered
from wsprovider.inbound.decrypting import Found
from wsprovider.inbound.evidence import MessageKey, SecretKey


@dataclass(slots=True, eq=False)
class DigestPiece:
    """One Reference of a Signature.

    Attributes:
        number: of the Reference in its SignedInfo, from 0.
        computed: the digest of its target; None where ``error`` kept it from being made.
        target: where that stands.
        cipher: the digest fits the cipher text that the message came with, and not what was decrypted.
    """

    number: int
    reference: Reference
    computed: bytes | None = None
    error: Refusal | None = None
    target: Spot | None = None
    cipher: bool = False

    @property
    def holds(self) -> bool:
        """Whether the digest is the one that was signed."""
        return self.computed is not None and hmac.compare_digest(self.computed, self.reference.digest)


@dataclass(slots=True, eq=False)
class SignaturePiece:
    """One Signature.

    Attributes:
        key: that its KeyInfo names; None where ``key_error`` says why there is none.
        error: why it does not open; None when its value holds.
    """

    signature: Signature
    decrypted: bool
    key: MessageKey | None = None
    key_error: Refusal | None = None
    error: Refusal | None = None
    digests: list[DigestPiece] = field(default_factory=list)
    covered: Covered = field(default_factory=Covered)


@dataclass(slots=True, eq=False)
class CipherPiece:
    """One EncryptedData.

    Attributes:
        plaintext: None where ``error`` says why there is none.
    """

    found: Found
    key: SecretKey | None = None
    error: Refusal | None = None
    plaintext: bytes | None = field(default=None, repr=False)
