"""When which certificate was first and last seen at work, kept in the store that all workers share.

A key can be taken away once nobody uses it any more; only messages tell. What is kept is bounded: uses of one
partner, uses of all, and the time since the last one. A sighting holds nothing secret and is sealed by nothing.

On the path of a message it costs one look-up a use. There is no lock that a fork could leave held: what threads
share is a dictionary each of whose changes is one step, and the store decides who was first and last.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from wsprovider.keyring.uses import Case, Role, Use
from wsprovider.ports import Records, Room
from wsprovider.words.errors import BackendError

KIND: Final = "use"
"""The kind of record that a sighting is."""
WATCH: Final = "watch"
"""The kind of the two records that tell how far sightings can be relied on."""
LIFE: Final = timedelta(days=400)
"""How long a use is remembered after its last time: over a year, for partners who call once in one."""
MOST: Final = 20_000
"""Sightings in the store."""
MOST_PER_PARTNER: Final = 200
"""Sightings of one partner, by certificate, service and case."""
_TEXT: Final = 300
_TRIES: Final = 20
_SILENCE: Final = 60.0
_SINCE: Final = "since"
_MISSED: Final = "missed"
_DAY: Final = 86_400.0
_MARKS: Final = 2


@dataclass(frozen=True, slots=True)
class Sighting:
    """One certificate at one kind of work, for one partner of one service.

    Attributes:
        role: our part in the exchange.
        partner: as in :class:`~wsprovider.keyring.uses.Use`, at most 300 characters of it; a peer may have chosen it.
        fingerprint: SHA-256 of the certificate in hexadecimal.
        subject: of the certificate, likewise bounded.
        first, last: when it was seen; the last time may be later, by as long as sightings are held back.
    """

    role: Role
    service: str
    case: Case
    partner: str
    fingerprint: str
    subject: str
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Watch:
    """How far sightings can be relied on: what was not seen may have been used before, or when there was no room.

    Attributes:
        since: from when on uses were noted in this store; None: never yet.
        missed: when a use was last not noted for want of room, in the last 400 days; None: never.
    """

    since: datetime | None
    missed: datetime | None


class Sightings:
    """Notes uses and tells of them; shared by all threads."""

    def __init__(
        self,
        records: Records,
        *,
        role: Role = Role.PROVIDER,
        monotonic: Callable[[], float],
        every: float = 60.0,
        on_failure: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the store.

        Args:
            role: our part in the exchanges that are noted.
            monotonic: seconds that never run backwards (``time.monotonic``).
            every: seconds between two writes for one use; the first is written at once.
            on_failure: told, once a minute at most, why something was not noted.
        """
        self._records, self._role = records, role
        self._monotonic, self._every, self._on_failure = monotonic, every, on_failure
        self._due: dict[tuple[str, Case, str, str], float] = {}
        self._silent_until = self._watch_until = float("-inf")

    def begin(self, now: datetime) -> None:
        """Write down that uses are noted from now on, unless they were before; whatever happens, the server starts."""
        moment = self._monotonic()
        try:
            self._watch(now, moment)
        except Exception as error:  # noqa: BLE001 - written with a later use
            self._tell(_why(error), moment)

    def note(self, service: str, uses: Iterable[Use], now: datetime) -> None:
        """Note what an accepted request or a sent reply has shown; whatever happens, the message goes on.

        Args:
            service: the service's name.
            now: when it was seen.
        """
        moment = self._monotonic()
        for use in uses:
            key = (service, use.case, use.partner[:_TEXT], use.certificate.fingerprint)
            due = self._due.get(key)
            if due is not None and moment < due:
                continue
            if due is None and len(self._due) >= MOST:
                self._due.clear()  # each is written once more, no harm done
            self._due[key] = (
                moment + self._every
            )  # first: neither other threads nor a store that is away, twice
            try:
                room = self._write(service, use, now)
                if room is Room.FULL:
                    self._tell(f"there are {MOST:,} of them already", moment)
                elif room is Room.OWNER_FULL:
                    self._tell(f"there are {MOST_PER_PARTNER} of {use.partner[:_TEXT]!r} already", moment)
                if room in (Room.FULL, Room.OWNER_FULL):
                    self._mark(_MISSED, now, max)
                self._watch(now, moment)
            except Exception as error:  # noqa: BLE001 - the message is in order, whatever becomes of the note
                self._tell(_why(error), moment)

    def seen(self, now: datetime) -> tuple[Sighting, ...]:
        """Every sighting, of every role; by service, partner and case.

        Raises:
            BackendError: the store did not answer.
        """
        found = (_read(record.value) for record in self._records.records(KIND, now=now))
        return tuple(sorted((one for one in found if one is not None), key=_order))

    def watch(self, now: datetime) -> Watch:
        """How far they can be relied on.

        Raises:
            BackendError: the store did not answer.
        """
        since, missed = (self._records.record(WATCH, key, now=now) for key in (_SINCE, _MISSED))
        return Watch(*(None if one is None else _moment(one.value) for one in (since, missed)))

    def _watch(self, now: datetime, moment: float) -> None:
        """Keep the beginning for as long as there may be sightings; once a day is enough."""
        if moment >= self._watch_until:
            self._mark(_SINCE, now, min)
            self._watch_until = moment + _DAY

    def _mark(self, key: str, now: datetime, chosen: Callable[[datetime, datetime], datetime]) -> None:
        """Keep the earlier or the later of two moments."""
        for _ in range(_TRIES):
            record = self._records.record(WATCH, key, now=now)
            known = now if record is None else _moment(record.value) or now
            value, expires = chosen(known, now).isoformat().encode("ascii"), now + LIFE
            if record is None:
                room = self._records.keep(
                    WATCH, key, value, owner="", expires=expires, now=now, owner_limit=_MARKS, limit=_MARKS
                )
                if room is not Room.TAKEN:
                    return
            elif self._records.replace(
                WATCH, key, value, version=record.version, expires=max(expires, record.expires), now=now
            ):
                return

    def _write(self, service: str, use: Use, now: datetime) -> Room:
        """Write a use; TAKEN when others were faster all the time, and have written as good a moment."""
        certificate, partner = use.certificate, use.partner[:_TEXT]
        seen = Sighting(
            self._role,
            service,
            use.case,
            partner,
            certificate.fingerprint,
            certificate.subject[:_TEXT],
            now,
            now,
        )
        key = _key(seen)
        for _ in range(_TRIES):
            record = self._records.record(KIND, key, now=now)
            if record is None:
                room = self._records.keep(
                    KIND,
                    key,
                    _value(seen),
                    owner=partner,
                    expires=now + LIFE,
                    now=now,
                    owner_limit=MOST_PER_PARTNER,
                    limit=MOST,
                )
                if room is not Room.TAKEN:
                    return room
                continue
            known = _read(record.value) or seen
            wider = replace(seen, first=min(known.first, now), last=max(known.last, now))
            value, expires = _value(wider), wider.last + LIFE
            if value == record.value or self._records.replace(
                KIND, key, value, version=record.version, expires=expires, now=now
            ):
                return Room.KEPT
        return Room.TAKEN

    def _tell(self, why: str, moment: float) -> None:
        if moment >= self._silent_until:
            self._silent_until = moment + _SILENCE
            self._on_failure(why)


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, BackendError) else type(error).__name__


def _moment(value: bytes) -> datetime | None:
    """None for what another version has written in a way that is not ours."""
    try:
        return datetime.fromisoformat(value.decode("ascii"))
    except ValueError:
        return None


def _key(seen: Sighting) -> str:
    named = [seen.role.value, seen.service, seen.case.value, seen.partner, seen.fingerprint]
    return hashlib.sha256(json.dumps(named).encode("ascii")).hexdigest()


def _order(seen: Sighting) -> tuple[str, ...]:
    return seen.service, seen.partner, seen.case.value, seen.fingerprint, seen.role.value


def _value(seen: Sighting) -> bytes:
    fields = {
        "role": seen.role.value,
        "service": seen.service,
        "case": seen.case.value,
        "partner": seen.partner,
        "fingerprint": seen.fingerprint,
        "subject": seen.subject,
        "first": seen.first.isoformat(),
        "last": seen.last.isoformat(),
    }
    return json.dumps(fields).encode("ascii")


def _read(value: bytes) -> Sighting | None:
    """None for what another version has written in a way that is not ours."""
    try:
        fields = json.loads(value)
        first, last = datetime.fromisoformat(fields["first"]), datetime.fromisoformat(fields["last"])
        texts = {name: str(fields[name]) for name in ("service", "partner", "fingerprint", "subject")}
        return Sighting(role=Role(fields["role"]), case=Case(fields["case"]), first=first, last=last, **texts)
    except (KeyError, TypeError, ValueError):
        return None
