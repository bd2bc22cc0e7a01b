"""wsse:BinarySecurityToken with X.509 content (X.509 Token Profile 1.1, section 3.1)."""

import base64
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.header.pki_path import read_pki_path
from wsprovider.keyring.material import Certificate, EmbeddedCertificate
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

TAG: Final = f"{{{ns.WSSE}}}BinarySecurityToken"


@dataclass(frozen=True, slots=True)
class BinarySecurityToken:
    """A certificate that came with the message; nobody vouches for it."""

    index: int
    value_type: str
    certificate: EmbeddedCertificate


def read(element: etree._Element, index: int, limits: Limits) -> BinarySecurityToken:
    """Read an X.509 BinarySecurityToken.

    Raises:
        WSSecurityError: UNSUPPORTED_TOKEN, MALFORMED_TOKEN, CERTIFICATE_TOO_LARGE, PATH_TOO_LONG, or a
            field's own error.
    """
    fields.only_attributes(element, (fields.WSU_ID, "ValueType", "EncodingType"))
    if element.get("EncodingType", uris.BASE64_BINARY) != uris.BASE64_BINARY:
        raise WSSecurityError(Reason.UNSUPPORTED_TOKEN, "EncodingType")
    value_type = element.get("ValueType", "")
    if value_type not in (uris.X509_V3, uris.X509_PKI_PATH):
        raise WSSecurityError(Reason.UNSUPPORTED_TOKEN, value_type or "no ValueType")
    content = fields.octets(element, limits)
    return BinarySecurityToken(index, value_type, _certificate(value_type, content, limits))


def _certificate(value_type: str, content: bytes, limits: Limits) -> EmbeddedCertificate:
    if value_type == uris.X509_V3:
        if not content:
            raise WSSecurityError(Reason.MALFORMED_TOKEN, "empty")
        if len(content) > limits.certificate_bytes:
            raise WSSecurityError(Reason.CERTIFICATE_TOO_LARGE, f"{len(content)} bytes")
        return EmbeddedCertificate(content)
    path = read_pki_path(content, limits)
    return EmbeddedCertificate(path[-1], tuple(reversed(path[:-1])))


def write(identifier: str, certificate: Certificate) -> bytes:
    """An X509v3 token in exclusive canonical form."""
    value = base64.b64encode(certificate.der).decode("ascii")
    return (
        f'<wsse:BinarySecurityToken xmlns:wsse="{ns.WSSE}" xmlns:wsu="{ns.WSU}"'
        f' EncodingType="{uris.BASE64_BINARY}" ValueType="{uris.X509_V3}" wsu:Id="{identifier}">'
        f"{value}</wsse:BinarySecurityToken>"
    ).encode("ascii")
