"""All ways into one endpoint: those of its own policy, and those that are open to some partners only.

A partner whose messages may differ (:class:`~wsprovider.exchange.partners.Deviation`) gets ways of its own beside
everybody's. The gate would be the union of all; what a stranger gains by that is kept small: where a message shows
who signed it before anything is decrypted, it is held from then on to what is open to its signer, and until then
no weaker key is unwrapped for it (docs/partners.md).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wsprovider.conversation.contexts import unknown
from wsprovider.conversation.request import Kind
from wsprovider.exchange.kerberos import takes_tickets
from wsprovider.exchange.partners import CERTIFICATE, TICKET, USER, Partner, Partners, signer_of
from wsprovider.exchange.replies import check_answerable
from wsprovider.exchange.settings import Operation, RecipientSettings
from wsprovider.exchange.ways import Way, ways_by_operation, ways_of
from wsprovider.inbound.context import Gate
from wsprovider.inbound.evidence import Evidence, MessageKey
from wsprovider.inbound.finding import Circumstances
from wsprovider.inbound.judge import Verdict, judge
from wsprovider.keyring.contexts import SecurityContext
from wsprovider.policy.assigned import Assigned, OperationPolicies
from wsprovider.policy.compile import Assignment, compile_assigned, compile_operation
from wsprovider.policy.model import X509Token
from wsprovider.policy.requirements import (
    UNPROTECTED,
    KeySource,
    MessageRequirements,
    Protection,
    Requirements,
)
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

Choice = tuple[Sequence[int], tuple[MessageRequirements, ...]]
"""Indices of ways, and what each demands of a request."""


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """The ways in, under one reading of the partners.

    Attributes:
        partners: that reading.
        ways: in the order in which they are tried; everybody's go before those of partners.
        operations: of the endpoint, by the Clark name of their input.
        requests: the requirements of each.
        choices: by that name the ways that lead there.
        gate: for a message of which nobody is known yet.
        gates: by the name of a partner with ways of its own, for a message that it signed; without a name, for
            messages of all others.
    """

    partners: Partners
    ways: tuple[Way, ...]
    operations: Mapping[str, Operation]
    requests: tuple[MessageRequirements, ...] = field(init=False)
    choices: dict[str, Choice] = field(init=False)
    gate: Gate = field(init=False)
    gates: dict[str, Gate] = field(init=False)

    def __post_init__(self) -> None:
        requests = tuple(way.requirements.request for way in self.ways)
        names = {name for way in self.ways for name in way.partners or ()}
        gates = {name: Gate.of(self._open_to(name)) for name in ("", *names)}
        everything = Gate.of(requests)
        early = [
            one
            for way, one in zip(self.ways, requests, strict=True)
            if way.partners is None or _late_signer(one)
        ]
        gate = replace(Gate.of(early), digests=everything.digests, signatures=everything.signatures)
        object.__setattr__(self, "requests", requests)
        object.__setattr__(self, "choices", {tag: self._leading(one) for tag, one in self.operations.items()})
        object.__setattr__(self, "gates", gates)
        object.__setattr__(self, "gate", gate)

    def _leading(self, operation: Operation) -> Choice:
        indices = tuple(index for index, way in enumerate(self.ways) if way.leads_to(operation.name))
        return indices, tuple(self.ways[index].requirements.request for index in indices)

    def judge(self, evidence: Evidence, circumstances: Circumstances, tag: str, kind: Kind | None) -> Verdict:
        """Find the first way that a message met, of those that lead to what its Body would call.

        Args:
            tag: of the Body's element; where that is no operation's input, every way is tried.
            kind: of the request for a token that it is.

        Raises:
            WSSecurityError: it met none of them; see :func:`wsprovider.inbound.judge.judge`.
        """
        indices, requests = self.choices.get(tag, (range(len(self.ways)), self.requests))
        found = judge(evidence, requests, circumstances, lambda index: self.ways[indices[index]].admits(kind))
        return Verdict(indices[found.index], found.case)

    def _open_to(self, name: str) -> Iterator[MessageRequirements]:
        return (way.requirements.request for way in self.ways if way.open_to(name))

    @property
    def exposed(self) -> frozenset[str]:
        """Methods of encryption and key transport that are open to messages of nobody known, beside everybody's."""
        own = self.gates[""]
        return (self.gate.ciphers - own.ciphers) | {
            one.method for one in self.gate.transports - own.transports
        }

    @property
    def narrow(self) -> Callable[[Sequence[MessageKey]], Gate | None] | None:
        """The gate of a message by the keys that signed it; None where no partner has ways of its own."""
        return self._narrowed if len(self.gates) > 1 else None

    def _narrowed(self, keys: Sequence[MessageKey]) -> Gate | None:
        signers = [signer for key in keys if (signer := signer_of(key)) is not None]
        if not signers:
            return None
        names = {self.partners.name_of(signer) for signer in signers}
        return self.gates.get(names.pop() if len(names) == 1 else "", self.gates[""])

    def settle(
        self,
        verdict: Verdict,
        partner: Partner | None,
        held: SecurityContext | None,
        kind: Kind | None,
        called: str | None,
    ) -> tuple[Verdict, Way]:
        """The way of a message whose sender is known: the one it was judged by, or another that is theirs.

        Args:
            verdict: on the first way that it met, whoever sent it.
            partner: who sent it.
            held: the context that protects it, which was opened by one variant of the policy and has its key.
            kind: of the request for a token that it is.
            called: the operation that it calls; None for such a request.

        Raises:
            WSSecurityError: ALGORITHM_NOT_IN_SUITE, KEY_SIZE: it met only ways of others.
            SoapError: CONTEXT_OWNER: the context's variant is not its owner's any more.
        """
        way = self.ways[verdict.index]
        name = "" if partner is None else partner.name
        variant = None if held is None else held.owner.variant
        if way.open_to(name) and variant in (None, way.variant):
            return verdict, way
        theirs = [
            index
            for index, one in enumerate(self.ways)
            if one.open_to(name)
            and variant in (None, one.variant)
            and (called is None or one.leads_to(called))
        ]
        if held is not None and not theirs:
            raise unknown(held.namespace, f"{name} has no {variant} any more", Reason.CONTEXT_OWNER)
        case = verdict.case
        try:
            found = judge(
                case.evidence,
                [self.requests[index] for index in theirs],
                case.circumstances,
                lambda index: self.ways[theirs[index]].admits(kind),
            )
        except WSSecurityError as error:
            size = error.reason is Reason.KEY_SIZE
            reason = Reason.KEY_SIZE if size else Reason.ALGORITHM_NOT_IN_SUITE
            raise WSSecurityError(reason, f"open to other partners only: {error}") from None
        index = theirs[found.index]
        check_answerable(self.ways[index].plan, found)
        return Verdict(index, found.case), self.ways[index]


class Openings:
    """The ways into an endpoint as the partners change; shared by all threads."""

    def __init__(
        self, assigned: Assigned, settings: RecipientSettings, partners: Callable[[], Partners]
    ) -> None:
        """Open everybody's ways.

        Args:
            assigned: the endpoint's policies, by operation.
            settings: the endpoint's.
            partners: gives the reading in force.

        Raises:
            ConfigurationError: what the policies ask for and the engine does not do.
        """
        self._assigned, self._settings, self._partners = assigned, settings, partners
        self.assignments = self._compiled(assigned, settings.name)
        self._own = ways_by_operation(self.assignments)
        self._variants = {"": assigned}
        self._now = self.of(partners())

    def current(self) -> Opening:
        """The opening under the partners in force; for one message, ask once."""
        opening, partners = self._now, self._partners()
        if opening.partners is not partners:
            self._now = opening = self.of(partners)
        return opening

    def of(self, partners: Partners) -> Opening:
        """The opening under some partners.

        Raises:
            ConfigurationError: a deviation makes a policy that cannot be enforced.
        """
        ways = [*self._own, *self._partners_ways(partners)]
        ordered = tuple(sorted(ways, key=lambda way: not way.calls))
        return Opening(partners, ordered, self._settings.operations)

    def origin(self, way: Way) -> tuple[OperationPolicies, int]:
        """The policies of one operation that a way was compiled from, and its place among the ways of these alone.

        Raises:
            LookupError: it is no way into this endpoint.
        """
        alone = replace(way, operations=None, partners=None, variant="")
        for operation in self._settings.operations.values():
            if not way.leads_to(operation.name):
                continue
            policies = self._variants[way.variant].of(operation.name, one_way=operation.one_way)
            ways = ways_of(compile_operation(operation.name, policies, self._settings.name))
            if alone in ways:
                return policies, ways.index(alone)
        raise LookupError(way.stage.value)

    def deviating(self, partners: Partners) -> dict[str, tuple[Assigned, tuple[Partner, ...]]]:
        """By the label of each deviation that makes a difference here: its policies, and whose they are."""
        found: dict[str, tuple[Assigned, tuple[Partner, ...]]] = {}
        for partner in partners.all:
            access = partner.access.get(self._settings.name)
            if access is None or access.deviation is None:
                continue
            policies = self._assigned.changed(access.deviation.of)
            if policies != self._assigned:
                _, others = found.get(access.deviation.label, (policies, ()))
                found[access.deviation.label] = policies, (*others, partner)
        return found

    def _partners_ways(self, partners: Partners) -> Iterator[Way]:
        for label, (policies, those) in self.deviating(partners).items():
            self._variants[label] = policies
            compiled = self._compiled(policies, f"{self._settings.name}, {label}")
            found: dict[Way, None] = {}
            for requirements, operations in compiled:
                # nothing is opened for somebody whom the policy cannot prove
                kinds = _provable(requirements)
                names = frozenset(one.name for one in those if one.kinds & kinds)
                if names and requirements is not UNPROTECTED:
                    for way in ways_by_operation([(requirements, operations)]):
                        found[replace(way, partners=names, variant=label)] = None
            yield from found

    def _compiled(self, assigned: Assigned, where: str) -> tuple[Assignment, ...]:
        one_way = {one.name: one.one_way for one in self._settings.operations.values()}
        return compile_assigned(assigned, one_way, where)


def _late_signer(request: MessageRequirements) -> bool:
    """Whether something must be decrypted, or a key unwrapped, before it shows who signed."""
    if not request.seals:
        return False
    unsaid = request.protection is Protection.SYMMETRIC and request.key_source is KeySource.ENCRYPTED_KEY
    return request.encrypt_signature or unsaid


def _provable(requirements: Requirements) -> frozenset[str]:
    """The kinds of identity by which callers are named, where these requirements are met."""
    conversation = requirements.conversation
    firsts = (requirements,) if conversation is None else conversation.bootstrap
    return frozenset(kind for first in firsts for kind in _kinds(first))


def _kinds(first: Requirements) -> Iterator[str]:
    request = first.request
    if request.names_user:
        yield USER
        return
    tokens = [request.signature_token] if request.protection is Protection.ASYMMETRIC else []
    tokens += [endorsing.token for endorsing in request.endorsing]
    if first.client_certificate or any(isinstance(token, X509Token) for token in tokens):
        yield CERTIFICATE
    if takes_tickets(request):
        yield TICKET
