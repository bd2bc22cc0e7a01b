"""A service and its partners in one process: the whole message path without HTTP, valid by default.

::

    world = World("sign-encrypt-username")        # or a Policy; suite="Basic256", soap=SOAP_12, ...
    exchange = world.call("hello")                # client -> service -> client
    exchange.request                              # bytes on the wire
    world.accept(exchange.request)                # raises what a tampered copy deserves

Keys come from :mod:`tests.simulator.pki` at its fixed moment; the clock is :attr:`World.now` and
moves only when a test moves it. Both engines check every message, wherever the second one can.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from typing import Any, Literal

from lxml import etree

from tests.simulator import pki
from tests.simulator.realm import Holder, Realm
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.config.demands import demands_of
from wsprovider.conversation.contexts import Contexts
from wsprovider.conversation.established import EstablishedTickets
from wsprovider.crypto.crosscheck import XmlsecOpinion
from wsprovider.exchange.crosschecking import cannot_check
from wsprovider.exchange.guessing.attempt import Guesses
from wsprovider.exchange.guessing.settings import GuessingSettings
from wsprovider.exchange.initiator import Initiator, Pending
from wsprovider.exchange.partners import NO_PARTNERS, Partners
from wsprovider.exchange.recipient import Recipient
from wsprovider.exchange.session import Asking, Session
from wsprovider.exchange.settings import Operation, RecipientSettings
from wsprovider.exchange.transport import Transport
from wsprovider.exchange.verified import VerifiedReply, VerifiedRequest
from wsprovider.header.username_token import password_digest
from wsprovider.inbound.context import SecondOpinion
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot, SealKey, SealKeys
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Algorithms, Block, Credentials
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import Parts, Policy
from wsprovider.policy.publish import in_conversation
from wsprovider.ports import Admission, Entropy, Records, SharedState, TicketSource, User, admit_all
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.version import SOAP_11, SoapVersion
from wsprovider.words.errors import ConfigurationError, SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES, Suite
from wsprovider.words.trust import WST_200512, TrustVersion

ECHO = "urn:wsprovider:echo"
ADDRESS = "http://service.example.org/echo"
OPERATION = Operation("echo", f"{{{ECHO}}}echo", f"{ECHO}/echo", f"{ECHO}/echoResponse")
OTHER_OPERATION = Operation("erase", f"{{{ECHO}}}erase", f"{ECHO}/erase", f"{ECHO}/eraseResponse")
SECURE = Transport(secure=True, peer="127.0.0.1")
PLAIN = Transport(secure=False, peer="127.0.0.1")
BOTH = frozenset({Purpose.SIGN, Purpose.DECRYPT})


Refusal = WSSecurityError | SoapError


@dataclass
class Passwords:
    """A user store of clear passwords."""

    users: dict[str, str] = field(default_factory=lambda: {"alice": "secret", "bob": "geheim"})
    roles: frozenset[str] = frozenset({"user"})
    knows_clear_passwords: bool = True

    def check_password(self, name: str, password: str, *, admit: Admission = admit_all) -> User:
        """See :class:`wsprovider.ports.Users`."""
        admit(remembered=False)
        user = self.find(name)
        if self.users[name] != password:
            raise WSSecurityError(Reason.PASSWORD_WRONG)
        return user

    def check_digest(
        self, name: str, digest: bytes, nonce: bytes, created: str, *, admit: Admission = admit_all
    ) -> User:
        """See :class:`wsprovider.ports.Users`."""
        admit(remembered=False)
        user = self.find(name)
        if password_digest(nonce, created, self.users[name]) != digest:
            raise WSSecurityError(Reason.PASSWORD_WRONG)
        return user

    def find(self, name: str) -> User:
        """See :class:`wsprovider.ports.Users`."""
        if name not in self.users:
            raise WSSecurityError(Reason.USER_UNKNOWN)
        record = repr((name, self.users[name], sorted(self.roles)))
        return User(name, self.roles, sha256(record.encode()).hexdigest()[:32])


@dataclass(frozen=True)
class Party:
    """A side of the exchange: its key, and whom it trusts."""

    issued: pki.Holder
    snapshot: RingSnapshot

    @property
    def certificate(self) -> Certificate:
        """The party's own certificate."""
        return self.issued.certificate


def party(issued: pki.Holder, *trusted: tuple[str, Certificate], limits: Limits | None = None) -> Party:
    """A party that holds one key and pins some certificates by name."""
    ring = Ring("ring", (RingKey(issued.pair("key"), BOTH),))
    group = PinnedGroup("peers", tuple(Partner(name, (certificate,)) for name, certificate in trusted))
    return Party(issued, RingSnapshot(ring, Trust((group,), limits or Limits()), "1"))


@cache
def authority() -> pki.Holder:
    """The authority of every certificate here."""
    return pki.authority("CN=Test CA")


def issued(name: str, kind: str = "rsa-2048") -> pki.Holder:
    """A party's key and certificate, the same for the same name and kind."""
    return _issued(name, kind)


@cache
def _issued(name: str, kind: str) -> pki.Holder:
    return authority().issue(f"CN={name},O=Tests", key=pki.key(kind, name))


@dataclass
class Exchange:
    """One call that went through."""

    pending: Pending
    verified: VerifiedRequest
    reply: bytes
    answer: VerifiedReply

    @property
    def request(self) -> bytes:
        """The request on the wire."""
        return self.pending.data

    @property
    def text(self) -> str | None:
        """What the service answered."""
        return result_of(self.answer)


class World:
    """A service under one policy, and a client of it."""

    def __init__(
        self,
        scenario: str | Policy,
        *,
        suite: str | Suite | None = None,
        soap: SoapVersion = SOAP_11,
        digest: bool = False,
        client_key: str = "rsa-2048",
        service_key: str = "rsa-2048",
        algorithms: Algorithms | None = None,
        opinion: SecondOpinion | Literal["wherever it can"] | None = "wherever it can",
        client_opinion: SecondOpinion | Literal["wherever it can"] | None = "wherever it can",
        trust: TrustVersion = WST_200512,
        store: SharedState | None = None,
        realm: Realm | None = None,
        entropy: Entropy = os.urandom,
        guessing: bool = True,
        partners: Partners = NO_PARTNERS,
        **settings: Any,
    ) -> None:
        self.entropy = entropy
        chosen = SUITES[suite] if isinstance(suite, str) else suite
        self.policy = scenario if isinstance(scenario, Policy) else find(scenario).policy(chosen)
        self.soap = soap
        self.now: datetime = pki.NOW
        service = issued("service", service_key)
        client, stranger = issued("client", client_key), issued("client-2")
        self.service = party(service, ("client", client.certificate), ("client-2", stranger.certificate))
        self.client = party(client, ("service", service.certificate))
        self.partners = partners
        self.store: SharedState = store or MemoryStore()
        self.users = Passwords()
        self.guesses = Guesses(self.store, GuessingSettings(), "users") if guessing else None
        transported = demands_of(self.policy).https
        self.transport = SECURE if transported else PLAIN
        engine = second_engine(self.policy, client_key, service_key)
        opinion = engine if opinion == "wherever it can" else opinion
        client_opinion = engine if client_opinion == "wherever it can" else client_opinion
        self.settings = RecipientSettings(
            "echo",
            {one.input: one for one in (OPERATION, OTHER_OPERATION)},
            "/echo",
            crosscheck=opinion is not None,
            **{"clear_password_over_http": False, **settings},
        )
        self.opinion = opinion
        self.seals = SealKeys((SealKey("seal", bytes(range(32))),))
        self.contexts = self.make_contexts()
        self.realm = realm or Realm()
        self.holder = Holder(self.realm)
        self.established = self.make_established()
        self.conversation = in_conversation(self.policy.alternatives[0])
        self.recipient = self.make_recipient(self.settings)
        self.initiator: Initiator | Session = self.make_initiator(
            credentials=Credentials("alice", "secret", digest=digest),
            algorithms=algorithms,
            opinion=client_opinion,
        )
        if self.conversation:
            self.session = self.initiator = self.make_session(
                credentials=Credentials("alice", "secret", digest=digest),
                algorithms=algorithms,
                second_opinion=client_opinion,
                trust=trust,
            )

    def make_recipient(self, settings: RecipientSettings) -> Recipient:
        """Another endpoint of the same service, sharing keys, users and replay store."""
        return Recipient(
            self.policy,
            settings,
            keys=lambda: self.service.snapshot,
            users=self.users,
            replay=self.store,
            clock=lambda: self.now,
            entropy=self.entropy,
            contexts=self.contexts,
            tickets=self.realm,
            established=self.established if settings.kerberos.later_messages else None,
            second_opinion=self.opinion,
            guesses=self.guesses,
            partners=lambda: self.partners,
        )

    def make_established(self) -> EstablishedTickets:
        """The tickets that were shown, as another worker knows them."""
        return EstablishedTickets(
            self.store, lambda: self.seals, self.entropy, per_owner=1_000, tickets=10_000
        )

    def make_contexts(self, store: Records | None = None) -> Contexts:
        """The contexts of another worker, over the same store."""
        settings = self.settings.conversation
        return Contexts(
            store or self.store,
            lambda: self.seals,
            self.entropy,
            unused=settings.unused,
            per_owner=settings.per_owner,
            contexts=settings.contexts,
            unsigned_calls=settings.unsigned_calls,
        )

    def make_session(self, party: "Party | None" = None, **arguments: Any) -> Session:
        """Another conversation, of the client or of somebody else."""
        caller = party or self.client
        arguments.setdefault("credentials", Credentials("alice", "secret"))
        arguments.setdefault("partner", "service")
        arguments.setdefault("address", ADDRESS)
        policy = arguments.pop("policy", self.policy)
        return Session(
            policy,
            "client",
            keys=lambda: caller.snapshot,
            clock=lambda: self.now,
            entropy=self.entropy,
            **arguments,
        )

    def open(self, session: Session | None = None) -> Session:
        """Have a session's context granted, the whole way."""
        session = session or self.session
        return self.ask(session, session.ask(version=self.soap))

    def ask(self, session: Session, asking: Asking) -> Session:
        """Carry out what a session asks for, the whole way."""
        session.take(asking, self.answer(asking.data), secure=self.transport.secure)
        return session

    def answer(self, message: bytes, **arguments: Any) -> bytes:
        """What the service answers to a request for a context."""
        verified = self.accept(message, **arguments)
        answered = self.recipient.answer(verified)
        assert answered is not None, "no request for a context"
        return answered.wire.data

    def refused_answer(self, message: bytes, **arguments: Any) -> Refusal:
        """Why a request for a context that is in order is not carried out."""
        try:
            self.answer(message, **arguments)
        except (WSSecurityError, SoapError) as error:
            return error
        raise AssertionError("the request was carried out")

    def make_initiator(
        self,
        party: "Party | None" = None,
        *,
        credentials: Credentials | None = None,
        algorithms: Algorithms | None = None,
        policy: Policy | None = None,
        partner: str | None = "service",
        opinion: SecondOpinion | None = None,
        tickets: TicketSource | None = None,
    ) -> Initiator:
        """Another caller: other keys, another user, other algorithms, or another idea of the policy."""
        caller = party or self.client
        return Initiator(
            policy or self.policy,
            "client",
            keys=lambda: caller.snapshot,
            clock=lambda: self.now,
            entropy=self.entropy,
            credentials=credentials or Credentials("alice", "secret"),
            partner=partner,
            algorithms=algorithms,
            second_opinion=opinion,
            tickets=tickets or self.holder,
        )

    def request(
        self,
        text: str = "hello",
        *,
        body: etree._Element | None = None,
        blocks: Sequence[Block] = (),
        headers: Sequence[etree._Element] = (),
        exact: bool = False,
    ) -> Pending:
        """A protected request."""
        content = echo_body(self.soap, text) if body is None else body
        if self.conversation and self.session.context is None:
            self.open()
        return self.initiator.request(content, version=self.soap, blocks=blocks, headers=headers, exact=exact)

    def accept(self, message: bytes, **arguments: Any) -> VerifiedRequest:
        """What the service makes of a request."""
        arguments.setdefault("transport", self.transport)
        return self.recipient.accept(message, version=self.soap, **arguments)

    def refused(self, message: bytes, **arguments: Any) -> Refusal:
        """The refusal of a message; fails when it is accepted, or leaves a trace."""
        before = self.state()
        try:
            self.accept(message, **arguments)
        except (WSSecurityError, SoapError) as error:
            assert self.state() == before, "a refused message changed state"
            fault = self.recipient.refuse(error, version=self.soap)
            if isinstance(error, WSSecurityError):
                uniform = self.recipient.refuse(WSSecurityError(Reason.SIGNATURE_VALUE), version=self.soap)
                assert fault == uniform, "a security fault that can be told from the others"
            return error
        raise AssertionError("the message was accepted")

    def state(self) -> object:
        """What must not change when a message is refused."""
        totals = [self.store.totals(kind, now=self.now) for kind in ("context", "body", "ticket")]
        return self.store.size(), *totals

    def reply(self, verified: VerifiedRequest, text: str | None = None) -> bytes:
        """The service's protected reply."""
        said = verified.payload.findtext(f"{{{ECHO}}}text") if text is None else text
        return self.recipient.reply(verified, reply_body(self.soap, said or "")).data

    def call(self, text: str = "hello", **request: Any) -> Exchange:
        """The whole way."""
        pending = self.request(text, **request)
        verified = self.accept(pending.data)
        reply = self.reply(verified)
        answer = self.initiator.accept(pending, reply, secure=self.transport.secure)
        return Exchange(pending, verified, reply, answer)

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.now += timedelta(seconds=seconds)


def policy(
    scenario: str,
    suite: str | Suite | None = None,
    *,
    signed: Parts | None = None,
    encrypted: Parts | None = None,
    alternative: Mapping[str, Any] | None = None,
    **binding: Any,
) -> Policy:
    """A scenario's policy with something else in it.

    Args:
        signed, encrypted: other parts.
        alternative: other fields of the alternative, such as ``required_headers``.
        binding: other fields of the binding, such as ``encrypt_signature=True``.
    """
    chosen = SUITES[suite] if isinstance(suite, str) else suite
    base = find(scenario).policy(chosen)
    (one,) = base.alternatives
    fields: dict[str, Any] = dict(alternative or {})
    if signed is not None:
        fields["signed_parts"] = signed
    if encrypted is not None:
        fields["encrypted_parts"] = encrypted
    return Policy(base.id, (replace(one, binding=replace(one.binding, **binding), **fields),))


@cache
def _xmlsec() -> SecondOpinion | None:
    return XmlsecOpinion() if find_spec("xmlsec") is not None else None


def second_engine(policy: Policy, *kinds: str) -> SecondOpinion | None:
    """The second engine, for policies and kinds of key that it can follow."""
    try:
        messages = [
            message for one in compile_policy(policy, "world") for message in (one.request, one.reply)
        ]
    except ConfigurationError:  # the recipient will say so
        return None
    if "ed25519" in kinds or any(cannot_check(message) for message in messages):
        return None
    return _xmlsec()


def echo_body(soap: SoapVersion, text: str) -> etree._Element:
    """A Body that calls echo(text)."""
    return _body(soap, "echo", "text", text)


def reply_body(soap: SoapVersion, text: str) -> etree._Element:
    """A Body that answers echo."""
    return _body(soap, "echoResponse", "echoResult", text)


def _body(soap: SoapVersion, outer: str, inner: str, text: str) -> etree._Element:
    body = etree.Element(f"{{{soap.namespace}}}Body", nsmap={"s": soap.namespace, "e": ECHO})
    payload = etree.SubElement(body, f"{{{ECHO}}}{outer}")
    etree.SubElement(payload, f"{{{ECHO}}}{inner}").text = text
    return body


def result_of(answer: VerifiedReply) -> str | None:
    """The text of an echo reply."""
    return None if answer.payload is None else answer.payload.findtext(f"{{{ECHO}}}echoResult")
