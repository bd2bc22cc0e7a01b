"""Token assertions written from the model (WS-SecurityPolicy 1.2, section 5)."""

from collections.abc import Callable

from lxml import etree

from wsprovider.policy.model import (
    ClientAuthentication,
    DerivedKeys,
    HttpsToken,
    Inclusion,
    KerberosToken,
    KeyReference,
    Password,
    Policy,
    SecureConversationToken,
    Token,
    UsernameToken,
    X509Token,
    X509TokenType,
)
from wsprovider.policy.writing import Writing

NestedPolicy = Callable[[Policy, etree._Element, Writing], None]
"""Writes a policy of its own into an assertion (the BootstrapPolicy's)."""

_X509_REFERENCES = {
    KeyReference.KEY_IDENTIFIER: "RequireKeyIdentifierReference",
    KeyReference.ISSUER_SERIAL: "RequireIssuerSerialReference",
    KeyReference.EMBEDDED_TOKEN: "RequireEmbeddedTokenReference",
    KeyReference.THUMBPRINT: "RequireThumbprintReference",
}


def write_token(token: Token, parent: etree._Element, writing: Writing, nested: NestedPolicy) -> None:
    """Append one token assertion."""
    if isinstance(token, X509Token):
        _x509(token, parent, writing)
    elif isinstance(token, UsernameToken):
        _username(token, parent, writing)
    elif isinstance(token, HttpsToken):
        _https(token, parent, writing)
    elif isinstance(token, KerberosToken):
        _kerberos(token, parent, writing)
    else:
        _secure_conversation(token, parent, writing, nested)


def _token(name: str, inclusion: Inclusion, parent: etree._Element, writing: Writing) -> etree._Element:
    """Section 5.1.1; the nested policy is there even when empty, as 1.2 demands."""
    if inclusion is Inclusion.ALWAYS_TO_INITIATOR:
        writing.only_in_12(f"IncludeToken {inclusion.value}")
    element = writing.assertion(parent, name)
    element.set(
        f"{{{writing.dialect.security_policy}}}IncludeToken", writing.dialect.inclusion + inclusion.value
    )
    return writing.operator(element, "Policy")


def _derived(kind: DerivedKeys, policy: etree._Element, writing: Writing) -> None:
    if kind is DerivedKeys.NONE:
        return
    if kind is not DerivedKeys.REQUIRED:
        writing.only_in_12(kind.value)
    writing.assertion(policy, kind.value)


def _x509(token: X509Token, parent: etree._Element, writing: Writing) -> None:
    policy = _token("X509Token", token.inclusion, parent, writing)
    _derived(token.derived_keys, policy, writing)
    unnamed = token.references - _X509_REFERENCES.keys()
    if unnamed:
        names = ", ".join(sorted(reference.value for reference in unnamed))
        writing.refuse(f"no assertion requires an X509Token to be referred to by {names}")
    writing.flags(policy, [name for kind, name in _X509_REFERENCES.items() if kind in token.references])
    if token.type is X509TokenType.V1_TOKEN10 and writing.dialect.additions is not None:
        # 1.2 dropped it; CXF and Rampart would read it all the same, others would not
        writing.refuse("WS-SecurityPolicy 1.2 has no WssX509V1Token10")
    writing.flags(policy, [token.type.value if token.type else None])


def _username(token: UsernameToken, parent: etree._Element, writing: Writing) -> None:
    policy = _token("UsernameToken", token.inclusion, parent, writing)
    if token.password is not Password.ANY:
        writing.only_in_12(token.password.value)
        writing.assertion(policy, token.password.value)
    _derived(token.derived_keys, policy, writing)
    for name, wanted in (("Created", token.created), ("Nonce", token.nonce)):
        if wanted:
            writing.added_by_13(policy, name)
    writing.flags(policy, [token.type.value if token.type else None])


def _https(token: HttpsToken, parent: etree._Element, writing: Writing) -> None:
    """Section 5.4.9; version 1.1 has an attribute and no nested policy."""
    element = writing.assertion(parent, "HttpsToken")
    if writing.dialect.additions is not None:
        policy = writing.operator(element, "Policy")
        if token.client is not ClientAuthentication.NONE:
            writing.assertion(policy, token.client.value)
        return
    if token.client in (ClientAuthentication.BASIC, ClientAuthentication.DIGEST):
        writing.only_in_12(token.client.value)
    certificate = token.client is ClientAuthentication.CERTIFICATE
    element.set(ClientAuthentication.CERTIFICATE.value, "true" if certificate else "false")


def _kerberos(token: KerberosToken, parent: etree._Element, writing: Writing) -> None:
    policy = _token("KerberosToken", token.inclusion, parent, writing)
    _derived(token.derived_keys, policy, writing)
    writing.flags(
        policy,
        [
            "RequireKeyIdentifierReference" if token.key_identifier_reference else None,
            token.type.value if token.type else None,
        ],
    )


def _secure_conversation(
    token: SecureConversationToken, parent: etree._Element, writing: Writing, nested: NestedPolicy
) -> None:
    policy = _token("SecureConversationToken", token.inclusion, parent, writing)
    _derived(token.derived_keys, policy, writing)
    writing.flags(
        policy,
        [
            "RequireExternalUriReference" if token.external_uri_reference else None,
            "SC10SecurityContextToken" if token.sc10_token else None,
        ],
    )
    for name, wanted in (
        ("SC13SecurityContextToken", token.sc13_token),
        ("MustNotSendCancel", token.must_not_send_cancel),
        ("MustNotSendAmend", token.must_not_send_amend),
        ("MustNotSendRenew", token.must_not_send_renew),
    ):
        if wanted:
            writing.only_in_12(name)
            writing.assertion(policy, name)
    if token.bootstrap is not None:
        nested(token.bootstrap, writing.assertion(policy, "BootstrapPolicy"), writing)
