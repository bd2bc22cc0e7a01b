"""Everything beside the binding: parts, supporting tokens and the Wss and Trust options.

WS-SecurityPolicy 1.2, sections 4 (protection assertions), 8 (supporting tokens), 9 (WSS options) and
10 (WS-Trust options). Assertions that stand several times in one alternative add up.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from lxml import etree

from wsprovider.policy.contents import Contents, attribute, check_parameter, check_shape
from wsprovider.policy.findings import Findings, qualified
from wsprovider.policy.model import (
    HeaderPart,
    HttpsToken,
    KeyReference,
    Parts,
    SupportingTokens,
    Token,
    TrustOption,
    Wss,
)
from wsprovider.policy.normalise import Assertion, children, is_policy
from wsprovider.policy.read_tokens import is_token, read_token
from wsprovider.policy.reading import Reading

WSS10_REFERENCES: Final[Mapping[str, KeyReference]] = {
    "MustSupportRefKeyIdentifier": KeyReference.KEY_IDENTIFIER,
    "MustSupportRefIssuerSerial": KeyReference.ISSUER_SERIAL,
    "MustSupportRefExternalURI": KeyReference.EXTERNAL_URI,
    "MustSupportRefEmbeddedToken": KeyReference.EMBEDDED_TOKEN,
}
"""Section 9.1."""

WSS11_REFERENCES: Final[Mapping[str, KeyReference]] = {
    **WSS10_REFERENCES,
    "MustSupportRefThumbprint": KeyReference.THUMBPRINT,
    "MustSupportRefEncryptedKey": KeyReference.ENCRYPTED_KEY,
}
"""Section 9.2."""


class SupportingKind(NamedTuple):
    """The three marks of a supporting token assertion."""

    signed: bool
    endorsing: bool
    encrypted: bool


SUPPORTING: Final[Mapping[str, SupportingKind]] = {
    "SupportingTokens": SupportingKind(signed=False, endorsing=False, encrypted=False),
    "SignedSupportingTokens": SupportingKind(signed=True, endorsing=False, encrypted=False),
    "EndorsingSupportingTokens": SupportingKind(signed=False, endorsing=True, encrypted=False),
    "SignedEndorsingSupportingTokens": SupportingKind(signed=True, endorsing=True, encrypted=False),
    "EncryptedSupportingTokens": SupportingKind(signed=False, endorsing=False, encrypted=True),
    "SignedEncryptedSupportingTokens": SupportingKind(signed=True, endorsing=False, encrypted=True),
    "EndorsingEncryptedSupportingTokens": SupportingKind(signed=False, endorsing=True, encrypted=True),
    "SignedEndorsingEncryptedSupportingTokens": SupportingKind(signed=True, endorsing=True, encrypted=True),
}
"""Sections 8.1 to 8.8."""

_TRUST_OPTIONS: Final = {option.value: option for option in TrustOption}
_BODY_AND_HEADERS: Final = frozenset({"Body", "Header"})
_HEADERS: Final = frozenset({"Header"})


def read_parts(assertions: Iterable[Assertion], findings: Findings) -> Parts:
    """Sections 4.1.1 and 4.2.1: SignedParts or EncryptedParts, joined."""
    body = all_parts = False
    headers: dict[HeaderPart, None] = {}
    for assertion in assertions:
        check_shape(assertion, findings, parameters=_BODY_AND_HEADERS)
        listed = [child for child in children(assertion.element) if not is_policy(child)]
        all_parts = all_parts or not listed
        for child in listed:
            name = etree.QName(child).localname
            if name == "Body":
                check_parameter(child, findings)
                body = True
            elif name == "Header":
                headers.update(dict.fromkeys(_header(child, findings, named=False)))
    return Parts(body=body, headers=tuple(headers), all_parts=all_parts)


def read_required(assertions: Iterable[Assertion], findings: Findings) -> tuple[HeaderPart, ...]:
    """Section 4.3.2: RequiredParts, joined."""
    headers: dict[HeaderPart, None] = {}
    for assertion in assertions:
        check_shape(assertion, findings, parameters=_HEADERS)
        listed = [child for child in children(assertion.element) if etree.QName(child).localname == "Header"]
        if not listed:
            findings.refuse(assertion.element, f"{qualified(assertion.element)} names no header")
        for child in listed:
            headers.update(dict.fromkeys(_header(child, findings, named=True)))
    return tuple(headers)


def _header(element: etree._Element, findings: Findings, *, named: bool) -> list[HeaderPart]:
    check_parameter(element, findings, attributes=frozenset({"Name", "Namespace"}))
    namespace = attribute(element, "Namespace")
    name = attribute(element, "Name")
    if not namespace:
        findings.refuse(element, "sp:Header has no Namespace; every header block of SOAP has one")
        return []
    if named and not name:
        findings.refuse(element, "sp:Header has no Name, which RequiredParts demand")
        return []
    return [HeaderPart(namespace, name or None)]


def read_supporting(assertion: Assertion, kind: SupportingKind, reading: Reading) -> SupportingTokens | None:
    """Section 8: one supporting token assertion."""
    check_shape(assertion, reading.findings, nested=True)
    with Contents(assertion, reading.findings) as contents:
        signed_parts = read_parts(contents.every("SignedParts"), reading.findings)
        encrypted_parts = read_parts(contents.every("EncryptedParts"), reading.findings)
        found = [inner for inner in assertion.nested or () if is_token(inner)]
        for inner in found:
            contents.every(inner.name)
    if not assertion.nested:
        reading.findings.refuse(assertion.element, f"{qualified(assertion.element)} holds no token")
        return None
    tokens: list[Token] = []
    for inner in found:
        token = read_token(inner, reading)
        if isinstance(token, HttpsToken):
            reading.findings.refuse(inner.element, "an sp:HttpsToken is no supporting token")
        elif token is not None:
            tokens.append(token)
    return SupportingTokens(
        tokens=tuple(tokens),
        signed=kind.signed,
        endorsing=kind.endorsing,
        encrypted=kind.encrypted,
        signed_parts=signed_parts,
        encrypted_parts=encrypted_parts,
    )


def read_wss(wss10: Iterable[Assertion], wss11: Iterable[Assertion], findings: Findings) -> Wss:
    """Section 9: both assertions, joined."""
    tens, elevens = list(wss10), list(wss11)
    references: set[KeyReference] = set()
    confirmation = False
    for assertion in tens:
        check_shape(assertion, findings, nested=True)
        with Contents(assertion, findings) as contents:
            references |= contents.flags(WSS10_REFERENCES)
    for assertion in elevens:
        check_shape(assertion, findings, nested=True)
        with Contents(assertion, findings) as contents:
            references |= contents.flags(WSS11_REFERENCES)
            confirmation = contents.flag("RequireSignatureConfirmation") or confirmation
    return Wss(
        references=frozenset(references),
        signature_confirmation=confirmation,
        wss10=bool(tens),
        wss11=bool(elevens),
    )


def read_trust(assertions: Iterable[Assertion], findings: Findings) -> frozenset[TrustOption] | None:
    """Section 10: Trust10 and Trust13, joined; None where there is neither."""
    options: frozenset[TrustOption] | None = None
    for assertion in assertions:
        check_shape(assertion, findings, nested=True)
        with Contents(assertion, findings) as contents:
            options = (options or frozenset()) | contents.flags(_TRUST_OPTIONS)
    return options
