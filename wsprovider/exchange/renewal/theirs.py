"""A renewal of a partner's key: the one it signs with, or the one that we encrypt to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from wsprovider.exchange.renewal.steps import (
    ENDING,
    LEAVING,
    Doer,
    Renewal,
    Step,
    done,
    ends_on,
    from_day,
    ordered,
)
from wsprovider.exchange.renewal.wire import QUIET, Wire, ago, in_use, lately
from wsprovider.exchange.sightings import Sighting
from wsprovider.keyring.lifecycle import NOT_SCHEDULED
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.trust import Partner, PeerPurpose
from wsprovider.keyring.uses import Case, Role


def of_their_key(
    case: Case,
    role: Role,
    partner: Partner,
    sightings: Iterable[Sighting],
    now: datetime,
    *,
    group_option: str = "",
) -> Renewal:
    """The partner renews the key that it signs (VERIFY) or decrypts (ENCRYPT) with."""
    everything = tuple(one for one in sightings if one.partner == partner.name)
    wire = Wire(tuple(one for one in everything if (one.case, one.role) == (case, role)), now)
    old, new = _their_pair(case, partner, now)
    option = f" --partner {quote(partner.name)}{f' --group {group_option}' if group_option else ''}"
    theirs = _Theirs(case, role, partner, old, new, wire, Wire(everything, now), option)
    steps = tuple(ordered(theirs.steps()))
    return Renewal(case, role, partner.name, old, new, steps, tuple(theirs.warnings()))


def _their_pair(case: Case, partner: Partner, now: datetime) -> tuple[Certificate | None, Certificate | None]:
    """Likewise of a partner's certificates; one that was taken back before it was used counts for nothing."""
    purpose = PeerPurpose.VERIFY if case is Case.VERIFY else PeerPurpose.ENCRYPT
    held = sorted(
        (one for one in partner.certificates if purpose in partner.pin(one).purposes),
        key=lambda one: one.parsed.not_valid_before_utc,
    )
    alive = [one for one in held if not partner.pin(one).gone(now)]
    if not alive:
        return (held[-1] if held else None), None
    before = alive[:-1] or held[: held.index(alive[-1])]
    return (before[-1], alive[-1]) if before else (alive[-1], None)


@dataclass(frozen=True, slots=True)
class _Theirs:
    """A renewal of a partner's key; ``everything`` is what was seen of them in any case."""

    case: Case
    role: Role
    partner: Partner
    old: Certificate | None
    new: Certificate | None
    wire: Wire
    everything: Wire
    option: str

    def steps(self) -> Iterator[Step]:
        """What both parties do."""
        old, new, wire, name = self.old, self.new, self.wire, self.partner.name
        added = new is not None
        used = bool(wire.of(new, name))
        both = "be ready to decrypt with either key, " if self.case is Case.ENCRYPT else ""
        letter = f"wsprovider renew {self.case.value} --partner {quote(name)} --letter"
        yield Step(Doer.PARTNER, f"make a key, {both}send its certificate", done(added))
        yield Step(
            Doer.US,
            "compare its fingerprint over another channel, and add it beside the old one: both count",
            done(added),
            "" if new is None else f"{new.subject}, until {new.parsed.not_valid_after_utc:%Y-%m-%d}",
            f"wsprovider keys trust add FILE{self.option}",
        )
        yield Step(Doer.US, "tell the partner that it may be used", done(used), command=letter)
        yield self._change()
        if self.case is Case.ENCRYPT:
            quiet = added and wire.moved(old, new, name) and self._quiet(wire)
            what = "keep the old key until nothing encrypted to it can come any more"
            yield Step(Doer.PARTNER, what, done(quiet))
        yield Step(
            Doer.US,
            f"take the old certificate out of trust, after {QUIET.days} days without a message that used it",
            done(old is not None and self.partner.pin(old).gone(wire.now)),
            self._held_up() if added else "",
            f"wsprovider keys trust remove {_short(old)}{self.option}",
        )

    def warnings(self) -> Iterator[str]:
        """Who would be lost."""
        old, new, now, name = self.old, self.new, self.wire.now, self.partner.name
        if old is None:
            return
        ends = old.parsed.not_valid_after_utc
        if new is None:
            if now >= ends - ENDING:
                yield f"the certificate of {name} {ends_on(ends, now)}: nothing follows it yet"
            return
        ends = min(ends, self.partner.pin(old).gone_at or ends)
        last = self.wire.last(old, name)
        if last is not None and now >= ends - LEAVING and not self.wire.moved(old, new, name):
            until = "is not accepted any more" if now >= ends else f"is accepted until {ends:%Y-%m-%d} only"
            yield f"{name} used the old certificate {ago(last, now)}, and it {until}"

    def _change(self) -> Step:
        """The step in which the new certificate begins to be used."""
        old, new, wire, name = self.old, self.new, self.wire, self.partner.name
        told = wire.told(old, new, name)
        moved = done(new is not None and wire.moved(old, new, name))
        if self.case is Case.VERIFY:
            return Step(Doer.PARTNER, "sign by the new key", moved, told)
        if self.role is Role.PROVIDER:
            what = "sign requests by the new key: a reply is encrypted to the certificate that signed its request"
            return Step(Doer.PARTNER, what, moved, told)
        chosen = new is not None and self.partner.encryption_certificate(wire.now) == new
        day = None if new is None else self.partner.pin(new).encrypts_from
        waits = not chosen and day is not None and day != NOT_SCHEDULED and day > wire.now
        told = f"{from_day(day, wire.now)}; {told}" if waits else told
        command = "" if waits else f"wsprovider keys trust activate {_short(new)}{self.option}"
        doer = Doer.TIME if waits else Doer.US
        return Step(doer, "encrypt to the new certificate", done(chosen), told, command)

    def _quiet(self, wire: Wire) -> bool:
        return not in_use(self.old, wire.sightings, wire.now)

    def _held_up(self) -> str:
        """Why the command would refuse to remove the old one; empty where it would not."""
        now = self.wire.now
        left = in_use(self.old, self.everything.sightings, now)
        if not left:
            return ""
        last = max(one.last for one in left)
        if any(lately(one, now) for one in left):
            return f"seen {ago(last, now)}: from {last + QUIET:%Y-%m-%d} on"
        return f"seen {ago(last, now)}, and no other since: ask the partner, then --unseen"


def _short(certificate: Certificate | None) -> str:
    return "FINGERPRINT" if certificate is None else certificate.fingerprint[:12]
