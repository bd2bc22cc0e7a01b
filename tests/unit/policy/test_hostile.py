"""Documents that mean harm are refused, and fast."""

import time
from itertools import pairwise

import pytest
from lxml import etree

from wsprovider.policy.read import read_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError

WSP = f'xmlns:wsp="{ns.WSP_200409}" xmlns:wsu="{ns.WSU}" xmlns:sp="{ns.SP_200702}"'


def refused(document, *, within=1.0):
    started = time.perf_counter()
    with pytest.raises(ConfigurationError) as caught:
        read_policy(document, where="hostile.xml")
    assert time.perf_counter() - started < within
    return str(caught.value)


def test_a_dtd():
    assert "DOCTYPE" in refused(f"<!DOCTYPE a><wsp:Policy {WSP}/>".encode())


def test_an_entity_of_a_file():
    document = f'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><wsp:Policy {WSP}>&f;</wsp:Policy>'
    text = refused(document.encode())
    assert "root:" not in text


def test_a_billion_laughs():
    entities = "".join(
        f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in pairwise("abcdefghijkl")
    )
    document = f'<!DOCTYPE a [<!ENTITY a "ha">{entities}]><wsp:Policy {WSP}>&l;</wsp:Policy>'
    refused(document.encode())


@pytest.mark.parametrize("depth", [101, 5_000])
def test_deep_nesting(depth):
    text = refused(
        (f"<wsp:Policy {WSP}>" + "<wsp:All>" * depth + "</wsp:All>" * depth + "</wsp:Policy>").encode()
    )
    assert "TOO_DEEP" in text or "depth" in text


def test_nesting_below_the_parsers_limit_and_above_ours():
    text = refused((f"<wsp:Policy {WSP}>" + "<wsp:All>" * 80 + "</wsp:All>" * 80 + "</wsp:Policy>").encode())
    assert "deep" in text


def test_an_element_tree_deeper_than_python_recurses():
    root = etree.Element(f"{{{ns.WSP_200409}}}Policy")
    inner = root
    for _ in range(3_000):
        inner = etree.SubElement(inner, f"{{{ns.WSP_200409}}}All")
    assert "deep" in refused(root)


def test_a_product_of_choices():
    pairs = "".join(f'<a xmlns="urn:{n}" wsp:Optional="true"/>' for n in range(60))
    assert "more than 16 alternatives" in refused(f"<wsp:Policy {WSP}>{pairs}</wsp:Policy>".encode())


def test_a_product_of_choices_inside_an_assertion():
    pairs = "".join(f'<a xmlns="urn:{n}" wsp:Optional="true"/>' for n in range(60))
    document = f"<wsp:Policy {WSP}><sp:Layout><wsp:Policy>{pairs}</wsp:Policy></sp:Layout></wsp:Policy>"
    assert "more than 16 alternatives" in refused(document.encode())


def test_a_sum_of_choices():
    document = f"<wsp:Policy {WSP}><wsp:ExactlyOne>{'<wsp:All/>' * 5_000}</wsp:ExactlyOne></wsp:Policy>"
    assert "more than 16 alternatives" in refused(document.encode())


def test_references_that_double():
    policies = "".join(
        f'<wsp:Policy wsu:Id="p{n}"><wsp:PolicyReference URI="#p{n + 1}"/><wsp:PolicyReference URI="#p{n + 1}"/></wsp:Policy>'
        for n in range(25)
    )
    document = f'<wsp:Policy {WSP}>{policies}<wsp:Policy wsu:Id="p25"/></wsp:Policy>'
    assert "steps to expand" in refused(document.encode())


def test_references_in_a_long_circle():
    policies = "".join(
        f'<wsp:Policy wsu:Id="p{n}"><wsp:PolicyReference URI="#p{(n + 1) % 10}"/></wsp:Policy>'
        for n in range(10)
    )
    assert "refers to itself" in refused(f"<wsp:Policy {WSP}>{policies}</wsp:Policy>".encode())


def bootstrapped(inner):
    return (
        "<sp:SymmetricBinding><wsp:Policy><sp:ProtectionToken><wsp:Policy><sp:SecureConversationToken><wsp:Policy>"
        f"<sp:BootstrapPolicy><wsp:Policy>{inner}</wsp:Policy></sp:BootstrapPolicy></wsp:Policy>"
        "</sp:SecureConversationToken></wsp:Policy></sp:ProtectionToken>"
        "<sp:AlgorithmSuite><wsp:Policy><sp:Basic256/></wsp:Policy></sp:AlgorithmSuite></wsp:Policy></sp:SymmetricBinding>"
    )


def test_a_policy_that_is_its_own_bootstrap_policy():
    document = (
        f'<wsp:Policy {WSP} wsu:Id="P">{bootstrapped("""<wsp:PolicyReference URI="#P"/>""")}</wsp:Policy>'
    )
    assert "bootstrap policies" in refused(document.encode())


def test_bootstrap_policies_that_double():
    twice = "<wsp:ExactlyOne>" + 2 * bootstrapped('<wsp:PolicyReference URI="#P"/>') + "</wsp:ExactlyOne>"
    assert "bootstrap policies" in refused(f'<wsp:Policy {WSP} wsu:Id="P">{twice}</wsp:Policy>'.encode())


def test_bootstrap_policies_inside_each_other():
    inner = "<sp:X509Token/>"
    for _ in range(30):
        inner = (
            "<sp:SecureConversationToken><wsp:Policy><sp:BootstrapPolicy><wsp:Policy><sp:SymmetricBinding><wsp:Policy>"
            f"<sp:ProtectionToken><wsp:Policy>{inner}</wsp:Policy></sp:ProtectionToken></wsp:Policy>"
            "</sp:SymmetricBinding></wsp:Policy></sp:BootstrapPolicy></wsp:Policy></sp:SecureConversationToken>"
        )
    refused(f"<wsp:Policy {WSP}>{inner}</wsp:Policy>".encode())


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<",
        b"\x00",
        b"<a/><b/>",
        b"\xff\xfe\x00\x00<a/>",
        f"<wsp:Policy {WSP}".encode(),
        b"{}",
        b"\xc3\x28",
    ],
)
def test_what_is_no_document(document):
    refused(document)


def test_too_large():
    assert "MESSAGE_TOO_LARGE" in refused(b" " * 3_000_000)


def test_an_empty_policy():
    for content in ("", "<wsp:All/>", "<wsp:ExactlyOne><wsp:All/></wsp:ExactlyOne>"):
        assert "no binding assertion" in refused(f"<wsp:Policy {WSP}>{content}</wsp:Policy>".encode())
    assert "no alternative" in refused(f"<wsp:Policy {WSP}><wsp:ExactlyOne/></wsp:Policy>".encode())


def test_names_out_of_the_document_are_bounded():
    long = "x" * 100_000
    text = refused(f'<wsp:Policy {WSP}><{long} xmlns="urn:{long}" {long}="{long}"/></wsp:Policy>'.encode())
    assert len(text) < 5_000


def test_findings_are_bounded():
    many = "".join(f'<a xmlns="urn:{n}"/>' for n in range(500))
    with pytest.raises(ConfigurationError) as caught:
        read_policy(f"<wsp:Policy {WSP}>{many}</wsp:Policy>".encode(), where="hostile.xml")
    assert len(caught.value.problems) == 50
