"""Where in a message a Reason points to, when whoever gave it did not say."""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from wsprovider.explain.dissection import Dissection
from wsprovider.explain.report import Item, Spot, Trouble
from wsprovider.words import namespaces as ns
from wsprovider.words.reasons import Reason

_USERNAME: Final = frozenset(
    {
        Reason.USERNAME_TOKEN, Reason.PASSWORD_MISSING, Reason.PASSWORD_TYPE, Reason.PASSWORD_CLEAR, Reason.NONCE, Reason.USER_UNKNOWN,
        Reason.PASSWORD_WRONG, Reason.USER_DISABLED, Reason.ROLE_MISSING, Reason.AUTHENTICATION_BUSY, Reason.TOKEN_UNEXPECTED,
    }
)  # fmt: skip
_BODY: Final = frozenset({Reason.BODY_NOT_SIGNED, Reason.BODY_NOT_ENCRYPTED})
_PAYLOAD: Final = frozenset(
    {
        Reason.NOT_AN_INPUT,
        Reason.INVALID_PARAMETERS,
        Reason.WRONG_POLICY,
        Reason.TRUST_REQUEST,
        Reason.TRUST_UNSUPPORTED,
        Reason.TRUST_APPLIES_TO,
        Reason.TRUST_TARGET,
    }
)
_ADDRESSING: Final = {
    Reason.ADDRESSING_TO: ("To",),
    Reason.ADDRESSING_REPLY_TO: ("ReplyTo", "FaultTo"),
    Reason.ADDRESSING_HEADER: ("MessageID", "Action", "To"),
    Reason.ACTION_MISMATCH: ("Action",),
}
_TIMES: Final = frozenset(
    {
        Reason.TIMESTAMP_NOT_SIGNED,
        Reason.TIMESTAMP_EXPIRED,
        Reason.TIMESTAMP_FUTURE,
        Reason.TIMESTAMP_MALFORMED,
    }
)
_CONTEXTS: Final = frozenset(
    {
        Reason.CONTEXT_UNKNOWN,
        Reason.CONTEXT_INSTANCE,
        Reason.CONTEXT_ENDPOINT,
        Reason.CONTEXT_SEAL,
        Reason.CONTEXT_OWNER,
        Reason.CONTEXT_IDENTITY,
    }
)
_TICKETS: Final = frozenset(
    {
        Reason.TICKET_INVALID,
        Reason.TICKET_EXPIRED,
        Reason.TICKET_SKEW,
        Reason.TICKET_SERVICE,
        Reason.TICKET_ENCTYPE,
        Reason.TICKET_REALM,
    }
)
_SIGNED: Final = frozenset(
    {
        Reason.SIGNATURE_UNEXPECTED,
        Reason.KEY_KIND,
        Reason.REPLAY,
        Reason.TOKEN_NOT_PROTECTED,
        Reason.SIGNATURE_NOT_ENCRYPTED,
        Reason.CERTIFICATE_SUBJECT,
        Reason.LAYOUT,
    }
)
_NOWHERE: Final = frozenset(
    {
        Reason.TRANSPORT,
        Reason.CLIENT_CERTIFICATE_MISSING,
        Reason.CONTEXT_LIMIT,
        Reason.BASIC_MISSING,
        Reason.BASIC_MALFORMED,
    }
)
_TOKENS: Final = frozenset({"EncryptedKey", "SecurityContextToken", "BinarySecurityToken"})
_KEYS: Final = frozenset({Reason.PROTECTION_KEY, Reason.DERIVED_KEYS_REQUIRED, Reason.ONE_DERIVED_KEY})


class Pointing:
    """Finds the element that a finding is about."""

    def __init__(self, dissection: Dissection) -> None:
        self._whole = dissection

    def spot(self, reason: Reason, detail: str = "") -> Spot | None:
        """The best place there is for a Reason; None for what is nowhere."""
        nowhere = reason in _NOWHERE or detail == "Authorization"
        element = None if nowhere else self._element(reason, detail)
        return None if element is None else self._whole.atlas.spot(element)

    def _element(self, reason: Reason, detail: str) -> etree._Element | None:
        envelope = self._whole.envelope
        if reason in _BODY:
            return envelope.body
        if reason in _PAYLOAD:
            return envelope.body if envelope.payload is None else envelope.payload
        if reason in _ADDRESSING:
            return self._addressing(_ADDRESSING[reason])
        if reason in (
            Reason.HEADER_NOT_SIGNED,
            Reason.HEADER_NOT_ENCRYPTED,
            Reason.ENCRYPTION_UNEXPECTED,
            Reason.UNUSED_HEADER_CHILD,
        ):
            return next(self._tagged(detail), envelope.security)
        if reason is Reason.NO_SECURITY_HEADER:
            return envelope.root if envelope.header is None else envelope.header
        return self._child(reason, detail)

    def _child(self, reason: Reason, detail: str) -> etree._Element | None:
        security, found = self._whole.envelope.security, self._whole.candidates
        if security is None:
            return self._whole.envelope.header
        token = detail == "UsernameToken"
        kinds: dict[str, bool] = {
            "usernames": reason in _USERNAME or token,
            "timestamps": (reason in _TIMES and not token) or detail == "Timestamp",
            "tickets": reason in _TICKETS,
            "confirmations": reason
            in (Reason.SIGNATURE_CONFIRMATION, Reason.SIGNATURE_CONFIRMATION_IN_REQUEST),
            "signatures": reason in _SIGNED or detail == "endorsing",
            "derived_keys": reason in _KEYS,
            "encrypted_keys": reason in _KEYS,
            "contexts": reason in _CONTEXTS or reason in _KEYS,
        }
        for kind, concerned in kinds.items():
            indices = list(getattr(found, kind)) if concerned else []
            if indices:
                # of several keys or signatures the last one is the one too many
                return security[indices[-1] if kind in ("encrypted_keys", "signatures") else indices[0]]
        return security

    def _addressing(self, names: tuple[str, ...]) -> etree._Element | None:
        header = self._whole.envelope.header
        tags = {f"{{{namespace}}}{name}" for namespace in (ns.WSA_200508, ns.WSA_200408) for name in names}
        blocks = [] if header is None else [one for one in header if one.tag in tags]
        return blocks[0] if blocks else header

    def _tagged(self, tag: str) -> Iterator[etree._Element]:
        """Header blocks, children of Security, or the Body, by their Clark name."""
        envelope = self._whole.envelope
        for parent in (envelope.security, envelope.header):
            if parent is not None:
                yield from (one for one in parent if one.tag == tag)
        if envelope.body.tag == tag:
            yield envelope.body


def of_items(items: tuple[Item, ...], reason: Reason, detail: str) -> Trouble | None:
    """The trouble among the items that a refusal is about: the very one, or the first of that Reason.

    A key that is not to be found is the cause of what it should have opened, so keys come first.
    """
    keys = [item for item in items if item.title in _TOKENS]
    others = [item for item in items if item.title not in _TOKENS]
    for exact in (True, False):
        for group in (keys, others):
            found = [one for item in group for one in _troubles(item) if one.reason is reason]
            found = [one for one in found if not exact or one.detail == detail]
            if found:  # of several keys the last one is the one too many
                return found[-1 if reason is Reason.PROTECTION_KEY else 0]
    return None


def _troubles(item: Item) -> Iterator[Trouble]:
    yield from item.troubles
    for part in item.parts:
        yield from _troubles(part)
