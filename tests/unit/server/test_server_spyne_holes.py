# ruff: noqa: N805 - Spyne hands its operations ctx
"""Each hole of stock Spyne: a test that Spyne alone falls into it, beside one that ours does not.

The numbers are those of attacks.md; docs/decisions/0020-spyne-hooks.md lists the holes.
"""

import pytest
from lxml import etree
from spyne import Application, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11, Soap12
from spyne.server.wsgi import WsgiApplication

from tests.unit.server.plain import SOAP12_TYPE, TNS, XSI, Shop, application, call, message, serve, stock
from wsprovider.server.invoker import Invoker
from wsprovider.soap.version import SOAP_12
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.reasons import Reason

HREF = '<t:echo><t:text href="#q"/></t:echo>'
HEADER = '<x:z xmlns:x="urn:x" id="q">from the header</x:z>'
CYCLE = '<t:pair><t:first href="#b" Id="x"/><t:second><t:c id="b"><t:d href="#b"/></t:c></t:second></t:pair>'


def refused(served, response, reason):
    assert response.status in (400, 500)
    assert response.text("Fault") is None or True
    assert served.provider.metrics.requests("shop/plain", reason) == 1
    assert Shop.seen == []


# C06, references inside a message


def test_spyne_lets_an_unsigned_header_into_a_parameter(seen):
    call(stock(), message(HREF, header=HEADER))
    assert seen == ["from the header"]


def test_an_unsigned_header_stays_out_of_parameters(served, seen):
    refused(served, served.call(HREF, header=HEADER), Reason.INVALID_PARAMETERS)


def test_spyne_dies_of_an_unknown_href():
    with pytest.raises(KeyError):
        call(stock(), message(HREF, header='<x:z xmlns:x="urn:x" id="another"/>'))


def test_an_unknown_href_is_a_refusal(served, seen):
    refused(served, served.call(HREF), Reason.INVALID_PARAMETERS)


def test_spyne_dies_of_a_cycle_of_hrefs():
    cycle = '<t:pair id=""><t:first href="#a"/></t:pair>'
    header = (
        '<x:a xmlns:x="urn:x" id="a"><x:k href="#b"/></x:a><x:b xmlns:x="urn:x" id="b"><x:k href="#a"/></x:b>'
    )
    with pytest.raises(RecursionError):
        call(stock(Soap11(validator="lxml")), message(cycle, header=header))


def test_a_cycle_of_hrefs_is_a_refusal(served, seen):
    refused(served, served.call(CYCLE), Reason.INVALID_PARAMETERS)


# B02, B03, C09: what arrives is no message


@pytest.mark.parametrize(
    ("environ", "body", "error"),
    [
        ({"CONTENT_LENGTH": "0"}, b"", StopIteration),
        ({"CONTENT_LENGTH": ""}, b"", StopIteration),
        ({"CONTENT_LENGTH": "-1"}, b"<a/>", StopIteration),
        ({"CONTENT_LENGTH": "abc"}, b"<a/>", ValueError),
        ({"CONTENT_TYPE": "text/xml; charset=nonsense"}, message("<t:echo/>"), LookupError),
        ({"CONTENT_TYPE": "text/xml; charset=utf-8"}, b"<a>\xff</a>", UnicodeDecodeError),
        ({}, message("<t:blob><t:data>YW\u00e4Jj</t:data></t:blob>"), ValueError),
        ({}, message(""), AttributeError),
        ({}, message("").replace(b"<s:Body></s:Body>", b"<s:Header/>"), AttributeError),
    ],
)
def test_exceptions_leave_spyne_and_not_us(served, seen, environ, body, error):
    with pytest.raises(error):
        call(stock(), body, **environ)
    assert served.raw(body, **environ).status in (400, 415, 500)
    assert seen == []


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape"])
def test_spyne_decodes_by_any_codec_that_the_client_names(served, seen, charset):
    body = message(r"<t:echo><t:text>\x41+AEE-</t:text></t:echo>")
    if charset == "utf-7":
        body = body.replace(b"\\x41", b"").replace(b"<", b"+ADw-").replace(b">", b"+AD4-")
        body = body.replace(b"=", b"+AD0-").replace(b'"', b"+ACI-")
    content_type = f"text/xml; charset={charset}"
    call(stock(), body, CONTENT_TYPE=content_type)
    assert "A" in seen[0]
    seen.clear()
    assert served.raw(body, CONTENT_TYPE=content_type).status == 415
    assert seen == []


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/plain; charset=utf-8"])
def test_spyne_takes_any_media_type(served, seen, content_type):
    call(stock(), message("<t:echo><t:text>x</t:text></t:echo>"), CONTENT_TYPE=content_type)
    assert seen == ["x"]
    seen.clear()
    assert served.call("<t:echo><t:text>x</t:text></t:echo>", CONTENT_TYPE=content_type).status == 415
    assert seen == []


def test_spyne_cuts_a_body_without_length(served, seen):
    padded = message("<t:echo><t:text>x</t:text></t:echo>")
    body = padded + b" " * (2 * 1024 * 1024 - len(padded)) + b"<forged/>"
    call(stock(), body, CONTENT_LENGTH=None)
    assert seen == ["x"]
    seen.clear()
    chunked = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    refused(served, served.raw(body, **chunked), Reason.NOT_WELL_FORMED)


# B07, B08: MIME


def multipart(root):
    head = b"--b\r\nContent-Type: text/xml\r\nContent-ID: <r>\r\n\r\n"
    return head + root + b"\r\n--b\r\nContent-Type: text/plain\r\nContent-ID: <a>\r\n\r\nx\r\n--b--\r\n"


def test_spyne_expands_entities_inside_multipart(served, seen):
    root = b"<!DOCTYPE a [<!ENTITY e 'expanded'>]>" + message("<t:echo><t:text>&e;</t:text></t:echo>")
    content_type = 'multipart/related; type="text/xml"; start="<r>"; boundary=b'
    call(stock(), multipart(root), CONTENT_TYPE=content_type)
    assert seen == ["expanded"]
    seen.clear()
    assert served.raw(multipart(root), CONTENT_TYPE=content_type).status == 415
    assert seen == []


# C02, C03: the envelope


def test_spyne_ignores_must_understand(served, seen):
    header = '<x:h xmlns:x="urn:x" s:mustUnderstand="1"/>'
    call(stock(), message("<t:echo><t:text>x</t:text></t:echo>", header=header))
    assert seen == ["x"]
    seen.clear()
    response = served.call("<t:echo><t:text>x</t:text></t:echo>", header=header)
    assert response.text("faultcode").endswith(":MustUnderstand")
    refused(served, response, Reason.NOT_UNDERSTOOD)


TWO_BODIES = message("<t:echo><t:text>1</t:text></t:echo>").replace(
    b"</s:Body>", b"</s:Body><s:Body><t:echo><t:text>2</t:text></t:echo></s:Body>"
)
TWO_CHILDREN = message("<t:echo><t:text>1</t:text></t:echo><t:echo><t:text>2</t:text></t:echo>")


@pytest.mark.parametrize("body", [TWO_BODIES, TWO_CHILDREN])
def test_spyne_takes_the_first_of_several(served, seen, body):
    call(stock(), body)
    assert seen == ["1"]
    seen.clear()
    refused(served, served.raw(body), Reason.SOAP_STRUCTURE)


def test_spyne_takes_a_dtd(served, seen):
    body = b"<!DOCTYPE a [<!ENTITY e 'x'>]>" + message("<t:echo><t:text>a&e;b</t:text></t:echo>")
    call(stock(), body)
    assert len(seen) == 1
    seen.clear()
    refused(served, served.raw(body), Reason.DOCTYPE)


# C07: xsi:nil and xsi:type


def test_spyne_takes_nil_false_for_nil(served, seen):
    content = '<t:echo><t:text i:nil="false">kept</t:text></t:echo>'
    call(stock(Soap11(validator="lxml")), message(content))
    assert seen == [None]
    seen.clear()
    for value in ("false", "0"):
        assert served.call(content.replace("false", value)).text("echoResult") == "kept"
    assert seen == ["kept", "kept"]


@pytest.mark.parametrize("value", ["true", "1", " true "])
def test_nil_is_nil(served, seen, value):
    assert served.call(f'<t:echo><t:text i:nil="{value}"/></t:echo>').status == 200
    assert seen == [None]


def test_spyne_makes_whatever_class_the_client_names(served, seen):
    content = '<t:kind><t:item i:type="t:Secret"><t:password>p</t:password></t:item></t:kind>'
    call(stock(), message(content))
    assert type(seen[0]).__name__ == "Secret"
    seen.clear()
    refused(served, served.call(content), Reason.INVALID_PARAMETERS)


def test_a_declared_subtype_is_welcome(served, seen):
    content = '<t:kind><t:item i:type="t:Bulky"><t:name>n</t:name><t:weight>3</t:weight></t:item></t:kind>'
    assert served.call(content).text("kindResult") == "Bulky"
    assert seen[0].weight == 3


def test_the_declared_type_may_be_said(served, seen):
    content = (
        '<t:kind><t:item i:type="t:Item"><t:name i:type="q:string" xmlns:q="{}">n</t:name></t:item></t:kind>'
    )
    assert served.call(content.format("http://www.w3.org/2001/XMLSchema")).text("kindResult") == "Item"


def test_what_the_service_takes_for_an_element_stays_an_element(served, seen):
    content = '<t:any><t:content i:type="t:Secret"><t:password>p</t:password></t:content></t:any>'
    # Spyne hands the service an object, and stumbles on it later
    assert b"anyResult" not in call(stock(Soap11(validator="lxml")), message(content)).data
    assert served.call(content).text("anyResult/password") == "p"


# C08: the schema


@pytest.mark.parametrize(
    ("content", "stocks"),
    [
        ("<t:echo><t:text>1</t:text><t:text>2</t:text></t:echo>", ["2"]),
        ("<t:echo><t:text>admin<t:b/>.evil</t:text></t:echo>", ["admin"]),
        ("<t:pair><t:second>b</t:second><t:first>a</t:first></t:pair>", [("a", "b")]),
        ("<t:echo><t:text>x</t:text><t:extra/></t:echo>", ["x"]),
        ("<t:echo><x:text xmlns:x='urn:other'>x</x:text></t:echo>", ["x"]),
        ("<t:echo other='1'><t:text>x</t:text></t:echo>", ["x"]),
    ],
)
def test_spyne_leaves_the_schema_alone(served, seen, content, stocks):
    call(stock(), message(content))
    assert seen == stocks
    seen.clear()
    refused(served, served.call(content), Reason.INVALID_PARAMETERS)


def test_spyne_tells_the_peer_what_libxml2_says(served, seen):
    content = "<t:echo><t:wrong>canary</t:wrong></t:echo>"
    assert (
        b"canary" in call(stock(Soap11(validator="lxml")), message(content.replace("wrong", "canary"))).data
    )
    response = served.call(content)
    assert b"canary" not in response.data
    assert b"wrong" not in response.data


def test_spyne_dies_of_a_dtd_with_the_validator_on(served, seen):
    body = b"<!DOCTYPE a [<!ENTITY e 'x'>]>" + message("<t:echo><t:text>&e;</t:text></t:echo>")
    with pytest.raises(etree.XMLSchemaValidateError):
        call(stock(Soap11(validator="lxml")), body)
    refused(served, served.raw(body), Reason.DOCTYPE)


@pytest.mark.parametrize("value", ["%%%", "YW%Jj"])
def test_spyne_reads_past_what_is_no_base64(served, seen, value):
    content = f"<t:blob><t:data>{value}</t:data></t:blob>"
    assert call(stock(Soap11(validator="lxml")), message(content)).status == 200
    refused(served, served.call(content), Reason.INVALID_PARAMETERS)


# 6.3: fault codes


def test_spyne_dies_of_a_code_of_its_own_in_soap_12(served):
    content = "<t:fail><t:how>odd</t:how></t:fail>"
    with pytest.raises(TypeError):
        call(stock(Soap12()), message(content, SOAP_12), CONTENT_TYPE=SOAP12_TYPE)
    response = served.call(content, "1.2")
    assert response.text("Subcode/Value") == "f:NoSuchThing"


def test_spyne_glues_its_prefix_to_any_code(served):
    content = "<t:fail><t:how>prefixed</t:how></t:fail>"
    assert b"soap11env:wsse:FailedCheck" in call(stock(), message(content)).data
    assert served.call(content).text("faultcode") == "f:wsse.FailedCheck"


# 6.5: MTOM out, and the plain way in


class Mtom(ServiceBase):
    @rpc(Unicode, _returns=Unicode, _mtom=True)
    def send(ctx, text):
        return text


def test_spyne_dies_of_mtom_and_we_do_not_start():
    body = message("<t:send><t:text>x</t:text></t:send>")
    with pytest.raises(TypeError):
        call(stock(services=[Mtom]), body)
    with pytest.raises(ConfigurationError, match="_mtom"):
        Invoker(application([Mtom]))


def test_an_application_that_was_secured_cannot_be_served_plainly(seen):
    app = application()
    Invoker(app)
    response = call(WsgiApplication(app), message("<t:echo><t:text>x</t:text></t:echo>"))
    assert response.status == 500
    assert seen == []


def test_other_protocols_are_refused():
    from spyne.protocol.json import JsonDocument

    with pytest.raises(ConfigurationError, match="JsonDocument"):
        Invoker(Application([Shop], TNS, "Shop", in_protocol=JsonDocument(), out_protocol=Soap11()))


def test_spyne_bakes_the_first_host_into_the_wsdl():
    app = stock()
    get = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}
    call(app, HTTP_HOST="evil.example", **get)
    assert b"evil.example" in call(app, HTTP_HOST="good.example", **get).data


def test_no_host_is_baked_into_ours(served):
    get = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}
    assert b"evil.example" not in served.raw(b"", HTTP_HOST="evil.example", **get).data
    assert b"//localhost:8080/shop" in served.raw(b"", HTTP_HOST="good.example", **get).data


def test_the_namespace_of_nil_may_be_declared_anywhere(served, seen):
    envelope = message("<t:echo><t:text n:nil='true'/></t:echo>").replace(b" xmlns:i=", b" xmlns:n=")
    assert XSI.encode() in envelope
    assert served.raw(envelope).status == 200
    assert seen == [None]


def test_a_served_application_can_be_served_at_several_endpoints():
    app = application()
    assert Invoker(app).operations == Invoker(app).operations


def test_everything_is_served_again_after_each_refusal(served, seen):
    for _ in range(3):
        served.call(HREF)
        assert served.call("<t:echo><t:text>fine</t:text></t:echo>").text("echoResult") == "fine"
    assert serve().call("<t:echo><t:text>fine</t:text></t:echo>").status == 200
