"""wsc:DerivedKeyToken (WS-SecureConversation 1.3 section 7; the 2005/02 version reads alike)."""

import base64
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.crypto.derivation import DEFAULT_LABEL, DEFAULT_LENGTH
from wsprovider.header import fields
from wsprovider.header.token_reference import LENGTH_BYTES, NONCE_BYTES, STR, TokenReference
from wsprovider.header.token_reference import read as read_reference
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

P_SHA1: Final = {ns.WSC_200502: alg.P_SHA1_200502, ns.WSC_200512: alg.P_SHA1_200512}
TOKEN_TYPES: Final = {
    ns.WSC_200502: f"{ns.WSC_200502}/dk",
    ns.WSC_200512: f"{ns.WSC_200512}/dk",
}
TAGS: Final = tuple(f"{{{namespace}}}DerivedKeyToken" for namespace in P_SHA1)
_LABEL_BYTES: Final = 256
_REACH_BYTES: Final = 1024
_GENERATION: Final = 256
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class DerivedKeyToken:
    """How a key is derived; from what is not looked at yet.

    Attributes:
        namespace: the version of WS-SecureConversation.
        offset: bytes of the key stream to leave out (Generation is already turned into it).
        length: bytes of the key.
    """

    index: int
    id: str | None
    namespace: str
    source: TokenReference
    offset: int
    length: int
    label: bytes
    nonce: bytes


def read(element: etree._Element, index: int, limits: Limits) -> DerivedKeyToken:
    """Read a DerivedKeyToken.

    Raises:
        WSSecurityError: DERIVED_KEY, UNSUPPORTED_ALGORITHM, or a field's own error.
    """
    namespace = element.tag[1:].partition("}")[0]
    fields.only_attributes(element, (fields.WSU_ID, "Algorithm"))
    algorithm = element.get("Algorithm", P_SHA1[namespace])
    if algorithm not in P_SHA1.values():
        raise WSSecurityError(Reason.UNSUPPORTED_ALGORITHM, algorithm)
    names = {n: f"{{{namespace}}}{n}" for n in ("Offset", "Length", "Generation", "Label", "Nonce")}
    found = fields.children(element, (STR, *names.values()))
    if STR not in found or names["Nonce"] not in found:
        raise WSSecurityError(Reason.DERIVED_KEY, "no reference or no Nonce")
    length = _number(found.get(names["Length"]), DEFAULT_LENGTH, limits)
    offset = _number(found.get(names["Offset"]), 0, limits)
    if names["Generation"] in found:
        generation = _number(found[names["Generation"]], 0, limits)
        if names["Offset"] in found or generation > _GENERATION:  # section 7.2: one or the other
            raise WSSecurityError(Reason.DERIVED_KEY, "Generation")
        offset = generation * length
    label = DEFAULT_LABEL
    if names["Label"] in found:
        label = fields.text(found[names["Label"]], limits).encode()
    nonce = fields.octets(found[names["Nonce"]], limits)
    if length not in LENGTH_BYTES or offset + length > _REACH_BYTES:
        raise WSSecurityError(Reason.DERIVED_KEY, "Offset or Length")
    if not 0 < len(label) <= _LABEL_BYTES or len(nonce) not in NONCE_BYTES:
        raise WSSecurityError(Reason.DERIVED_KEY, "Label or Nonce")
    return DerivedKeyToken(
        index,
        element.get(fields.WSU_ID),
        namespace,
        read_reference(found[STR], limits),
        offset,
        length,
        label,
        nonce,
    )


def _number(element: etree._Element | None, default: int, limits: Limits) -> int:
    if element is None:
        return default
    value = fields.text(element, limits).strip(" \t\r\n")
    if not (value.isascii() and value.isdecimal()) or len(value) > _DIGITS:
        raise WSSecurityError(Reason.DERIVED_KEY, fields.local(element))
    return int(value)


def write(identifier: str, namespace: str, reference: str, length: int, nonce: bytes) -> bytes:
    """A DerivedKeyToken with the default label and offset 0, in exclusive canonical form."""
    reference = reference.replace(f' xmlns:wsc="{namespace}"', "")  # declared around it already
    return (
        f'<wsc:DerivedKeyToken xmlns:wsc="{namespace}" xmlns:wsu="{ns.WSU}" wsu:Id="{identifier}">'
        f"{reference}<wsc:Offset>0</wsc:Offset><wsc:Length>{length}</wsc:Length>"
        f"<wsc:Nonce>{base64.b64encode(nonce).decode('ascii')}</wsc:Nonce></wsc:DerivedKeyToken>"
    ).encode()
