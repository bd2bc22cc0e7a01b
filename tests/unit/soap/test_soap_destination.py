"""wsa:To against the endpoint's addresses: host and port as RFC 3986 compares them, path as it is."""

import pytest

from wsprovider.soap.addressing import WSA_200508, Addressing, check_request
from wsprovider.words.errors import SoapError
from wsprovider.words.reasons import Reason

OURS = "https://services.example.org/soap/echo"


def check(to, addresses=(OURS,)):
    check_request(Addressing(WSA_200508, to, None, None, (), ()), path="/echo", addresses=addresses)


@pytest.mark.parametrize(
    "to",
    [
        OURS,
        None,
        WSA_200508.anonymous,
        "https://services.example.org:443/soap/echo",
        "https://SERVICES.example.org/soap/echo",
        "https://services.example.org/echo",
    ],
)
def test_ours(to):
    check(to)


@pytest.mark.parametrize(
    "to",
    [
        "https://services.example.org:8443/soap/echo",
        "http://services.example.org/soap/echo",
        "https://services.example.org.evil.example/soap/echo",
        "https://services.example.org@evil.example/soap/echo",
        "https://services.example.org/soap/other",
        "https://services.example.org:99999/soap/echo",
        "https://services.example.org:x/soap/echo",
        "https://[::1/soap/echo",
        "urn:somebody",
    ],
)
def test_not_ours(to):
    with pytest.raises(SoapError) as refused:
        check(to)
    assert refused.value.reason is Reason.ADDRESSING_TO


def test_without_addresses_the_path_alone_counts():
    check("http://anywhere.example/echo", ())
    with pytest.raises(SoapError):
        check("http://anywhere.example/other", ())
