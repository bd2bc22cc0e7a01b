"""What messages have shown of two certificates, an old one and its successor: who uses which, and since when.

Read from :mod:`wsprovider.exchange.sightings`; pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wsprovider.exchange.sightings import Sighting
from wsprovider.keyring.material import Certificate
from wsprovider.words.printable import printable

QUIET: Final = timedelta(days=7)
"""A certificate that was not seen for so long, by whoever has used another since, is not in use any more."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Who used which of two certificates for one case, and when last.

    Attributes:
        sightings: of this case and role.
    """

    sightings: tuple[Sighting, ...]
    now: datetime

    def of(self, certificate: Certificate | None, partner: str | None) -> tuple[Sighting, ...]:
        """What was seen of a certificate, with one partner or (None) with any."""
        if certificate is None:
            return ()
        fingerprint = certificate.fingerprint
        return tuple(
            one for one in self.sightings if one.fingerprint == fingerprint and partner in (None, one.partner)
        )

    def last(self, certificate: Certificate | None, partner: str | None) -> datetime | None:
        """When a certificate was last seen with a partner, or any."""
        return max((one.last for one in self.of(certificate, partner)), default=None)

    def partners(self, old: Certificate | None, new: Certificate | None) -> tuple[str, ...]:
        """Everybody who was seen with either, in the order of their names."""
        both = (*self.of(old, None), *self.of(new, None))
        return tuple(sorted({one.partner for one in both}))

    def moved(self, old: Certificate | None, new: Certificate | None, partner: str) -> bool:
        """Whether a partner uses the new one and the old one no more.

        Each service counts by itself, for a partner may call two of them by two programs. Callers without a name
        are many, so that the first of them with the new one says nothing of the others: the old one must be quiet.
        """
        begun = _begun(self.of(new, partner))
        if not begun:
            return False
        left = [one for one in in_use(old, self.sightings, self.now) if one.partner == partner]
        return all(partner and one.service in begun and one.last < begun[one.service] for one in left)

    def told(self, old: Certificate | None, new: Certificate | None, partner: str) -> str:
        """The same in a sentence."""
        who, before, after = named(partner), self.last(old, partner), self.of(new, partner)
        last = None if before is None else f"the old one last {ago(before, self.now)}"
        if not after:
            return f"{who}: {last or 'neither was seen yet'}{', the new one never' if last else ''}"
        since, latest = min(one.first for one in after), max(one.last for one in after)
        new_one = f"the new one since {ago(since, self.now)}, last {ago(latest, self.now)}"
        return f"{who}: {f'{last}, ' if last else ''}{new_one}"


def in_use(
    certificate: Certificate | None, sightings: Iterable[Sighting], now: datetime
) -> tuple[Sighting, ...]:
    """What may go on of the uses of a certificate: the one definition of what commands take away.

    A use is over when it was not seen for :data:`QUIET`, and the same partner has used another certificate since
    for the same work in the same service: who calls once a month is silent for longer than that. What is in no
    sighting was not used for 400 days, as far as the store was watched.

    Args:
        sightings: of every role and case that is to be looked at.
    """
    if certificate is None:
        return ()
    known = tuple(sightings)
    since: dict[tuple[object, ...], datetime] = {}
    for one in known:
        if one.fingerprint != certificate.fingerprint:
            since[_work(one)] = max(one.last, since.get(_work(one), one.last))
    return tuple(
        one
        for one in known
        if one.fingerprint == certificate.fingerprint
        and (lately(one, now) or since.get(_work(one), one.last) <= one.last)
    )


def lately(sighting: Sighting, now: datetime) -> bool:
    """Whether it was so lately that it may come again any moment."""
    return now - sighting.last <= QUIET


def _work(sighting: Sighting) -> tuple[object, ...]:
    return sighting.role, sighting.service, sighting.case, sighting.partner


def named(partner: str) -> str:
    """How a partner is called in a sentence; a peer may have chosen the name, so nothing reaches a terminal raw."""
    return printable(partner) or "anonymous callers"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was, in words."""
    passed = now - moment
    if passed < timedelta(minutes=2):
        return "just now"
    if passed < timedelta(hours=2):
        return f"{int(passed.total_seconds() // 60)} minutes ago"
    if passed < timedelta(days=2):
        return f"{int(passed.total_seconds() // 3600)} hours ago"
    return f"{passed.days} days ago"


def _begun(sightings: Iterable[Sighting]) -> dict[str, datetime]:
    """Since when, by service."""
    found: dict[str, datetime] = {}
    for one in sightings:
        found[one.service] = min(one.first, found.get(one.service, one.first))
    return found
