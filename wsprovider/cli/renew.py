"""``wsprovider renew verify|decrypt|sign|encrypt``: where the renewal of a key stands, and what is next.

From our side: ``verify`` and ``encrypt`` when the partner renews its key (the one it signs with, or decrypts with);
``sign`` and ``decrypt`` when we renew ours. The steps of both parties are shown, which of them are done (by the dates
of keys, by what is pinned, and by what messages have used), which one is next, who has to do it, and with
``--letter`` the text to send to the partner. Nothing is changed. Exit code 0 when nothing is left to do (no renewal is
under way, or it is finished), 3 while something is, or when a certificate ends soon that nothing follows.
"""

import argparse
from datetime import UTC, datetime
from typing import Any, Final

from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.cli.folders import SERVICES, add_folders, environ_of, load
from wsprovider.cli.keys.wire import asked, doubts
from wsprovider.cli.printing import say
from wsprovider.config.load import keys_folder
from wsprovider.config.model import EndpointConfig
from wsprovider.exchange.renewal import Progress, Renewal, Step, of_our_key, of_their_key
from wsprovider.exchange.sightings import Sighting
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.uses import Case, Role
from wsprovider.words.errors import BackendError, ConfigurationError, Problem
from wsprovider.words.limits import Limits
from wsprovider.words.printable import printable

UNFINISHED: Final = 3
"""The exit code while something is left to do."""

_HELP: Final = {
    Case.VERIFY: "the partner renews the key it signs with",
    Case.DECRYPT: "we renew the key that partners encrypt to",
    Case.SIGN: "we renew the key that we sign with",
    Case.ENCRYPT: "the partner renews the key that we encrypt to",
}
_OURS: Final = (Case.SIGN, Case.DECRYPT)
_OUR_TASKS: Final = {
    Case.SIGN: (
        "sign our messages with",
        (
            "Please accept our signatures by either certificate, the present one and the new one, and tell us when you "
            "do. We change over only then. Keep the present one until we tell you that it is over."
        ),
    ),
    Case.DECRYPT: (
        "decrypt your messages with",
        (
            "You may encrypt to the new certificate from now on: we decrypt with both keys. Please change over and "
            "then take the present certificate out of use."
        ),
    ),
}
_BOTH: Final = {
    Case.SIGN: " A message that you encrypt to the new certificate is answered under it at once.",
    Case.DECRYPT: (
        " Please accept our signatures by the new certificate first: the reply to a message that is encrypted to it "
        "is signed by it."
    ),
}
"""Of a key that does both: replies are signed by the key that was addressed."""
_MARKS: Final = {Progress.DONE: "x", Progress.NEXT: ">", Progress.LATER: " "}


def register(commands: Any) -> None:
    """Add the command and its four cases."""
    command = commands.add_parser(
        "renew",
        help="lead through the renewal of a key with a partner",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cases = command.add_subparsers(title="cases", metavar="CASE", required=True)
    for case in Case:
        one = cases.add_parser(case.value, help=_HELP[case])
        one.add_argument(
            "--service", metavar="NAME", help="the service (needed where several differ in keys)"
        )
        one.add_argument(
            "--partner",
            metavar="PARTNER",
            required=case not in _OURS,
            help="with this partner" if case not in _OURS else "with this partner only",
        )
        one.add_argument(
            "--letter", action="store_true", help="print the text for the partner, and nothing else"
        )
        add_folders(one)
        one.set_defaults(run=run, case=case)


def run(options: argparse.Namespace) -> int:
    """Print where it stands."""
    now = datetime.now(UTC)
    sightings, unknown = _sightings(options, now)
    renewal = (_ours if options.case in _OURS else _theirs)(options, sightings, now)
    if options.letter:
        print(_letter(renewal, now))
        return 0
    for line in _report(renewal, now):
        say(line)
    for one in unknown:
        say(f"what was seen on the wire is not known: {one}")
    return 0 if renewal.finished else UNFINISHED


def _sightings(options: argparse.Namespace, now: datetime) -> tuple[tuple[Sighting, ...], tuple[str, ...]]:
    """What was seen, and why that may not be all."""
    try:
        everything, watch = asked(options)
    except BackendError as error:
        return (), (str(error),)
    except ConfigurationError as error:
        if any(problem.where != "shared" for problem in error.problems):
            raise
        return (), (str(error),)
    return tuple(one for one in everything if options.service in (None, one.service)), doubts(watch, now)


def _ours(options: argparse.Namespace, sightings: tuple[Sighting, ...], now: datetime) -> Renewal:
    rings = dict.fromkeys(endpoint.ring for endpoint in _endpoints(options))
    existing = [ring for ring in rings if (_folder(options) / ring / "ring.toml").exists()]
    if not existing:
        what = f"there is no ring {' or '.join(rings)} yet: wsprovider keys new NAME --subject ... makes its first key"
        raise ConfigurationError([Problem(str(_folder(options)), what)])
    if len(existing) > 1:
        what = f"the services use the rings {', '.join(existing)}: name one service with --service"
        raise ConfigurationError([Problem("--service", what)])
    loaded = load_snapshot(
        _folder(options), existing[0], (), limits=Limits(), now=now, environ=environ_of(options)
    )
    option = "" if existing[0] == "service" else existing[0]
    return of_our_key(
        options.case,
        Role.PROVIDER,
        loaded.snapshot.ring,
        sightings,
        now,
        partner=options.partner,
        ring_option=option,
    )


def _theirs(options: argparse.Namespace, sightings: tuple[Sighting, ...], now: datetime) -> Renewal:
    groups = dict.fromkeys(name for endpoint in _endpoints(options) for name in endpoint.trust)
    known: list[str] = []
    for name in groups:
        loaded = load_snapshot(
            _folder(options), None, (name,), limits=Limits(), now=now, environ=environ_of(options)
        )
        for partner in loaded.snapshot.partners:
            known.append(partner.name)
            if partner.name == options.partner:
                option = "" if name == "clients" else name
                return of_their_key(options.case, Role.PROVIDER, partner, sightings, now, group_option=option)
    what = (
        f"no certificate of {options.partner!r} is pinned; pinned are {', '.join(known) or 'none'}. A customer of a "
        "CA renews without us: any certificate that its CA issues for the same name is accepted"
    )
    raise ConfigurationError([Problem("--partner", what)])


def _endpoints(options: argparse.Namespace) -> list[EndpointConfig]:
    services = load(environ_of(options)).services
    chosen = [one for one in services if options.service in (None, one.name)]
    if not chosen:
        what = f"there is no service {options.service!r}; there are {', '.join(one.name for one in services)}"
        raise ConfigurationError([Problem("--service", what)])
    return [endpoint for service in chosen for endpoint in service.endpoints]


def _folder(options: argparse.Namespace) -> Any:
    return keys_folder(SERVICES, environ_of(options))


def _report(renewal: Renewal, now: datetime) -> list[str]:
    lines = [f"{renewal.case.value}: {_HELP[renewal.case]}{_with(renewal)}"]
    first = "in use" if renewal.new is None else "old"
    lines += [
        f"  {what}: {_about(certificate, now)}"
        for what, certificate in ((first, renewal.old), ("new", renewal.new))
        if certificate is not None
    ]
    if renewal.new is None:
        lines.append("  no renewal is under way; these would be its steps:")
    for number, step in enumerate(renewal.steps, start=1):
        lines += _step(number, step)
    lines += [f"  WARNING: {one}" for one in renewal.warnings]
    return lines


def _with(renewal: Renewal) -> str:
    return f", with {renewal.partner}" if renewal.partner is not None else ""


def _step(number: int, step: Step) -> list[str]:
    lines = [f"  [{_MARKS[step.progress]}] {number}. {step.doer.value}: {step.what}"]
    lines += [f"         {step.evidence}"] if step.evidence else []
    if step.command and step.progress is not Progress.DONE:
        lines.append(f"         $ {step.command}")
    return lines


def _about(certificate: Certificate, now: datetime) -> str:
    ends = certificate.parsed.not_valid_after_utc
    left = (ends - now).days
    return f"{printable(certificate.subject)}, until {ends:%Y-%m-%d} ({left} days), SHA-256 {certificate.fingerprint}"


def _letter(renewal: Renewal, now: datetime) -> str:
    """The text for the partner: what changes, what to do, how to compare the certificate."""
    old, new = renewal.old, renewal.new
    if renewal.case in _OURS:
        if new is None:
            raise ConfigurationError(
                [Problem("--letter", "there is no new key yet: wsprovider keys new NAME")]
            )
        purpose, task = _OUR_TASKS[renewal.case]
        if renewal.both:
            task += _BOTH[renewal.case]
        day = f"It takes over on {renewal.planned:%Y-%m-%d %H:%M} UTC.\n\n" if renewal.planned else ""
        present = f"\nPresent: {_about(old, now)}" if old is not None else ""
        return (
            f"We renew the key that we {purpose}.\n{present}\nNew:     {_about(new, now)}\n\n{day}{task}\n\n"
            "The certificate is attached. Before you use it, please compare its SHA-256 fingerprint with the one "
            "above over another channel."
        )
    if new is None:
        ending = f"\n\nPresent: {_about(old, now)}" if old is not None else ""
        decrypts = (
            " Your service must decrypt with the old and the new key while messages are under way."
            if renewal.case is Case.ENCRYPT
            else ""
        )
        return (
            "Your certificate that we know will end. Please make a new key and send us its certificate, before you "
            f"use it; we tell you when we accept it beside the present one.{decrypts}{ending}"
        )
    return (
        f"We accept your new certificate beside the present one.\n\nNew:     {_about(new, now)}\n\n"
        "Please compare the SHA-256 fingerprint with yours. You may use the new key from now on. When we have seen no "
        "message with the present one for a week, we take it out of trust."
    )
