"""A request explained, by the very recipient that its endpoint would have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from lxml import etree

from wsprovider.conversation.request import kind_of
from wsprovider.exchange import ways
from wsprovider.exchange.recipient import Recipient
from wsprovider.exchange.transport import Transport
from wsprovider.exchange.verified import VerifiedRequest
from wsprovider.explain.explaining import Explained, Judged, Received, Way, explain
from wsprovider.explain.report import Demand, Fact, Standing, Trouble, shown
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason


def _always(recipient: Recipient) -> bool:
    """For a step that every endpoint has."""
    del recipient
    return True


def _certified(recipient: Recipient) -> bool:
    return any(way.requirements.client_certificate for way in recipient.ways)


def _conversing(recipient: Recipient) -> bool:
    return any(way.conversation is not None for way in recipient.ways)


def _encrypting(recipient: Recipient) -> bool:
    return any(way.plan.encrypts for way in recipient.ways)


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that is asked once the policy is met.

    Attributes:
        reasons: that refuse a message there.
        applies: whether an endpoint asks it at all.
    """

    words: str
    reasons: frozenset[Reason]
    applies: Callable[[Recipient], bool] = _always


_STEPS: Final = (
    _Step(
        "A TLS client certificate came with it", frozenset({Reason.CLIENT_CERTIFICATE_MISSING}), _certified
    ),
    _Step("Its reply can be encrypted", frozenset({Reason.KEY_KIND, Reason.KEY_SIZE}), _encrypting),
    _Step("The Body's element is an operation of the service", frozenset({Reason.NOT_AN_INPUT})),
    _Step(
        "Addressing headers and SOAPAction agree with the Body and the endpoint",
        frozenset(
            {
                Reason.ACTION_MISMATCH,
                Reason.ADDRESSING_HEADER,
                Reason.ADDRESSING_TO,
                Reason.ADDRESSING_REPLY_TO,
            }
        ),
    ),
    _Step(
        "The caller is known, and still who they were",
        frozenset(
            {
                Reason.USER_UNKNOWN,
                Reason.PASSWORD_WRONG,
                Reason.USER_DISABLED,
                Reason.AUTHENTICATION_BUSY,
                Reason.PASSWORD_MISSING,
                Reason.PASSWORD_TOO_LONG,
                Reason.NONCE,
                Reason.CONTEXT_OWNER,
                Reason.CONTEXT_IDENTITY,
                Reason.CONTEXT_UNKNOWN,
            }
        ),
    ),
    _Step(
        "The caller has a role that the service wants",
        frozenset({Reason.ROLE_MISSING}),
        lambda recipient: bool(recipient.settings.roles),
    ),
    _Step(
        "The partner may call this operation here",
        frozenset({Reason.PARTNER_UNKNOWN, Reason.PARTNER_SERVICE, Reason.PARTNER_OPERATION}),
        lambda recipient: recipient.partnered,
    ),
    _Step(
        "A request for a security context is in order",
        frozenset(
            {
                Reason.TRUST_REQUEST,
                Reason.TRUST_UNSUPPORTED,
                Reason.TRUST_APPLIES_TO,
                Reason.TRUST_TARGET,
                Reason.CONTEXT_LIMIT,
            }
        ),
        _conversing,
    ),
    _Step(
        "Nothing of it was accepted before (told by this one message alone)",
        frozenset({Reason.REPLAY, Reason.REPLAY_STORE}),
    ),
)


def explain_request(
    recipient: Recipient,
    received: Received,
    *,
    keys: KeySnapshot,
    transport: Transport,
    now: datetime,
    facts: Sequence[Fact] = (),
    show: bool = False,
) -> Explained:
    """Explain a request.

    Args:
        recipient: made as the server makes it, with stores that may be changed: they will be.
        keys: the snapshot that it uses.
        transport: facts about the connection that the request came by.
        now: what the recipient's clock says.
        facts: what else to tell of the circumstances.
        show: decrypted content and passwords get into the report.

    Raises:
        BackendError: a store did not answer.
    """

    def judge() -> Judged:
        try:
            verified = recipient.accept(
                received.body,
                version=received.version,
                transport=transport,
                charset=received.charset,
                action=received.action,
            )
        except (WSSecurityError, SoapError) as error:
            return Judged(error)
        return Judged(None, _accepted(verified), recipient.ways.index(verified.way))

    return explain(
        received,
        judge=judge,
        context=lambda: recipient.context(received.body, keys, transport, now),
        circumstances=recipient.circumstances(transport, now),
        ways=_ways(recipient),
        facts=facts,
        steps=_steps(recipient),
        limits=recipient.settings.limits,
        show=show,
    )


def _ways(recipient: Recipient) -> list[Way]:
    return [
        Way(_named(way), way.requirements.request, partial(_admits, recipient, way)) for way in recipient.ways
    ]


def _named(way: ways.Way) -> str:
    by = ", by HTTP Basic" if way.requirements.request.http_basic else ""
    of = "" if way.operations is None else f": {', '.join(sorted(way.operations))}"
    whose = (
        ""
        if way.partners is None
        else f", for {', '.join(shown(one) for one in sorted(way.partners))}: {way.variant}"
    )
    return f"{way.stage.value}{by}{of}{whose}"


def _admits(recipient: Recipient, way: ways.Way, payload: etree._Element | None) -> bool:
    kind = None if payload is None or way.conversation is None else kind_of(payload)
    operation = None if payload is None else recipient.settings.operations.get(payload.tag)
    return way.admits(kind) and (operation is None or way.leads_to(operation.name))


def _accepted(verified: VerifiedRequest) -> str:
    principal = verified.principal
    who = (
        "an anonymous caller" if principal.anonymous else f"{shown(principal.name)} ({principal.proof.value})"
    )
    return f"Accepted as a call of {shown(verified.operation.name)} by {who}."


def _steps(recipient: Recipient) -> Callable[[Reason | None, bool], tuple[Demand, ...]]:
    """What is asked once the policy is met; one after the other, up to the one that refused."""
    asked = [step for step in _STEPS if step.applies(recipient)]

    def steps(reason: Reason | None, reached: bool) -> tuple[Demand, ...]:  # noqa: FBT001 - as declared
        failing = next((index for index, step in enumerate(asked) if reason in step.reasons), None)
        if not reached or (reason is not None and failing is None):
            return tuple(Demand(step.words, Standing.OPEN) for step in asked)
        demands: list[Demand] = []
        for index, step in enumerate(asked):
            if failing is None or index < failing:
                demands.append(Demand(step.words, Standing.HOLDS))
            elif index == failing and reason is not None:
                demands.append(Demand(step.words, Standing.FAILS, (Trouble(reason),)))
            else:
                demands.append(Demand(step.words, Standing.OPEN))
        return tuple(demands)

    return steps
