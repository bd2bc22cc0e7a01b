"""One table of ids: every value one element, no element two."""

import time

import pytest

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.ids import collect
from wsprovider.xml.parse import parse

GENEROUS = 10.0
"""Seconds; a tenth of it is what this takes on a slow machine."""

WSU, DS, XENC, S1, S2 = (
    f"xmlns:{p}='{u}'"
    for p, u in (("w", ns.WSU), ("ds", ns.DS), ("xe", ns.XENC), ("s", ns.SAML1), ("s", ns.SAML2))
)


def ids(xml: str, limits: Limits | None = None) -> dict[str, str]:
    found = collect(parse(f"<r {WSU} {DS} {XENC}>{xml}</r>".encode(), Limits()), limits or Limits())
    return {value: element.tag.rpartition("}")[2] for value, element in found.items()}


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ("<a w:Id='x'/>", {"x": "a"}),
        ("<ds:Signature Id='x'/>", {"x": "Signature"}),
        ("<xe:EncryptedData Id='x'/>", {"x": "EncryptedData"}),
        (f"<s:Assertion {S2} ID='x'/>", {"x": "Assertion"}),
        (f"<s:Assertion {S1} AssertionID='x'/>", {"x": "Assertion"}),
        ("<a Id='x'/><b ID='x'/><c xml:id='x'/>", {}),
        ("<a w:Id='x' Id='x'/>", {"x": "a"}),
        ("<a w:Id='ä-1._·'/>", {"ä-1._·": "a"}),
        ("<a w:id='x'/><a w:ID='y'/>", {}),
        ("<a w:Id='1x'/><b w:Id='urn:uuid:1'/>", {"1x": "a", "urn:uuid:1": "b"}),
        ("", {}),
    ],
)
def test_what_is_found(xml, expected):
    assert ids(xml) == expected


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("<a w:Id='x'/><b w:Id='x'/>", Reason.DUPLICATE_ID),
        ("<a w:Id='x'><b w:Id='x'/></a>", Reason.DUPLICATE_ID),
        ("<a w:Id='x'/><ds:Signature Id='x'/>", Reason.DUPLICATE_ID),
        ("<b Id='x'/><a w:Id='x'/>", Reason.DUPLICATE_ID),
        ("<a w:Id='x'/><b xml:id='x'/>", Reason.DUPLICATE_ID),
        ("<a w:Id='x'/><b ID='x'/>", Reason.DUPLICATE_ID),
        ("<a w:Id='x'/><b AssertionID='x'/>", Reason.DUPLICATE_ID),
        ("<a w:Id='x' Id='y'/>", Reason.AMBIGUOUS_ID),
        ("<a w:Id='x' xml:id='y'/>", Reason.AMBIGUOUS_ID),
        ("<ds:Signature w:Id='x' Id='y'/>", Reason.AMBIGUOUS_ID),
        ("<a w:Id=''/>", Reason.MALFORMED_ID),
        ("<a w:Id='a b'/>", Reason.MALFORMED_ID),
        ("<a w:Id='(x)'/>", Reason.MALFORMED_ID),
        ('<a w:Id="\'"/>', Reason.MALFORMED_ID),
        (f"<a w:Id='{'x' * 257}'/>", Reason.MALFORMED_ID),
    ],
)
def test_what_is_refused(xml, reason):
    with pytest.raises(WSSecurityError) as refused:
        ids(xml)
    assert refused.value.reason is reason


def test_the_budget():
    few = Limits(ids=3)
    assert len(ids("".join(f"<a w:Id='x{i}'/>" for i in range(3)), few)) == 3
    with pytest.raises(WSSecurityError) as refused:
        ids("".join(f"<a w:Id='x{i}'/>" for i in range(4)), few)
    assert refused.value.reason is Reason.TOO_MANY_IDS


@pytest.mark.parametrize("size", [100, 40_000])
def test_ids_of_an_application_may_be_many(size):
    """Ids of two kinds were joined in the square of their number: 1 MB of them took five seconds."""
    foreign = "".join(f"<a Id='{i}'/><a ID='{i}' AssertionID='{i}'/>" for i in range(size))
    begin = time.process_time()
    assert ids(f"<a w:Id='x' Id='x'/><ds:Signature Id='y'/>{foreign}") == {"x": "a", "y": "Signature"}
    assert time.process_time() - begin < GENEROUS
    for own in ("<a w:Id='7'/>", "<ds:Signature Id='7'/>"):
        with pytest.raises(WSSecurityError) as refused:
            ids(f"{own}{foreign}")
        assert refused.value.reason is Reason.DUPLICATE_ID
    with pytest.raises(WSSecurityError) as refused:
        ids("".join(f"<a w:Id='x{i}'/><a Id='y{i}'/>" for i in range(40_000)))
    assert refused.value.reason is Reason.TOO_MANY_IDS
    assert time.process_time() - begin < GENEROUS
