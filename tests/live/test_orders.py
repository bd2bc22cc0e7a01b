"""The order service, called by Apache CXF: nested types, arrays, dates, decimals, one-way, and its faults."""

from __future__ import annotations

import time
from typing import Any

import pytest
from lxml import etree

from tests.live.java_peer import JavaPeer
from tests.live.provider import ProviderProcess
from tests.live.test_cxf import SHA2

pytestmark = pytest.mark.live
NS = "urn:wsprovider:orders"
PLACE = """<o:place xmlns:o="urn:wsprovider:orders"><o:order>
  <o:deliver_to><o:name>Jörg</o:name><o:street>Am Weg 1</o:street><o:city>Köln</o:city>
    <o:country>DE</o:country></o:deliver_to>
  <o:deliver_by>2031-02-03</o:deliver_by>
  <o:lines><o:Line><o:sku>AB-1234</o:sku><o:quantity>2</o:quantity><o:price>10.25</o:price></o:Line>
    <o:Line><o:sku>CD-5678</o:sku><o:quantity>1</o:quantity><o:price>0.50</o:price></o:Line></o:lines>
</o:order></o:place>"""


def call(
    cxf: JavaPeer, provider: ProviderProcess, payload: str, path: str = "/orders/username", **more: Any
) -> dict[str, Any]:
    """One call with a payload of our own."""
    return cxf.call(
        cmd="cxf-call",
        wsdl=provider.url(f"{path}?wsdl"),
        url=provider.url(path),
        **{**provider.client(), "payload": payload, "properties": SHA2, **more},
    )


def number(operation: str, value: str, more: str = "") -> str:
    """A payload that names an order."""
    return f'<o:{operation} xmlns:o="{NS}"><o:number>{value}</o:number>{more}</o:{operation}>'


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("path", ["/orders/x509", "/orders/username"])
def test_an_order_goes_there_and_back(cxf: JavaPeer, provider: ProviderProcess, path: str, soap: str) -> None:
    """What was placed is found again, with its total; the customer is who the policy proved."""
    placed = call(cxf, provider, PLACE, path, soap=soap)
    assert placed["ok"], placed
    order = etree.fromstring(placed["response"])
    assert order.findtext(f".//{{{NS}}}total") == "21.00"
    assert order.findtext(f".//{{{NS}}}deliver_by") == "2031-02-03"
    customer = "client-1" if path.endswith("x509") else "alice"
    assert order.findtext(f".//{{{NS}}}customer") == customer
    found = call(cxf, provider, number("find", order.findtext(f".//{{{NS}}}number") or ""), path, soap=soap)
    assert found["ok"], found
    again = etree.fromstring(found["response"])
    assert [line.text for line in again.iter(f"{{{NS}}}sku")] == ["AB-1234", "CD-5678"]
    assert again.findtext(f".//{{{NS}}}name") == "Jörg"


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_a_fault_of_the_service_comes_back_secured(
    cxf: JavaPeer, provider: ProviderProcess, soap: str
) -> None:
    """CXF refuses a fault that is not protected as its policy says, so seeing it shows that it was."""
    refused = call(cxf, provider, number("find", "999999"), soap=soap)
    assert not refused["ok"]
    assert "There is no order 999999 of yours." in refused["fault"]["reason"]


def test_what_the_schema_does_not_know_is_refused(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """A wrong type is the caller's fault, told in a secured reply."""
    refused = call(cxf, provider, PLACE.replace("10.25", "ten"))
    assert not refused["ok"]
    assert refused["fault"]["code"].endswith("}Client")
    assert call(cxf, provider, PLACE)["ok"]


def test_one_way(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """A remark has no answer; it stands in the order afterwards."""
    placed = call(cxf, provider, PLACE)
    mine = etree.fromstring(placed["response"]).findtext(f".//{{{NS}}}number") or ""
    call(cxf, provider, number("remark", mine, "<o:text>bitte klingeln</o:text>"))
    deadline = time.monotonic() + 10
    while "alice: bitte klingeln" not in call(cxf, provider, number("find", mine))["response"]:
        assert time.monotonic() < deadline


def test_a_role_is_needed(cxf: JavaPeer, provider: ProviderProcess) -> None:
    """bob has the role as well; who does not exist gets the uniform fault."""
    assert call(cxf, provider, PLACE, username="bob")["ok"]
    refused = call(cxf, provider, PLACE, username="carol")
    assert not refused["ok"]
    assert refused["fault"]["code"].endswith("}InvalidSecurity")
