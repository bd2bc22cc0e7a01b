"""``services/provider.toml``: what is said once for the whole process. Every line of it has a default."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wsprovider.config.endpoints import read_base_url
from wsprovider.config.forwarding import certificate_header_mistake
from wsprovider.config.guessing import read_guessing
from wsprovider.config.model import REFUSED_BYTES, REPLAY_ENTRIES, SEEN_EVERY
from wsprovider.config.monitor import Monitor, read_monitor
from wsprovider.config.problems import Problems
from wsprovider.config.table import Table
from wsprovider.exchange.guessing.settings import GuessingSettings

FILE: Final = "provider.toml"

_KEYS: Final = frozenset(
    {
        "keys",
        "shared",
        "trusted_proxies",
        "client_certificate_header",
        "public_url",
        "metrics",
        "index",
        "refused_bytes",
        "seen_every",
        "replay_entries",
        "krb5_conf",
        "tls",
        "guessing",
        "monitor",
        "tracing",
    }
)
_SERVERS: Final = frozenset({"redis", "rediss", "unix"})
_STORES: Final = _SERVERS | {"memory", "sqlite"}


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """What provider.toml says.

    Attributes:
        keys: the keys folder it names, made absolute; None when it names none.
        shared: URL of the shared store; None for the default.
        trusted_proxies: networks whose forwarded-protocol header counts.
        client_certificate_header: in which those pass on the client's certificate.
        public_url: default base URL of every endpoint.
        metrics: whether ``/metrics`` is answered.
        index: whether ``/`` lists the endpoints.
        refused_bytes: bytes of refused messages after which a worker is replaced.
        seen_every: seconds between two writes of when a certificate was last used.
        replay_entries: what ``memory:`` and ``sqlite:`` hold of what must not be accepted twice.
        tls_certificate, tls_key: PEM files for HTTPS, relative to the keys folder.
        guessing: what wrong passwords cost.
        krb5_conf: what libkrb5 reads instead of ``/etc/krb5.conf``, made absolute.
        monitor: where the monitor is bound.
        tracing: whether there is a span of each request.
    """

    keys: Path | None = None
    shared: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    client_certificate_header: str | None = None
    public_url: str | None = None
    metrics: bool = False
    index: bool = False
    refused_bytes: int = REFUSED_BYTES
    seen_every: int = SEEN_EVERY
    replay_entries: int = REPLAY_ENTRIES
    tls_certificate: str | None = None
    tls_key: str | None = None
    krb5_conf: Path | None = None
    guessing: GuessingSettings = field(default_factory=GuessingSettings)
    monitor: Monitor = field(default_factory=Monitor)
    tracing: bool = False


def read_process(services: Path, problems: Problems) -> ProcessSettings:
    """Read provider.toml of a services folder; defaults when there is none."""
    path = services / FILE
    if not path.is_file():
        return ProcessSettings()
    table = Table.from_file(path, label=f"{services.name}/{FILE}", problems=problems)
    if table is None:
        return ProcessSettings()
    table.only(_KEYS, meant=FILE)
    tls = table.table("tls")
    tls.only({"certificate", "key"}, meant="[tls]")
    if ("certificate" in tls) != ("key" in tls):
        tls.problem(None, "needs both certificate and key")
    keys = table.text("keys")
    return ProcessSettings(
        keys=None if keys is None else (services / keys).resolve(),
        shared=_read_shared(table),
        trusted_proxies=_read_proxies(table),
        client_certificate_header=_read_certificate_header(table),
        public_url=read_base_url(table, "public_url"),
        metrics=table.flag("metrics"),
        index=table.flag("index"),
        refused_bytes=table.whole("refused_bytes", REFUSED_BYTES, lowest=1_000_000, highest=1 << 40),
        seen_every=table.whole("seen_every", SEEN_EVERY, lowest=1, highest=3600),
        replay_entries=_read_entries(table),
        tls_certificate=tls.text("certificate"),
        tls_key=tls.text("key"),
        krb5_conf=_read_krb5_conf(table, services),
        guessing=read_guessing(table.table("guessing")),
        monitor=read_monitor(table.table("monitor")),
        tracing=table.flag("tracing"),
    )


def _read_krb5_conf(table: Table, services: Path) -> Path | None:
    text = table.text("krb5_conf")
    if text is None:
        return None
    path = (services / text).resolve()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        table.problem("krb5_conf", f"{path} cannot be read: {error.strerror}")
        return None


def _read_shared(table: Table) -> str | None:
    text = table.text("shared")
    if text is None:
        return None
    if urlsplit(text).scheme not in _STORES:
        # the URL may hold a password: only its scheme is repeated
        what = f'names no store by "{text.partition(":")[0]}:"'
        table.problem("shared", f"{what}; write memory:, sqlite:///path or redis://host:port/number")
        return None
    return text


def _read_entries(table: Table) -> int:
    store = table.text("shared") or ""
    if "replay_entries" in table and urlsplit(store).scheme in _SERVERS:
        table.problem(
            "replay_entries", "is for sqlite: and memory:; say maxmemory in Redis' own configuration"
        )
    return table.whole("replay_entries", REPLAY_ENTRIES, lowest=100, highest=100_000_000)


def _read_proxies(table: Table) -> tuple[str, ...]:
    networks = []
    for text in table.texts("trusted_proxies"):
        if text == "unix":  # a proxy that speaks through a Unix socket
            networks.append(text)
            continue
        try:
            network = ipaddress.ip_network(text)
        except ValueError as error:
            table.problem("trusted_proxies", f"{error}; write an address or a network such as 10.0.0.0/8")
            continue
        if network.prefixlen == 0:
            table.problem("trusted_proxies", f'"{text}" trusts every address there is')
        networks.append(str(network))
    return tuple(networks)


def _read_certificate_header(table: Table) -> str | None:
    name = table.text("client_certificate_header")
    if name is None:
        return None
    mistake = certificate_header_mistake(name, table.texts("trusted_proxies"))
    if mistake is None:
        return name
    table.problem("client_certificate_header", mistake)
    return None
