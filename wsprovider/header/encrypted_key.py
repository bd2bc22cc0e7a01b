"""xenc:EncryptedKey in a Security header (XML Encryption 1.1 section 3.5; BSP 1.1 section 9)."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.header.encrypted_data import (
    CIPHER_DATA,
    METHOD,
    REFERENCE_LIST,
    read_cipher_data,
    read_reference_list,
)
from wsprovider.header.token_reference import KEY_INFO, TokenReference, in_key_info, read_key_info
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import KeyTransport

TAG: Final = f"{{{ns.XENC}}}EncryptedKey"
_DIGEST_METHOD: Final = f"{{{ns.DS}}}DigestMethod"
_MGF: Final = f"{{{ns.XENC11}}}MGF"
_CARRIED_KEY_NAME: Final = f"{{{ns.XENC}}}CarriedKeyName"
_CHILDREN: Final = (METHOD, KEY_INFO, CIPHER_DATA, REFERENCE_LIST)
_CIPHER_LIMIT: Final = 2048


@dataclass(frozen=True, slots=True)
class EncryptedKey:
    """A key encrypted to a certificate; not unwrapped.

    Attributes:
        id: its Id, by which signatures and data name it.
        key: whose certificate it is for.
        data: ids of the EncryptedData that its ReferenceList names; None without a list.
    """

    index: int
    id: str | None
    transport: KeyTransport
    key: TokenReference
    octets: bytes
    data: tuple[str, ...] | None

    @property
    def sha1(self) -> bytes:
        """What EncryptedKeySHA1 names it by (SOAP Message Security 1.1, section 7.7)."""
        return sha1_of(self.octets)


def sha1_of(octets: bytes) -> bytes:
    """EncryptedKeySHA1 of the encrypted octets of a key (SOAP Message Security 1.1, section 7.7)."""
    return hashlib.sha1(octets, usedforsecurity=False).digest()


def read(element: etree._Element, index: int, limits: Limits) -> EncryptedKey:
    """Read an EncryptedKey.

    Raises:
        WSSecurityError: ENCRYPTION_STRUCTURE, ALGORITHM_PARAMETERS, or a field's own error.
    """
    # BSP R3209, R5602, R5622, R5623: no Type, Recipient, MimeType or Encoding
    fields.only_attributes(element, ("Id", fields.WSU_ID))
    found = fields.children(element, _CHILDREN)
    if tuple(found) not in (_CHILDREN, _CHILDREN[:-1]):
        raise WSSecurityError(Reason.ENCRYPTION_STRUCTURE, "children of EncryptedKey")
    method = found[METHOD]
    fields.only_attributes(method, ("Algorithm",))
    parameters = fields.children(method, (_DIGEST_METHOD, _MGF))  # OAEPparams: refused
    digest = fields.algorithm(parameters[_DIGEST_METHOD]) if _DIGEST_METHOD in parameters else None
    mgf = fields.algorithm(parameters[_MGF]) if _MGF in parameters else None
    octets = read_cipher_data(found[CIPHER_DATA], _CIPHER_LIMIT)
    data = read_reference_list(found[REFERENCE_LIST], limits) if REFERENCE_LIST in found else None
    return EncryptedKey(
        index,
        element.get("Id") or element.get(fields.WSU_ID),
        KeyTransport(fields.algorithm(method), digest, mgf),
        read_key_info(found[KEY_INFO], limits),
        octets,
        data,
    )


def write(
    identifier: str,
    transport: KeyTransport,
    reference: str,
    octets: bytes,
    reference_list: str = "",
) -> bytes:
    """An EncryptedKey in exclusive canonical form.

    Args:
        reference: the SecurityTokenReference that names the certificate.
        octets: the encrypted key.
        reference_list: a ReferenceList to stand inside, or nothing.
    """
    parameters = ""
    if transport.digest is not None:
        parameters += f'<ds:DigestMethod xmlns:ds="{ns.DS}" Algorithm="{transport.digest}"></ds:DigestMethod>'
    if transport.mgf is not None and transport.method == alg.RSA_OAEP:
        parameters += f'<xenc11:MGF xmlns:xenc11="{ns.XENC11}" Algorithm="{transport.mgf}"></xenc11:MGF>'
    inner_list = reference_list.replace(f' xmlns:xenc="{ns.XENC}"', "")
    return (
        f'<xenc:EncryptedKey xmlns:xenc="{ns.XENC}" Id="{identifier}">'
        f'<xenc:EncryptionMethod Algorithm="{transport.method}">{parameters}</xenc:EncryptionMethod>'
        f"{in_key_info(reference)}<xenc:CipherData><xenc:CipherValue>"
        f"{base64.b64encode(octets).decode('ascii')}</xenc:CipherValue></xenc:CipherData>"
        f"{inner_list}</xenc:EncryptedKey>"
    ).encode()
