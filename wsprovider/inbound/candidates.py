"""The Security header, read once into candidates: what the message claims, nothing of it proven.

Children are read in any order; a child of no known kind refuses the message. Indices are those of the
children of wsse:Security and stay the same in every round.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from wsprovider.header import (
    binary_security_token,
    derived_key_token,
    encrypted_data,
    encrypted_key,
    kerberos_token,
    security_context_token,
    signature,
    signature_confirmation,
    timestamp,
    username_token,
)
from wsprovider.header.binary_security_token import BinarySecurityToken
from wsprovider.header.derived_key_token import DerivedKeyToken
from wsprovider.header.encrypted_data import EncryptedData
from wsprovider.header.encrypted_key import EncryptedKey
from wsprovider.header.fields import only_elements
from wsprovider.header.kerberos_token import KerberosToken
from wsprovider.header.security_context_token import SecurityContextToken
from wsprovider.header.signature import Signature
from wsprovider.header.signature_confirmation import SignatureConfirmation
from wsprovider.header.timestamp import Timestamp
from wsprovider.header.username_token import UsernameToken
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason


@dataclass(slots=True)
class Candidates:
    """What the header holds, by kind and then by index; filled by :func:`read` only."""

    timestamps: dict[int, Timestamp] = field(default_factory=dict)
    usernames: dict[int, UsernameToken] = field(default_factory=dict)
    certificates: dict[int, BinarySecurityToken] = field(default_factory=dict)
    tickets: dict[int, KerberosToken] = field(default_factory=dict)
    encrypted_keys: dict[int, EncryptedKey] = field(default_factory=dict)
    derived_keys: dict[int, DerivedKeyToken] = field(default_factory=dict)
    contexts: dict[int, SecurityContextToken] = field(default_factory=dict)
    signatures: dict[int, Signature] = field(default_factory=dict)
    confirmations: dict[int, SignatureConfirmation] = field(default_factory=dict)
    reference_lists: dict[int, tuple[str, ...]] = field(default_factory=dict)
    encrypted: dict[int, EncryptedData] = field(default_factory=dict)


def read(security: etree._Element, limits: Limits) -> Candidates:
    """Read every child of a Security header.

    Raises:
        WSSecurityError: UNKNOWN_HEADER_CHILD, DUPLICATE_HEADER_CHILD, one of the TOO_MANY reasons,
            or the error of the child's own module.
    """
    if len(security) > limits.header_children:
        raise WSSecurityError(Reason.TOO_MANY_HEADER_CHILDREN, f"more than {limits.header_children}")
    only_elements(security)
    candidates = Candidates()
    read_children(security, range(len(security)), candidates, limits)
    return candidates


def read_children(
    security: etree._Element, indices: Iterable[int], candidates: Candidates, limits: Limits
) -> None:
    """Read the children at some indices, as after a decryption that replaced them.

    Raises:
        WSSecurityError: as :func:`read`.
    """
    for index in indices:
        read_child(security[index], index, candidates, limits)
    if len(candidates.timestamps) > 1:
        raise WSSecurityError(Reason.DUPLICATE_HEADER_CHILD, "Timestamp")  # BSP R3227
    for found, limit, reason in (
        (candidates.signatures, limits.signatures, Reason.TOO_MANY_SIGNATURES),
        (candidates.encrypted_keys, limits.encrypted_keys, Reason.TOO_MANY_ENCRYPTED_KEYS),
        (candidates.derived_keys, limits.derived_keys, Reason.TOO_MANY_DERIVED_KEYS),
        (candidates.encrypted, limits.encrypted_data, Reason.TOO_MANY_ENCRYPTED_DATA),
    ):
        if len(found) > limit:
            raise WSSecurityError(reason, f"more than {limit}")
    if len(candidates.tickets) > 1:
        raise WSSecurityError(Reason.DUPLICATE_HEADER_CHILD, "Kerberos token")
    if len(candidates.contexts) > 1:
        raise WSSecurityError(Reason.DUPLICATE_HEADER_CHILD, "SecurityContextToken")
    if len(candidates.usernames) + len(candidates.certificates) > limits.tokens:
        raise WSSecurityError(Reason.TOO_MANY_TOKENS, f"more than {limits.tokens}")


def read_child(element: etree._Element, index: int, candidates: Candidates, limits: Limits) -> None:
    """Read one child; what only shows in all of them is :func:`read_children`'s.

    Raises:
        WSSecurityError: UNKNOWN_HEADER_CHILD, or the error of the child's own module.
    """
    kind = _KINDS.get(element.tag)
    if element.tag == binary_security_token.TAG and element.get("ValueType") in kerberos_token.VALUE_TYPES:
        kind = ("tickets", kerberos_token.read)
    if kind is None:
        raise WSSecurityError(Reason.UNKNOWN_HEADER_CHILD, element.tag)
    name, read_element = kind
    getattr(candidates, name)[index] = read_element(element, index, limits)


_Reader = Callable[[etree._Element, int, Limits], object]
_KINDS: Final[dict[str, tuple[str, _Reader]]] = {
    timestamp.TAG: ("timestamps", timestamp.read),
    username_token.TAG: ("usernames", username_token.read),
    binary_security_token.TAG: ("certificates", binary_security_token.read),
    encrypted_key.TAG: ("encrypted_keys", encrypted_key.read),
    signature.TAG: ("signatures", signature.read),
    signature_confirmation.TAG: ("confirmations", signature_confirmation.read),
    encrypted_data.TAG: ("encrypted", lambda element, _, limits: encrypted_data.read(element, limits)),
    encrypted_data.REFERENCE_LIST: (
        "reference_lists",
        lambda element, _, limits: encrypted_data.read_reference_list(element, limits),
    ),
    **dict.fromkeys(derived_key_token.TAGS, ("derived_keys", derived_key_token.read)),
    **dict.fromkeys(security_context_token.TAGS, ("contexts", security_context_token.read)),
}
"""The children that are known: the field they go to, and what reads them."""
