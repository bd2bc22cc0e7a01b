"""Adding to a chain: requests and replies, what they rest on once a segment, and removing what is over.

A segment holds everything that its records name: certificates, lists, policies and trust are kept once in each segment
and worker, so that removing a segment takes nothing from another.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from wsprovider.archive.content import Facts, pack
from wsprovider.archive.keys import ArchiveKey
from wsprovider.archive.record import BrokenRecordError, Kind, Link, Record, make, tag_of
from wsprovider.archive.store import Make, Store
from wsprovider.ports import Clock, Entropy
from wsprovider.words.errors import BackendError

MATERIAL: Final = "material"
MESSAGE_ID: Final = "message-id"
CONTEXT: Final = "context"
"""What tags in headers stand for (:func:`wsprovider.archive.record.tag_of`)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be kept of one message.

    Attributes:
        facts, parts: see :mod:`wsprovider.archive.content`.
        materials: octets that the facts name by their SHA-256 in hexadecimal.
        tags: by what it may be found later, by kind of tag.
        request: for a reply: the number of its request.
    """

    kind: Kind
    facts: Facts
    parts: Mapping[str, bytes] = field(repr=False)
    materials: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    request: int | None = None


class Archive:
    """One chain that is written to; shared by all threads, and by processes that were forked."""

    def __init__(
        self,
        store: Store,
        chain: str,
        key: ArchiveKey,
        *,
        clock: Clock,
        entropy: Entropy,
        days: int | None = None,
        on_failure: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """Take the store.

        Args:
            days: how long records are kept; None: for ever.
            on_failure: told where what is over could not be removed; it is tried again the next day.
        """
        self.chain = chain
        self._store, self._key = store, key
        self._clock, self._entropy, self._days = clock, entropy, days
        self._on_failure = on_failure
        self._held: tuple[str, frozenset[str]] = ("", frozenset())
        self._pruned = ""
        self._failed = False

    def begin(self) -> None:
        """See that records can be kept, and remove those that are over.

        Raises:
            BackendError: they cannot.
        """
        self._store.check(failed=True)
        self._key.secret()
        self._remove_what_is_over(self._clock())

    def check(self) -> None:
        """See whether a request may be let in: what is true now is most likely true a moment later.

        Raises:
            BackendError: it could not be kept.
        """
        self._store.check(failed=self._failed)
        self._key.secret()

    def close(self) -> None:
        """Release what the store has open."""
        self._store.close()

    def keep(self, kept: Kept) -> int:
        """Keep a message; on return it is durable. Its number.

        Raises:
            BackendError: it could not be kept.
        """
        key, now = self._key.secret(), self._clock()
        plain = pack(kept.facts, kept.parts)
        made: list[Record] = []
        links: list[Link] = []

        def follow(link: Link) -> Sequence[Record]:
            made.clear()
            links[:] = [link]
            held = self._held[1] if self._held[0] == link.segment else frozenset()
            for digest in sorted(kept.materials.keys() - held):
                more = {"tag": tag_of(key, MATERIAL, digest)}
                octets = kept.materials[digest]
                made.append(self._made(_after(link, made), Kind.MATERIAL, now, octets, key, more))
            made.append(self._made(_after(link, made), kept.kind, now, plain, key, _header(kept, key)))
            return tuple(made)

        self._append(now, follow)
        segment = links[0].segment
        before = self._held[1] if self._held[0] == segment else frozenset()
        if not before.issuperset(kept.materials):
            self._held = (segment, before | frozenset(kept.materials))
        if day_of(now) != self._pruned:
            self._remove_what_is_over(now)
        return made[-1].sequence

    def _append(self, now: datetime, follow: Make) -> None:
        try:
            self._store.append(day_of(now), follow)
        except BackendError:
            self._failed = True
            raise
        self._failed = False

    def _made(
        self, link: Link, kind: Kind, now: datetime, plain: bytes, key: bytes, more: dict[str, Any]
    ) -> Record:
        return make(self.chain, link, kind, now, plain, key=key, entropy=self._entropy, more=more)

    def _remove_what_is_over(self, now: datetime) -> None:
        """Once a day; the message that comes first then is not to blame where it fails."""
        self._pruned = day_of(now)
        if self._days is None:
            return
        try:
            self._remove_before(now, day_of(now - timedelta(days=self._days)))
        except (BackendError, BrokenRecordError, StopIteration) as error:
            self._on_failure(error)

    def _remove_before(self, now: datetime, limit: str) -> None:
        """Remove the segments that are over; first it is said in the chain that they were.

        Only whole segments at the beginning go, and never the last one: the chain goes on from it.
        """
        segments = self._store.segments()
        over = [one for one in segments[:-1] if one < limit]
        if not over:
            return
        first = next(self._store.records(segments[len(over)]))
        more = {"through": first.sequence - 1, "hash": first.previous.hex(), "days": self._days}
        key = self._key.secret()
        self._append(now, lambda link: [self._made(link, Kind.REMOVED, now, b"", key, more)])
        for segment in over:
            self._store.remove(segment)


def day_of(moment: datetime) -> str:
    """The segment of a moment."""
    return date.isoformat(moment.date())


def digest_of(octets: bytes) -> str:
    """What material is called."""
    return hashlib.sha256(octets).hexdigest()


def _after(link: Link, made: Sequence[Record]) -> Link:
    if not made:
        return link
    return Link(made[-1].sequence, made[-1].hash, link.segment)


def _header(kept: Kept, key: bytes) -> dict[str, Any]:
    more: dict[str, Any] = {name: tag_of(key, name, value) for name, value in kept.tags.items()}
    if kept.request is not None:
        more["request"] = kept.request
    return more
