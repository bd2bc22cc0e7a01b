"""wsse:SecurityTokenReference and ds:KeyInfo: which key, said in one of the allowed ways.

SOAP Message Security 1.1 section 7, X.509 Token Profile 1.1 section 3.2, BSP 1.1 section 7. A
reference is a hint: it selects among configured or enclosed keys and proves nothing. One hop only: a
reference never leads to another reference.
"""

import base64
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.crypto.derivation import DEFAULT_LENGTH
from wsprovider.header import binary_security_token, fields, security_context_token
from wsprovider.keyring.material import (
    Certificate,
    CertificateReference,
    EmbeddedCertificate,
    IssuerSerialReference,
    KeyIdentifierReference,
    ThumbprintReference,
)
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import BY_TOKEN_TYPE
from wsprovider.xml import canonical
from wsprovider.xml.escape import escape_attribute, escape_text

STR: Final = f"{{{ns.WSSE}}}SecurityTokenReference"
KEY_INFO: Final = f"{{{ns.DS}}}KeyInfo"
_REFERENCE: Final = f"{{{ns.WSSE}}}Reference"
_KEY_IDENTIFIER: Final = f"{{{ns.WSSE}}}KeyIdentifier"
_EMBEDDED: Final = f"{{{ns.WSSE}}}Embedded"
_TOKEN_TYPE: Final = f"{{{ns.WSSE11}}}TokenType"
_USAGE: Final = f"{{{ns.WSSE}}}Usage"
_X509_DATA: Final = f"{{{ns.DS}}}X509Data"
_ISSUER_SERIAL: Final = f"{{{ns.DS}}}X509IssuerSerial"
_ISSUER_NAME: Final = f"{{{ns.DS}}}X509IssuerName"
_SERIAL_NUMBER: Final = f"{{{ns.DS}}}X509SerialNumber"
_X509_CERTIFICATE: Final = f"{{{ns.DS}}}X509Certificate"
_X509_SKI: Final = f"{{{ns.DS}}}X509SKI"
_SERIAL_DIGITS: Final = 50
_DIGITS: Final = 6
_IMPLIED: Final = tuple(
    (namespace, f"{{{namespace}}}Nonce", f"{{{namespace}}}Length")
    for namespace in security_context_token.NAMESPACES
)
_INSTANCES: Final = tuple(f"{{{namespace}}}Instance" for namespace in security_context_token.NAMESPACES)
_ATTRIBUTES: Final = frozenset(
    {fields.WSU_ID, _TOKEN_TYPE, _USAGE, *(name for _, *names in _IMPLIED for name in names)}
)
NONCE_BYTES: Final = range(16, 129)
"""Lengths of a nonce that a key may be derived with."""
LENGTH_BYTES: Final = range(16, 65)
"""Lengths of a derived key."""


@dataclass(frozen=True, slots=True)
class LocalReference:
    """A token or key in this message, by its id (``#id``)."""

    id: str
    value_type: str | None = None


@dataclass(frozen=True, slots=True)
class EncryptedKeyReference:
    """The key that an EncryptedKey carried, by the SHA-1 of its encrypted octets (section 7.7)."""

    sha1: bytes


@dataclass(frozen=True, slots=True)
class ContextReference:
    """A security context by its identifier (WS-SecureConversation 1.3, section 2: unattached).

    Attributes:
        value_type: token type, if given.
        instance: which key of a renewed context, if given.
    """

    identifier: str
    value_type: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class TicketReference:
    """The key of an AP-REQ, by the SHA-1 of its octets (Kerberos Token Profile 1.1, section 3.5)."""

    sha1: bytes


@dataclass(frozen=True, slots=True)
class ImpliedDerivation:
    """A key derived from the one that is named, without a token for it (WS-SecureConversation 1.3, section 8).

    Attributes:
        namespace: the version of WS-SecureConversation.
        length: of the key, in bytes.
    """

    namespace: str
    nonce: bytes
    length: int


KeyReference = (
    LocalReference | EncryptedKeyReference | ContextReference | TicketReference | CertificateReference
)


@dataclass(frozen=True, slots=True)
class TokenReference:
    """A SecurityTokenReference that was read.

    Attributes:
        id: the wsu:Id of the reference itself, which a signature may cover by STR-Transform.
        key: what it names.
        token_type: wsse11:TokenType, if given.
        prefix: the prefix of the element, which the STR-Transform repeats.
        embedded: the certificate stands inside the reference (Embedded, or KeyIdentifier X509v3).
        implied: a key derived from the named one is meant.
    """

    key: KeyReference
    id: str | None = None
    token_type: str | None = None
    prefix: str = "wsse"
    embedded: bool = False
    implied: ImpliedDerivation | None = None


def read_key_info(element: etree._Element, limits: Limits) -> TokenReference:
    """Read a ds:KeyInfo with exactly one SecurityTokenReference or X509Data (BSP R5402, R5417).

    Raises:
        WSSecurityError: MALFORMED_REFERENCE, UNSUPPORTED_REFERENCE, or a field's own error.
    """
    fields.only_elements(element)
    if len(element) != 1:
        raise WSSecurityError(Reason.MALFORMED_REFERENCE, "KeyInfo holds not exactly one child")
    child = element[0]
    if child.tag == STR:
        return read(child, limits)
    if child.tag == _X509_DATA:
        key = _read_x509_data(child, limits)
        return TokenReference(key, embedded=isinstance(key, EmbeddedCertificate))
    raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, child.tag)


def read(element: etree._Element, limits: Limits) -> TokenReference:
    """Read a SecurityTokenReference.

    Raises:
        WSSecurityError: MALFORMED_REFERENCE, UNSUPPORTED_REFERENCE, or a field's own error.
    """
    fields.only_attributes(element, _ATTRIBUTES)
    fields.only_elements(element)
    if len(element) != 1:
        raise WSSecurityError(Reason.MALFORMED_REFERENCE, "not exactly one child")  # BSP R3061
    child = element[0]
    key: KeyReference
    embedded = False
    if child.tag == _REFERENCE:
        key = _read_direct(child)
    elif child.tag == _KEY_IDENTIFIER:
        key = _read_key_identifier(child, limits)
        embedded = isinstance(key, EmbeddedCertificate)
    elif child.tag == _X509_DATA:
        key = _read_x509_data(child, limits)
        embedded = isinstance(key, EmbeddedCertificate)
    elif child.tag == _EMBEDDED:
        key, embedded = _read_embedded(child, limits), True
    else:
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, child.tag)  # BSP R3027, R3057, R3211
    return TokenReference(
        key,
        element.get(fields.WSU_ID),
        element.get(_TOKEN_TYPE),
        element.prefix or "",
        embedded,
        _read_implied(element, limits),
    )


def _read_direct(element: etree._Element) -> LocalReference | ContextReference:
    fields.only_attributes(element, ("URI", "ValueType", *_INSTANCES))
    uri, kind = element.get("URI"), element.get("ValueType")
    target = fields.fragment(uri)
    if len(element) or uri is None:  # BSP R3062
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "no URI")
    if target is not None:
        return LocalReference(target, kind)
    if not uri or uri[0] == "#" or len(uri) > security_context_token.LONGEST or not uri.isprintable():
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "URI")
    if kind is not None and kind not in BY_TOKEN_TYPE:
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "URI is not a local id")
    # a name that is looked up among the contexts of this service; no URI of a message is ever fetched
    instance = next((value for name in _INSTANCES if (value := element.get(name)) is not None), None)
    return ContextReference(uri, kind, instance)


def _read_implied(element: etree._Element, limits: Limits) -> ImpliedDerivation | None:
    """WS-SecureConversation 1.3, section 8: Nonce and Length as attributes."""
    if not len(element.attrib):
        return None
    found = [
        (namespace, element.get(nonce), element.get(length))
        for namespace, nonce, length in _IMPLIED
        if element.get(nonce) is not None or element.get(length) is not None
    ]
    if not found:
        return None
    namespace, text, length = found[0]
    if len(found) > 1 or text is None or len(text) > limits.field_characters:
        raise WSSecurityError(Reason.DERIVED_KEY, "implied")
    nonce = fields.decode(text, "Nonce")
    size = DEFAULT_LENGTH if length is None else _whole(length)
    if len(nonce) not in NONCE_BYTES or size not in LENGTH_BYTES:
        raise WSSecurityError(Reason.DERIVED_KEY, "implied Nonce or Length")
    return ImpliedDerivation(namespace, nonce, size)


def _whole(value: str) -> int:
    text = value.strip(" \t\r\n")
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        raise WSSecurityError(Reason.DERIVED_KEY, "implied Length")
    return int(text)


def _read_key_identifier(element: etree._Element, limits: Limits) -> KeyReference:
    fields.only_attributes(element, ("ValueType", "EncodingType", fields.WSU_ID))
    if element.get("EncodingType", uris.BASE64_BINARY) != uris.BASE64_BINARY:
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "EncodingType")
    kind = element.get("ValueType")
    value = fields.octets(element, limits)
    if kind == uris.THUMBPRINT_SHA1:
        return ThumbprintReference(value)
    if kind == uris.SUBJECT_KEY_IDENTIFIER:
        return KeyIdentifierReference(value)
    if kind == uris.ENCRYPTED_KEY_SHA1:
        return EncryptedKeyReference(value)
    if kind == uris.KERBEROS_AP_REQ_SHA1:
        return TicketReference(value)
    if kind == uris.X509_V3 and value:
        return _certificate(value, limits)
    raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, kind or "no ValueType")  # BSP R3054


def _read_x509_data(element: etree._Element, limits: Limits) -> CertificateReference:
    fields.only_elements(element)
    if len(element) != 1:
        raise WSSecurityError(Reason.MALFORMED_REFERENCE, "X509Data holds not exactly one child")
    child = element[0]
    if child.tag == _ISSUER_SERIAL:
        return _read_issuer_serial(child, limits)
    if child.tag == _X509_SKI:
        return KeyIdentifierReference(fields.octets(child, limits))
    if child.tag == _X509_CERTIFICATE:
        value = fields.octets(child, limits)
        if value:
            return _certificate(value, limits)
    raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, child.tag)


def _certificate(der: bytes, limits: Limits) -> EmbeddedCertificate:
    if len(der) > limits.certificate_bytes:
        raise WSSecurityError(Reason.CERTIFICATE_TOO_LARGE, f"{len(der)} bytes")
    return EmbeddedCertificate(der)


def _read_issuer_serial(element: etree._Element, limits: Limits) -> IssuerSerialReference:
    found = fields.children(element, (_ISSUER_NAME, _SERIAL_NUMBER))
    if len(found) != 2:
        raise WSSecurityError(Reason.MALFORMED_REFERENCE, "X509IssuerSerial")
    number = fields.text(found[_SERIAL_NUMBER], limits).strip(" \t\r\n")
    if not (number.isascii() and number.isdecimal()) or len(number) > _SERIAL_DIGITS:
        raise WSSecurityError(Reason.MALFORMED_REFERENCE, "X509SerialNumber")
    return IssuerSerialReference(fields.text(found[_ISSUER_NAME], limits), int(number))


def _read_embedded(element: etree._Element, limits: Limits) -> EmbeddedCertificate:
    fields.only_attributes(element, (fields.WSU_ID, "ValueType"))
    if len(element) != 1 or element[0].tag != binary_security_token.TAG:
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "Embedded")  # BSP R3060, R3064
    return binary_security_token.read(element[0], -1, limits).certificate


def write_local(target: str, value_type: str | None, token_type: str | None = None) -> str:
    """An STR that names a token in the message, in exclusive canonical form."""
    kind = f' ValueType="{value_type}"' if value_type else ""
    return _write(f'<wsse:Reference URI="#{target}"{kind}></wsse:Reference>', token_type)


def write_context(
    identifier: str, value_type: str, *, instance: str | None = None, namespace: str | None = None
) -> str:
    """An STR that names a security context by its identifier, or by its token in the message.

    It is in exclusive canonical form.
    """
    renewed, declared = "", ""
    if instance is not None and namespace is not None:
        declared = f' xmlns:wsc="{namespace}"'
        renewed = f' wsc:Instance="{escape_attribute(instance)}"'
    uri = escape_attribute(identifier)
    return _write(
        f'<wsse:Reference{declared} URI="{uri}" ValueType="{value_type}"{renewed}></wsse:Reference>', None
    )


def with_implied(reference: str, namespace: str, nonce: bytes, length: int) -> str:
    """The same STR, naming a key derived from what it named (WS-SecureConversation 1.3, section 8)."""
    encoded = base64.b64encode(nonce).decode("ascii")
    declared = f' xmlns:wsc="{namespace}"'
    attributes = f' wsc:Length="{length}" wsc:Nonce="{encoded}"'
    head, _, rest = reference.partition(">")
    head = head.replace(f' xmlns:wsse="{ns.WSSE}"', f'{declared} xmlns:wsse="{ns.WSSE}"', 1)
    before, typed, after = head.partition(" wsse11:TokenType=")
    if typed and namespace < ns.WSSE11:  # canonical form sorts attributes by namespace
        head = f"{before}{attributes}{typed}{after}"
    else:
        head += attributes
    return f"{head}>{rest.replace(declared, '')}"


def write_key_identifier(value_type: str, value: bytes, token_type: str | None = None) -> str:
    """An STR with a KeyIdentifier (thumbprint, SKI, EncryptedKeySHA1), in exclusive canonical form."""
    encoded = base64.b64encode(value).decode("ascii")
    return _write(
        f'<wsse:KeyIdentifier EncodingType="{uris.BASE64_BINARY}" ValueType="{value_type}">'
        f"{encoded}</wsse:KeyIdentifier>",
        token_type,
    )


def write_issuer_serial(certificate: Certificate) -> str:
    """An STR with X509IssuerSerial, in exclusive canonical form."""
    issuer = escape_text(certificate.parsed.issuer.rfc4514_string())
    return _write(
        f'<ds:X509Data xmlns:ds="{ns.DS}"><ds:X509IssuerSerial><ds:X509IssuerName>{issuer}'
        f"</ds:X509IssuerName><ds:X509SerialNumber>{certificate.serial}</ds:X509SerialNumber>"
        "</ds:X509IssuerSerial></ds:X509Data>",
        None,
    )


def _write(child: str, token_type: str | None) -> str:
    declared, attribute = "", ""
    if token_type:
        declared = f' xmlns:wsse11="{ns.WSSE11}"'
        attribute = f' wsse11:TokenType="{token_type}"'
    return (
        f'<wsse:SecurityTokenReference xmlns:wsse="{ns.WSSE}"{declared}{attribute}>'
        f"{child}</wsse:SecurityTokenReference>"
    )


def with_id(reference: str, identifier: str) -> str:
    """The same STR with a wsu:Id, so that a signature can cover what it names."""
    return reference.replace(
        f'<wsse:SecurityTokenReference xmlns:wsse="{ns.WSSE}">',
        f'<wsse:SecurityTokenReference xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}" wsu:Id="{identifier}">',
        1,
    )


def dereferenced(certificate: Certificate) -> bytes:
    """What the STR-Transform makes of an STR of ours that names this certificate."""
    value = base64.b64encode(certificate.der).decode("ascii")
    return canonical.binary_security_token("wsse", uris.X509_V3, value)


def in_key_info(reference: str) -> str:
    """Wrap an STR in ds:KeyInfo, in exclusive canonical form."""
    return f'<ds:KeyInfo xmlns:ds="{ns.DS}">{_without_ds(reference)}</ds:KeyInfo>'


def _without_ds(reference: str) -> str:
    """Below an element that declares it, canonical form does not declare ``ds`` again."""
    return reference.replace(f' xmlns:ds="{ns.DS}"', "")
