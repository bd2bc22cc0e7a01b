"""Finding configured certificates by what messages call them.

References are hostile hints: an index holds configured certificates only, a look-up is one dict
access, and finding two answers is said rather than hidden (the caller judges whether they are one
key).
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from cryptography import x509

from wsprovider.keyring import names
from wsprovider.keyring.material import (
    Certificate,
    CertificateReference,
    EmbeddedCertificate,
    IssuerSerialReference,
    KeyIdentifierReference,
    ThumbprintReference,
)

_Entry = TypeVar("_Entry")

_SPELLINGS: Final = 1024
"""Written issuer names remembered with what they found: parsing one costs more than the rest."""


class CertificateIndex(Generic[_Entry]):
    """Entries by thumbprint, key identifier, issuer and serial number, and the bytes themselves."""

    def __init__(self, entries: Iterable[_Entry], certificate: Callable[[_Entry], Certificate]) -> None:
        self._by_reference: dict[object, tuple[_Entry, ...]] = {}
        self._spellings: dict[tuple[str, int], tuple[_Entry, ...]] = {}
        for entry in entries:
            one = certificate(entry)
            issuer = names.key(one.parsed.issuer)
            self._add(one.der, entry)
            self._add(ThumbprintReference(one.thumbprint_sha1), entry)
            self._add(KeyIdentifierReference(_key_identifier(one)), entry)
            self._add((issuer, one.serial), entry)

    def _add(self, reference: object, entry: _Entry) -> None:
        known = self._by_reference.get(reference, ())
        if entry not in known:
            self._by_reference[reference] = (*known, entry)

    def find(self, reference: CertificateReference) -> tuple[_Entry, ...]:
        """The entries that a reference names; none for a name that is no name."""
        match reference:
            case ThumbprintReference() | KeyIdentifierReference():
                return self._by_reference.get(reference, ())
            case EmbeddedCertificate(der=der):
                return self._by_reference.get(der, ())
            case IssuerSerialReference(issuer=issuer, serial=serial):
                return self._by_issuer(issuer, serial)

    def _by_issuer(self, issuer: str, serial: int) -> tuple[_Entry, ...]:
        known = self._spellings.get((issuer, serial))
        if known is not None:
            return known
        try:
            written = names.keys_of_text(issuer)
        except ValueError:
            return ()
        entries = {
            id(entry): entry for name in written for entry in self._by_reference.get((name, serial), ())
        }
        found = tuple(entries.values())
        if found:  # what finds nothing comes in any number of spellings
            if len(self._spellings) >= _SPELLINGS:
                self._spellings.clear()
            self._spellings[issuer, serial] = found
        return found


def _key_identifier(certificate: Certificate) -> bytes:
    """The SubjectKeyIdentifier; what RFC 5280, 4.2.1.2 method (1) makes of the key if there is none.

    Java stacks compute it in the same way for certificates without the extension.
    """
    stated = certificate.subject_key_identifier
    if stated is not None:
        return stated
    try:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.parsed.public_key()).digest
    except Exception:  # noqa: BLE001 - a kind of key that the house does not use
        return hashlib.sha1(certificate.der, usedforsecurity=False).digest()
