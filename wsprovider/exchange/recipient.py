"""The recipient's side of an exchange: one request is accepted or refused, one reply protected.

Still without I/O, clock or randomness of its own. The order in :meth:`Recipient.accept` is the order
of cost and of safety: structure, signatures, decryption, digests, judgement, then the user store, and
the replay store last, so that a refused copy never burns the genuine message.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from lxml import etree

from wsprovider.conversation.contexts import Contexts, unknown
from wsprovider.conversation.established import EstablishedTickets
from wsprovider.conversation.request import Kind, kind_of
from wsprovider.exchange.callers import Callers, check_client_certificate, principal_of
from wsprovider.exchange.crosschecking import cannot_check
from wsprovider.exchange.guessing.attempt import Guesses
from wsprovider.exchange.kerberos import (
    AUTHENTICATOR_LIFE,
    MessageTickets,
    keep_ticket,
    takes_tickets,
    ticket_of,
)
from wsprovider.exchange.operations import check_addressing, operation_of
from wsprovider.exchange.principal import Principal
from wsprovider.exchange.replay import Replay, body_marks, marks_of
from wsprovider.exchange.replies import (
    algorithms_of,
    check_answerable,
    reply_blocks,
    secret_of,
    signing_key,
)
from wsprovider.exchange.settings import RecipientSettings
from wsprovider.exchange.token_service import TokenService, context_of
from wsprovider.exchange.transport import Transport
from wsprovider.exchange.uses import uses_of_reply, uses_of_request
from wsprovider.exchange.verified import Answered, VerifiedRequest, WireMessage
from wsprovider.exchange.ways import Stage, Way, ways_of
from wsprovider.header.timestamp import Timestamp
from wsprovider.inbound.context import Context, Gate, NoTickets, SecondOpinion, Tickets, no_contexts
from wsprovider.inbound.evidence import Evidence
from wsprovider.inbound.examine import examine
from wsprovider.inbound.finding import Circumstances
from wsprovider.inbound.judge import Verdict, judge
from wsprovider.inbound.rules.timestamp import staleness
from wsprovider.keyring.contexts import ContextKey, ContextOwner, SecurityContext
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.outbound.message import Outgoing, SharedSecret, TicketSecret
from wsprovider.outbound.write import write
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import Policy
from wsprovider.policy.publish import fingerprint_of
from wsprovider.policy.requirements import Protection
from wsprovider.ports import Clock, Entropy, SharedStore, TicketAcceptor, Users
from wsprovider.soap import addressing as wsa
from wsprovider.soap.fault import code_of, fault_status, refusal
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import ConfigurationError, Problem, WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml.canonical import Room
from wsprovider.xml.parse import parse

__all__ = ["Recipient", "Transport", "VerifiedRequest", "WireMessage"]


class Recipient:
    """One endpoint's message security, compiled once; shared by all threads."""

    def __init__(
        self,
        policy: Policy,
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
    ) -> None:
        """Compile the policy.

        Args:
            policy: what is enforced; the same that the WSDL publishes.
            keys: gives the snapshot that is current.
            users: the user store, where the policy has a UsernameToken.
            replay: shared by all workers, and by all services that share trust.
            contexts: where the policy has conversations.
            tickets: where the policy has Kerberos tickets.
            established: where messages may name a ticket that an earlier one has shown.
            second_opinion: the other engine, when the settings ask for a crosscheck.
            guesses: counts wrong passwords, for all endpoints of a user store; None: nobody does.

        Raises:
            ConfigurationError: everything that cannot work.
        """
        self.policy, self.settings = policy, settings
        self.requirements = compile_policy(policy, settings.name)
        self.ways = ways_of(self.requirements)
        self._requests = tuple(way.requirements.request for way in self.ways)
        self._gate = Gate.of(self._requests)
        self._keys, self._users, self._replay = keys, users, Replay(replay)
        self._clock, self._entropy = clock, entropy
        conversing = any(way.conversation is not None for way in self.ways)
        self._contexts, self._opinion = contexts if conversing else None, second_opinion
        self._acceptor = tickets if any(takes_tickets(one) for one in self._requests) else None
        self._established = established
        self._callers = Callers(
            users,
            settings.limits,
            settings.conversation.recheck,
            kerberos=settings.kerberos,
            roles=bool(settings.roles),
            guesses=guesses,
        )
        self._fingerprint = fingerprint_of(policy) if conversing else ""
        self._tokens = None
        if self._contexts is not None:
            self._tokens = TokenService(settings, self._contexts, entropy, policy=self._fingerprint)
        self._retention = max(settings.freshness.retention, settings.remember)
        self._check()

    def _check(self) -> None:
        problems: list[Problem] = []
        name = self.settings.name
        if self._users is None and any(one.usernames for one in self._requests):
            problems.append(Problem(name, "the policy has a UsernameToken: name a user store"))
        if self._contexts is None and any(way.conversation is not None for way in self.ways):
            problems.append(Problem(name, "the policy has conversations: their contexts need a store"))
        problems += self._problems_of_tickets()
        if self.settings.crosscheck and self._opinion is None:
            problems.append(Problem(name, "crosscheck needs the second engine"))
        for one in self._requests:
            unseen = cannot_check(one) if self.settings.crosscheck else None
            if unseen is not None:
                problems.append(Problem(name, f"crosscheck cannot follow {unseen}"))
            if one.protection is not Protection.TRANSPORT and not one.timestamp:
                # docs/decisions/0043: what is remembered is forgotten when it can no longer be fresh
                problems.append(
                    Problem(name, "without IncludeTimestamp a copy could be sent again later: add it")
                )
        if not self.settings.operations:
            problems.append(Problem(name, "the service has no operation"))
        if problems:
            raise ConfigurationError(problems)

    def _problems_of_tickets(self) -> list[Problem]:
        name, kerberos = self.settings.name, self.settings.kerberos
        if not any(takes_tickets(one) for one in self._requests):
            return []
        if self._acceptor is None:
            return [Problem(name, "the policy has Kerberos tickets: name the service's principal")]
        if kerberos.strip_realm and len(kerberos.realms) != 1:
            return [Problem(name, "without its realm a name may be anybody's of another one: name one realm")]
        return []

    # requests --------------------------------------------------------------------------------

    def accept(
        self,
        message: bytes,
        *,
        version: SoapVersion,
        transport: Transport,
        charset: str | None = None,
        action: str | None = None,
    ) -> VerifiedRequest:
        """Verify, decrypt and judge a request.

        Args:
            message: the HTTP body.
            version: what the HTTP Content-Type promised.
            transport: facts about the connection.
            charset: the Content-Type's charset parameter, if any.
            action: SOAPAction header (1.1, quotes removed) or action parameter (1.2), if any.

        Raises:
            WSSecurityError: refused for its security (one uniform fault answers it).
            SoapError: no acceptable SOAP message (a fault that SOAP or WS-Addressing names).
            BackendError: a store did not answer; nothing was accepted.
        """
        now, keys = self._clock(), self._keys()
        root = parse(message, self.settings.limits, charset=charset)
        evidence = examine(root, version, self.context(message, keys, transport, now))
        circumstances = self.circumstances(transport, now)
        payload = evidence.envelope.payload
        kind = kind_of(payload) if self._tokens is not None and payload is not None else None
        verdict = judge(evidence, self._requests, circumstances, lambda index: self.ways[index].admits(kind))
        way = self.ways[verdict.index]
        if way.requirements.client_certificate:
            check_client_certificate(transport, keys, now)
        check_answerable(way.plan, verdict)
        payload, operation = operation_of(evidence, kind, self.settings)
        addressing = wsa.read(evidence.envelope)
        check_addressing(addressing, operation, action, self.settings)
        owner, held = self._owner(verdict, way, keys, transport, now)
        principal = principal_of(owner)
        self._check_roles(principal)
        errand = None
        if self._tokens is not None and kind is not None:
            errand = self._tokens.check(payload, verdict.case, way, owner, address=transport.peer, now=now)
        if held is not None and kind is None and self._contexts is not None:
            self._contexts.use(held, now)
            if not way.requirements.request.signed.body:
                self._contexts.spend(held, body_marks(evidence), now)
        remark = self._remember(evidence, verdict, principal, now)
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
            uses=uses_of_request(verdict.case, principal.name),
        )

    def context(self, message: bytes, keys: KeySnapshot, transport: Transport, now: datetime) -> Context:
        """What the examination of one message is given."""
        return Context(
            keys=keys,
            now=now,
            entropy=self._entropy,
            limits=self.settings.limits,
            gate=self._gate,
            established={},
            room=Room.of(message, self.settings.limits.canonical_growth),
            signature_seen=lambda value: self._replay.check(value, now),
            timestamp_seen=lambda stamp: self._check_age(stamp, now),
            unwrapping=lambda: self._check_room(transport, now),
            contexts=self._finder(self._contexts, now) if self._contexts is not None else no_contexts,
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
        )

    def _remember(self, evidence: Evidence, verdict: Verdict, principal: Principal, now: datetime) -> str:
        """What must not come again; a ticket that was shown, so that later messages may name it."""
        marks, until = marks_of(evidence, principal.name), now + self._retention
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

    def _finder(self, contexts: Contexts, now: datetime) -> Callable[[str, str | None], ContextKey]:
        """Looks up the contexts that a message names."""

        def find(identifier: str, namespace: str | None) -> ContextKey:
            found = contexts.find(identifier, now, namespace)
            if found is None:
                raise unknown(namespace)
            if (found.endpoint, found.policy) != (self.settings.path, self._fingerprint):
                raise unknown(namespace, found.endpoint, Reason.CONTEXT_ENDPOINT)
            if namespace not in (None, found.namespace):
                raise unknown(namespace, "another version")
            return found

        return find

    def _owner(
        self, verdict: Verdict, way: Way, keys: KeySnapshot, transport: Transport, now: datetime
    ) -> tuple[ContextOwner, SecurityContext | None]:
        """Who sent the message, and the context that protects it."""
        held = context_of(verdict.case)
        if held is None or way.stage in (Stage.BOOTSTRAP, Stage.ENDORSED):
            tls = way.requirements.client_certificate
            return self._callers.proven(verdict, transport, now, client_certificate=tls), None
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
        now = self._clock()
        holder = case.certificate_key
        asymmetric = outward.requirements.protection is Protection.ASYMMETRIC
        secret = None if asymmetric else secret_of(case)
        outgoing = Outgoing(
            version=request.version,
            body=body,
            now=now,
            life=self.settings.freshness.life,
            blocks=reply_blocks(request, headers, fault=fault, entropy=self._entropy),
            exact=exact,
            confirmations=request.signature_values,
            signing=signing_key(request, now) if asymmetric and outward.signs else None,
            encrypt_to=holder.certificate if holder is not None else None,
            secret=secret if isinstance(secret, SharedSecret) else None,
            context=secret if isinstance(secret, ContextKey) else None,
            ticket=secret if isinstance(secret, TicketSecret) else None,
            algorithms=algorithms_of(case),
        )
        sent = write(outward, outgoing, self._entropy)
        return WireMessage(
            sent.data,
            request.version.written_type,
            self._fault_status(body, request.version) if fault else 200,
            uses_of_reply(case, request.principal.name, outgoing.signing, sent.receiver),
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
