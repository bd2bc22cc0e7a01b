"""``wsprovider services``: what is served where, under which policy and by which keys."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from wsprovider.cli.folders import add_folders, environ_of, load
from wsprovider.config.demands import demands_of
from wsprovider.config.endpoints import asks_users, seals
from wsprovider.config.model import EndpointConfig, ProviderConfig
from wsprovider.scenarios import catalogue


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("services", help="list services and their endpoints", description=__doc__)
    add_folders(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    for line in table(load(environ_of(options))):
        print(line)
    return 0


def table(config: ProviderConfig) -> Iterable[str]:
    """The lines of the table, one endpoint each, below a heading."""
    heading = ("PATH", "SCENARIO", "SUITE", "RING", "TRUST", "USERS", "KERBEROS", "WSDL")
    rows = [
        row
        for service in config.services
        for endpoint in service.endpoints
        for row in (_endpoint(config, endpoint), *_operations(endpoint))
    ]
    return aligned([heading, *rows])


def _endpoint(config: ProviderConfig, endpoint: EndpointConfig) -> Sequence[str]:
    demands = demands_of(endpoint.policy)
    return (
        endpoint.path,
        scenario_name(endpoint),
        ", ".join(suite.name for suite in demands.suites),
        endpoint.ring if demands.ring or seals(endpoint, demands) else "-",
        ", ".join(endpoint.trust) if demands.trust else "-",
        (endpoint.users or "-") if asks_users(endpoint, demands) else "-",
        _tickets(endpoint),
        f"{base_url(config, endpoint)}{endpoint.path}?wsdl",
    )


def _operations(endpoint: EndpointConfig) -> Iterable[Sequence[str]]:
    """A line for each operation that has a policy of its own, or is meant to have none."""
    own = endpoint.policies.operations
    for name in dict.fromkeys((*own, *sorted(endpoint.unprotected))):
        policies = endpoint.policies.of(name)
        request = policies.request
        suites = () if request is None else demands_of(request).suites
        told = "a policy of its own" if name not in endpoint.unprotected else "unprotected, as it is named"
        yield (f"  {name}", told, ", ".join(one.name for one in suites) or "-", "", "", "", "", "")


def scenario_name(endpoint: EndpointConfig) -> str:
    """``8 sign-encrypt-username``, or the id of a policy document."""
    scenario = catalogue.find(endpoint.scenario) if endpoint.scenario else None
    if scenario is None:
        return f"policy {endpoint.policy.id}".rstrip()
    return f"{scenario.number} {scenario.slug}"


def _tickets(endpoint: EndpointConfig) -> str:
    """Where the key of our principal comes from."""
    keys = endpoint.ticket_keys
    if keys is None:
        return "-"
    return keys.keytab or f"{keys.principals[0]} by its password"


def base_url(config: ProviderConfig, endpoint: EndpointConfig) -> str:
    """The base of an endpoint's address, or nothing where only the request can tell."""
    listener = config.https_url if demands_of(endpoint.policy).https else config.http_url
    return endpoint.public_url or listener or ""


def aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Rows as lines with columns under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
