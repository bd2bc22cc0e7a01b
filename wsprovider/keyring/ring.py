"""Our own keys: a ring of key pairs asked by purpose, seal keys, and the snapshot of both and trust.

What comes in was loaded and checked by :mod:`wsprovider.adapters.keys`; this module only chooses.
What a key may do now follows from its purposes and from :mod:`wsprovider.keyring.lifecycle`.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from wsprovider.keyring.index import CertificateIndex
from wsprovider.keyring.lifecycle import ALWAYS, ANSWERS, DECRYPTS, PUBLISHED, KeyState, Lifespan, gap
from wsprovider.keyring.material import Certificate, CertificateReference, KeyPair
from wsprovider.keyring.path import Chain
from wsprovider.keyring.snapshot import Trusted
from wsprovider.keyring.trust import Partner, Trust, TrustGroup
from wsprovider.words.errors import ConfigurationError, Problem, WSSecurityError
from wsprovider.words.reasons import Reason

_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_NO_SEAL: Final = (
    "holds no [[seal]] key that is active, and secure conversations need one: `wsprovider keys new 2026 --purpose seal` "
    "makes it (with --ring, where the ring is not the usual one)"
)


class Purpose(Enum):
    """What a key of a ring is for."""

    SIGN = "sign"
    DECRYPT = "decrypt"


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key pair with what it is for and when."""

    pair: KeyPair
    purposes: frozenset[Purpose]
    lifespan: Lifespan = ALWAYS


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which key signs for one partner, from a moment on: so each is moved when it is ready.

    Attributes:
        partner: its name.
        key: the name of the key.
        active_from: None: since ever.
    """

    partner: str
    key: str
    active_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealKey:
    """A symmetric key that protects what we give away and want back, such as a session's secret.

    Attributes:
        name: the key's name in its ring; may be written beside what it sealed.
        secret: 32 bytes.
        lifespan: when it seals and when it opens.
    """

    name: str
    secret: bytes = field(repr=False)
    lifespan: Lifespan = ALWAYS


@dataclass(frozen=True, slots=True)
class SealKeys:
    """The seal keys of a ring."""

    keys: tuple[SealKey, ...] = ()

    def sealing(self, now: datetime) -> SealKey | None:
        """The key that seals now: of those that are ACTIVE, the newest."""
        active = [key for key in self.keys if key.lifespan.state(now) is KeyState.ACTIVE]
        return max(active, key=lambda key: _since(key.lifespan), default=None)

    def opening(self, name: str, now: datetime) -> SealKey | None:
        """The key of that name, if it may still open (or already: another worker may be ahead)."""
        for key in self.keys:
            if key.name == name and key.lifespan.state(now) in DECRYPTS:
                return key
        return None

    def lack(self, now: datetime) -> str | None:
        """Why nothing could be sealed now, or from some day on: a sentence for the operator, or None."""
        if self.sealing(now) is None:
            return _NO_SEAL
        moment = gap((key.lifespan for key in self.keys), now)
        if moment is None:
            return None
        return f"no [[seal]] key is active from {moment.isoformat()} on, and secure conversations need one"


class Ring:
    """The key pairs of one ring; immutable."""

    def __init__(
        self, name: str, keys: tuple[RingKey, ...], assignments: tuple[Assignment, ...] = ()
    ) -> None:
        self.name = name
        self.keys = keys
        self.assignments = assignments
        self._own = frozenset(key.pair.certificate.spki for key in keys)
        self._signing = tuple(key for key in keys if Purpose.SIGN in key.purposes)
        self._by_partner: dict[str, tuple[Assignment, ...]] = {}
        for one in sorted(assignments, key=_begun, reverse=True):
            self._by_partner[one.partner] = (*self._by_partner.get(one.partner, ()), one)
        self._decrypting = CertificateIndex(
            (key for key in keys if Purpose.DECRYPT in key.purposes),
            lambda key: key.pair.certificate,
        )

    def signing_key(
        self, now: datetime, *, addressed: KeyPair | None = None, partner: str | None = None
    ) -> KeyPair | None:
        """The key that signs now.

        It is the one that the peer addressed, while that may answer; else the one assigned to the partner;
        else, of those that are ACTIVE, the one that became so last.

        Args:
            addressed: our key that the peer encrypted to.
            partner: whom the message is for.
        """
        if addressed is not None and self.answers(addressed, now):
            return addressed
        if self.assignments and partner:
            assigned = self._assigned(partner, now)
            if assigned is not None:
                return assigned
        if len(self._signing) == 1:  # the usual case, on the path of every message
            only = self._signing[0]
            return only.pair if only.lifespan.state(now) is KeyState.ACTIVE else None
        active = [key for key in self._signing if key.lifespan.state(now) is KeyState.ACTIVE]
        newest = max(active, key=lambda key: _since(key.lifespan), default=None)
        return None if newest is None else newest.pair

    def answers(self, pair: KeyPair, now: datetime) -> bool:
        """Whether the key may sign the reply to a peer who addressed it, or whom it was assigned to."""
        return any(
            key.pair is pair and key.lifespan.state(now) in ANSWERS and _valid(pair.certificate, now)
            for key in self._signing
        )

    def _assigned(self, partner: str, now: datetime) -> KeyPair | None:
        """The key last assigned to the partner; None where there is none, or it may not answer any more."""
        of_partner = self._by_partner.get(partner)
        if of_partner is None:  # most of them, on the path of every message
            return None
        newest = next((one for one in of_partner if _begun(one) <= now), None)
        for key in self._signing:
            if newest is not None and key.pair.name == newest.key and self.answers(key.pair, now):
                return key.pair
        return None

    def published(self, now: datetime) -> tuple[Certificate, ...]:
        """The certificates to give out to partners."""
        return tuple(key.pair.certificate for key in self.keys if key.lifespan.state(now) in PUBLISHED)

    def decryption_keys(self, reference: CertificateReference, now: datetime) -> tuple[KeyPair, ...]:
        """The keys that the reference names and that may decrypt now."""
        return tuple(
            key.pair for key in self._decrypting.find(reference) if key.lifespan.state(now) in DECRYPTS
        )

    def owns(self, certificate: Certificate) -> bool:
        """Whether the certificate's key is one of ours, in any state and for any purpose."""
        if not self._own:
            return False
        try:
            _ = certificate.public_key  # first, for spki does not expect what no ring holds
        except WSSecurityError:
            return False
        return certificate.spki in self._own


class RingSnapshot:
    """One ring and the trust of a service at one moment (a KeySnapshot)."""

    def __init__(self, ring: Ring, trust: Trust, version: str) -> None:
        self.ring = ring
        self._trust = trust
        self._version = version

    @property
    def version(self) -> str:
        """Changes whenever anything in the snapshot differs."""
        return self._version

    @property
    def trusts_nobody(self) -> bool:
        """Whether no trust is configured; a policy that needs some must not start."""
        return self._trust.empty

    @property
    def partners(self) -> tuple[Partner, ...]:
        """The partners whose very certificates are configured, for reports."""
        return self._trust.partners

    @property
    def trust_groups(self) -> tuple[TrustGroup, ...]:
        """The groups of partners and CAs, for reports."""
        return self._trust.groups

    @property
    def trusted_certificates(self) -> tuple[Certificate, ...]:
        """Every configured certificate of partners and CAs, for reports."""
        return self._trust.certificates

    def signing_key(
        self, now: datetime, *, addressed: KeyPair | None = None, partner: str | None = None
    ) -> KeyPair:
        """Our own key that signs now; see :meth:`Ring.signing_key`.

        Raises:
            ConfigurationError: none is active.
        """
        pair = self.ring.signing_key(now, addressed=addressed, partner=partner)
        if pair is None:
            where = f"ring {self.ring.name!r}"
            raise ConfigurationError([Problem(where, "no key for 'sign' is active now")])
        return pair

    def decryption_keys(self, reference: CertificateReference, now: datetime) -> tuple[KeyPair, ...]:
        """Our own keys that may still decrypt and that the reference names."""
        return self.ring.decryption_keys(reference, now)

    def own(self, certificate: Certificate) -> bool:
        """Whether the certificate, or another one of the same key, is our own."""
        return self.ring.owns(certificate)

    def named(self, reference: CertificateReference, now: datetime) -> tuple[Certificate, ...]:
        """Configured peer certificates that the reference names; see KeySnapshot."""
        return self._trust.named(reference, now)

    def trust(self, certificate: Certificate, path: Chain, now: datetime) -> Trusted:
        """Decide whether the certificate may sign requests.

        Raises:
            WSSecurityError: see KeySnapshot.
        """
        remembered = self._trust.remembered(certificate, path, now)
        if remembered is not None:
            return remembered
        if self.own(certificate):
            raise WSSecurityError(Reason.OWN_CERTIFICATE, certificate.subject)
        return self._trust.judge(certificate, path, now)

    def peer_encryption_certificate(self, partner: str | None, now: datetime) -> Certificate | None:
        """The one certificate to encrypt to for a partner; see KeySnapshot."""
        return self._trust.encryption_certificate(partner, now)


def _begun(assignment: Assignment) -> datetime:
    return assignment.active_from or _BEFORE_ALL


def _since(lifespan: Lifespan) -> datetime:
    return lifespan.active_from or _BEFORE_ALL


def _valid(certificate: Certificate, now: datetime) -> bool:
    parsed = certificate.parsed
    return parsed.not_valid_before_utc <= now <= parsed.not_valid_after_utc
