"""Binding assertions read into the model (WS-SecurityPolicy 1.2, sections 6 and 7)."""

from typing import Final, NamedTuple

from wsprovider.policy.contents import Contents, check_shape
from wsprovider.policy.findings import qualified
from wsprovider.policy.model import (
    AsymmetricBinding,
    Binding,
    HttpsToken,
    Layout,
    SymmetricBinding,
    Token,
    TransportBinding,
)
from wsprovider.policy.normalise import Assertion
from wsprovider.policy.read_tokens import read_only_token
from wsprovider.policy.reading import Reading
from wsprovider.policy.suite_names import read_suite
from wsprovider.words.suites import Suite

_LAYOUTS: Final = {layout.value: layout for layout in Layout}
_PROTECTION_ORDERS: Final = {"EncryptBeforeSigning": True, "SignBeforeEncrypting": False}


class _Common(NamedTuple):
    """What every binding has."""

    suite: Suite | None
    layout: Layout
    timestamp: bool


class _Options(NamedTuple):
    """What the two message-level bindings have in common beside that."""

    encrypt_before_signing: bool
    encrypt_signature: bool
    protect_tokens: bool
    only_entire: bool


class _Pair(NamedTuple):
    """The tokens of one party; ``has_...`` also where a token was refused."""

    signature: Token | None
    encryption: Token | None
    has_signature: bool
    has_encryption: bool


def read_transport(assertion: Assertion, reading: Reading) -> Binding | None:
    """Section 7.3."""
    check_shape(assertion, reading.findings, nested=True)
    with Contents(assertion, reading.findings) as contents:
        wrapper = contents.one("TransportToken")
        common = _common(contents, reading)
    if wrapper is None:
        reading.findings.refuse(assertion.element, "sp:TransportBinding has no sp:TransportToken")
        return None
    token = read_only_token(wrapper, reading)
    if token is None or common.suite is None:
        return None
    if not isinstance(token, HttpsToken):
        reading.findings.refuse(wrapper.element, "the token of a TransportBinding must be an sp:HttpsToken")
        return None
    return TransportBinding(token=token, suite=common.suite, layout=common.layout, timestamp=common.timestamp)


def read_symmetric(assertion: Assertion, reading: Reading) -> Binding | None:
    """Section 7.4: a ProtectionToken, or a SignatureToken and an EncryptionToken."""
    check_shape(assertion, reading.findings, nested=True)
    with Contents(assertion, reading.findings) as contents:
        tokens = _pair(contents, "ProtectionToken", "SignatureToken", "EncryptionToken", reading)
        common = _common(contents, reading)
        options = _options(contents)
    if not (tokens.has_signature and tokens.has_encryption):
        # section 7.4 allows one of the two alone, but then says nothing of the other half's keys
        reading.findings.refuse(
            assertion.element,
            "sp:SymmetricBinding must have an sp:ProtectionToken, or both a SignatureToken and an EncryptionToken",
        )
    if tokens.signature is None or tokens.encryption is None or common.suite is None:
        return None
    return SymmetricBinding(
        signature_token=tokens.signature,
        encryption_token=tokens.encryption,
        suite=common.suite,
        layout=common.layout,
        timestamp=common.timestamp,
        encrypt_before_signing=options.encrypt_before_signing,
        encrypt_signature=options.encrypt_signature,
        protect_tokens=options.protect_tokens,
        only_entire=options.only_entire,
    )


def read_asymmetric(assertion: Assertion, reading: Reading) -> Binding | None:
    """Section 7.5: a token, or a signature and an encryption token, for each party."""
    check_shape(assertion, reading.findings, nested=True)
    with Contents(assertion, reading.findings) as contents:
        initiator = _pair(
            contents, "InitiatorToken", "InitiatorSignatureToken", "InitiatorEncryptionToken", reading
        )
        recipient = _pair(
            contents, "RecipientToken", "RecipientSignatureToken", "RecipientEncryptionToken", reading
        )
        common = _common(contents, reading)
        options = _options(contents)
    for party, pair in (("Initiator", initiator), ("Recipient", recipient)):
        if not (pair.has_signature or pair.has_encryption):
            reading.findings.refuse(assertion.element, f"sp:AsymmetricBinding has no sp:{party}Token")
    if common.suite is None:
        return None
    return AsymmetricBinding(
        initiator_signature=initiator.signature,
        initiator_encryption=initiator.encryption,
        recipient_signature=recipient.signature,
        recipient_encryption=recipient.encryption,
        suite=common.suite,
        layout=common.layout,
        timestamp=common.timestamp,
        encrypt_before_signing=options.encrypt_before_signing,
        encrypt_signature=options.encrypt_signature,
        protect_tokens=options.protect_tokens,
        only_entire=options.only_entire,
    )


def _pair(contents: Contents, both: str, signature: str, encryption: str, reading: Reading) -> _Pair:
    for_both, for_signature, for_encryption = (contents.one(name) for name in (both, signature, encryption))
    if for_both is not None:
        for other in (for_signature, for_encryption):
            if other is not None:
                reading.findings.refuse(
                    other.element, f"{qualified(other.element)} and sp:{both} exclude each other"
                )
        token = _message_token(for_both, reading)
        return _Pair(token, token, has_signature=True, has_encryption=True)
    return _Pair(
        None if for_signature is None else _message_token(for_signature, reading),
        None if for_encryption is None else _message_token(for_encryption, reading),
        has_signature=for_signature is not None,
        has_encryption=for_encryption is not None,
    )


def _message_token(wrapper: Assertion, reading: Reading) -> Token | None:
    token = read_only_token(wrapper, reading)
    if isinstance(token, HttpsToken):
        reading.findings.refuse(wrapper.element, "an sp:HttpsToken protects no message")
        return None
    return token


def _common(contents: Contents, reading: Reading) -> _Common:
    suite_assertion = contents.one("AlgorithmSuite")
    if suite_assertion is None:
        element = contents.assertion.element
        reading.findings.refuse(element, f"{qualified(element)} has no sp:AlgorithmSuite")
    return _Common(
        suite=None if suite_assertion is None else read_suite(suite_assertion, reading),
        layout=_layout(contents, reading),
        timestamp=contents.flag("IncludeTimestamp"),
    )


def _layout(contents: Contents, reading: Reading) -> Layout:
    """Section 6.7; Lax where nothing is said."""
    assertion = contents.one("Layout")
    if assertion is None:
        return Layout.LAX
    check_shape(assertion, reading.findings, nested=True)
    with Contents(assertion, reading.findings) as inner:
        layout = inner.choice(_LAYOUTS)
    if layout is None:
        reading.findings.refuse(
            assertion.element, "sp:Layout names none of Strict, Lax, LaxTsFirst, LaxTsLast"
        )
    return layout or Layout.LAX


def _options(contents: Contents) -> _Options:
    return _Options(
        encrypt_before_signing=bool(contents.choice(_PROTECTION_ORDERS)),
        encrypt_signature=contents.flag("EncryptSignature"),
        protect_tokens=contents.flag("ProtectTokens"),
        only_entire=contents.flag("OnlySignEntireHeadersAndBody"),
    )
