"""The header's children, each in the forms that its standard forbids, with an accepted twin."""

import base64

import pytest

from tests.simulator.bend import element
from tests.simulator.world import authority, issued
from wsprovider.header import (
    binary_security_token,
    derived_key_token,
    encrypted_data,
    encrypted_key,
    fields,
    signature_confirmation,
    token_reference,
    username_token,
)
from wsprovider.header.pki_path import read_pki_path
from wsprovider.header.token_reference import ContextReference
from wsprovider.keyring.material import EmbeddedCertificate
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.words.trust import TRUST_VERSIONS

LIMITS = Limits()
R = Reason


def reason(read, *arguments: object) -> Reason:
    with pytest.raises(WSSecurityError) as refused:
        read(*arguments)
    return refused.value.reason


NONCE = f"<wsc:Nonce>{base64.b64encode(bytes(16)).decode()}</wsc:Nonce>"
SOURCE = '<wsse:SecurityTokenReference><wsse:Reference URI="#k"/></wsse:SecurityTokenReference>'


def derived(inner: str, attributes: str = "") -> derived_key_token.DerivedKeyToken:
    return derived_key_token.read(
        element(f"<wsc:DerivedKeyToken {attributes}>{inner}</wsc:DerivedKeyToken>"), 0, LIMITS
    )


@pytest.mark.parametrize(
    ("inner", "offset", "length"),
    [
        (SOURCE + NONCE, 0, 32),
        (f"{SOURCE}<wsc:Offset>0</wsc:Offset><wsc:Length>24</wsc:Length>{NONCE}", 0, 24),
        (f"{SOURCE}<wsc:Offset> 960 </wsc:Offset><wsc:Length>64</wsc:Length>{NONCE}", 960, 64),
        (f"{SOURCE}<wsc:Generation>2</wsc:Generation><wsc:Length>16</wsc:Length>{NONCE}", 32, 16),
        (f"{SOURCE}<wsc:Label>label</wsc:Label>{NONCE}", 0, 32),
    ],
)
def test_derived_key_tokens(inner, offset, length):
    token = derived(inner)
    assert (token.offset, token.length) == (offset, length)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (NONCE, R.DERIVED_KEY),
        (SOURCE, R.DERIVED_KEY),
        (SOURCE + "<wsc:Nonce/>", R.DERIVED_KEY),
        (SOURCE + "<wsc:Nonce>AAAA</wsc:Nonce>", R.DERIVED_KEY),
        (SOURCE + f"<wsc:Nonce>{'AAAA' * 50}</wsc:Nonce>", R.DERIVED_KEY),
        (SOURCE + "<wsc:Nonce>!</wsc:Nonce>", R.MALFORMED_BASE64),
        (SOURCE + NONCE + NONCE, R.DUPLICATE_HEADER_CHILD),
        (SOURCE + SOURCE + NONCE, R.DUPLICATE_HEADER_CHILD),
        *(
            (f"{SOURCE}<wsc:Length>{value}</wsc:Length>{NONCE}", R.DERIVED_KEY)
            for value in ("0", "15", "65", "-1", "1e1", "", "٣٢", "9999999")
        ),
        *(
            (f"{SOURCE}<wsc:Offset>{value}</wsc:Offset>{NONCE}", R.DERIVED_KEY)
            for value in ("993", "-1", "999999", "x", "1000000")
        ),
        *(
            (f"{SOURCE}<wsc:Generation>{value}</wsc:Generation>{NONCE}", R.DERIVED_KEY)
            for value in ("257", "256", "-1")
        ),
        (f"{SOURCE}<wsc:Offset>0</wsc:Offset><wsc:Generation>0</wsc:Generation>{NONCE}", R.DERIVED_KEY),
        (f"{SOURCE}<wsc:Label/>{NONCE}", R.DERIVED_KEY),
        (f"{SOURCE}<wsc:Label>{'x' * 257}</wsc:Label>{NONCE}", R.DERIVED_KEY),
        (f"{SOURCE}<wsc:Properties/>{NONCE}", R.MALFORMED_HEADER_CHILD),
        (f"{SOURCE}<wsc05:Length>32</wsc05:Length>{NONCE}", R.MALFORMED_HEADER_CHILD),
    ],
)
def test_derived_key_tokens_that_are_refused(inner, expected):
    """L08."""
    assert reason(derived, inner) is expected


def test_derivation_algorithms():
    assert derived(SOURCE + NONCE, f'Algorithm="{alg.P_SHA1_200512}"').length == 32
    assert reason(derived, SOURCE + NONCE, 'Algorithm="urn:x"') is R.UNSUPPORTED_ALGORITHM
    assert reason(derived, SOURCE + NONCE, 'x="y"') is R.MALFORMED_HEADER_CHILD


def _path(*certificates: bytes) -> bytes:
    inner = b"".join(certificates)
    return b"\x30\x83" + len(inner).to_bytes(3) + inner


DER = issued("client").certificate.der
CA = authority().certificate.der


def test_pki_paths():
    assert read_pki_path(_path(CA, DER), LIMITS) == [CA, DER]
    text = base64.b64encode(_path(CA, DER)).decode()
    token = binary_security_token.read(
        element(
            f'<wsse:BinarySecurityToken ValueType="{uris.X509_PKI_PATH}">{text}</wsse:BinarySecurityToken>'
        ),
        0,
        LIMITS,
    )
    assert token.certificate == EmbeddedCertificate(DER, (CA,))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x30", b"\x30\x00", b"\x31\x00", b"\x30\x80\x00\x00", b"\x30\x85\x01\x00\x00\x00\x00", b"\x30\x05\x30\x00",
        b"\x30\x02\x30\x01", b"\x30\x04\x04\x02ab", b"\x30\x84\xff\xff\xff\xff", DER[:-1], _path(CA) + b"x",
    ],
)  # fmt: skip
def test_pki_paths_that_are_refused(data):
    assert reason(read_pki_path, data, LIMITS) is R.MALFORMED_TOKEN


def test_pki_paths_that_are_too_long():
    read_pki_path(_path(*[CA] * 6), LIMITS)
    assert reason(read_pki_path, _path(*[CA] * 7), LIMITS) is R.PATH_TOO_LONG
    read_pki_path(_path(b"\x30\x82\x3f\xfc" + bytes(0x3FFC)), LIMITS)
    assert (
        reason(read_pki_path, _path(b"\x30\x82\x3f\xfd" + bytes(0x3FFD)), LIMITS) is R.CERTIFICATE_TOO_LARGE
    )


ISSUER = "<ds:X509IssuerName>CN=x</ds:X509IssuerName>"
SERIAL = "<ds:X509SerialNumber>{}</ds:X509SerialNumber>"
X509 = "<ds:X509Data><ds:X509IssuerSerial>{}</ds:X509IssuerSerial></ds:X509Data>"
B64 = base64.b64encode(DER).decode()


def read_reference(inner: str) -> token_reference.TokenReference:
    return token_reference.read(
        element(f"<wsse:SecurityTokenReference>{inner}</wsse:SecurityTokenReference>"), LIMITS
    )


@pytest.mark.parametrize(
    "inner",
    [
        '<wsse:Reference URI="#x"/>',
        X509.format(ISSUER + SERIAL.format("12345678901234567890")),
        X509.format(ISSUER + SERIAL.format(" 7\n")),
        f'<wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}" EncodingType="{uris.BASE64_BINARY}">AAAA</wsse:KeyIdentifier>',
        f'<wsse:KeyIdentifier ValueType="{uris.SUBJECT_KEY_IDENTIFIER}">AAAA</wsse:KeyIdentifier>',
        f'<wsse:KeyIdentifier ValueType="{uris.ENCRYPTED_KEY_SHA1}">AAAA</wsse:KeyIdentifier>',
        f'<wsse:KeyIdentifier ValueType="{uris.X509_V3}">{B64}</wsse:KeyIdentifier>',
        f"<ds:X509Data><ds:X509Certificate>{B64}</ds:X509Certificate></ds:X509Data>",
        "<ds:X509Data><ds:X509SKI>AAAA</ds:X509SKI></ds:X509Data>",
        f'<wsse:Embedded><wsse:BinarySecurityToken ValueType="{uris.X509_V3}">{B64}</wsse:BinarySecurityToken></wsse:Embedded>',
    ],
)
def test_references(inner):
    assert read_reference(inner).key is not None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('URI="x"', ContextReference("x")),
        (f'URI="{"u" * 256}"', ContextReference("u" * 256)),
        *(
            (f'URI="urn:x" ValueType="{one.token_type}"', ContextReference("urn:x", one.token_type))
            for one in TRUST_VERSIONS.values()
        ),
        *(
            (f'URI="urn:x" {prefix}:Instance="urn:i"', ContextReference("urn:x", None, "urn:i"))
            for prefix in ("wsc", "wsc05")
        ),
    ],
)
def test_references_to_security_contexts(attributes, expected):
    assert read_reference(f"<wsse:Reference {attributes}/>").key == expected


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (X509.format(ISSUER), R.MALFORMED_REFERENCE),
        (X509.format(SERIAL.format(1)), R.MALFORMED_REFERENCE),
        *(
            (X509.format(ISSUER + SERIAL.format(value)), R.MALFORMED_REFERENCE)
            for value in ("", "-1", "0x1", "1.0", "١", "1" * 51, "1 1")  # noqa: RUF001
        ),
        (X509.format(ISSUER + ISSUER + SERIAL.format(1)), R.DUPLICATE_HEADER_CHILD),
        ("<ds:X509Data/>", R.MALFORMED_REFERENCE),
        ("<ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName></ds:X509Data>", R.UNSUPPORTED_REFERENCE),
        ("<ds:X509Data><ds:X509Certificate/></ds:X509Data>", R.UNSUPPORTED_REFERENCE),
        ("<ds:X509Data><ds:X509CRL>AAAA</ds:X509CRL></ds:X509Data>", R.UNSUPPORTED_REFERENCE),
        (f'<wsse:KeyIdentifier ValueType="{uris.X509_V3}"/>', R.UNSUPPORTED_REFERENCE),
        ("<wsse:Embedded/>", R.UNSUPPORTED_REFERENCE),
        ("<wsse:Embedded><wsse:SecurityTokenReference/></wsse:Embedded>", R.UNSUPPORTED_REFERENCE),
        (
            f'<wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">A AA!</wsse:KeyIdentifier>',
            R.MALFORMED_BASE64,
        ),
        (
            f'<wsse:KeyIdentifier ValueType="{uris.THUMBPRINT_SHA1}">AAB=</wsse:KeyIdentifier>',
            R.MALFORMED_BASE64,
        ),
        (
            f'<wsse:KeyIdentifier x="y" ValueType="{uris.THUMBPRINT_SHA1}">AAAA</wsse:KeyIdentifier>',
            R.MALFORMED_HEADER_CHILD,
        ),
        ('<wsse:Reference URI="#x"><e:x/></wsse:Reference>', R.UNSUPPORTED_REFERENCE),
        ("<wsse:Reference/>", R.UNSUPPORTED_REFERENCE),
        *(
            (f'<wsse:Reference URI="{uri}"/>', R.UNSUPPORTED_REFERENCE)
            for uri in ("", "#", "a&#10;b", "a\N{RIGHT-TO-LEFT OVERRIDE}b", "u" * 257)
        ),
        *(
            (f'<wsse:Reference URI="urn:x" ValueType="{kind}"/>', R.UNSUPPORTED_REFERENCE)
            for kind in ("", uris.X509_V3, uris.ENCRYPTED_KEY, f"{ns.WSC_200512}/dk")
        ),
        ('<wsse:Reference URI="urn:x" x="y"/>', R.MALFORMED_HEADER_CHILD),
        ('<wsse:Reference URI="urn:x"><e:x/></wsse:Reference>', R.UNSUPPORTED_REFERENCE),
    ],
)
def test_references_that_are_refused(inner, expected):
    assert reason(read_reference, inner) is expected


@pytest.mark.parametrize(
    ("text", "octets"), [("", b""), ("AAAA", bytes(3)), ("A A\nA\tA\r", bytes(3)), ("AA==", bytes(1))]
)
def test_base64(text, octets):
    assert fields.decode(text, "x") == octets


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AA",
        "AAA",
        "AA=",
        "A===",
        "AAB=",
        "AB==",
        "AAAA=",
        "=AAA",
        "AA-_",
        "AAAA\u00a0",
        "ＡAAA",  # noqa: RUF001
        "AAAA\0",
        "AA==AA==",
    ],
)
def test_base64_has_one_spelling(text):
    """J05."""
    assert reason(fields.decode, text, "x") is R.MALFORMED_BASE64


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ('<wsse11:SignatureConfirmation Value="AAAA"/>', bytes(3)),
        ("<wsse11:SignatureConfirmation/>", None),
        ('<wsse11:SignatureConfirmation Value=""/>', b""),
    ],
)
def test_signature_confirmations(xml, expected):
    assert signature_confirmation.read(element(xml), 0, LIMITS).value == expected


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<wsse11:SignatureConfirmation>x</wsse11:SignatureConfirmation>", R.MALFORMED_HEADER_CHILD),
        ("<wsse11:SignatureConfirmation><e:x/></wsse11:SignatureConfirmation>", R.MALFORMED_HEADER_CHILD),
        ('<wsse11:SignatureConfirmation Value="!"/>', R.MALFORMED_BASE64),
        (f'<wsse11:SignatureConfirmation Value="{"A" * 20_000}"/>', R.MALFORMED_HEADER_CHILD),
        ('<wsse11:SignatureConfirmation value="AAAA"/>', R.MALFORMED_HEADER_CHILD),
    ],
)
def test_signature_confirmations_that_are_refused(xml, expected):
    assert reason(signature_confirmation.read, element(xml), 0, LIMITS) is expected


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("", R.REFERENCE_LIST),
        ("<xenc:DataReference/>", R.REFERENCE_LIST),
        ('<xenc:DataReference URI="x"/>', R.REFERENCE_LIST),
        ('<xenc:DataReference URI="#x"><e:y/></xenc:DataReference>', R.REFERENCE_LIST),
        ('<xenc:KeyReference URI="#x"/>', R.REFERENCE_LIST),
        ('<xenc:DataReference URI="#x"/><xenc:DataReference URI="#x"/>', R.REFERENCE_LIST),
        ("text", R.MALFORMED_HEADER_CHILD),
    ],
)
def test_reference_lists_that_are_refused(xml, expected):
    read = encrypted_data.read_reference_list
    assert read(
        element('<xenc:ReferenceList><xenc:DataReference URI="#x"/></xenc:ReferenceList>'), LIMITS
    ) == ("x",)
    assert reason(read, element(f"<xenc:ReferenceList>{xml}</xenc:ReferenceList>"), LIMITS) is expected


def test_secrets_do_not_show():
    """P05."""
    token = username_token.read(
        element(
            f'<wsse:UsernameToken><wsse:Username>a</wsse:Username><wsse:Password Type="{uris.PASSWORD_TEXT}">canary</wsse:Password></wsse:UsernameToken>'
        ),
        0,
        LIMITS,
    )
    assert "canary" not in repr(token)
    assert encrypted_key.sha1_of(b"") != b""
    assert ns.WSSE in token_reference.STR
