"""What one message sees of keys and trust: an immutable snapshot, asked by purpose.

:class:`KeySnapshot` is the interface between the core and whatever loads rings. A worker swaps
snapshots; a message keeps the one it started with.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wsprovider.keyring.material import Certificate, CertificateReference, KeyPair


@dataclass(frozen=True, slots=True)
class Trusted:
    """A certificate that trust accepted, now.

    Attributes:
        certificate: the certificate.
        partner: the name under which trust knows its holder (pinned file, group or subject).
        pinned: True when the very certificate is configured, False when a CA vouches for it.
        roles: what trust gives that partner.
        groups: the trust groups that know it by that name: all that pin it, or the one whose CA vouches for it.
    """

    certificate: Certificate
    partner: str
    pinned: bool
    roles: frozenset[str] = frozenset()
    groups: tuple[str, ...] = ()


class KeySnapshot(Protocol):
    """The keys and the trust of one service at one moment."""

    @property
    def version(self) -> str:
        """Changes whenever anything in the snapshot differs: the key of caches."""
        ...

    def signing_key(
        self, now: datetime, *, addressed: KeyPair | None = None, partner: str | None = None
    ) -> KeyPair:
        """Our own key that signs now.

        Args:
            addressed: our key that the peer encrypted to; it signs the reply as long as it may.
            partner: whom the message is for; one may have been moved to another key earlier or later.

        Raises:
            ConfigurationError: none is active (refused at start already).
        """
        ...

    def decryption_keys(self, reference: CertificateReference, now: datetime) -> tuple[KeyPair, ...]:
        """Our own keys that may still decrypt and that the reference names; usually one, or none."""
        ...

    def own(self, certificate: Certificate) -> bool:
        """Whether the certificate, or another one of the same key, is our own."""
        ...

    def named(self, reference: CertificateReference, now: datetime) -> tuple[Certificate, ...]:
        """Configured peer certificates that the reference names (never an embedded one by itself)."""
        ...

    def trust(self, certificate: Certificate, path: tuple[Certificate, ...], now: datetime) -> Trusted:
        """Decide whether the certificate may sign requests: pins, path, validity, usage, revocation.

        Raises:
            WSSecurityError: CERTIFICATE_NOT_TRUSTED, CERTIFICATE_EXPIRED, CERTIFICATE_NOT_YET_VALID,
                CERTIFICATE_REVOKED, REVOCATION_UNKNOWN, CERTIFICATE_SUBJECT, CERTIFICATE_USAGE,
                CERTIFICATE_PATH, CERTIFICATE_KEY or OWN_CERTIFICATE.
        """
        ...

    def peer_encryption_certificate(self, partner: str | None, now: datetime) -> Certificate | None:
        """The one certificate to encrypt to for a partner (the service, as consumers see it)."""
        ...
