"""Verifying and decrypting any XML Signature and Encryption document with our own primitives.

The engine reads only what may stand in a Security header. Most public vectors are enveloping or
enveloped signatures and free-standing EncryptedData; this driver walks those, hands octets to
:mod:`wsprovider.crypto` and :mod:`wsprovider.xml.canonical`, and raises :class:`NotOurs` with the
class of reason for what the house does not do. It trusts every key that a document offers and takes
no care at all: it is a test of the primitives, and no example of how to verify a signature.

Inclusive canonical form, which the house does not offer but nearly all vectors use, comes straight
from lxml, so that the signature and digest methods can be shown to work on them.
"""

import base64
import hmac
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lxml import etree

from wsprovider.crypto.algorithms import (
    ASYMMETRIC_SIGNATURES,
    DIGESTS,
    SYMMETRIC_SIGNATURES,
    verify_asymmetric,
    verify_symmetric,
)
from wsprovider.crypto.ciphers import CIPHERS, decrypt, unwrap_key
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import KeyTransport
from wsprovider.xml import canonical

DS, DS11, XENC = f"{{{ns.DS}}}", "{http://www.w3.org/2009/xmldsig11#}", f"{{{ns.XENC}}}"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_CURVES = {
    "urn:oid:1.2.840.10045.3.1.7": ec.SECP256R1(),
    "urn:oid:1.3.132.0.34": ec.SECP384R1(),
    "urn:oid:1.3.132.0.35": ec.SECP521R1(),
}
_SECRETS = frozenset({8, 16, 24, 32, 40, 64})

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class NotOurs(Exception):
    """The vector needs something that the house does not do on purpose."""


def parse(data: bytes) -> etree._Element:
    """Comments stay out, as in the house; a DTD stays unread."""
    options = {"resolve_entities": False, "no_network": True, "load_dtd": False}
    root = etree.fromstring(data, etree.XMLParser(remove_comments=True, huge_tree=True, **options))
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotOurs("a DTD")
    return root


def octets_of(element: etree._Element) -> bytes:
    return base64.b64decode("".join(element.itertext()))


# signatures ----------------------------------------------------------------------------------------


def verify(
    signature: etree._Element,
    keys: Iterable[PublicKey | bytes],
    target: Callable[[str], etree._Element] | None = None,
) -> None:
    """Verify every Reference and the SignatureValue, by any one of the keys.

    Raises:
        NotOurs: the house does not do this.
        WSSecurityError: it does not hold.
    """
    info = signature.find(f"{DS}SignedInfo")
    assert info is not None
    method = _algorithm(info.find(f"{DS}SignatureMethod"))
    if method not in ASYMMETRIC_SIGNATURES and method not in SYMMETRIC_SIGNATURES:
        raise NotOurs("signature method")
    if info.find(f"{DS}SignatureMethod/{DS}HMACOutputLength") is not None:
        raise NotOurs("HMACOutputLength")
    signed = _canonical(info.find(f"{DS}CanonicalizationMethod"), info)
    references = [_reference_octets(one, signature, target) for one in info.findall(f"{DS}Reference")]
    value = octets_of(signature.find(f"{DS}SignatureValue"))
    _verify_value(method, list(keys), value, signed)
    for reference, octets in zip(info.findall(f"{DS}Reference"), references, strict=True):
        uri = _algorithm(reference.find(f"{DS}DigestMethod"))
        digest = DIGESTS[uri].digest(octets)
        if not hmac.compare_digest(digest, octets_of(reference.find(f"{DS}DigestValue"))):
            raise WSSecurityError(Reason.DIGEST_MISMATCH, reference.get("URI", ""))


def _verify_value(method: str, keys: list[Any], value: bytes, signed: bytes) -> None:
    if method in SYMMETRIC_SIGNATURES:
        fitting = [key for key in keys if isinstance(key, bytes)]
        check: Any = verify_symmetric
    else:
        fitting = [key for key in keys if isinstance(key, ASYMMETRIC_SIGNATURES[method].key)]
        check = verify_asymmetric
    if not fitting:
        raise NotOurs("no key that fits")
    failure = None
    for key in fitting:
        try:
            check(method, key, value, signed)
        except WSSecurityError as error:
            failure = error
        else:
            return
    raise failure or AssertionError


def _algorithm(element: etree._Element | None) -> str:
    assert element is not None
    return element.get("Algorithm", "")


def _canonical(method: etree._Element | None, element: etree._Element) -> bytes:
    uri = _algorithm(method)
    if uri == alg.EXC_C14N:
        assert method is not None
        return canonical.exclusive(element, _prefixes(method))
    if uri == alg.C14N:
        return _inclusive(element)
    raise NotOurs("canonical form")


def _inclusive(element: etree._Element) -> bytes:
    """Canonical XML 1.0 without comments, with the xml:* attributes of ancestors."""
    # lxml writes xmlns="" into subtrees that inherit a default namespace, so it gets a document
    alone = etree.fromstring(etree.tostring(element, with_tail=False), etree.XMLParser(huge_tree=True))
    for ancestor in element.iterancestors():
        for name, value in ancestor.attrib.items():
            if name.startswith(f"{{{ns.XML}}}") and name not in alone.attrib:
                alone.set(name, value)
    return etree.tostring(alone, method="c14n", with_comments=False)


def _prefixes(method: etree._Element) -> tuple[str, ...]:
    lists = [one.get("PrefixList", "") for one in method.iter(f"{{{ns.EXC_C14N}}}InclusiveNamespaces")]
    return tuple(" ".join(lists).split())


def _reference_octets(
    reference: etree._Element, signature: etree._Element, target: Callable[[str], etree._Element] | None
) -> bytes:
    if _algorithm(reference.find(f"{DS}DigestMethod")) not in DIGESTS:
        raise NotOurs("digest method")
    uri = reference.get("URI")
    root = signature.getroottree().getroot()
    if target is not None and uri is not None:
        element = target(uri)
    elif uri in {"", "#xpointer(/)"}:
        element = root
    elif uri is not None and uri.startswith("#"):
        element = by_id(root, uri[1:].removeprefix("xpointer(id('").removesuffix("'))"))
    else:
        raise NotOurs("external reference")
    transforms = reference.findall(f"{DS}Transforms/{DS}Transform")
    form, taken_out = None, False
    for transform in transforms:
        if form is not None:
            raise NotOurs("transform after canonical form")
        if _is_enveloped(transform):
            element = _without(element, signature) if not taken_out else element
            taken_out = True
        else:
            form = transform
    if form is not None:
        return _canonical(form, element)
    return _inclusive(element)


def _is_enveloped(transform: etree._Element) -> bool:
    """The transform itself, or the XPath filter that says the same."""
    uri = transform.get("Algorithm")
    if uri == alg.ENVELOPED:
        return True
    if uri == XPATH:
        words = "".join(transform.itertext()).split()
        if "".join(words) == "not(ancestor-or-self::dsig:Signature)":
            return True
    if uri in (alg.EXC_C14N, alg.C14N):
        return False
    raise NotOurs("transform")


def _without(element: etree._Element, signature: etree._Element) -> etree._Element:
    """A copy in which the signature is missing, but not the text behind it."""
    place, steps = signature, []
    while place is not element:
        parent = place.getparent()
        if parent is None:
            raise NotOurs("enveloped signature elsewhere")
        steps.append(parent.index(place))
        place = parent
    copied = deepcopy(element.getroottree()).getroot() if element.getparent() is None else deepcopy(element)
    place = copied
    for step in reversed(steps):
        place = place[step]
    parent, before, tail = place.getparent(), place.getprevious(), place.tail or ""
    assert parent is not None
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    place.tail = None
    parent.remove(place)
    return copied


def by_id(root: etree._Element, value: str) -> etree._Element:
    found = [
        element
        for element in root.iter(etree.Element)
        if value in [element.get(name) for name in ("Id", "ID", "id", "AssertionID", f"{{{ns.WSU}}}Id")]
    ]
    if len(found) != 1:
        raise NotOurs("an id that is not there")
    return found[0]


def offered_keys(signature: etree._Element) -> Iterator[PublicKey]:
    """Every public key that stands in KeyInfo; nobody asked whether to trust it."""
    info = signature.find(f"{DS}KeyInfo")
    if info is None:
        return
    for certificate in info.iter(f"{DS}X509Certificate"):
        yield from _public(lambda der: x509.load_der_x509_certificate(der).public_key(), certificate)
    for encoded in info.iter(f"{DS11}DEREncodedKeyValue"):
        yield from _public(load_der_public_key, encoded)
    for value in info.iter(f"{DS}RSAKeyValue"):
        n, e = (
            int.from_bytes(octets_of(value.find(f"{DS}{part}")), "big") for part in ("Modulus", "Exponent")
        )
        yield rsa.RSAPublicNumbers(e, n).public_key()
    for value in info.iter(f"{DS11}ECKeyValue"):
        curve = value.find(f"{DS11}NamedCurve")
        point = value.find(f"{DS11}PublicKey")
        if curve is not None and point is not None and curve.get("URI") in _CURVES:
            yield ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve.get("URI")], octets_of(point))


def _public(load: Callable[[bytes], Any], element: etree._Element) -> Iterator[PublicKey]:
    try:
        key = load(octets_of(element))
    except Exception:  # noqa: BLE001 - keys of another world
        return
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        yield key


# encryption ----------------------------------------------------------------------------------------


def plaintext_of(
    data: etree._Element,
    secrets: Callable[[str | None], Iterable[bytes]],
    private_keys: Iterable[rsa.RSAPrivateKey],
) -> bytes:
    """Decrypt an EncryptedData, its key by name or from an EncryptedKey in or beside it.

    Raises:
        NotOurs: the house does not do this.
        WSSecurityError: nothing that is at hand decrypts it.
    """
    method = _algorithm(data.find(f"{XENC}EncryptionMethod"))
    if method not in CIPHERS:
        raise NotOurs("encryption method")
    octets = cipher_octets(data)
    found = list(_secrets_for(data, secrets, private_keys))
    if not found:
        raise NotOurs("no key that fits")
    failure = None
    for secret in found:
        if len(secret) != CIPHERS[method].key_bytes:
            continue
        try:
            return decrypt(method, secret, octets)
        except WSSecurityError as error:
            failure = error
    raise failure or WSSecurityError(Reason.DECRYPTION)


def cipher_octets(data: etree._Element) -> bytes:
    value = data.find(f"{XENC}CipherData/{XENC}CipherValue")
    if value is None:
        raise NotOurs("CipherReference")
    return octets_of(value)


def _secrets_for(
    data: etree._Element,
    secrets: Callable[[str | None], Iterable[bytes]],
    private_keys: Iterable[rsa.RSAPrivateKey],
) -> Iterator[bytes]:
    info = data.find(f"{DS}KeyInfo")
    wrapped = [] if info is None else list(info.iter(f"{XENC}EncryptedKey"))
    if info is not None and not wrapped and info.find(f"{DS}RetrievalMethod") is not None:
        root = data.getroottree().getroot()
        wrapped = [by_id(root, one.get("URI", "")[1:]) for one in info.iter(f"{DS}RetrievalMethod")]
    if info is not None and not wrapped:
        for child in info:
            if child.tag not in (f"{DS}KeyName", f"{DS}KeyValue"):
                raise NotOurs("key agreement or derivation")
    for key in wrapped:
        transport_of(key)  # before any key is loaded
    keys = list(private_keys) if wrapped else []
    for key in wrapped:
        yield from unwrapped(key, keys)
    if not wrapped:
        name = None if info is None else info.findtext(f"{DS}KeyName")
        yield from secrets(name)


def transport_of(key: etree._Element) -> KeyTransport:
    """The key transport of an EncryptedKey, when it is one of ours."""
    method = key.find(f"{XENC}EncryptionMethod")
    assert method is not None
    uri = _algorithm(method)
    if uri not in (alg.RSA_15, alg.RSA_OAEP_MGF1P, alg.RSA_OAEP):
        raise NotOurs("key wrap")
    digest, mgf = method.find(f"{DS}DigestMethod"), method.find(f"{{{ns.XENC11}}}MGF")
    if method.find(f"{XENC}OAEPparams") is not None:
        raise NotOurs("OAEPparams")
    transport = KeyTransport(
        uri,
        None if digest is None else _algorithm(digest),
        None if mgf is None else _algorithm(mgf),
    )
    if transport.digest not in {None, *DIGESTS}:
        raise NotOurs("OAEP digest")
    if transport.mgf not in {None, alg.MGF1_SHA1, alg.MGF1_SHA256, alg.MGF1_SHA384, alg.MGF1_SHA512}:
        raise NotOurs("OAEP mask")
    return transport


def unwrapped(key: etree._Element, private_keys: Iterable[rsa.RSAPrivateKey]) -> Iterator[bytes]:
    """What each private key makes of an EncryptedKey; failures give random keys, as they must."""
    transport = transport_of(key)
    for private in private_keys:
        yield unwrap_key(transport, private, cipher_octets(key), _SECRETS, bytes)
