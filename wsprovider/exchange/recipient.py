"""The recipient's side of an exchange: one request is accepted or refused, one reply protected.

Still without I/O, clock or randomness of its own. The order in :meth:`Recipient.accept` is the order
of cost and of safety: structure, signatures, decryption, digests, judgement, then the user store, and
the replay store last, so that a refused copy never burns the genuine message.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from lxml import etree

from wsprovider.crypto.algorithms import identity
from wsprovider.exchange.crosschecking import cannot_check
from wsprovider.exchange.principal import ANONYMOUS, Principal, Proof
from wsprovider.exchange.replies import algorithms_of, check_answerable, reply_blocks, secret_of
from wsprovider.exchange.settings import Operation, RecipientSettings
from wsprovider.exchange.verified import Transport, VerifiedRequest, WireMessage
from wsprovider.header.timestamp import Timestamp
from wsprovider.inbound.authenticate import authenticate
from wsprovider.inbound.context import Context, Gate, SecondOpinion
from wsprovider.inbound.evidence import CertificateKey, Evidence
from wsprovider.inbound.examine import examine
from wsprovider.inbound.finding import Circumstances
from wsprovider.inbound.judge import Verdict, judge
from wsprovider.inbound.rules.timestamp import staleness
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.outbound.message import Outgoing
from wsprovider.outbound.plan import plan
from wsprovider.outbound.write import write
from wsprovider.policy.model import Policy
from wsprovider.policy.requirements import Protection, compile_policy
from wsprovider.ports import Clock, Entropy, SharedStore, Users
from wsprovider.soap import addressing as wsa
from wsprovider.soap.fault import fault_status, refusal
from wsprovider.soap.version import SoapVersion
from wsprovider.words.errors import (
    BackendError,
    ConfigurationError,
    Problem,
    SoapError,
    SoapFault,
    WSSecurityError,
)
from wsprovider.words.reasons import Reason
from wsprovider.xml.parse import parse

__all__ = ["Recipient", "Transport", "VerifiedRequest", "WireMessage"]

_SIGNATURE: Final = "signature:"
_NONCE: Final = "nonce:"


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
        second_opinion: SecondOpinion | None = None,
    ) -> None:
        """Compile the policy.

        Args:
            policy: what is enforced; the same that the WSDL publishes.
            keys: gives the snapshot that is current.
            users: the user store, where the policy has a UsernameToken.
            replay: shared by all workers, and by all services that share trust.
            second_opinion: the other engine, when the settings ask for a crosscheck.

        Raises:
            ConfigurationError: everything that cannot work.
        """
        self.policy, self.settings = policy, settings
        self.requirements = compile_policy(policy, settings.name)
        self._requests = tuple(one.request for one in self.requirements)
        self._replies = tuple(plan(one.reply) for one in self.requirements)
        self._gate = Gate.of(self._requests)
        self._keys, self._users, self._replay = keys, users, replay
        self._clock, self._entropy = clock, entropy
        self._opinion = second_opinion
        self._retention = settings.freshness.life + settings.freshness.skew + settings.freshness.future
        self._check()

    def _check(self) -> None:
        problems: list[Problem] = []
        name = self.settings.name
        if self._users is None and any(one.usernames for one in self._requests):
            problems.append(Problem(name, "the policy has a UsernameToken: name a user store"))
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
        now = self._clock()
        keys = self._keys()
        limits = self.settings.limits
        root = parse(message, limits, charset=charset)
        context = Context(
            keys=keys,
            now=now,
            entropy=self._entropy,
            limits=limits,
            gate=self._gate,
            established={},
            signature_seen=lambda value: self._look_up(value, now),
            timestamp_seen=lambda stamp: self._check_age(stamp, now),
            second_opinion=self._opinion,
            understood=self.settings.understood,
        )
        evidence = examine(root, version, context)
        circumstances = Circumstances(
            now=now,
            freshness=self.settings.freshness,
            secure=transport.secure,
            client_certificate=transport.client_certificate is not None,
            clear_password_over_http=self.settings.clear_password_over_http,
        )
        verdict = judge(evidence, self._requests, circumstances)
        if self.requirements[verdict.index].client_certificate and (transport.client_certificate is None):
            raise WSSecurityError(Reason.CLIENT_CERTIFICATE_MISSING)
        check_answerable(self._replies[verdict.index], verdict)
        payload, operation = self._operation(evidence)
        addressing = wsa.read(evidence.envelope)
        self._check_addressing(addressing, operation, action)
        principal = self._principal(evidence, verdict)
        self._check_roles(principal)
        self._remember(evidence, principal, now)
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
            alternative=verdict.index,
            verdict=verdict,
            keys=keys,
            addressing=addressing,
        )

    def _operation(self, evidence: Evidence) -> tuple[etree._Element, Operation]:
        """The Body's only child must be an input of this endpoint."""
        payload = evidence.envelope.payload
        operation = self.settings.operations.get(payload.tag) if payload is not None else None
        if payload is None or operation is None:
            detail = payload.tag if payload is not None else "empty Body"
            raise SoapError(SoapFault.CLIENT, Reason.NOT_AN_INPUT, detail)
        return payload, operation

    def _check_addressing(
        self, addressing: wsa.Addressing | None, operation: Operation, action: str | None
    ) -> None:
        """The Body decides what is called; whatever names another operation is refused."""
        named = [action] if action else []
        if addressing is not None:
            wsa.check_request(addressing, path=self.settings.path, addresses=self.settings.addresses)
            named += [addressing.action] if addressing.action else []
        for value in named:
            if value == operation.action:
                continue
            if any(other.action == value for other in self.settings.operations.values()):
                raise SoapError(SoapFault.ACTION_MISMATCH, Reason.ACTION_MISMATCH, value)

    def _principal(self, evidence: Evidence, verdict: Verdict) -> Principal:
        main = verdict.case.main
        key = main.key if main is not None else None
        holder = key if isinstance(key, CertificateKey) else None
        certificate = holder.certificate if holder is not None else None
        if verdict.case.requirements.usernames:
            users = self._users
            if users is None:
                raise RuntimeError("checked at start")
            (token,) = evidence.candidates.usernames.values()
            user = authenticate(token, users, self.settings.limits)
            proof = Proof.PASSWORD_DIGEST if token.digest else Proof.PASSWORD
            return Principal(user.name, proof, certificate, user.roles)
        if holder is not None:
            return Principal(holder.partner, Proof.CERTIFICATE, certificate, holder.roles)
        return ANONYMOUS

    def _check_roles(self, principal: Principal) -> None:
        wanted = self.settings.roles
        if wanted and not wanted & principal.roles:
            raise WSSecurityError(Reason.ROLE_MISSING, principal.name)

    def _check_age(self, stamp: Timestamp, now: datetime) -> None:
        """Refuse what is stale before anything of it is decrypted."""
        stale = staleness(stamp, now, self.settings.freshness)
        if stale is not None:
            raise WSSecurityError(stale.reason, stale.detail)

    # replay ----------------------------------------------------------------------------------

    def _look_up(self, value: bytes, now: datetime) -> None:
        """Refuse a copy of an accepted message before anything of it is decrypted."""
        try:
            known = self._replay.contains(_signature_key(value), now=now)
        except BackendError as error:
            raise WSSecurityError(Reason.REPLAY_STORE, str(error)) from error
        if known:
            raise WSSecurityError(Reason.REPLAY, "signature")

    def _remember(self, evidence: Evidence, principal: Principal, now: datetime) -> None:
        """The one atomic step that makes this copy the accepted one; the last thing that happens."""
        entries = [
            _signature_key(identity(fact.signature.method, fact.signature.value))
            for fact in evidence.signatures
        ]
        entries += [
            f"{_NONCE}{principal.name}:{token.nonce.hex()}"
            for token in evidence.candidates.usernames.values()
            if token.nonce is not None
        ]
        expires = now + self._retention
        try:
            for entry in entries:
                if not self._replay.add_if_absent(entry, expires=expires, now=now):
                    raise WSSecurityError(Reason.REPLAY, entry.partition(":")[0])
        except BackendError as error:
            raise WSSecurityError(Reason.REPLAY_STORE, str(error)) from error

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
        outward = self._replies[request.alternative]
        now = self._clock()
        main = request.verdict.case.main
        key = main.key if main is not None else None
        asymmetric = outward.requirements.protection is Protection.ASYMMETRIC
        outgoing = Outgoing(
            version=request.version,
            body=body,
            now=now,
            life=self.settings.freshness.life,
            blocks=reply_blocks(request, headers, fault=fault, entropy=self._entropy),
            exact=exact,
            confirmations=request.signature_values,
            signing=request.keys.signing_key(now) if asymmetric and outward.signs else None,
            encrypt_to=key.certificate if isinstance(key, CertificateKey) else None,
            secret=None if asymmetric else secret_of(request.evidence),
            algorithms=algorithms_of(request.evidence),
        )
        sent = write(outward, outgoing, self._entropy)
        return WireMessage(
            sent.data,
            _content_type(request.version),
            self._fault_status(body, request.version) if fault else 200,
        )

    def refuse(self, error: Exception, *, version: SoapVersion) -> WireMessage:
        """The fault that answers a refused message: unprotected, and uniform for security errors."""
        message = refusal(error, version, sender_400=self.settings.sender_fault_400)
        return WireMessage(message.data, _content_type(version), message.status)

    def _fault_status(self, body: etree._Element, version: SoapVersion) -> int:
        code = _fault_code(body, version)
        return fault_status(code, version, sender_400=self.settings.sender_fault_400)


def _signature_key(value: bytes) -> str:
    return _SIGNATURE + hashlib.sha256(value).hexdigest()


def _content_type(version: SoapVersion) -> str:
    return f"{version.content_type}; charset=utf-8"


def _fault_code(body: etree._Element, version: SoapVersion) -> str:
    """The local name of a SOAP 1.2 fault's Code; empty for SOAP 1.1."""
    value = body.find(
        f"{{{version.namespace}}}Fault/{{{version.namespace}}}Code/{{{version.namespace}}}Value"
    )
    return (value.text or "").rpartition(":")[2].strip() if value is not None else ""
