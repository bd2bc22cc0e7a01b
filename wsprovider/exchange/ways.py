"""The ways in which a message may be protected at one endpoint, and what may come by each.

A conversation has three policies: the bootstrap policy for requests for a context, the outer policy for
calls, and, for a context's end, its signature alone. Which one applies follows from what a message proves,
never from its Action: what is asked for must be what that way is for (WS-SecurityPolicy 1.2, section 5.4.7;
WS-SecureConversation 1.3, sections 3, 5 and 6).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from wsprovider.conversation.request import TAGS, Kind
from wsprovider.exchange.settings import Operation
from wsprovider.outbound.plan import Plan, plan
from wsprovider.policy.compile import Assignment
from wsprovider.policy.model import HeaderPart
from wsprovider.policy.requirements import (
    ConversationRequirements,
    EndorsingRequirement,
    MessageRequirements,
    PartsRequirement,
    Protection,
    Requirements,
)
from wsprovider.words import namespaces as ns
from wsprovider.words.trust import TRUST_VERSIONS


class Stage(Enum):
    """What a way is for."""

    PLAIN = "without a conversation"
    CONVERSATION = "outer policy"
    BOOTSTRAP = "bootstrap policy"
    ENDORSED = "bootstrap policy, endorsed by the context"
    MANAGEMENT = "signed by the context"


_ADDRESSING: Final = tuple(HeaderPart(namespace) for namespace in (ns.WSA_200508, ns.WSA_200408))
_REQUESTS: Final = {
    Stage.PLAIN: frozenset[Kind](),
    Stage.CONVERSATION: frozenset({Kind.CANCEL}),
    Stage.BOOTSTRAP: frozenset(Kind),
    Stage.ENDORSED: frozenset({Kind.RENEW, Kind.CANCEL}),
    Stage.MANAGEMENT: frozenset({Kind.CANCEL}),
}
"""Requests for tokens that each way admits. (Renewing wants the claims of the bootstrap again: whoever has
only come by a context's key must not keep it alive.)"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way.

    Attributes:
        requirements: of both messages.
        plan: of the reply.
        ending: of the reply that says that a context has gone: Metro wants Body and addressing signed.
        conversation: the conversation it belongs to; None for a plain one.
        kinds: requests for tokens that may come by it.
        calls: whether the service's own operations may.
        operations: names of those that may; None: all.
        partners: names of those to whom it is open; None: to everybody.
        variant: of the endpoint's policy that it belongs to; empty: that policy itself.
    """

    stage: Stage
    requirements: Requirements
    plan: Plan
    ending: Plan
    conversation: ConversationRequirements | None
    kinds: frozenset[Kind]
    calls: bool
    operations: frozenset[str] | None = None
    partners: frozenset[str] | None = None
    variant: str = ""

    def open_to(self, name: str) -> bool:
        """Whether a partner may come by it; an empty name: whoever is none of them."""
        return self.partners is None or name in self.partners

    def admits(self, kind: Kind | None) -> bool:
        """Whether a message of this content may come by this way.

        Args:
            kind: of the request for a token; None for everything else.
        """
        return self.calls if kind is None else kind in self.kinds

    def leads_to(self, operation: str) -> bool:
        """Whether calls of the operation of that name may come by this way."""
        return self.operations is None or operation in self.operations


def ways_of(alternatives: Iterable[Requirements]) -> tuple[Way, ...]:
    """The ways that a policy opens, those of calls first."""
    return ways_by_operation((alternative, None) for alternative in alternatives)


def ways_by_operation(assignments: Iterable[Assignment]) -> tuple[Way, ...]:
    """The ways that the policies of all operations open, those of calls first."""
    found = {
        replace(way, operations=names if way.calls else None): None
        for alternative, names in assignments
        for way in _ways(alternative)
    }
    return tuple(sorted(found, key=lambda way: not way.calls))


def requests_of(ways: Iterable[Way]) -> tuple[MessageRequirements, ...]:
    """What each way demands of a request."""
    return tuple(way.requirements.request for way in ways)


def _ways(outer: Requirements) -> Iterator[Way]:
    conversation = outer.conversation
    if conversation is None:
        yield _way(Stage.PLAIN, outer, None)
        return
    yield _way(Stage.CONVERSATION, outer, conversation)
    for bootstrap in conversation.bootstrap:
        yield _way(Stage.BOOTSTRAP, bootstrap, conversation)
        yield _way(Stage.ENDORSED, _endorsed(bootstrap, outer), conversation)
    yield _way(Stage.MANAGEMENT, _managed(outer), conversation)


def _way(stage: Stage, requirements: Requirements, conversation: ConversationRequirements | None) -> Way:
    kinds = _REQUESTS[stage]
    if conversation is not None:
        kinds -= frozenset() if conversation.cancel else {Kind.CANCEL}
        kinds -= frozenset() if conversation.renew else {Kind.RENEW}
    calls = stage in (Stage.PLAIN, Stage.CONVERSATION)
    reply = requirements.reply
    usual = ending = plan(reply)
    if stage in (Stage.CONVERSATION, Stage.MANAGEMENT):
        ending = plan(replace(reply, signed=PartsRequirement(body=True, headers=_ADDRESSING)))
    return Way(stage, requirements, usual, ending, conversation, kinds, calls)


def _endorsed(bootstrap: Requirements, outer: Requirements) -> Requirements:
    """The bootstrap policy, and a signature by the context over the message signature (section 8.3).

    The context may have expired: that is when clients think of renewing it.
    """
    token = outer.request.signature_token
    if token is None:
        raise RuntimeError("a conversation has a protection token")
    request = bootstrap.request
    endorsing = (*request.endorsing, EndorsingRequirement(token))
    return replace(bootstrap, request=replace(request, endorsing=endorsing, stray_confirmation=True))


def _managed(outer: Requirements) -> Requirements:
    """Messages that the context signs, while nothing is encrypted."""
    return Requirements(_signed_only(outer.request), _signed_only(outer.reply))


def _signed_only(message: MessageRequirements) -> MessageRequirements:
    return MessageRequirements(
        request=message.request,
        protection=Protection.SYMMETRIC,
        suite=message.suite,
        timestamp=message.timestamp,
        signed=PartsRequirement(body=True),
        encrypted=PartsRequirement(),
        signature_token=message.signature_token,
        encryption_token=message.encryption_token,
        signature_derived=message.signature_derived,
        encryption_derived=message.encryption_derived,
        implied_keys=message.implied_keys,
        encrypt_before_signing=message.encrypt_before_signing,
        protect_tokens=message.protect_tokens,
        layout=message.layout,
        confirmation=message.confirmation,
        references=message.references,
    )


def _operations() -> Iterator[tuple[tuple[str, Kind], Operation]]:
    suffixes = {Kind.ISSUE: "SCT", Kind.RENEW: "SCT/Renew", Kind.CANCEL: "SCT/Cancel"}
    for tag in TAGS:
        version = TRUST_VERSIONS[tag[1:].partition("}")[0]]
        for kind, suffix in suffixes.items():
            operation = Operation(
                f"security-context-{kind.value.lower()}",
                tag,
                version.uri(f"RST/{suffix}"),
                version.uri(f"RSTR/{suffix}"),
            )
            yield (tag, kind), operation


TOKEN_OPERATIONS: Final = dict(_operations())
"""Requests for tokens as operations, by their element and kind."""
