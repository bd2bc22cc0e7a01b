"""``wsprovider attack``: a service's self-test: variants of its own good message that it must refuse.

The policy, the limits and the service's certificate come from this machine's configuration; who calls is said as for
``wsprovider call``. One request is sent after the other, none of them large. Nothing is sent to a host that is not this
machine, unless ``--host`` names it again. Only attack a service that you run yourself.

Exit codes: 0: all were refused; 1: findings; 2: the command line or the configuration is wrong; 3: no verdict, as good
messages are not accepted.
"""

import argparse
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree
from spyne import Application
from spyne.protocol.soap import Soap11

from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.adapters.users.development import PASSWORD
from wsprovider.attack.caller import Caller, Ourselves
from wsprovider.attack.catalogue import GROUPS, VARIANTS
from wsprovider.attack.line import Line
from wsprovider.attack.report import document, junit, line, lines
from wsprovider.attack.runner import Row, Runner
from wsprovider.attack.variants import Variant
from wsprovider.cli.addresses import loopback
from wsprovider.cli.calling import (
    add_caller,
    asks_certificates,
    authorization_of,
    body_of,
    client_pair,
    credentials_of,
    snapshot_of,
    tickets_of,
    tls_of,
)
from wsprovider.cli.folders import add_folders, environ_of, load
from wsprovider.cli.printing import complain, say
from wsprovider.config.demands import Demands, demands_of
from wsprovider.config.model import EndpointConfig, ProviderConfig, ServiceConfig
from wsprovider.exchange.settings import Operation
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.outbound.message import Credentials
from wsprovider.policy.compile import compile_operation
from wsprovider.policy.requirements import UNPROTECTED
from wsprovider.server.interface import operations_of
from wsprovider.words.errors import ConfigurationError, Problem, WsproviderError

_NO_VERDICT: Final = 3
_USAGE: Final = 2
_RATE: Final = 50.0
_SLOW: Final = 1.0
_DEVELOPMENT: Final = "development"


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "attack",
        help="test that a running service of ours refuses what it must",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("url", nargs="?", help="the endpoint's address")
    command.add_argument(
        "operation", nargs="?", help="operation that good messages call (default: the first one)"
    )
    command.add_argument("fields", nargs="*", metavar="NAME=VALUE", help="the operation's parameters")
    command.add_argument("--service", metavar="NAME", help="the service's name: its folder's")
    command.add_argument(
        "--host", metavar="NAME", help="the URL's host once more, where it is not this machine: it is meant"
    )
    command.add_argument(
        "--only", metavar="ENTRIES", help="groups or entries of the catalogue, such as A,E or J01"
    )
    command.add_argument("--list", action="store_true", help="list the variants, and send nothing")
    command.add_argument("--verbose", action="store_true", help="print each variant as it is answered")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON, too")
    command.add_argument("--junit", type=Path, metavar="FILE", help="write the report as JUnit's XML, too")
    command.add_argument(
        "--rate", type=_positive, default=_RATE, help="requests a second, at most (default: %(default)s)"
    )
    command.add_argument(
        "--slow",
        type=_positive,
        default=_SLOW,
        metavar="SECONDS",
        help="that an answer may take in any case (default: %(default)s)",
    )
    command.add_argument(
        "--service-certificate", type=Path, metavar="FILE", help="the service's (default: its ring's)"
    )
    add_folders(command)
    add_caller(command, client=None, ca=None)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Send the variants, print the report."""
    variants = chosen(options.only)
    if options.list:
        for variant in variants:
            say(f"{variant.name} ({variant.sender.value})")
        return 0
    try:
        return _attack(options, variants)
    except ConfigurationError:
        raise
    except OSError as error:
        complain(f"wsprovider: {error}")
        return _USAGE
    except WsproviderError as error:
        complain(f"wsprovider: no verdict: {error}")
        return _NO_VERDICT


def _attack(options: argparse.Namespace, variants: tuple[Variant, ...]) -> int:
    url = consented(options.url, options.host)
    for name, file in (("--json", options.json), ("--junit", options.junit)):
        if file is not None and not file.parent.is_dir():
            raise ConfigurationError([Problem(name, f"the folder {file.parent} does not exist: make it")])
    environ = environ_of(options)
    config = load(environ, backed=False)
    service = _service(config, options.service)
    endpoint = endpoint_at(service, url)
    ourselves = _ourselves(options, config, service, endpoint, url, environ)
    tls = tls_of(options.ca or config.keys / _DEVELOPMENT / "ca.pem")
    authorization = authorization_of(ourselves.demanded, ourselves.credentials, url)
    wire = Line(url, tls, rate=options.rate, authorization=authorization)
    tell: Callable[[Row], None] = (lambda row: say(line(row))) if options.verbose else (lambda _: None)
    report = Runner(Caller(ourselves), wire.post, slow=options.slow, tell=tell).run(variants)
    if options.json is not None:
        options.json.write_text(document(report), encoding="utf-8")
    if options.junit is not None:
        options.junit.write_bytes(junit(report, f"wsprovider.attack.{service.name}"))
    for told in lines(report):
        say(told)
    return report.exit_code


def chosen(only: str | None) -> tuple[Variant, ...]:
    """The variants of some groups or entries; None: all of them.

    Raises:
        ConfigurationError: there are none of such a name.
    """
    if only is None:
        return VARIANTS
    names = [name.strip().upper() for name in only.split(",")]
    unknown = [name for name in names if not any(name and one.entry.startswith(name) for one in VARIANTS)]
    if unknown:
        what = f"has no entry {', '.join(repr(name) for name in unknown)}; the groups are {', '.join(GROUPS)}"
        raise ConfigurationError([Problem("--only", what)])
    return tuple(one for one in VARIANTS if one.entry.startswith(tuple(names)))


def consented(url: str | None, host: str | None) -> str:
    """A URL that may be attacked: of this machine, or of a host that was named again.

    Raises:
        ConfigurationError: it is not; nothing was connected to yet.
    """
    try:
        parts = urlsplit(url or "")
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if not usable or parts.query or parts.fragment or parts.username is not None:
        what = "name the endpoint's address, such as http://localhost:8080/echo/integrity"
        raise ConfigurationError([Problem(url or "URL", what)])
    name = parts.hostname or ""
    if not loopback(name) and (host or "").lower() != name:
        what = f"is not this machine: to attack a service of yours there, say --host {name}"
        raise ConfigurationError([Problem(url or "URL", what)])
    return parts.geturl()


def _service(config: ProviderConfig, name: str | None) -> ServiceConfig:
    for service in config.services:
        if service.name == name:
            return service
    known = ", ".join(service.name for service in config.services)
    what = "is missing" if name is None else f"there is no service {name!r}"
    raise ConfigurationError([Problem("--service", f"{what}; name one of: {known}")])


def endpoint_at(service: ServiceConfig, url: str) -> EndpointConfig:
    """The endpoint whose path is the URL's, or ends it, where a proxy puts something before it.

    Raises:
        ConfigurationError: the service has none.
    """
    path = urlsplit(url).path
    fitting = [endpoint for endpoint in service.endpoints if path.endswith(endpoint.path)]
    if not fitting:
        known = ", ".join(endpoint.path for endpoint in service.endpoints)
        raise ConfigurationError([Problem(url, f"{service.name} has no such path; it has: {known}")])
    endpoint = max(fitting, key=lambda one: len(one.path))
    if demands_of(endpoint.policy).https and urlsplit(url).scheme != "https":
        raise ConfigurationError([Problem(url, "the policy wants TLS: name the endpoint's https URL")])
    return endpoint


def _ourselves(
    options: argparse.Namespace,
    config: ProviderConfig,
    service: ServiceConfig,
    endpoint: EndpointConfig,
    url: str,
    environ: Mapping[str, str],
) -> Ourselves:
    demands = demands_of(endpoint.policy)
    operation = _operation(service, options.operation)

    def body() -> etree._Element:
        return body_of(service.namespace, operation.name, options.fields)

    body()  # a field that is none is said before anything is sent
    demanded, *_ = compile_operation(
        operation.name, endpoint.policies.of(operation.name, one_way=operation.one_way), endpoint.where
    )
    if demanded is UNPROTECTED:
        what = "is unprotected: anybody may call it, and there is nothing to attack; name another operation"
        raise ConfigurationError([Problem(f"operation {operation.name}", what)])
    return Ourselves(
        demanded,
        f"{endpoint.public_url}{endpoint.path}" if endpoint.public_url else url,
        body=body,
        action=operation.action,
        keys=_keys(options, config, endpoint, demands, environ),
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        secure=urlsplit(url).scheme == "https",
        credentials=_credentials(options, config, demands),
        tickets=tickets_of(endpoint.policy, options),
        freshness=endpoint.freshness,
        limits=endpoint.limits,
    )


def _operation(service: ServiceConfig, name: str | None) -> Operation:
    protocols = {"in_protocol": Soap11(), "out_protocol": Soap11()}
    application = Application(service.service_classes, tns=service.namespace, name="Attack", **protocols)
    found = {operation.name: operation for operation in operations_of(application).values()}
    operation = found.get(name or next(iter(found), ""))
    if operation is None:
        what = f"{service.name} has no operation {name!r}; it has: {', '.join(found) or 'none'}"
        raise ConfigurationError([Problem("operation", what)])
    return operation


def _keys(
    options: argparse.Namespace,
    config: ProviderConfig,
    endpoint: EndpointConfig,
    demands: Demands,
    environ: Mapping[str, str],
) -> RingSnapshot:
    """Our key where callers have certificates, and the service's certificates where it has some."""
    client = options.client or config.keys / _DEVELOPMENT / "client-1.p12"
    pair = client_pair(client) if demands.trust else None
    if not asks_certificates(endpoint.policy) or not demands.ring:
        return snapshot_of(pair, ())
    return snapshot_of(pair, _certificates(options.service_certificate, config, endpoint, environ))


def _certificates(
    file: Path | None, config: ProviderConfig, endpoint: EndpointConfig, environ: Mapping[str, str]
) -> tuple[Certificate, ...]:
    """The service's, out of a file or its ring."""
    if file is not None:
        try:
            return tuple(load_certificates(file.read_bytes())[:1])
        except (OSError, MaterialError) as error:
            raise ConfigurationError([Problem("--service-certificate", str(error))]) from None
    now = datetime.now(UTC)
    loaded = load_snapshot(config.keys, endpoint.ring, (), limits=endpoint.limits, now=now, environ=environ)
    return loaded.snapshot.ring.published(now)


def _credentials(options: argparse.Namespace, config: ProviderConfig, demands: Demands) -> Credentials | None:
    """Whose the operator names, or those of the development users."""
    if not demands.users:
        return None
    digest = options.digest or demands.clear_passwords
    if options.user is None and (config.keys / _DEVELOPMENT).is_dir():
        return Credentials("alice", PASSWORD, digest=digest)
    found = credentials_of(options)
    if found is None:
        raise ConfigurationError([Problem("--user", "is missing: the policy asks for a user name")])
    return Credentials(found.username, found.password, digest=digest)


def _positive(value: str) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError(value)
    return number
