"""The Body's bytes: digest input, plaintext and wire at once."""

import pytest
from lxml import etree

from wsprovider.outbound.body import make_body
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words import namespaces as ns

PAYLOADS = (
    "",
    "<e:a xmlns:e='urn:e'/>",
    "<a xmlns='urn:e'><b xmlns=''/></a>",
    "<a>x<b/>y</a>",
    "<e:a xmlns:e='urn:e' xmlns:q='urn:q' t='q:x'/>",
    "<e:a xmlns:e='urn:e'><x xmlns:q='urn:q' t='q:x'/></e:a>",
    f"<soap:a xmlns:soap='{ns.SOAP11}'/>",
    "<soap:a xmlns:soap='urn:soap'/>",
    f"<wsu:a xmlns:wsu='{ns.WSU}'/>",
    "<wsu:a xmlns:wsu='urn:wsu'/>",
    "<ds:a xmlns:ds='urn:ds'/>",
    f'<a> xmlns:soap="{ns.SOAP11}"</a>',
    "<a b='&#10;&quot;&lt;'>&amp;&#13;&gt;</a>",
    "<значение ключ='ä'>中</значение>",
    "<a/><b/>",
    "<a>x<!-- c -->y<![CDATA[<]]></a>",
)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("identifier", [None, "Body-1"])
@pytest.mark.parametrize("version", [SOAP_11, SOAP_12], ids=lambda version: version.name)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_digested_is_the_canonical_form_of_what_is_sent(payload, version, identifier, exact):
    element = etree.fromstring(f"<s:Body xmlns:s='{version.namespace}'>{payload}</s:Body>")
    body = make_body(element, version, identifier, exact=exact)
    envelope = b"".join(
        (
            f'<soap:Envelope xmlns:soap="{version.namespace}"'.encode(), body.declarations, b">",
            body.start, body.content, body.end, b"</soap:Envelope>",
        )
    )  # fmt: skip
    sent = etree.fromstring(envelope, etree.XMLParser(remove_comments=True))[0]
    canonical = etree.tostring(sent, method="c14n", exclusive=True, with_comments=False)
    assert body.canonical == canonical
    for got, given in zip(sent.iter(), element.iter(etree.Element), strict=True):
        if given is not element:
            assert got.tag == given.tag
            assert dict(got.attrib) == dict(given.attrib)
            if exact:
                assert given.nsmap.items() - element.nsmap.items() <= got.nsmap.items()
