"""``wsprovider serve``: everything in the services folder under gunicorn, over HTTP and over HTTPS.

Two gunicorn masters, since one master's TLS covers all of its addresses. Both run ``wsgi:application`` of
the current folder with the settings of :mod:`wsprovider.cli.gunicorn_settings`; a production start does
without this command and calls gunicorn itself. Ctrl-C stops both; when one ends, the other is stopped.

The first start in a folder without keys makes development keys and users; it never overwrites any.
"""

import argparse
import socket
import sys
from pathlib import Path
from typing import Any, Final

from wsprovider.cli import gunicorn_settings
from wsprovider.cli.addresses import development_warning, loopback
from wsprovider.cli.development import first_keys
from wsprovider.cli.folders import SERVICES, add_folders, environ_of, load
from wsprovider.cli.masters import Command, Masters
from wsprovider.cli.monitoring import make_folder
from wsprovider.cli.services import aligned, base_url, scenario_name
from wsprovider.cli.stores import NOT_MEMORY
from wsprovider.config.environment import Environment, read_environment
from wsprovider.config.load import keys_folder
from wsprovider.config.model import ProviderConfig
from wsprovider.config.monitor import OFF
from wsprovider.words.errors import ConfigurationError, Problem

_SETTINGS: Final = "python:wsprovider.cli.gunicorn_settings"
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - looked for, not bound
_PATIENCE: Final = gunicorn_settings.graceful_timeout + 5


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "serve",
        help="serve everything under gunicorn",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_folders(command)
    command.add_argument("--host", help="address to bind (default: WSPROVIDER_HOST, or 127.0.0.1)")
    command.add_argument("--http-port", type=int, metavar="PORT", help="default: HTTP_PORT, or 8080")
    command.add_argument("--https-port", type=int, metavar="PORT", help="default: HTTPS_PORT, or 8443")
    command.add_argument(
        "--workers", type=int, metavar="N", help="of each master; default: WORKERS, or the cores"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until asked to stop."""
    environ = environ_of(options) | _given(options)
    environment = read_environment(environ)
    if not Path("wsgi.py").is_file():
        raise ConfigurationError([Problem("wsgi.py", "is not in this folder; wsprovider init writes one")])
    # development keys are for this machine; anywhere else their absence is a problem to be told
    first = loopback(environment.host) and first_keys(keys_folder(SERVICES, environ))
    environ |= {
        "WSPROVIDER_HTTP_URL": environ.get("WSPROVIDER_HTTP_URL") or _url("http", environment),
        "WSPROVIDER_HTTPS_URL": environ.get("WSPROVIDER_HTTPS_URL") or _url("https", environment),
    }
    config = load(environ)
    if config.shared == "memory:":  # even one worker for each listener makes two
        raise ConfigurationError([Problem("services/provider.toml: shared", NOT_MEMORY)])
    _tell(config, environment, made_keys=first)
    environ |= {"WSPROVIDER_KEYS": str(config.keys), "WSPROVIDER_SUPERVISED": "1"}
    folder = make_folder()  # both masters' workers are counted together
    if folder is not None:
        environ |= {"WSPROVIDER_TELEMETRY": str(folder.path)}
    try:
        return Masters(_commands(config, environment, environ), patience=_PATIENCE).run()
    finally:
        if folder is not None:
            folder.remove()


def _given(options: argparse.Namespace) -> dict[str, str]:
    named = {
        "WSPROVIDER_HOST": options.host,
        "HTTP_PORT": options.http_port,
        "HTTPS_PORT": options.https_port,
        "WORKERS": options.workers,
    }
    return {name: str(value) for name, value in named.items() if value is not None}


def _url(scheme: str, environment: Environment) -> str:
    port = environment.https_port if scheme == "https" else environment.http_port
    host = "localhost" if loopback(environment.host) else environment.host
    if host in _EVERYWHERE:
        host = socket.gethostname()
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _commands(config: ProviderConfig, environment: Environment, environ: dict[str, str]) -> list[Command]:
    host = f"[{environment.host}]" if ":" in environment.host else environment.host
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", _SETTINGS]
    certificate, key = _tls(config)
    return [
        Command(
            "HTTP", [*gunicorn, "--bind", f"{host}:{environment.http_port}", "wsgi:application"], environ
        ),
        Command(
            "HTTPS",
            [
                *gunicorn,
                *("--bind", f"{host}:{environment.https_port}"),
                *("--certfile", str(certificate), "--keyfile", str(key)),
                "wsgi:application",
            ],
            {**environ, "WSPROVIDER_MONITOR": OFF},  # one monitor tells of both
        ),
    ]


def _tls(config: ProviderConfig) -> tuple[Path, Path]:
    """Certificate and key of the HTTPS listener."""
    if config.tls_certificate and config.tls_key:
        files = config.keys / config.tls_certificate, config.keys / config.tls_key
    else:
        files = config.keys / "tls" / "server.cert.pem", config.keys / "tls" / "server.key.pem"
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise ConfigurationError(
            [
                Problem(str(file), "is missing: HTTPS needs it; see [tls] in services/provider.toml")
                for file in missing
            ]
        )
    return files


def _tell(config: ProviderConfig, environment: Environment, *, made_keys: bool) -> None:
    """Say what is where, before anything is started."""
    if made_keys:
        print(f"Made development keys and users; what a client needs is in {config.keys / 'development'}\n")
    rows = [
        (scenario_name(endpoint), f"{base_url(config, endpoint)}{endpoint.path}")
        for service in config.services
        for endpoint in service.endpoints
    ]
    for line in aligned([("SCENARIO", "SERVICE"), *rows]):
        print(line)
    print("\nThe WSDL of each, with its policy in it, is at the same address with ?wsdl behind it.")
    print(f"What is at {config.http_url} is also at {config.https_url}.")
    monitor = environment.monitor or config.monitor
    if not monitor.off:
        print(f"Metrics and health of all workers are at http://{monitor}/metrics, /healthz and /readyz.")
    print(f"{environment.workers} workers for HTTP and as many for HTTPS; Ctrl-C stops all.", flush=True)
    if config.development_keys and not loopback(environment.host):
        print(f"warning: {development_warning(config.keys, environment.host)}", file=sys.stderr, flush=True)
