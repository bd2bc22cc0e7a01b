"""wst:RequestSecurityToken: a security context is asked for, renewed or cancelled.

WS-Trust 1.3, sections 3 to 6 (the 2005/02 version reads alike); WS-SecureConversation 1.3, sections 3 to 6.
Only what a security context needs is let in: whatever speaks of somebody else's identity, of other kinds of
key, or of things that nothing here does, refuses the request by its name.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from lxml import etree

from wsprovider.header import fields, security_context_token, token_reference
from wsprovider.header.times import format_time, parse_time
from wsprovider.header.token_reference import ContextReference, LocalReference
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import SoapError, SoapFault
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import TRUST_VERSIONS, TrustVersion
from wsprovider.xml.escape import escape_attribute, escape_text

TAGS: Final = tuple(f"{{{namespace}}}RequestSecurityToken" for namespace in TRUST_VERSIONS)
ENTROPY_BYTES: Final = range(16, 257)
"""Lengths of what a side contributes to a key."""

_LONGEST: Final = 2048
_KEY_BITS: Final = range(64, 4097)
_APPLIES_TO: Final = tuple(f"{{{namespace}}}AppliesTo" for namespace in (ns.WSP_200409, ns.WSP_15))
_ADDRESSING: Final = (ns.WSA_200508, ns.WSA_200408)
_CREATED: Final = f"{{{ns.WSU}}}Created"
_EXPIRES: Final = f"{{{ns.WSU}}}Expires"
#: which algorithms the client would like: the endpoint's policy says it, so they are read over
_WISHES: Final = (
    "CanonicalizationAlgorithm",
    "EncryptionAlgorithm",
    "EncryptWith",
    "KeyWrapAlgorithm",
    "SignatureAlgorithm",
    "SignWith",
)
_KNOWN: Final = (
    "RequestType",
    "TokenType",
    "Lifetime",
    "Renewing",
    "Entropy",
    "KeySize",
    "KeyType",
    "ComputedKeyAlgorithm",
    "RenewTarget",
    "CancelTarget",
    *_WISHES,
)


class Kind(Enum):
    """What is asked for, by the last part of the RequestType (WS-Trust 1.3, section 3.1)."""

    ISSUE = "Issue"
    RENEW = "Renew"
    CANCEL = "Cancel"


@dataclass(frozen=True, slots=True)
class Target:
    """The context that is to be renewed or cancelled.

    Attributes:
        identifier: its identifier; None when the target names a token in the message's header.
        local: id of that token.
        instance: which of its keys; None where nothing says so.
    """

    identifier: str | None
    local: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request, as read.

    Attributes:
        context: the request's Context attribute, which its response repeats.
        applies_to: the address the token is for.
        lifetime: how long it is to live, if asked.
        entropy: the client's contribution to the key.
        key_bits: the length of key asked for.
        target: of a renewal or cancellation.
    """

    version: TrustVersion
    kind: Kind
    context: str | None = None
    applies_to: str | None = None
    lifetime: timedelta | None = None
    entropy: bytes | None = field(default=None, repr=False)
    key_bits: int | None = None
    target: Target | None = None


def kind_of(payload: etree._Element) -> Kind | None:
    """What a Body's content asks for; None when it is no such request. Nothing of it is checked yet."""
    if payload.tag not in TAGS:
        return None
    namespace = payload.tag[1:].partition("}")[0]
    kind = payload.find(f"{{{namespace}}}RequestType")
    uri = "" if kind is None else (kind.text or "").strip()
    return next((one for one in Kind if uri == f"{namespace}/{one.value}"), None)


def read(element: etree._Element, limits: Limits) -> TokenRequest:
    """Read a RequestSecurityToken.

    Raises:
        SoapError: TRUST_REQUEST, TRUST_UNSUPPORTED.
        WSSecurityError: a field's own error.
    """
    version = TRUST_VERSIONS[element.tag[1:].partition("}")[0]]
    kind = kind_of(element)
    if kind is None:
        raise refused(version, "RequestType", Reason.TRUST_UNSUPPORTED)
    fields.only_attributes(element, ("Context",))
    context = element.get("Context")
    if context is not None and (len(context) > _LONGEST or not context.isprintable()):
        raise refused(version, "Context")
    found = _children(element, version)
    _check_kinds(found, version, limits)
    return TokenRequest(
        version,
        kind,
        context,
        _applies_to(found.get("AppliesTo"), version, limits),
        _lifetime(found.get("Lifetime"), version, limits),
        _entropy(found.get("Entropy"), version, limits),
        _key_bits(found.get("KeySize"), version, limits),
        _target(found, kind, version, limits),
    )


def refused(version: TrustVersion, detail: str, reason: Reason = Reason.TRUST_REQUEST) -> SoapError:
    """The error for a request that is not taken (WS-Trust 1.3, section 11: InvalidRequest)."""
    return SoapError(SoapFault.INVALID_REQUEST, reason, detail, namespace=version.namespace)


def _children(element: etree._Element, version: TrustVersion) -> Mapping[str, etree._Element]:
    fields.only_elements(element)
    known = {f"{{{version.namespace}}}{name}": name for name in _KNOWN}
    known |= dict.fromkeys(_APPLIES_TO, "AppliesTo")
    found: dict[str, etree._Element] = {}
    for child in element:
        name = known.get(child.tag)
        if name is None:
            raise refused(version, child.tag, Reason.TRUST_UNSUPPORTED)
        if name in found:
            raise refused(version, f"two {name}")
        found[name] = child
    return found


def _check_kinds(found: Mapping[str, etree._Element], version: TrustVersion, limits: Limits) -> None:
    """Kinds of token, key and computation: there is one of each."""
    for name, wanted in (
        ("TokenType", version.token_type),
        ("KeyType", version.uri("SymmetricKey")),
        ("ComputedKeyAlgorithm", version.uri("CK/PSHA1")),
    ):
        element = found.get(name)
        if element is not None and fields.text(element, limits).strip() != wanted:
            raise refused(version, name, Reason.TRUST_UNSUPPORTED)


def _applies_to(element: etree._Element | None, version: TrustVersion, limits: Limits) -> str | None:
    if element is None:
        return None
    if len(element) == 1 and len(element[0]):
        endpoint = element[0]
        for namespace in _ADDRESSING:
            address = endpoint.find(f"{{{namespace}}}Address")
            if endpoint.tag == f"{{{namespace}}}EndpointReference" and address is not None:
                value = fields.text(address, limits).strip()
                if value and len(value) <= _LONGEST and value.isprintable():
                    return value
    raise refused(version, "AppliesTo")


def _lifetime(element: etree._Element | None, version: TrustVersion, limits: Limits) -> timedelta | None:
    """How long; a span, so that the clocks need not agree."""
    if element is None:
        return None
    found = fields.children(element, (_CREATED, _EXPIRES))
    if _CREATED not in found or _EXPIRES not in found:
        raise refused(version, "Lifetime")
    span = parse_time(fields.text(found[_EXPIRES], limits)) - parse_time(fields.text(found[_CREATED], limits))
    if span <= timedelta():
        raise refused(version, "Lifetime")
    return span


def _entropy(element: etree._Element | None, version: TrustVersion, limits: Limits) -> bytes | None:
    if element is None:
        return None
    fields.only_elements(element)
    secret = element[0] if len(element) == 1 else None
    if secret is None or secret.tag != f"{{{version.namespace}}}BinarySecret":
        raise refused(version, "Entropy", Reason.TRUST_UNSUPPORTED)
    if secret.get("Type", version.uri("Nonce")) != version.uri("Nonce"):
        raise refused(version, "BinarySecret", Reason.TRUST_UNSUPPORTED)
    octets = fields.octets(secret, limits)
    if len(octets) not in ENTROPY_BYTES:
        raise refused(version, "Entropy")
    return octets


def _key_bits(element: etree._Element | None, version: TrustVersion, limits: Limits) -> int | None:
    if element is None:
        return None
    text = fields.text(element, limits).strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 5 or int(text) not in _KEY_BITS:
        raise refused(version, "KeySize")
    return int(text)


def _target(
    found: Mapping[str, etree._Element], kind: Kind, version: TrustVersion, limits: Limits
) -> Target | None:
    name = {Kind.RENEW: "RenewTarget", Kind.CANCEL: "CancelTarget"}.get(kind)
    given = {"RenewTarget", "CancelTarget"} & set(found)
    if given != ({name} if name else set()):
        raise refused(version, "a target where none belongs, or none")
    if name is None:
        return None
    element = found[name]
    fields.only_elements(element)
    child = element[0] if len(element) == 1 else None
    if child is not None and child.tag in security_context_token.TAGS:
        token = security_context_token.read(child, -1, limits)
        return Target(token.identifier, instance=token.instance)
    if child is not None and child.tag == token_reference.STR:
        named = token_reference.read(child, limits).key
        if isinstance(named, LocalReference):
            return Target(None, named.id)
        if isinstance(named, ContextReference):
            return Target(named.identifier, instance=named.instance)
    raise refused(version, name, Reason.TRUST_UNSUPPORTED)


# writing -----------------------------------------------------------------------------------------


def write(request: TokenRequest, now: datetime, target_token: bytes = b"") -> str:
    """The RequestSecurityToken of an initiator.

    Args:
        target_token: the SecurityContextToken of a renewal or cancellation.
    """
    version = request.version
    parts = [f"<wst:RequestType>{version.uri(request.kind.value)}</wst:RequestType>"]
    if request.applies_to is not None:
        parts.append(
            f'<wsp:AppliesTo xmlns:wsp="{ns.WSP_200409}"><wsa:EndpointReference xmlns:wsa="{ns.WSA_200508}">'
            f"<wsa:Address>{escape_text(request.applies_to)}</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>"
        )
    if request.lifetime is not None:
        parts.append(write_lifetime(now, now + request.lifetime))
    if request.kind is Kind.ISSUE:
        parts.append(f"<wst:TokenType>{version.token_type}</wst:TokenType>")
    if request.key_bits is not None:
        parts.append(f"<wst:KeySize>{request.key_bits}</wst:KeySize>")
    if request.entropy is not None:
        parts.append(f"<wst:Entropy>{write_secret(version, request.entropy)}</wst:Entropy>")
        parts.append(f"<wst:ComputedKeyAlgorithm>{version.uri('CK/PSHA1')}</wst:ComputedKeyAlgorithm>")
    if request.kind is not Kind.ISSUE:
        name = f"{request.kind.value}Target"
        parts.append(f"<wst:{name}>{target_token.decode()}</wst:{name}>")
    context = "" if request.context is None else f' Context="{escape_attribute(request.context)}"'
    return (
        f'<wst:RequestSecurityToken xmlns:wst="{version.namespace}"{context}>{"".join(parts)}'
        "</wst:RequestSecurityToken>"
    )


def write_lifetime(created: datetime, expires: datetime) -> str:
    """wst:Lifetime, whose prefix is declared around it."""
    return (
        f'<wst:Lifetime><wsu:Created xmlns:wsu="{ns.WSU}">{format_time(created)}</wsu:Created>'
        f'<wsu:Expires xmlns:wsu="{ns.WSU}">{format_time(expires)}</wsu:Expires></wst:Lifetime>'
    )


def write_secret(version: TrustVersion, octets: bytes) -> str:
    """wst:BinarySecret that holds a contribution to a key, or a key."""
    encoded = base64.b64encode(octets).decode("ascii")
    return f'<wst:BinarySecret Type="{version.uri("Nonce")}">{encoded}</wst:BinarySecret>'
