"""What ``wsprovider call`` prints of a reply."""

from lxml import etree

from wsprovider.cli.call import _told
from wsprovider.words import namespaces as ns

AROUND = f'<s:E xmlns:s="u:s" xmlns:xs="u:xs" xmlns:xsi="{ns.XSI}" xmlns:t="u:t">%s</s:E>'


def test_prefixes_of_the_envelope_are_left_out():
    reply = etree.fromstring(AROUND % "<t:r><t:x>1</t:x></t:r>")
    assert _told(reply[0]).splitlines() == ['<t:r xmlns:t="u:t">', "  <t:x>1</t:x>", "</t:r>"]
    assert "xs" in reply.nsmap


def test_a_prefix_that_a_type_names_stays():
    reply = etree.fromstring(AROUND % '<t:r><t:x xsi:type="xs:string">1</t:x></t:r>')
    assert 'xmlns:xs="u:xs"' in _told(reply[0])
