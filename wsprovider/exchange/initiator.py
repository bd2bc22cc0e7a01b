"""The initiator's side of an exchange: a request is protected, its reply accepted or refused.

The same core as the recipient's, led by the same policy. What a request established (its secret, its
SignatureValues) is kept in :class:`Pending` and held against the one reply.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from wsprovider.exchange.kerberos import OnlyTicket
from wsprovider.exchange.replies import addressing_block
from wsprovider.exchange.settings import Freshness
from wsprovider.exchange.verified import VerifiedReply
from wsprovider.inbound.context import Context, FindContext, Gate, SecondOpinion
from wsprovider.inbound.evidence import CertificateKey
from wsprovider.inbound.examine import examine
from wsprovider.inbound.finding import Circumstances
from wsprovider.inbound.judge import judge
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.material import KeyPair
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.keyring.tickets import TicketKey, ticket_sha1
from wsprovider.outbound.message import (
    Algorithms,
    Block,
    Credentials,
    ElementBlock,
    Outgoing,
    TicketSecret,
)
from wsprovider.outbound.plan import plan
from wsprovider.outbound.write import write
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import Policy, X509Token
from wsprovider.policy.requirements import KeySource, Protection, Requirements, source_of
from wsprovider.ports import Clock, Entropy, FreshTicket, TicketSource
from wsprovider.soap.version import SoapVersion
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.canonical import Room
from wsprovider.xml.parse import parse


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A request that was sent, as long as its reply is awaited."""

    data: bytes
    version: SoapVersion
    signatures: tuple[bytes, ...]
    sent: datetime
    secrets: dict[bytes, bytes] = field(repr=False)
    context: ContextKey | None = None
    ticket: TicketKey | None = None


class Initiator:
    """One partner's policy, seen from the side that calls; shared by all threads."""

    def __init__(
        self,
        policy: Policy | Requirements,
        name: str,
        *,
        keys: Callable[[], KeySnapshot],
        clock: Clock,
        entropy: Entropy,
        credentials: Credentials | None = None,
        partner: str | None = None,
        algorithms: Algorithms | None = None,
        freshness: Freshness | None = None,
        limits: Limits | None = None,
        second_opinion: SecondOpinion | None = None,
        tickets: TicketSource | None = None,
        alternative: int = 0,
    ) -> None:
        """Compile the policy.

        Args:
            policy: or requirements that were compiled already.
            name: file and key the policy came from, for errors.
            partner: whom ``keys`` knows the service as: for the certificate to encrypt to, and the
                only one whose certificate may sign replies.
            algorithms: methods to use instead of the suite's first ones.
            tickets: for the service, where the policy wants Kerberos tickets.
            alternative: index of the policy alternative to follow.

        Raises:
            ConfigurationError: everything that cannot work.
        """
        compiled = policy if isinstance(policy, Requirements) else compile_policy(policy, name)[alternative]
        self.requirements = compiled
        self._plan = plan(self.requirements.request)
        self._gate = Gate.of((self.requirements.reply,))
        self._keys, self._clock, self._entropy = keys, clock, entropy
        self._credentials, self._partner = credentials, partner
        self._algorithms = algorithms or Algorithms()
        self._freshness = freshness or Freshness()
        self._limits = limits or Limits()
        self._opinion, self._tickets = second_opinion, tickets

    def request(
        self,
        body: etree._Element,
        *,
        version: SoapVersion,
        headers: Sequence[etree._Element] = (),
        blocks: Sequence[Block] = (),
        exact: bool = False,
        context: ContextKey | None = None,
    ) -> Pending:
        """Protect a request.

        Args:
            body: the soap:Body element.
            headers: header blocks of the application.
            blocks: addressing headers (see :func:`addressing`).
            context: that protects or endorses the message, where the policy wants one
                (:class:`~wsprovider.exchange.session.Session` agrees on it).

        Raises:
            ConfigurationError: a key, certificate or credential that the policy needs is not there.
        """
        now, keys = self._clock(), self._keys()
        asymmetric = self.requirements.request.protection is Protection.ASYMMETRIC
        fresh = self._ticket(now)
        ticket = None
        if fresh is not None:
            ticket = TicketSecret(fresh.key, ticket_sha1(fresh.token), fresh.token)
        outgoing = Outgoing(
            version=version,
            body=body,
            now=now,
            life=self._freshness.life,
            blocks=[*blocks, *(ElementBlock(element) for element in headers)],
            exact=exact,
            credentials=self._credentials,
            signing=keys.signing_key(now) if asymmetric and self._plan.signs else None,
            encrypt_to=keys.peer_encryption_certificate(self._partner, now),
            context=context,
            ticket=ticket,
            endorsing=self._endorsers(keys, now, context, ticket),
            algorithms=self._algorithms,
        )
        sent = write(self._plan, outgoing, self._entropy)
        known = None
        if fresh is not None and ticket is not None:
            known = TicketKey(ticket.sha1, fresh.key, "", fresh.expires)
        shared = sent.secrets if self._plan.symmetric else {}
        return Pending(sent.data, version, sent.signatures, now, shared, context, known)

    def _ticket(self, now: datetime) -> FreshTicket | None:
        request = self.requirements.request
        tokens = [request.signature_token, *(one.token for one in request.endorsing)]
        if not any(source_of(token) is KeySource.TICKET for token in tokens):
            return None
        if self._tickets is None:
            raise ConfigurationError([Problem("kerberos", "the policy wants a ticket: say where from")])
        return self._tickets.ticket(now=now)

    def _endorsers(
        self, keys: KeySnapshot, now: datetime, context: ContextKey | None, ticket: TicketSecret | None
    ) -> list[KeyPair | ContextKey | TicketSecret]:
        endorsers: list[KeyPair | ContextKey | TicketSecret] = []
        for wanted in self.requirements.request.endorsing:
            if isinstance(wanted.token, X509Token):
                endorsers.append(keys.signing_key(now))
                continue
            held = context if source_of(wanted.token) is KeySource.CONTEXT else ticket
            if held is not None:
                endorsers.append(held)
        return endorsers

    def accept(
        self, pending: Pending, message: bytes, *, secure: bool, charset: str | None = None
    ) -> VerifiedReply:
        """Verify, decrypt and judge the reply to a request.

        Raises:
            WSSecurityError: the reply does not meet the policy.
            SoapError: the reply is no acceptable SOAP message.
        """
        now = self._clock()
        root = parse(message, self._limits, charset=charset)
        evidence = examine(
            root, pending.version, self.context(pending, now, Room.of(message, self._limits.canonical_growth))
        )
        circumstances = self.circumstances(pending, now, secure=secure)
        verdict = judge(evidence, (self.requirements.reply,), circumstances)
        main = verdict.case.main
        key = main.key if main is not None else None
        if isinstance(key, CertificateKey) and self._partner not in (None, key.partner):
            raise WSSecurityError(Reason.CERTIFICATE_SUBJECT, f"a reply of {key.partner}")
        envelope = evidence.envelope
        payload = envelope.payload
        return VerifiedReply(
            version=pending.version,
            root=envelope.root,
            body=envelope.body,
            payload=payload,
            fault=payload is not None and payload.tag == f"{{{pending.version.namespace}}}Fault",
            certificate=key.certificate if isinstance(key, CertificateKey) else None,
            verdict=verdict,
        )

    def context(self, pending: Pending, now: datetime, room: Room) -> Context:
        """What the examination of a reply is given."""
        return Context(
            keys=self._keys(),
            now=now,
            entropy=self._entropy,
            limits=self._limits,
            gate=self._gate,
            established=pending.secrets,
            room=room,
            signature_seen=lambda value: _not_our_own(value, pending),
            timestamp_seen=lambda _: None,
            contexts=_only(pending.context),
            tickets=OnlyTicket(pending.ticket),
            second_opinion=self._opinion,
        )

    def circumstances(self, pending: Pending, now: datetime, *, secure: bool) -> Circumstances:
        """What the judge of a reply is told beside the evidence."""
        return Circumstances(
            now=now,
            freshness=self._freshness,
            secure=secure,
            sent_signatures=pending.signatures,
        )


def _only(context: ContextKey | None) -> FindContext:
    """A reply can only name the context that protected its request."""

    def find(identifier: str, namespace: str | None) -> ContextKey:
        if context is None or context.identifier != identifier:
            raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, identifier)
        if namespace not in (None, context.namespace):
            raise WSSecurityError(Reason.CONTEXT_TOKEN, "another version")
        return context

    return find


def _not_our_own(value: bytes, pending: Pending) -> None:
    """Our request is no reply; that it is this request's is shown by key and SignatureConfirmation."""
    if value in pending.signatures:
        raise WSSecurityError(Reason.REPLAY, "our own signature")


def addressing(*, to: str, action: str, message_id: str, namespace: str = ns.WSA_200508) -> list[Block]:
    """The addressing headers of a request whose reply comes back on its connection."""
    return [
        addressing_block(namespace, "Action", action),
        addressing_block(namespace, "MessageID", message_id),
        addressing_block(namespace, "To", to),
    ]
