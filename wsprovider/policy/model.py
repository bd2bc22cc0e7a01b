"""The policy model: WS-Policy alternatives of WS-SecurityPolicy 1.1 to 1.3 assertions, as frozen values.

A :class:`Policy` is what a WSDL publishes and what is compiled into requirements. Names are those of
WS-SecurityPolicy 1.2 (OASIS 200702); section numbers in the docstrings are that document's. Values
carry no dialect: whether 200507 or 200702 names were read or will be written is not part of them.
"""

from dataclasses import dataclass, field
from enum import Enum

from wsprovider.words.suites import Suite


class Inclusion(Enum):
    """Section 5.1.1: when the token itself stands in a message (the last part of its URI)."""

    NEVER = "Never"
    ONCE = "Once"
    ALWAYS_TO_RECIPIENT = "AlwaysToRecipient"
    ALWAYS_TO_INITIATOR = "AlwaysToInitiator"
    ALWAYS = "Always"


class KeyReference(Enum):
    """Sections 5.4.3 and 9: ways to name a token that is not in the message."""

    KEY_IDENTIFIER = "KeyIdentifier"
    ISSUER_SERIAL = "IssuerSerial"
    THUMBPRINT = "Thumbprint"
    EMBEDDED_TOKEN = "EmbeddedToken"
    EXTERNAL_URI = "ExternalURI"
    ENCRYPTED_KEY = "EncryptedKey"


class DerivedKeys(Enum):
    """Section 5.3: what kind of derived keys a token's properties call for."""

    NONE = "none"
    REQUIRED = "RequireDerivedKeys"
    IMPLIED = "RequireImpliedDerivedKeys"
    EXPLICIT = "RequireExplicitDerivedKeys"


class X509TokenType(Enum):
    """Section 5.4.3: the token type assertion, without its Wss prefix."""

    V1_TOKEN10 = "WssX509V1Token10"
    V3_TOKEN10 = "WssX509V3Token10"
    PKCS7_TOKEN10 = "WssX509Pkcs7Token10"
    PKI_PATH_TOKEN10 = "WssX509PkiPathV1Token10"
    V1_TOKEN11 = "WssX509V1Token11"
    V3_TOKEN11 = "WssX509V3Token11"
    PKCS7_TOKEN11 = "WssX509Pkcs7Token11"
    PKI_PATH_TOKEN11 = "WssX509PkiPathV1Token11"


class UsernameTokenType(Enum):
    """Section 5.4.1: profile version of a UsernameToken."""

    TOKEN10 = "WssUsernameToken10"
    TOKEN11 = "WssUsernameToken11"


class Password(Enum):
    """Section 5.4.1: what the token's password must be."""

    ANY = "any"
    """Neither NoPassword nor HashPassword: text, or a digest where the client chooses one."""
    NONE = "NoPassword"
    HASH = "HashPassword"


class KerberosTokenType(Enum):
    """Section 5.4.4."""

    AP_REQ = "WssKerberosV5ApReqToken11"
    GSS_AP_REQ = "WssGssKerberosV5ApReqToken11"


class ClientAuthentication(Enum):
    """Section 5.4.9: what an HttpsToken demands of the client."""

    NONE = "none"
    BASIC = "HttpBasicAuthentication"
    DIGEST = "HttpDigestAuthentication"
    CERTIFICATE = "RequireClientCertificate"


class Layout(Enum):
    """Section 6.7."""

    STRICT = "Strict"
    LAX = "Lax"
    LAX_TIMESTAMP_FIRST = "LaxTsFirst"
    LAX_TIMESTAMP_LAST = "LaxTsLast"


@dataclass(frozen=True, slots=True)
class X509Token:
    """Section 5.4.3."""

    inclusion: Inclusion
    references: frozenset[KeyReference] = frozenset()
    type: X509TokenType | None = None
    derived_keys: DerivedKeys = DerivedKeys.NONE


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """Section 5.4.1; ``created`` and ``nonce`` are assertions of WS-SecurityPolicy 1.3."""

    inclusion: Inclusion = Inclusion.ALWAYS_TO_RECIPIENT
    type: UsernameTokenType | None = None
    password: Password = Password.ANY
    created: bool = False
    nonce: bool = False
    derived_keys: DerivedKeys = DerivedKeys.NONE


@dataclass(frozen=True, slots=True)
class HttpsToken:
    """Section 5.4.9."""

    client: ClientAuthentication = ClientAuthentication.NONE


@dataclass(frozen=True, slots=True)
class KerberosToken:
    """Section 5.4.4."""

    inclusion: Inclusion
    type: KerberosTokenType | None = None
    key_identifier_reference: bool = False
    derived_keys: DerivedKeys = DerivedKeys.NONE


@dataclass(frozen=True, slots=True)
class SecureConversationToken:
    """Section 5.4.7; without an issuer the service itself is the token service."""

    inclusion: Inclusion
    bootstrap: "Policy | None"
    derived_keys: DerivedKeys = DerivedKeys.NONE
    external_uri_reference: bool = False
    sc10_token: bool = False
    sc13_token: bool = False
    must_not_send_cancel: bool = False
    must_not_send_amend: bool = False
    must_not_send_renew: bool = False


Token = X509Token | UsernameToken | HttpsToken | KerberosToken | SecureConversationToken


@dataclass(frozen=True, slots=True)
class TransportBinding:
    """Section 7.3."""

    token: HttpsToken
    suite: Suite
    layout: Layout = Layout.LAX
    timestamp: bool = False


@dataclass(frozen=True, slots=True)
class SymmetricBinding:
    """Section 7.4; a ProtectionToken is both the signature and the encryption token."""

    signature_token: Token
    encryption_token: Token
    suite: Suite
    layout: Layout = Layout.LAX
    timestamp: bool = False
    encrypt_before_signing: bool = False
    encrypt_signature: bool = False
    protect_tokens: bool = False
    only_entire: bool = False
    """OnlySignEntireHeadersAndBody, section 6.6."""


@dataclass(frozen=True, slots=True)
class AsymmetricBinding:
    """Section 7.5; an InitiatorToken is both the initiator's signature and encryption token.

    ``None`` stands for a token that the policy leaves out (an InitiatorSignatureToken without an
    InitiatorEncryptionToken: the initiator is never encrypted to).
    """

    initiator_signature: Token | None
    initiator_encryption: Token | None
    recipient_signature: Token | None
    recipient_encryption: Token | None
    suite: Suite
    layout: Layout = Layout.LAX
    timestamp: bool = False
    encrypt_before_signing: bool = False
    encrypt_signature: bool = False
    protect_tokens: bool = False
    only_entire: bool = False


Binding = TransportBinding | SymmetricBinding | AsymmetricBinding


@dataclass(frozen=True, slots=True)
class HeaderPart:
    """A ``sp:Header``: a header block by namespace, and by local name unless that is None."""

    namespace: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Sections 4.1.1 and 4.2.1, SignedParts or EncryptedParts.

    Empty SignedParts stand for the Body and every header block, empty EncryptedParts for the Body;
    reading expands neither: ``all_parts`` says that the assertion was empty.
    """

    body: bool = False
    headers: tuple[HeaderPart, ...] = ()
    all_parts: bool = False

    @property
    def empty(self) -> bool:
        """Nothing is demanded at all."""
        return not (self.body or self.headers or self.all_parts)


@dataclass(frozen=True, slots=True)
class SupportingTokens:
    """Section 8: one supporting token assertion; its kind is told by three marks."""

    tokens: tuple[Token, ...]
    signed: bool = False
    endorsing: bool = False
    encrypted: bool = False
    signed_parts: Parts = field(default_factory=Parts)
    encrypted_parts: Parts = field(default_factory=Parts)


@dataclass(frozen=True, slots=True)
class Wss:
    """Section 9: Wss10 or Wss11 options of one alternative, joined.

    Attributes:
        references: the MustSupportRef assertions of both.
        signature_confirmation: Wss11's RequireSignatureConfirmation.
        wss10, wss11: whether the assertion was there at all.
    """

    references: frozenset[KeyReference] = frozenset()
    signature_confirmation: bool = False
    wss10: bool = False
    wss11: bool = False


class TrustOption(Enum):
    """Section 10: the assertions inside Trust10 and Trust13, by local name."""

    CLIENT_CHALLENGE = "MustSupportClientChallenge"
    SERVER_CHALLENGE = "MustSupportServerChallenge"
    CLIENT_ENTROPY = "RequireClientEntropy"
    SERVER_ENTROPY = "RequireServerEntropy"
    ISSUED_TOKENS = "MustSupportIssuedTokens"
    REQUEST_COLLECTION = "RequireRequestSecurityTokenCollection"
    APPLIES_TO = "RequireAppliesTo"
    SCOPE_POLICY15 = "ScopePolicy15"
    INTERACTIVE_CHALLENGE = "MustSupportInteractiveChallenge"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One ``wsp:All``: everything in it holds together."""

    binding: Binding
    signed_parts: Parts = field(default_factory=Parts)
    encrypted_parts: Parts = field(default_factory=Parts)
    required_headers: tuple[HeaderPart, ...] = ()
    """RequiredParts, section 4.3.2."""
    supporting: tuple[SupportingTokens, ...] = ()
    wss: Wss = field(default_factory=Wss)
    trust: frozenset[TrustOption] | None = None
    addressing: bool = False
    """wsam:Addressing (WS-Addressing Metadata, section 3.1.1) stands among the assertions."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A named policy in normal form: any one of its alternatives satisfies it (WS-Policy 4.3)."""

    id: str
    alternatives: tuple[Alternative, ...]
