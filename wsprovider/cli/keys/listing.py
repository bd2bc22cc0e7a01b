"""``wsprovider keys list|check``: our keys and our partners' certificates, their states and the days they have left.

``list`` shows every ring with its seal keys, every trust group and the TLS certificate of the keys folder;
``check`` names what expires soon (or has) and exits with 1 when there is anything, for cron. A seal key ends when
it is retired, and is named only when none follows. Nothing is changed.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.cli.folders import SERVICES, add_folders, environ_of
from wsprovider.cli.services import aligned
from wsprovider.config.environment import read_environment
from wsprovider.config.load import keys_folder
from wsprovider.config.model import TLS_CERTIFICATE
from wsprovider.config.problems import Problems
from wsprovider.config.process import read_process
from wsprovider.keyring.lifecycle import KeyState, gap
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import SealKey
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits
from wsprovider.words.printable import printable

_TRUST: Final = "trust"
_SEAL: Final = "seal"
_HEADING: Final = ("WHAT", "NAME", "STATE", "PURPOSES", "NOT AFTER", "DAYS", "SUBJECT")
_WARN_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Held:
    """One certificate or seal key of the keys folder.

    Attributes:
        what: the ring or trust group it belongs to.
        name: the key's, the partner's, or what else it is.
        state: of a key of ours (``KeyState``), or empty.
        purposes: of a key of ours, or empty.
        ends: when it expires, or seals no more; None: never.
        subject: the certificate's, or empty.
        followed: another seal key takes over at its end.
    """

    what: str
    name: str
    state: str
    purposes: str
    ends: datetime | None
    subject: str
    followed: bool = False

    @classmethod
    def of(
        cls, what: str, name: str, certificate: Certificate, *, state: str = "", purposes: str = ""
    ) -> "Held":
        """What is held with a certificate."""
        return cls(what, name, state, purposes, certificate.parsed.not_valid_after_utc, certificate.subject)

    def days(self, now: datetime) -> int | None:
        """Whole days until it ends; negative when it has; None: never."""
        return None if self.ends is None else (self.ends - now).days

    def due(self, now: datetime, warn: int) -> bool:
        """Whether it wants a successor within so many days; what is GONE wants none."""
        days = self.days(now)
        return days is not None and days < warn and not self.followed and self.state != KeyState.GONE.value

    def row(self, now: datetime) -> tuple[str, ...]:
        """A line of the table."""
        return (
            printable(self.what),
            printable(self.name),
            self.state or "-",
            self.purposes or "-",
            "-" if self.ends is None else f"{self.ends:%Y-%m-%d}",
            "-" if self.ends is None else str(self.days(now)),
            printable(self.subject) or "-",
        )


def register(verbs: Any) -> None:
    """Add the commands that look and change nothing."""
    listing = verbs.add_parser("list", help="show every key and certificate, and the days they have left")
    checking = verbs.add_parser("check", help="name what expires soon; exit code 1 when there is any")
    checking.add_argument(
        "--warn", type=int, default=_WARN_DAYS, metavar="DAYS", help="days ahead (default: %(default)s)"
    )
    listing.set_defaults(run=run_list)
    checking.set_defaults(run=run_check)
    for verb in (listing, checking):
        add_folders(verb)


def run_list(options: argparse.Namespace) -> int:
    """Print the table."""
    now = datetime.now(UTC)
    for line in aligned([_HEADING, *(held.row(now) for held in _held(options, now))]):
        print(line)
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Print what expires within so many days."""
    now = datetime.now(UTC)
    soon = [held for held in _held(options, now) if held.due(now, options.warn)]
    if not soon:
        print(f"nothing expires within {options.warn} days")
        return 0
    for line in aligned([_HEADING, *(held.row(now) for held in soon)]):
        print(line)
    return 1


def _held(options: argparse.Namespace, now: datetime) -> list[Held]:
    environ = environ_of(options)
    folder = keys_folder(SERVICES, environ)
    if not folder.is_dir():
        raise ConfigurationError([Problem(str(folder), "there is no such keys folder")])
    services = (read_environment(environ).services or SERVICES).resolve()
    named = read_process(services, Problems()).tls_certificate
    return [
        *_rings(folder, now, environ),
        *_trusted(folder, now, environ),
        *_tls(folder / (named or TLS_CERTIFICATE)),
    ]


def _rings(folder: Path, now: datetime, environ: dict[str, str]) -> Iterator[Held]:
    for file in sorted(folder.glob("*/ring.toml")):
        name = file.parent.name
        loaded = load_snapshot(folder, name, (), limits=Limits(), now=now, environ=environ)
        for key in loaded.snapshot.ring.keys:
            purposes = ", ".join(sorted(purpose.value for purpose in key.purposes))
            state = key.lifespan.state(now).value
            yield Held.of(f"ring {name}", key.pair.name, key.pair.certificate, state=state, purposes=purposes)
        yield from _seals(f"ring {name}", loaded.seals.keys, now)


def _seals(what: str, seals: Sequence[SealKey], now: datetime) -> Iterator[Held]:
    end = gap((seal.lifespan for seal in seals), now)
    for seal in seals:
        ends = seal.lifespan.retired_at
        state = seal.lifespan.state(now).value
        yield Held(what, seal.name, state, _SEAL, ends, "", followed=ends != end)


def _trusted(folder: Path, now: datetime, environ: dict[str, str]) -> Iterator[Held]:
    groups = folder / _TRUST
    for group in sorted(path for path in groups.iterdir() if path.is_dir()) if groups.is_dir() else ():
        loaded = load_snapshot(folder, None, (group.name,), limits=Limits(), now=now, environ=environ)
        pinned: set[Certificate] = set()
        for partner in loaded.snapshot.partners:
            for certificate in partner.certificates:
                pinned.add(certificate)
                yield Held.of(f"trust {group.name}", partner.name, certificate)
        for certificate in loaded.snapshot.trusted_certificates:
            if certificate not in pinned:
                yield Held.of(f"trust {group.name}", "(authority)", certificate)


def _tls(file: Path) -> Iterator[Held]:
    if not file.is_file():
        return
    try:
        certificate = load_certificates(file.read_bytes())[0]
    except MaterialError as error:
        raise ConfigurationError([Problem(str(file), str(error))]) from None
    yield Held.of("tls", file.name, certificate)
