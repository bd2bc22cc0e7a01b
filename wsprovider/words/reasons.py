"""Every cause for which a message is refused: one member per detectable cause.

A Reason goes to the log, the metric's label and the tests; the wire never shows it. The value of a
member is its WS-Security fault code (SOAP Message Security 1.1, section 12) or ``-`` for causes that
are answered by a SOAP fault, then the place in the standards that demands it.
"""

from enum import Enum
from typing import Self


class Reason(Enum):
    """A bounded vocabulary of refusals; see the module's docstring."""

    fault_code: str
    source: str

    def __new__(cls, fault_code: str, source: str) -> Self:
        """Number the members, so that two with one code and source stay two members."""
        member = object.__new__(cls)
        member._value_ = len(cls.__members__) + 1
        member.fault_code = fault_code
        member.source = source
        return member

    # documents and parsers
    NOT_WELL_FORMED = ("-", "XML 1.0")
    DOCTYPE = ("-", "SOAP 1.1 section 3; SOAP 1.2 part 1 section 5")
    PROCESSING_INSTRUCTION = ("-", "SOAP 1.1 section 3; SOAP 1.2 part 1 section 5")
    ENCODING = ("-", "SOAP 1.1 section 6; RFC 7303")
    MESSAGE_TOO_LARGE = ("-", "Limits.message_bytes")
    TOO_DEEP = ("-", "Limits.depth")
    TOO_MANY_ELEMENTS = ("-", "Limits.elements")
    TOO_MANY_ATTRIBUTES = ("-", "Limits.attributes_per_element")
    TOO_MANY_NAMESPACES = ("-", "Limits.namespace_declarations")
    NAMESPACES_IN_SCOPE = ("-", "Limits.namespaces_in_scope")
    NAMESPACE_TOO_LONG = ("-", "Limits.namespace_characters")
    CANONICAL_TOO_LARGE = ("InvalidSecurity", "Limits.canonical_growth")
    TOO_MANY_IDS = ("InvalidSecurity", "Limits.ids")
    DUPLICATE_ID = ("InvalidSecurity", "xml:id 1.0; SOAP Message Security 1.1 section 4.2")
    AMBIGUOUS_ID = ("InvalidSecurity", "SOAP Message Security 1.1 section 4.2")
    MALFORMED_ID = ("InvalidSecurity", "SOAP Message Security 1.1 section 4.2")

    # HTTP
    METHOD = ("-", "SOAP 1.1 section 6")
    CONTENT_TYPE = ("-", "SOAP 1.1 section 6; SOAP 1.2 part 2 section 7")
    CONTENT_LENGTH = ("-", "RFC 9110 section 8.6")
    CONTENT_ENCODING = ("-", "RFC 9110 section 8.4")

    # SOAP
    SOAP_VERSION = ("-", "SOAP 1.1 section 4.1.2; SOAP 1.2 part 1 section 5.4.7")
    SOAP_STRUCTURE = ("-", "SOAP 1.1 section 4; SOAP 1.2 part 1 section 5")
    TOO_MANY_HEADER_BLOCKS = ("-", "Limits.header_blocks")
    SOAP_ENCODING = ("-", "Basic Profile 1.1 R1005; href/id are not resolved")
    NOT_UNDERSTOOD = ("-", "SOAP 1.1 section 4.2.3; SOAP 1.2 part 1 section 2.4")
    NOT_AN_INPUT = ("-", "WSDL 1.1: the Body is no input of this endpoint")
    INVALID_PARAMETERS = ("-", "XML Schema")
    ACTION_MISMATCH = ("-", "WS-Addressing SOAP Binding section 6.4.1.4; CVE-2012-3451")
    ADDRESSING_HEADER = ("-", "WS-Addressing SOAP Binding section 6.4.1")
    ADDRESSING_TO = ("-", "WS-Addressing SOAP Binding section 6.4.2")
    ADDRESSING_REPLY_TO = ("-", "WS-Addressing SOAP Binding section 6.4.1.7")

    # the Security header
    NO_SECURITY_HEADER = ("InvalidSecurity", "SOAP Message Security 1.1 section 5")
    SEVERAL_SECURITY_HEADERS = ("InvalidSecurity", "SOAP Message Security 1.1 section 5")
    UNKNOWN_HEADER_CHILD = ("InvalidSecurity", "DESIGN: everything is accounted for")
    UNUSED_HEADER_CHILD = ("InvalidSecurity", "DESIGN: everything is accounted for")
    DUPLICATE_HEADER_CHILD = ("InvalidSecurity", "BSP 1.1 R3227")
    MALFORMED_HEADER_CHILD = ("InvalidSecurity", "SOAP Message Security 1.1")
    MALFORMED_BASE64 = ("InvalidSecurity", "RFC 4648")
    TOO_MANY_HEADER_CHILDREN = ("InvalidSecurity", "Limits.header_children")
    TOO_MANY_SIGNATURES = ("InvalidSecurity", "Limits.signatures")
    TOO_MANY_REFERENCES = ("InvalidSecurity", "Limits.references")
    TOO_MANY_PREFIXES = ("InvalidSecurity", "Limits.inclusive_prefixes")
    TOO_MANY_ENCRYPTED_KEYS = ("InvalidSecurity", "Limits.encrypted_keys")
    TOO_MANY_ENCRYPTED_DATA = ("InvalidSecurity", "Limits.encrypted_data")
    TOO_MANY_DERIVED_KEYS = ("InvalidSecurity", "Limits.derived_keys")
    TOO_MANY_TOKENS = ("InvalidSecurity", "Limits.tokens")
    FIELD_TOO_LONG = ("InvalidSecurity", "Limits.field_characters")
    LAYOUT = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 6.7")
    SIGNATURE_CONFIRMATION_IN_REQUEST = ("InvalidSecurity", "SOAP Message Security 1.1 section 8.5")

    # references to keys and tokens
    MALFORMED_REFERENCE = ("InvalidSecurity", "SOAP Message Security 1.1 section 7")
    UNSUPPORTED_REFERENCE = ("UnsupportedSecurityToken", "SOAP Message Security 1.1 section 7")
    UNRESOLVED_REFERENCE = ("SecurityTokenUnavailable", "SOAP Message Security 1.1 section 7")
    REFERENCE_NOT_ALLOWED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 5.1")
    AMBIGUOUS_KEY = ("InvalidSecurity", "DESIGN: ambiguity means two different keys")
    CYCLIC_REFERENCE = ("InvalidSecurity", "SOAP Message Security 1.1 section 7")
    UNSUPPORTED_TOKEN = ("UnsupportedSecurityToken", "SOAP Message Security 1.1 section 6")
    MALFORMED_TOKEN = ("InvalidSecurityToken", "SOAP Message Security 1.1 section 6")
    CERTIFICATE_TOO_LARGE = ("InvalidSecurityToken", "Limits.certificate_bytes")
    PATH_TOO_LONG = ("InvalidSecurityToken", "Limits.path_certificates")
    TICKET_TOO_LARGE = ("InvalidSecurityToken", "Limits.ticket_bytes")

    # algorithms
    UNSUPPORTED_ALGORITHM = ("UnsupportedAlgorithm", "WS-SecurityPolicy 1.2 section 6.1")
    ALGORITHM_NOT_IN_SUITE = ("UnsupportedAlgorithm", "WS-SecurityPolicy 1.2 section 6.1")
    ALGORITHM_PARAMETERS = ("UnsupportedAlgorithm", "XML Signature 1.1; XML Encryption 1.1")
    TRANSFORM_NOT_ALLOWED = ("UnsupportedAlgorithm", "BSP 1.1 R5423")
    KEY_SIZE = ("UnsupportedAlgorithm", "WS-SecurityPolicy 1.2 section 6.1")
    KEY_KIND = ("UnsupportedAlgorithm", "XML Signature 1.1 section 6: method and key must agree")

    # signatures
    SIGNATURE_STRUCTURE = ("InvalidSecurity", "XML Signature 1.1 section 4")
    SIGNATURE_VALUE = ("FailedCheck", "XML Signature 1.1 section 3.2.2")
    REFERENCE_URI = ("InvalidSecurity", "BSP 1.1 R3001")
    REFERENCE_TARGET = ("InvalidSecurity", "XML Signature 1.1 section 4.4.3.2")
    REFERENCE_TWICE = ("InvalidSecurity", "DESIGN: each target at most once in a signature")
    DIGEST_MISMATCH = ("FailedCheck", "XML Signature 1.1 section 3.2.1")
    CANONICALIZATION = ("FailedCheck", "Exclusive XML Canonicalization 1.0")

    # encryption
    ENCRYPTION_STRUCTURE = ("InvalidSecurity", "XML Encryption 1.1 section 3")
    ENCRYPTION_PLACE = ("InvalidSecurity", "BSP 1.1 R3228; CVE-2015-0227")
    DECRYPTION = ("FailedCheck", "XML Encryption 1.1 section 4.4")
    DECRYPTED_STRUCTURE = ("FailedCheck", "XML Encryption 1.1 section 4.4")
    DECRYPTED_TOO_LARGE = ("InvalidSecurity", "Limits.decrypted_bytes")
    CIPHER_REFERENCE = ("InvalidSecurity", "XML Encryption 1.1 section 3.3.1")
    NESTED_ENCRYPTION = ("InvalidSecurity", "DESIGN: two rounds at most")
    REFERENCE_LIST = ("InvalidSecurity", "BSP 1.1 R3205, R3231")

    # derived keys
    DERIVED_KEY = ("InvalidSecurityToken", "WS-SecureConversation 1.3 section 7")
    DERIVATION_SOURCE = ("InvalidSecurityToken", "WS-SecureConversation 1.3 section 7.2")
    ONE_DERIVED_KEY = ("InvalidSecurityToken", "WS-SecureConversation 1.3 section 7: a key for each use")

    # security contexts
    CONTEXT_TOKEN = ("InvalidSecurityToken", "WS-SecureConversation 1.3 section 2")
    CONTEXT_UNKNOWN = ("-", "WS-SecureConversation 1.3 section 10: unknown, expired or cancelled")
    CONTEXT_INSTANCE = ("-", "WS-SecureConversation 1.3 section 5: not the key it was renewed to")
    CONTEXT_ENDPOINT = ("-", "WS-Trust 1.3 section 3.1: issued for another endpoint")
    CONTEXT_SEAL = ("-", "the context was sealed under a key that no longer opens, or not by us")
    CONTEXT_OWNER = ("-", "who opened the context has gone, or is not what they were")
    CONTEXT_IDENTITY = ("InvalidSecurity", "DESIGN: a context belongs to who opened it")
    CONTEXT_LIMIT = ("-", "ConversationSettings.per_owner, contexts")
    WRONG_POLICY = ("InvalidSecurity", "DESIGN: bootstrap, conversation and SCT management are apart")
    TRUST_REQUEST = ("-", "WS-Trust 1.3 section 3")
    TRUST_UNSUPPORTED = ("-", "WS-Trust 1.3 section 3: an element that nothing here needs")
    TRUST_APPLIES_TO = ("-", "WS-Trust 1.3 section 3.1")
    TRUST_TARGET = ("-", "WS-Trust 1.3 sections 5 and 6: not the context that signed the request")
    TRUST_RESPONSE = ("InvalidSecurity", "WS-Trust 1.3 section 3.2: not what was asked for")

    # trust
    MALFORMED_CERTIFICATE = ("InvalidSecurityToken", "RFC 5280")
    CERTIFICATE_NOT_TRUSTED = ("FailedAuthentication", "RFC 5280 section 6")
    CERTIFICATE_EXPIRED = ("FailedAuthentication", "RFC 5280 section 4.1.2.5")
    CERTIFICATE_NOT_YET_VALID = ("FailedAuthentication", "RFC 5280 section 4.1.2.5")
    CERTIFICATE_REVOKED = ("FailedAuthentication", "RFC 5280 section 6.3")
    REVOCATION_UNKNOWN = ("FailedAuthentication", "RFC 5280 section 6.3")
    CERTIFICATE_SUBJECT = ("FailedAuthentication", "trust constraint: subjects")
    CERTIFICATE_USAGE = ("FailedAuthentication", "RFC 5280 section 4.2.1.3")
    CERTIFICATE_PATH = ("FailedAuthentication", "RFC 5280 section 6")
    CERTIFICATE_KEY = ("FailedAuthentication", "Limits.rsa_bits_minimum, rsa_bits_maximum")
    OWN_CERTIFICATE = ("FailedAuthentication", "DESIGN: our own certificates are no credentials")

    # username tokens
    USERNAME_TOKEN = ("InvalidSecurityToken", "UsernameToken Profile 1.1 section 3.1")
    PASSWORD_MISSING = ("FailedAuthentication", "UsernameToken Profile 1.1 section 3.1")
    PASSWORD_TYPE = ("FailedAuthentication", "UsernameToken Profile 1.1 section 3.1; BSP R4201")
    PASSWORD_CLEAR = ("FailedAuthentication", "UsernameToken Profile 1.1 section 4")
    NONCE = ("InvalidSecurityToken", "UsernameToken Profile 1.1 section 3.1; BSP R4220")
    USER_UNKNOWN = ("FailedAuthentication", "UsernameToken Profile 1.1")
    PASSWORD_WRONG = ("FailedAuthentication", "UsernameToken Profile 1.1")
    PASSWORD_TOO_LONG = ("FailedAuthentication", "Limits.password_bytes")
    USER_DISABLED = ("FailedAuthentication", "user store")
    AUTHENTICATION_BUSY = ("FailedAuthentication", "the queue of password hashing is full")
    AUTHENTICATION_BACKOFF = ("FailedAuthentication", "a delay after wrong passwords is not over")
    BASIC_MISSING = ("FailedAuthentication", "WS-SecurityPolicy 1.2 section 5.4.9; RFC 7617")
    BASIC_MALFORMED = ("FailedAuthentication", "RFC 7617 section 2")
    ROLE_MISSING = ("FailedAuthentication", "roles of the service")
    PARTNER_UNKNOWN = ("FailedAuthentication", 'partners = "required": who called is none of them')
    PARTNER_SERVICE = ("FailedAuthentication", "keys/partners.toml: services")
    PARTNER_OPERATION = ("FailedAuthentication", "keys/partners.toml: operations")

    # Kerberos tickets
    KERBEROS_TOKEN = ("InvalidSecurityToken", "Kerberos Token Profile 1.1 section 3.2; BSP R6902")
    TICKET_INVALID = ("FailedAuthentication", "RFC 4120 section 3.2.3")
    TICKET_EXPIRED = ("FailedAuthentication", "RFC 4120 section 3.2.3: ticket expired or not yet valid")
    TICKET_SKEW = ("FailedAuthentication", "RFC 4120 section 3.2.3: the authenticator's clock")
    TICKET_SERVICE = ("FailedAuthentication", "RFC 4120 section 3.2.3: no key for that service principal")
    TICKET_ENCTYPE = ("FailedAuthentication", "RFC 3961; encryption types that are allowed")
    TICKET_REALM = ("FailedAuthentication", "realms that are allowed")
    TICKET_UNKNOWN = (
        "SecurityTokenUnavailable",
        "Kerberos Token Profile 1.1 section 3.5: Kerberosv5APREQSHA1",
    )

    # time and replay
    TIMESTAMP_MISSING = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 6.2")
    TIMESTAMP_MALFORMED = ("InvalidSecurity", "SOAP Message Security 1.1 section 10; BSP R3203")
    TIMESTAMP_EXPIRED = ("MessageExpired", "SOAP Message Security 1.1 section 10")
    TIMESTAMP_FUTURE = ("MessageExpired", "SOAP Message Security 1.1 section 10")
    TIMESTAMP_LIFE = ("MessageExpired", "Freshness.life")
    REPLAY = ("FailedCheck", "SOAP Message Security 1.1 section 13.2.1")
    REPLAY_STORE = ("-", "the replay store did not answer: fail closed")
    REPLAY_FULL = ("-", "the replay store has no room: nothing alive is given up for it")

    # what the policy demands
    SIGNATURE_MISSING = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.1")
    SIGNATURE_UNEXPECTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.1")
    ENCRYPTION_MISSING = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.2")
    ENCRYPTION_UNEXPECTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.2")
    BODY_NOT_SIGNED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.1.1")
    BODY_NOT_ENCRYPTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.2.1")
    HEADER_NOT_SIGNED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.1.1")
    HEADER_NOT_ENCRYPTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.2.1")
    HEADER_MISSING = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 4.3")
    TIMESTAMP_NOT_SIGNED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 6.2")
    TOKEN_NOT_SIGNED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 8")
    TOKEN_NOT_ENCRYPTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 8")
    TOKEN_MISSING = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 8")
    TOKEN_UNEXPECTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 8")
    TOKEN_INCLUSION = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 5.1")
    TOKEN_NOT_PROTECTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 6.5")
    SIGNATURE_NOT_ENCRYPTED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 6.4")
    SIGNATURE_CONFIRMATION = ("InvalidSecurity", "SOAP Message Security 1.1 section 8.5")
    PROTECTION_ORDER = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 6.3")
    PROTECTION_KEY = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 7.4: one protection key")
    DERIVED_KEYS_REQUIRED = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 5.3")
    ENTIRE_HEADERS_AND_BODY = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 6.6")
    TRANSPORT = ("InvalidSecurity", "WS-SecurityPolicy 1.2 section 7.3")
    CLIENT_CERTIFICATE_MISSING = ("FailedAuthentication", "WS-SecurityPolicy 1.2 section 5.4.9")
    NO_ALTERNATIVE = ("InvalidSecurity", "WS-Policy: no alternative is met")

    # our own house
    CROSSCHECK = ("FailedCheck", "the second engine disagrees")
    BACKEND = ("-", "a backend did not answer")
    ARCHIVE = ("-", "the archive could not keep the message: fail closed")
    INTERNAL = ("-", "an error of our own")
    SERVICE_FAULT = ("-", "the service itself raised a fault")
