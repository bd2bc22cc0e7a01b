"""The structure of the Security header: D01 to D09."""

import pytest

from tests.attacks.rows import (
    BST,
    INFO,
    STR,
    UT,
    R,
    _renamed,
    beside,
    changed,
    check,
    hostile,
)
from tests.simulator.bend import (
    BODY,
    HEADER,
    NS,
    SECURITY,
    SIGNATURE,
    TIMESTAMP,
    WSU_ID,
    attribute,
    duplicate,
    insert,
    move,
    one,
    remove,
    replace,
    text,
)
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

SAML_ELSEWHERE = (
    f'<wsse:SecurityTokenReference><a:AuthorityBinding xmlns:a="{ns.SAML1}" AuthorityKind="a:Query" Binding="urn:x" '
    'Location="http://127.0.0.1:1/"/><wsse:KeyIdentifier ValueType="http://docs.oasis-open.org/wss/'
    'oasis-wss-saml-token-profile-1.0#SAMLAssertionID">x</wsse:KeyIdentifier></wsse:SecurityTokenReference>'
)
"""SAML Token Profile 1.1, section 3.4: an assertion that somebody else holds."""

HEADERS = [
    changed("D01 no header", "3", R.NO_SECURITY_HEADER, remove(SECURITY)),
    changed("D01 no header", "1", R.NO_SECURITY_HEADER, remove(SECURITY)),
    changed("D01 empty header", "3", R.TIMESTAMP_MISSING, lambda root: [one(root, SECURITY).remove(c) for c in list(one(root, SECURITY))]),
    *(changed(f"D02 unknown child {name}", "3", R.UNKNOWN_HEADER_CHILD, insert(SECURITY, xml)) for name, xml in {
        "no namespace": "<x/>",
        "draft": '<w:Timestamp xmlns:w="http://schemas.xmlsoap.org/ws/2002/07/utility"/>',
        "draft token": '<w:UsernameToken xmlns:w="http://schemas.xmlsoap.org/ws/2003/06/secext"/>',
        "STR": "<wsse:SecurityTokenReference/>",
        "EncryptedHeader": "<wsse11:EncryptedHeader/>",
        "nested Security": "<wsse:Security/>",
        "SAML": '<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/>',
        "KeyInfo": "<ds:KeyInfo/>",
    }.items()),
    changed("M13 assertion of another site", "3", R.MALFORMED_REFERENCE, replace(STR, SAML_ELSEWHERE)),
    *(changed(name, "3", R.UNKNOWN_HEADER_CHILD, insert(SECURITY, xml)) for name, xml in {
        "M01 assertion of SAML 2.0": f'<a:Assertion xmlns:a="{ns.SAML2}" ID="x" Version="2.0"><a:Issuer>x</a:Issuer></a:Assertion>',
        "M01 assertion of SAML 1.1": f'<a:Assertion xmlns:a="{ns.SAML1}" AssertionID="x" MajorVersion="1" MinorVersion="1"/>',
        "M04 EncryptedAssertion": f'<a:EncryptedAssertion xmlns:a="{ns.SAML2}"/>',
    }.items()),
    changed("D02 text between", "3", R.MALFORMED_HEADER_CHILD, text(SECURITY, "x")),
    changed("D02 value type", "2", R.UNSUPPORTED_TOKEN, attribute(BST, "ValueType", uris.X509_PKCS7)),
    changed("D02 no value type", "2", R.UNSUPPORTED_TOKEN, attribute(BST, "ValueType", None)),
    changed("D02 encoding type", "2", R.UNSUPPORTED_TOKEN, attribute(BST, "EncodingType", uris.BASE64_BINARY.replace("Base64", "Hex"))),
    changed("D03 two Timestamps", "3", R.DUPLICATE_ID, duplicate(TIMESTAMP)),
    changed("D03 two Timestamps", "3", R.DUPLICATE_HEADER_CHILD, insert(SECURITY, "<wsu:Timestamp><wsu:Created>2026-06-01T12:00:00Z</wsu:Created></wsu:Timestamp>")),
    changed("D03 two Created", "3", R.DUPLICATE_HEADER_CHILD, duplicate(f"{TIMESTAMP}/wsu:Created")),
    changed("D03 two Expires", "3", R.DUPLICATE_HEADER_CHILD, duplicate(f"{TIMESTAMP}/wsu:Expires")),
    changed("D03 two Username", "1", R.DUPLICATE_HEADER_CHILD, duplicate(f"{UT}/wsse:Username")),
    changed("D03 two Password", "1", R.DUPLICATE_HEADER_CHILD, duplicate(f"{UT}/wsse:Password")),
    changed("D03 two Nonce", "1", R.DUPLICATE_HEADER_CHILD, duplicate(f"{UT}/wsse:Nonce"), digest=True),
    changed("D03 two Created in the token", "1", R.DUPLICATE_HEADER_CHILD, duplicate(f"{UT}/wsu:Created"), digest=True),
    changed("D03 two UsernameTokens", "1", R.DUPLICATE_HEADER_CHILD, duplicate(UT), lambda root: root.xpath("(//wsse:UsernameToken)[2]", namespaces=NS)[0].attrib.clear()),
    changed("D03 two SignatureValue", "3", R.DUPLICATE_HEADER_CHILD, duplicate(f"{SIGNATURE}/ds:SignatureValue")),
    changed("D03 two SignedInfo", "3", R.DUPLICATE_HEADER_CHILD, duplicate(INFO)),
    changed("D03 two KeyInfo", "3", R.DUPLICATE_HEADER_CHILD, duplicate(f"{SIGNATURE}/ds:KeyInfo")),
    changed("D03 two BSTs of one id", "2", R.DUPLICATE_ID, duplicate(BST)),
    changed("D04 token behind its signature, Strict", "2", R.LAYOUT, move(BST, SECURITY)),
    changed("D04 token behind its signature, Strict", "5", R.LAYOUT, move(BST, SECURITY)),
    *(changed(f"D05 STR {name}", "3", reason, replace(STR, f"<wsse:SecurityTokenReference>{xml}</wsse:SecurityTokenReference>")) for name, reason, xml in (
        ("without a child", R.MALFORMED_REFERENCE, ""),
        ("with two", R.MALFORMED_REFERENCE, '<wsse:Reference URI="#a"/><wsse:Reference URI="#b"/>'),
        ("of an STR", R.UNSUPPORTED_REFERENCE, "<wsse:SecurityTokenReference/>"),
        ("of KeyName", R.UNSUPPORTED_REFERENCE, "<ds:KeyName>x</ds:KeyName>"),
        ("of KeyInfo", R.UNSUPPORTED_REFERENCE, "<ds:KeyInfo/>"),
        ("of another site", R.UNSUPPORTED_REFERENCE, '<wsse:Reference URI="http://127.0.0.1:1/"/>'),
        ("of a file", R.UNSUPPORTED_REFERENCE, '<wsse:Reference URI="file:///etc/passwd"/>'),
        ("without URI", R.UNSUPPORTED_REFERENCE, "<wsse:Reference/>"),
        ("of nothing", R.UNRESOLVED_REFERENCE, '<wsse:Reference URI="#nothing"/>'),
        ("of nobody", R.UNRESOLVED_REFERENCE, f'<wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier>'),
        ("of an earlier key", R.UNRESOLVED_REFERENCE, f'<wsse:KeyIdentifier ValueType="{uris.ENCRYPTED_KEY_SHA1}">AAAA</wsse:KeyIdentifier>'),
        ("of an unknown kind", R.UNSUPPORTED_REFERENCE, '<wsse:KeyIdentifier ValueType="urn:x">AAAA</wsse:KeyIdentifier>'),
        ("of no kind", R.UNSUPPORTED_REFERENCE, "<wsse:KeyIdentifier>AAAA</wsse:KeyIdentifier>"),
        ("in hexadecimal", R.UNSUPPORTED_REFERENCE, f'<wsse:KeyIdentifier EncodingType="urn:hex" ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier>'),
        ("of an embedded Timestamp", R.UNSUPPORTED_REFERENCE, "<wsse:Embedded><wsu:Timestamp/></wsse:Embedded>"),
        ("with text", R.MALFORMED_HEADER_CHILD, "x"),
    )),
    changed("D05 STR of the Timestamp", "3", R.UNSUPPORTED_REFERENCE, lambda root: one(root, f"{STR}/wsse:Reference").set("URI", "#" + one(root, TIMESTAMP).get(WSU_ID))),
    changed("D05 STR outside this header", "3", R.UNRESOLVED_REFERENCE, lambda root: one(root, f"{STR}/wsse:Reference").set("URI", "#" + one(root, BODY).get(WSU_ID))),
    changed("D05 STR to itself", "3", R.UNRESOLVED_REFERENCE, attribute(STR, WSU_ID, "me"), attribute(f"{STR}/wsse:Reference", "URI", "#me")),
    changed("D05 two KeyInfo children", "3", R.MALFORMED_REFERENCE, insert(f"{SIGNATURE}/ds:KeyInfo", "<ds:KeyName>x</ds:KeyName>")),
    changed("D06 moved into another header", "3", R.NO_SECURITY_HEADER, beside("<e:box/>"), move(SECURITY, f"{HEADER}/e:box")),
    changed("D06 moved into the Body", "3", R.NO_SECURITY_HEADER, move(SECURITY, f"{BODY}/*")),
    changed("D07 many children", "3", R.TOO_MANY_HEADER_CHILDREN, *(insert(SECURITY, "<wsu:Timestamp/>") for _ in range(41))),
    changed("D07 many tokens", "2", R.TOO_MANY_TOKENS, lambda root: [one(root, SECURITY).append(_renamed(one(root, f"({BST})[1]"), f"b{i}")) for i in range(6)]),
    changed("D07 large token", "2", R.FIELD_TOO_LONG, text(BST, "A" * 20_000)),
    hostile("D09 SignatureConfirmation in a request", "3", R.SIGNATURE_CONFIRMATION_IN_REQUEST, insert(SECURITY, "<wsse11:SignatureConfirmation/>", 0)),
    hostile("D09 fault as request", "3", R.NOT_AN_INPUT, replace(f"{BODY}/*", "<s:Fault/>")),
    hostile("D09 reply as request", "3", R.NOT_AN_INPUT, replace(f"{BODY}/*", "<e:echoResponse/>")),
]  # fmt: skip


@pytest.mark.parametrize("row", HEADERS, ids=str)
def test_is_refused(row):
    check(row)
