"""``wsprovider partners``: who is known by what, what each may call, and how long their certificates have left.

Reads ``keys/partners.toml`` and holds it against all services, as the server does at start; nothing is changed.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.adapters.keys.partners import FILE
from wsprovider.cli.folders import add_folders, environ_of, load
from wsprovider.cli.printing import say
from wsprovider.config.model import ProviderConfig
from wsprovider.exchange.partners import Access, Partner, certificate_identity
from wsprovider.keyring.material import Certificate
from wsprovider.server.create import create_app
from wsprovider.words.limits import Limits

_EVERYTHING: Final = "everything"


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "partners", help="list partners, and what each may call", description=__doc__
    )
    add_folders(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a paragraph for each partner."""
    environ = environ_of(options)
    config = load(environ)
    provider = create_app(replace(config, warnings=()), environ=environ)
    try:
        partners = provider.endpoints[0].recipient.openings.current().partners.all
    finally:
        provider.close()
    if not partners:
        say(f"no partners: {config.keys.name}/{FILE} names none")
    now = datetime.now(UTC)
    pinned = dict(_pinned(config, environ, now))
    for partner in partners:
        for line in _paragraph(partner, config, pinned, now):
            say(line)
    return 0


def _pinned(
    config: ProviderConfig, environ: dict[str, str], now: datetime
) -> Iterator[tuple[str, tuple[Certificate, ...]]]:
    """The certificates behind each identity that a trust group pins."""
    named = (group for service in config.services for one in service.endpoints for group in one.trust)
    for group in dict.fromkeys(named):
        loaded = load_snapshot(config.keys, None, (group,), limits=Limits(), now=now, environ=environ)
        for partner in loaded.snapshot.partners:
            yield certificate_identity(group, partner.name), partner.certificates


def _paragraph(
    partner: Partner, config: ProviderConfig, pinned: dict[str, tuple[Certificate, ...]], now: datetime
) -> Iterator[str]:
    yield partner.name
    for identity in partner.identities:
        kind, _, name = identity.partition(" ")
        yield f"  {kind} {name}"
        for certificate in pinned.get(identity, ()):
            yield f"    {_dates(certificate, now)}"
    if partner.roles:
        yield f"  roles {', '.join(role for role in sorted(partner.roles))}"
    calls = [
        (service.name, endpoint.path, partner.access[name])
        for service in config.services
        for endpoint in service.endpoints
        if (name := endpoint.name_for(service.name)) in partner.access
    ]
    if not calls:
        yield "  may call nothing"
    for service, path, access in calls:
        yield f"  may call {path} ({service}): {', '.join(_allowed(access))}"


def _dates(certificate: Certificate, now: datetime) -> str:
    ends = certificate.parsed.not_valid_after_utc
    return f"until {ends:%Y-%m-%d}, {(ends - now).days} days: {certificate.subject}"


def _allowed(access: Access) -> Iterable[str]:
    operations = access.operations
    yield _EVERYTHING if operations is None else " ".join(one for one in sorted(operations))
    if access.deviation is not None:
        yield f"also by {access.deviation.label}"
