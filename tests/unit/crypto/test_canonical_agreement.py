"""Our canonical form and libxmlsec's, byte for byte by way of a digest that both must accept."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

pytest.importorskip("xmlsec")

from wsprovider.crypto.algorithms import sign_symmetric
from wsprovider.crypto.crosscheck import XmlsecOpinion
from wsprovider.header import signature
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.xml import canonical

OPINION = XmlsecOpinion()
SECRET = b"k" * 32
ID = f'xmlns:u="{ns.WSU}" u:Id="x"'
FRAME = '<w xmlns:zz="urn:zz"><doc xmlns="urn:x" xmlns:p="urn:p" xml:lang="en">{}{}</doc></w>'

TARGETS = [
    "<p:b {}><p:c><p:d/><e><f><p:g/></f></e></p:c></p:b>",
    "<b {}><c><d/><p:e><p:f/></p:e></c></b>",
    '<p:b {} xmlns=""><c><d/><p:e/></c></p:b>',
    '<b {} xmlns="urn:y"><c xmlns=""><d/><p:e><q xmlns="urn:x"/></p:e></c></b>',
    '<p:b {} p:a="1"><p:c xmlns:p="urn:q"><p:d/><e p:z="&#9;&amp;&lt;"><f/>&#13;</e></p:c></p:b>',
    '<b {} xmlns:q="urn:p"><q:c p:a="1" q:b="2"/><zz:d zz:a=""/></b>',
]
LISTS = [(), ("#default",), ("p",), ("#default", "p"), ("p", "zz", "nobody"), ("#default", "u", "d")]


def agree(target, prefixes):
    """Digest our bytes of the target, sign that, and have libxmlsec verify it over the document."""
    prefix_list = " ".join(prefixes)
    inclusive = (
        f'<ec:InclusiveNamespaces xmlns:ec="{alg.EXC_C14N}" PrefixList="{prefix_list}">'
        "</ec:InclusiveNamespaces>"
        if prefixes
        else ""
    )
    transform = f'<ds:Transform Algorithm="{alg.EXC_C14N}">{inclusive}</ds:Transform>'
    alone = etree.fromstring(FRAME.format(target.format(ID), ""))
    octets = canonical.exclusive(alone[0][0], prefixes)
    digest = hashlib.sha256(octets).digest()
    info = signature.write_signed_info(alg.HMAC_SHA256, alg.SHA256, [("x", digest, transform)])
    made = signature.write("SIG", info, sign_symmetric(alg.HMAC_SHA256, SECRET, info), "<none/>")
    root = etree.fromstring(FRAME.format(target.format(ID), made.decode()))
    OPINION.signature(root[0][1], SECRET, [root[0][0]])


@pytest.mark.parametrize("prefixes", LISTS, ids=" ".join)
@pytest.mark.parametrize("target", TARGETS)
def test_by_hand(target, prefixes):
    agree(target, prefixes)


@pytest.mark.parametrize("prefixes", LISTS, ids=" ".join)
def test_in_a_thread_that_has_met_nothing(prefixes):
    """lxml leaves out, silently, entries of a PrefixList that its thread never met; ``#default`` always."""

    def run():
        for target in TARGETS:
            agree(target, prefixes)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def test_default_in_the_prefix_list_is_written_at_the_apex():
    root = etree.fromstring('<a xmlns="urn:x" xmlns:p="urn:p"><p:b><c/></p:b></a>')
    assert canonical.exclusive(root[0]) == b'<p:b xmlns:p="urn:p"><c xmlns="urn:x"></c></p:b>'
    assert canonical.exclusive(root[0], ("#default",)) == (
        b'<p:b xmlns="urn:x" xmlns:p="urn:p"><c></c></p:b>'
    )


PREFIXES = st.sampled_from(["", "p:", "q:", "zz:"])
DECLARED = st.sampled_from(
    ["", "", "", ' xmlns=""', ' xmlns="urn:x"', ' xmlns="urn:y"', ' xmlns:p="urn:y"', ' xmlns:q="urn:p"']
)
ATTRIBUTES = st.sampled_from(["", ' a="1"', ' p:a="1"', ' zz:a="&#10;"', ' xml:space="preserve"'])
TEXT = st.sampled_from(["", "text", "&amp;&#13;", "<![CDATA[<x>]]>"])


def element(children):
    return st.builds(
        lambda prefix, declared, attribute, text, inner: (
            f"<{prefix}e{declared}{attribute}>{text}{''.join(inner)}</{prefix}e>{text}"
        ),
        PREFIXES,
        DECLARED,
        ATTRIBUTES,
        TEXT,
        st.lists(children, max_size=3),
    )


@given(
    inner=st.recursive(st.just("<p:leaf/>"), element, max_leaves=8),
    apex=st.sampled_from(["b", "p:b", "zz:b", 'b xmlns=""']),
    prefixes=st.lists(st.sampled_from(["#default", "p", "q", "zz", "u"]), unique=True),
)
def test_whatever_the_tree(inner, apex, prefixes):
    name = apex.split()[0]
    agree(f'<{apex} xmlns:q="urn:q" {{}}>{inner}</{name}>', tuple(prefixes))
