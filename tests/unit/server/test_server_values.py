# ruff: noqa: N805 - Spyne hands its operations ctx
"""Values in and out: nested types, arrays, dates, decimals, binary data, elements."""

import base64
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from spyne import ComplexModel, Integer, ServiceBase, rpc

from tests.unit.server.plain import Shop

BASKET = (
    "<t:basket><t:basket><t:items>"
    '<t:Item code="a1"><t:name>Stra\u00dfe &amp; &lt;b&gt;</t:name><t:price>10.50</t:price><t:due>2024-02-29</t:due></t:Item>'
    "<t:Item><t:name/><t:price>-0.001</t:price></t:Item>"
    "</t:items><t:placed>2024-01-02T03:04:05.678Z</t:placed><t:tags>x</t:tags><t:tags> y </t:tags></t:basket></t:basket>"
)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_nested_values(served, seen, version):
    response = served.call(BASKET, version)
    assert response.status == 200
    basket = seen[0]
    first, second = basket.items
    assert (first.code, first.name, first.price) == ("a1", "Stra\u00dfe & <b>", Decimal("10.50"))
    assert first.due == date(2024, 2, 29)
    assert (second.name, second.price, second.due) == ("", Decimal("-0.001"), None)
    assert basket.placed == datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    assert basket.tags == ["x", " y "]
    assert response.text("items/Item/name") == "Stra\u00dfe & <b>"
    assert response.text("placed") == "2024-01-02T03:04:05.678000+00:00"
    assert served.recipient.replies[0] == {"fault": False, "exact": False, "headers": ()}


@pytest.mark.parametrize(
    "content",
    [
        "<t:basket><t:basket><t:placed>yesterday</t:placed></t:basket></t:basket>",
        "<t:basket><t:basket><t:placed>12024-01-02T03:04:05Z</t:placed></t:basket></t:basket>",
        "<t:basket><t:basket><t:items><t:Item><t:price>1e400x</t:price></t:Item></t:items></t:basket></t:basket>",
        "<t:heave><t:bulky><t:weight>" + "9" * 5000 + "</t:weight></t:bulky></t:heave>",
        "<t:blob><t:data>%%%</t:data></t:blob>",
    ],
)
def test_values_that_do_not_fit(served, seen, content):
    response = served.call(content)
    assert response.status == 500
    assert response.text("faultcode") == "soap:Client"
    assert served.recipient.replies[-1]["fault"] is True
    assert seen == []


def test_big_binary_data(served):
    data = bytes(range(256)) * 12_000
    encoded = base64.b64encode(data).decode()
    response = served.call(f"<t:blob><t:data>{encoded}</t:data></t:blob>")
    assert base64.b64decode(response.text("blobResult")) == data


def test_elements_of_the_services_own_are_sent_exactly(served):
    response = served.call('<t:any><t:content><q:a xmlns:q="urn:q" kind="q:b"/></t:content></t:any>')
    assert response.status == 200
    assert served.recipient.replies[-1]["exact"] is True
    inner = response.root.find(".//{urn:q}a")
    assert inner.nsmap["q"] == "urn:q"


def test_nothing_in_nothing_out(served, seen):
    response = served.call("<t:keep/>")
    assert response.status == 200
    assert seen == [None]
    assert len(response.root[0][0]) == 0


def test_white_space_in_text_stays(served):
    text = " a\tb \n c&#13;d "
    response = served.call(f"<t:echo><t:text>{text}</t:text></t:echo>")
    assert response.text("echoResult") == " a\tb \n c\rd "


def test_cdata_and_comments(served):
    response = served.call("<t:echo><t:text>a<!-- x --><![CDATA[<b>]]>c</t:text></t:echo>")
    assert response.text("echoResult") == "a<b>c"


def test_what_the_service_learns_of_its_caller(served):
    text = served.call("<t:who/>").text("whoResult")
    assert text == "alice|password|['clerk']|shop/plain|urn:uuid:1"


def test_many_elements(served):
    items = "<t:Item><t:name>n</t:name></t:Item>" * 2000
    response = served.call(f"<t:basket><t:basket><t:items>{items}</t:items></t:basket></t:basket>")
    assert len(Shop.seen[0].items) == 2000
    assert response.data.count(b"Item>") >= 2000


HEADED = "<t:headed/>"
TICKET = "<t:Ticket{}><t:number>{}</t:number></t:Ticket>"


@pytest.fixture
def headed(plain):
    class Ticket(ComplexModel):
        __namespace__ = plain.TNS
        number = Integer

    class Headed(ServiceBase):
        @rpc(_returns=Integer, _in_header=(Ticket,), _out_header=(Ticket,))
        def headed(ctx):
            ctx.out_header = Ticket(number=8)
            return ctx.in_header.number if ctx.in_header else -1

    return plain.serve([Headed])


@pytest.mark.parametrize(
    ("header", "result"),
    [
        (TICKET.format("", 7), "7"),
        (TICKET.format(' s:actor="http://schemas.xmlsoap.org/soap/actor/next"', 7), "7"),
        (TICKET.format(' w:Id="x" xmlns:w="urn:w"', 7), "7"),
        (TICKET.format(' s:actor="urn:somebody-else"', 7), "-1"),
        ("<x:Ticket xmlns:x='urn:x'><x:number>7</x:number></x:Ticket>", "-1"),
        ("", "-1"),
    ],
)
def test_declared_headers(headed, header, result):
    response = headed.call(HEADED, header=header)
    assert response.text("headedResult") == result
    assert response.text("Header/Ticket/number") == "8"


@pytest.mark.parametrize("header", [TICKET.format("", 1) + TICKET.format("", 2), TICKET.format("", "x")])
def test_declared_headers_that_do_not_fit(headed, header):
    assert headed.call(HEADED, header=header).text("faultcode") == "soap:Client"
