"""``wsprovider keys trust add|activate|remove``: the certificates of partners, which overlap during a renewal."""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from wsprovider.adapters.keys import pem
from wsprovider.adapters.keys.changing import Change
from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.keys.ring_file import read_ring
from wsprovider.adapters.keys.trust_changes import TrustChange
from wsprovider.adapters.keys.trust_folder import PIN, SUFFIXES, read_group
from wsprovider.cli.folders import environ_of
from wsprovider.cli.keys.changing import Outcome, add_change, change, folder_of, moment
from wsprovider.cli.keys.wire import add_unseen, check_quiet
from wsprovider.exchange.renewal import QUIET
from wsprovider.keyring import checks
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.trust import PeerPurpose, PinnedGroup
from wsprovider.words.errors import ConfigurationError, Problem, WSSecurityError
from wsprovider.words.limits import Limits

GROUP: Final = "clients"
"""The trust group that is meant where none is named."""

_WHICH: Final = "a file with the certificate, or the first digits of its SHA-256 fingerprint"
_SHORTEST: Final = 6
_LATER: Final = "when it has expired, the same command without --compromised takes the file away"


def register(verbs: Any) -> None:
    """Add the command and its own commands."""
    trust = verbs.add_parser("trust", help="certificates of partners: add, activate for encryption, remove")
    below = trust.add_subparsers(title="commands", metavar="COMMAND", required=True)

    add = below.add_parser("add", help="pin a certificate; those that are there stay, and both count")
    add.add_argument("file", type=Path, help="the certificate, PEM or DER")
    add.add_argument(
        "--purpose",
        action="append",
        choices=[one.value for one in PeerPurpose],
        help="what it is for; may be repeated (default: verify and encrypt)",
    )
    add.set_defaults(run=run_add)

    activate = below.add_parser("activate", help="encrypt to this certificate from a moment on")
    activate.add_argument("certificate", help=_WHICH)
    activate.add_argument("--at", type=moment, default="now", metavar="WHEN", help="default: %(default)s")
    activate.set_defaults(run=run_activate)

    remove = below.add_parser("remove", help="accept a certificate no more")
    remove.add_argument("certificate", help=_WHICH)
    remove.add_argument(
        "--at",
        type=moment,
        metavar="WHEN",
        help=f"from then on; the file stays (default: now, with the file). Sooner than in {QUIET.days} days only what is "
        "out of use",
    )
    remove.add_argument(
        "--compromised",
        action="store_true",
        help="at once, whoever still uses it; the file stays, lest a CA's group vouch for it",
    )
    add_unseen(remove)
    remove.set_defaults(run=run_remove)

    for verb in (add, activate, remove):
        verb.add_argument("--partner", required=True, metavar="PARTNER", help="whose certificate it is")
        verb.add_argument(
            "--group", default=GROUP, metavar="GROUP", help="the trust group's folder (default: %(default)s)"
        )
        add_change(verb)


def run_add(options: argparse.Namespace) -> int:
    """Pin a certificate."""
    purposes = frozenset(PeerPurpose(one) for one in options.purpose or [one.value for one in PeerPurpose])
    certificate = _certificate(options.file)
    _check(certificate, options, purposes)

    def work(group: TrustChange) -> Iterator[str]:
        group.add(options.partner, certificate, purposes)
        yield "within seconds every server accepts it; then tell the partner that it may be used"

    return _change(options, work)


def run_activate(options: argparse.Namespace) -> int:
    """Name the day from which on it is encrypted to."""

    def work(group: TrustChange) -> Iterator[str]:
        group.activate(options.partner, _chosen(group.group, options), options.at)
        yield "replies go to the certificate that signed their request; this one is for messages of our own"

    return _change(options, work)


def run_remove(options: argparse.Namespace) -> int:
    """Accept it no more."""

    def work(group: TrustChange) -> Iterator[str]:
        certificate = _chosen(group.group, options)
        if options.compromised and options.at is not None:
            raise ConfigurationError([Problem("--compromised", "ends it at once: leave --at out")])
        if options.compromised:
            group.change.what.append("it is compromised")
            group.remove(options.partner, certificate, group.now)
            yield f"its file stays, so that no CA's group vouches for it: {_LATER}"
            return
        if group.gone(options.partner, certificate):
            yield "a CA's group whose subject rules mean it would accept it again"
        elif options.at is None or options.at < group.now + QUIET:
            group.change.what.extend(check_quiet(options, certificate))
        group.remove(options.partner, certificate, options.at)

    return _change(options, work)


def _change(options: argparse.Namespace, work: Callable[[TrustChange], Iterator[str]]) -> int:
    def edit(begun: Change) -> Outcome:
        group, files = _group(options, begun)
        edited = TrustChange(begun, group, files, moment("now"))
        advice = tuple(work(edited))
        edited.save()
        return Outcome(groups=(options.group,), advice=advice)

    return change(options, edit)


def _group(
    options: argparse.Namespace, begun: Change
) -> tuple[PinnedGroup, dict[Certificate, tuple[Path, ...]]]:
    """The group as it is, and where its certificates stand."""
    reader = begun.reader()
    folder = begun.folder / "trust" / options.group
    if not folder.is_dir():
        return PinnedGroup(options.group, ()), {}
    group = read_group(reader, options.group, Limits(), datetime.now(UTC))
    if reader.problems:
        raise ConfigurationError(reader.problems)
    if not isinstance(group, PinnedGroup):
        what = "is a CA's group: its customers need no pinning, and trust.toml says whom it means"
        raise ConfigurationError([Problem(f"{begun.folder.name}/trust/{options.group}", what)])
    files: dict[Certificate, tuple[Path, ...]] = {}
    for file in reader.listed(folder) or ():
        if file.suffix.lower() in {*SUFFIXES, PIN}:
            try:
                first = pem.load_certificates(reader.read(file))[0]
            except MaterialError:
                continue  # skipped when it is loaded, with a warning
            files[first] = (*files.get(first, ()), file)
    return group, files


def _certificate(file: Path) -> Certificate:
    try:
        found = pem.load_certificates(file.read_bytes())
    except OSError as error:
        raise ConfigurationError([Problem(str(file), f"cannot be read: {error.strerror}")]) from None
    except MaterialError as error:
        raise ConfigurationError([Problem(str(file), str(error))]) from None
    if len(found) > 1:
        what = (
            "holds several certificates: pinning is for the partner's own, so put that one alone into a file"
        )
        raise ConfigurationError([Problem(str(file), what)])
    return found[0]


def _check(certificate: Certificate, options: argparse.Namespace, purposes: frozenset[PeerPurpose]) -> None:
    """Refuse what would be refused, or trust us, once pinned."""
    where = str(options.file)
    try:
        checks.check_readable(certificate)
        checks.check_key(certificate, Limits())
        if datetime.now(UTC) > certificate.parsed.not_valid_after_utc:
            checks.check_dates(certificate, datetime.now(UTC))
        if PeerPurpose.VERIFY in purposes:
            checks.check_signer_usage(certificate)
    except WSSecurityError as error:
        raise ConfigurationError(
            [Problem(where, f"would be refused: {error}; ask the partner for another")]
        ) from None
    if PeerPurpose.ENCRYPT in purposes and not checks.can_encrypt(certificate):
        what = "its key usage does not let keys be encrypted to it: add it with --purpose verify"
        raise ConfigurationError([Problem(where, what)])
    folder = folder_of(options)
    for file in sorted(folder.glob("*/ring.toml")):
        ring, _ = read_ring(
            Reader(folder, environ_of(options)), file.parent.name, Limits(), datetime.now(UTC)
        )
        if ring.owns(certificate):
            what = f"is a key of our own ring {file.parent.name!r}: ask the partner for its certificate"
            raise ConfigurationError([Problem(where, what)])


def _chosen(group: PinnedGroup, options: argparse.Namespace) -> Certificate:
    """The certificate that an option names.

    Raises:
        ConfigurationError: there is none, or there are several.
    """
    text: str = options.certificate
    if Path(text).is_file():
        return _certificate(Path(text))
    wanted = text.lower().replace(":", "")
    held = [
        one for partner in group.partners if partner.name == options.partner for one in partner.certificates
    ]
    found = [one for one in held if len(wanted) >= _SHORTEST and one.fingerprint.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{one.fingerprint[:12]} ({one.subject})" for one in held) or "none"
    what = (
        f"{text!r} is no file and names {len(found)} certificates of {options.partner!r}; pinned are {there}"
    )
    raise ConfigurationError([Problem(f"trust/{group.name}", what)])
