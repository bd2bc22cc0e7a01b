"""The composition root: configuration in, one WSGI application out, or every mistake at once.

Nothing is opened per request and nothing is shared that a fork would break: under gunicorn with
``preload_app`` the application is made in the master, and each store makes its connections anew in
the worker that first needs them.
"""

import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from spyne import ServiceBase

from wsprovider.adapters.keys.folder import Loaded
from wsprovider.adapters.keys.source import SnapshotSource
from wsprovider.adapters.shared import open_store
from wsprovider.config.classes import import_classes
from wsprovider.config.demands import demands_of
from wsprovider.config.endpoints import asks_users, seals
from wsprovider.config.environment import process_environ, set_krb5_conf
from wsprovider.config.fitting import unmet
from wsprovider.config.load import load_provider
from wsprovider.config.model import TLS_CERTIFICATE, EndpointConfig, ProviderConfig, ServiceConfig
from wsprovider.config.problems import Problems
from wsprovider.conversation.contexts import Contexts
from wsprovider.exchange.recipient import Recipient
from wsprovider.exchange.settings import ConversationSettings
from wsprovider.exchange.sightings import Sightings
from wsprovider.policy.assigned import check_assigned
from wsprovider.policy.attach import attach_assigned
from wsprovider.ports import SharedState
from wsprovider.server import log, readiness, reports, wsdl
from wsprovider.server.application import Provider
from wsprovider.server.archives import Archives
from wsprovider.server.declared import Service, read_declared
from wsprovider.server.endpoint import Endpoint
from wsprovider.server.holdings import Holdings
from wsprovider.server.invoker import Invoker
from wsprovider.server.pages.served import page_of
from wsprovider.server.partners import PartnerBook
from wsprovider.server.settings import application_of, second_engine, settings_of
from wsprovider.server.tickets import TicketKeyrings, established
from wsprovider.server.user_stores import UserStores
from wsprovider.server.watch import Watch
from wsprovider.server.wear import Wear
from wsprovider.words.dialects import DIALECTS
from wsprovider.words.errors import BackendError

SHARED: Final = "sqlite:///var/shared.sqlite3"
"""The shared store of services declared in Python, unless they name another."""


def create_app(
    services: str | Path | ProviderConfig | Sequence[Service],
    *,
    keys: str | Path | None = None,
    shared: str = SHARED,
    trusted_proxies: Sequence[str] = (),
    client_certificate_header: str | None = None,
    public_url: str | None = None,
    metrics: bool = False,
    index: bool = False,
    krb5_conf: str | Path | None = None,
    guessing: Mapping[str, Any] | None = None,
    monitor: Mapping[str, Any] | None = None,
    tracing: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Provider:
    """Make the WSGI application.

    Args:
        services: the services folder, or services declared in Python, or configuration that was read
            already.
        keys: the keys folder; None: what ``provider.toml`` or the environment says, or ``keys``.
        shared: the shared store's URL, for services declared in Python; folders say this and the next
            nine in ``provider.toml``.
        trusted_proxies: networks whose forwarded-protocol header counts.
        client_certificate_header: in which those pass on the client's certificate.
        public_url: base URL that the WSDLs name.
        metrics: ``/metrics`` is answered.
        index: ``/`` lists the endpoints.
        krb5_conf: what libkrb5 reads instead of ``/etc/krb5.conf``, in the whole process.
        guessing: what ``[guessing]`` says of wrong passwords.
        monitor: what ``[monitor]`` says of the bind that gunicorn's master tells of all workers at.
        tracing: a span is made of each request.
        environ: the environment to read instead of the process's own.

    Raises:
        ConfigurationError: with everything that is wrong; nothing was started then.
    """
    if isinstance(services, ProviderConfig):
        config = services
    elif isinstance(services, str | Path):
        folder = None if keys is None else Path(keys)
        config = load_provider(Path(services), folder, load_classes=load_classes, environ=environ)
    else:
        _use(krb5_conf)
        config = read_declared(
            services,
            keys=Path(keys or "keys"),
            shared=shared,
            environ=process_environ(environ),
            trusted_proxies=trusted_proxies,
            client_certificate_header=client_certificate_header,
            public_url=public_url,
            metrics=metrics,
            index=index,
            guessing=guessing,
            monitor=monitor,
            tracing=tracing,
        )
    return _Composition(config, process_environ(environ)).provider()


def secure(
    application: Any,
    *,
    keys: str | Path = "keys",
    shared: str = SHARED,
    trusted_proxies: Sequence[str] = (),
    client_certificate_header: str | None = None,
    public_url: str | None = None,
    krb5_conf: str | Path | None = None,
    guessing: Mapping[str, Any] | None = None,
    tracing: bool = False,
    environ: Mapping[str, str] | None = None,
    **settings: Any,
) -> Provider:
    """Put message security in front of a Spyne application that somebody has already.

    Its protocols are exchanged for ours, for good: it can be served in no other way afterwards. Its
    services, events, name and namespace stay.

    Args:
        application: a ``spyne.Application`` with Spyne's own SOAP protocols.
        keys: the keys folder.
        shared: the shared store's URL.
        trusted_proxies: networks whose forwarded-protocol header counts.
        client_certificate_header: in which those pass on the client's certificate.
        public_url: base URL that the WSDL names.
        krb5_conf, guessing, tracing: as for :func:`create_app`.
        environ: the environment to read instead of the process's own.
        settings: as in ``service.toml``: ``path``, ``scenario`` or ``policy``, ``trust``, ``users``, ...

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    _use(krb5_conf)
    name = str(application.name)
    classes = tuple(application.services)
    declared = Service(name, classes, {"namespace": str(application.tns), **settings})
    config = read_declared(
        [declared],
        keys=Path(keys),
        shared=shared,
        environ=process_environ(environ),
        trusted_proxies=trusted_proxies,
        client_certificate_header=client_certificate_header,
        public_url=public_url,
        guessing=guessing,
        tracing=tracing,
    )
    composition = _Composition(config, process_environ(environ), applications={name: application})
    return composition.provider()


def load_classes(path: Path, label: str) -> tuple[type, ...]:
    """Import a ``service.py``; see :func:`wsprovider.config.classes.import_classes`."""
    return import_classes(path, label, base=ServiceBase)


def _use(krb5_conf: str | Path | None) -> None:
    if krb5_conf is not None:
        set_krb5_conf(Path(krb5_conf))


class _Composition:
    """One build: what several endpoints share is made once."""

    def __init__(
        self,
        config: ProviderConfig,
        environ: Mapping[str, str],
        applications: Mapping[str, Any] | None = None,
    ) -> None:
        self._config = config
        self._environ = environ
        self._applications = dict(applications or {})
        self._problems = Problems()
        self._sources: dict[tuple[Any, ...], SnapshotSource] = {}
        self._holdings = Holdings()
        self._archives = Archives()
        self._users = UserStores(config, self._holdings, environ)
        self._watch = Watch(
            self._holdings, clock=reports.now, monotonic=time.monotonic, tls=_served_certificate(config)
        )
        self._tickets = TicketKeyrings(config.keys, environ)
        self._partners = PartnerBook(config, environ)
        self._store: SharedState | None = None
        self._sightings: Sightings | None = None
        self._conversations = False

    def provider(self) -> Provider:
        """Build everything.

        Raises:
            ConfigurationError: every endpoint's problems.
        """
        for warning in self._config.warnings:
            log.start.warning("%s", log.sentence(warning))
        with self._problems.collecting():
            self._store = self._open_store()
        if self._store is not None:
            self._sightings = Sightings(
                self._store,
                monotonic=time.monotonic,
                every=self._config.seen_every,
                on_failure=reports.use_not_noted,
            )
            self._sightings.begin(reports.now())
        try:
            return self._provider()
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        self._archives.close()
        if self._store is not None:
            self._store.close()

    def _provider(self) -> Provider:
        endpoints: list[Endpoint] = []
        for service in self._config.services:
            with self._problems.collecting():
                endpoints.extend(self._endpoints(service))
        with self._problems.collecting():
            self._partners.follow(self._holdings.groups, self._users.knows)
        self._holdings.add(self._partners)
        self._problems.raise_any()
        store, sightings = self._store, self._sightings
        if store is None or sightings is None:
            raise RuntimeError("a problem was found and not raised")
        for keytab in self._tickets.followed():
            self._holdings.add(keytab)
        services = frozenset(service.name for service in self._config.services)
        return Provider(
            endpoints,
            trusted_proxies=self._config.trusted_proxies,
            client_certificate_header=self._config.client_certificate_header,
            health={"shared store": partial(reports.check_store, store), **self._archives.health()},
            publish_metrics=self._config.metrics,
            publish_index=self._config.index,
            contexts=partial(reports.count_contexts, store) if self._conversations else None,
            wear=Wear(self._config.refused_bytes),
            degraded={"keys": lambda: self._holdings.refused() > 0},
            **readiness.of(self._config, store, self._holdings),
            monitor=self._config.monitor,
            tracing=self._config.tracing,
            watch=partial(self._watch.look, store),
            key_metrics=partial(reports.gauges, self._config, store, self._holdings, sightings, services),
            close=self._close,
        )

    def _open_store(self) -> SharedState | None:
        try:
            return open_store(self._config.shared, max_entries=self._config.replay_entries)
        except BackendError as error:
            self._problems.add("shared", f"the store cannot be opened: {error}")
            return None

    def _endpoints(self, service: ServiceConfig) -> list[Endpoint]:
        invoker = Invoker(self._application(service))
        built: list[Endpoint] = []
        for config in service.endpoints:
            with self._problems.collecting(config.where):
                endpoint = self._endpoint(service, config, invoker)
                if endpoint is not None:
                    built.append(endpoint)
        return built

    def _application(self, service: ServiceConfig) -> Any:
        return self._applications.get(service.name) or application_of(service)

    def _endpoint(self, service: ServiceConfig, config: EndpointConfig, invoker: Invoker) -> Endpoint | None:
        demands = demands_of(config.policy)
        sealing = seals(config, demands)
        keys = self._keys(config, ring=demands.ring or sealing, trust=demands.trust, sealing=sealing)
        if demands.ring:
            keys.demand(partial(unmet, config))
        users = self._users.users(config, self._problems) if asks_users(config, demands) else None
        if self._store is None or self._sightings is None:
            return None
        settings = settings_of(
            service.name,
            config,
            invoker,
            kerberos=self._tickets.settings(config),
            public=config.public_url or self._config.public_url,
            remember=self._config.remember,
        )
        one_way = {one.name: one.one_way for one in invoker.operations.values()}
        check_assigned(config.policies, one_way, config.unprotected, config.where)
        recipient = Recipient(
            config.policies,
            settings,
            keys=keys,
            users=users,
            replay=self._store,
            clock=reports.now,
            entropy=os.urandom,
            contexts=self._contexts(keys, config.conversation) if demands.conversation else None,
            tickets=self._tickets.acceptor(config),
            established=established(config, self._store, lambda: keys.loaded().seals),
            second_opinion=second_engine() if config.crosscheck else None,
            guesses=self._users.guesses(config, self._store),
            partners=self._partners,
        )
        self._partners.serve(config, recipient, keys)
        dialect = DIALECTS[config.dialect]
        document = wsdl.build(
            invoker.application,
            invoker.operations,
            path=config.path,
            bases=wsdl.BaseUrls(
                config.public_url or self._config.public_url,
                self._config.http_url,
                self._config.https_url,
                demands.https,
            ),
            attach=lambda root: attach_assigned(root, config.policies, one_way, dialect),
        )
        return Endpoint(
            name=settings.name,
            service=service.name,
            path=config.path,
            scenario=config.scenario,
            recipient=recipient,
            invoker=invoker,
            message_bytes=config.limits.message_bytes,
            wsdl=document,
            note=self._sightings.note,
            crosschecked=config.crosscheck,
            http_basic=demands.http_basic,
            page=page_of(settings.name, config, recipient.openings.assignments, invoker, document, keys),
            archive=self._archives.of(service, config, recipient, lambda: keys.loaded().seals),
        )

    def _contexts(self, keys: SnapshotSource, settings: ConversationSettings) -> Contexts:
        """The security contexts of one endpoint, sealed under its ring."""
        if self._store is None:
            raise RuntimeError("a problem was found and not raised")
        self._conversations = True
        return Contexts(
            self._store,
            lambda: keys.loaded().seals,
            os.urandom,
            unused=settings.unused,
            per_owner=settings.per_owner,
            contexts=settings.contexts,
            unsigned_calls=settings.unsigned_calls,
        )

    def _keys(self, config: EndpointConfig, *, ring: bool, trust: bool, sealing: bool) -> SnapshotSource:
        """The keys of endpoints with the same ring, trust and limits; followed as the folder changes."""
        wanted = (config.ring if ring else None, config.trust if trust else (), config.limits, sealing)
        if wanted not in self._sources:
            source = self._sources[wanted] = SnapshotSource(
                self._config.keys,
                wanted[0],
                wanted[1],
                limits=config.limits,
                environ=self._environ,
                clock=reports.now,
                monotonic=time.monotonic,
                sealing=sealing,
                on_swap=self._keys_swapped,
                on_failure=reports.keys_refused,
            )
            self._holdings.add_keys(source)
        return self._sources[wanted]

    def _keys_swapped(self, loaded: Loaded) -> None:
        reports.keys_swapped(loaded)
        self._watch.again()


def _served_certificate(config: ProviderConfig) -> Path | None:
    """Of HTTPS, where ``wsprovider serve`` has started this process."""
    if config.https_url is None:
        return None
    return config.keys / (config.tls_certificate or TLS_CERTIFICATE)
