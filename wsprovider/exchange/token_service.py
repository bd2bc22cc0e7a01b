"""The service as its own security token service: contexts are issued, renewed and cancelled.

WS-SecureConversation 1.3, sections 3 to 6. A request is first :meth:`checked <TokenService.check>`, while
refusing it leaves no trace, and carried out once it is the accepted copy.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from wsprovider.conversation import request as rst
from wsprovider.conversation.contexts import Contexts, unknown
from wsprovider.conversation.request import Kind, Target, TokenRequest, refused
from wsprovider.conversation.response import Proof, write_cancelled, write_issued
from wsprovider.crypto.derivation import p_sha1
from wsprovider.exchange.callers import same_owner
from wsprovider.exchange.kerberos import ticket_of
from wsprovider.exchange.settings import RecipientSettings
from wsprovider.exchange.ways import Stage, Way
from wsprovider.inbound.context import FindContext
from wsprovider.inbound.evidence import Evidence, SecretKey
from wsprovider.inbound.finding import Case
from wsprovider.keyring.contexts import ContextKey, ContextOwner, SecurityContext
from wsprovider.ports import Entropy
from wsprovider.soap import addressing as wsa
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.reasons import Reason

_ID_BYTES: Final = 16
_CROWDED: Final = timedelta(seconds=5)
_ADDRESSES: Final = 10_000
_PREFIX: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """A request for a token that met its policy and may be carried out.

    Attributes:
        owner: who asks.
        counted_for: whose share of contexts a new one takes.
        way: by which it came.
        context: that is to be renewed or cancelled.
        until: when what proved the owner ends; no context outlives it.
    """

    request: TokenRequest
    owner: ContextOwner
    counted_for: str
    way: Way
    context: SecurityContext | None = None
    until: datetime | None = None


class TokenService:
    """The token service of one endpoint; shared by all threads."""

    def __init__(
        self, settings: RecipientSettings, contexts: Contexts, entropy: Entropy, *, policy: str
    ) -> None:
        """Take the contexts.

        Args:
            policy: fingerprint of the endpoint's policy.
        """
        self._settings, self._contexts, self._entropy = settings, contexts, entropy
        self._policy = policy
        self._crowded: OrderedDict[str, datetime] = OrderedDict()

    def check_room(self, address: str, now: datetime) -> None:
        """Refuse the anonymous callers of an address for some seconds after it had all the contexts it may.

        Asked before the private key is used, so that a flood costs less than it costs who makes it. Calls in
        a conversation do not come by here.

        Raises:
            SoapError: CONTEXT_LIMIT.
        """
        until = self._crowded.get(network_of(address))
        if until is not None and now < until:
            raise SoapError(SoapFault.REQUEST_FAILED, Reason.CONTEXT_LIMIT, f"{address}, as before")

    def check(
        self,
        payload: etree._Element,
        case: Case,
        way: Way,
        owner: ContextOwner,
        *,
        address: str,
        now: datetime,
    ) -> Errand:
        """Read a request and see whether its sender may ask for that.

        Args:
            payload: the request.
            case: the message it came in.
            owner: who sent it.
            address: where it came from.

        Raises:
            SoapError: with the fault that WS-Trust or WS-SecureConversation names.
            WSSecurityError: a field's own error.
            BackendError: the store did not answer.
        """
        request = rst.read(payload, self._settings.limits)
        version, conversation = request.version, way.conversation
        if conversation is None:
            raise RuntimeError("a way that admits requests for tokens belongs to a conversation")
        if conversation.applies_to and request.kind is Kind.ISSUE and request.applies_to is None:
            raise refused(version, "no AppliesTo", Reason.TRUST_APPLIES_TO)
        if request.applies_to is not None:
            self._check_applies_to(request)
        counted_for = owner.name or network_of(address)
        ticket = ticket_of(case)
        until = None if ticket is None else ticket.expires
        if request.kind is Kind.ISSUE:
            if not conversation.server_entropy and conversation.client_entropy and request.entropy is None:
                raise refused(version, "the policy wants the client's entropy")
            return Errand(request, owner, counted_for, way, until=until)
        if request.target is None:
            raise RuntimeError("a request that was read has its target")
        context = self._target(request, request.target, case, way, owner, now)
        return Errand(request, owner, counted_for, way, context, until)

    def _check_applies_to(self, request: TokenRequest) -> None:
        address = request.applies_to or ""
        settings = self._settings
        try:
            wsa.check_address(address, path=settings.path, addresses=settings.addresses)
        except SoapError as error:
            raise refused(request.version, error.detail, Reason.TRUST_APPLIES_TO) from None

    def _target(
        self, request: TokenRequest, target: Target, case: Case, way: Way, owner: ContextOwner, now: datetime
    ) -> SecurityContext:
        """The context that is spoken of, if it is the sender's to end or to renew.

        Who asks for another one's context learns as little as who asks for one that never was.
        """
        held = context_of(case)
        if held is not None:
            if not _names(target, held, case.evidence):
                raise refused(request.version, "another context", Reason.TRUST_TARGET)
            context = held
        else:
            context = self._owned(request, target, now)
        if way.stage in (Stage.BOOTSTRAP, Stage.ENDORSED):
            endorsed = way.stage is Stage.ENDORSED and _suffices(request.kind, owner, context.owner)
            if not endorsed and not same_owner(owner, context.owner):
                raise unknown(request.version.conversation, "somebody else's", Reason.CONTEXT_IDENTITY)
        if context.namespace != request.version.conversation:
            raise refused(request.version, "a context of another version", Reason.TRUST_TARGET)
        return context

    def _owned(self, request: TokenRequest, target: Target, now: datetime) -> SecurityContext:
        """The context named by a request that only its sender's own proof protects."""
        namespace = request.version.conversation
        context = (
            None if target.identifier is None else self._contexts.find(target.identifier, now, namespace)
        )
        ours = (self._settings.path, self._policy)
        if context is None or (context.endpoint, context.policy) != ours:
            raise unknown(namespace)
        if target.instance != context.instance:
            raise unknown(namespace, "", Reason.CONTEXT_INSTANCE)
        return context

    # carrying out ----------------------------------------------------------------------------

    def carry_out(
        self, errand: Errand, version: SoapVersion, now: datetime
    ) -> tuple[etree._Element, SecurityContext]:
        """Do what was asked for; the Body that answers, and the context that it is about.

        Raises:
            SoapError: CONTEXT_LIMIT; CONTEXT_UNKNOWN where somebody was faster.
            ConfigurationError: no seal key is active.
            BackendError: the store did not answer.
        """
        request, context = errand.request, errand.context
        if request.kind is Kind.CANCEL and context is not None:
            if not self._contexts.cancel(context, now):
                raise unknown(context.namespace, "cancelled meanwhile")
            return _body(version, write_cancelled(request)), context
        # whole milliseconds, as they are told to the client
        created = now.replace(microsecond=now.microsecond // 1000 * 1000)
        life = self._settings.conversation.life
        expires = created + min(life, request.lifetime or life)
        if errand.until is not None:
            expires = min(expires, errand.until)
        proof, secret = self._key(errand)
        if context is None:
            context = self._issue(errand, secret, expires, now)
        else:
            context = self._contexts.renew(context, errand.owner, secret, expires, now)
        token_id = f"sct-{self._entropy(_ID_BYTES).hex()}"
        response = write_issued(request, context, proof, created, expires, token_id)
        return _body(version, response), context

    def _issue(self, errand: Errand, secret: bytes, expires: datetime, now: datetime) -> SecurityContext:
        try:
            return self._contexts.issue(
                endpoint=self._settings.path,
                policy=self._policy,
                owner=errand.owner,
                counted_for=errand.counted_for,
                namespace=errand.request.version.conversation,
                secret=secret,
                expires=expires,
                now=now,
            )
        except SoapError as error:
            if _nobody(errand.owner):
                self._crowded[errand.counted_for] = now + _CROWDED
                if len(self._crowded) > _ADDRESSES:
                    self._crowded.popitem(last=False)
            namespace = errand.request.version.namespace
            raise SoapError(error.fault, error.reason, error.detail, namespace=namespace) from None

    def _key(self, errand: Errand) -> tuple[Proof, bytes]:
        """WS-Trust 1.3, section 4.4.4: computed from both sides' entropy, or one side's alone.

        The length is always the suite's, whatever was asked for; the response says it.
        """
        request, conversation = errand.request, errand.way.conversation
        if conversation is None:
            raise RuntimeError("see check")
        bits = conversation.bits
        if request.entropy is None:
            secret = self._entropy(bits // 8)
            return Proof(bits, secret=secret), secret
        wanted = conversation.client_entropy and not conversation.server_entropy
        if wanted and len(request.entropy) == bits // 8:
            return Proof(bits), request.entropy
        entropy = self._entropy(bits // 8)
        return Proof(bits, server_entropy=entropy), p_sha1(request.entropy, entropy, bits // 8)


def context_of(case: Case) -> SecurityContext | None:
    """The context of ours that signed a message, or its message signature; None when none did."""
    for fact in (case.main, *case.endorsing):
        if fact is not None and isinstance(fact.key, SecretKey):
            context = fact.key.root.context
            if isinstance(context, SecurityContext):
                return context
    return None


def finder_of(contexts: Contexts, endpoint: str, policy: str, now: datetime) -> FindContext:
    """Looks up the contexts that a message names, for one endpoint.

    Args:
        endpoint: its path.
        policy: fingerprint of its policy.
    """

    def find(identifier: str, namespace: str | None) -> ContextKey:
        found = contexts.find(identifier, now, namespace)
        if found is None:
            raise unknown(namespace)
        if (found.endpoint, found.policy) != (endpoint, policy):
            raise unknown(namespace, found.endpoint, Reason.CONTEXT_ENDPOINT)
        if namespace not in (None, found.namespace):
            raise unknown(namespace, "another version")
        return found

    return find


def _names(target: Target, context: SecurityContext, evidence: Evidence) -> bool:
    if target.local is not None:
        return any(token.id == target.local for token in evidence.candidates.contexts.values())
    return target.identifier == context.identifier and target.instance in (None, context.instance)


def _suffices(kind: Kind, sender: ContextOwner, owner: ContextOwner) -> bool:
    """Whether the context's own signature is proof enough: to end it, or where nobody has a name.

    It never is over another TLS client certificate than the owner's.
    """
    if sender.transport_certificate != owner.transport_certificate:
        return False
    return kind is Kind.CANCEL or (_nobody(sender) and _nobody(owner))


def network_of(address: str) -> str:
    """What anonymous callers are counted by: an IPv4 address, or the /64 that an IPv6 one is one of many of."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, _PREFIX), strict=False))


def _nobody(owner: ContextOwner) -> bool:
    return not owner.name


def _body(version: SoapVersion, content: str) -> etree._Element:
    return etree.fromstring(f'<soap:Body xmlns:soap="{version.namespace}">{content}</soap:Body>')
