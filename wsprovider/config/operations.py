"""Which policy an endpoint's operations have: ``unprotected`` and ``[operations.<name>]``, or what a WSDL attaches.

A service's classes say which operations there are, so names are held against them when the endpoint is made
(:func:`wsprovider.policy.assigned.check_assigned`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsprovider.config import policies
from wsprovider.config.problems import Problems
from wsprovider.config.table import Table
from wsprovider.policy.assigned import UNPROTECTED, Assigned, OperationPolicies, with_message_policy
from wsprovider.policy.model import Policy
from wsprovider.scenarios.catalogue import Scenario

KEYS: Final = policies.KEYS | {"unprotected", "operations"}
"""What an endpoint's table may say of its policies."""

_MESSAGES: Final = ("request", "reply")
_OPERATION_KEYS: Final = policies.KEYS | set(_MESSAGES)


@dataclass(frozen=True, slots=True)
class ReadPolicies:
    """The policies of an endpoint.

    Attributes:
        scenario: of those operations that have none of their own, if that is one.
        unprotected: names of operations that are meant to be bare.
    """

    assigned: Assigned
    scenario: Scenario | None
    unprotected: frozenset[str]


def read_policies(table: Table, folder: Path, label: str, problems: Problems) -> ReadPolicies | None:
    """Read all policies of one endpoint; None where its own cannot be read (the problems say why).

    Args:
        table: the endpoint's table.
        folder: the service's folder.
        label: how messages name that folder.
        problems: takes what is wrong.
    """
    unprotected = frozenset(table.texts("unprotected"))
    below = table.table("operations")
    found = policies.source_of(table, folder, label, problems)
    if found is None:
        return None
    source, scenario = found
    if source.operations or source.usual is None:
        for name in below.names():
            below.problem(name, "stands beside a WSDL, which says what its operations have")
        return ReadPolicies(policies.settled(table, source), scenario, unprotected)
    usual = source.usual
    own = dict.fromkeys(sorted(unprotected), UNPROTECTED)
    for name in below.names():
        operation = below.table(name)
        operation.only(_OPERATION_KEYS, meant="an operation")
        policy = _own_policy(operation, folder, label, problems)
        messages = _of_messages(operation, policy or usual, folder, label, problems)
        if messages is None:
            continue
        # what widens a suite belongs to whoever names the suite
        widening = table if policy is None else operation
        own[name] = policies.settled(widening, Assigned(None, {name: messages})).operations[name]
    bare = policies.settled(table, Assigned(usual)).usual
    return ReadPolicies(Assigned(bare, own), scenario, unprotected)


def _own_policy(table: Table, folder: Path, label: str, problems: Problems) -> Policy | None:
    """What an operation's table names instead of the endpoint's policy."""
    if not any(key in table for key in policies.KEYS):
        return None
    found = policies.source_of(table, folder, label, problems)
    if found is None:
        return None
    assigned, _ = found
    if assigned.operations or assigned.usual is None:
        table.problem("policy", "is a WSDL; name it for the endpoint, it says what each operation has")
        return None
    return assigned.usual


def _of_messages(
    table: Table, policy: Policy, folder: Path, label: str, problems: Problems
) -> OperationPolicies | None:
    if not any(key in table for key in (*policies.KEYS, *_MESSAGES)):
        table.problem(
            None, "says nothing of the operation: name its scenario or policy, or request and reply"
        )
        return None
    merged = dict(_merged(table, policy, folder, label, problems))
    return OperationPolicies(merged["request"], merged["reply"])


def _merged(
    table: Table, policy: Policy, folder: Path, label: str, problems: Problems
) -> Iterator[tuple[str, Policy]]:
    for key in _MESSAGES:
        document = policies.read_file(table, key, folder)
        merged = policy
        if document is not None:
            with problems.collecting():
                merged = with_message_policy(policy, document, f"{label}/{table.text(key)}")
        yield key, merged
