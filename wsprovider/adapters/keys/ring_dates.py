"""When the keys of a ring take over, end, and go: edits of the dates in ``ring.toml``, and removals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tomlkit.items import Table

from wsprovider.adapters.keys.editing import moment_of, put, texts_of
from wsprovider.adapters.keys.ring_changes import DATES, FILES, KEY, PARTNER, REQUEST, SEAL, RingChange
from wsprovider.adapters.keys.sharing import files_of_others, same_key
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, RETENTION, KeyState, Lifespan, gap
from wsprovider.keyring.ring import Purpose

_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_PASSED: Final = timedelta(minutes=1)
_CALLED: Final = {KEY: "key", SEAL: "seal key", REQUEST: "request for"}


@dataclass(frozen=True, slots=True)
class Periods:
    """How long a key that is retired goes on: None: as the ring says."""

    overlap: timedelta | None = None
    retention: timedelta | None = None


def activate(ring: RingChange, name: str, at: datetime, periods: Periods, *, seal: bool = False) -> None:
    """Have a key take over at a moment; those whose purposes it has are retired then.

    Going back to a key that is in its overlap is an activation like any other. A key that was to take over from this
    one waits for its day to be named again. A day that was named already can be named anew: what was to end on it
    ends on the new one. What ends earlier than it would by this activation keeps its end.

    Raises:
        ConfigurationError: there is no such key, it has done its duty or is compromised, or the moment has passed.
    """
    kind = SEAL if seal else KEY
    entry = ring.required(kind, name)
    _check_moment(ring, at)
    _check_periods(ring, periods)
    lifespan = _of_use(ring, kind, entry)
    planned, superseded_at = lifespan.active_from, lifespan.retired_at
    put(entry, {"active_from": at, **dict.fromkeys(DATES)})
    ring.change.what.append(f"{_CALLED[kind]} {name} is active from {at.isoformat()} on")
    others = [one for one in ring.document.entries(kind) if one.get("name") != name]
    for other in others:
        if superseded_at and superseded_at > at:
            _cancel(ring, kind, other, superseded_at)
    if planned is not None and ring.now < planned < NOT_SCHEDULED:
        for other in others:
            _move(ring, kind, entry, other, planned, periods)
    _supersede(ring, kind, entry, at, periods)
    _end_by_next(ring, kind, entry, at, periods)
    for partner in dict.fromkeys(ring.document.names(PARTNER)):
        begun = _assigned(ring, partner, at)
        if begun and begun[-1].get("key") == name:  # it is with the others from then on
            _drop(ring, begun)
    if seal:
        _check_seals(ring)


def _of_use(ring: RingChange, kind: str, entry: Table) -> Lifespan:
    """The dates of a key that may still take over."""
    name, lifespan = entry["name"], ring.lifespan(entry)
    state = lifespan.state(ring.now)
    if state in (KeyState.RETAINED, KeyState.GONE):
        raise ring.refusal(f"{_CALLED[kind]} {name!r} is {state.value}: make a new one (wsprovider keys new)")
    if lifespan.gone_at is not None and lifespan.gone_at == lifespan.retired_at:
        what = f"is compromised, and gone from {lifespan.gone_at.isoformat()} on"
        raise ring.refusal(f"{_CALLED[kind]} {name!r} {what}: make a new one (wsprovider keys new)")
    return lifespan


def _supersede(ring: RingChange, kind: str, entry: Table, at: datetime, periods: Periods) -> None:
    """Retire what a key takes over from."""
    covered = frozenset(texts_of(entry, "purposes"))
    for other in ring.document.entries(kind):
        if other.get("name") == entry.get("name"):
            continue
        held = frozenset(texts_of(other, "purposes"))
        concerned = held & covered or kind == SEAL
        if not concerned or not ring.in_duty(other, at):
            continue
        left = held - covered - _done_by_newer(ring, other, at)
        if left:
            ring.change.what.append(
                f"key {other['name']} stays active, for nothing else can {' and '.join(sorted(left))}"
            )
        else:
            _retire(ring, kind, other, at, periods, at_most=True)


def assign(ring: RingChange, name: str, partner: str, at: datetime) -> None:
    """Have a key sign for one partner from a moment on, whatever signs for the others.

    Raises:
        ConfigurationError: there is no such key, it does not sign, it has done its duty, or the moment has passed.
    """
    entry = ring.required(KEY, name)
    _check_moment(ring, at)
    if Purpose.SIGN.value not in texts_of(entry, "purposes"):
        raise ring.refusal(f"key {name!r} does not sign: only signing keys are assigned to partners")
    state = ring.lifespan(entry).state(ring.now)
    if state in (KeyState.RETAINED, KeyState.GONE):
        raise ring.refusal(f"key {name!r} is {state.value} and signs no more: choose another one")
    superseded = _assigned(ring, partner, ring.now)[:-1] if at > ring.now else _assigned(ring, partner, at)
    coming = [
        one
        for one in ring.document.entries(PARTNER)
        if one.get("name") == partner and (moment_of(one, "active_from") or _BEFORE_ALL) >= at
    ]
    _drop(ring, {id(one): one for one in (*superseded, *coming)}.values())
    ring.document.add((PARTNER,), {"name": partner, "key": name, "active_from": at})
    ring.change.what.append(f"key {name} signs for {partner} from {at.isoformat()} on")


def retire(
    ring: RingChange,
    name: str,
    at: datetime,
    periods: Periods,
    *,
    seal: bool = False,
    compromised: bool = False,
) -> None:
    """End a key's duty at a moment; a compromised one's life, under every name that it has in the ring.

    Raises:
        ConfigurationError: there is no such key, it is gone already, or the moment has passed.
    """
    kind = SEAL if seal else KEY
    entry = ring.required(kind, name)
    _check_moment(ring, at)
    _check_periods(ring, periods)
    if not compromised and ring.lifespan(entry).state(ring.now) is KeyState.GONE:
        raise ring.refusal(f"{_CALLED[kind]} {name!r} is gone already: wsprovider keys remove {name}")
    if compromised:
        _end(ring, kind, entry, at)
        again, elsewhere = ((), {}) if seal else same_key(ring, name)
        for one in again:
            _end(ring, kind, ring.required(kind, one), at)
        for other, names in elsewhere.items():
            for one in names:
                ring.change.what.append(
                    f"ring {other} holds the same key: wsprovider keys retire {one} --compromised --ring {other}"
                )
    elif ring.lifespan(entry).state(at) is KeyState.PENDING:
        raise ring.refusal(f"{_CALLED[kind]} {name!r} has not begun by then: wsprovider keys remove {name}")
    else:
        _retire(ring, kind, entry, at, periods)
    if seal:
        _check_seals(ring)


def remove(ring: RingChange, name: str, *, seal: bool = False) -> None:
    """Take away an entry that has done its duty, or never had one, with its files.

    Raises:
        ConfigurationError: there is no such key, or it is still needed.
    """
    request = None if seal else ring.document.entry(REQUEST, name)
    kind = REQUEST if request is not None else SEAL if seal else KEY
    entry = ring.required(kind, name) if request is None else request
    if request is None:
        lifespan = ring.lifespan(entry)
        state = lifespan.state(ring.now)
        if state not in (KeyState.GONE, KeyState.PENDING):
            end = lifespan.end_of_retention
            raise ring.refusal(
                f"{_CALLED[kind]} {name!r} is {state.value} and still needed"
                + (f" until {end.isoformat()}" if end else ": activate its successor first")
            )
    ring.document.drop((kind,), entry)
    for one in list(ring.document.entries(PARTNER)):
        if kind == KEY and one.get("key") == name:
            ring.document.drop((PARTNER,), one)
    used = {
        (ring.folder / str(one[file])).resolve() for one in ring.entries() for file in FILES if file in one
    }
    used |= files_of_others(ring)
    for path in (ring.folder / str(entry[one]) for one in FILES if one in entry):
        there = path.resolve()
        if there not in used and there.parent == ring.folder.resolve() and path.exists():  # nothing of others
            ring.change.remove(path)
    ring.change.what.append(f"{_CALLED[kind]} {name} is removed")


def _done_by_newer(ring: RingChange, entry: Table, at: datetime) -> frozenset[str]:
    """What the keys in duty at the moment are for that took over after this one."""
    since = moment_of(entry, "active_from") or _BEFORE_ALL
    return frozenset(
        purpose
        for one in ring.document.entries(KEY)
        if (moment_of(one, "active_from") or _BEFORE_ALL) > since and ring.in_duty(one, at)
        for purpose in texts_of(one, "purposes")
    )


def _assigned(ring: RingChange, partner: str, at: datetime) -> list[Table]:
    """What was assigned to a partner until a moment; the last of it counts."""
    begun = [
        (moment_of(one, "active_from") or _BEFORE_ALL, place, one)
        for place, one in enumerate(ring.document.entries(PARTNER))
        if one.get("name") == partner
    ]
    return [one for since, _, one in sorted(begun, key=lambda found: found[:2]) if since <= at]


def _drop(ring: RingChange, assignments: Iterable[Table]) -> None:
    for one in list(assignments):
        ring.document.drop((PARTNER,), one)


def _cancel(ring: RingChange, kind: str, other: Table, day: datetime) -> None:
    """Take its day from a key that would have taken over on it."""
    if day > ring.now and moment_of(other, "active_from") == day:
        put(other, {"active_from": NOT_SCHEDULED, **dict.fromkeys(DATES)})
        ring.change.what.append(
            f"{_CALLED[kind]} {other['name']} does not take over at {day.isoformat()} any more"
        )


def _move(
    ring: RingChange, kind: str, entry: Table, other: Table, planned: datetime, periods: Periods
) -> None:
    """Have a key that was to end when another takes over end on that one's new day, everything later along with it."""
    concerned = kind == SEAL or set(texts_of(entry, "purposes")) & set(texts_of(other, "purposes"))
    ends = [(name, moment_of(other, name)) for name in DATES]
    given = {name: date for name, date in ends if date is not None}
    if not concerned or given.get("retired_at") != planned or given.get("gone_at") == planned:
        return  # a compromised key is not for longer
    by = (moment_of(entry, "active_from") or planned) - planned
    if periods != Periods():
        _retire(ring, kind, other, planned + by, periods)
        return
    put(other, {name: _later(ring, date, by) for name, date in given.items()})
    ring.change.what.append(
        f"{_CALLED[kind]} {other['name']} is retired at {(planned + by).isoformat()} instead of {planned.isoformat()}"
    )


def _end_by_next(ring: RingChange, kind: str, entry: Table, at: datetime, periods: Periods) -> None:
    """Retire a key when those that were to begin after it do all that it does."""
    wanted = set(texts_of(entry, "purposes"))
    coming = [
        (since, one)
        for one in ring.document.entries(kind)
        if (since := moment_of(one, "active_from")) is not None and at < since < NOT_SCHEDULED
    ]
    for since, one in sorted(coming, key=lambda found: found[0]):
        if ring.lifespan(one).retired_at == since:  # it never begins
            continue
        wanted -= set(texts_of(one, "purposes"))
        if not wanted:
            _retire(ring, kind, entry, since, periods)
            return


def _end(ring: RingChange, kind: str, entry: Table, at: datetime) -> None:
    """The end of a compromised key's life; one that has ended already stays where it is."""
    lifespan = ring.lifespan(entry)
    if lifespan.state(ring.now) is KeyState.GONE:
        ring.change.what.append(f"{_CALLED[kind]} {entry['name']} is compromised, and gone already")
        return
    gone = min(at, lifespan.end_of_retention or at)
    put(entry, dict.fromkeys(DATES, gone))
    if lifespan.active_from is not None and lifespan.active_from > gone:
        put(entry, {"active_from": None})
    name = entry["name"]
    ring.change.what.append(f"{_CALLED[kind]} {name} is compromised, and gone from {gone.isoformat()} on")


def _retire(
    ring: RingChange, kind: str, entry: Table, at: datetime, periods: Periods, *, at_most: bool = False
) -> None:
    """End a key's duty.

    Args:
        at_most: an end that it has already is only ever brought forward.
    """
    before = ring.lifespan(entry)
    usual = ring.periods()
    overlap = usual[0] if periods.overlap is None else periods.overlap
    retention = usual[1] if periods.retention is None else periods.retention
    explicit = periods != Periods()
    after = Lifespan(retired_at=at, overlap=overlap, retention=retention)
    ends, gone = after.end_of_overlap or at, after.end_of_retention or at
    if at_most and before.end_of_overlap and before.end_of_retention:
        explicit = explicit or before.end_of_overlap < ends or before.end_of_retention < gone
        ends, gone = min(ends, before.end_of_overlap), min(gone, before.end_of_retention)
    put(
        entry,
        {
            "retired_at": at,
            "overlap_until": ends if explicit else None,
            "gone_at": gone if explicit else None,
        },
    )
    kept = ring.lifespan(entry).kept
    short = "" if kept is None or kept >= RETENTION else f", kept for less than {RETENTION.days} days"
    ring.change.what.append(f"{_CALLED[kind]} {entry['name']} is retired at {at.isoformat()}{short}")


def _later(ring: RingChange, moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        raise ring.refusal("a date would come after the year 9999: name a shorter time") from None


def _check_moment(ring: RingChange, at: datetime) -> None:
    """What has happened since cannot be changed: a key that was in duty would be gone without its overlap."""
    if at < ring.now - _PASSED:
        raise ring.refusal(f"{at.isoformat()} has passed: name a moment to come, or leave --at away for now")


def _check_seals(ring: RingChange) -> None:
    moment = gap((ring.lifespan(one) for one in ring.document.entries(SEAL)), ring.now)
    if moment is not None:
        raise ring.refusal(
            f"no [[seal]] key would be active from {moment.isoformat()} on: activate another first"
        )


def _check_periods(ring: RingChange, periods: Periods) -> None:
    for name, given in (("overlap", periods.overlap), ("retention", periods.retention)):
        if given is not None and given < timedelta():
            raise ring.refusal(f"{name} is negative")
