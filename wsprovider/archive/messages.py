"""What is kept of a request and of a reply: the octets, what opens them, and what they were judged by.

Nothing here is needed from the ring later: of each EncryptedKey, security context and ticket the secret is kept that it
gave, so that the octets can be decrypted, their signatures verified and the policy judged again when the private key
has long gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from wsprovider.archive.content import Facts
from wsprovider.archive.record import Kind
from wsprovider.archive.trusts import Materials, hold, write
from wsprovider.archive.writing import CONTEXT, MESSAGE_ID, Kept
from wsprovider.config.policies import suites_of
from wsprovider.exchange.recipient import Recipient, Transport, VerifiedRequest, WireMessage
from wsprovider.exchange.ways import Way
from wsprovider.inbound.evidence import CertificateKey, Evidence, KeyRoot, SecretKey
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup
from wsprovider.keyring.uses import Case
from wsprovider.policy.assigned import OperationPolicies
from wsprovider.policy.model import Policy
from wsprovider.policy.write import write_policy
from wsprovider.words.dialects import SP12
from wsprovider.words.suites import allow_sha1

OURSELVES = "the service"
"""As whom a reply's certificate is trusted when the reply is judged again."""
WIRE = "wire"
"""The part that holds the octets as they came or went."""
_WAYS = 1_000


@dataclass(frozen=True, slots=True)
class Received:
    """A request as HTTP brought it.

    Attributes:
        charset, action: as for :meth:`wsprovider.exchange.recipient.Recipient.accept`.
    """

    data: bytes
    charset: str | None
    action: str | None
    transport: Transport


class Keeper:
    """Says what is to be kept of an endpoint's messages; shared by all threads."""

    def __init__(self, recipient: Recipient, *, scenario: str | None) -> None:
        """Take the endpoint's policy and settings.

        Args:
            scenario: its slug, if it is one of the catalogue.
        """
        settings = recipient.settings
        self._limits, self._openings = settings.limits, recipient.openings
        self._judged: dict[int, tuple[Way, Facts, Materials]] = {}
        freshness = settings.freshness
        self._endpoint: Facts = {
            "endpoint": settings.path,
            "scenario": scenario,
            "freshness": [one.total_seconds() for one in (freshness.life, freshness.skew, freshness.future)],
            "clear_password_over_http": settings.clear_password_over_http,
            "understood": sorted(settings.understood),
        }
        self._trusted: tuple[KeySnapshot | None, tuple[str, Materials]] = (None, ("", {}))
        self._own = lru_cache(maxsize=16)(self._ourselves)

    def request(self, request: VerifiedRequest, received: Received) -> Kept:
        """What is to be kept of a request that was accepted."""
        trust, known = self._trust(request.keys)
        judged, policies = self._judged_by(request.way)
        materials = {**policies, **known}
        parts = {WIRE: received.data}
        principal, transport = request.principal, received.transport
        signers = [fact.key for fact in request.evidence.signatures if isinstance(fact.key, CertificateKey)]
        tls = transport.client_certificate
        facts: Facts = {
            **self._endpoint,
            **judged,
            "received": request.received.isoformat(),
            "operation": request.operation.name,
            "one_way": request.operation.one_way,
            "message_id": request.message_id,
            "soap": request.version.namespace,
            "charset": received.charset,
            "action": received.action,
            "principal": principal.name,
            "identity": principal.identity,
            "proof": principal.proof.value,
            "roles": sorted(principal.roles),
            "certificate": principal.certificate and hold(principal.certificate.der, materials),
            "signers": [
                [hold(one.der, materials) for one in (key.certificate, *key.path)] for key in signers
            ],
            "tls": {
                "secure": transport.secure,
                "peer": transport.peer,
                "certificate": tls and hold(tls.der, materials),
            },
            "trust": trust,
            "secrets": list(_secrets(request.evidence, parts)),
            "context": request.context_identifier,
        }
        tags = {MESSAGE_ID: request.message_id, CONTEXT: request.context_identifier}
        named = {kind: value for kind, value in tags.items() if value is not None}
        return Kept(Kind.REQUEST, facts, parts, materials, named)

    def reply(self, wire: WireMessage, number: int, context: str | None = None) -> Kept:
        """What is to be kept of a protected reply.

        Args:
            number: of its request's record.
            context: identifier of the security context that it issues, renews or cancels.
        """
        materials: Materials = {}
        parts = {WIRE: wire.data}
        signer = next((use.certificate for use in wire.uses if use.case is Case.SIGN), None)
        trust, known = self._own(signer)
        materials.update(known)
        facts: Facts = {
            "status": wire.status,
            "content_type": wire.content_type,
            "certificate": signer and hold(signer.der, materials),
            "trust": trust,
            "secrets": [
                {"kind": "encrypted key", "sha1": sha1.hex(), "part": _put(secret, parts)}
                for sha1, secret in wire.secrets.items()
            ],
        }
        tags = {} if context is None else {CONTEXT: context}
        return Kept(Kind.REPLY, facts, parts, materials, tags, number)

    def _judged_by(self, way: Way) -> tuple[Facts, Materials]:
        """The policies by which a request was judged, and its way among those that they open; written once."""
        known = self._judged.get(id(way))
        if known is None or known[0] is not way:
            policies, place = self._openings.origin(way)
            suites = _suites(policies)
            materials: Materials = {}
            facts: Facts = {
                "policy": policies.request and hold(_document(policies.request), materials),
                "reply_policy": policies.reply and hold(_document(policies.reply), materials),
                "rsa_sha1": suites.sha1,
                "short_symmetric_keys": suites.short,
                "way": place,
                "stage": way.stage.value,
                "variant": way.variant,
            }
            if len(self._judged) >= _WAYS:  # of partners that have come and gone
                self._judged.clear()
            known = self._judged[id(way)] = way, facts, materials
        return known[1], known[2]

    def _ourselves(self, signer: Certificate | None) -> tuple[str, Materials]:
        """Trust in nobody but ourselves, to judge our own signature by."""
        groups = () if signer is None else (PinnedGroup(OURSELVES, (Partner(OURSELVES, (signer,)),)),)
        return write(groups, self._limits)

    def _trust(self, keys: KeySnapshot) -> tuple[str, Materials]:
        """Trust as of one snapshot, written once; only the newest is held, for it has private keys."""
        known, written = self._trusted
        if known is not keys:
            groups = keys.trust_groups if isinstance(keys, RingSnapshot) else ()
            written = write(groups, self._limits)
            self._trusted = (keys, written)
        return written


@dataclass(frozen=True, slots=True)
class _Suites:
    sha1: bool
    short: bool


def _suites(policies: OperationPolicies) -> _Suites:
    """What service.toml lets in beside the policies' suites, and their documents do not say."""
    both = [one for one in (policies.request, policies.reply) if one is not None]
    suites = [suite for policy in both for suite in suites_of(policy)]
    return _Suites(
        all(suite == allow_sha1(suite) for suite in suites),
        all(suite.short_symmetric_keys for suite in suites),
    )


def _document(policy: Policy) -> bytes:
    return etree.tostring(write_policy(policy, SP12), method="c14n", exclusive=True, with_comments=False)


def _put(secret: bytes, parts: dict[str, bytes]) -> str:
    name = f"secret-{len(parts)}"
    parts[name] = secret
    return name


def _secrets(evidence: Evidence, parts: dict[str, bytes]) -> Iterator[Facts]:
    """Each secret that signatures and decryption of a message rest on, once."""
    used = [fact.key.root for fact in evidence.signatures if isinstance(fact.key, SecretKey)]
    used += [fact.key.root for fact in evidence.decryptions]
    for root in dict.fromkeys((*evidence.roots.values(), *used)):
        yield {**_named(root), "part": _put(root.secret, parts)}


def _named(root: KeyRoot) -> Facts:
    context, ticket = root.context, root.ticket
    if context is not None:
        return {
            "kind": "context",
            "identifier": context.identifier,
            "instance": context.instance,
            "namespace": context.namespace,
        }
    if ticket is not None:
        return {
            "kind": "ticket",
            "sha1": ticket.sha1.hex(),
            "principal": ticket.principal,
            "expires": ticket.expires.isoformat(),
            "shown": ticket.authenticator and ticket.authenticator.hex(),
        }
    return {"kind": "encrypted key", "sha1": root.sha1.hex()}
