"""The model written as a policy document: what a WSDL publishes.

WS-SecurityPolicy 1.1 or 1.2 (with the additions of 1.3) inside WS-Policy 1.2, in the shape that CXF,
Metro, Rampart and WCF read: every nested policy is there, Wss and Trust options are wrapped in
``wsp:Policy``, and nothing is optional. The order is fixed, so that the same policy is always written
the same. Reading it again gives the same value, or the document is not written at all.
"""

from lxml import etree

from wsprovider.policy.model import (
    Alternative,
    AsymmetricBinding,
    Binding,
    HeaderPart,
    KeyReference,
    Parts,
    Policy,
    SupportingTokens,
    SymmetricBinding,
    Token,
    TransportBinding,
    TrustOption,
    Wss,
)
from wsprovider.policy.read_parts import SUPPORTING, WSS10_REFERENCES, WSS11_REFERENCES, SupportingKind
from wsprovider.policy.suite_names import (
    CUSTOM,
    CUSTOM_DEFAULT,
    CUSTOM_NAME,
    METRO_SIGNATURE,
    signature_attribute,
)
from wsprovider.policy.write_tokens import write_token
from wsprovider.policy.writing import Writing
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import SP12, Dialect
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import Suite

_SUPPORTING_NAMES = {kind: name for name, kind in SUPPORTING.items()}
_TRUST_OF_11 = frozenset(
    {
        TrustOption.CLIENT_CHALLENGE,
        TrustOption.SERVER_CHALLENGE,
        TrustOption.CLIENT_ENTROPY,
        TrustOption.SERVER_ENTROPY,
        TrustOption.ISSUED_TOKENS,
    }
)
_TRUST_OF_13 = frozenset({TrustOption.SCOPE_POLICY15, TrustOption.INTERACTIVE_CHALLENGE})


def write_policy(policy: Policy, dialect: Dialect = SP12) -> etree._Element:
    """Write one policy.

    Args:
        policy: the policy; its id becomes the ``wsu:Id``.
        dialect: which names to use.

    Returns:
        A ``wsp:Policy`` element in a document of its own.

    Raises:
        ConfigurationError: what the dialect cannot say, or the standard has no assertion for.
    """
    writing = Writing(dialect, f"policy {policy.id or 'without an id'}")
    root = writing.root()
    _identify(policy, root)
    choice = writing.operator(root, "ExactlyOne")
    for alternative in policy.alternatives:
        _alternative(alternative, writing.operator(choice, "All"), writing)
    if not policy.alternatives:
        writing.refuse("a policy without alternatives accepts nothing")
    if writing.problems:
        raise ConfigurationError(writing.problems)
    etree.indent(root)
    return root


def write_parts(policy: Policy, dialect: Dialect = SP12) -> etree._Element:
    """Write what the messages of a policy show beside its binding: a policy for a message alone.

    Args:
        policy: its alternatives have the same parts.

    Raises:
        ConfigurationError: what the dialect cannot say.
    """
    writing = Writing(dialect, f"policy {policy.id or 'without an id'}")
    root = writing.root()
    _identify(policy, root)
    alternative = writing.operator(writing.operator(root, "ExactlyOne"), "All")
    _all_parts(policy.alternatives[0], alternative, writing)
    if writing.problems:
        raise ConfigurationError(writing.problems)
    etree.indent(root)
    return root


def _identify(policy: Policy, element: etree._Element) -> None:
    if policy.id:
        element.set(f"{{{ns.WSU}}}Id", policy.id)


def _bootstrap(policy: Policy, parent: etree._Element, writing: Writing) -> None:
    """A lone alternative stands in the policy itself: some readers of old do not look deeper."""
    element = writing.operator(parent, "Policy")
    _identify(policy, element)
    if len(policy.alternatives) == 1:
        _alternative(policy.alternatives[0], element, writing)
        return
    choice = writing.operator(element, "ExactlyOne")
    for alternative in policy.alternatives:
        _alternative(alternative, writing.operator(choice, "All"), writing)
    if not policy.alternatives:
        writing.refuse("a bootstrap policy without alternatives accepts nothing")


def _alternative(alternative: Alternative, parent: etree._Element, writing: Writing) -> None:
    _binding(alternative.binding, parent, writing)
    _all_parts(alternative, parent, writing)
    for supporting in alternative.supporting:
        _supporting(supporting, parent, writing)
    _wss(alternative.wss, parent, writing)
    if alternative.trust is not None:
        _trust(alternative.trust, parent, writing)
    if alternative.addressing:
        writing.operator(writing.foreign(parent, f"{{{ns.WSAM}}}Addressing"), "Policy")


def _all_parts(alternative: Alternative, parent: etree._Element, writing: Writing) -> None:
    _parts("SignedParts", alternative.signed_parts, parent, writing)
    _parts("EncryptedParts", alternative.encrypted_parts, parent, writing)
    if alternative.required_headers:
        writing.only_in_12("RequiredParts")
        _headers(alternative.required_headers, writing.assertion(parent, "RequiredParts"), writing)


def _binding(binding: Binding, parent: etree._Element, writing: Writing) -> None:
    policy = writing.nested(parent, type(binding).__name__)
    if isinstance(binding, TransportBinding):
        _wrapped("TransportToken", binding.token, policy, writing)
    elif isinstance(binding, SymmetricBinding):
        _pair(
            ("ProtectionToken", "SignatureToken", "EncryptionToken"),
            (binding.signature_token, binding.encryption_token),
            policy,
            writing,
        )
    else:
        _pair(
            ("InitiatorToken", "InitiatorSignatureToken", "InitiatorEncryptionToken"),
            (binding.initiator_signature, binding.initiator_encryption),
            policy,
            writing,
        )
        _pair(
            ("RecipientToken", "RecipientSignatureToken", "RecipientEncryptionToken"),
            (binding.recipient_signature, binding.recipient_encryption),
            policy,
            writing,
        )
    _suite(binding.suite, policy, writing)
    writing.flags(writing.nested(policy, "Layout"), [binding.layout.value])
    writing.flags(policy, ["IncludeTimestamp" if binding.timestamp else None])
    if isinstance(binding, SymmetricBinding | AsymmetricBinding):
        writing.flags(
            policy,
            [
                "EncryptBeforeSigning" if binding.encrypt_before_signing else None,
                "EncryptSignature" if binding.encrypt_signature else None,
                "ProtectTokens" if binding.protect_tokens else None,
                "OnlySignEntireHeadersAndBody" if binding.only_entire else None,
            ],
        )


def _pair(
    names: tuple[str, str, str],
    tokens: tuple[Token | None, Token | None],
    parent: etree._Element,
    writing: Writing,
) -> None:
    """One wrapper for a token with both uses, else one for each."""
    both, for_signature, for_encryption = names
    signature, encryption = tokens
    if signature is None and encryption is None:
        writing.refuse(f"a binding without {both} has no assertion")
    elif signature == encryption and signature is not None:
        _wrapped(both, signature, parent, writing)
    else:
        if both != "ProtectionToken":
            writing.only_in_12(f"{for_signature} and {for_encryption}")
        for name, token in ((for_signature, signature), (for_encryption, encryption)):
            if token is not None:
                _wrapped(name, token, parent, writing)


def _wrapped(name: str, token: Token, parent: etree._Element, writing: Writing) -> None:
    write_token(token, writing.nested(parent, name), writing, _bootstrap)


def _suite(suite: Suite, parent: etree._Element, writing: Writing) -> None:
    """Section 6.1; see :mod:`wsprovider.policy.suite_names` for the custom ones."""
    policy = writing.nested(parent, "AlgorithmSuite")
    if not suite.custom:
        writing.assertion(policy, suite.name)
        signs, element = signature_attribute(suite), policy.getparent()
        if signs is not None and element is not None:
            element.set(METRO_SIGNATURE, signs)
        return
    element = writing.foreign(policy, CUSTOM)
    if suite.name != CUSTOM_DEFAULT:
        element.set(CUSTOM_NAME, suite.name)


def _parts(name: str, parts: Parts, parent: etree._Element, writing: Writing) -> None:
    """Sections 4.1.1 and 4.2.1; an empty assertion says everything, so it stands alone."""
    if parts.all_parts:
        writing.assertion(parent, name)
    if parts.body or parts.headers:
        element = writing.assertion(parent, name)
        writing.flags(element, ["Body" if parts.body else None])
        _headers(parts.headers, element, writing)


def _headers(headers: tuple[HeaderPart, ...], parent: etree._Element, writing: Writing) -> None:
    for header in headers:
        element = writing.assertion(parent, "Header")
        if header.name is not None:
            element.set("Name", header.name)
        element.set("Namespace", header.namespace)


def _supporting(supporting: SupportingTokens, parent: etree._Element, writing: Writing) -> None:
    kind = SupportingKind(supporting.signed, supporting.endorsing, supporting.encrypted)
    name = _SUPPORTING_NAMES[kind]
    if kind.encrypted:
        writing.only_in_12(name)
    policy = writing.nested(parent, name)
    for token in supporting.tokens:
        write_token(token, policy, writing, _bootstrap)
    _parts("SignedParts", supporting.signed_parts, policy, writing)
    _parts("EncryptedParts", supporting.encrypted_parts, policy, writing)


def _wss(wss: Wss, parent: etree._Element, writing: Writing) -> None:
    """Section 9; where both assertions stand, each names all the references that it can."""
    said: set[KeyReference] = set()
    if wss.wss10:
        policy = writing.nested(parent, "Wss10")
        writing.flags(policy, [name for name, kind in WSS10_REFERENCES.items() if kind in wss.references])
        said.update(WSS10_REFERENCES.values())
    if wss.wss11:
        policy = writing.nested(parent, "Wss11")
        writing.flags(policy, [name for name, kind in WSS11_REFERENCES.items() if kind in wss.references])
        writing.flags(policy, ["RequireSignatureConfirmation" if wss.signature_confirmation else None])
        said.update(WSS11_REFERENCES.values())
    if not wss.references <= said or (wss.signature_confirmation and not wss.wss11):
        writing.refuse(
            "references or a SignatureConfirmation are asked for that neither Wss10 nor Wss11 can say here"
        )


def _trust(options: frozenset[TrustOption], parent: etree._Element, writing: Writing) -> None:
    """Section 10."""
    policy = writing.nested(parent, writing.dialect.trust)
    for option in TrustOption:
        if option not in options:
            continue
        if option in _TRUST_OF_13:
            writing.added_by_13(policy, option.value)
            continue
        if option not in _TRUST_OF_11:
            writing.only_in_12(option.value)
        writing.assertion(policy, option.value)
