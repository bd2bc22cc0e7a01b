"""An endpoint set up for one message: as the server sets it up, over stores in which nothing is changed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wsprovider.adapters.keys.folder import Loaded, load_snapshot
from wsprovider.adapters.keys.partners import Surroundings, read_partners
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.adapters.keys.reading import MaterialError, Reader
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.adapters.users.opening import open_users
from wsprovider.cli.messages import Message
from wsprovider.cli.services import scenario_name
from wsprovider.cli.stores import opened
from wsprovider.config.demands import demands_of
from wsprovider.config.endpoints import asks_users, seals
from wsprovider.config.model import EndpointConfig, ProviderConfig, ServiceConfig
from wsprovider.conversation.contexts import Contexts
from wsprovider.exchange.initiator import Initiator
from wsprovider.exchange.recipient import Recipient
from wsprovider.exchange.transport import Transport
from wsprovider.explain.explaining import created_of
from wsprovider.explain.overlay import Overlay
from wsprovider.explain.report import Fact
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.policy.requirements import Requirements
from wsprovider.ports import Records, Users
from wsprovider.server.invoker import Invoker
from wsprovider.server.partners import places_of
from wsprovider.server.settings import application_of, second_engine, settings_of
from wsprovider.server.tickets import TicketKeyrings, established
from wsprovider.words.errors import BackendError, ConfigurationError, Problem
from wsprovider.words.limits import Limits

_SERVICE = "service"


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One endpoint at one moment.

    Attributes:
        facts: what the report tells of it.
    """

    recipient: Recipient
    loaded: Loaded
    transport: Transport
    now: datetime
    facts: tuple[Fact, ...]

    @property
    def limits(self) -> Limits:
        """The budgets of a message here."""
        return self.recipient.settings.limits


@contextmanager
def at_endpoint(
    config: ProviderConfig,
    environ: Mapping[str, str],
    *,
    service: str,
    path: str | None,
    message: Message,
    at: datetime | None,
    by_message: bool,
    secure: bool | None,
    tls_client: Path | None,
    authorization: str | None = None,
) -> Iterator[Endpoint]:
    """Set an endpoint up.

    Args:
        message: that is explained.
        at: what the clock says; None: now.
        by_message: the clock is set by the message's own Timestamp.
        secure: it came by TLS; None: as the policy wants it.
        tls_client: the certificate of TLS client authentication.
        authorization: the request's header of that name.

    Raises:
        ConfigurationError: everything that does not work.
        BackendError: a store did not answer.
    """
    of, one = _chosen(config, service, path)
    demands = demands_of(one.policy)
    now, clock = _clock(message if by_message else None, at, one.limits)
    sealing = seals(one, demands)
    loaded = load_snapshot(
        config.keys,
        one.ring if demands.ring or sealing else None,
        one.trust if demands.trust else (),
        limits=one.limits,
        now=datetime.now(UTC),  # what a running server would hold, whatever the message's clock says
        environ=environ,
    )
    invoker = Invoker(application_of(of))
    tickets = TicketKeyrings(config.keys, environ)
    public = one.public_url or config.public_url
    settings = settings_of(
        of.name, one, invoker, kerberos=tickets.settings(one), public=public, remember=config.remember
    )
    around = Surroundings(places_of(config, {}))  # what it speaks of was checked at start
    partners = read_partners(Reader(config.keys, environ), around).partners
    wanting = demands.conversation or one.kerberos.later_messages
    secured = demands.https if secure is None else secure
    transport = Transport(secured, "", _certificate(tls_client), authorization if secured else None)
    asked = one.users if asks_users(one, demands) else None
    with _records(config.shared, wanting=wanting) as (records, told), _users(config, asked, environ) as users:
        recipient = Recipient(
            one.policies,
            settings,
            keys=lambda: loaded.snapshot,
            users=users,
            replay=MemoryStore(),
            clock=lambda: now,
            entropy=os.urandom,
            contexts=_contexts(records, loaded, one) if demands.conversation else None,
            tickets=tickets.acceptor(one),
            established=established(one, records, lambda: loaded.seals),
            second_opinion=second_engine() if one.crosscheck else None,
            partners=lambda: partners,
        )
        by = "TLS" if transport.secure else "plain HTTP"
        facts = (
            ("service", f"{of.name}, {one.path}: {scenario_name(one)}"),
            ("clock", clock),
            ("transport", f"{by}{' (as the policy wants it)' if secure is None else ''}"),
            *told,
        )
        yield Endpoint(recipient, loaded, transport, now, facts)


def _chosen(config: ProviderConfig, name: str, path: str | None) -> tuple[ServiceConfig, EndpointConfig]:
    service = next((one for one in config.services if one.name == name), None)
    if service is None:
        known = ", ".join(one.name for one in config.services)
        raise ConfigurationError([Problem("--service", f"there is no service {name!r}; there are: {known}")])
    found = [one for one in service.endpoints if path in (None, one.path)]
    if len(found) != 1:
        paths = ", ".join(one.path for one in service.endpoints)
        what = "name one of" if path is None else f"{name!r} has no {path!r}; it has"
        raise ConfigurationError([Problem("--path", f"{what}: {paths}")])
    return service, found[0]


def _clock(message: Message | None, at: datetime | None, limits: Limits) -> tuple[datetime, str]:
    """What the clock says, and by whose word."""
    if at is not None:
        return at, f"{_told(at)}, as --at says"
    created = None if message is None else created_of(message.body, limits)
    if created is not None:
        return created, f"{_told(created)}, when the message says it was made"
    now = datetime.now(UTC).replace(microsecond=0)
    unreadable = "" if message is None else ": the message's own Timestamp cannot be read"
    return now, f"{_told(now)}, now{unreadable}"


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


@contextmanager
def _records(url: str, *, wanting: bool) -> Iterator[tuple[Records, tuple[Fact, ...]]]:
    """The records of running servers, which stay as they are; none where they cannot be looked into."""
    if not wanting:
        yield Overlay(None), ()
        return
    with ExitStack() as stack:
        under: Records | None = None
        told: tuple[Fact, ...] = ()
        try:
            under = stack.enter_context(opened(url, "the message is explained without it"))
        except (ConfigurationError, BackendError) as error:
            told = (("shared store", f"not at hand, so no context or ticket is known: {error}"),)
        yield Overlay(under), told


@contextmanager
def _users(config: ProviderConfig, name: str | None, environ: Mapping[str, str]) -> Iterator[Users | None]:
    """The user store of that name; none where there is no name."""
    if name is None:
        yield None
        return
    with closing(open_users(config.keys, name, environ=environ)) as users:
        yield users


def _contexts(records: Records, loaded: Loaded, one: EndpointConfig) -> Contexts:
    conversation = one.conversation
    return Contexts(
        records,
        lambda: loaded.seals,
        os.urandom,
        unused=conversation.unused,
        per_owner=conversation.per_owner,
        contexts=conversation.contexts,
        unsigned_calls=conversation.unsigned_calls,
    )


def _certificate(path: Path | None) -> Certificate | None:
    if path is None:
        return None
    try:
        return load_certificates(path.read_bytes())[0]
    except (OSError, MaterialError) as error:
        raise ConfigurationError([Problem("--tls-client", str(error))]) from None


def initiator(
    endpoint: Endpoint, requirements: Requirements, client: Path | None, password: str
) -> Initiator:
    """Whoever sent the request, as far as we can tell.

    Args:
        client: PKCS#12 file with the client's key; None: replies that are encrypted to it stay closed.
        password: of that file.

    Raises:
        ConfigurationError: the file cannot be used.
    """
    ring = Ring("client", ())
    if client is not None:
        try:
            key, certificate, chain = load_bundle(client.read_bytes(), password.encode())
        except (OSError, MaterialError) as error:
            raise ConfigurationError([Problem("--client", str(error))]) from None
        ring = Ring("client", (RingKey(KeyPair("client", certificate, key, chain), frozenset(Purpose)),))
    ours = tuple(key.pair.certificate for key in endpoint.loaded.snapshot.ring.keys)
    groups = (PinnedGroup(_SERVICE, (Partner(_SERVICE, ours),)),) if ours else ()
    snapshot = RingSnapshot(ring, Trust(groups, endpoint.limits), "1")
    return Initiator(
        requirements,
        "explain",
        keys=lambda: snapshot,
        clock=lambda: endpoint.now,
        entropy=os.urandom,
        partner=_SERVICE,
        freshness=endpoint.recipient.settings.freshness,
        limits=endpoint.limits,
    )
