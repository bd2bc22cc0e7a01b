"""The pieces that the scenarios share, as values of the policy model.

Each block is one decision of WSO2's policy family: which token, which binding around it, which parts,
which options. A scenario is a handful of them; nothing here knows which.
"""

from typing import Final

from wsprovider.policy.model import (
    Alternative,
    AsymmetricBinding,
    ClientAuthentication,
    HttpsToken,
    Inclusion,
    KerberosToken,
    KerberosTokenType,
    KeyReference,
    Layout,
    Parts,
    Policy,
    SecureConversationToken,
    SupportingTokens,
    SymmetricBinding,
    Token,
    TransportBinding,
    TrustOption,
    UsernameToken,
    UsernameTokenType,
    Wss,
    X509Token,
    X509TokenType,
)
from wsprovider.words.suites import Suite

BODY: Final = Parts(body=True)
NOTHING: Final = Parts()

# tokens

X509_IN_REQUEST: Final = X509Token(
    Inclusion.ALWAYS_TO_RECIPIENT,
    references=frozenset({KeyReference.THUMBPRINT}),
    type=X509TokenType.V3_TOKEN10,
)
"""The client's certificate travels with its requests."""

X509_BY_THUMBPRINT: Final = X509Token(
    Inclusion.NEVER,
    references=frozenset({KeyReference.THUMBPRINT}),
    type=X509TokenType.V3_TOKEN10,
)
"""A certificate that the other side has already; messages name it by its thumbprint."""

ANY_USERNAME: Final = UsernameToken()
USERNAME_10: Final = UsernameToken(type=UsernameTokenType.TOKEN10)
KERBEROS: Final = KerberosToken(Inclusion.ALWAYS_TO_RECIPIENT, type=KerberosTokenType.AP_REQ)

SIGNED_ANY_USERNAME: Final = SupportingTokens((ANY_USERNAME,), signed=True)
SIGNED_USERNAME_10: Final = SupportingTokens((USERNAME_10,), signed=True)

# options

_REFERENCES_10: Final = frozenset({KeyReference.KEY_IDENTIFIER, KeyReference.ISSUER_SERIAL})
_REFERENCES_11: Final = _REFERENCES_10 | {KeyReference.THUMBPRINT, KeyReference.ENCRYPTED_KEY}

WSS10: Final = Wss(_REFERENCES_10, wss10=True)
WSS11: Final = Wss(_REFERENCES_11, wss11=True)
WSS11_CONFIRMED: Final = Wss(_REFERENCES_11, signature_confirmation=True, wss11=True)
WSS10_AND_11_CONFIRMED: Final = Wss(_REFERENCES_11, signature_confirmation=True, wss10=True, wss11=True)
WSS11_CONFIRMED_WITHOUT_ENCRYPTED_KEY: Final = Wss(
    _REFERENCES_10 | {KeyReference.THUMBPRINT}, signature_confirmation=True, wss11=True
)

TRUST: Final = frozenset({TrustOption.ISSUED_TOKENS, TrustOption.CLIENT_ENTROPY, TrustOption.SERVER_ENTROPY})


# bindings


def transport(suite: Suite) -> TransportBinding:
    """TLS without a client certificate, and a Timestamp."""
    return TransportBinding(HttpsToken(ClientAuthentication.NONE), suite, layout=Layout.LAX, timestamp=True)


def asymmetric(suite: Suite, initiator: Token) -> AsymmetricBinding:
    """Both sides sign with keys of their own; the service's certificate is known to the client."""
    return AsymmetricBinding(
        initiator_signature=initiator,
        initiator_encryption=initiator,
        recipient_signature=X509_BY_THUMBPRINT,
        recipient_encryption=X509_BY_THUMBPRINT,
        suite=suite,
        layout=Layout.STRICT,
        timestamp=True,
        only_entire=True,
    )


def symmetric(suite: Suite, token: Token) -> SymmetricBinding:
    """One secret signs and encrypts both ways."""
    return SymmetricBinding(
        signature_token=token,
        encryption_token=token,
        suite=suite,
        layout=Layout.LAX,
        timestamp=True,
        only_entire=True,
    )


# whole alternatives, by what proves the client


def certificate_exchange(
    suite: Suite, initiator: Token, *, signed: Parts, encrypted: Parts, wss: Wss
) -> Alternative:
    """The client proves its own private key (2, 5, and the bootstrap of 9 to 11)."""
    return Alternative(asymmetric(suite, initiator), signed_parts=signed, encrypted_parts=encrypted, wss=wss)


def service_key_exchange(
    suite: Suite, *, signed: Parts, encrypted: Parts, username: bool = False
) -> Alternative:
    """A secret made by the client for the service's certificate (3, 4, 6 to 8, bootstrap of 12 to 15)."""
    return Alternative(
        symmetric(suite, X509_BY_THUMBPRINT),
        signed_parts=signed,
        encrypted_parts=encrypted,
        supporting=(SIGNED_USERNAME_10,) if username else (),
        wss=WSS11_CONFIRMED,
        trust=TRUST,
    )


def conversation(suite: Suite, bootstrap: Alternative, *, signed: Parts, encrypted: Parts) -> Alternative:
    """A secret agreed with the service itself, under a bootstrap policy (9 to 15)."""
    token = SecureConversationToken(Inclusion.ALWAYS_TO_RECIPIENT, bootstrap=Policy("", (bootstrap,)))
    return Alternative(
        symmetric(suite, token), signed_parts=signed, encrypted_parts=encrypted, wss=WSS11, trust=TRUST
    )
