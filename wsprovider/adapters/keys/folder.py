"""From a keys folder to an immutable snapshot: ``keys/<ring>/`` and ``keys/trust/<group>/``.

The formats are told in :mod:`wsprovider.adapters.keys.ring_file` and
:mod:`wsprovider.adapters.keys.trust_folder`. Every mistake is collected; nothing half-read leaves.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256

from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.keys.ring_file import read_ring
from wsprovider.adapters.keys.tables import NAME
from wsprovider.adapters.keys.trust_folder import read_group
from wsprovider.keyring.ring import Ring, RingSnapshot, SealKeys
from wsprovider.keyring.trust import AuthorityGroup, PinnedGroup, Trust, TrustGroup
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load gives.

    Attributes:
        snapshot: keys and trust.
        seals: the ring's seal keys.
        warnings: what the operator should look at; the server runs all the same.
    """

    snapshot: RingSnapshot
    seals: SealKeys
    warnings: tuple[Problem, ...]


def load_snapshot(
    keys_folder: Path,
    ring: str | None,
    trust: Sequence[str],
    *,
    limits: Limits,
    now: datetime,
    environ: Mapping[str, str],
) -> Loaded:
    """Load a ring and trust groups.

    Args:
        keys_folder: the folder that holds rings and ``trust``.
        ring: the ring's folder in it; None for a service that needs no key of its own.
        trust: names of trust groups; none if the service trusts no certificate.
        limits: bounds for RSA keys and paths.
        now: the moment for which keys must be active and certificates valid.
        environ: where passphrases are looked up.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    return load(Reader(keys_folder, environ), ring, trust, limits=limits, now=now)


def load(
    reader: Reader,
    ring: str | None,
    trust: Sequence[str],
    *,
    limits: Limits,
    now: datetime,
    sealing: bool = False,
) -> Loaded:
    """Load with a reader of one's own, which afterwards knows what was looked at.

    Args:
        sealing: the ring must hold a seal key now and for good (:meth:`SealKeys.lack`).

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    keys, seals = Ring("", ()), SealKeys()
    if ring is not None and _proper(reader, ring):
        keys, seals = read_ring(reader, ring, limits, now)
    groups = [
        group
        for name in dict.fromkeys(trust)
        if _proper(reader, name) and (group := read_group(reader, name, limits, now)) is not None
    ]
    _check_partners(reader, groups, keys)
    if sealing and ring is not None and not reader.problems and (lack := seals.lack(now)):
        reader.problem(reader.shown(reader.folder / ring / "ring.toml"), lack)
    if reader.problems:
        raise ConfigurationError(reader.problems)
    version = _version(keys, groups, trust, limits)
    return Loaded(RingSnapshot(keys, Trust(groups, limits), version), seals, tuple(reader.warnings))


def _proper(reader: Reader, name: str) -> bool:
    if NAME.fullmatch(name):
        return True
    reader.problem(reader.folder.name, f"{name!r} is no name of a ring or trust group")
    return False


def _check_partners(reader: Reader, groups: Iterable[TrustGroup], ring: Ring) -> None:
    """One key must mean one partner, and a partner must not be ourselves."""
    holder: dict[bytes, str] = {}
    for group in groups:
        if not isinstance(group, PinnedGroup):
            continue
        where = reader.shown(reader.folder / "trust" / group.name)
        for partner in group.partners:
            for certificate in partner.certificates:
                known = holder.setdefault(certificate.spki, partner.name)
                if known != partner.name:
                    reader.problem(where, f"partners {known!r} and {partner.name!r} hold the same key")
                if ring.owns(certificate):
                    reader.warn(where, f"{partner.name!r} holds a key of our own ring: it is refused")


def _version(ring: Ring, groups: Iterable[TrustGroup], trust: Sequence[str], limits: Limits) -> str:
    """A digest of what was read and of how it is judged; of secrets only what is public in them."""
    parts: list[str] = [ring.name, *trust, repr(limits)]
    for key in ring.keys:
        chain = ",".join(one.fingerprint for one in (key.pair.certificate, *key.pair.chain))
        parts.append(f"{key.pair.name} {sorted(one.value for one in key.purposes)} {key.lifespan} {chain}")
    parts.append(repr(ring.assignments))
    for group in groups:
        if isinstance(group, AuthorityGroup):
            authorities = group.authorities
            parts += [one.fingerprint for one in (*authorities.anchors, *authorities.intermediates)]
            parts.append(
                f"{authorities.path_length} {sorted(one.dotted_string for one in group.extended_usage)} {group.subjects}"
            )
            parts += [
                one.fingerprint(SHA256()).hex()
                for one in (group.revocation.lists if group.revocation else ())
            ]
        else:
            parts += [
                f"{partner.name} {sorted(partner.roles)} "
                f"{[(one.fingerprint, partner.pin(one).told) for one in partner.certificates]}"
                for partner in group.partners
            ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
