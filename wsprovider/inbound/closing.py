"""Closing a signature: every Reference digested, and the very elements remembered that were.

XML Signature 1.1 section 3.2.1; SOAP Message Security 1.1 section 8.3 for the STR-Transform. A target
must stand where a policy could name it: the Body, a header block, or a child of the Security header.
"""

import base64
import hmac
from dataclasses import dataclass, field

from lxml import etree

from wsprovider.crypto.algorithms import DIGESTS
from wsprovider.header import token_reference
from wsprovider.header.signature import Reference
from wsprovider.header.token_reference import LocalReference
from wsprovider.inbound.context import Context
from wsprovider.inbound.evidence import CertificateKey, MessageKey
from wsprovider.inbound.opening import Opened
from wsprovider.keyring.material import Certificate
from wsprovider.soap.envelope import Envelope
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.xml import canonical
from wsprovider.xml.ids import Ids
from wsprovider.xml.places import Place, place_of


@dataclass(slots=True)
class Covered:
    """What one signature's digests were found to cover, while they are compared.

    Attributes:
        places: of covered elements; the same in every later tree.
        tokens: indices of header children covered by dereferencing.
    """

    places: set[Place] = field(default_factory=set)
    tokens: set[int] = field(default_factory=set)
    certificates: set[Certificate] = field(default_factory=set)


def digest_reference(
    reference: Reference,
    opened: Opened,
    envelope: Envelope,
    ids: Ids,
    covered: Covered,
    context: Context,
) -> None:
    """Digest one Reference's target in this tree and note what it covers.

    Raises:
        WSSecurityError: REFERENCE_TARGET, DIGEST_MISMATCH, CANONICALIZATION, CANONICAL_TOO_LARGE.
    """
    digest = digest_of(reference, opened, envelope, ids, covered, context)
    if not hmac.compare_digest(digest, reference.digest):
        raise WSSecurityError(Reason.DIGEST_MISMATCH, reference.id)


def digest_of(
    reference: Reference,
    opened: Opened,
    envelope: Envelope,
    ids: Ids,
    covered: Covered,
    context: Context,
) -> bytes:
    """The digest of a Reference's target in this tree, whatever the Reference says of it.

    Raises:
        WSSecurityError: REFERENCE_TARGET, CANONICALIZATION, CANONICAL_TOO_LARGE.
    """
    target = ids.get(reference.id)
    if target is None:
        raise WSSecurityError(Reason.REFERENCE_TARGET, reference.id)
    if reference.dereferenced:
        octets = _dereference(target, reference, opened, envelope, ids, covered, context)
    else:
        if not _may_be_signed(target, envelope):
            raise WSSecurityError(Reason.REFERENCE_TARGET, f"{reference.id}: {target.tag}")
        octets = canonical.exclusive(target, reference.prefixes, context.room)
        covered.places.add(place_of(target))
    return DIGESTS[reference.digest_method].digest(octets)


def _may_be_signed(target: etree._Element, envelope: Envelope) -> bool:
    """The Body, a header block other than Security, or a child of our Security header."""
    parent = target.getparent()
    if target is envelope.body:
        return True
    if parent is None:
        return False
    if parent is envelope.security:
        return True
    return parent is envelope.header and target is not envelope.security


def _dereference(
    target: etree._Element,
    reference: Reference,
    opened: Opened,
    envelope: Envelope,
    ids: Ids,
    covered: Covered,
    context: Context,
) -> bytes:
    """The octets that the STR-Transform makes of a SecurityTokenReference in this header."""
    if target.tag != token_reference.STR or not _inside_security(target, envelope):
        raise WSSecurityError(Reason.REFERENCE_TARGET, f"{reference.id}: not a token reference")
    named = token_reference.read(target, context.limits)
    security = envelope.security
    if isinstance(named.key, LocalReference):
        token = ids.get(named.key.id)
        if token is None or security is None or token.getparent() is not security:
            raise WSSecurityError(Reason.UNRESOLVED_REFERENCE, named.key.id)
        covered.tokens.add(security.index(token))
        return canonical.with_empty_default(canonical.exclusive(token, reference.prefixes, context.room))
    certificate = _certificate_of(opened.key, named.key == opened.signature.key.key)
    if named.embedded and len(target) and len(target[0]):
        token = target[0][0]
        covered.certificates.add(certificate)
        return canonical.with_empty_default(canonical.exclusive(token, reference.prefixes, context.room))
    covered.certificates.add(certificate)
    value = base64.b64encode(certificate.der).decode("ascii")
    return canonical.binary_security_token(named.prefix, uris.X509_V3, value)


def _certificate_of(key: MessageKey, same: bool) -> Certificate:  # noqa: FBT001
    """The certificate that a reference equal to the signature's own one names."""
    if not isinstance(key, CertificateKey) or not same:
        raise WSSecurityError(Reason.UNSUPPORTED_REFERENCE, "STR-Transform of another token")
    return key.certificate


def _inside_security(element: etree._Element, envelope: Envelope) -> bool:
    parent = element.getparent()
    while parent is not None:
        if parent is envelope.security:
            return True
        parent = parent.getparent()
    return False
