"""The way in: a services folder and a keys folder become one :class:`ProviderConfig`, or one error.

What is guaranteed on return: every file was understood to its last key, every policy is one we can
state, and the keys, trust groups and users that the policies need are there and usable now. Whether a
policy can be *enforced* is for the engine to say, which compiles it next.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from wsprovider.config.archives import located
from wsprovider.config.backing import check_backing
from wsprovider.config.classes import LoadClasses
from wsprovider.config.environment import Environment, process_environ, read_environment, set_krb5_conf
from wsprovider.config.model import EndpointConfig, ProviderConfig
from wsprovider.config.problems import Problems
from wsprovider.config.process import ProcessSettings, read_process
from wsprovider.config.services import CODE, FILE, ReadService, check_paths, read_service

SHARED_FILE: Final = Path("var") / "shared.sqlite3"
"""The default shared store, beside the services folder."""


def load_provider(
    services: Path,
    keys: Path | None = None,
    *,
    load_classes: LoadClasses,
    environ: Mapping[str, str] | None = None,
    backed: bool = True,
) -> ProviderConfig:
    """Read everything, check everything.

    Args:
        services: the services folder; ``WSPROVIDER_SERVICES`` goes before it.
        keys: the keys folder; ``WSPROVIDER_KEYS`` goes before it. None: what provider.toml says, or
            ``keys`` beside the services folder.
        load_classes: imports a ``service.py`` and returns its service classes (a partial of
            :func:`~wsprovider.config.classes.import_classes`).
        environ: the environment to read instead of the process's own.
        backed: keys, users and tickets that endpoints need are opened to see.

    Raises:
        ConfigurationError: every problem of every file.
    """
    environment = read_environment(environ)
    services = (environment.services or services).resolve()
    problems = Problems()
    process = read_process(services, problems)
    if process.krb5_conf is not None:
        with problems.collecting():
            set_krb5_conf(process.krb5_conf)
    keys = _keys(services, keys, process, environment)
    read = _read_services(services, load_classes, problems)
    check_paths(read)
    addresses = _addresses(read, process, services.parent)
    endpoints = tuple(endpoint for service in read for endpoint in service.endpoints)
    backing = check_backing(endpoints if backed else (), keys, problems, process_environ(environ))
    problems.raise_any()
    return ProviderConfig(
        services=tuple(
            replace(service.config, endpoints=tuple(addresses[e.path] for e in service.config.endpoints))
            for service in read
        ),
        keys=keys,
        shared=process.shared or f"sqlite:///{services.parent / SHARED_FILE}",
        trusted_proxies=process.trusted_proxies,
        client_certificate_header=process.client_certificate_header,
        public_url=process.public_url,
        warnings=(*(line for endpoint in endpoints for line in endpoint.warnings), *backing.warnings),
        http_url=environment.http_url,
        https_url=environment.https_url,
        metrics=process.metrics,
        index=process.index,
        refused_bytes=process.refused_bytes,
        seen_every=process.seen_every,
        replay_entries=process.replay_entries,
        tls_certificate=process.tls_certificate,
        tls_key=process.tls_key,
        development_keys=backing.development_keys,
        guessing=process.guessing,
        monitor=process.monitor,
        tracing=process.tracing,
    )


def keys_folder(services: Path, environ: Mapping[str, str] | None = None) -> Path:
    """Which keys folder :func:`load_provider` will look at, whether or not it is there yet."""
    environment = read_environment(environ)
    services = (environment.services or services).resolve()
    return _keys(services, None, read_process(services, Problems()), environment)


def _keys(services: Path, given: Path | None, process: ProcessSettings, environment: Environment) -> Path:
    return (environment.keys or given or process.keys or services.parent / "keys").resolve()


def _addresses(
    services: tuple[ReadService, ...], process: ProcessSettings, project: Path
) -> dict[str, EndpointConfig]:
    """Each endpoint by its path, with the process's base URL where it has none of its own."""
    named: dict[str, EndpointConfig] = {}
    for endpoint in (endpoint for service in services for endpoint in service.endpoints):
        config, https = endpoint.config, endpoint.demands.https
        url = config.public_url or process.public_url
        if https and url is not None and not url.startswith("https:"):
            endpoint.table.problem("public_url", f"must be an https URL, not {url}: this policy needs TLS")
        archive = located(config.archive, project)
        named[config.path] = replace(config, public_url=url, archive=archive)
    return named


def _read_services(services: Path, load_classes: LoadClasses, problems: Problems) -> tuple[ReadService, ...]:
    if not services.is_dir():
        problems.add(str(services), "is no folder; it holds one folder for each service")
        return ()
    folders = sorted(
        folder
        for folder in services.iterdir()
        if folder.is_dir() and not folder.name.startswith((".", "_")) and _holds_service(folder)
    )
    if not folders:
        problems.add(services.name, f"holds no service, that is a folder with {CODE} and {FILE}")
    return tuple(
        read_service(folder, f"{services.name}/{folder.name}", load_classes, problems) for folder in folders
    )


def _holds_service(folder: Path) -> bool:
    """Either file says that a service is meant; read_service then complains of the other one."""
    return (folder / FILE).exists() or (folder / CODE).exists()
