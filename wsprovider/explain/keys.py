"""Keys and certificates in words: whose they are, what is held of ours, why one is not trusted."""

from collections.abc import Iterator
from datetime import datetime

from wsprovider.explain.dissection import Dissection
from wsprovider.explain.report import Fact, shown
from wsprovider.header.token_reference import (
    ContextReference,
    EncryptedKeyReference,
    LocalReference,
    TicketReference,
    TokenReference,
)
from wsprovider.inbound.evidence import CertificateKey, MessageKey
from wsprovider.keyring.contexts import SecurityContext
from wsprovider.keyring.index import CertificateIndex
from wsprovider.keyring.material import (
    Certificate,
    CertificateReference,
    EmbeddedCertificate,
    IssuerSerialReference,
    KeyIdentifierReference,
    ThumbprintReference,
)
from wsprovider.keyring.ring import Purpose, RingKey, RingSnapshot
from wsprovider.words.errors import WSSecurityError


def reference_words(reference: TokenReference) -> str:
    """What a SecurityTokenReference names, and how."""
    derived = ", derived from it" if reference.implied is not None else ""
    return _named(reference) + derived


def _named(reference: TokenReference) -> str:
    match reference.key:
        case LocalReference(id=name):
            return f"#{shown(name)} in this message"
        case EncryptedKeyReference(sha1=sha1):
            return f"the key of an EncryptedKey by its SHA-1 {sha1.hex()}"
        case ContextReference(identifier=identifier):
            return f"the security context {shown(identifier)}"
        case TicketReference(sha1=sha1):
            return f"a Kerberos ticket by its SHA-1 {sha1.hex()}"
        case named:
            return certificate_words(named)


def certificate_words(named: CertificateReference) -> str:
    """How a certificate is named."""
    match named:
        case ThumbprintReference(sha1=sha1):
            return f"a certificate by its SHA-1 thumbprint {shown(sha1.hex())}"
        case KeyIdentifierReference(value=value):
            return f"a certificate by its SubjectKeyIdentifier {shown(value.hex())}"
        case IssuerSerialReference(issuer=issuer, serial=serial):
            return f"a certificate by issuer {shown(issuer)} and serial number {serial:x}"
        case EmbeddedCertificate():
            return "a certificate that stands in the reference"


def certificate_facts(der: bytes) -> Iterator[Fact]:
    """What a certificate says of itself."""
    try:
        certificate = Certificate.from_der(der)
        parsed = certificate.parsed
        yield "subject", shown(certificate.subject)
        yield "issuer", shown(parsed.issuer.rfc4514_string())
        yield "serial number", f"{certificate.serial:x}"
        valid = f"{_day(parsed.not_valid_before_utc)} to {_day(parsed.not_valid_after_utc)}"
        yield "valid", valid
        yield "thumbprint (SHA-1)", certificate.thumbprint_sha1.hex()
        yield "fingerprint (SHA-256)", certificate.fingerprint
    except (WSSecurityError, ValueError) as error:  # names and dates of a certificate may be nonsense
        yield "certificate", f"unreadable: {shown(str(error))}"


def named_certificate(dissection: Dissection, reference: TokenReference) -> bytes | None:
    """The DER bytes of the certificate that a reference names, trusted or not; None when none is to be found."""
    named = reference.key
    tokens = dissection.candidates.certificates
    if isinstance(named, LocalReference):
        element = dissection.ids.get(named.id)
        security = dissection.envelope.security
        if element is None or security is None or element.getparent() is not security:
            return None
        token = tokens.get(security.index(element))
        return None if token is None else token.certificate.der
    if isinstance(named, EncryptedKeyReference | ContextReference | TicketReference):
        return None
    if isinstance(named, EmbeddedCertificate):
        return named.der
    for token in tokens.values():
        try:
            certificate = Certificate.from_der(token.certificate.der)
        except WSSecurityError:
            continue
        if CertificateIndex((certificate,), lambda one: one).find(named):
            return certificate.der
    found = dissection.context.keys.named(named, dissection.context.now)
    return found[0].der if found else None


def key_words(key: MessageKey, now: datetime) -> str:
    """What a key that was found is."""
    if isinstance(key, CertificateKey):
        roles = f" with the roles {', '.join(sorted(key.roles))}" if key.roles else ""
        return f"the certificate of {shown(key.partner)}{roles}, trusted"
    derived = "derived from " if key.derived is not None else ""
    root = key.root
    if root.context is not None:
        return (
            derived
            + f"the key of the security context {shown(root.context.identifier)}{_owner(root.context, now)}"
        )
    if root.ticket is not None:
        return derived + f"the key of the Kerberos ticket of {shown(root.ticket.principal)}"
    if root.recipient is not None:
        return derived + f"the key that the EncryptedKey brings for our key {root.recipient.name!r}"
    return derived + f"the secret of the request, by its SHA-1 {root.sha1.hex()}"


def _owner(context: object, now: datetime) -> str:
    if not isinstance(context, SecurityContext):
        return ""
    ends = (context.expires - now).total_seconds()
    whose = shown(context.owner.name) if context.owner.name else "an anonymous caller"
    life = f"{ends:.0f} s left" if ends > 0 else f"ended {-ends:.0f} s ago"
    return f" of {whose}, {life}"


def our_keys(dissection: Dissection, reference: TokenReference) -> Iterator[Fact]:
    """Which of our keys is addressed, in whatever state; where none is, which we hold."""
    snapshot = dissection.context.keys
    if not isinstance(snapshot, RingSnapshot):
        return
    now = dissection.context.now
    der = named_certificate(dissection, reference)
    named = EmbeddedCertificate(der) if der is not None else reference.key
    keys = snapshot.ring.keys
    if not isinstance(named, LocalReference | EncryptedKeyReference | ContextReference | TicketReference):
        found = CertificateIndex(keys, lambda one: one.pair.certificate).find(named)
        for key in found:
            yield "our key", _state(key, now)
        if found:
            return
    if not keys:
        yield "our keys", "none are at hand"
    for key in keys:
        yield "not our key", f"{_state(key, now)}, thumbprint {key.pair.certificate.thumbprint_sha1.hex()}"


def _state(key: RingKey, now: datetime) -> str:
    purposes = "" if Purpose.DECRYPT in key.purposes else ", which is not for decryption"
    return f"{key.pair.name!r}, {key.lifespan.state(now).value}{purposes}"


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
