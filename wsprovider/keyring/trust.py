"""Who may sign requests: pinned partners and customers of CAs, judged at a given moment.

What comes in is a certificate named by, or standing in, a hostile message, with the path it offers.
What is guaranteed on return of :meth:`Trust.judge`: the certificate is pinned or has a valid path to
an anchor of a CA group whose subject rules mean it, is within its dates, unrevoked as far as the group
asks, has a key within the limits and may sign. Whether it signed anything is another module's matter.

A verdict is remembered together with the interval in which it holds (the dates of every certificate
and revocation list it rests on), so the usual message costs one look-up. Refusals are not remembered:
a stranger can make any number of different ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from cryptography import x509

from wsprovider.keyring import checks
from wsprovider.keyring.index import CertificateIndex
from wsprovider.keyring.material import Certificate, CertificateReference
from wsprovider.keyring.path import Authorities, Chain, PathSearch
from wsprovider.keyring.revocation import RevocationLists
from wsprovider.keyring.snapshot import Trusted
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_REMEMBERED: Final = 4096
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


class PeerPurpose(Enum):
    """What a partner's certificate is for."""

    VERIFY = "verify"
    ENCRYPT = "encrypt"


@dataclass(frozen=True, slots=True)
class Pin:
    """On which terms a partner's certificate is pinned.

    Attributes:
        purposes: what it is for.
        encrypts_from: from when on it is the one to encrypt to; None: whichever is the newest is.
        gone_at: from when on it is not accepted any more, though it may be valid; None: never.
    """

    purposes: frozenset[PeerPurpose] = frozenset(PeerPurpose)
    encrypts_from: datetime | None = None
    gone_at: datetime | None = None

    @property
    def told(self) -> str:
        """All of it in one line."""
        return f"{sorted(one.value for one in self.purposes)} {self.encrypts_from} {self.gone_at}"

    def gone(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.gone_at is not None and now >= self.gone_at

    def and_also(self, other: "Pin") -> "Pin":
        """The terms of a certificate that is pinned on both: the stricter of each."""
        ends = [one.gone_at for one in (self, other) if one.gone_at is not None]
        begins = [one.encrypts_from for one in (self, other) if one.encrypts_from is not None]
        return Pin(self.purposes & other.purposes, max(begins, default=None), min(ends, default=None))


_PLAIN: Final = Pin()


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner known by certificates of its own; two of them overlap during a renewal.

    Attributes:
        pins: the terms of those certificates that have any.
    """

    name: str
    certificates: tuple[Certificate, ...]
    roles: frozenset[str] = frozenset()
    pins: Mapping[Certificate, Pin] = field(default_factory=dict)

    def pin(self, certificate: Certificate) -> Pin:
        """The terms of one of the certificates."""
        return self.pins.get(certificate, _PLAIN)

    def encryption_certificate(self, now: datetime) -> Certificate | None:
        """The one to encrypt to now: the last one that was named for it, else the newest one."""
        usable = [
            (pin.encrypts_from or _BEFORE_ALL, one.parsed.not_valid_before_utc, one)
            for one in self.certificates
            if PeerPurpose.ENCRYPT in (pin := self.pin(one)).purposes
            and not pin.gone(now)
            and (pin.encrypts_from is None or pin.encrypts_from <= now)
            and _valid(one, now)
            and checks.can_encrypt(one)
        ]
        return max(usable, key=lambda found: found[:2])[2] if usable else None


@dataclass(frozen=True, slots=True)
class PinnedGroup:
    """Partners whose very certificates are configured."""

    name: str
    partners: tuple[Partner, ...]


@dataclass(frozen=True, slots=True)
class AuthorityGroup:
    """A CA and those of its customers who are meant.

    Attributes:
        name: the group's name.
        authorities: anchors, intermediates and the length of paths.
        subjects: rules, one of which must match; never empty.
        extended_usage: extended key usages of which the certificate must name one; empty when the
            extension may be missing.
        revocation: the lists to consult, or None when revocation is not asked for.
    """

    name: str
    authorities: Authorities
    subjects: tuple[SubjectRule, ...]
    extended_usage: frozenset[x509.ObjectIdentifier] = frozenset()
    revocation: RevocationLists | None = None

    def __post_init__(self) -> None:
        if not self.subjects or not self.authorities.anchors:
            raise RuntimeError("a CA group needs anchors and subject rules")


TrustGroup = PinnedGroup | AuthorityGroup


@dataclass(frozen=True, slots=True)
class Verdict:
    """An acceptance and the interval, both ends included, in which it holds."""

    trusted: Trusted
    begins: datetime
    ends: datetime


class Trust:
    """The trust groups of one service, immutable but for its memory of verdicts."""

    def __init__(self, groups: Sequence[TrustGroup], limits: Limits) -> None:
        self._limits = limits
        self._groups = tuple(groups)
        self._partners = _agreeing(
            [partner for group in groups if isinstance(group, PinnedGroup) for partner in group.partners]
        )
        self._pinned = {one: partner for partner in self._partners for one in partner.certificates}
        self._pinned_by = _pinned_by(groups)
        self._authorities = tuple(group for group in groups if isinstance(group, AuthorityGroup))
        self._index = CertificateIndex(self._pinned, lambda certificate: certificate)
        self._verdicts: dict[tuple[Certificate, Chain], Verdict] = {}

    @property
    def empty(self) -> bool:
        """Whether nobody at all is trusted."""
        return not self._pinned and not self._authorities

    @property
    def groups(self) -> tuple[TrustGroup, ...]:
        """The groups, for reports."""
        return self._groups

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every certificate that is pinned, an anchor or a known intermediate."""
        issued = (one.authorities for one in self._authorities)
        return (*self._pinned, *(ca for one in issued for ca in (*one.anchors, *one.intermediates)))

    @property
    def partners(self) -> tuple[Partner, ...]:
        """The pinned partners."""
        return self._partners

    def named(self, reference: CertificateReference, now: datetime) -> tuple[Certificate, ...]:
        """Pinned certificates that the reference names, those valid now first."""
        found = self._index.find(reference)
        return found if len(found) < 2 else tuple(sorted(found, key=lambda one: not _valid(one, now)))

    def remembered(self, certificate: Certificate, path: Chain, now: datetime) -> Trusted | None:
        """The verdict given before, if it holds now."""
        verdict = self._verdicts.get((certificate, path))
        if verdict is not None and verdict.begins <= now <= verdict.ends:
            return verdict.trusted
        return None

    def judge(self, certificate: Certificate, path: Chain, now: datetime) -> Trusted:
        """Judge a certificate; see the module's docstring.

        Raises:
            WSSecurityError: with the Reason that says what failed.
        """
        partner = self._pinned.get(certificate)
        if partner is not None:
            verdict = self._judge_pinned(certificate, partner, now)
        else:
            verdict = self._judge_issued(certificate, path, now)
        if len(self._verdicts) >= _REMEMBERED:
            self._verdicts.clear()
        self._verdicts[certificate, path] = verdict
        return verdict.trusted

    def encryption_certificate(self, partner: str | None, now: datetime) -> Certificate | None:
        """The certificate of a pinned partner that is encrypted to now.

        With no name given, the only partner there is; None when that is not clear.
        """
        if partner is None and len(self._partners) != 1:
            return None
        for one in self._partners:
            if partner in (None, one.name) and (found := one.encryption_certificate(now)) is not None:
                return found
        return None

    def _judge_pinned(self, certificate: Certificate, partner: Partner, now: datetime) -> Verdict:
        pin = partner.pin(certificate)
        if pin.gone(now):
            raise WSSecurityError(
                Reason.CERTIFICATE_NOT_TRUSTED, f"not accepted any more: {certificate.subject}"
            )
        if PeerPurpose.VERIFY not in pin.purposes:
            raise WSSecurityError(
                Reason.CERTIFICATE_USAGE, f"not pinned for signatures: {certificate.subject}"
            )
        checks.check_key(certificate, self._limits)
        checks.check_dates(certificate, now)
        checks.check_signer_usage(certificate)
        groups = self._pinned_by[certificate]
        trusted = Trusted(certificate, partner.name, pinned=True, roles=partner.roles, groups=groups)
        begins, ends = _validity((certificate,))
        if pin.gone_at is not None:
            ends = min(ends, pin.gone_at - _TICK)
        return Verdict(trusted, begins, ends)

    def _judge_issued(self, certificate: Certificate, path: Chain, now: datetime) -> Verdict:
        if len(path) > self._limits.path_certificates:
            raise WSSecurityError(Reason.CERTIFICATE_PATH, "too many certificates offered")
        for one in (certificate, *path):
            checks.check_readable(one)
        checks.check_key(certificate, self._limits)
        failure = WSSecurityError(Reason.CERTIFICATE_NOT_TRUSTED, "not pinned, and no CA configured")
        untold = True
        for group in self._authorities:
            try:
                return self._judge_by(group, certificate, path, now)
            except WSSecurityError as error:
                # one group's precise complaint beats another's "never heard of it"
                if untold:
                    failure = error
                    untold = error.reason is Reason.CERTIFICATE_NOT_TRUSTED
        raise failure

    def _judge_by(
        self, group: AuthorityGroup, certificate: Certificate, path: Chain, now: datetime
    ) -> Verdict:
        search = PathSearch(group.authorities, path, self._limits, now)
        failure: WSSecurityError | None = None
        for chain in search.chains(certificate):
            begins, ends = _validity(chain)
            checks.check_dates(certificate, now)
            try:
                if group.revocation is not None:
                    known = group.revocation.check(chain, now)
                    if known is not None:
                        begins, ends = max(begins, known[0]), min(ends, known[1])
            except WSSecurityError as error:  # another path may have its lists at hand
                failure = failure or error
                continue
            return Verdict(_customer(group, certificate), begins, ends)
        raise failure or search.failure


def _agreeing(partners: Sequence[Partner]) -> tuple[Partner, ...]:
    """The same partners; a certificate that several groups pin has the strictest terms of all in each."""
    terms: dict[Certificate, Pin] = {}
    for partner in partners:
        for one in partner.certificates:
            terms[one] = partner.pin(one).and_also(terms.get(one, _PLAIN))
    return tuple(
        replace(one, pins={held: terms[held] for held in one.certificates if terms[held] != _PLAIN})
        for one in partners
    )


def _pinned_by(groups: Iterable[TrustGroup]) -> dict[Certificate, tuple[str, ...]]:
    """The names of the groups that pin each certificate; folder.load has one key mean one partner in all."""
    found: dict[Certificate, tuple[str, ...]] = {}
    for group in groups:
        for partner in group.partners if isinstance(group, PinnedGroup) else ():
            for one in partner.certificates:
                found[one] = tuple(dict.fromkeys((*found.get(one, ()), group.name)))
    return found


def _customer(group: AuthorityGroup, certificate: Certificate) -> Trusted:
    """Judge what concerns the certificate itself, once its path holds."""
    constraints = checks.extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise WSSecurityError(Reason.CERTIFICATE_USAGE, "a CA's certificate signs no messages")
    checks.check_signer_usage(certificate)
    checks.check_extended_usage(certificate, group.extended_usage)
    for rule in group.subjects:
        if rule.matches(certificate.parsed.subject):
            partner = rule.partner or certificate.subject
            return Trusted(certificate, partner, pinned=False, roles=rule.roles, groups=(group.name,))
    raise WSSecurityError(Reason.CERTIFICATE_SUBJECT, certificate.subject)


def _validity(chain: Iterable[Certificate]) -> tuple[datetime, datetime]:
    certificates = [one.parsed for one in chain]
    return (
        max(one.not_valid_before_utc for one in certificates),
        min(one.not_valid_after_utc for one in certificates),
    )


def _valid(certificate: Certificate, now: datetime) -> bool:
    begins, ends = _validity((certificate,))
    return begins <= now <= ends
