"""What can be done to a trust group of pinned partners: certificates come, take over, and go."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from wsprovider.adapters.keys.changing import Change
from wsprovider.adapters.keys.editing import Document, put
from wsprovider.adapters.keys.making import certificates_pem
from wsprovider.adapters.keys.trust_folder import PIN
from wsprovider.keyring.lifecycle import NOT_SCHEDULED
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.trust import Partner, PeerPurpose, PinnedGroup
from wsprovider.words.errors import ConfigurationError, Problem

FILE: Final = "trust.toml"
_HEAD: Final = (
    '# Pinned partners; see docs/keys.md. `wsprovider keys trust` keeps your comments.\nkind = "pinned"\n'
)
_PARTNERS: Final = "partners"
_CERTIFICATE: Final = "certificate"
_SHOWN: Final = 8


class TrustChange:
    """One group that is being changed; :meth:`save` hands the outcome over to the change."""

    def __init__(
        self, change: Change, group: PinnedGroup, files: dict[Certificate, tuple[Path, ...]], now: datetime
    ) -> None:
        """Read the group's file, or begin a new one.

        Args:
            group: as it was loaded; without partners where it is new.
            files: where each certificate of it stands.
            now: when the change is made.

        Raises:
            ConfigurationError: it is no TOML.
        """
        self.change, self.group, self._files, self.now = change, group, files, now
        self.folder = change.folder / "trust" / group.name
        self.path = self.folder / FILE
        self.where = f"{change.folder.name}/trust/{group.name}/{FILE}"
        content = self.path.read_bytes() if self.path.exists() else _HEAD.encode()
        self.document = Document(content, self.where)

    def save(self) -> None:
        """Have the new file written; what is ignored and gone is forgotten."""
        for name in self.document.texts("ignored"):
            if not (self.folder / name).exists():
                self.document.forget(("ignored",), name)
        self.change.replace(self.path, self.document.content())

    def add(self, partner: str, certificate: Certificate, purposes: frozenset[PeerPurpose]) -> None:
        """Pin a certificate: what it signs counts from now on; it is encrypted to when it is activated.

        A partner's first one for encryption is encrypted to at once. Of one that is pinned with an end, the end is
        taken back, and the other terms stay.

        Raises:
            ConfigurationError: it is pinned already, without an end or for another partner.
        """
        for one in self.group.partners:
            if certificate in one.certificates and one.name == partner and one.pin(certificate).gone_at:
                self._terms(partner, certificate, {"gone_at": None})
                self._tell(f"{partner} is known without an end, as it was pinned, by", certificate)
                return
            if certificate in one.certificates:
                what = f"{certificate.subject} ({_short(certificate)}) is pinned already, as {one.name!r}"
                raise ConfigurationError([Problem(self.where, what)])
        path = self.change.free(self.folder, f"{_stem(partner)}.{_short(certificate)}", PIN)
        self.change.create(path, certificates_pem((certificate,)))
        waits = PeerPurpose.ENCRYPT in purposes and self._encrypted_to(partner)
        values = {
            "file": path.name,
            "purposes": [one.value for one in PeerPurpose if one in purposes],
            "encrypts_from": NOT_SCHEDULED if waits else None,
        }
        self._add(partner, values)
        self._tell(f"a certificate of {partner} is pinned", certificate)

    def activate(self, partner: str, certificate: Certificate, at: datetime) -> None:
        """Have a certificate be the one to encrypt to, from a moment on.

        Raises:
            ConfigurationError: it is not pinned for that.
        """
        holder = self._holder(partner, certificate)
        if PeerPurpose.ENCRYPT not in holder.pin(certificate).purposes:
            what = f"{_short(certificate)} is pinned for signatures only: add it for encryption"
            raise ConfigurationError([Problem(self.where, what)])
        self._terms(partner, certificate, {"encrypts_from": at})
        self._tell(f"{partner} is encrypted to from {at.isoformat()} on by", certificate)

    def remove(self, partner: str, certificate: Certificate, at: datetime | None) -> None:
        """Accept a certificate no more: from a moment on, or with its file gone.

        Raises:
            ConfigurationError: it is not pinned for that partner.
        """
        self._holder(partner, certificate)
        if at is not None:
            self._terms(partner, certificate, {"gone_at": at})
            self._tell(f"{partner} is not known any more from {at.isoformat()} on by", certificate)
            return
        for path in self._files[certificate]:
            self.change.remove(path)
            if path.suffix != PIN:  # its name alone would pin it between the one change and the other
                self.document.include("ignored", path.name)
            entry = self._entry(partner, path)
            if entry is not None:
                self.document.drop((_PARTNERS, partner, _CERTIFICATE), entry)
            self.document.forget((_PARTNERS, partner, "files"), path.name)
        if not self._others(partner, certificate):
            self.document.drop_table((_PARTNERS, partner))
        self._tell(f"{partner} is not known any more by", certificate)

    def gone(self, partner: str, certificate: Certificate) -> bool:
        """Whether it is not accepted any more already.

        Raises:
            ConfigurationError: it is not pinned for that partner.
        """
        return self._holder(partner, certificate).pin(certificate).gone(self.now)

    def _holder(self, partner: str, certificate: Certificate) -> Partner:
        for one in self.group.partners:
            if one.name == partner and certificate in one.certificates:
                return one
        there = ", ".join(
            f"{one.name}: {_short(held)}" for one in self.group.partners for held in one.certificates
        )
        what = f"{_short(certificate)} is not pinned for {partner!r}; pinned are {there or 'none'}"
        raise ConfigurationError([Problem(self.where, what)])

    def _others(self, partner: str, certificate: Certificate) -> bool:
        return any(
            held != certificate
            for one in self.group.partners
            if one.name == partner
            for held in one.certificates
        )

    def _encrypted_to(self, partner: str) -> bool:
        return any(
            PeerPurpose.ENCRYPT in (pin := one.pin(held)).purposes and not pin.gone(self.now)
            for one in self.group.partners
            if one.name == partner
            for held in one.certificates
        )

    def _terms(self, partner: str, certificate: Certificate, values: Mapping[str, datetime | None]) -> None:
        for path in self._files[certificate]:
            entry = self._entry(partner, path)
            if entry is None:
                self._add(partner, {"file": path.name, **values})
            else:
                put(entry, values)

    def _add(self, partner: str, values: Mapping[str, Any]) -> None:
        """Add the terms of a certificate.

        Raises:
            ConfigurationError: the partner's table is written on one line, where no table can be added.
        """
        try:
            self.document.add((_PARTNERS, partner, _CERTIFICATE), values)
            self.document.content()
        except (TOMLKitError, TypeError, ValueError):
            what = f"write the partner {partner!r} as a table of its own, [partners.NAME], not as {{...}} on one line"
            raise ConfigurationError([Problem(self.where, what)]) from None

    def _entry(self, partner: str, path: Path) -> Table | None:
        found = self.document.entries(_PARTNERS, partner, _CERTIFICATE)
        return next((one for one in found if one.get("file") == path.name), None)

    def _tell(self, what: str, certificate: Certificate) -> None:
        self.change.what.append(f"{what}: {certificate.subject}, SHA-256 {certificate.fingerprint}")


def _short(certificate: Certificate) -> str:
    return certificate.fingerprint[:_SHOWN]


def _stem(partner: str) -> str:
    """A file name's beginning that says whose it is; trust.toml says it for good."""
    return "".join(one if one.isascii() and (one.isalnum() or one in "-_") else "_" for one in partner)[:64]
