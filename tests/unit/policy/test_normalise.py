"""WS-Policy 1.2 and 1.5, section 4.3, on assertions that mean nothing."""

import pytest
from lxml import etree

from wsprovider.policy.findings import Findings
from wsprovider.policy.normalise import Bounds, Normaliser
from wsprovider.policy.read import resolver
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError


def shown(assertion):
    """``a`` or, with a nested policy, ``a[b c]``."""
    nested = "" if assertion.nested is None else f"[{' '.join(shown(inner) for inner in assertion.nested)}]"
    return etree.QName(assertion.element).localname + nested


def normal_form(text, wsp=ns.WSP_200409, bounds=None):
    root = etree.fromstring(f'<p:Policy xmlns:p="{wsp}" xmlns:u="{ns.WSU}" xmlns="urn:x">{text}</p:Policy>')
    findings = Findings("tested.xml")
    choices = Normaliser(findings, resolver(root), bounds).merge([root])
    findings.raise_if_any()
    return [" ".join(shown(assertion) for assertion in choice) for choice in choices]


OPTIONAL = 'p:Optional="true"'


@pytest.mark.parametrize("wsp", [ns.WSP_200409, ns.WSP_15])
@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("", [""]),
        ("<p:All/>", [""]),
        ("<p:ExactlyOne/>", []),
        ("<p:ExactlyOne><p:All/></p:ExactlyOne>", [""]),
        ("<a/><b/>", ["a b"]),
        ("<p:All><a/><b/></p:All>", ["a b"]),
        ("<p:ExactlyOne><a/><b/></p:ExactlyOne>", ["a", "b"]),
        # 4.3.3: commutative, associative, idempotent, distributive
        ("<p:All><p:All><a/></p:All><b/></p:All>", ["a b"]),
        ("<p:ExactlyOne><p:ExactlyOne><a/></p:ExactlyOne><b/></p:ExactlyOne>", ["a", "b"]),
        ("<p:All><a/><p:ExactlyOne><b/><c/></p:ExactlyOne></p:All>", ["a b", "a c"]),
        (
            "<p:ExactlyOne><a/><b/></p:ExactlyOne><p:ExactlyOne><c/><d/></p:ExactlyOne>",
            ["a c", "a d", "b c", "b d"],
        ),
        ("<a/><p:ExactlyOne/>", []),
        ("<p:ExactlyOne><a/><p:ExactlyOne/></p:ExactlyOne>", ["a"]),
        # 4.3.1: optional assertions
        (f"<a {OPTIONAL}/>", ["a", ""]),
        ('<a p:Optional="1"/>', ["a", ""]),
        ('<a p:Optional="false"/>', ["a"]),
        (f"<a {OPTIONAL}/><b/>", ["a b", "b"]),
        (f"<p:ExactlyOne><a {OPTIONAL}/><b/></p:ExactlyOne>", ["a", "", "b"]),
        ('<a p:Ignorable="true"/>', ["a"]),
        # 4.3.2: nested policies
        ("<a><p:Policy/></a>", ["a[]"]),
        ("<a><p:Policy><b/><c/></p:Policy></a>", ["a[b c]"]),
        ("<a><p:Policy><p:ExactlyOne><b/><c/></p:ExactlyOne></p:Policy></a><d/>", ["a[b] d", "a[c] d"]),
        (f"<a {OPTIONAL}><p:Policy><b {OPTIONAL}/></p:Policy></a>", ["a[b]", "a[]", ""]),
        ("<a><p:Policy><p:ExactlyOne/></p:Policy></a>", []),
        ("<a><parameter/></a>", ["a"]),
        # 4.3.4: references
        (
            '<p:PolicyReference URI="#P"/><p:ExactlyOne><b/><p:Policy u:Id="P"><a/></p:Policy></p:ExactlyOne>',
            ["a b", "a a"],
        ),
        (
            '<p:All><a><p:Policy><p:PolicyReference URI="#P"/></p:Policy></a><p:Policy u:Id="P"><b/></p:Policy></p:All>',
            ["a[b] b"],
        ),
        ('<p:PolicyReference URI=" #P "/><p:Policy xml:id="P"><a/></p:Policy>', ["a a"]),
    ],
)
def test_normal_form(text, alternatives, wsp):
    assert normal_form(text, wsp) == alternatives


@pytest.mark.parametrize(
    ("bounds", "text", "what"),
    [
        (Bounds(alternatives=4), f"<a {OPTIONAL}/>" * 3, "more than 4 alternatives"),
        (Bounds(alternatives=2), "<p:ExactlyOne><a/><b/><c/></p:ExactlyOne>", "more than 2 alternatives"),
        (Bounds(depth=4), "<p:All><p:All><p:All><a/></p:All></p:All></p:All>", "more than 4 deep"),
        (Bounds(steps=5), "<a/>" * 6, "more than 5 steps"),
    ],
)
def test_bounds(bounds, text, what):
    with pytest.raises(ConfigurationError, match=what):
        normal_form(text, bounds=bounds)


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        (Bounds(alternatives=4), f"<a {OPTIONAL}/>" * 2),
        (Bounds(depth=4), "<p:All><p:All><a/></p:All></p:All>"),
        (Bounds(steps=7), "<a/>" * 6),
    ],
)
def test_just_within_bounds(bounds, text):
    assert normal_form(text, bounds=bounds)


def test_several_policies_hold_together():
    first, second = (
        etree.fromstring(f'<p:Policy xmlns:p="{ns.WSP_200409}" xmlns="urn:x">{text}</p:Policy>')
        for text in ("<p:ExactlyOne><a/><b/></p:ExactlyOne>", "<c/>")
    )
    choices = Normaliser(Findings("tested.xml"), resolver(first)).merge([first, second])
    assert [" ".join(map(shown, choice)) for choice in choices] == ["a c", "b c"]
