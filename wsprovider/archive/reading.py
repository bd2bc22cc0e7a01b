"""Finding records of a chain, and opening them with the archive's key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from wsprovider.archive.content import Facts, unpack
from wsprovider.archive.record import Kind, Record, tag_of
from wsprovider.archive.store import Store
from wsprovider.archive.writing import MATERIAL
from wsprovider.words.errors import BackendError


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a message, opened.

    Attributes:
        segment: the day that it is in.
        facts, parts: see :mod:`wsprovider.archive.content`.
        material: gives octets by their digest; raises LookupError where they are not in the segment.
    """

    record: Record
    segment: str
    facts: Facts
    parts: dict[str, bytes] = field(repr=False)
    material: Callable[[str], bytes] = field(repr=False)

    @property
    def at(self) -> datetime:
        """The moment of the judgement: "now" of the request, or when the reply was kept."""
        received = self.facts.get("received")
        return self.record.at if received is None else datetime.fromisoformat(received)


class Reader:
    """One chain, to be read by whoever holds its key."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store, self._key = store, key
        self._materials: dict[str, dict[str, Record]] = {}

    def numbered(self, number: int) -> Found | None:
        """The message of that number; None where there is none."""
        for segment in reversed(self._store.segments()):
            first = next(self._store.records(segment), None)
            if first is None or first.sequence > number:
                continue
            for record in self._store.records(segment):
                if record.sequence == number:
                    return self._message(record, segment)
            return None
        return None

    def named(self, kind: str, value: str) -> Iterator[Found]:
        """The messages that have this name of a kind (``message-id``, ``context``), oldest first."""
        tag = tag_of(self._key, kind, value)
        for segment in self._store.segments():
            for record in self._store.records(segment):
                if record.fields.get(kind) == tag and (found := self._message(record, segment)):
                    yield found

    def last(self) -> Found | None:
        """The request that was kept last."""
        for segment in reversed(self._store.segments()):
            last = None
            for record in self._store.records(segment):
                last = record if record.kind is Kind.REQUEST else last
            if last is not None:
                return self._message(last, segment)
        return None

    def reply(self, request: Found) -> Found | None:
        """The reply to a request; None where none was kept."""
        number = request.record.sequence
        for segment in self._store.segments():
            if segment < request.segment:
                continue
            for record in self._store.records(segment):
                if record.kind is Kind.REPLY and record.fields.get("request") == number:
                    return self._message(record, segment)
        return None

    def request_of(self, reply: Found) -> Found | None:
        """The request that a reply answers; None where it was removed."""
        return self.numbered(int(reply.record.fields["request"]))

    def _message(self, record: Record, segment: str) -> Found | None:
        if record.kind not in (Kind.REQUEST, Kind.REPLY):
            return None
        try:
            facts, parts = unpack(self._opened(record))
        except ValueError as error:
            raise BackendError(f"{record.name} {error}") from error
        return Found(record, segment, facts, parts, lambda digest: self._material(segment, digest))

    def _material(self, segment: str, digest: str) -> bytes:
        known = self._materials.get(segment)
        if known is None:
            records = self._store.records(segment)
            known = {one.fields["tag"]: one for one in records if one.kind is Kind.MATERIAL}
            self._materials[segment] = known
        return self._opened(known[tag_of(self._key, MATERIAL, digest)])

    def _opened(self, record: Record) -> bytes:
        plain = record.opened(self._key)
        if plain is None:
            raise BackendError(
                f"{record.name} does not open: it was changed, or sealed by somebody else; see wsprovider archive verify"
            )
        return plain
