"""ds:Signature in a Security header: its grammar, exactly (XML Signature 1.1 section 4; BSP 1.1, 8).

Only detached signatures with same-document references by id are read; every child and attribute is
known, or the message is refused before any canonicalisation or key operation.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.header import fields
from wsprovider.header.token_reference import KEY_INFO, TokenReference, in_key_info, read_key_info
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

TAG: Final = f"{{{ns.DS}}}Signature"
_SIGNED_INFO: Final = f"{{{ns.DS}}}SignedInfo"
_SIGNATURE_VALUE: Final = f"{{{ns.DS}}}SignatureValue"
_C14N_METHOD: Final = f"{{{ns.DS}}}CanonicalizationMethod"
_SIGNATURE_METHOD: Final = f"{{{ns.DS}}}SignatureMethod"
_REFERENCE: Final = f"{{{ns.DS}}}Reference"
_TRANSFORMS: Final = f"{{{ns.DS}}}Transforms"
_TRANSFORM: Final = f"{{{ns.DS}}}Transform"
_DIGEST_METHOD: Final = f"{{{ns.DS}}}DigestMethod"
_DIGEST_VALUE: Final = f"{{{ns.DS}}}DigestValue"
_INCLUSIVE: Final = f"{{{ns.EXC_C14N}}}InclusiveNamespaces"
_PARAMETERS: Final = f"{{{ns.WSSE}}}TransformationParameters"
_WITH_ALGORITHM: Final = ("Algorithm",)
_OF_SIGNATURE: Final = (_SIGNED_INFO, _SIGNATURE_VALUE, KEY_INFO)
_OF_SIGNED_INFO: Final = (_C14N_METHOD, _SIGNATURE_METHOD)
_OF_REFERENCE: Final = (_TRANSFORMS, _DIGEST_METHOD, _DIGEST_VALUE)


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference.

    Attributes:
        id: the id of its target, without ``#``.
        prefixes: InclusiveNamespaces PrefixList of its exclusive canonicalisation.
        dereferenced: the STR-Transform: the token named by the target is digested, not the target.
    """

    id: str
    prefixes: tuple[str, ...]
    dereferenced: bool
    digest_method: str
    digest: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """A signature as it was read; nothing is verified.

    Attributes:
        element: the Signature.
        signed_info: its SignedInfo, which the SignatureValue covers.
        prefixes: PrefixList of the CanonicalizationMethod.
    """

    index: int
    element: etree._Element
    signed_info: etree._Element
    prefixes: tuple[str, ...]
    method: str
    references: tuple[Reference, ...]
    value: bytes
    key: TokenReference


def read(element: etree._Element, index: int, limits: Limits) -> Signature:
    """Read a Signature.

    Raises:
        WSSecurityError: SIGNATURE_STRUCTURE, TRANSFORM_NOT_ALLOWED, UNSUPPORTED_ALGORITHM,
            REFERENCE_URI, REFERENCE_TWICE, TOO_MANY_REFERENCES, TOO_MANY_PREFIXES, or a field's own.
    """
    fields.only_attributes(element, ("Id",))
    found = fields.children(element, _OF_SIGNATURE)
    if tuple(found) != _OF_SIGNATURE:
        raise WSSecurityError(Reason.SIGNATURE_STRUCTURE, "children of Signature")
    signed_info = found[_SIGNED_INFO]
    fields.only_attributes(signed_info, ("Id",))
    inner = fields.children(signed_info, _OF_SIGNED_INFO, repeated=(_REFERENCE,))
    parts = list(signed_info)
    if tuple(inner) != _OF_SIGNED_INFO or parts[:2] != [*inner.values()] or len(parts) < 3:
        raise WSSecurityError(Reason.SIGNATURE_STRUCTURE, "children of SignedInfo")
    if len(parts) - 2 > limits.references:
        raise WSSecurityError(Reason.TOO_MANY_REFERENCES, f"more than {limits.references}")
    prefixes = _read_c14n(inner[_C14N_METHOD], limits, Reason.UNSUPPORTED_ALGORITHM)
    method = inner[_SIGNATURE_METHOD]
    fields.only_attributes(method, _WITH_ALGORITHM)
    if len(method):  # HMACOutputLength and any other parameter: BSP R5401
        raise WSSecurityError(Reason.ALGORITHM_PARAMETERS, "SignatureMethod")
    references = tuple([_read_reference(child, limits) for child in parts[2:]])
    if len({reference.id for reference in references}) != len(references):
        raise WSSecurityError(Reason.REFERENCE_TWICE)
    fields.only_attributes(found[_SIGNATURE_VALUE], ("Id",))
    return Signature(
        index,
        element,
        signed_info,
        prefixes,
        fields.algorithm(method),
        references,
        fields.octets(found[_SIGNATURE_VALUE], limits),
        read_key_info(found[KEY_INFO], limits),
    )


def _read_reference(element: etree._Element, limits: Limits) -> Reference:
    fields.only_attributes(element, ("URI", "Id", "Type"))
    found = fields.children(element, _OF_REFERENCE)
    if tuple(found) != _OF_REFERENCE:
        raise WSSecurityError(Reason.SIGNATURE_STRUCTURE, "children of Reference")  # BSP R5416
    target = fields.fragment(element.get("URI"))
    if target is None or "(" in target:
        raise WSSecurityError(Reason.REFERENCE_URI, element.get("URI", "none"))
    method = found[_DIGEST_METHOD]
    fields.only_attributes(method, _WITH_ALGORITHM)
    if len(method):
        raise WSSecurityError(Reason.ALGORITHM_PARAMETERS, "DigestMethod")
    fields.only_attributes(found[_DIGEST_VALUE], ())
    prefixes, dereferenced = _read_transforms(found[_TRANSFORMS], limits)
    return Reference(
        target,
        prefixes,
        dereferenced,
        fields.algorithm(method),
        fields.octets(found[_DIGEST_VALUE], limits),
    )


def _read_transforms(element: etree._Element, limits: Limits) -> tuple[tuple[str, ...], bool]:
    """Exactly one transform: exclusive canonicalisation, or STR-Transform with it inside."""
    fields.only_attributes(element, ())
    fields.only_elements(element)
    transform = element[0] if len(element) == 1 else None
    if transform is None or transform.tag != _TRANSFORM:
        raise WSSecurityError(Reason.TRANSFORM_NOT_ALLOWED, "not exactly one Transform")
    if transform.get("Algorithm") != alg.STR_TRANSFORM:
        return _read_c14n(transform, limits, Reason.TRANSFORM_NOT_ALLOWED), False
    fields.only_attributes(transform, _WITH_ALGORITHM)
    parameters = fields.children(transform, (_PARAMETERS,)).get(_PARAMETERS)
    if parameters is None:  # BSP R3065
        raise WSSecurityError(Reason.TRANSFORM_NOT_ALLOWED, "STR-Transform without parameters")
    method = fields.children(parameters, (_C14N_METHOD,)).get(_C14N_METHOD)
    if method is None:
        raise WSSecurityError(Reason.TRANSFORM_NOT_ALLOWED, "STR-Transform without a method")
    return _read_c14n(method, limits, Reason.TRANSFORM_NOT_ALLOWED), True


def _read_c14n(element: etree._Element, limits: Limits, reason: Reason) -> tuple[str, ...]:
    fields.only_attributes(element, _WITH_ALGORITHM)
    if element.get("Algorithm") != alg.EXC_C14N:
        raise WSSecurityError(reason, element.get("Algorithm", "no Algorithm"))
    if not len(element):
        fields.only_elements(element)
        return ()
    inclusive = fields.children(element, (_INCLUSIVE,))[_INCLUSIVE]
    fields.only_attributes(inclusive, ("PrefixList",))
    if len(inclusive):
        raise WSSecurityError(Reason.ALGORITHM_PARAMETERS, "InclusiveNamespaces")
    prefixes = tuple(inclusive.get("PrefixList", "").split())
    if len(prefixes) > limits.inclusive_prefixes:
        raise WSSecurityError(Reason.TOO_MANY_PREFIXES, f"more than {limits.inclusive_prefixes}")
    for prefix in prefixes:
        if len(prefix) > 100 or not (prefix == "#default" or _is_ncname(prefix)):
            raise WSSecurityError(Reason.ALGORITHM_PARAMETERS, "PrefixList")
    return prefixes


def _is_ncname(value: str) -> bool:
    first, rest = value[0], value[1:]
    return (first.isalpha() or first == "_") and all(c.isalnum() or c in "_-." for c in rest)


def write_signed_info(method: str, digest_method: str, digests: Sequence[tuple[str, bytes, str]]) -> bytes:
    """SignedInfo in exclusive canonical form: the octets that are signed.

    Args:
        digests: target id, digest, and the Transforms' content (see :func:`c14n_transform`).
    """
    references = "".join(
        f'<ds:Reference URI="#{target}"><ds:Transforms>{transform}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest_method}"></ds:DigestMethod>'
        f"<ds:DigestValue>{base64.b64encode(digest).decode('ascii')}</ds:DigestValue></ds:Reference>"
        for target, digest, transform in digests
    )
    return (
        f'<ds:SignedInfo xmlns:ds="{ns.DS}">'
        f'<ds:CanonicalizationMethod Algorithm="{alg.EXC_C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
        f"{references}</ds:SignedInfo>"
    ).encode("ascii")


C14N_TRANSFORM: Final = f'<ds:Transform Algorithm="{alg.EXC_C14N}"></ds:Transform>'
STR_TRANSFORM: Final = (
    f'<ds:Transform Algorithm="{alg.STR_TRANSFORM}">'
    f'<wsse:TransformationParameters xmlns:wsse="{ns.WSSE}">'
    f'<ds:CanonicalizationMethod Algorithm="{alg.EXC_C14N}"></ds:CanonicalizationMethod>'
    "</wsse:TransformationParameters></ds:Transform>"
)


def write(identifier: str, signed_info: bytes, value: bytes, reference: str) -> bytes:
    """The Signature in exclusive canonical form, around an already signed SignedInfo."""
    inner = signed_info.replace(b' xmlns:ds="' + ns.DS.encode("ascii") + b'"', b"", 1)
    key_info = in_key_info(reference).replace(f' xmlns:ds="{ns.DS}"', "")
    encoded = base64.b64encode(value).decode("ascii")
    return (
        f'<ds:Signature xmlns:ds="{ns.DS}" Id="{identifier}">{inner.decode("ascii")}'
        f"<ds:SignatureValue>{encoded}</ds:SignatureValue>{key_info}</ds:Signature>"
    ).encode()
