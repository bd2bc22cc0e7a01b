"""Who makes genuine messages for one service, plain or in a conversation, and knows what their sender knows.

Still without I/O: messages are made and replies taken; whoever calls sends them (:mod:`wsprovider.attack.line`).
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Final

from lxml import etree

from wsprovider.attack.bend import SIGNATURE, Change, Unbendable, bend, every, tree
from wsprovider.attack.forge import resign, secret_of
from wsprovider.attack.line import Answer, Letter, Post, letter
from wsprovider.conversation.request import Kind as RequestKind
from wsprovider.conversation.request import TokenRequest
from wsprovider.conversation.request import write as write_request
from wsprovider.crypto.algorithms import PrivateKey
from wsprovider.exchange.initiator import Initiator, Pending, addressing
from wsprovider.exchange.session import Asking, Session
from wsprovider.exchange.settings import Freshness
from wsprovider.exchange.ways import Stage, ways_of
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.outbound.message import Credentials
from wsprovider.policy.requirements import MessageRequirements, Protection, Requirements
from wsprovider.ports import Clock, Entropy, TicketSource
from wsprovider.soap.version import SOAP_11
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.trust import WST_200512

SERVICE: Final = "service"
"""What our trust calls the service."""
_ACCEPTED: Final = 202


class Step(Enum):
    """Which message of the service's protocol is bent."""

    CALL = "call"
    OPENING = "opening"


@dataclass(frozen=True, eq=False)
class Ourselves:
    """The partner that the operator lends us, and the service as it knows it.

    Attributes:
        demanded: what the service's policy demands of the operation that may be called.
        address: of the service, for WS-Addressing.
        body: makes the soap:Body of the operation that may be called.
        action: of that operation.
        keys: our key, where the policy wants a certificate, and the service's certificates.
        secure: the connection is TLS.
        freshness, limits: the endpoint's own.
    """

    demanded: Requirements
    address: str
    body: Callable[[], etree._Element]
    action: str
    keys: RingSnapshot
    clock: Clock
    entropy: Entropy
    secure: bool
    credentials: Credentials | None = None
    tickets: TicketSource | None = None
    freshness: Freshness = field(default_factory=Freshness)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, eq=False)
class Genuine:
    """One message that the service takes, never sent yet, and what its sender knows of it."""

    caller: "Caller"
    step: Step
    pending: Pending = field(repr=False)
    action: str
    requirements: MessageRequirements
    asking: Asking | None = field(default=None, repr=False)

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return self.pending.data

    @property
    def letter(self) -> Letter:
        """It as a request."""
        return letter(self.data, self.action)

    @cached_property
    def root(self) -> etree._Element:
        """Its tree, to look things up in: changes get one of their own."""
        return tree(self.data)

    def has(self, path: str) -> bool:
        """Whether exactly one element is at a path."""
        return len(every(self.root, path)) == 1

    @property
    def secret(self) -> bytes:
        """The secret that protects it.

        Raises:
            Unbendable: there is none.
        """
        return secret_of(self.pending)

    @property
    def unforgeable(self) -> str | None:
        """Why a change cannot be made to hold: it takes one signature by its sender's own key, or none over TLS."""
        unsure = self.caller.unsure.get(self.step)
        if unsure is not None:
            return unsure
        transport = self.requirements.protection is Protection.TRANSPORT
        if self.requirements.signature_derived or len(every(self.root, SIGNATURE)) != (0 if transport else 1):
            return "no single signature by a key that its sender has"
        return None

    def bent(self, *several: Change) -> bytes:
        """Changed on its way, by somebody who cannot sign."""
        return bend(self.data, *several)

    def forged(self, *several: Change) -> bytes:
        """Changed by a partner, whose signature holds over what was changed.

        Raises:
            Unbendable: it cannot be made to hold.
        """
        if (why := self.unforgeable) is not None:
            raise Unbendable(why)
        return bend(self.data, *several, self.resign)

    def as_sent(self, data: bytes) -> "Genuine":
        """Other bytes in its place, with the signatures that a reply to them will confirm."""
        values = every(tree(data), f"{SIGNATURE}/ds:SignatureValue")
        signatures = tuple(base64.b64decode(value.text or "") for value in values)
        pending = replace(self.pending, data=data, signatures=signatures)
        asking = None if self.asking is None else replace(self.asking, pending=pending)
        return replace(self, pending=pending, asking=asking)

    def resign(self, root: etree._Element) -> None:
        """Make the signature hold again (a :data:`~wsprovider.attack.bend.Change`)."""
        if self.requirements.protection is Protection.TRANSPORT:
            return
        encrypted = self.requirements.encrypt_before_signing
        key = self.caller.private_key if self.requirements.protection is Protection.ASYMMETRIC else None
        secret = None if key is not None else self.secret
        resign(secret=secret, key=key, encrypted=encrypted)(root)

    def other(
        self,
        change: Change | None = None,
        *,
        credentials: Credentials | None = None,
        keys: RingSnapshot | None = None,
    ) -> bytes:
        """Another message of the same kind, protected as the policy wants it from the start.

        Args:
            change: of the soap:Body before it is protected.
            credentials: another user's.
            keys: another partner's.
        """
        body = self.caller.body_of(self)
        if change is not None:
            change(body)
        return self.caller.protect(self.step, body, credentials=credentials, keys=keys).data


class Caller:
    """Makes genuine messages one after the other; not shared between threads.

    Attributes:
        unsure: why changes that we sign show nothing: a harmless one was not accepted.
    """

    def __init__(self, ourselves: Ourselves) -> None:
        """Compile the policy.

        Raises:
            ConfigurationError: it cannot work.
        """
        self.ourselves = ourselves
        self._ways: dict[Stage, Requirements] = {}
        for way in ways_of((ourselves.demanded,)):
            self._ways.setdefault(way.stage, way.requirements)
        self.conversing = Stage.CONVERSATION in self._ways
        self._session = self._new_session() if self.conversing else None
        self._granted: list[Session] = []
        self.unsure: dict[Step, str] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """What this policy has to be bent."""
        return (Step.OPENING, Step.CALL) if self.conversing else (Step.CALL,)

    @property
    def private_key(self) -> PrivateKey:
        """Our key."""
        return self.ourselves.keys.signing_key(self.ourselves.clock()).private_key

    @property
    def service_certificate(self) -> Certificate | None:
        """What the service is encrypted to."""
        return self.ourselves.keys.peer_encryption_certificate(SERVICE, self.ourselves.clock())

    @property
    def now(self) -> datetime:
        """By our clock."""
        return self.ourselves.clock()

    # genuine messages ------------------------------------------------------------------------

    def genuine(self, step: Step) -> Genuine:
        """A fresh one; a call in a conversation wants :meth:`open` before.

        Raises:
            ConfigurationError: a key or credential that the policy needs is not there.
        """
        if step is Step.OPENING:
            asking = self._new_session().ask(version=SOAP_11)
            return Genuine(
                self, step, asking.pending, asking.action, self._requirements(step).request, asking
            )
        body, action = self.ourselves.body(), self.ourselves.action
        if self._session is not None:
            pending = self._session.request(body, version=SOAP_11)
        else:
            pending = self.protect(step, body)
        return Genuine(self, step, pending, action, self._requirements(step).request)

    def taken(self, genuine: Genuine, answer: Answer) -> str | None:
        """Why the answer is not the one that a genuine message deserves; None when it is."""
        try:
            return self._taken(genuine, answer)
        except (WSSecurityError, SoapError) as error:
            return f"HTTP status {answer.status}, no reply under the policy ({error.reason.name})"

    def _taken(self, genuine: Genuine, answer: Answer) -> str | None:
        secure = self.ourselves.secure
        if genuine.asking is not None:
            session = self._new_session()
            session.take(genuine.asking, answer.body, secure=secure)
            self._granted.append(session)
            return None
        if answer.status == _ACCEPTED and not answer.body:  # one-way
            return None
        if self._session is not None:
            self._session.accept(genuine.pending, answer.body, secure=secure)
        else:
            self._initiator(genuine.step).accept(genuine.pending, answer.body, secure=secure)
        return None

    def open(self, post: Post) -> None:
        """Have a context issued for the calls, where the policy has conversations.

        Raises:
            WSSecurityError, SoapError: the service does not grant one.
            Lost: it does not answer.
        """
        if self._session is None or self._session.context is not None:
            return
        asking = self._session.ask(version=SOAP_11)
        answer = post(letter(asking.data, asking.action))
        self._session.take(asking, answer.body, secure=self.ourselves.secure)

    def release(self, post: Post) -> None:
        """Give the contexts up that genuine openings were granted.

        Raises:
            WSSecurityError, SoapError: the service does not let go.
            Lost: it does not answer.
        """
        while self._granted:
            self._end(self._granted.pop(), post)

    def close(self, post: Post) -> None:
        """Give all contexts up, that of the calls, too; raises as :meth:`release`."""
        self.release(post)
        if self._session is not None and self._session.context is not None:
            self._end(self._session, post)

    def _end(self, session: Session, post: Post) -> None:
        asking = session.ask_end(version=SOAP_11)
        answer = post(letter(asking.data, asking.action))
        session.take(asking, answer.body, secure=self.ourselves.secure)

    # messages of our own making --------------------------------------------------------------

    def body_of(self, genuine: Genuine) -> etree._Element:
        """A Body like that of a genuine message, before it was protected."""
        conversation = self._requirements(Step.CALL).conversation
        if genuine.asking is None or conversation is None:
            return self.ourselves.body()
        request = TokenRequest(
            WST_200512,
            RequestKind.ISSUE,
            applies_to=self.ourselves.address,
            entropy=self.ourselves.entropy(conversation.bits // 8),
            key_bits=conversation.bits,
        )
        content = write_request(request, self.now, b"")
        return etree.fromstring(f'<soap:Body xmlns:soap="{SOAP_11.namespace}">{content}</soap:Body>')

    def protect(
        self,
        step: Step,
        body: etree._Element,
        *,
        credentials: Credentials | None = None,
        keys: RingSnapshot | None = None,
        stage: Stage | None = None,
    ) -> Pending:
        """Any content, protected as the policy wants it.

        Args:
            credentials, keys: others than our own.
            stage: by another way of the policy.
        """
        ours = self.ourselves
        blocks = []
        if step is Step.OPENING:
            identifier = f"urn:uuid:{ours.entropy(16).hex()}"
            blocks = addressing(to=ours.address, action=WST_200512.uri("RST/SCT"), message_id=identifier)
        side = self._initiator(step, credentials=credentials, keys=keys, stage=stage)
        return side.request(body, version=SOAP_11, blocks=blocks, context=self.context)

    @property
    def context(self) -> ContextKey | None:
        """The context in force."""
        return None if self._session is None else self._session.context

    def _requirements(self, step: Step) -> Requirements:
        if step is Step.OPENING:
            return self._ways[Stage.BOOTSTRAP]
        return self._ways[Stage.CONVERSATION if self.conversing else Stage.PLAIN]

    def _initiator(
        self,
        step: Step,
        *,
        credentials: Credentials | None = None,
        keys: RingSnapshot | None = None,
        stage: Stage | None = None,
    ) -> Initiator:
        ours = self.ourselves
        requirements = self._requirements(step) if stage is None else self._ways[stage]
        snapshot = keys or ours.keys
        return Initiator(
            requirements,
            "attack",
            keys=lambda: snapshot,
            clock=ours.clock,
            entropy=ours.entropy,
            credentials=credentials or ours.credentials,
            partner=SERVICE,
            freshness=ours.freshness,
            tickets=ours.tickets,
        )

    def _new_session(self) -> Session:
        ours = self.ourselves
        return Session(
            ours.demanded,
            "attack",
            keys=lambda: ours.keys,
            clock=ours.clock,
            entropy=ours.entropy,
            address=ours.address,
            credentials=ours.credentials,
            partner=SERVICE,
            freshness=ours.freshness,
            tickets=ours.tickets,
        )
