"""Kerberos tokens in a header, and references to them (Kerberos Token Profile 1.1, section 3)."""

import base64

import pytest
from lxml import etree

from tests.simulator.bend import WSU_ID, element
from wsprovider.header import kerberos_token
from wsprovider.header import token_reference as str_
from wsprovider.header.token_reference import LocalReference, TicketReference
from wsprovider.words import namespaces as ns
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml import canonical

RAW, GSS = uris.KERBEROS_AP_REQ, uris.KERBEROS_GSS_AP_REQ
LIMITS = Limits(ticket_bytes=100)
SHA1 = bytes(range(20))


def token(octets: bytes | str, value_type: str = GSS, attributes: str = "") -> etree._Element:
    value = octets if isinstance(octets, str) else base64.b64encode(octets).decode()
    return element(
        f'<wsse:BinarySecurityToken ValueType="{value_type}"{attributes}>{value}</wsse:BinarySecurityToken>'
    )


@pytest.mark.parametrize("year", ["", "1510", "4120"])
@pytest.mark.parametrize(("kind", "first"), [(GSS, b"\x60"), (RAW, b"\x6e")])
def test_forms(kind, first, year):
    octets = first + b"rest"
    found = kerberos_token.read(token(octets, kind + year), 3, LIMITS)
    assert (found.index, found.value_type, found.octets) == (3, kind + year, octets)
    other = b"\x6e" if first == b"\x60" else b"\x60"
    with pytest.raises(WSSecurityError) as caught:
        kerberos_token.read(token(other + b"rest", kind + year), 3, LIMITS)
    assert caught.value.reason is Reason.KERBEROS_TOKEN


def test_value_types():
    assert {
        f"{kind}{year}" for kind in (RAW, GSS) for year in ("", "1510", "4120")
    } == kerberos_token.VALUE_TYPES


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (token(b"\x60" + bytes(99)), None),
        (token(b"\x60" + bytes(100)), Reason.TICKET_TOO_LARGE),
        (token("YA==" + " " * 196), None),
        (token("YA==" + " " * 197), Reason.TICKET_TOO_LARGE),
        (token("Y\n A\t=="), None),
        (token(" Y A = = \n"), None),
        (token(""), Reason.KERBEROS_TOKEN),
        (token("x"), Reason.MALFORMED_BASE64),
        (token("YB=="), Reason.MALFORMED_BASE64),
        (token("YA=="), None),
        (token("\u0420A=="), Reason.MALFORMED_BASE64),
        (token("YA==<!---->"), Reason.KERBEROS_TOKEN),
        (token("<e:x/>"), Reason.KERBEROS_TOKEN),
        (token(b"\x60", attributes=f' EncodingType="{uris.BASE64_BINARY}"'), None),
        (token(b"\x60", attributes=' EncodingType="#Base64Binary"'), Reason.UNSUPPORTED_TOKEN),
        (token(b"\x60", attributes=' EncodingType=""'), Reason.UNSUPPORTED_TOKEN),
        (token(b"\x60", attributes=' wsu:Id="x"'), None),
        (token(b"\x60", attributes=' Id="x"'), Reason.MALFORMED_HEADER_CHILD),
    ],
)
def test_tokens(found, reason):
    if reason is None:
        assert kerberos_token.read(found, 0, LIMITS).octets[:1] == b"\x60"
        return
    with pytest.raises(WSSecurityError) as caught:
        kerberos_token.read(found, 0, LIMITS)
    assert caught.value.reason is reason


def test_a_token_of_ours():
    written = kerberos_token.write("KRB-1", b"\x60token")
    root = etree.fromstring(written)
    assert canonical.exclusive(root, ()) == written
    assert root.get(WSU_ID) == "KRB-1"
    assert kerberos_token.read(root, 0, LIMITS).octets == b"\x60token"


def test_its_octets_are_not_shown():
    assert "secret" not in repr(kerberos_token.read(token(b"\x60secret"), 0, LIMITS))


def test_references():
    written = str_.write_key_identifier(uris.KERBEROS_AP_REQ_SHA1, SHA1)
    assert str_.read(etree.fromstring(written), LIMITS).key == TicketReference(SHA1)
    local = str_.read(etree.fromstring(str_.write_local("KRB-1", GSS)), LIMITS)
    assert local.key == LocalReference("KRB-1", GSS)
    derived = str_.with_implied(written, ns.WSC_200512, bytes(16), 32)
    implied = str_.read(etree.fromstring(derived), LIMITS)
    assert implied.key == TicketReference(SHA1)
    assert implied.implied is not None


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ('ValueType="{}">AAAA', None),
        ('ValueType="{}" EncodingType="x">AAAA', Reason.UNSUPPORTED_REFERENCE),
        ('ValueType="{}">A', Reason.MALFORMED_BASE64),
        ('ValueType="{}"><e:x/>', Reason.MALFORMED_HEADER_CHILD),
        ('ValueType="{}x">AAAA', Reason.UNSUPPORTED_REFERENCE),
        (">AAAA", Reason.UNSUPPORTED_REFERENCE),
    ],
)
def test_names(inner, reason):
    """WSO2 leaves the EncodingType out."""
    said = inner.format(uris.KERBEROS_AP_REQ_SHA1)
    found = element(
        f"<wsse:SecurityTokenReference><wsse:KeyIdentifier {said}</wsse:KeyIdentifier></wsse:SecurityTokenReference>"
    )
    if reason is None:
        assert str_.read(found, LIMITS).key == TicketReference(bytes(3))
        return
    with pytest.raises(WSSecurityError) as caught:
        str_.read(found, LIMITS)
    assert caught.value.reason is reason
