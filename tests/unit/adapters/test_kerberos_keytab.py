"""The form of keytabs, names of principals, names of encryption types; nothing here needs libkrb5."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsprovider.adapters.kerberos.enctypes import NUMBERS, USUAL, enctype_names, enctype_numbers
from wsprovider.adapters.kerberos.keytab import KeytabKey, parse_keytab, write_keytab
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.words.errors import ConfigurationError

HTTP = Principal(("HTTP", "host.example.com"), "EXAMPLE.COM")
ONE, TWO = KeytabKey(HTTP, 1, 18, b"k" * 32), KeytabKey(HTTP, 300, 17, b"q" * 16)

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
principals = st.builds(Principal, st.lists(names, max_size=4).map(tuple), names)
keys = st.builds(
    KeytabKey, principals, st.integers(0, 2**32 - 1), st.integers(0, 65535), st.binary(max_size=64)
)


@given(st.lists(keys, max_size=5))
def test_what_is_written_is_read(some):
    assert list(parse_keytab(write_keytab(some))) == some


def test_holes_are_passed_over_and_a_size_of_zero_ends_the_file():
    one, two = write_keytab([ONE])[2:], write_keytab([TWO])[2:]
    hole = struct.pack(">i", -len(one[4:])) + one[4:]
    assert parse_keytab(b"\x05\x02" + hole + two + hole) == (TWO,)
    assert parse_keytab(b"\x05\x02" + one + bytes(4) + b"whatever") == (ONE,)
    assert parse_keytab(b"\x05\x02") == ()


def test_an_entry_without_the_long_version():
    entry = write_keytab([ONE])[6:-4]
    assert parse_keytab(b"\x05\x02" + struct.pack(">i", len(entry)) + entry) == (ONE,)
    longer = entry + bytes(4)
    assert parse_keytab(b"\x05\x02" + struct.pack(">i", len(longer)) + longer) == (ONE,)


@pytest.mark.parametrize(
    "content", [b"", b"\x05", b"\x05\x01rest", b"PEM", write_keytab([ONE])[:-1], b"\x05\x02\x80\0\0\0"]
)
def test_what_is_no_keytab(content):
    with pytest.raises(ValueError, match=r"keytab"):
        parse_keytab(content)


@given(st.binary(max_size=200))
def test_no_octets_lead_anywhere_else(octets):
    said = "a keytab"
    try:
        parse_keytab(b"\x05\x02" + octets)
    except ValueError as error:
        said = str(error)
    assert "keytab" in said


def test_keys_are_not_shown():
    assert "kkk" not in repr(ONE)
    assert ONE.key.hex() not in repr(ONE)


@pytest.mark.parametrize("text", ["HTTP/host.example.com@EXAMPLE.COM", "esb@R", "a/b/c@R"])
def test_principals_are_read_and_written(text):
    assert str(Principal.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "HTTP/host", "@R", "HTTP/@R", "a@", "a@b@c", "a\\@b@c", "a b@R", "a/b@R/S"]
)
def test_what_is_no_principal_of_ours(text):
    with pytest.raises(ValueError, match="is written HTTP/"):
        Principal.parse(text)


def test_a_strange_name_is_written_with_escapes_and_the_usual_salt_has_none():
    assert str(Principal(("a/b", "c@d\n"), "R")) == "a\\/b/c\\@d\\n@R"
    assert HTTP.usual_salt == "EXAMPLE.COMHTTPhost.example.com"


def test_encryption_types_by_name():
    assert enctype_numbers(USUAL) == {17, 18, 19, 20}
    assert enctype_numbers(["aes256-cts", "arcfour-hmac"]) == {18, 23}
    assert enctype_names([23, 18, 99]) == "aes256-cts-hmac-sha1-96, rc4-hmac, 99"
    assert not {"rc4-hmac", "des-cbc-md5", "des-cbc-crc", "des3-cbc-sha1"} & set(USUAL)
    assert set(USUAL) < set(NUMBERS)
    with pytest.raises(ConfigurationError, match="'aes512' is no encryption type; there are aes128"):
        enctype_numbers(["aes512", "aes256-cts"])
    with pytest.raises(ConfigurationError, match="at least one"):
        enctype_numbers([])
