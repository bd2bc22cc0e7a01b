"""Services declared in Python instead of in folders; their settings are the keys of ``service.toml``.

The settings go through the very reading that files go through, so that both know the same keys, refuse
the same mistakes and say the same sentences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wsprovider.config import endpoints as endpoint_keys
from wsprovider.config.backing import check_backing
from wsprovider.config.endpoints import ReadEndpoint, check_inherited, read_endpoint
from wsprovider.config.guessing import read_guessing
from wsprovider.config.model import ProviderConfig, ServiceConfig
from wsprovider.config.monitor import read_monitor
from wsprovider.config.problems import Problems
from wsprovider.config.services import ReadService, check_paths
from wsprovider.config.table import Table

_SERVICE_KEYS: Final = endpoint_keys.KEYS | {"namespace", "endpoint"}


@dataclass(frozen=True)
class Service:
    """A service of ``create_app([...])``.

    Attributes:
        name: for logs, and for the WSDL; letters, digits and ``-``.
        classes: Spyne service classes.
        settings: as in ``service.toml``: ``path``, ``scenario``, ``trust``, ``users``, ...; several
            endpoints are a list of such mappings under ``endpoint``.
        folder: what a ``policy`` document is relative to.
    """

    name: str
    classes: Sequence[type]
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)


def read_declared(
    services: Sequence[Service],
    *,
    keys: Path,
    shared: str,
    environ: Mapping[str, str],
    trusted_proxies: Sequence[str] = (),
    client_certificate_header: str | None = None,
    public_url: str | None = None,
    metrics: bool = False,
    index: bool = False,
    guessing: Mapping[str, Any] | None = None,
    monitor: Mapping[str, Any] | None = None,
    tracing: bool = False,
) -> ProviderConfig:
    """Check declarations as files are checked.

    Raises:
        ConfigurationError: every problem of every service.
    """
    problems = Problems()
    read = tuple(_read(service, problems) for service in services)
    if not read:
        problems.add("create_app", "got no service")
    check_paths(read)
    endpoints = [endpoint for service in read for endpoint in service.endpoints]
    backing = check_backing(endpoints, keys, problems, environ)
    slowed = read_guessing(Table(guessing or {}, label="guessing", problems=problems))
    bind = read_monitor(Table(monitor or {}, label="monitor", problems=problems))
    problems.raise_any()
    return ProviderConfig(
        services=tuple(service.config for service in read),
        keys=keys,
        shared=shared,
        trusted_proxies=tuple(trusted_proxies),
        client_certificate_header=client_certificate_header,
        public_url=public_url,
        warnings=(*(line for endpoint in endpoints for line in endpoint.warnings), *backing.warnings),
        metrics=metrics,
        index=index,
        development_keys=backing.development_keys,
        guessing=slowed,
        monitor=bind,
        tracing=tracing,
    )


def _read(service: Service, problems: Problems) -> ReadService:
    label = f"service {service.name}"
    table = Table(service.settings, label=label, problems=problems)
    table.only(_SERVICE_KEYS, meant="a service")
    tables = table.tables("endpoint")
    for below in tables:
        below.only(endpoint_keys.KEYS, meant="an [[endpoint]]")
    if tables and table.has_own("path"):
        table.problem("path", "belongs to each [[endpoint]], as this service lists several")
    if not service.classes:
        table.problem(None, "has no service class")
    read: tuple[ReadEndpoint, ...] = tuple(
        endpoint
        for below in (tables if "endpoint" in table else (table,))
        if (endpoint := read_endpoint(below, service.folder, label, problems)) is not None
    )
    check_inherited(table, tables, read)
    config = ServiceConfig(
        name=service.name,
        namespace=table.text("namespace") or f"urn:wsprovider:{service.name}",
        service_classes=tuple(service.classes),
        endpoints=tuple(endpoint.config for endpoint in read if not endpoint.left_out),
    )
    return ReadService(config, read)
