"""A renewal of a key of ours: the one we sign with, or the one that partners encrypt to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from shlex import quote
from typing import Final

from wsprovider.exchange.renewal.steps import (
    ENDING,
    LEAVING,
    Doer,
    Progress,
    Renewal,
    Step,
    done,
    ends_on,
    from_day,
    ordered,
)
from wsprovider.exchange.renewal.wire import Wire, ago, in_use, named
from wsprovider.exchange.sightings import Sighting
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, KeyState
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import Purpose, Ring, RingKey
from wsprovider.keyring.uses import Case, Role

_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_BOTH: Final = frozenset(Purpose)


def of_our_key(
    case: Case,
    role: Role,
    ring: Ring,
    sightings: Iterable[Sighting],
    now: datetime,
    *,
    partner: str | None = None,
    ring_option: str = "",
) -> Renewal:
    """We renew the key that we sign (SIGN) or decrypt (DECRYPT) with.

    Args:
        partner: only with this one; None: with everybody.
        ring_option: of the commands that are named, where the ring is not the usual one.
    """
    old, new = _our_pair(case, ring, now)
    everything = tuple(sightings)
    wire = Wire(tuple(one for one in everything if (one.case, one.role) == (case, role)), now)
    option = f" --ring {ring_option}" if ring_option else ""
    ours = _Ours(case, ring, old, new, wire, everything, partner, option)
    return Renewal(
        case,
        role,
        partner,
        _certificate(old),
        _certificate(new),
        tuple(ordered(ours.steps())),
        tuple(ours.warnings()),
        planned=day if (day := _day(new)) is not None and day > now else None,
        both=ours.both,
    )


def _our_pair(case: Case, ring: Ring, now: datetime) -> tuple[RingKey | None, RingKey | None]:
    """The key that goes, and the one that comes; the one in use alone where no renewal is under way."""
    purpose = Purpose.SIGN if case is Case.SIGN else Purpose.DECRYPT
    keys = [key for key in ring.keys if purpose in key.purposes]

    def those(*wanted: KeyState) -> list[RingKey]:
        return [key for key in keys if key.lifespan.state(now) in wanted]

    active = sorted(those(KeyState.ACTIVE), key=lambda key: (_since(key), _begins(key)))
    in_use = active[-1] if active else None
    assigned = {one.key for one in ring.assignments}
    # the next to come; of several without a day the one that somebody was moved to, else the newest
    coming = min(
        sorted(those(KeyState.PENDING), key=_begins, reverse=True),
        key=lambda key: (_since(key), key.pair.name not in assigned),
        default=None,
    )
    if coming is not None or in_use is None:
        return in_use, coming
    superseded = [key for key in active[:-1] if key.purposes <= in_use.purposes]
    ended = superseded or sorted(
        those(KeyState.OVERLAP, KeyState.RETAINED) or those(KeyState.GONE), key=_retired
    )
    return (ended[-1], in_use) if ended else (in_use, None)


@dataclass(frozen=True, slots=True)
class _Ours:
    """A renewal of a key of ours; ``everything`` is what was seen in any case."""

    case: Case
    ring: Ring
    old: RingKey | None
    new: RingKey | None
    wire: Wire
    everything: tuple[Sighting, ...]
    partner: str | None
    option: str

    @property
    def _certificates(self) -> tuple[Certificate | None, Certificate | None]:
        return _certificate(self.old), _certificate(self.new)

    @property
    def _known(self) -> tuple[str, ...]:
        return self.wire.partners(*self._certificates) if self.partner is None else (self.partner,)

    @property
    def _active(self) -> bool:
        return self.new is not None and self.new.lifespan.state(self.wire.now) is KeyState.ACTIVE

    def steps(self) -> Iterator[Step]:
        """What both parties do."""
        old, new, wire = self.old, self.new, self.wire
        name = "NEW" if new is None else new.pair.name
        moved = bool(self._known) and all(wire.moved(*self._certificates, one) for one in self._known)
        told = "" if new is None else "; ".join(wire.told(*self._certificates, one) for one in self._known)
        takeover = self._takeover(name)
        # whoever addressed it has it; of replies to everybody else that tells nothing
        told_apart = self.partner is not None or self.case is Case.DECRYPT
        used = told_apart and bool(self._known)
        used = used and all(wire.of(_certificate(new), one) for one in self._known)
        informed = takeover.progress is Progress.DONE or used or _day(new) is not None
        held = _BOTH if old is None else old.purposes
        purposes = "".join(f" --purpose {one.value}" for one in Purpose if held != _BOTH and one in held)
        yield Step(
            Doer.US,
            "make a key with its certificate; it decrypts from then on, and signs only for whoever addresses it",
            done(new is not None),
            "" if new is None else f"{name} is {new.lifespan.state(wire.now).value}",
            f"wsprovider keys new NEW{purposes}{self.option}",
        )
        yield Step(
            Doer.US,
            "send its certificate to the partner, with the letter that --letter prints",
            done(informed),
            command=f"wsprovider keys export {name} --out {name}.pem{self.option}",
        )
        if self.case is Case.SIGN:
            what = "accept replies signed by either certificate, the old one and the new one, and say so"
            yield Step(Doer.PARTNER, what, done(informed))
            yield takeover
            settled = self._active and not self._known and not self._late
            yield Step(Doer.TIME, "replies are signed by the new key", done(moved or settled), told)
        else:
            first = "accept replies that are signed by the new key, then " if self.both else ""
            yield Step(Doer.PARTNER, f"{first}encrypt to the new certificate", done(moved), told)
            yield takeover
        yield from self._ending()

    def warnings(self) -> Iterator[str]:
        """Who would be lost."""
        old, new, now = self.old, self.new, self.wire.now
        if old is None:
            return
        name, expires = old.pair.name, old.pair.certificate.parsed.not_valid_after_utc
        if old.lifespan.state(now) is KeyState.ACTIVE and now >= expires - ENDING:
            then = "nothing follows it yet" if new is None else f"{new.pair.name} has to take over before"
            yield f"the certificate of {name} {ends_on(expires, now)}: {then}"
        ends = old.lifespan.end_of_overlap if self.case is Case.SIGN else old.lifespan.end_of_retention
        if new is None or ends is None or now < ends - LEAVING:
            return
        does = "signs" if self.case is Case.SIGN else "decrypts"
        for partner in self._known:
            last = self.wire.last(old.pair.certificate, partner)
            if last is not None and not self.wire.moved(*self._certificates, partner):
                until = f"{does} no more" if now >= ends else f"{does} until {ends:%Y-%m-%d} only"
                yield f"{named(partner)} used {name} {ago(last, now)}, and it {until}"

    @property
    def both(self) -> bool:
        """Whether the key signs and decrypts."""
        key = self.new or self.old
        return key is not None and key.purposes == _BOTH

    @property
    def _late(self) -> tuple[str, ...]:
        """Whose replies another key signs although the new one has taken over: they were assigned to it."""
        if not self._active or self.new is None or self.case is not Case.SIGN:
            return ()
        assigned = sorted({one.partner for one in self.ring.assignments})
        others = [one for one in assigned if self.partner in (None, one)]
        pair = self.new.pair
        return tuple(one for one in others if self.ring.signing_key(self.wire.now, partner=one) is not pair)

    def _takeover(self, name: str) -> Step:
        """The step in which the new key becomes the one that is used."""
        new, now = self.new, self.wire.now
        alone = self.partner if self.case is Case.SIGN else None
        what = f"have it take over{f' for {alone}' if alone else ''}; the old one goes on for whoever addresses it"
        if self.case is Case.DECRYPT and self.both:
            what += ". It signs from then on, too: wsprovider renew sign"
        to = f" --partner {quote(alone)}" if alone else ""
        if self._late:
            told = f"{', '.join(self._late)}: assigned to another key"
            to = f" --partner {quote(self._late[0])}"
            return Step(
                Doer.US, what, Progress.LATER, told, f"wsprovider keys activate {name}{to}{self.option}"
            )
        mine = [
            one
            for one in self.ring.assignments
            if new is not None and one.key == name and self.case is Case.SIGN
        ]
        days = [
            f"{one.partner} {from_day(one.active_from, now)}" for one in mine if alone in (None, one.partner)
        ]
        begun = any(one.partner == alone and (one.active_from or _BEFORE_ALL) <= now for one in mine)
        begun = begun and new is not None and self.ring.signing_key(now, partner=alone) is new.pair
        day = _day(new)
        told = f"everybody {from_day(day, now)}" if day is not None else ", ".join(days)
        waits = not (self._active or begun) and (day is not None or (bool(days) and alone is not None))
        command = "" if waits else f"wsprovider keys activate {name}{to}{self.option}"
        return Step(Doer.TIME if waits else Doer.US, what, done(self._active or begun), told, command)

    def _ending(self) -> Iterator[Step]:
        """What becomes of the old key."""
        old = self.old
        ends = old if self.new is not None else None
        state = None if old is None else old.lifespan.state(self.wire.now)
        name = "OLD" if old is None else old.pair.name
        if self._active and state is KeyState.ACTIVE:
            what = "end the duty of the old key, which is still active"
            yield Step(Doer.US, what, Progress.LATER, "", f"wsprovider keys retire {name}{self.option}")
        if self.case is Case.SIGN:
            over = state in (KeyState.RETAINED, KeyState.GONE)
            what = "take the old certificate out of trust, when no reply by it can be under way any more"
            yield Step(Doer.PARTNER, what, done(over), _until(ends, "signs"))
        gone = done(state is KeyState.GONE)
        yield Step(Doer.TIME, "the retention of the old key runs out", gone, _until(ends, "decrypts"))
        command = f"wsprovider keys remove {name}{self.option}"
        yield Step(Doer.US, "delete the old key", done(old is None), self._held_up(), command)

    def _held_up(self) -> str:
        """Why the command would refuse to delete the old one; empty where it would not, or not for this reason."""
        old, now = self.old, self.wire.now
        if self.new is None or old is None or old.lifespan.state(now) is not KeyState.GONE:
            return ""
        left = in_use(old.pair.certificate, self.everything, now)
        told = [f"{named(one.partner)} used it {ago(one.last, now)}" for one in left]
        return f"{', '.join(told)}, and no other key for as long: ask them, then --unseen" if told else ""


def _day(new: RingKey | None) -> datetime | None:
    """The day on which it takes over, or has; None where none is named."""
    since = None if new is None else new.lifespan.active_from
    return None if since == NOT_SCHEDULED else since


def _until(old: RingKey | None, does: str) -> str:
    if old is None:
        return ""
    signs = does == "signs"
    end = old.lifespan.end_of_overlap if signs else old.lifespan.end_of_retention
    return (
        f"{old.pair.name} {does} until {end:%Y-%m-%d}"
        if end is not None
        else f"{old.pair.name} has no end yet"
    )


def _certificate(key: RingKey | None) -> Certificate | None:
    return None if key is None else key.pair.certificate


def _since(key: RingKey) -> datetime:
    return key.lifespan.active_from or _BEFORE_ALL


def _retired(key: RingKey) -> datetime:
    return key.lifespan.retired_at or _BEFORE_ALL


def _begins(key: RingKey) -> datetime:
    return key.pair.certificate.parsed.not_valid_before_utc
