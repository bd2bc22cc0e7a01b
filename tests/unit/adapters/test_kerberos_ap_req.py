"""Tokens are read strictly before libkrb5 sees them; nothing here needs libkrb5."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.live.forged_tickets import bits, der, integer, name, tagged, text
from wsprovider.adapters.kerberos.ap_req import LARGEST, read_ap_req
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

MECHANISM = bytes.fromhex("06092a864886f712010202")
SPNEGO = bytes.fromhex("06062b0601050502")


def encrypted(enctype=18, kvno=3, cipher=b"x" * 300):
    version = b"" if kvno is None else tagged(1, integer(kvno))
    return der(0x30, tagged(0, integer(enctype)), version, tagged(2, der(0x04, cipher)))


def ap_req(
    *,
    pvno=5,
    kind=14,
    options=None,
    realm=None,
    service=None,
    ticket_version=5,
    enc=None,
    auth=None,
    more=b"",
):
    ticket = der(
        0x61,
        der(
            0x30,
            tagged(0, integer(ticket_version)),
            tagged(1, realm or text("R.EXAMPLE")),
            tagged(2, service or name("HTTP/host")),
            tagged(3, enc or encrypted()),
        ),
    )
    fields = (
        tagged(0, integer(pvno)),
        tagged(1, integer(kind)),
        tagged(2, options or bits(0)),
        tagged(3, ticket),
        tagged(4, auth or encrypted(kvno=None)),
        more,
    )
    return der(0x6E, der(0x30, *fields))


def wrapped(body, mechanism=MECHANISM, kind=b"\x01\x00"):
    return der(0x60, mechanism, kind, body)


def refused(token):
    with pytest.raises(WSSecurityError) as caught:
        read_ap_req(token)
    return caught.value.reason


@pytest.mark.parametrize("size", [10, 100, 300, 40_000])
def test_both_forms_say_the_same_and_end_up_wrapped(size):
    raw = ap_req(enc=encrypted(cipher=b"x" * size))
    for token in (raw, wrapped(raw)):
        found = read_ap_req(token)
        assert found.wrapped == wrapped(raw)
        assert (found.service, found.kvno, found.enctype) == (Principal(("HTTP", "host"), "R.EXAMPLE"), 3, 18)


def test_numbers_of_any_size():
    assert read_ap_req(ap_req(enc=encrypted(enctype=-135, kvno=0xFFFFFFFF))).kvno == 0xFFFFFFFF
    assert read_ap_req(ap_req(enc=encrypted(enctype=-135, kvno=None))).enctype == -135


@pytest.mark.parametrize(
    "token",
    {
        "nothing": b"",
        "text": b"Negotiate",
        "SPNEGO": der(0x60, SPNEGO, b"\xa0\x02\x30\x00"),
        "SPNEGO around it": wrapped(ap_req(), mechanism=SPNEGO),
        "the mechanism's older name": wrapped(ap_req(), mechanism=bytes.fromhex("06092a864882f712010202")),
        "AP-REP's id": wrapped(ap_req(), kind=b"\x02\x00"),
        "an id that makes libkrb5 wait for more": wrapped(ap_req(), kind=b"\x00\x00"),
        "another id of that kind": wrapped(ap_req(), kind=b"\x01\x01"),
        "wrapped twice": wrapped(wrapped(ap_req())),
        "cut off": ap_req()[:-1],
        "something after it": ap_req() + b"\0",
        "something after the wrapped": wrapped(ap_req() + b"\0"),
        "something after the wrapper": wrapped(ap_req()) + b"\0",
        "another field": ap_req(more=tagged(5, integer(1))),
        "indefinite length": b"\x6e\x80" + ap_req()[4:] + b"\0\0",
        "long length": b"\x6e\x84\0\0" + ap_req()[2:],
        "padded length": b"\x6e\x83\0" + ap_req()[2:],
        "version 4": ap_req(pvno=4),
        "AP-REP": ap_req(kind=15),
        "ticket of version 4": ap_req(ticket_version=4),
        "reserved option": ap_req(options=bits(0x80000000)),
        "short options": ap_req(options=der(0x03, b"\0\0")),
        "unused bits": ap_req(options=der(0x03, b"\x01" + bytes(4))),
        "padded integer": ap_req(enc=der(0x30, tagged(0, der(0x02, b"\0\x12")), tagged(2, der(0x04, b"x")))),
        "empty integer": ap_req(enc=der(0x30, tagged(0, der(0x02)), tagged(2, der(0x04, b"x")))),
        "realm in another string": ap_req(realm=der(0x0C, b"R")),
        "realm that is no UTF-8": ap_req(realm=der(0x1B, b"\xff")),
        "name without kind": ap_req(service=der(0x30, tagged(1, der(0x30, text("HTTP"))))),
        "cipher missing": ap_req(auth=der(0x30, tagged(0, integer(18)))),
        "too large": ap_req(enc=encrypted(cipher=bytes(LARGEST))),
    }.items(),
    ids=lambda item: item[0],
)
def test_anything_else_is_no_token(token):
    assert refused(token[1]) is Reason.KERBEROS_TOKEN


def test_what_one_message_cannot_do():
    assert refused(ap_req(options=bits(0x20000000))) is Reason.TICKET_INVALID
    assert refused(ap_req(options=bits(0x40000000))) is Reason.TICKET_INVALID


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\x60", b"\x6e", b"\x60\x0d" + MECHANISM + b"\x01\x00"])
)
@example(b"\x84\xff\xff\xff\xff", b"\x6e")
def test_no_octets_lead_anywhere_else(octets, begin):
    assert refused(begin + octets) is Reason.KERBEROS_TOKEN


@given(st.data())
def test_a_bent_token_is_read_as_something_or_refused(data):
    token = bytearray(wrapped(ap_req()))
    for _ in range(data.draw(st.integers(1, 4))):
        token[data.draw(st.integers(0, len(token) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_ap_req(bytes(token))
    except WSSecurityError as error:
        refusal = error.reason
    else:
        assert found.wrapped == bytes(token)
        return
    assert refusal in {Reason.KERBEROS_TOKEN, Reason.TICKET_INVALID}
