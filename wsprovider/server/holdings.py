"""What one process holds of keys and users: every folder and file that it follows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography import x509

from wsprovider.keyring.lifecycle import KeyState
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import AuthorityGroup, PinnedGroup, TrustGroup


class Follower(Protocol):
    """Whoever follows files as they change."""

    @property
    def failed(self) -> bool:
        """Whether what is there now cannot be used, and what was read before is in force."""
        ...


class KeyFollower(Follower, Protocol):
    """Whoever follows a keys folder."""

    def __call__(self) -> RingSnapshot:
        """The snapshot in force."""
        ...


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of ours that is not GONE."""

    ring: str
    key: RingKey
    state: KeyState

    @property
    def certificate(self) -> Certificate:
        """Its certificate."""
        return self.key.pair.certificate


class Holdings:
    """Keys, trust and users in use; each thing once, however many endpoints use it."""

    def __init__(self) -> None:
        self._keys: list[KeyFollower] = []
        self._others: list[Follower] = []

    def add_keys(self, source: KeyFollower) -> None:
        """Take note of a source of keys and trust."""
        self._keys.append(source)

    def add(self, source: Follower) -> None:
        """Take note of a user store or a keytab."""
        self._others.append(source)

    def refused(self) -> int:
        """How many sources go on with what they read before, because what is there now cannot be used."""
        return sum(one.failed for one in (*self._keys, *self._others))

    def rings(self) -> tuple[Ring, ...]:
        """Our rings in use."""
        return tuple({source().ring.name: source().ring for source in self._keys}.values())

    def own_keys(self, now: datetime) -> tuple[OwnKey, ...]:
        """Our keys that are not GONE; by ring, as the rings name them."""
        found: dict[tuple[str, Certificate], OwnKey] = {}
        for source in self._keys:
            ring = source().ring
            for key in ring.keys:
                state = key.lifespan.state(now)
                if state is not KeyState.GONE:
                    found[ring.name, key.pair.certificate] = OwnKey(ring.name, key, state)
        return tuple(found.values())

    def pinned_groups(self) -> tuple[PinnedGroup, ...]:
        """The groups of pinned partners in use."""
        return tuple(one for one in self.groups() if isinstance(one, PinnedGroup))

    def authority_groups(self) -> tuple[AuthorityGroup, ...]:
        """The groups of CAs in use."""
        return tuple(one for one in self.groups() if isinstance(one, AuthorityGroup))

    def groups(self) -> Iterator[TrustGroup]:
        """The trust groups in use, each once."""
        return iter({group.name: group for source in self._keys for group in source().trust_groups}.values())


def authorities_of(group: AuthorityGroup) -> tuple[Certificate, ...]:
    """A group's anchors and intermediates."""
    return (*group.authorities.anchors, *group.authorities.intermediates)


def lists_of(group: AuthorityGroup) -> tuple[x509.CertificateRevocationList, ...]:
    """A group's revocation lists."""
    return () if group.revocation is None else group.revocation.lists
