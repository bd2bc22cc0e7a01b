"""Validation says the same of a tree and of a stream, and does not collect what is wrong."""

import time

import pytest
from lxml import etree

from wsprovider.server.schema import violation

SCHEMA = etree.XMLSchema(
    etree.fromstring(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='urn:t' targetNamespace='urn:t'"
        " elementFormDefault='qualified'><xs:element name='r'><xs:complexType><xs:sequence>"
        "<xs:element name='a' type='xs:int' minOccurs='0' maxOccurs='unbounded'/>"
        "<xs:element name='kind' type='t:kind' minOccurs='0'/><xs:element name='end' type='xs:string'/>"
        "</xs:sequence></xs:complexType></xs:element><xs:complexType name='kind'/>"
        "<xs:complexType name='special'><xs:complexContent><xs:extension base='t:kind'>"
        "<xs:attribute name='b' type='xs:int'/></xs:extension></xs:complexContent></xs:complexType></xs:schema>"
    )
)
GENEROUS = 2.0
"""Seconds; what is tested takes a tenth of it."""


def payload(inner: str, many: int) -> etree._Element:
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    numbers = "<t:a>1</t:a>" * many
    return etree.fromstring(
        f"<x xmlns:t='urn:t' xmlns:xsi='{xsi}'><t:r>{numbers}{inner}</t:r>a tail</x>",
        etree.XMLParser(huge_tree=True),
    )[0]


@pytest.mark.parametrize("many", [1, 299, 301, 5_000])
@pytest.mark.parametrize(
    ("inner", "valid"),
    [
        ("<t:end/>", True),
        ("<t:end>a\rb &lt; \u00e4</t:end>", True),
        ("<t:kind xsi:type='t:special' b='1'/><t:end/>", True),
        ("<t:kind xsi:type='t:special' b='x'/><t:end/>", False),
        ("<t:kind xsi:type='t:unknown'/><t:end/>", False),
        ("", False),
        ("<t:end/>text", False),
        ("<t:a>x</t:a><t:end/>", False),
        ("<t:a>2147483648</t:a><t:end/>", False),
        ("<t:end/><t:end/>", False),
        ("<t:end b=''/>", False),
        ("<end/>", False),
        (f"<t:end>{'x' * 11_000_000}</t:end>", True),
    ],
)
def test_what_is_valid(inner, valid, many):
    found = payload(inner, many)
    assert (violation(SCHEMA, found) is None) is valid
    assert SCHEMA.validate(found) is valid


@pytest.mark.parametrize("wrong", ["<t:a>x</t:a>", "<t:a b=''>1</t:a>"])
def test_many_faults_cost_no_more_than_one(wrong):
    """64,000 numbers that are none took twenty seconds."""
    begin = time.process_time()
    found = violation(SCHEMA, payload(wrong * 64_000 + "<t:end/>", 1))
    assert time.process_time() - begin < GENEROUS
    assert found == violation(SCHEMA, payload(wrong + "<t:end/>", 301))
    assert violation(SCHEMA, payload("<t:end/>", 64_000)) is None
