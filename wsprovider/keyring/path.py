"""Certification paths (RFC 5280, section 6): from a certificate up to a configured anchor.

What comes in is a certificate that a message carries and others it offers beside it: both hostile.
What is guaranteed on return: every link's name and signature hold, and each CA on the path has
BasicConstraints with CA true, may sign certificates, is within its dates, has a key within the limits
and no critical extension unknown to us; path lengths and name constraints hold; signatures are SHA-2
or Ed25519. Anchors are held to the same, their own signature apart.

Not checked here: revocation (:mod:`wsprovider.keyring.revocation`), the subject and the usage of the
certificate itself (:mod:`wsprovider.keyring.trust`). No certificate's URL is ever followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from wsprovider.keyring import checks
from wsprovider.keyring.constraints import check_names
from wsprovider.keyring.material import Certificate
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

_VERIFICATIONS: Final = 16
"""Signatures verified for one certificate before the search gives up."""

Chain = tuple[Certificate, ...]
"""A path, the certificate in question first, its anchor last."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """CA certificates of a trust group.

    Attributes:
        anchors: where paths may end.
        intermediates: known helpers on the way; not trusted by themselves.
        path_length: how many intermediates a path may have at most.
    """

    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...] = ()
    path_length: int = 4


class PathSearch:
    """One search: yields every valid path, and remembers why others failed."""

    def __init__(self, authorities: Authorities, offered: Chain, limits: Limits, now: datetime) -> None:
        self._authorities = authorities
        self._limits = limits
        self._now = now
        self._issued: dict[tuple[Certificate, Certificate], bool] = {}
        self._pool = tuple(dict.fromkeys((*authorities.intermediates, *offered)))
        self._failures: list[WSSecurityError] = []

    def chains(self, certificate: Certificate) -> Iterator[Chain]:
        """Yield the valid paths of the certificate, shortest ends first.

        Raises:
            WSSecurityError: CERTIFICATE_PATH when the search is too long, and whatever makes the
                certificate itself unfit for any path.
        """
        checks.check_critical(certificate)
        yield from self._extend((certificate,))

    @property
    def failure(self) -> WSSecurityError:
        """The best explanation once no path (further) was found."""
        if self._failures:
            return self._failures[0]
        return WSSecurityError(Reason.CERTIFICATE_NOT_TRUSTED, "no path to a configured anchor")

    def _extend(self, chain: Chain) -> Iterator[Chain]:
        for anchor in self._authorities.anchors:
            if self._fits(chain, anchor):
                complete = (*chain, anchor)
                try:
                    _check_chain(complete)
                except WSSecurityError as error:
                    self._failures.append(error)
                else:
                    yield complete
        if len(chain) > self._authorities.path_length:
            return
        for candidate in self._pool:
            if candidate not in self._authorities.anchors and self._fits(chain, candidate):
                yield from self._extend((*chain, candidate))

    def _fits(self, chain: Chain, issuer: Certificate) -> bool:
        child = chain[-1]
        if child.parsed.issuer != issuer.parsed.subject or _repeats(chain, issuer):
            return False
        link = (child, issuer)
        if link not in self._issued:
            if len(self._issued) >= _VERIFICATIONS:
                raise WSSecurityError(Reason.CERTIFICATE_PATH, "too many certificates to try")
            self._issued[link] = self._is_link(child, issuer)
        return self._issued[link]

    def _is_link(self, child: Certificate, issuer: Certificate) -> bool:
        try:
            # before any arithmetic with the key
            checks.check_key(issuer, self._limits)
            checks.check_signature_algorithm(child)
            # a certificate that merely has the issuer's name explains nothing, so this comes first
            if not _signed_by(child, issuer):
                return False
            checks.check_authority(issuer, self._limits)
            checks.check_dates(issuer, self._now)
        except WSSecurityError as error:
            self._failures.append(error)
            return False
        return True


def _repeats(chain: Chain, issuer: Certificate) -> bool:
    # cross-signed loops: one name with one key stands on a path once
    return any(one.parsed.subject == issuer.parsed.subject and one.spki == issuer.spki for one in chain)


def _signed_by(child: Certificate, issuer: Certificate) -> bool:
    try:
        child.parsed.verify_directly_issued_by(issuer.parsed)
    except Exception:  # noqa: BLE001 - InvalidSignature, or whatever odd parameters provoke
        return False
    return True


def _check_chain(chain: Chain) -> None:
    """RFC 5280, section 6.1.4 (l, m): path lengths; 6.1.3 (b, c): name constraints."""
    for place, authority in enumerate(chain[1:], start=1):
        below = chain[1:place]
        constraints = checks.extension(authority, x509.BasicConstraints)
        allowed = constraints.path_length if constraints else None
        if allowed is not None and sum(not _self_issued(one) for one in below) > allowed:
            raise WSSecurityError(Reason.CERTIFICATE_PATH, f"path length of {authority.subject}")
        limit = checks.extension(authority, x509.NameConstraints)
        if limit is not None:
            for one in (chain[0], *(ca for ca in below if not _self_issued(ca))):
                check_names(one, (limit,))


def _self_issued(certificate: Certificate) -> bool:
    return certificate.parsed.subject == certificate.parsed.issuer
