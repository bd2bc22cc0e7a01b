"""What can be done to a ring: the edits of ``ring.toml`` and the files that go with them.

Dates are only ever written, never interpreted here beyond what an order means; what comes out is loaded by
:meth:`wsprovider.adapters.keys.changing.Change.check` before anything is carried out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tomlkit.items import Table

from wsprovider.adapters.keys.changing import Change
from wsprovider.adapters.keys.editing import RING_HEAD, Document, moment_of, texts_of
from wsprovider.adapters.keys.making import Material, certificates_pem, key_pem
from wsprovider.adapters.keys.tables import NAME, span_of
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, OVERLAP, RETENTION, KeyState, Lifespan
from wsprovider.keyring.material import Certificate, PrivateKey
from wsprovider.keyring.ring import Purpose
from wsprovider.words.errors import ConfigurationError, Problem

FILE: Final = "ring.toml"
KEY: Final = "key"
SEAL: Final = "seal"
REQUEST: Final = "request"
PARTNER: Final = "partner"
_SOURCES: Final = ("key", "pkcs11", "passphrase_env", "passphrase_file")
FILES: Final = ("key", "certificate", "chain", "pkcs12", "request", "file", "passphrase_file")
DATES: Final = ("retired_at", "overlap_until", "gone_at")


@dataclass(frozen=True, slots=True)
class Protection:
    """What encrypts a private key's file, and where the server finds it again.

    Attributes:
        variable, file: one of them: an environment variable, or a file relative to the ring's folder.
    """

    passphrase: bytes = field(repr=False)
    variable: str | None = None
    file: str | None = None


class RingChange:
    """One ring that is being changed; :meth:`save` hands the outcome over to the change."""

    def __init__(self, change: Change, name: str, now: datetime) -> None:
        """Read the ring's file, or begin a new one.

        Raises:
            ConfigurationError: it is no TOML.
        """
        self.change, self.name, self.now = change, name, now
        self.folder = change.folder / name
        self.path = self.folder / FILE
        self.where = f"{change.folder.name}/{name}/{FILE}"
        self.fresh = not self.path.exists()
        content = f"{RING_HEAD}\n".encode() if self.fresh else self.path.read_bytes()
        self.document = Document(content, self.where)

    def save(self) -> None:
        """Have the new file written."""
        self.change.replace(self.path, self.document.content())

    # new entries -----------------------------------------------------------------------------

    def add(
        self,
        name: str,
        purposes: Iterable[Purpose],
        material: Material,
        *,
        protection: Protection | None = None,
    ) -> None:
        """Add a key with its certificate: ACTIVE where none does what it does, else PENDING until it is activated.

        Raises:
            ConfigurationError: the name is none, or taken.
        """
        self._check_free(name)
        key = self._write_key(name, material.private_key, protection)
        source = {"key": key.name, **_passphrase(protection)}
        self._add_entry(name, _values(purposes), material.certificate, material.chain, source)
        self._tell(f"key {name} is new", material.certificate)

    def add_request(
        self,
        name: str,
        purposes: Iterable[Purpose],
        private_key: PrivateKey,
        request: bytes,
        *,
        protection: Protection | None = None,
    ) -> Path:
        """Add a key whose certificate a CA is asked for; the path of the request (PKCS#10, PEM).

        Raises:
            ConfigurationError: the name is none, or taken.
        """
        self._check_free(name)
        key = self._write_key(name, private_key, protection)
        path = self.change.free(self.folder, name, ".csr.pem")
        self.change.create(path, request)
        values = {"name": name, "purposes": _values(purposes), "key": key.name, "request": path.name}
        self.document.add((REQUEST,), {**values, **_passphrase(protection)})
        self.change.what.append(f"key {name} is new, and a certificate for it requested")
        return path

    def complete(
        self,
        name: str,
        certificate: Certificate,
        chain: tuple[Certificate, ...],
        *,
        renamed: str | None = None,
    ) -> None:
        """Attach the certificate that a CA has issued: to a requested key, or anew to one that has one.

        Args:
            renamed: in the second case the name of the entry that holds the same key under the new certificate.

        Raises:
            ConfigurationError: there is no such key, or a name is missing, none, or taken.
        """
        request = self.document.entry(REQUEST, name)
        if request is not None:
            if renamed not in (None, name):
                raise self.refusal(f"{name!r} waits for its first certificate and keeps its name: drop --as")
            self._attach(request, name, certificate, chain)
            self.document.drop((REQUEST,), request)
            self.change.remove(self.folder / str(request["request"]))
        else:
            known = self.required(KEY, name)
            if "key" not in known and "pkcs11" not in known:
                raise self.refusal(f"key {name!r} stands in a key store: import the new one instead")
            if renamed is None:
                what = f"key {name!r} has a certificate, which stays in use beside the new one: name that by --as"
                raise self.refusal(what)
            self._check_free(renamed)
            self._attach(known, renamed, certificate, chain)
        self._tell(f"key {renamed or name} has a certificate", certificate)

    def add_seal(self, name: str, secret: bytes) -> None:
        """Add a seal key (32 bytes): ACTIVE where none is, else PENDING until it is activated.

        Raises:
            ConfigurationError: the name is none, or taken.
        """
        self._check_name(name)
        if name in self.document.names(SEAL):
            raise self.refusal(f"a seal key is named {name!r} already: choose another name")
        path = self.change.free(self.folder, name, ".seal")
        self.change.create(path, secret.hex().encode() + b"\n", secret=True)
        sealing = any(self.in_duty(one, self.now) for one in self.document.entries(SEAL))
        since = NOT_SCHEDULED if sealing else None
        self.document.add((SEAL,), {"name": name, "file": path.name, "active_from": since})
        self.change.what.append(f"seal key {name} is new")

    # what is there ---------------------------------------------------------------------------

    def entries(self) -> Iterable[Table]:
        """All of them, of every kind."""
        for kind in (KEY, SEAL, REQUEST):
            yield from self.document.entries(kind)

    def required(self, kind: str, name: str) -> Table:
        """The entry of that name.

        Raises:
            ConfigurationError: there is none.
        """
        entry = self.document.entry(kind, name)
        if entry is None:
            there = ", ".join(self.document.names(kind)) or "none"
            raise self.refusal(f"there is no [[{kind}]] named {name!r}; there are: {there}")
        return entry

    def refusal(self, what: str) -> ConfigurationError:
        """An error about this ring."""
        return ConfigurationError([Problem(self.where, what)])

    def _check_name(self, name: str) -> None:
        """Files are named after a key: they stay in the ring's folder."""
        if not NAME.fullmatch(name):
            raise self.refusal(
                f"{name!r} is no name of a key: write letters, digits, '.', '_' and '-', and no dot first"
            )

    def _check_free(self, name: str) -> None:
        self._check_name(name)
        if name in (*self.document.names(KEY), *self.document.names(REQUEST)):
            raise self.refusal(f"a key is named {name!r} already: choose another name")

    def periods(self) -> tuple[timedelta, timedelta]:
        """Overlap and retention of this ring.

        Raises:
            ConfigurationError: the file says one that cannot be read.
        """
        return self._period("overlap", OVERLAP), self._period("retention", RETENTION)

    def _period(self, name: str, default: timedelta) -> timedelta:
        text = self.document.text(name)
        try:
            return default if text is None else span_of(text)
        except ValueError as error:
            raise self.refusal(f"{name} {error}") from None

    def lifespan(self, entry: Table) -> Lifespan:
        """The dates of an entry.

        Raises:
            ConfigurationError: one cannot be read.
        """
        active, retired, overlap, gone = (moment_of(entry, name) for name in ("active_from", *DATES))
        return Lifespan(active, retired, overlap, gone, *self.periods())

    def in_duty(self, entry: Table, at: datetime) -> bool:
        """Whether it would be ACTIVE at the moment, had nothing been changed."""
        return self.lifespan(entry).state(at) is KeyState.ACTIVE

    def _write_key(self, name: str, key: PrivateKey, protection: Protection | None) -> Path:
        path = self.change.free(self.folder, name, ".key.pem")
        self.change.create(
            path, key_pem(key, None if protection is None else protection.passphrase), secret=True
        )
        return path

    def _attach(
        self, entry: Table, name: str, certificate: Certificate, chain: tuple[Certificate, ...]
    ) -> None:
        """A [[key]] for the key of another entry, wherever that is."""
        source = {one: entry[one] for one in _SOURCES if one in entry}
        self._add_entry(name, list(texts_of(entry, "purposes")), certificate, chain, source)

    def _add_entry(
        self,
        name: str,
        purposes: list[str],
        certificate: Certificate,
        chain: tuple[Certificate, ...],
        source: Mapping[str, Any],
    ) -> None:
        path = self.change.free(self.folder, name, ".cert.pem")
        self.change.create(path, certificates_pem((certificate, *chain)))
        since = NOT_SCHEDULED if self._covered(purposes) else None
        values = {
            "name": name,
            "purposes": purposes,
            **source,
            "certificate": path.name,
            "active_from": since,
        }
        self.document.add((KEY,), values)

    def _covered(self, purposes: list[str]) -> bool:
        """Whether other keys do all that already."""
        held = {
            purpose
            for entry in self.document.entries(KEY)
            if self.in_duty(entry, self.now)
            for purpose in texts_of(entry, "purposes")
        }
        return held.issuperset(purposes)

    def _tell(self, what: str, certificate: Certificate) -> None:
        self.change.what.append(f"{what}: {certificate.subject}, SHA-256 {certificate.fingerprint}")


def _values(purposes: Iterable[Purpose]) -> list[str]:
    wanted = set(purposes)
    return [purpose.value for purpose in Purpose if purpose in wanted]


def _passphrase(protection: Protection | None) -> dict[str, str]:
    if protection is None:
        return {}
    if protection.variable is not None:
        return {"passphrase_env": protection.variable}
    return {"passphrase_file": protection.file or ""}
