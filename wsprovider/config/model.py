"""What configuration is, once read: plain frozen values that name no file and need no second look."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared.terms import MAX_ENTRIES
from wsprovider.config.kerberos import TicketKeys
from wsprovider.config.monitor import Monitor
from wsprovider.exchange.guessing.settings import GuessingSettings
from wsprovider.exchange.settings import ConversationSettings, Freshness, KerberosSettings
from wsprovider.policy.assigned import Assigned
from wsprovider.policy.model import Policy
from wsprovider.words.limits import Limits

REFUSED_BYTES: Final = 256_000_000
"""Bytes of refused messages after which a worker is replaced (docs/decisions/0045)."""

TLS_CERTIFICATE: Final = "tls/server.cert.pem"
"""Where in the keys folder the certificate for HTTPS is, unless provider.toml says."""

SEEN_EVERY: Final = 60
"""Seconds between two writes of when one certificate was last used for one thing."""

REPLAY_ENTRIES: Final = MAX_ENTRIES


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """One address of a service under one policy.

    Attributes:
        where: file and table it was read from, such as ``services/echo/service.toml: endpoint[2]``.
        path: URL path, such as ``/echo/integrity``.
        policy: every alternative of whatever is enforced: what keys, trust and users are needed for.
        assigned: which operation has which policy; None: all have that one.
        unprotected: operations that are meant to have none.
        scenario: the scenario's slug, or None for a policy document of the developer's own.
        ring: name of the key ring below the keys folder.
        trust: names of trust groups below ``keys/trust``.
        users: the user store, such as ``users.toml`` (relative to the keys folder); None where the
            policy needs none.
        roles: any one of them lets a caller in.
        partners_required: callers who are none of the partners are refused.
        conversation: of security contexts; to no effect where the policy has none.
        kerberos: of tickets; to no effect where the policy takes none. No realms: those of our keytab.
        ticket_keys: what opens tickets; None where the policy takes none.
        dialect: ``200702`` or ``200507``: the WS-SecurityPolicy that the WSDL publishes.
        public_url: absolute base URL that the WSDL names, the process's default already counted in; None:
            as the request came.
        page: a browser is shown what this is, and how to call it.
        archive: where accepted messages and their replies are kept: a folder, or the URL of a SQL database; None:
            nowhere.
        archive_days: for how long; None: for ever.
    """

    where: str
    path: str
    policy: Policy
    scenario: str | None
    ring: str = "service"
    trust: tuple[str, ...] = ()
    users: str | None = None
    roles: frozenset[str] = frozenset()
    partners_required: bool = False
    freshness: Freshness = field(default_factory=Freshness)
    limits: Limits = field(default_factory=Limits)
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    kerberos: KerberosSettings = field(default_factory=KerberosSettings)
    ticket_keys: TicketKeys | None = None
    dialect: str = "200702"
    clear_password_over_http: bool = False
    sender_fault_400: bool = False
    crosscheck: bool = False
    public_url: str | None = None
    archive: str | None = None
    archive_days: int | None = None
    page: bool = True
    assigned: Assigned | None = None
    unprotected: frozenset[str] = frozenset()

    @property
    def policies(self) -> Assigned:
        """What is enforced and published."""
        return self.assigned or Assigned(self.policy)

    def name_for(self, service: str) -> str:
        """The endpoint's name in logs, metrics and keys/partners.toml, such as ``echo/integrity``.

        Args:
            service: its service's name.
        """
        return self.path.lstrip("/") or service


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """A service: a Spyne service class and the endpoints it is served at.

    Attributes:
        name: the folder's name.
        service_classes: the Spyne ``ServiceBase`` subclasses that the folder's ``service.py`` holds.
        namespace: target namespace of the WSDL.
    """

    name: str
    namespace: str
    service_classes: tuple[type, ...]
    endpoints: tuple[EndpointConfig, ...]


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """The whole process.

    Attributes:
        keys: the keys folder.
        shared: URL of the shared store: ``memory:``, ``sqlite:///path`` or ``redis://...``.
        trusted_proxies: networks (CIDR) whose forwarded-protocol header counts.
        client_certificate_header: in which those pass on the client's certificate.
        public_url: default base URL for endpoints that set none.
        warnings: sentences to log at start (weak suites, CBC without a signature, ...).
        http_url, https_url: base URLs of the two listeners as ``wsprovider serve`` started them: what a
            WSDL names where nothing says public_url (transport bindings name https_url).
        metrics: ``/metrics`` is answered.
        refused_bytes: bytes of refused messages after which a worker is replaced.
        seen_every: seconds between two writes of when a certificate was last used.
        replay_entries: what ``memory:`` and ``sqlite:`` hold of what must not be accepted twice.
        development_keys: keys that ``wsprovider init`` made are in use.
        tls_certificate, tls_key: PEM files for HTTPS, relative to the keys folder; None:
            ``tls/server.cert.pem`` and ``tls/server.key.pem``.
        guessing: what wrong passwords cost.
        monitor: where gunicorn's master tells of all its workers.
        tracing: there is a span of each request.
        index: ``/`` lists the endpoints that have a page.
    """

    services: tuple[ServiceConfig, ...]
    keys: Path
    shared: str
    trusted_proxies: tuple[str, ...] = ()
    client_certificate_header: str | None = None
    public_url: str | None = None
    warnings: tuple[str, ...] = ()
    http_url: str | None = None
    https_url: str | None = None
    metrics: bool = False
    refused_bytes: int = REFUSED_BYTES
    seen_every: int = SEEN_EVERY
    tls_certificate: str | None = None
    tls_key: str | None = None
    development_keys: bool = False
    guessing: GuessingSettings = field(default_factory=GuessingSettings)
    replay_entries: int = REPLAY_ENTRIES
    index: bool = False
    monitor: Monitor = field(default_factory=Monitor)
    tracing: bool = False

    @property
    def skew(self) -> timedelta:
        """What clocks may differ by: as much as the strictest endpoint bears."""
        strictest = (endpoint.freshness.skew for one in self.services for endpoint in one.endpoints)
        return min(strictest, default=timedelta())

    @property
    def remember(self) -> timedelta:
        """How long an accepted message is remembered: until the most patient endpoint takes no copy of it."""
        patience = (endpoint.freshness.retention for one in self.services for endpoint in one.endpoints)
        return max(patience, default=timedelta())
