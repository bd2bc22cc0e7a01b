"""Our exclusive canonical form is that of libxmlsec, and of Apache Santuario."""

import base64
import hashlib

import pytest
from hypothesis import given, settings
from lxml import etree

from tests.properties.xml_trees import PREFIX_LISTS, elements
from wsprovider.words import namespaces as ns
from wsprovider.words.limits import Limits
from wsprovider.xml import canonical
from wsprovider.xml.parse import parse

try:
    import xmlsec
except ImportError:  # the extra "crosscheck" is not installed
    xmlsec = None

KEY = bytes(range(32))


def frame(xml: str, prefixes: list[str]) -> etree._Element:
    """A document with the subtree and a signature template over it."""
    listed = (
        f'<ec:InclusiveNamespaces xmlns:ec="{ns.EXC_C14N}" PrefixList="{" ".join(prefixes)}"/>'
        if prefixes
        else ""
    )
    signature = (
        f'<ds:Signature xmlns:ds="{ns.DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{ns.EXC_C14N}"/>'
        f'<ds:SignatureMethod Algorithm="{ns.DS}hmac-sha1"/><ds:Reference URI="#target"><ds:Transforms>'
        f'<ds:Transform Algorithm="{ns.EXC_C14N}">{listed}</ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{ns.XENC}sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>'
        f"<ds:SignatureValue/></ds:Signature>"
    )
    text = f'<r xmlns:a="urn:outer" xmlns="urn:default" xmlns:never="urn:never"><t Id="target">{xml}</t>{signature}</r>'
    return parse(text.encode(), Limits())


@pytest.mark.skipif(xmlsec is None, reason="xmlsec is not installed")
@settings(max_examples=300)
@given(xml=elements(scope=(("", "urn:default"), ("a", "urn:outer"))), prefixes=PREFIX_LISTS)
def test_libxmlsec_digests_the_same_bytes(xml, prefixes):
    root = frame(xml, prefixes)
    ours = canonical.exclusive(root[0], prefixes)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, KEY)
    context.register_id(root[0], "Id")
    context.sign(root[1])
    digest = base64.b64decode(root[1].findtext(f".//{{{ns.DS}}}DigestValue") or "")
    assert digest == hashlib.sha256(ours).digest()


@pytest.mark.live
def test_santuario_writes_the_same_bytes():
    from tests.live.java_peer import JavaPeer

    missing = JavaPeer.available()
    if missing is not None:
        pytest.skip(missing)
    rows: list[tuple[str, list[str]]] = []

    @settings(max_examples=300, database=None)
    @given(xml=elements(scope=(("", "urn:default"), ("a", "urn:outer"))), prefixes=PREFIX_LISTS)
    def collect(xml: str, prefixes: list[str]) -> None:
        rows.append((xml, prefixes))

    collect()
    roots = [frame(xml, prefixes) for xml, prefixes in rows]
    with JavaPeer("cxf") as peer:
        answer = peer.call(
            cmd="c14n",
            documents=[
                {
                    "xml": base64.b64encode(etree.tostring(root, encoding="UTF-8")).decode(),
                    "prefixes": prefixes,
                    "xpath": "/*/*[1]",
                }
                for root, (_, prefixes) in zip(roots, rows, strict=True)
            ],
        )
    assert answer["ok"], answer
    assert not [error for error in answer["errors"] if error]
    for root, (xml, prefixes), theirs in zip(roots, rows, answer["results"], strict=True):
        assert base64.b64decode(theirs) == canonical.exclusive(root[0], prefixes), (xml, prefixes)
