"""The recipient's side of an exchange: one request is accepted or refused, one reply protected.

Still without I/O, clock or randomness of its own. The order in :meth:`Recipient.accept` is the order
of cost and of safety: structure, signatures, decryption, digests, judgement, then the user store, and
the replay store last, so that a refused copy never burns the genuine message.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from lxml import etree

from wsprovider.conversation.contexts import Contexts, unknown
from wsprovider.conversation.established import EstablishedTickets
from wsprovider.conversation.request import Kind, kind_of
from wsprovider.exchange.callers import Callers, check_client_certificate, principal_of
from wsprovider.exchange.guessing.attempt import Guesses
from wsprovider.exchange.kerberos import (
    AUTHENTICATOR_LIFE,
    MessageTickets,
    keep_ticket,
    takes_tickets,
    ticket_of,
)
from wsprovider.exchange.openings import Opening, Openings
from wsprovider.exchange.operations import check_addressing, operation_of
from wsprovider.exchange.partners import NO_PARTNERS, Partner, Partners, check_permitted
from wsprovider.exchange.principal import Principal
from wsprovider.exchange.replay import Replay, body_marks, marks_of
from wsprovider.exchange.replies import check_answerable, outgoing_of, reply_blocks
from wsprovider.exchange.settings import RecipientSettings
from wsprovider.exchange.token_service import TokenService, context_of, finder_of
from wsprovider.exchange.transport import Transport
from wsprovider.exchange.unfit import check_fit
from wsprovider.exchange.uses import uses_of_reply, uses_of_request
from wsprovider.exchange.verified import Answered, VerifiedRequest, WireMessage
from wsprovider.exchange.ways import Stage, Way, requests_of
from wsprovider.header.timestamp import Timestamp
from wsprovider.inbound.context import Context, NoTickets, SecondOpinion, Tickets, no_contexts
from wsprovider.inbound.evidence import Evidence
from wsprovider.inbound.examine import examine
from wsprovider.inbound.finding import Circumstances
from wsprovider.inbound.judge import Verdict
from wsprovider.inbound.rules.timestamp import staleness
from wsprovider.keyring.contexts import ContextOwner, SecurityContext
from wsprovider.keyring.snapshot import KeySnapshot, Trusted
from wsprovider.outbound.write import write
from wsprovider.policy.assigned import Assigned
from wsprovider.policy.model import Policy
from wsprovider.policy.publish import fingerprint_of
from wsprovider.policy.requirements import Protection
from wsprovider.ports import Clock, Entropy, SharedStore, TicketAcceptor, Users
from wsprovider.soap import addressing as wsa
from wsprovider.soap.fault import code_of, fault_status, refusal
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml.canonical import Room
from wsprovider.xml.parse import parse

__all__ = ["Recipient", "Transport", "VerifiedRequest", "WireMessage"]


class Recipient:
    """One endpoint's message security, compiled once; shared by all threads."""

    def __init__(
        self,
        policy: Policy | Assigned,
        settings: RecipientSettings,
        *,
        keys: Callable[[], KeySnapshot],
        users: Users | None,
        replay: SharedStore,
        clock: Clock,
        entropy: Entropy,
        contexts: Contexts | None = None,
        tickets: TicketAcceptor | None = None,
        established: EstablishedTickets | None = None,
        second_opinion: SecondOpinion | None = None,
        guesses: Guesses | None = None,
        partners: Callable[[], Partners] = lambda: NO_PARTNERS,
    ) -> None:
        """Compile the policy.

        Args:
            policy: what is enforced, of all operations or by operation; the same that the WSDL publishes.
            keys: gives the snapshot that is current.
            users: the user store, where the policy has a UsernameToken.
            replay: shared by all workers, and by all services that share trust.
            contexts: where the policy has conversations.
            tickets: where the policy has Kerberos tickets.
            established: where messages may name a ticket that an earlier one has shown.
            second_opinion: the other engine, when the settings ask for a crosscheck.
            guesses: counts wrong passwords, for all endpoints of a user store; None: nobody does.
            partners: gives the reading of them that is in force.

        Raises:
            ConfigurationError: everything that cannot work.
        """
        assigned = policy if isinstance(policy, Assigned) else Assigned(policy)
        self.policy, self.settings = assigned.everything, settings
        self.openings = Openings(assigned, settings, partners)
        own = self.ways
        self._requests = requests_of(own)
        self._keys, self._replay = keys, Replay(replay)
        self._clock, self._entropy = clock, entropy
        conversing = any(way.conversation is not None for way in own)
        self._contexts, self._opinion = contexts if conversing else None, second_opinion
        self._acceptor = tickets if any(map(takes_tickets, self._requests)) else None
        self._established = established
        self._callers = Callers(
            users,
            settings.limits,
            settings.conversation.recheck,
            kerberos=settings.kerberos,
            roles=bool(settings.roles),
            guesses=guesses,
        )
        self._fingerprint = fingerprint_of(self.policy) if conversing else ""
        self._tokens = None
        if self._contexts is not None:
            self._tokens = TokenService(settings, self._contexts, entropy, policy=self._fingerprint)
        self._retention = max(settings.freshness.retention, settings.remember)
        check_fit(
            settings,
            own,
            users=users is not None,
            contexts=self._contexts is not None,
            tickets=self._acceptor is not None,
            second_opinion=second_opinion is not None,
        )

    @property
    def ways(self) -> tuple[Way, ...]:
        """All ways in, under the partners in force."""
        return self.openings.current().ways

    @property
    def partnered(self) -> bool:
        """Whether partners are told from others here."""
        return self.settings.partners_required or bool(self.openings.current().partners.all)

    # requests --------------------------------------------------------------------------------

    def accept(
        self,
        message: bytes,
        *,
        version: SoapVersion,
        transport: Transport,
        charset: str | None = None,
        action: str | None = None,
        parsed: Callable[[], None] = lambda: None,
    ) -> VerifiedRequest:
        """Verify, decrypt and judge a request.

        Args:
            message: the HTTP body.
            version: what the HTTP Content-Type promised.
            transport: facts about the connection.
            charset: the Content-Type's charset parameter, if any.
            action: SOAPAction header (1.1, quotes removed) or action parameter (1.2), if any.
            parsed: called when the bytes are a tree and nothing of it was looked at yet.

        Raises:
            WSSecurityError: refused for its security (one uniform fault answers it).
            SoapError: no acceptable SOAP message (a fault that SOAP or WS-Addressing names).
            BackendError: a store did not answer; nothing was accepted.
        """
        now, keys, opening = self._clock(), self._keys(), self.openings.current()
        root = parse(message, self.settings.limits, charset=charset)
        parsed()
        evidence = examine(root, version, self.context(message, keys, transport, now, opening))
        circumstances = self.circumstances(transport, now)
        payload = evidence.envelope.payload
        kind = kind_of(payload) if self._tokens is not None and payload is not None else None
        # what is demanded follows from what would be called: an operation's policy is nobody else's
        verdict = opening.judge(evidence, circumstances, "" if payload is None else payload.tag, kind)
        way = opening.ways[verdict.index]
        wanted = way.requirements.client_certificate
        client = check_client_certificate(transport, keys, now) if wanted else None
        check_answerable(way.plan, verdict)
        payload, operation = operation_of(evidence, kind, self.settings)
        addressing = wsa.read(evidence.envelope)
        check_addressing(addressing, operation, action, self.settings)
        owner, held = self._owner(verdict, way, keys, transport, now, client)
        partner = opening.partners.of(owner.identities)
        owner = _as_partner(owner, partner, held, opening.partners)
        called = operation.name if kind is None else None
        verdict, way = opening.settle(verdict, partner, held, kind, called)
        principal = principal_of(owner, partner)
        if way.requirements.request.protection is not Protection.NONE:  # left open to anybody, by its name
            check_permitted(partner, self.settings.name, called, required=self.settings.partners_required)
            self._check_roles(principal)
        errand = None
        if self._tokens is not None and kind is not None:
            asking = owner if held is not None else replace(owner, variant=way.variant)
            errand = self._tokens.check(payload, verdict.case, way, asking, address=transport.peer, now=now)
        if held is not None and kind is None and self._contexts is not None:
            self._contexts.use(held, now)
            if not way.requirements.request.signed.body:
                self._contexts.spend(held, body_marks(evidence), now)
        remark = self._remember(evidence, verdict, owner, now)
        return VerifiedRequest(
            version=version,
            root=evidence.envelope.root,
            body=evidence.envelope.body,
            payload=payload,
            operation=operation,
            principal=principal,
            received=now,
            message_id=addressing.message_id if addressing is not None else None,
            signature_values=tuple(fact.signature.value for fact in evidence.signatures),
            way=way,
            errand=errand,
            verdict=verdict,
            keys=keys,
            addressing=addressing,
            remark=remark,
            uses=uses_of_request(verdict.case, owner.name),
        )

    def context(
        self,
        message: bytes,
        keys: KeySnapshot,
        transport: Transport,
        now: datetime,
        opening: Opening | None = None,
    ) -> Context:
        """What the examination of one message is given.

        Args:
            opening: the ways in that the message is judged by; None: those in force.
        """
        opening = opening or self.openings.current()
        return Context(
            keys=keys,
            now=now,
            entropy=self._entropy,
            limits=self.settings.limits,
            gate=opening.gate,
            narrow=opening.narrow,
            established={},
            room=Room.of(message, self.settings.limits.canonical_growth),
            signature_seen=lambda value: self._replay.check(value, now),
            timestamp_seen=lambda stamp: self._check_age(stamp, now),
            unwrapping=lambda: self._check_room(transport, now),
            contexts=no_contexts
            if self._contexts is None
            else finder_of(self._contexts, self.settings.path, self._fingerprint, now),
            tickets=self._tickets_of_message(now),
            second_opinion=self._opinion,
            understood=self.settings.understood,
        )

    def circumstances(self, transport: Transport, now: datetime) -> Circumstances:
        """What the judge is told beside the evidence."""
        return Circumstances(
            now=now,
            freshness=self.settings.freshness,
            secure=transport.secure,
            client_certificate=transport.client_certificate is not None,
            clear_password_over_http=self.settings.clear_password_over_http,
            basic=self._callers.basic(transport, self._requests),
        )

    def _remember(self, evidence: Evidence, verdict: Verdict, owner: ContextOwner, now: datetime) -> str:
        """What must not come again; a ticket that was shown, so that later messages may name it."""
        # by what was proven: a partner's name may change while a nonce counts
        marks, until = marks_of(evidence, owner.name), now + self._retention
        ticket = ticket_of(verdict.case)
        if ticket is None or ticket.authenticator is None:
            self._replay.remember(marks, until, now)
            return ""
        marks.append(f"authenticator:{ticket.authenticator.hex()}")
        self._replay.remember(marks, max(until, now + AUTHENTICATOR_LIFE), now)
        # by now this is the accepted copy: a ticket that cannot be kept refuses nothing
        return keep_ticket(ticket, self._established, self.settings.path, now)

    def _tickets_of_message(self, now: datetime) -> Tickets:
        if self._acceptor is None:
            return NoTickets()
        settings = self.settings
        return MessageTickets(self._acceptor, settings.kerberos, self._established, settings.path, now)

    def _check_room(self, transport: Transport, now: datetime) -> None:
        if self._tokens is not None:
            self._tokens.check_room(transport.peer, now)

    def _owner(
        self,
        verdict: Verdict,
        way: Way,
        keys: KeySnapshot,
        transport: Transport,
        now: datetime,
        client: Trusted | None,
    ) -> tuple[ContextOwner, SecurityContext | None]:
        """Who sent the message, and the context that protects it."""
        held = context_of(verdict.case)
        if held is None or way.stage in (Stage.BOOTSTRAP, Stage.ENDORSED):
            return self._callers.proven(verdict, transport, now, client=client), None
        if now >= held.expires:  # kept for its renewal only
            raise unknown(held.namespace, "expired")
        if not self._callers.present(held, keys, transport, now):
            # the context stays: a worker that is behind must not end what others know to be in order
            raise unknown(held.namespace, held.owner.name, Reason.CONTEXT_OWNER)
        return held.owner, held

    def _check_roles(self, principal: Principal) -> None:
        wanted = self.settings.roles
        if wanted and not wanted & principal.roles:
            raise WSSecurityError(Reason.ROLE_MISSING, principal.name)

    def _check_age(self, stamp: Timestamp, now: datetime) -> None:
        """Refuse what is stale before anything of it is decrypted."""
        stale = staleness(stamp, now, self.settings.freshness)
        if stale is not None:
            raise WSSecurityError(stale.reason, stale.detail)

    # replies ---------------------------------------------------------------------------------

    def reply(
        self,
        request: VerifiedRequest,
        body: etree._Element,
        *,
        headers: Sequence[etree._Element] = (),
        fault: bool = False,
        exact: bool = False,
    ) -> WireMessage:
        """Protect a reply to a verified request.

        Args:
            body: the soap:Body element with the reply's content (a soap:Fault when ``fault``).
            headers: header blocks of the application.
            fault: the content is a Fault that the service raised: secured like a reply; the status
                follows the fault's code.
            exact: the content may use namespace prefixes in text or attribute values that are
                declared below the Body (AnyXml); it is then sent as it is rather than canonicalised.

        Raises:
            ConfigurationError: a key that the reply needs is not there.
        """
        ends = request.errand is not None and request.errand.request.kind is Kind.CANCEL
        outward, case = request.way.ending if ends else request.way.plan, request.verdict.case
        outgoing = outgoing_of(
            request,
            outward,
            body,
            blocks=reply_blocks(request, headers, fault=fault, entropy=self._entropy),
            exact=exact,
            now=self._clock(),
            life=self.settings.freshness.life,
        )
        sent = write(outward, outgoing, self._entropy)
        return WireMessage(
            sent.data,
            request.version.written_type,
            self._fault_status(body, request.version) if fault else 200,
            uses_of_reply(case, request.principal.identity, outgoing.signing, sent.receiver),
            sent.secrets,
        )

    def answer(self, request: VerifiedRequest) -> Answered | None:
        """Carry out a request for a security context; None for a request that is the service's own affair.

        Raises:
            SoapError: CONTEXT_LIMIT; CONTEXT_UNKNOWN where somebody was faster.
            ConfigurationError: a key is not there.
            BackendError: the store did not answer; nothing was issued.
        """
        if self._tokens is None or request.errand is None:
            return None
        body, context = self._tokens.carry_out(request.errand, request.version, self._clock())
        return Answered(self.reply(request, body), context.identifier)

    def refuse(self, error: Exception, *, version: SoapVersion) -> WireMessage:
        """The fault that answers a refused message: unprotected, and uniform for security errors."""
        message = refusal(error, version, sender_400=self.settings.sender_fault_400)
        return WireMessage(message.data, version.written_type, message.status)

    def _fault_status(self, body: etree._Element, version: SoapVersion) -> int:
        code = code_of(body, version)
        return fault_status(code, version, sender_400=self.settings.sender_fault_400)


def _as_partner(
    owner: ContextOwner, partner: Partner | None, held: SecurityContext | None, partners: Partners
) -> ContextOwner:
    """The owner as the partner that they are by now; a context stays who opened it."""
    name = "" if partner is None else partner.name
    # a worker of an earlier version has issued it, who did not say whose it is
    untold = owner.name and not owner.identities and partners.all
    if held is not None and (owner.partner != name or untold):
        raise unknown(held.namespace, f"{owner.name} is another partner", Reason.CONTEXT_OWNER)
    return owner if owner.partner == name else replace(owner, partner=name)
