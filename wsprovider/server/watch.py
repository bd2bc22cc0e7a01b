"""The watch over expiry: a line in the log when a certificate or revocation list has not long to live.

Asked with every request, it looks once an hour, and once more after a changed keys folder was taken over. Each
warning comes once over all workers and restarts: the shared store knows which were given.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256

from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.keyring.lifecycle import PUBLISHED
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.trust import AuthorityGroup, PinnedGroup
from wsprovider.ports import Clock, SharedStore
from wsprovider.server import log
from wsprovider.server.holdings import Holdings, OwnKey, authorities_of, lists_of
from wsprovider.words.errors import BackendError

THRESHOLDS: Final = (0, 7, 14, 30, 60)
"""Days left at which a warning is due; 0: it has ended."""
EVERY: Final = 3600.0
"""Seconds between two looks of one process."""
_REMEMBERED: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Dated:
    """Something that ends.

    Attributes:
        fingerprint: SHA-256 in hexadecimal.
        what: what it is and whose, as the beginning of a sentence.
        advice: what to do, as its end.
        thresholds: days left at which the operator wants to know.
    """

    fingerprint: str
    ends: datetime
    what: str
    advice: str
    thresholds: tuple[int, ...] = THRESHOLDS

    def reached(self, now: datetime) -> int | None:
        """The last threshold that was passed; None while there is time."""
        left = self.ends - now
        return next((days for days in self.thresholds if left <= timedelta(days=days)), None)


class Watch:
    """Looks at what one process holds; shared by all threads."""

    def __init__(
        self,
        holdings: Holdings,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        tls: Path | None = None,
        every: float = EVERY,
    ) -> None:
        """Take what is to be looked at.

        Args:
            tls: the certificate that this process serves HTTPS with, if it does.
            every: seconds between two looks.
        """
        self._holdings, self._tls = holdings, tls
        self._clock, self._monotonic, self._every = clock, monotonic, every
        self._next = float("-inf")

    def again(self) -> None:
        """Look with the next request: other keys are in force."""
        self._next = float("-inf")

    def look(self, store: SharedStore) -> None:
        """Look if it is time; whatever happens, the request goes on.

        Args:
            store: knows which warnings were given. When it does not answer, they are given again.
        """
        moment = self._monotonic()
        if moment < self._next:
            return
        self._next = moment + self._every  # first: others go on meanwhile
        try:
            self._look(store, self._clock())
        except Exception as error:  # noqa: BLE001 - the request has nothing to do with it
            log.failure("watch", error)

    def _look(self, store: SharedStore, now: datetime) -> None:
        for one in _together(self._dated(now)):
            days = one.reached(now)
            if days is None:
                continue
            try:
                first = store.add_if_absent(
                    f"expiry:{one.fingerprint}:{days}", expires=now + _REMEMBERED, now=now
                )
            except BackendError:
                first = True
            if first:
                log.start.warning("%s", log.sentence(_sentence(one, now)))

    def _dated(self, now: datetime) -> Iterator[Dated]:
        for key in self._holdings.own_keys(now):
            yield _own(key)
        for pinned in self._holdings.pinned_groups():
            yield from _partners(pinned)
        for group in self._holdings.authority_groups():
            yield from _authorities(group)
            yield from _lists(group)
        if self._tls is not None:
            yield from _served(self._tls)


def _own(key: OwnKey) -> Dated:
    advice = (
        "make its successor with `wsprovider renew`"
        if key.state in PUBLISHED
        else "its successor has taken over: see in `wsprovider keys list` whether anybody still needs it"
    )
    what = f"the certificate of key {key.key.pair.name!r} ({key.state.value}) of ring {key.ring!r}"
    return _of(key.certificate, what, advice)


def _partners(group: PinnedGroup) -> Iterator[Dated]:
    for partner in group.partners:
        last = max(one.parsed.not_valid_after_utc for one in partner.certificates)
        for certificate in partner.certificates:
            advice = (
                f"ask for the next one and put it beside this one in trust/{group.name}"
                if certificate.parsed.not_valid_after_utc == last
                else f"a newer one is there: when `wsprovider keys list` shows no more use, take it out of trust/{group.name}"
            )
            what = f"the certificate {certificate.subject} of partner {partner.name!r} in trust group {group.name!r}"
            yield _of(certificate, what, advice)


def _authorities(group: AuthorityGroup) -> Iterator[Dated]:
    advice = (
        f"whoever it vouches for is refused from then on: put its successor into trust/{group.name} and name it in "
        "trust.toml; `wsprovider keys check` then tells what is left"
    )
    for certificate in authorities_of(group):
        yield _of(
            certificate, f"the CA certificate {certificate.subject} of trust group {group.name!r}", advice
        )


def _lists(group: AuthorityGroup) -> Iterator[Dated]:
    """Lists live for days or weeks: a warning halfway through each would be read by nobody."""
    for one in lists_of(group):
        ends = one.next_update_utc
        if ends is None:
            continue
        issuer = one.issuer.rfc4514_string()
        life = ends - one.last_update_utc
        yield Dated(
            one.fingerprint(SHA256()).hex(),
            ends,
            f"the revocation list of {issuer} in trust group {group.name!r}",
            f"whoever it speaks of is refused from then on: fetch the next one into trust/{group.name}; "
            "`wsprovider keys check` then tells what is left",
            tuple(days for days in THRESHOLDS if timedelta(days=2 * days) < life),
        )


def _served(file: Path) -> Iterator[Dated]:
    try:
        certificate = load_certificates(file.read_bytes())[0]
    except (OSError, MaterialError):
        return  # whoever serves it complains, with every connection
    what = f"the TLS certificate {file.name} ({certificate.subject})"
    yield _of(certificate, what, "replace it and its key; `wsprovider keys check` then tells what is left")


def _of(certificate: Certificate, what: str, advice: str) -> Dated:
    return Dated(certificate.fingerprint, certificate.parsed.not_valid_after_utc, what, advice)


def _together(every: Iterable[Dated]) -> Iterator[Dated]:
    """One of each fingerprint: what stands in two places is told once, with both."""
    found: dict[str, list[Dated]] = {}
    for one in every:
        found.setdefault(one.fingerprint, []).append(one)
    for first, *others in found.values():
        what = ", ".join(dict.fromkeys((first.what, *(one.what for one in others))))
        yield Dated(first.fingerprint, first.ends, what, first.advice, first.thresholds)


def _sentence(one: Dated, now: datetime) -> str:
    left, date = one.ends - now, f"{one.ends:%Y-%m-%d %H:%M} UTC"
    when = f"ends on {date}, in {left.days} days" if left > timedelta(0) else f"has ended on {date}"
    return f"keys: {one.what} {when}: {one.advice}"
