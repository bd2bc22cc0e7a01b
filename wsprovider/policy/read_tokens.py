"""Token assertions read into the model (WS-SecurityPolicy 1.2, section 5)."""

from collections.abc import Callable, Mapping
from typing import Final

from wsprovider.policy.contents import Contents, attribute, check_shape, refuse_assertion
from wsprovider.policy.findings import Findings, qualified
from wsprovider.policy.model import (
    ClientAuthentication,
    DerivedKeys,
    HttpsToken,
    Inclusion,
    KerberosToken,
    KerberosTokenType,
    KeyReference,
    Password,
    Policy,
    SecureConversationToken,
    Token,
    UsernameToken,
    UsernameTokenType,
    X509Token,
    X509TokenType,
)
from wsprovider.policy.normalise import Assertion, children, is_policy
from wsprovider.policy.reading import Reading
from wsprovider.words.dialects import DIALECTS

_INCLUDE_TOKEN: Final = frozenset({"IncludeToken"})
_INCLUSIONS: Final = {
    dialect.inclusion + inclusion.value: inclusion for dialect in DIALECTS.values() for inclusion in Inclusion
}

_DERIVED: Final = {kind.value: kind for kind in DerivedKeys if kind is not DerivedKeys.NONE}
_X509_TYPES: Final = {kind.value: kind for kind in X509TokenType}
_X509_REFERENCES: Final = {
    "RequireKeyIdentifierReference": KeyReference.KEY_IDENTIFIER,
    "RequireIssuerSerialReference": KeyReference.ISSUER_SERIAL,
    "RequireEmbeddedTokenReference": KeyReference.EMBEDDED_TOKEN,
    "RequireThumbprintReference": KeyReference.THUMBPRINT,
}
_USERNAME_TYPES: Final = {kind.value: kind for kind in UsernameTokenType}
_PASSWORDS: Final = {kind.value: kind for kind in Password if kind is not Password.ANY}
_KERBEROS_TYPES: Final = {kind.value: kind for kind in KerberosTokenType}
_CLIENT_AUTHENTICATION: Final = {
    kind.value: kind for kind in ClientAuthentication if kind is not ClientAuthentication.NONE
}


def read_only_token(wrapper: Assertion, reading: Reading) -> Token | None:
    """The one token inside a ProtectionToken, InitiatorToken, TransportToken and their like."""
    check_shape(wrapper, reading.findings, nested=True)
    tokens = read_tokens(wrapper, reading)
    if len(tokens) != 1:
        reading.findings.refuse(
            wrapper.element, f"{qualified(wrapper.element)} must hold exactly one token, not {len(tokens)}"
        )
    return tokens[0] if tokens else None


def read_tokens(wrapper: Assertion, reading: Reading) -> list[Token | None]:
    """Every token in a nested policy that holds nothing but tokens; None for each that was refused."""
    return [read_token(inner, reading) for inner in wrapper.nested or ()]


def is_token(assertion: Assertion) -> bool:
    """Whether a reader of this module knows the assertion."""
    return assertion.name in _READERS


def read_token(assertion: Assertion, reading: Reading) -> Token | None:
    """One token assertion; None beside a finding."""
    reader = _READERS.get(assertion.name)
    if reader is None:
        refuse_assertion(assertion.element, assertion.name, reading.findings)
        return None
    return reader(assertion, reading)


def _x509(assertion: Assertion, reading: Reading) -> Token:
    """Section 5.4.3."""
    check_shape(assertion, reading.findings, attributes=_INCLUDE_TOKEN, nested=True)
    with Contents(assertion, reading.findings) as contents:
        return X509Token(
            inclusion=_inclusion(assertion, reading.findings),
            references=contents.flags(_X509_REFERENCES),
            type=contents.choice(_X509_TYPES),
            derived_keys=_derived(contents),
        )


def _username(assertion: Assertion, reading: Reading) -> Token:
    """Section 5.4.1."""
    check_shape(assertion, reading.findings, attributes=_INCLUDE_TOKEN, nested=True)
    with Contents(assertion, reading.findings) as contents:
        return UsernameToken(
            inclusion=_inclusion(assertion, reading.findings),
            type=contents.choice(_USERNAME_TYPES),
            password=contents.choice(_PASSWORDS) or Password.ANY,
            created=contents.flag("Created"),
            nonce=contents.flag("Nonce"),
            derived_keys=_derived(contents),
        )


def _kerberos(assertion: Assertion, reading: Reading) -> Token:
    """Section 5.4.4."""
    check_shape(assertion, reading.findings, attributes=_INCLUDE_TOKEN, nested=True)
    with Contents(assertion, reading.findings) as contents:
        return KerberosToken(
            inclusion=_inclusion(assertion, reading.findings),
            type=contents.choice(_KERBEROS_TYPES),
            key_identifier_reference=contents.flag("RequireKeyIdentifierReference"),
            derived_keys=_derived(contents),
        )


def _https(assertion: Assertion, reading: Reading) -> Token:
    """Section 5.4.9; version 1.1 says by an attribute what 1.2 says by a nested assertion.

    IncludeToken is tolerated: whatever it says, the transport decides what is sent.
    """
    check_shape(
        assertion,
        reading.findings,
        attributes=_INCLUDE_TOKEN | {ClientAuthentication.CERTIFICATE.value},
        nested=True,
    )
    with Contents(assertion, reading.findings) as contents:
        client = contents.choice(_CLIENT_AUTHENTICATION)
    said = attribute(assertion.element, ClientAuthentication.CERTIFICATE.value)
    if said not in (None, "true", "1", "false", "0"):
        reading.findings.refuse(
            assertion.element, f"RequireClientCertificate is neither true nor false: {said!r:.40}"
        )
    if said in ("true", "1"):
        if client not in (None, ClientAuthentication.CERTIFICATE):
            reading.findings.refuse(
                assertion.element, f"RequireClientCertificate and {client.value} exclude each other"
            )
        client = ClientAuthentication.CERTIFICATE
    return HttpsToken(client or ClientAuthentication.NONE)


def _secure_conversation(assertion: Assertion, reading: Reading) -> Token:
    """Section 5.4.7."""
    check_shape(assertion, reading.findings, attributes=_INCLUDE_TOKEN, nested=True)
    with Contents(assertion, reading.findings) as contents:
        bootstrap = contents.one("BootstrapPolicy")
        return SecureConversationToken(
            inclusion=_inclusion(assertion, reading.findings),
            bootstrap=None if bootstrap is None else _bootstrap(bootstrap, reading),
            derived_keys=_derived(contents),
            external_uri_reference=contents.flag("RequireExternalUriReference"),
            sc10_token=contents.flag("SC10SecurityContextToken"),
            sc13_token=contents.flag("SC13SecurityContextToken"),
            must_not_send_cancel=contents.flag("MustNotSendCancel"),
            must_not_send_amend=contents.flag("MustNotSendAmend"),
            must_not_send_renew=contents.flag("MustNotSendRenew"),
        )


def _bootstrap(assertion: Assertion, reading: Reading) -> Policy | None:
    check_shape(assertion, reading.findings)
    policies = [child for child in children(assertion.element) if is_policy(child)]
    if len(policies) != 1:
        reading.findings.refuse(assertion.element, "sp:BootstrapPolicy must hold exactly one wsp:Policy")
        return None
    return reading.nested_policy(policies[0])


def _inclusion(assertion: Assertion, findings: Findings) -> Inclusion:
    """Section 5.1.1; the values of either dialect, whichever namespace the assertion has."""
    said = attribute(assertion.element, "IncludeToken")
    if said is None:
        return Inclusion.ALWAYS
    inclusion = _INCLUSIONS.get(said)
    if inclusion is None:
        findings.refuse(assertion.element, f"no IncludeToken value of the standard: {said[:160]!r}")
        return Inclusion.NEVER
    return inclusion


def _derived(contents: Contents) -> DerivedKeys:
    return contents.choice(_DERIVED) or DerivedKeys.NONE


_READERS: Final[Mapping[str, Callable[[Assertion, Reading], Token]]] = {
    "X509Token": _x509,
    "UsernameToken": _username,
    "KerberosToken": _kerberos,
    "HttpsToken": _https,
    "SecureConversationToken": _secure_conversation,
}
