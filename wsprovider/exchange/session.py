"""A conversation as the side that calls sees it: a context is agreed on, used, renewed and given up.

Still without I/O: each step gives bytes to send, and takes what came back. WS-SecureConversation 1.3,
sections 3 to 6.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from lxml import etree

from wsprovider.conversation.request import Kind, TokenRequest
from wsprovider.conversation.request import write as write_request
from wsprovider.conversation.response import read_cancelled, read_issued
from wsprovider.exchange.initiator import Initiator, Pending, addressing
from wsprovider.exchange.replay import body_marks
from wsprovider.exchange.settings import Freshness
from wsprovider.exchange.verified import VerifiedReply
from wsprovider.exchange.ways import TOKEN_OPERATIONS, Stage, Way, ways_of
from wsprovider.header import security_context_token
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.outbound.message import Block
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import Policy
from wsprovider.policy.requirements import Requirements
from wsprovider.ports import Clock, Entropy
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import ConfigurationError, Problem, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import WST_200512, TrustVersion

_UUID_BYTES: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """A request for a token that was sent, as long as its answer is awaited.

    Attributes:
        pending: the message.
        action: what SOAPAction has to say.
    """

    pending: Pending
    request: TokenRequest
    way: Way
    action: str

    @property
    def data(self) -> bytes:
        """The bytes to send."""
        return self.pending.data


class Session:
    """One conversation with one service; not shared between threads while it is asked for or renewed.

    One key protects every reply, and nothing in a reply says which request it answers (unless the policy has the
    request's signature confirmed, or wsa:RelatesTo signed): a reply is taken once, and calls that wait side by
    side could be given each other's.

    Attributes:
        context: the context in force; None before it is granted and after it was given up.
        expires: when the service ends it, by its own word.
    """

    def __init__(
        self,
        policy: Policy | Requirements,
        name: str,
        *,
        keys: Callable[[], KeySnapshot],
        clock: Clock,
        entropy: Entropy,
        address: str | None = None,
        trust: TrustVersion = WST_200512,
        lifetime: timedelta | None = None,
        alternative: int = 0,
        limits: Limits | None = None,
        **settings: Any,
    ) -> None:
        """Compile the policy.

        Args:
            policy: or requirements that were compiled already.
            name: file and key the policy came from, for errors.
            address: of the service, for wsa:To and AppliesTo; None: requests say neither.
            trust: the version of WS-Trust to speak.
            lifetime: how long the context is to live; None: as long as the service likes.
            alternative: index of the policy alternative to follow.
            settings: as for :class:`~wsprovider.exchange.initiator.Initiator`.

        Raises:
            ConfigurationError: everything that cannot work; the alternative has no conversation.
        """
        compiled = policy if isinstance(policy, Requirements) else compile_policy(policy, name)[alternative]
        if compiled.conversation is None:
            raise ConfigurationError([Problem(name, "the policy has no SecureConversationToken")])
        self._conversation = compiled.conversation
        self._limits = limits or Limits()
        self._entropy, self._clock = entropy, clock
        self._address, self._trust, self._lifetime = address, trust, lifetime
        self._sides: dict[Stage, tuple[Way, Initiator]] = {}
        for way in ways_of((compiled,)):
            side = Initiator(
                way.requirements,
                name,
                keys=keys,
                clock=clock,
                entropy=entropy,
                limits=self._limits,
                **settings,
            )
            self._sides.setdefault(way.stage, (way, side))
        self.requirements = compiled
        self.context: ContextKey | None = None
        self.expires: datetime | None = None
        self._bodies: set[str] = set()
        freshness = settings.get("freshness") or Freshness()
        self._retention = freshness.retention
        self._signatures: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = threading.Lock()

    # the context -----------------------------------------------------------------------------

    def ask(self, *, version: SoapVersion) -> Asking:
        """Ask for a context, under the bootstrap policy.

        Raises:
            ConfigurationError: a key, certificate or credential that the policy needs is not there.
        """
        return self._asking(Kind.ISSUE, Stage.BOOTSTRAP, version)

    def ask_renewal(self, *, version: SoapVersion) -> Asking:
        """Ask for another key and another life, under the bootstrap policy, endorsed by the context.

        Raises:
            ConfigurationError: there is no context, or a key is not there.
        """
        return self._asking(Kind.RENEW, Stage.ENDORSED, version)

    def ask_end(self, *, version: SoapVersion) -> Asking:
        """Give the context up, by its own signature.

        Raises:
            ConfigurationError: there is no context.
        """
        return self._asking(Kind.CANCEL, Stage.MANAGEMENT, version)

    def take(self, asking: Asking, message: bytes, *, secure: bool, charset: str | None = None) -> None:
        """Take the answer to whatever was asked.

        Raises:
            WSSecurityError: it does not meet the policy, or is not what was asked for.
            SoapError: it is no acceptable SOAP message.
        """
        _, side = self._sides[asking.way.stage]
        reply = side.accept(asking.pending, message, secure=secure, charset=charset)
        if reply.payload is None or reply.fault:
            raise WSSecurityError(Reason.TRUST_RESPONSE, "a fault")
        if asking.request.kind is Kind.CANCEL:
            read_cancelled(reply.payload, asking.request)
            self.context, self.expires = None, None
            return
        granted = read_issued(reply.payload, asking.request, self._limits)
        if len(granted.key.secret) * 8 != self._conversation.bits:
            raise WSSecurityError(Reason.KEY_SIZE, "the context's key is not of the suite's length")
        if granted.key.namespace != asking.request.version.conversation:
            raise WSSecurityError(Reason.TRUST_RESPONSE, "a context of another version")
        held = self.context
        if asking.request.kind is Kind.RENEW and held is not None:
            same = granted.key.identifier == held.identifier
            if same and granted.key.instance == held.instance:
                raise WSSecurityError(Reason.TRUST_RESPONSE, "renewed to the key it had")
        self.context, self.expires = granted.key, granted.expires
        self._bodies.clear()

    def _asking(self, kind: Kind, stage: Stage, version: SoapVersion) -> Asking:
        way, side = self._sides[stage]
        context = None if kind is Kind.ISSUE else self._held()
        bits = self._conversation.bits
        request = TokenRequest(
            self._trust,
            kind,
            applies_to=self._address if kind is Kind.ISSUE else None,
            lifetime=None if kind is Kind.CANCEL else self._lifetime,
            entropy=None if kind is Kind.CANCEL else self._entropy(bits // 8),
            key_bits=None if kind is Kind.CANCEL else bits,
        )
        target = b""
        if context is not None:
            target = security_context_token.write(
                f"target-{self._entropy(_UUID_BYTES).hex()}",
                context.namespace,
                context.identifier,
                context.instance,
            )
        content = write_request(request, self._clock(), target)
        body = etree.fromstring(f'<soap:Body xmlns:soap="{version.namespace}">{content}</soap:Body>')
        operation = TOKEN_OPERATIONS[f"{{{self._trust.namespace}}}RequestSecurityToken", kind]
        blocks: Sequence[Block] = ()
        if self._address is not None:
            message_id = f"urn:uuid:{uuid.UUID(bytes=self._entropy(_UUID_BYTES), version=4)}"
            blocks = addressing(to=self._address, action=operation.action, message_id=message_id)
        pending = side.request(body, version=version, blocks=blocks, context=context)
        return Asking(pending, request, way, operation.action)

    # calls -----------------------------------------------------------------------------------

    def request(self, body: etree._Element, *, version: SoapVersion, **message: Any) -> Pending:
        """Protect a call by the context; see :meth:`Initiator.request`.

        Raises:
            ConfigurationError: there is no context.
        """
        _, side = self._sides[Stage.CONVERSATION]
        pending = side.request(body, version=version, context=self._held(), **message)
        self._count(pending.signatures)
        return pending

    def accept(
        self, pending: Pending, message: bytes, *, secure: bool, charset: str | None = None
    ) -> VerifiedReply:
        """Verify, decrypt and judge the reply to a call; see :meth:`Initiator.accept`.

        Raises:
            WSSecurityError: it does not meet the policy, was accepted before, is a request of ours, or
                carries the Body of an earlier reply.
            SoapError: it is no acceptable SOAP message.
        """
        way, side = self._sides[Stage.CONVERSATION]
        reply = side.accept(pending, message, secure=secure, charset=charset)
        evidence = reply.verdict.case.evidence
        bodies = [] if way.requirements.reply.signed.body else body_marks(evidence)
        self._count((fact.signature.value for fact in evidence.signatures), bodies)
        return reply

    def _count(self, signatures: Iterable[bytes], bodies: Sequence[str] = ()) -> None:
        """Note a request or reply: nothing ties a reply to its request, and one key makes both.

        Raises:
            WSSecurityError: REPLAY.
        """
        now = self._clock()
        with self._lock:
            while self._signatures and next(iter(self._signatures.values())) <= now:
                self._signatures.popitem(last=False)
            if not self._bodies.isdisjoint(bodies):  # before its header's signature is burnt
                raise WSSecurityError(Reason.REPLAY, "body")
            for value in signatures:
                if value in self._signatures:
                    raise WSSecurityError(Reason.REPLAY, "signature")
                self._signatures[value] = now + self._retention
            self._bodies.update(bodies)

    def _held(self) -> ContextKey:
        if self.context is None:
            raise ConfigurationError([Problem("conversation", "there is no security context: ask for one")])
        return self.context
