"""Groups F, G and H: signatures, keys and trust, and what checking them may cost."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from wsprovider.attack.bend import (
    BODY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    Change,
    Unbendable,
    attribute,
    duplicate,
    flip,
    insert,
    one,
    remove,
    replace,
    text,
)
from wsprovider.attack.caller import SERVICE, Genuine
from wsprovider.attack.forge import resign
from wsprovider.attack.variants import (
    BST,
    INFO,
    REFERENCE,
    STR,
    Variant,
    built,
    changed,
    each_of,
    emptied,
    forged,
    multiplied,
    octets,
    unreferenced,
)
from wsprovider.header.times import format_time
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.policy.requirements import Protection
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

_VALUE: Final = f"{SIGNATURE}/ds:SignatureValue"
_METHOD: Final = f"{INFO}/ds:SignatureMethod"


def _reference(change: Change) -> Change:
    return each_of(REFERENCE, change)


def _transform(algorithm: str, inner: str = "") -> Change:
    xml = f'<ds:Transform Algorithm="{algorithm}">{inner}</ds:Transform>'
    return _reference(replace("ds:Transforms/ds:Transform", xml))


def _uncovered(path: str) -> Change:
    """The signature no longer covers an element."""

    def change(root: etree._Element) -> None:
        unreferenced(root, one(root, path).get(WSU_ID, ""))

    return change


def _redated(genuine: Genuine) -> bytes:
    """A Timestamp that the signature covers, a moment later."""
    if genuine.requirements.protection is Protection.TRANSPORT:
        raise Unbendable("no signature covers it: TLS keeps it from strangers")
    return genuine.bent(
        text(f"{TIMESTAMP}/wsu:Created", format_time(genuine.caller.now + timedelta(seconds=1)))
    )


def _stranger(genuine: Genuine, subject: x509.Name, size: int = 2048) -> RingSnapshot:
    """A key that nobody knows, with a certificate that it signed itself."""
    key = rsa.generate_private_key(65_537, size)
    now = genuine.caller.now
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    signed = (
        builder.not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pair = KeyPair("stranger", Certificate.from_x509(signed), key)
    ours = genuine.caller.ourselves
    service = genuine.caller.service_certificate
    pinned = () if service is None else (Partner(SERVICE, (service,)),)
    ring = Ring("stranger", (RingKey(pair, frozenset(Purpose)),))
    return RingSnapshot(ring, Trust((PinnedGroup(SERVICE, pinned),), ours.limits), "stranger")


def _by_stranger(subject: str | None) -> Callable[[Genuine], bytes]:
    """Signed by somebody nobody knows, under our own subject or another one."""

    def make(genuine: Genuine) -> bytes:
        if genuine.requirements.protection is not Protection.ASYMMETRIC:
            raise Unbendable("no certificate signs")
        ours = genuine.caller.ourselves.keys.signing_key(genuine.caller.now).certificate.parsed.subject
        name = ours if subject is None else x509.Name.from_rfc4514_string(subject)
        return genuine.other(keys=_stranger(genuine, name))

    return make


def _with_own(genuine: Genuine) -> bytes:
    """The token is the service's own certificate."""
    certificate = genuine.caller.service_certificate
    if certificate is None:
        raise Unbendable("no certificate of the service is known")
    return genuine.forged(text(BST, base64.b64encode(certificate.der).decode("ascii")))


def _by_public_key(genuine: Genuine) -> bytes:
    """HMAC with a public key as the secret (the confusion of kinds of key)."""
    if genuine.requirements.protection is not Protection.ASYMMETRIC:
        raise Unbendable("no certificate signs")
    certificate = genuine.caller.ourselves.keys.signing_key(genuine.caller.now).certificate
    return genuine.bent(attribute(_METHOD, "Algorithm", alg.HMAC_SHA256), resign(secret=certificate.der))


def _many(count: int) -> Change:
    """The first Reference again and again."""

    def change(root: etree._Element) -> None:
        info = one(root, INFO)
        first = etree.tostring(one(root, REFERENCE), with_tail=False)
        for _ in range(count):
            info.append(etree.fromstring(first))

    return change


SIGNATURES = [
    changed("F01", "no signature", remove(SIGNATURE)),
    changed("F01", "an empty SignatureValue", text(_VALUE, "")),
    changed("F01", "one bit of the value", flip(_VALUE)),
    changed("F01", "the value cut", octets(_VALUE, lambda whole: whole[:-1])),
    changed("F01", "the value of zeros", octets(_VALUE, lambda whole: bytes(len(whole)))),
    changed("F01", "a value of one byte", octets(_VALUE, lambda whole: whole[:1])),
    changed("F01", "a value that is no Base64", text(_VALUE, "!!!!")),
    changed("F01", "one bit of a digest", _reference(flip("ds:DigestValue"))),
    changed("F01", "an empty digest", _reference(text("ds:DigestValue", ""))),
    *(changed("F02", f"SignatureMethod {name}", attribute(_METHOD, "Algorithm", uri)) for name, uri in {
        "none": "", "unknown": "urn:x", "a digest": alg.SHA256, "HMAC-MD5": alg.HMAC_MD5,
    }.items()),
    changed("F02", "no SignatureMethod", remove(_METHOD)),
    *(changed("F02", f"DigestMethod {name}", _reference(attribute("ds:DigestMethod", "Algorithm", uri))) for name, uri in {
        "unknown": "urn:x", "MD5": alg.MD5,
    }.items()),
    forged("F02", "CanonicalizationMethod unknown", attribute(f"{INFO}/ds:CanonicalizationMethod", "Algorithm", "urn:x")),
    changed("F05", "HMACOutputLength", insert(_METHOD, "<ds:HMACOutputLength>8</ds:HMACOutputLength>")),
    changed("F05", "HMACOutputLength of none", insert(_METHOD, "<ds:HMACOutputLength>0</ds:HMACOutputLength>")),
    forged("F06", "no Reference", emptied(INFO, f"{{{ns.DS}}}Reference")),
    forged("F06", "the Body not signed", _uncovered(BODY)),
    forged("F06", "the Timestamp not signed", _uncovered(TIMESTAMP)),
    *(forged("F07", f"Reference {name}", _reference(lambda found, uri=uri: found.set("URI", uri))) for name, uri in {  # type: ignore[misc]
        "of the whole document": "", "of a file": "file:///etc/hostname", "of a site": "http://127.0.0.1:1/", "of nothing": "#nothing",
        "by XPointer": "#xpointer(/)", "by XPointer and id": "#xpointer(id('x'))", "of content": "cid:x",
    }.items()),
    forged("F07", "Reference without URI", _reference(lambda found: found.attrib.pop("URI"))),
    *(forged("E12", f"Transform {name}", _transform(algorithm, inner)) for name, algorithm, inner in (
        ("XPath", alg.XPATH, "<ds:XPath>1</ds:XPath>"),
        ("XSLT", alg.XSLT, "<x:stylesheet/>"),
        ("Base64", alg.BASE64, ""),
        ("enveloped-signature", alg.ENVELOPED, ""),
        ("inclusive canonical form", alg.C14N, ""),
        ("with comments", f"{alg.EXC_C14N}WithComments", ""),
        ("unknown", "urn:x", ""),
    )),
    changed("F13", "a Manifest", insert(SIGNATURE, "<ds:Object><ds:Manifest Id='m'/></ds:Object>")),
    changed("F15", "an Object", insert(SIGNATURE, "<ds:Object/>")),
    changed("F16", "EncryptedData in the Signature", insert(SIGNATURE, "<xenc:EncryptedData/>")),
    built("A16", "the Timestamp changed", _redated),
    changed("A16", "SignedInfo changed", _reference(lambda found: found.set("Id", "x"))),
    changed("H11", "an unknown child of SignedInfo", insert(INFO, "<x:x/>")),
    changed("H11", "an unknown child of Reference", _reference(insert(".", "<x:x/>"))),
    changed("H11", "an unknown attribute", attribute(SIGNATURE, "x", "y")),
    forged("H08", "one target twice", _many(1)),
    forged("H08", "a hundred References", _many(100)),
    forged("H07", "a hundred prefixes", _reference(insert("ds:Transforms/ds:Transform", f'<ec:InclusiveNamespaces PrefixList="{" ".join(f"p{i}" for i in range(100))}"/>'))),
    forged("H08", "ten Transforms", _reference(lambda found: [duplicate("ds:Transforms/ds:Transform[1]")(found) for _ in range(9)])),
    changed("H09", "ten signatures", multiplied(SIGNATURE, 9, "s")),
]  # fmt: skip
"""Rows of signatures."""

KEYS: list[Variant] = [
    built("G01", "signed by a key that nobody knows", _by_stranger("CN=nobody")),
    built("G01", "signed by such a key, under our own name", _by_stranger(None)),
    built("G04", "the service's own certificate as the token", _with_own),
    built("F03", "HMAC by our public key", _by_public_key),
    *(changed("G02", name, replace(STR, xml)) for name, xml in {
        "KeyValue": "<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>", "KeyName": "<ds:KeyName>client</ds:KeyName>",
        "DEREncodedKeyValue": f'<k:DEREncodedKeyValue xmlns:k="{ns.DSIG11}"/>', "PGPData": "<ds:PGPData/>",
    }.items()),
    changed("H02", "RetrievalMethod", replace(STR, '<ds:RetrievalMethod URI="file:///etc/hostname"/>')),
    changed("H02", "KeyInfoReference", replace(STR, f'<k:KeyInfoReference xmlns:k="{ns.DSIG11}" URI="#x"/>')),
    changed("G03", "two certificates in X509Data", replace(STR, "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>")),
    changed("G03", "a key and a reference", insert(f"{SIGNATURE}/ds:KeyInfo", "<ds:KeyValue/>")),
    changed("G08", "no certificate in the token", text(BST, "MAAA")),
    changed("G08", "an empty token", text(BST, "")),
    changed("G08", "bytes behind the certificate", octets(BST, lambda whole: whole + b"\0")),
    changed("G08", "one bit of the certificate", flip(BST, octet=40)),
    changed("G08", "a broken PkiPath", attribute(BST, "ValueType", uris.X509_PKI_PATH), text(BST, "MIL/")),
    changed("D07", "a large token", text(BST, "A" * 40_000)),
    changed("G10", "a serial number in hexadecimal", replace(STR, "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>0x10</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>")),
]  # fmt: skip
"""Rows of keys and certificates."""
