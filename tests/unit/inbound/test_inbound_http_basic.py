"""Authorization headers: what is read, and what is none of RFC 7617's."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsprovider.inbound.http_basic import BasicCredentials, challenge, read, written
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

LIMITS = Limits()
ALICE = BasicCredentials("alice", "secret")


def header(text: bytes, scheme: str = "Basic ") -> str:
    return scheme + base64.b64encode(text).decode("ascii")


def test_the_examples_of_the_standard_are_read():
    assert read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", LIMITS) == BasicCredentials("Aladdin", "open sesame")
    assert read("Basic dGVzdDoxMjPCow==", LIMITS) == BasicCredentials("test", "123£")


@pytest.mark.parametrize("scheme", ["basic ", "BASIC ", "Basic   ", " Basic "])
def test_the_scheme_in_any_case_and_more_spaces(scheme):
    assert read(header(b"alice:secret", scheme) + " ", LIMITS) == ALICE


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        (b"alice:a:b:", BasicCredentials("alice", "a:b:")),
        (b"alice:", BasicCredentials("alice", "")),
        ("jörg:grüße ☃".encode(), BasicCredentials("jörg", "grüße ☃")),
        (b" alice:secret", BasicCredentials(" alice", "secret")),
    ],
)
def test_the_first_colon_parts_the_name_from_the_password(text, read_as):
    assert read(header(text), LIMITS) == read_as


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", Reason.BASIC_MALFORMED),
        ("Basic", Reason.BASIC_MALFORMED),
        ("Basic ", Reason.BASIC_MALFORMED),
        (header(b"alice:secret", "Basic"), Reason.BASIC_MALFORMED),
        (header(b"alice:secret", "Basic\t"), Reason.BASIC_MALFORMED),
        (header(b"alice:secret", "Bearer "), Reason.BASIC_MALFORMED),
        (header(b"alice:secret", ""), Reason.BASIC_MALFORMED),
        (f"{header(b'alice:secret')},{header(b'alice:secret')}", Reason.BASIC_MALFORMED),
        (f"{header(b'alice:secret')}, {header(b'alice:secret')}", Reason.BASIC_MALFORMED),
        (f"{header(b'alice:secret')} extra", Reason.BASIC_MALFORMED),
        (header(b"alice:secret").replace("Y", "\u0423"), Reason.BASIC_MALFORMED),
        (header(b"alice:secret").replace("Y", "-"), Reason.BASIC_MALFORMED),
        (header(b"alice secret"), Reason.BASIC_MALFORMED),
        (header(b":secret"), Reason.BASIC_MALFORMED),
        (header(b" :secret"), Reason.BASIC_MALFORMED),
        (header(b"alice:sec\x00ret"), Reason.BASIC_MALFORMED),
        (header(b"ali\nce:secret"), Reason.BASIC_MALFORMED),
        (header(b"alice:secret\x7f"), Reason.BASIC_MALFORMED),
        (header("jörg:secret".encode("latin-1")), Reason.BASIC_MALFORMED),
        (header(b"alice:\xed\xa0\x80"), Reason.BASIC_MALFORMED),
        ("Basic YWxpY2U6c2VjcmV0=", Reason.MALFORMED_BASE64),
        ("Basic YWxpY2U6c2VjcmU", Reason.MALFORMED_BASE64),
        ("Basic YWxpY2U6c2VjcmV=", Reason.MALFORMED_BASE64),
        (header(b"alice:" + b"x" * 20_000), Reason.FIELD_TOO_LONG),
    ],
)
def test_what_is_none_is_refused_beside_its_twin(value, reason):
    with pytest.raises(WSSecurityError) as refused:
        read(value, LIMITS)
    assert refused.value.reason is reason
    assert "secret" not in str(refused.value)
    assert read(header(b"alice:secret"), LIMITS) == ALICE


@given(st.text(max_size=300) | st.binary(max_size=200).map(header))
def test_whatever_comes_is_read_or_refused(value):
    try:
        found = read(value, LIMITS)
    except WSSecurityError:
        return
    assert read(written(found.name, found.password), LIMITS) == found


@pytest.mark.parametrize(("name", "password"), [("a:b", "c"), ("a\n", "b"), ("a", "\x00")])
def test_what_cannot_be_said_is_not_written(name, password):
    with pytest.raises(ValueError, match="HTTP Basic"):
        written(name, password)
    assert read(written("a", "b:c"), LIMITS) == BasicCredentials("a", "b:c")


def test_nothing_shows_a_password():
    assert "secret" not in repr(ALICE)
    assert "alice" in repr(ALICE)


def test_the_challenge_names_realm_and_encoding():
    assert challenge("ledger/x") == 'Basic realm="ledger/x", charset="UTF-8"'
