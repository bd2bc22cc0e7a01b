"""Gauges of keys and certificates in the text form of Prometheus.

Labels come from configuration only (rings, keys, groups, partners, services), so that no message can make the table
grow: of what messages have shown, only our own keys and pinned certificates are told.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from wsprovider.exchange.sightings import Sighting
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.uses import Case, Role
from wsprovider.server.holdings import Holdings, authorities_of, lists_of
from wsprovider.server.metrics import escaped

_DAY: Final = timedelta(days=1)
_OURS: Final = frozenset({Case.DECRYPT, Case.SIGN})

Samples = dict[tuple[str, ...], float]
"""Values by labels."""


def text(holdings: Holdings, seen: Iterable[Sighting] | None, services: frozenset[str], now: datetime) -> str:
    """The exposition format, version 0.0.4.

    Args:
        seen: what the shared store says of uses; None: nothing is said of them.
        services: the services of this process, by name.
    """
    ages, updates = _of_lists(holdings, now)
    lines = [
        *_gauge(
            "key_expiry_days",
            "Days until a certificate of ours ends.",
            ("ring", "key", "state"),
            _of_own_keys(holdings, now),
        ),
        *_gauge(
            "partner_certificate_expiry_days",
            "Days until a pinned certificate ends.",
            ("group", "partner", "fingerprint"),
            _of_partners(holdings, now),
        ),
        *_gauge(
            "authority_expiry_days",
            "Days until a CA certificate ends.",
            ("group", "fingerprint"),
            _of_authorities(holdings, now),
        ),
        *_gauge(
            "crl_age_days",
            "Days since the oldest revocation list of an issuer was made.",
            ("group", "issuer"),
            ages,
        ),
        *_gauge(
            "crl_next_update_days",
            "Days until the first revocation list of an issuer is due for its next update.",
            ("group", "issuer"),
            updates,
        ),
        *_gauge(
            "keys_refused",
            "Sources of keys or users whose files cannot be used as they are; what was read before is in force.",
            (),
            {(): holdings.refused()},
        ),
    ]
    if seen is not None:
        lines += _gauge(
            "key_last_use_timestamp_seconds",
            "When a key of ours, or a partner's pinned certificate, was last used.",
            ("case", "service", "name"),
            _of_uses(holdings, seen, services, now),
        )
    return "".join(f"{line}\n" for line in lines)


def _of_own_keys(holdings: Holdings, now: datetime) -> Samples:
    return {
        (one.ring, one.key.pair.name, one.state.value): _left(one.certificate, now)
        for one in holdings.own_keys(now)
    }


def _of_partners(holdings: Holdings, now: datetime) -> Samples:
    return {
        (group.name, partner.name, certificate.fingerprint): _left(certificate, now)
        for group in holdings.pinned_groups()
        for partner in group.partners
        for certificate in partner.certificates
    }


def _of_authorities(holdings: Holdings, now: datetime) -> Samples:
    return {
        (group.name, certificate.fingerprint): _left(certificate, now)
        for group in holdings.authority_groups()
        for certificate in authorities_of(group)
    }


def _of_lists(holdings: Holdings, now: datetime) -> tuple[Samples, Samples]:
    """Age and next update; of several lists of an issuer, the worst of each."""
    ages: Samples = {}
    updates: Samples = {}
    for group in holdings.authority_groups():
        for one in lists_of(group):
            labels = group.name, one.issuer.rfc4514_string()
            age = (now - one.last_update_utc) / _DAY
            ages[labels] = max(age, ages.get(labels, age))
            if one.next_update_utc is not None:
                left = (one.next_update_utc - now) / _DAY
                updates[labels] = min(left, updates.get(labels, left))
    return ages, updates


def _of_uses(
    holdings: Holdings, seen: Iterable[Sighting], services: frozenset[str], now: datetime
) -> Samples:
    """Seconds since 1970; the last time over all partners of a key, and over all certificates of a partner."""
    ours = {one.certificate.fingerprint: f"{one.ring}/{one.key.pair.name}" for one in holdings.own_keys(now)}
    theirs = {
        certificate.fingerprint: f"{group.name}/{partner.name}"
        for group in holdings.pinned_groups()
        for partner in group.partners
        for certificate in partner.certificates
    }
    uses: Samples = {}
    for one in seen:
        names: Mapping[str, str] = ours if one.case in _OURS else theirs
        name = names.get(one.fingerprint)
        if name is None or one.role is not Role.PROVIDER or one.service not in services:
            continue
        labels = one.case.value, one.service, name
        uses[labels] = max(uses.get(labels, 0.0), one.last.timestamp())
    return uses


def _left(certificate: Certificate, now: datetime) -> float:
    return (certificate.parsed.not_valid_after_utc - now) / _DAY


def _gauge(name: str, told: str, labels: tuple[str, ...], samples: Samples) -> Iterator[str]:
    """A gauge's lines; none where there is nothing to tell."""
    if not samples:
        return
    yield f"# HELP wsprovider_{name} {told}"
    yield f"# TYPE wsprovider_{name} gauge"
    for values, number in sorted(samples.items()):
        pairs = zip(labels, values, strict=True)
        said = ",".join(f'{label}="{escaped(value)}"' for label, value in pairs)
        yield f"wsprovider_{name}{f'{{{said}}}' if said else ''} {number:.10g}"
