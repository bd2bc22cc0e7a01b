"""Signatures: what they may say, and what they must hold: E09 to E19, F, G and H."""

import pytest
from lxml import etree

from tests.attacks.rows import (
    BST,
    EK,
    INFO,
    STR,
    R,
    Row,
    _bare,
    _by_mallory,
    _octets,
    _reference,
    _token_of_mallory,
    _transform,
    _unsigned,
    by_text,
    changed,
    check,
    hostile,
    raw,
)
from tests.simulator.bend import (
    BODY,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    attribute,
    bend,
    duplicate,
    element,
    flip,
    insert,
    one,
    remove,
    replace,
    resign,
    secret_of,
    text,
)
from wsprovider.header import binary_security_token, token_reference
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
TRANSFORMS = {
    "F03 XPath": (XPATH, "<ds:XPath>false()</ds:XPath>"),
    "E12 XPath Filter 2": ("http://www.w3.org/2002/06/xmldsig-filter2", ""),
    "H04 XSLT": ("http://www.w3.org/TR/1999/REC-xslt-19991116", ""),
    "H05 XPath cost": (XPATH, "<ds:XPath>count(//.)</ds:XPath>"),
    "H12 base64": ("http://www.w3.org/2000/09/xmldsig#base64", ""),
    "H12 decryption": ("http://www.w3.org/2002/07/decrypt#XML", ""),
    "E14 enveloped": (alg.ENVELOPED, ""),
    "F03 inclusive": (alg.C14N, ""),
    "F03 with comments": (alg.EXC_C14N + "WithComments", ""),
    "F03 none": ("", ""),
}
URIS = {
    "E10 whole document": "",
    "E10 empty fragment": "#",
    "E10 xpointer root": "#xpointer(/)",
    "E10 xpointer id": "#xpointer(id('x'))",
    "E10 xpointer path": "#xpointer(//b)",
    "H01 http": "http://127.0.0.1:1/",
    "H01 file": "file:///etc/passwd",
    "H01 path": "/etc/passwd",
    "H01 share": "//host/share",
    "H01 data": "data:text/plain,x",
    "H01 cid": "cid:part",
    "H01 relative": "Body",
}

SIGNATURES = [
    changed("F01 signature left out", "3", R.TIMESTAMP_NOT_SIGNED, remove(SIGNATURE)),
    changed("F01 signature left out", "2", R.TIMESTAMP_NOT_SIGNED, remove(SIGNATURE)),
    changed("F01 signature left out", "8", R.SIGNATURE_MISSING, remove(SIGNATURE)),
    changed("F02 no Reference", "3", R.SIGNATURE_STRUCTURE, lambda root: [one(root, INFO).remove(r) for r in one(root, INFO).findall("{*}Reference")]),
    hostile("F02 Body not signed", "3", R.BODY_NOT_SIGNED, _unsigned("Body")),
    hostile("F02 Body not signed", "2", R.BODY_NOT_SIGNED, _unsigned("Body")),
    hostile("F02 Body not signed", "8", R.BODY_NOT_SIGNED, _unsigned("Body")),
    hostile("F02 Timestamp not signed", "3", R.TIMESTAMP_NOT_SIGNED, _unsigned("TS")),
    hostile("F02 Timestamp not signed", "2", R.TIMESTAMP_NOT_SIGNED, _unsigned("TS")),
    hostile("F02 token not signed", "8", R.TOKEN_NOT_SIGNED, _unsigned("UT")),
    *(hostile(f"{name} transform", "3", R.TRANSFORM_NOT_ALLOWED, _reference(_transform(*one_of))) for name, one_of in TRANSFORMS.items()),
    hostile("F03 no transform", "3", R.TRANSFORM_NOT_ALLOWED, _reference(remove("ds:Transforms/ds:Transform"))),
    hostile("F03 no transforms", "3", R.SIGNATURE_STRUCTURE, _reference(remove("ds:Transforms"))),
    hostile("H06 two transforms", "3", R.TRANSFORM_NOT_ALLOWED, _reference(duplicate("ds:Transforms/ds:Transform"))),
    hostile("H06 many transforms", "3", R.TRANSFORM_NOT_ALLOWED, *[_reference(insert("ds:Transforms", f'<ds:Transform Algorithm="{alg.EXC_C14N}"/>'))] * 1000),
    hostile("E12 STR-Transform of the Body", "3", R.REFERENCE_TARGET, _reference(replace("ds:Transforms/ds:Transform", f'<ds:Transform Algorithm="{alg.STR_TRANSFORM}"><wsse:TransformationParameters><ds:CanonicalizationMethod Algorithm="{alg.EXC_C14N}"/></wsse:TransformationParameters></ds:Transform>'))),
    hostile("E19 STR-Transform without parameters", "3", R.TRANSFORM_NOT_ALLOWED, _reference(_transform(alg.STR_TRANSFORM))),
    *(hostile(f"{name}", "3", R.REFERENCE_URI if not value.startswith("#x") or "(" in value else R.REFERENCE_TARGET, _reference(attribute(".", "URI", value))) for name, value in URIS.items()),
    hostile("A13 xml:base, and a relative URI", "3", R.REFERENCE_URI, attribute("/*", f"{{{ns.XML}}}base", "file:///etc/"), _reference(attribute(".", "URI", "passwd"))),
    hostile("E11 no URI", "3", R.REFERENCE_URI, _reference(attribute(".", "URI", None))),
    *(hostile(f"E09 {name}", "3", R.REFERENCE_TARGET, _reference(lambda r, f=f: r.set("URI", f(r.get("URI"))))) for name, f in {
        "space behind": lambda u: u + " ", "tab before": lambda u: "#\t" + u[1:], "other case": lambda u: u.lower(),
        "percent": lambda u: f"#%{ord(u[1]):x}{u[2:]}",
    }.items()),
    *(changed(f"F05 {name}", "3", R.UNSUPPORTED_ALGORITHM, attribute(f"{INFO}/ds:CanonicalizationMethod", "Algorithm", uri)) for name, uri in {
        "inclusive": alg.C14N, "with comments": alg.EXC_C14N + "WithComments", "unknown": "urn:x", "XSLT": "http://www.w3.org/TR/1999/REC-xslt-19991116",
    }.items()),
    *(changed(f"F06 child in {name}", "3", R.MALFORMED_HEADER_CHILD, insert(path, "<e:x/>")) for name, path in {
        "DigestValue": f"({INFO}/ds:Reference)[1]/ds:DigestValue", "SignatureValue": f"{SIGNATURE}/ds:SignatureValue",
        "CipherValue": f"{EK}/xenc:CipherData/xenc:CipherValue", "KeyIdentifier": f"{EK}/ds:KeyInfo/*/wsse:KeyIdentifier",
    }.items()),
    *(raw(f"F06 {name}", "3", R.MALFORMED_BASE64, by_text("<ds:SignatureValue>(.)", "<ds:SignatureValue>" + put)) for name, put in {
        "dash": "-", "padding inside": r"==\1", "letter of another script": "А", "asterisk": r"*\1",  # noqa: RUF001
    }.items()),
    *(hostile(f"F07 {name}", scenario, reason, attribute(f"{INFO}/ds:SignatureMethod", "Algorithm", uri)) for name, scenario, reason, uri in (
        ("RSA with SHA-1", "2", R.ALGORITHM_NOT_IN_SUITE, alg.RSA_SHA1),
    )),
    *(changed(f"F07 {name}", "2", R.ALGORITHM_NOT_IN_SUITE, attribute(f"{INFO}/ds:SignatureMethod", "Algorithm", uri)) for name, uri in {
        "MD5": "http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "DSA": "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        "PSS": "http://www.w3.org/2007/05/xmldsig-more#rsa-pss", "nothing": "urn:none",
    }.items()),
    *(hostile(f"F07 digest {name}", "3", R.ALGORITHM_NOT_IN_SUITE, _reference(attribute("ds:DigestMethod", "Algorithm", uri))) for name, uri in {
        "SHA-1": alg.SHA1, "MD5": "http://www.w3.org/2001/04/xmldsig-more#md5", "unknown": "urn:x",
    }.items()),
    changed("F07 no digest method", "3", R.SIGNATURE_STRUCTURE, _reference(remove("ds:DigestMethod"))),
    *(hostile(f"F08 HMACOutputLength {length}", "3", R.ALGORITHM_PARAMETERS, insert(f"{INFO}/ds:SignatureMethod", f"<ds:HMACOutputLength>{length}</ds:HMACOutputLength>")) for length in ("0", "8", "128", "256", "-1", "x")),
    Row("F09 HMAC keyed by the certificate", "2", (R.KEY_KIND,), lambda w, p: bend(p.data, attribute(f"{INFO}/ds:SignatureMethod", "Algorithm", alg.HMAC_SHA256), resign(secret=w.client.certificate.der))),
    Row("F09 HMAC keyed by the certificate", "3", (R.KEY_KIND,), lambda w, p: bend(p.data, insert(SECURITY, binary_security_token.write("X", w.client.certificate), 0), replace(STR, token_reference.write_local("X", uris.X509_V3)), resign(secret=w.client.certificate.der))),
    hostile("F09 certificate's signature in a symmetric binding", "3", R.ALGORITHM_NOT_IN_SUITE, attribute(f"{INFO}/ds:SignatureMethod", "Algorithm", alg.HMAC_SHA512)),
    changed("F10 one bit of the MAC", "3", R.SIGNATURE_VALUE, flip(f"{SIGNATURE}/ds:SignatureValue")),
    changed("F10 one bit of the MAC's end", "3", R.SIGNATURE_VALUE, flip(f"{SIGNATURE}/ds:SignatureValue", octet=-1)),
    changed("F10 truncated MAC", "3", R.SIGNATURE_VALUE, lambda root: _octets(root, f"{SIGNATURE}/ds:SignatureValue", lambda o: o[:16])),
    changed("F10 empty MAC", "3", R.SIGNATURE_VALUE, text(f"{SIGNATURE}/ds:SignatureValue", "")),
    changed("F11 RSA value one longer", "2", R.SIGNATURE_VALUE, lambda root: _octets(root, f"{SIGNATURE}/ds:SignatureValue", lambda o: b"\0" + o)),
    changed("F11 RSA value of zeros", "2", R.SIGNATURE_VALUE, lambda root: _octets(root, f"{SIGNATURE}/ds:SignatureValue", lambda o: bytes(len(o)))),
    changed("F11 ECDSA zeros", "2", R.SIGNATURE_VALUE, lambda root: _octets(root, f"{SIGNATURE}/ds:SignatureValue", lambda _: bytes(64)), client_key="ec-p256"),
    changed("F11 ECDSA too long", "2", R.SIGNATURE_VALUE, lambda root: _octets(root, f"{SIGNATURE}/ds:SignatureValue", lambda o: b"\0" + o[:32] + b"\0" + o[32:]), client_key="ec-p256"),
    changed("F11 Ed25519 zeros", "2", R.SIGNATURE_VALUE, lambda root: _octets(root, f"{SIGNATURE}/ds:SignatureValue", lambda _: bytes(64)), client_key="ed25519"),
    changed("F13 Manifest in an Object", "3", R.MALFORMED_HEADER_CHILD, insert(SIGNATURE, "<ds:Object><ds:Manifest Id='m'/></ds:Object>")),
    changed("F15 Object", "3", R.MALFORMED_HEADER_CHILD, insert(SIGNATURE, "<ds:Object/>")),
    changed("H11 unknown child of SignedInfo", "3", R.MALFORMED_HEADER_CHILD, insert(INFO, "<e:x/>")),
    changed("H11 unknown child of Reference", "3", R.MALFORMED_HEADER_CHILD, _reference(insert(".", "<e:x/>"))),
    changed("H11 unknown attribute", "3", R.MALFORMED_HEADER_CHILD, attribute(SIGNATURE, "x", "y")),
    changed("E18 second DigestValue", "3", R.DUPLICATE_HEADER_CHILD, _reference(duplicate("ds:DigestValue"))),
    changed("E18 DigestValue elsewhere", "3", R.MALFORMED_HEADER_CHILD, _reference(lambda r: r[2].append(element("<ds:DigestValue>AAAA</ds:DigestValue>")))),
    changed("H08 31 References", "3", R.TOO_MANY_REFERENCES, lambda root: [one(root, INFO).append(etree.fromstring(etree.tostring(one(root, f"({INFO}/ds:Reference)[1]")))) for _ in range(30)]),
    changed("H08 one target twice", "3", R.REFERENCE_TWICE, lambda root: one(root, INFO).append(etree.fromstring(etree.tostring(one(root, f"({INFO}/ds:Reference)[1]"))))),
    changed("H07 33 prefixes", "3", R.TOO_MANY_PREFIXES, _reference(insert("ds:Transforms/ds:Transform", f'<ec:InclusiveNamespaces PrefixList="{" ".join(f"p{i}" for i in range(33))}"/>'))),
    changed("H07 no prefix", "3", R.ALGORITHM_PARAMETERS, _reference(insert("ds:Transforms/ds:Transform", '<ec:InclusiveNamespaces PrefixList="a:b"/>'))),
    changed("H09 five signatures", "3", R.TOO_MANY_SIGNATURES, lambda root: [one(root, SECURITY).append(_bare(root, i)) for i in range(4)]),
    changed("H02 RetrievalMethod", "2", R.UNSUPPORTED_REFERENCE, replace(STR, '<ds:RetrievalMethod URI="file:///etc/passwd"/>')),
    changed("H02 KeyInfoReference", "2", R.UNSUPPORTED_REFERENCE, replace(STR, '<k:KeyInfoReference xmlns:k="http://www.w3.org/2009/xmldsig11#" URI="#x"/>')),
    *(changed(f"G02 {name}", "2", R.UNSUPPORTED_REFERENCE, replace(STR, xml)) for name, xml in {
        "KeyValue": "<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>", "KeyName": "<ds:KeyName>client</ds:KeyName>",
        "DEREncodedKeyValue": '<k:DEREncodedKeyValue xmlns:k="http://www.w3.org/2009/xmldsig11#"/>', "PGP": "<ds:PGPData/>",
    }.items()),
    changed("G03 two certificates in X509Data", "2", R.MALFORMED_REFERENCE, replace(STR, "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>")),
    changed("G03 key and certificate", "2", R.MALFORMED_REFERENCE, insert(f"{SIGNATURE}/ds:KeyInfo", "<ds:KeyValue/>")),
    changed("G08 no certificate", "2", R.MALFORMED_CERTIFICATE, text(BST, "MAAA")),
    changed("G08 empty token", "2", R.MALFORMED_TOKEN, text(BST, "")),
    changed("G08 trailing bytes", "2", R.MALFORMED_CERTIFICATE, lambda root: _octets(root, BST, lambda o: o + b"\0")),
    changed("G08 broken PkiPath", "2", R.MALFORMED_TOKEN, attribute(BST, "ValueType", uris.X509_PKI_PATH), text(BST, "MIL/")),
    changed("G10 serial in hexadecimal", "2", R.MALFORMED_REFERENCE, replace(STR, "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=Test CA</ds:X509IssuerName><ds:X509SerialNumber>0x10</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>")),
    changed("G10 negative serial", "2", R.MALFORMED_REFERENCE, replace(STR, "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=Test CA</ds:X509IssuerName><ds:X509SerialNumber>-1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>")),
    changed("E15 a stranger's signature before", "2", (R.CERTIFICATE_NOT_TRUSTED, R.OWN_CERTIFICATE), lambda root: one(root, SECURITY).insert(1, _by_mallory(root)), lambda root: one(root, SECURITY).insert(1, _token_of_mallory())),
    changed("E15 a stranger's signature behind", "2", R.CERTIFICATE_NOT_TRUSTED, lambda root: one(root, SECURITY).append(_by_mallory(root)), lambda root: one(root, SECURITY).insert(1, _token_of_mallory())),
    changed("A16 Body changed", "2", R.DIGEST_MISMATCH, text(f"{BODY}//e:text", "forged")),
    changed("A16 Timestamp changed", "2", R.DIGEST_MISMATCH, text(f"{TIMESTAMP}/wsu:Expires", "2026-06-01T12:04:00Z")),
    changed("A16 SignedInfo changed", "2", R.SIGNATURE_VALUE, _reference(lambda r: r.set("Id", "x"))),
    changed("A12 XInclude in the Body", "2", R.DIGEST_MISMATCH, replace(f"{BODY}//e:text", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>')),
    Row("F04 relative namespace", "3", (R.CANONICALIZATION,), lambda w, p: p.data.replace(b"hello", b'<n:x xmlns:n="1"/>')),
    Row("F04 digest of nothing", "3", (R.CANONICALIZATION,), lambda w, p: bend(p.data.replace(b"hello", b'<n:x xmlns:n="1"/>'), text(f"({INFO}/ds:Reference)[1]/ds:DigestValue", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), resign(secret=secret_of(p), digests=False))),
    changed("D08 two signatures that hold", "3", (R.SIGNATURE_UNEXPECTED, R.TIMESTAMP_NOT_SIGNED), lambda root: one(root, SECURITY).append(_bare(root, 1))),
]  # fmt: skip


@pytest.mark.parametrize("row", SIGNATURES, ids=str)
def test_is_refused(row):
    check(row)
