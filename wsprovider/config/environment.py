"""The one way to the process environment: the handful of variables that wsprovider knows, and the one it sets.

Everything else is said in ``service.toml`` and ``provider.toml``; a variable only says what differs
between two starts of one and the same folder.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wsprovider.adapters.kerberos import use_krb5_conf
from wsprovider.config.monitor import Monitor, read_bind
from wsprovider.words.errors import ConfigurationError, Problem


def available_cores() -> int:
    """Processor cores that this process may use, at least one (containers narrow the affinity)."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says.

    Attributes:
        services: ``WSPROVIDER_SERVICES``: the services folder, whatever the program names.
        keys: ``WSPROVIDER_KEYS``: the keys folder, whatever the program or provider.toml names.
        host: ``WSPROVIDER_HOST``: the address that ``wsprovider serve`` binds.
        http_port, https_port: ``HTTP_PORT`` and ``HTTPS_PORT``.
        workers: ``WORKERS``: worker processes of each gunicorn master.
        per_address: ``WSPROVIDER_PER_ADDRESS``: connections of one address to a worker; None: the usual.
        supervised: ``WSPROVIDER_SUPERVISED``: this gunicorn belongs to a ``wsprovider serve``.
        http_url, https_url: ``WSPROVIDER_HTTP_URL`` and ``WSPROVIDER_HTTPS_URL``: base URLs that a
            WSDL names where no file says ``public_url``; ``wsprovider serve`` sets them.
        monitor: ``WSPROVIDER_MONITOR``: the monitor's bind, whatever provider.toml says.
        telemetry: ``WSPROVIDER_TELEMETRY``: the folder in which all workers count; ``wsprovider serve`` sets it.
    """

    services: Path | None = None
    keys: Path | None = None
    host: str = "127.0.0.1"
    http_port: int = 8080
    https_port: int = 8443
    workers: int = field(default_factory=available_cores)
    per_address: int | None = None
    http_url: str | None = None
    https_url: str | None = None
    supervised: bool = False
    monitor: Monitor | None = None
    telemetry: Path | None = None


def process_environ(environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The given environment, or the one of the process."""
    return os.environ if environ is None else environ


def set_krb5_conf(path: Path) -> None:
    """Have libkrb5 read this file, in this process and its children; before anything else of Kerberos.

    Raises:
        ConfigurationError: the process reads another one already.
    """
    use_krb5_conf(path, os.environ)


def read_environment(environ: Mapping[str, str] | None = None) -> Environment:
    """Read the variables; an empty one counts as not set.

    Args:
        environ: what to read instead of the environment of the process.

    Raises:
        ConfigurationError: a variable holds what cannot be meant; all of them are named.
    """
    values = {key: value for key, value in process_environ(environ).items() if value}
    problems: list[Problem] = []

    def number(name: str, default: int, highest: int) -> int:
        text = values.get(name)
        if text is None:
            return default
        if text.isascii() and text.isdigit() and 1 <= int(text) <= highest:
            return int(text)
        problems.append(Problem(f"environment: {name}", f"is {text!r} and not a number from 1 to {highest}"))
        return default

    def path(name: str) -> Path | None:
        return Path(values[name]) if name in values else None

    def bind(name: str) -> Monitor | None:
        try:
            return read_bind(values[name]) if name in values else None
        except ValueError as error:
            problems.append(Problem(f"environment: {name}", str(error)))
            return None

    environment = Environment(
        services=path("WSPROVIDER_SERVICES"),
        keys=path("WSPROVIDER_KEYS"),
        host=values.get("WSPROVIDER_HOST", "127.0.0.1"),
        http_port=number("HTTP_PORT", 8080, 65535),
        https_port=number("HTTPS_PORT", 8443, 65535),
        workers=number("WORKERS", available_cores(), 1024),
        per_address=number("WSPROVIDER_PER_ADDRESS", 0, 1_000_000) or None,
        http_url=values.get("WSPROVIDER_HTTP_URL"),
        https_url=values.get("WSPROVIDER_HTTPS_URL"),
        supervised="WSPROVIDER_SUPERVISED" in values,
        monitor=bind("WSPROVIDER_MONITOR"),
        telemetry=path("WSPROVIDER_TELEMETRY"),
    )
    if environment.http_port == environment.https_port:
        problems.append(Problem("environment: HTTPS_PORT", "is the same as HTTP_PORT"))
    if problems:
        raise ConfigurationError(problems)
    return environment
