"""Subject rules: full matches on parsed names, and the games people play with names (G06)."""

import time

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.simulator import pki
from wsprovider.keyring.subjects import SubjectRule


def raw(*attributes):
    return x509.Name([x509.NameAttribute(oid, value, _validate=False) for oid, value in attributes])


CN, O, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME  # noqa: E741


@pytest.mark.parametrize(
    ("rule", "subject", "fits"),
    [
        ({"CN": "client-*", "O": "Bank"}, "CN=client-1,O=Bank", True),
        ({"CN": "client-*", "O": "Bank"}, "O=Bank,CN=client-1", True),
        ({"CN": "client-*", "O": "Bank"}, "CN=client-1,O=Bank,C=CH", True),
        ({"CN": "client-*", "O": "Bank"}, "CN=client-1", False),
        # anchored on both sides
        ({"CN": "client-1"}, "CN=client-1", True),
        ({"CN": "client-1"}, "CN=client-10", False),
        ({"CN": "client-1"}, "CN=my client-1", False),
        ({"CN": "*-1"}, "CN=client-1", True),
        ({"CN": "*-1"}, "CN=client-12", False),
        ({"CN": "c*t-*1"}, "CN=client-11", True),
        ({"CN": "ab*ba"}, "CN=aba", False),
        ({"CN": "ab*ba"}, "CN=abba", True),
        # no regular expressions
        ({"CN": "client.1"}, "CN=client-1", False),
        ({"CN": "a|client-1"}, "CN=client-1", False),
        # case, blanks
        ({"CN": "client-1"}, "CN=Client-1", False),
        ({"CN": "client-1"}, "CN=client-1\\ ", False),
        ({"CN": "client-1"}, "CN=client\\ -1", False),
        # a comma in a value is no second attribute
        ({"CN": "client-1", "O": "Bank"}, "CN=client-1\\,O=Bank", False),
        ({"CN": "client-1", "O": "Bank"}, "CN=client-1\\,O=Bank,O=Evil", False),
        ({"O": "Bank"}, "CN=O=Bank", False),
        ({"CN": "Sales, EMEA"}, "CN=Sales\\, EMEA", True),
        # an attribute that occurs twice says nothing
        ({"CN": "client-1"}, "CN=client-1,CN=evil", False),
        ({"CN": "client-1"}, "CN=evil,CN=client-1", False),
        ({"CN": "client-1"}, "CN=client-1+CN=evil", False),
        ({"CN": "client-1"}, "CN=client-1+UID=7", True),
        ({"EMAILADDRESS": "a@b"}, "1.2.840.113549.1.9.1=a@b", True),
    ],
)
def test_attributes(rule, subject, fits):
    assert SubjectRule.of_attributes(rule).matches(pki.name(subject)) is fits


@pytest.mark.parametrize(
    ("rule", "subject", "fits"),
    [
        ("CN=client-1,O=Bank", "CN=client-1,O=Bank", True),
        ("O=Bank, CN=client-1", "CN=client-1,O=Bank", True),
        ("CN=client-1+UID=7,O=Bank", "UID=7+CN=client-1,O=Bank", True),
        ("CN=client-1,O=Bank", "CN=client-1,O=Bank,C=CH", False),
        ("CN=client-1,O=Bank", "CN=client-1", False),
        ("CN=client-1,O=Bank", "CN=client-1+O=Bank", False),
        ("CN=client-1,O=Bank", "CN=CLIENT-1,O=Bank", False),
        ("CN=client-*,O=Bank", "CN=client-1,O=Bank", False),
    ],
)
def test_whole_names(rule, subject, fits):
    assert SubjectRule.of_name(rule).matches(pki.name(subject)) is fits


@pytest.mark.parametrize("invisible", ["\x00", "\n", "\u200b", "\u202e", "\ufeff", "\U000e0041"])
def test_invisible_characters_anywhere_match_nothing(invisible):
    rule = SubjectRule.of_attributes({"CN": "client-*"})
    assert rule.matches(raw((CN, "client-1"), (OU, "x")))
    assert not rule.matches(raw((CN, f"client-1{invisible}"), (OU, "x")))
    assert not rule.matches(raw((CN, "client-1"), (OU, invisible)))


def test_the_string_type_does_not_count():
    kinds = x509.name._ASN1Type
    for kind in (kinds.UTF8String, kinds.PrintableString, kinds.BMPString):
        subject = x509.Name([x509.NameAttribute(CN, "client-1", kind)])
        assert SubjectRule.of_attributes({"CN": "client-1"}).matches(subject)


def test_look_alikes_do_not_match():
    rule = SubjectRule.of_attributes({"CN": "client-1"})
    assert not rule.matches(raw((CN, "\u0441lient-1")))  # Cyrillic es
    assert not rule.matches(raw((CN, "\uff43lient-1")))  # full width


def test_nobody_without_a_name():
    assert not SubjectRule.of_attributes({"CN": "a*"}).matches(x509.Name([]))
    assert not SubjectRule().matches(pki.name("CN=a"))


@pytest.mark.parametrize(
    "rule", [{}, {"CN": "*"}, {"CN": "**", "O": "*"}, {"CN": ""}, {"CN": "a", "2.5.4.3": "a"}, {"XY": "a"}]
)
def test_rules_that_constrain_nothing_are_refused(rule):
    with pytest.raises(ValueError):
        SubjectRule.of_attributes(rule)


def test_matching_takes_linear_time():
    rule = SubjectRule.of_attributes({"DNQ": "*a" * 50 + "b"})
    subject = raw((NameOID.DN_QUALIFIER, "a" * 16_000))
    began = time.perf_counter()
    assert not rule.matches(subject)
    assert time.perf_counter() - began < 0.5
