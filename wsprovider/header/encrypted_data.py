"""xenc:EncryptedData and xenc:ReferenceList (XML Encryption 1.1 section 3; BSP 1.1 section 9)."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.header.token_reference import KEY_INFO, TokenReference, in_key_info, read_key_info
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

TAG: Final = f"{{{ns.XENC}}}EncryptedData"
REFERENCE_LIST: Final = f"{{{ns.XENC}}}ReferenceList"
METHOD: Final = f"{{{ns.XENC}}}EncryptionMethod"
CIPHER_DATA: Final = f"{{{ns.XENC}}}CipherData"
_CIPHER_VALUE: Final = f"{{{ns.XENC}}}CipherValue"
_CIPHER_REFERENCE: Final = f"{{{ns.XENC}}}CipherReference"
_DATA_REFERENCE: Final = f"{{{ns.XENC}}}DataReference"
_CHILDREN: Final = (METHOD, KEY_INFO, CIPHER_DATA)
_WITHOUT_KEY: Final = (METHOD, CIPHER_DATA)


@dataclass(frozen=True, slots=True, eq=False)
class EncryptedData:
    """Encrypted content; not decrypted.

    Attributes:
        content: Type is Content (else Element).
        key: its own KeyInfo; None where an EncryptedKey's ReferenceList says which key.
        octets: of CipherValue.
    """

    element: etree._Element
    id: str | None
    content: bool
    method: str
    key: TokenReference | None
    octets: bytes


def read(element: etree._Element, limits: Limits) -> EncryptedData:
    """Read an EncryptedData.

    Raises:
        WSSecurityError: ENCRYPTION_STRUCTURE, CIPHER_REFERENCE, ALGORITHM_PARAMETERS, or a field's.
    """
    # BSP R5622, R5623: no MimeType, no Encoding
    fields.only_attributes(element, ("Id", "Type"))
    found = fields.children(element, _CHILDREN)
    kind = element.get("Type")
    if kind not in (uris.TYPE_CONTENT, uris.TYPE_ELEMENT):
        raise WSSecurityError(Reason.ENCRYPTION_STRUCTURE, f"Type {kind}")
    if tuple(found) not in (_CHILDREN, _WITHOUT_KEY):
        raise WSSecurityError(Reason.ENCRYPTION_STRUCTURE, "children of EncryptedData")
    method = found[METHOD]
    fields.only_attributes(method, ("Algorithm",))
    if len(method):
        raise WSSecurityError(Reason.ALGORITHM_PARAMETERS, "EncryptionMethod")
    return EncryptedData(
        element,
        element.get("Id"),
        kind == uris.TYPE_CONTENT,
        fields.algorithm(method),
        read_key_info(found[KEY_INFO], limits) if KEY_INFO in found else None,
        read_cipher_data(found[CIPHER_DATA], limits.decrypted_bytes),
    )


def read_cipher_data(element: etree._Element, limit: int) -> bytes:
    """The octets of a CipherData.

    Raises:
        WSSecurityError: CIPHER_REFERENCE (nothing is ever fetched), ENCRYPTION_STRUCTURE, or a
            field's own error.
    """
    if len(element) == 1 and element[0].tag == _CIPHER_REFERENCE:
        raise WSSecurityError(Reason.CIPHER_REFERENCE)
    value = fields.children(element, (_CIPHER_VALUE,)).get(_CIPHER_VALUE)
    if value is None:
        raise WSSecurityError(Reason.ENCRYPTION_STRUCTURE, "CipherData")
    return fields.cipher_octets(value, limit)


def read_reference_list(element: etree._Element, limits: Limits) -> tuple[str, ...]:
    """The ids that a ReferenceList names (BSP R5608: by shorthand, DataReference only).

    Raises:
        WSSecurityError: REFERENCE_LIST, TOO_MANY_ENCRYPTED_DATA, or a field's own error.
    """
    fields.only_elements(element)
    ids: list[str] = []
    for child in element:
        target = fields.fragment(child.get("URI"))
        if child.tag != _DATA_REFERENCE or len(child) or target is None or target in ids:
            raise WSSecurityError(Reason.REFERENCE_LIST, child.tag)
        ids.append(target)
        if len(ids) > limits.encrypted_data:
            raise WSSecurityError(Reason.TOO_MANY_ENCRYPTED_DATA, f"more than {limits.encrypted_data}")
    if not ids:
        raise WSSecurityError(Reason.REFERENCE_LIST, "empty")
    return tuple(ids)


def write(identifier: str, *, content: bool, method: str, reference: str, octets: bytes) -> bytes:
    """An EncryptedData in exclusive canonical form.

    Args:
        reference: the SecurityTokenReference of its KeyInfo.
        octets: of CipherValue.
    """
    kind = uris.TYPE_CONTENT if content else uris.TYPE_ELEMENT
    return b"".join(
        (
            f'<xenc:EncryptedData xmlns:xenc="{ns.XENC}" Id="{identifier}" Type="{kind}">'
            f'<xenc:EncryptionMethod Algorithm="{method}"></xenc:EncryptionMethod>'
            f"{in_key_info(reference)}<xenc:CipherData><xenc:CipherValue>".encode(),
            base64.b64encode(octets),
            b"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>",
        )
    )


def write_reference_list(ids: Sequence[str]) -> str:
    """A ReferenceList in exclusive canonical form."""
    inner = "".join(f'<xenc:DataReference URI="#{i}"></xenc:DataReference>' for i in ids)
    return f'<xenc:ReferenceList xmlns:xenc="{ns.XENC}">{inner}</xenc:ReferenceList>'
