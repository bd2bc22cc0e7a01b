"""Which policy protects which message of an endpoint (WS-PolicyAttachment 1.5, section 4.1).

Most endpoints have one policy for everything. Where a WSDL attaches policies to operations and messages, or a
service's settings do the same, each message has an effective policy of its own: that of the endpoint, of the
operation and of the message, merged. An operation may be left without any, and then only because it is named so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from wsprovider.policy.effective import EffectivePolicies, Message, MessageKey
from wsprovider.policy.findings import Findings
from wsprovider.policy.model import Alternative, Parts, Policy, TransportBinding
from wsprovider.policy.read import merged_policy, parse_document, resolver
from wsprovider.policy.write import write_policy
from wsprovider.words.errors import ConfigurationError, Problem


@dataclass(frozen=True, slots=True)
class OperationPolicies:
    """What protects the messages of one operation.

    Attributes:
        request, reply: the whole policy of each; None: nothing does.
    """

    request: Policy | None
    reply: Policy | None

    @property
    def exposed(self) -> tuple[str, ...]:
        """The messages whose Body no policy protects: neither TLS, nor a signature, nor encryption."""
        both = (("request", self.request), ("reply", self.reply))
        return tuple(name for name, policy in both if policy is None or not _covers_body(policy))

    def changed(self, change: Callable[[Policy], Policy]) -> "OperationPolicies":
        """The same of changed policies."""
        request, reply = (None if one is None else change(one) for one in (self.request, self.reply))
        return OperationPolicies(request, reply)


UNPROTECTED = OperationPolicies(None, None)


@dataclass(frozen=True, slots=True)
class Assigned:
    """The policies of an endpoint.

    Attributes:
        usual: of operations that have none of their own; None: such operations have none.
        operations: of those that have, by name.
    """

    usual: Policy | None
    operations: Mapping[str, OperationPolicies] = field(default_factory=dict)

    def of(self, operation: str, *, one_way: bool = False) -> OperationPolicies:
        """What protects one operation; a one-way operation has no reply that could be without."""
        found = self.operations.get(operation) or OperationPolicies(self.usual, self.usual)
        return replace(found, reply=found.request) if one_way else found

    def changed(self, change: Callable[[Policy], Policy]) -> "Assigned":
        """The same assignment of changed policies."""
        return Assigned(
            None if self.usual is None else change(self.usual),
            {name: one.changed(change) for name, one in self.operations.items()},
        )

    @property
    def everything(self) -> Policy:
        """One policy with every alternative in it: what the whole needs of keys and users, never what is enforced."""
        if not self.operations and self.usual is not None:
            return self.usual
        policies = [] if self.usual is None else [self.usual]
        for one in self.operations.values():
            policies += [policy for policy in (one.request, one.reply) if policy is not None]
        alternatives = (alternative for policy in policies for alternative in policy.alternatives)
        return Policy(policies[0].id if policies else "", tuple(dict.fromkeys(alternatives)))


def assigned_by(effective: EffectivePolicies, where: str) -> Assigned:
    """What a WSDL attaches, by operation.

    Args:
        where: the WSDL's name, for problems.

    Raises:
        ConfigurationError: it has a policy of their own for faults, which are protected as replies are.
    """
    names = dict.fromkeys(key.operation for key in effective.messages)
    for key, policy in effective.messages.items():
        reply = effective.of(MessageKey(key.operation, Message.OUTPUT))
        if key.message is Message.FAULT and (reply is None or policy.alternatives != reply.alternatives):
            what = f"fault {key.fault} of operation {key.operation} has another policy than the reply"
            raise ConfigurationError([Problem(where, f"{what}; faults are protected as replies are")])
    return Assigned(
        effective.endpoint,
        {
            name: OperationPolicies(
                effective.of(MessageKey(name, Message.INPUT)), effective.of(MessageKey(name, Message.OUTPUT))
            )
            for name in names
        },
    )


def with_message_policy(policy: Policy, document: bytes, where: str) -> Policy:
    """A policy, and beside it what a document says of one message: SignedParts, EncryptedParts, RequiredParts.

    Raises:
        ConfigurationError: the document cannot be read, or does not go with the policy.
    """
    findings = Findings(where)
    element = parse_document(document, findings)
    return merged_policy([write_policy(policy), element], policy.id, findings, resolver(element))


def check_assigned(
    assigned: Assigned, operations: Mapping[str, bool], unprotected: Iterable[str], where: str
) -> None:
    """Hold the assignment against the service: what is left bare must be named so, and nothing else.

    Args:
        operations: names of the service's operations, and whether each is one-way.
        unprotected: names of those that are meant to be bare.
        where: the endpoint, for problems.

    Raises:
        ConfigurationError: all that does not fit.
    """
    names, meant = tuple(operations), frozenset(unprotected)
    problems = [
        Problem(where, f"unprotected: the service has no operation {name!r}; it has {', '.join(names)}")
        for name in sorted(meant.difference(names))
    ]
    problems += [
        Problem(where, f"operations: the service has no operation {name!r}; it has {', '.join(names)}")
        for name in assigned.operations
        if name not in names
    ]
    for name, one_way in operations.items():
        exposed = assigned.of(name, one_way=one_way).exposed
        if exposed and name not in meant:
            problems.append(
                Problem(
                    where,
                    f"operation {name}: no policy protects the Body of its {' and '.join(exposed)}; if that is "
                    f'meant, say unprotected = ["{name}"]',
                )
            )
        elif name in meant and not exposed:
            problems.append(Problem(where, f"unprotected names {name}, which its policy protects: remove it"))
    if names and all(assigned.of(name).request is None for name in names):
        problems.append(Problem(where, "nothing at all is protected here"))
    if problems:
        raise ConfigurationError(problems)


@dataclass(frozen=True, slots=True)
class Split:
    """An operation's policies as WS-PolicyAttachment wants them: a binding once, parts for each message.

    Attributes:
        operation: of both messages.
        request, reply: what each has beside; None: nothing, or the same.
    """

    operation: Policy
    request: Policy | None = None
    reply: Policy | None = None


def split(name: str, policies: OperationPolicies) -> Split | None:
    """How a WSDL attaches an operation's policies; None for an operation that has none.

    Raises:
        ConfigurationError: request and reply differ in more than their parts.
    """
    request, reply = policies.request, policies.reply
    if request is None and reply is None:
        return None
    if request is None or reply is None:
        raise _problem(
            name, "a policy for one of its messages needs one for both: attach its binding to the operation"
        )
    if request.alternatives == reply.alternatives:
        return Split(request)
    common = _common(request)
    if common != _common(reply) or len(set(_parts(request))) > 1 or len(set(_parts(reply))) > 1:
        raise _problem(
            name,
            "request and reply may differ in SignedParts, EncryptedParts and RequiredParts only, and these must "
            "be the same in each alternative",
        )
    return Split(Policy(request.id, common), request, reply)


def pairs(name: str, policies: OperationPolicies) -> Iterator[tuple[Policy, Policy]]:
    """Request and reply, alternative by alternative: under what comes, under that goes the answer.

    Raises:
        ConfigurationError: as :func:`split`.
    """
    if split(name, policies) is None or policies.request is None or policies.reply is None:
        return
    for one, other in zip(policies.request.alternatives, policies.reply.alternatives, strict=True):
        yield Policy(policies.request.id, (one,)), Policy(policies.reply.id, (other,))


def _common(policy: Policy) -> tuple[Alternative, ...]:
    return tuple(
        replace(one, signed_parts=Parts(), encrypted_parts=Parts(), required_headers=())
        for one in policy.alternatives
    )


def _parts(policy: Policy) -> list[object]:
    return [(one.signed_parts, one.encrypted_parts, one.required_headers) for one in policy.alternatives]


def _covers_body(policy: Policy) -> bool:
    return all(
        isinstance(one.binding, TransportBinding)
        or any(parts.body or parts.all_parts for parts in (one.signed_parts, one.encrypted_parts))
        for one in policy.alternatives
    )


def _problem(name: str, what: str) -> ConfigurationError:
    return ConfigurationError([Problem(f"operation {name}", what)])
