"""Whether a chain is what it was: every record read, hashed, and held against the one before it.

No key is needed. With the archive's key each record must open, too: whoever rewrites a chain from some record on can
make its hashes fit, but seals nothing without the key. An anchored head tells both, and what was taken off the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wsprovider.archive.record import BEGINNING, BrokenRecordError, Kind, Record
from wsprovider.archive.store import Store


@dataclass(frozen=True, slots=True)
class Head:
    """A record that somebody has noted: ``service/number hash``."""

    chain: str
    sequence: int
    hash: bytes

    @classmethod
    def of(cls, text: str) -> "Head":
        """Read what :meth:`__str__` has written.

        Raises:
            ValueError: it is none.
        """
        name, hashed = text.split()
        chain, _, number = name.rpartition("/")
        head = cls(chain, int(number), bytes.fromhex(hashed))
        if not chain or len(head.hash) != len(BEGINNING):
            raise ValueError(text)
        return head

    def __str__(self) -> str:
        return f"{self.chain}/{self.sequence} {self.hash.hex()}"


@dataclass(slots=True)
class Verified:
    """What a look at a whole chain has found.

    Attributes:
        findings: what is wrong, with its place; empty: the chain holds.
        notes: what is no fault, and worth knowing.
        records, requests, replies: how many were looked at.
        head: the last record.
    """

    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    records: int = 0
    requests: int = 0
    replies: int = 0
    head: Head | None = None


class Verification:
    """One look at one chain; used once."""

    def __init__(
        self,
        store: Store,
        chain: str,
        *,
        key: bytes | None = None,
        heads: Sequence[Head] = (),
        since: str = "",
    ) -> None:
        """Take note.

        Args:
            key: the archive's, where it is at hand.
            heads: that were noted earlier.
            since: the first segment to look at; what was before is taken at its word.
        """
        self._store, self._chain, self._key, self._since = store, chain, key, since
        self._heads = {head.sequence: head for head in heads if head.chain == chain}
        self._found = Verified()
        self._last: tuple[int, bytes] | None = None
        self._first: Record | None = None
        self._removals: list[Record] = []

    def run(self) -> Verified:
        """Look at everything.

        Raises:
            BackendError: the store did not answer.
        """
        noted = self._store.end()  # first: a server may be adding records meanwhile
        segments = self._store.segments()
        chosen = [one for one in segments if one >= self._since]
        for segment in chosen:
            self._segment(segment, last=segment == segments[-1])
        self._check_beginning(skipped=len(chosen) < len(segments))
        self._check_end(noted)
        self._check_heads()
        return self._found

    def _segment(self, segment: str, *, last: bool) -> None:
        try:
            for record in self._store.records(segment):
                self._record(record, segment)
        except BrokenRecordError as error:
            after = self._name(self._last[0]) if self._last else "its beginning"
            if error.torn and last and not error.followed and not self._store.keeps_end:
                self._found.notes.append(
                    f"{segment}: an unfinished record stands after {after}; the next one takes its place"
                )
            else:
                self._found.findings.append(f"{segment}: after {after} the file {error}")

    def _record(self, record: Record, segment: str) -> None:
        found, name = self._found, self._name(record.sequence)
        found.records += 1
        found.requests += record.kind is Kind.REQUEST
        found.replies += record.kind is Kind.REPLY
        where = f"{segment}: {name}"
        if record.chain != self._chain:
            found.findings.append(f"{where} is of another chain, {record.name}")
        if not record.intact:
            found.findings.append(f"{where} was changed: its hash is not that of its octets")
        elif self._key is not None and record.opened(self._key) is None:
            found.findings.append(f"{where} was not sealed with the key of this archive")
        elif record.kind is Kind.REMOVED:
            self._removals.append(record)
        if self._last is not None:
            self._check_link(record, where, *self._last)
        self._first = self._first or record
        self._last = record.sequence, record.hash
        if record.fields.get("cut"):
            cut = record.fields["cut"]
            found.notes.append(f"{where}: {cut} octets of an unfinished record were cut off before it")
        head = self._heads.pop(record.sequence, None)
        if head is not None and head.hash != record.hash:
            found.findings.append(f"{where} is not the record that was noted as {head}")

    def _check_link(self, record: Record, where: str, sequence: int, hashed: bytes) -> None:
        if record.sequence > sequence + 1:
            missing = self._span(sequence + 1, record.sequence - 1)
            self._found.findings.append(f"{where}: before it {missing} missing")
        elif record.sequence <= sequence:
            self._found.findings.append(
                f"{where} stands after {self._name(sequence)}: out of order or put in"
            )
        elif record.previous != hashed:
            self._found.findings.append(f"{where} does not follow from {self._name(sequence)}")

    def _check_beginning(self, *, skipped: bool) -> None:
        first = self._first
        if first is None or skipped:
            return
        before = (first.sequence - 1, first.previous)
        if before == (0, BEGINNING) or before in set(self._removed()):
            return
        if before[0] == 0:
            self._found.findings.append(f"{first.name} names a record before the first one")
        else:
            missing = self._span(1, before[0])
            self._found.findings.append(
                f"{missing} missing, and no retention has removed what is before {first.name}"
            )

    def _removed(self) -> Iterator[tuple[int, bytes]]:
        for record in self._removals:
            yield int(record.fields.get("through", 0)), bytes.fromhex(record.fields.get("hash", ""))

    def _check_end(self, noted: int | None) -> None:
        last = 0 if self._last is None else self._last[0]
        if self._last is not None:
            self._found.head = Head(self._chain, *self._last)
        if noted is None or noted <= last:
            return
        what = f"the store has noted {self._name(noted)} as the last record, and {self._span(last + 1, noted)} missing"
        if self._store.keeps_end:
            self._found.findings.append(what)
        else:
            self._found.notes.append(f"{what}: cut off by a crash before anybody relied on it, or taken away")

    def _check_heads(self) -> None:
        removed = dict(self._removed())
        for sequence, head in sorted(self._heads.items()):
            if self._first is not None and sequence < self._first.sequence:
                if removed.get(sequence, head.hash) != head.hash:
                    self._found.findings.append(f"{head} is not the record that retention has removed")
                else:
                    self._found.notes.append(
                        f"{head} was removed by retention, or stands before what was looked at"
                    )
            else:
                self._found.findings.append(f"{head} was noted, and the chain does not reach it")

    def _name(self, sequence: int) -> str:
        return f"{self._chain}/{sequence}"

    def _span(self, first: int, last: int) -> str:
        if first == last:
            return f"{self._name(first)} is"
        return f"{self._name(first)} to {last} are"
