"""A request explained, by the very recipient that its endpoint would have."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from lxml import etree

from wsprovider.conversation.request import kind_of
from wsprovider.exchange.recipient import Recipient
from wsprovider.exchange.transport import Transport
from wsprovider.exchange.verified import VerifiedRequest
from wsprovider.explain.explaining import Explained, Judged, Received, Way, explain
from wsprovider.explain.report import Demand, Fact, Standing, Trouble, shown
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason

_STEPS: Final = (
    ("A TLS client certificate came with it", frozenset({Reason.CLIENT_CERTIFICATE_MISSING})),
    ("Its reply can be encrypted", frozenset({Reason.KEY_KIND, Reason.KEY_SIZE})),
    ("The Body's element is an operation of the service", frozenset({Reason.NOT_AN_INPUT})),
    (
        "Addressing headers and SOAPAction agree with the Body and the endpoint",
        frozenset({Reason.ACTION_MISMATCH, Reason.ADDRESSING_HEADER, Reason.ADDRESSING_TO, Reason.ADDRESSING_REPLY_TO}),
    ),
    (
        "The caller is known, and still who they were",
        frozenset(
            {
                Reason.USER_UNKNOWN, Reason.PASSWORD_WRONG, Reason.USER_DISABLED, Reason.AUTHENTICATION_BUSY, Reason.PASSWORD_MISSING,
                Reason.NONCE, Reason.CONTEXT_OWNER, Reason.CONTEXT_IDENTITY, Reason.CONTEXT_UNKNOWN,
            }
        ),
    ),
    ("The caller has a role that the service wants", frozenset({Reason.ROLE_MISSING})),
    (
        "The request for a security context is in order",
        frozenset({Reason.TRUST_REQUEST, Reason.TRUST_UNSUPPORTED, Reason.TRUST_APPLIES_TO, Reason.TRUST_TARGET, Reason.CONTEXT_LIMIT}),
    ),
    ("Nothing of it was accepted before (told by this one message alone)", frozenset({Reason.REPLAY, Reason.REPLAY_STORE})),
)  # fmt: skip


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
        context=lambda: recipient.context(keys, transport, now),
        circumstances=recipient.circumstances(transport, now),
        ways=_ways(recipient),
        facts=facts,
        steps=_steps,
        limits=recipient.settings.limits,
        show=show,
    )


def _ways(recipient: Recipient) -> list[Way]:
    def admitting(index: int, payload: etree._Element | None) -> bool:
        way = recipient.ways[index]
        return way.admits(None if payload is None or way.conversation is None else kind_of(payload))

    return [
        Way(way.stage.value, way.requirements.request, lambda payload, index=index: admitting(index, payload))  # type: ignore[misc]
        for index, way in enumerate(recipient.ways)
    ]


def _accepted(verified: VerifiedRequest) -> str:
    principal = verified.principal
    who = (
        "an anonymous caller" if principal.anonymous else f"{shown(principal.name)} ({principal.proof.value})"
    )
    return f"Accepted as a call of {shown(verified.operation.name)} by {who}."


def _steps(reason: Reason | None, reached: bool) -> tuple[Demand, ...]:  # noqa: FBT001 - by position, as any callable
    """What is asked once the policy is met; one after the other, up to the one that refused."""
    failing = next((index for index, (_, reasons) in enumerate(_STEPS) if reason in reasons), None)
    if not reached or (reason is not None and failing is None):
        return tuple(Demand(words, Standing.OPEN) for words, _ in _STEPS)
    demands: list[Demand] = []
    for index, (words, _) in enumerate(_STEPS):
        if failing is None or index < failing:
            demands.append(Demand(words, Standing.HOLDS))
        elif index == failing and reason is not None:
            demands.append(Demand(words, Standing.FAILS, (Trouble(reason),)))
        else:
            demands.append(Demand(words, Standing.OPEN))
    return tuple(demands)
