"""Revocation by configured lists (RFC 5280, sections 5 and 6.3); no network, ever.

A list counts when its issuer signed it, it is complete (no delta, no indirect list, no subset of
reasons), covers the certificate, and now lies between thisUpdate and nextUpdate. Where revocation is
required and no such list is at hand, the answer is a refusal: staleness fails closed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from wsprovider.keyring import checks
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.path import Chain
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason


@dataclass(frozen=True)
class RevocationLists:
    """The lists of one trust group."""

    lists: tuple[x509.CertificateRevocationList, ...]
    _signed: dict[tuple[int, bytes], bool] = field(default_factory=dict, repr=False, compare=False)

    def check(self, chain: Chain, now: datetime) -> tuple[datetime, datetime] | None:
        """Refuse a path with a revoked certificate, or with one whose state is unknown.

        Every certificate but the anchor is looked up.

        Returns:
            The interval in which this answer holds, or None when it has no bounds of its own.

        Raises:
            WSSecurityError: CERTIFICATE_REVOKED or REVOCATION_UNKNOWN.
        """
        interval: tuple[datetime, datetime] | None = None
        for certificate, issuer in pairwise(chain):
            begins, ends = self._look_up(certificate, issuer, now)
            if interval is not None:
                begins, ends = max(begins, interval[0]), min(ends, interval[1])
            interval = begins, ends
        return interval

    def _look_up(
        self, certificate: Certificate, issuer: Certificate, now: datetime
    ) -> tuple[datetime, datetime]:
        intervals = []
        for place, one in enumerate(self.lists):
            if one.issuer != issuer.parsed.subject or not self._is_signed(place, issuer):
                continue
            if not _covers(one, certificate):
                continue
            if one.get_revoked_certificate_by_serial_number(certificate.serial) is not None:
                # also from a stale list: what was revoked does not come back by waiting
                raise WSSecurityError(Reason.CERTIFICATE_REVOKED, certificate.subject)
            if one.next_update_utc is not None:
                intervals.append((one.last_update_utc, one.next_update_utc))
        for begins, ends in intervals:
            if begins <= now <= ends:
                return begins, ends
        detail = "stale" if intervals else "missing"
        raise WSSecurityError(Reason.REVOCATION_UNKNOWN, f"revocation list {detail} for {issuer.subject}")

    def _is_signed(self, place: int, issuer: Certificate) -> bool:
        # verified once per list and key: lists may be large, and the snapshot does not change
        memo = (place, issuer.spki)
        if memo not in self._signed:
            self._signed[memo] = _signed_by(self.lists[place], issuer)
        return self._signed[memo]


def _signed_by(revoked: x509.CertificateRevocationList, issuer: Certificate) -> bool:
    usage = checks.extension(issuer, x509.KeyUsage)
    if (usage is not None and not usage.crl_sign) or not checks.strong_signature(revoked):
        return False
    try:
        return revoked.is_signature_valid(issuer.parsed.public_key())  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a key of a kind that signs nothing
        return False


def _covers(revoked: x509.CertificateRevocationList, certificate: Certificate) -> bool:
    """Whether the list is complete for the certificate (RFC 5280, section 6.3.3 (b))."""
    try:
        extensions = revoked.extensions
    except Exception:  # noqa: BLE001 - bad DER in an extension
        return False
    for one in extensions:
        if isinstance(one.value, x509.IssuingDistributionPoint):
            if not _in_scope(one.value, certificate):
                return False
        elif one.critical:  # a delta list among them
            return False
    return True


def _in_scope(point: x509.IssuingDistributionPoint, certificate: Certificate) -> bool:
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
        return False
    constraints = checks.extension(certificate, x509.BasicConstraints)
    authority = constraints is not None and constraints.ca
    if (point.only_contains_user_certs and authority) or (point.only_contains_ca_certs and not authority):
        return False
    if point.relative_name is not None:
        return False
    if point.full_name is None:
        return True
    named = checks.extension(certificate, x509.CRLDistributionPoints) or ()
    return any(name in point.full_name for one in named if not one.reasons for name in one.full_name or ())
