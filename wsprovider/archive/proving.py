"""A message judged again, from the archive alone and by the code that judged it then.

In go the octets as they came, the secrets that opened them, the certificates, lists, policy and limits of that moment;
out comes what holds now. Not judged again: the password (it was right then; the user store may have changed), the replay
(it is one), and what the service thought of the caller's roles.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from lxml import etree

from wsprovider.archive import trusts
from wsprovider.archive.messages import WIRE
from wsprovider.archive.reading import Found
from wsprovider.exchange.principal import Proof as CallerProof
from wsprovider.exchange.ways import Way, ways_of
from wsprovider.inbound.context import Context, Gate
from wsprovider.inbound.evidence import CertificateKey, Evidence, SignatureFact
from wsprovider.inbound.examine import examine
from wsprovider.inbound.finding import Case, Circumstances, Freshness
from wsprovider.inbound.http_basic import BasicCredentials
from wsprovider.inbound.judge import judge
from wsprovider.keyring.contexts import ContextKey
from wsprovider.keyring.path import Chain, PathSearch
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.keyring.tickets import TicketKey, ticket_sha1
from wsprovider.keyring.trust import AuthorityGroup
from wsprovider.policy.assigned import OperationPolicies
from wsprovider.policy.compile import compile_operation
from wsprovider.policy.read import read_policy
from wsprovider.policy.requirements import MessageRequirements
from wsprovider.soap.version import SOAP_VERSIONS, SoapVersion
from wsprovider.words.errors import ConfigurationError, SoapError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES, allow_sha1, allow_short_symmetric_keys
from wsprovider.xml.canonical import Room
from wsprovider.xml.parse import parse

_FAILURES: Final = (
    WSSecurityError,
    SoapError,
    ConfigurationError,
    LookupError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a message shows now.

    Attributes:
        failure: why it does not hold; None: it does.
        case: the evidence, and the requirements that it meets; None where there is a failure.
        tree: the document with everything decrypted that was encrypted.
        snapshot: whom the service trusted then.
        limits: the endpoint's of then.
    """

    failure: str | None
    case: Case | None = None
    tree: bytes = field(default=b"", repr=False)
    snapshot: RingSnapshot | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def evidence(self) -> Evidence | None:
        """What the message has shown."""
        return None if self.case is None else self.case.evidence

    @property
    def certified(self) -> bool:
        """Whether somebody's own key signed it: what anybody can verify who has the certificate."""
        return self.evidence is not None and any(
            isinstance(fact.key, CertificateKey) for fact in self.evidence.signatures
        )


def prove_request(found: Found) -> Proof:
    """Judge a request again, as of the moment when it was accepted."""
    try:
        way, limits = way_of(found), _limits(found)
        circumstances = Circumstances(
            now=found.at,
            freshness=_freshness(found),
            secure=found.facts["tls"]["secure"],
            client_certificate=found.facts["tls"]["certificate"] is not None,
            clear_password_over_http=found.facts["clear_password_over_http"],
            basic=_basic(found),
        )
        return _proof(found, found, way.requirements.request, circumstances, limits)
    except _FAILURES as error:
        return Proof(_sentence(error))


def prove_reply(found: Found, request: Found) -> Proof:
    """Judge a reply as its receiver would, as of the moment when it was sent."""
    try:
        way, limits = way_of(request), _limits(request)
        asked = prove_request(request)
        values = () if asked.evidence is None else asked.evidence.signatures
        circumstances = Circumstances(
            now=found.at,
            freshness=_freshness(request),
            secure=request.facts["tls"]["secure"],
            sent_signatures=tuple(fact.signature.value for fact in values),
        )
        return _proof(found, request, way.requirements.reply, circumstances, limits)
    except _FAILURES as error:
        return Proof(_sentence(error))


def way_of(request: Found) -> Way:
    """The way by which a request came, compiled from the policy of then.

    Raises:
        LookupError: the archive lacks the policy, or this version reads another way from it.
    """
    facts = request.facts
    suites = dict(SUITES)
    for name, widened in (("rsa_sha1", allow_sha1), ("short_symmetric_keys", allow_short_symmetric_keys)):
        if facts[name]:
            suites = {key: widened(suite) for key, suite in suites.items()}
    name = request.record.name
    asked, answered = (
        None if facts[key] is None else read_policy(request.material(facts[key]), where=name, suites=suites)
        for key in ("policy", "reply_policy")
    )
    way = ways_of(compile_operation(facts["operation"], OperationPolicies(asked, answered), name))[
        facts["way"]
    ]
    if way.stage.value != facts["stage"]:
        raise LookupError(f"this version reads {way.stage.value!r} where {facts['stage']!r} was judged")
    return way


def covered(fact: SignatureFact) -> list[str]:
    """The local names of what a signature covers."""
    return sorted({etree.QName(element).localname for element in fact.covered})


def chain_of(snapshot: RingSnapshot, key: CertificateKey, now: datetime, limits: Limits) -> tuple[Chain, str]:
    """The path of a certificate up to what was trusted, and the name of the group that trusts it."""
    for group in snapshot.trust_groups:
        if not isinstance(group, AuthorityGroup):
            if any(key.certificate in partner.certificates for partner in group.partners):
                return (key.certificate,), group.name
            continue
        search = PathSearch(group.authorities, key.path, limits, now)
        for chain in search.chains(key.certificate):
            return chain, group.name
    return (key.certificate,), ""


def _proof(
    found: Found, request: Found, wanted: MessageRequirements, circumstances: Circumstances, limits: Limits
) -> Proof:
    snapshot = trusts.read(found.material(found.facts["trust"]), found.material)
    data = found.parts[WIRE]
    version: SoapVersion = SOAP_VERSIONS[request.facts["soap"]]
    charset = found.facts.get("charset")
    secrets = list(_secrets(found, request))
    context = Context(
        keys=snapshot,
        now=circumstances.now,
        entropy=os.urandom,
        limits=limits,
        gate=Gate.of((wanted,)),
        established={} if found is request else _by_sha1(secrets),
        room=Room.of(data, limits.canonical_growth),
        signature_seen=lambda _: None,
        timestamp_seen=lambda _: None,
        contexts=_contexts(secrets),
        tickets=_Tickets(secrets),
        understood=frozenset(request.facts["understood"]),
        unwrapped=_by_sha1(secrets),
    )
    evidence = examine(parse(data, limits, charset=charset), version, context)
    verdict = judge(evidence, (wanted,), circumstances)
    return Proof(None, verdict.case, etree.tostring(evidence.envelope.root), snapshot, limits)


def _basic(request: Found) -> BasicCredentials | None:
    """Who called by HTTP Basic; the password is not judged again, and was not kept."""
    facts = request.facts
    return BasicCredentials(facts["identity"], "") if facts["proof"] == CallerProof.HTTP_BASIC.value else None


def _limits(request: Found) -> Limits:
    return trusts.limits_in(request.material(request.facts["trust"]))


def _freshness(request: Found) -> Freshness:
    return Freshness(*(timedelta(seconds=one) for one in request.facts["freshness"]))


def _secrets(found: Found, request: Found) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The secrets of a message; those of its request, too, for a reply."""
    for one in (found,) if found is request else (found, request):
        for named in one.facts["secrets"]:
            yield named, one.parts[named["part"]]


def _by_sha1(secrets: Sequence[tuple[dict[str, Any], bytes]]) -> dict[bytes, bytes]:
    return {
        bytes.fromhex(named["sha1"]): secret for named, secret in secrets if named["kind"] == "encrypted key"
    }


def _contexts(secrets: Sequence[tuple[dict[str, Any], bytes]]) -> Any:
    held = {
        named["identifier"]: ContextKey(named["identifier"], named["instance"], named["namespace"], secret)
        for named, secret in secrets
        if named["kind"] == "context"
    }

    def find(identifier: str, _namespace: str | None) -> ContextKey:
        if identifier not in held:
            raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, identifier)
        return held[identifier]

    return find


class _Tickets:
    """The tickets whose keys were kept (:class:`wsprovider.inbound.context.Tickets`)."""

    def __init__(self, secrets: Sequence[tuple[dict[str, Any], bytes]]) -> None:
        self._held = {
            bytes.fromhex(named["sha1"]): TicketKey(
                bytes.fromhex(named["sha1"]),
                secret,
                named["principal"],
                datetime.fromisoformat(named["expires"]),
                named["shown"] and bytes.fromhex(named["shown"]),
            )
            for named, secret in secrets
            if named["kind"] == "ticket"
        }

    def shown(self, token: bytes) -> TicketKey:
        """See :class:`wsprovider.inbound.context.Tickets`."""
        return self.named(ticket_sha1(token))

    def named(self, sha1: bytes) -> TicketKey:
        """See :class:`wsprovider.inbound.context.Tickets`."""
        if sha1 not in self._held:
            raise WSSecurityError(Reason.TICKET_UNKNOWN, sha1.hex())
        return self._held[sha1]


def _sentence(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the archive lacks {error}"
    return str(error) or type(error).__name__
