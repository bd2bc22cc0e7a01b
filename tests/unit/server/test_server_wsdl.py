# ruff: noqa: N805 - Spyne hands its operations ctx
"""The WSDL: what clients make of it, and whose address stands in it."""

import pytest
import zeep
from lxml import etree
from spyne import Application, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from werkzeug.test import Client
from zeep.transports import Transport

from tests.unit.server.plain import TNS, application, serve
from wsprovider.server import wsdl
from wsprovider.server.interface import operations_of
from wsprovider.server.invoker import Invoker

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
SOAP12 = "{http://schemas.xmlsoap.org/wsdl/soap12/}"
GET = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}
ADDRESS = "http://localhost/shop"


class InProcess(Transport):
    """zeep's transport, straight into a WSGI application."""

    def __init__(self, app):
        super().__init__()
        self.client = Client(app)
        self.statuses = []

    def load(self, url):
        return self.client.get(url.removeprefix("http://localhost")).data

    def post(self, address, message, headers):
        data = message if isinstance(message, bytes) else message.encode()
        response = self.client.post(address.removeprefix("http://localhost"), data=data, headers=headers)
        self.statuses.append(response.status_code)

        class Answer:
            status_code = response.status_code
            content = response.data
            headers = response.headers
            encoding = "utf-8"

        return Answer()


def document(**environ):
    return etree.fromstring(serve().raw(b"", **GET, **environ).data)


def locations(root):
    return {element.get("location") for element in root.iter(f"{SOAP}address", f"{SOAP12}address")}


@pytest.fixture
def transport(served):
    return InProcess(served.provider)


@pytest.mark.parametrize("port", ["ShopSoap11", "ShopSoap12"])
def test_zeep_configures_itself_and_calls(served, transport, port):
    client = zeep.Client(f"{ADDRESS}?wsdl", transport=transport)
    service = client.bind("ShopService", port)
    assert service.echo("h\u00e4\u6f22") == "h\u00e4\u6f22"
    item = {"name": "n", "price": "1.50", "code": "c"}
    answer = service.basket({"items": {"Item": [item, item]}, "tags": ["a", "b"]})
    assert [i["code"] for i in answer["items"]["Item"]] == ["c", "c"]
    assert answer["tags"] == ["a", "b"]
    assert service.note("one way") is None
    assert transport.statuses == [200, 200, 202]
    assert [a["action"] for a in served.recipient.accepted] == [
        f"{TNS}/{n}" for n in ("echo", "basket", "note")
    ]


@pytest.mark.parametrize("port", ["ShopSoap11", "ShopSoap12"])
def test_zeep_reads_our_faults(transport, port):
    service = zeep.Client(f"{ADDRESS}?wsdl", transport=transport).bind("ShopService", port)
    with pytest.raises(zeep.exceptions.Fault) as caught:
        service.fail("declared")
    assert caught.value.message == "There is no such order"
    assert caught.value.detail.find(f".//{{{TNS}}}number").text == "7"


def test_two_bindings_and_two_ports_at_one_address():
    root = document()
    names = [binding.get("name") for binding in root.iterfind(f"{WSDL}binding")]
    assert names == ["ShopSoap11", "ShopSoap12"]
    (service,) = root.iterfind(f"{WSDL}service")
    assert [port.get("name") for port in service] == names
    assert locations(root) == {"http://localhost:8080/shop"}
    for soap in (SOAP, SOAP12):
        actions = {element.get("soapAction") for element in root.iter(f"{soap}operation")}
        assert f"{TNS}/echo" in actions
        assert all(action.startswith(f"{TNS}/") for action in actions)


def test_order_and_prefixes():
    root = document()
    names = [etree.QName(child).localname for child in root]
    assert names == sorted(names, key=["types", "message", "portType", "binding", "service"].index)
    for element in root.iter(etree.Element):
        for attribute in ("type", "element", "message", "binding", "base", "ref"):
            value = element.get(attribute)
            if value and ":" in value:
                assert value.partition(":")[0] in element.nsmap, (element.tag, value)


def test_one_way_has_no_output_and_no_headers_out_of_nowhere():
    root = document()
    (operation,) = root.iterfind(f"{WSDL}portType/{WSDL}operation[@name='note']")
    assert [etree.QName(child).localname for child in operation] == ["input"]
    assert root.find(f".//{SOAP}header") is None


def test_actions_of_operations():
    operation = operations_of(application())[f"{{{TNS}}}echo"]
    assert (operation.action, operation.reply_action) == (f"{TNS}/echo", f"{TNS}/echoResponse")
    assert not operation.one_way
    assert operations_of(application())[f"{{{TNS}}}note"].one_way


@pytest.mark.parametrize(
    ("environ", "location"),
    [
        ({"HTTP_HOST": "127.0.0.1:9000"}, "http://127.0.0.1:9000/shop"),
        ({"HTTP_HOST": "[::1]:9000"}, "http://[::1]:9000/shop"),
        ({"HTTP_HOST": "localhost"}, "http://localhost/shop"),
        ({"HTTP_HOST": "evil.example"}, "http://localhost:8080/shop"),
        ({"HTTP_HOST": "localhost.evil.example"}, "http://localhost:8080/shop"),
        ({"HTTP_HOST": "localhost:80@evil.example"}, "http://localhost:8080/shop"),
        ({"HTTP_HOST": 'localhost"><x/>'}, "http://localhost:8080/shop"),
        ({"HTTP_HOST": "localhost\n"}, "http://localhost:8080/shop"),
        ({"HTTP_HOST": "evil", "SERVER_PORT": "x"}, "http://localhost/shop"),
        ({"HTTP_X_FORWARDED_HOST": "evil.example"}, "http://localhost:8080/shop"),
        ({"wsgi.url_scheme": "https", "HTTP_HOST": "localhost"}, "https://localhost/shop"),
        (
            {"wsgi.url_scheme": "https", "HTTP_HOST": "localhost", "HTTP_X_FORWARDED_PROTO": "https"},
            "http://localhost/shop",
        ),
    ],
)
def test_the_host_header_is_never_trusted(environ, location):
    assert locations(document(**environ)) == {location}


def test_configured_addresses():
    invoker = Invoker(application())

    def location(bases, secure):
        made = wsdl.build(invoker.application, invoker.operations, path="/shop", bases=bases, attach=None)
        return locations(etree.fromstring(made.served({"HTTP_HOST": "localhost"}, secure=secure)))

    public = wsdl.BaseUrls("https://x.example/a&b/", "http://p.example", "https://s.example")
    assert location(public, secure=False) == {"https://x.example/a&b/shop"}
    both = wsdl.BaseUrls(None, "http://p.example:80", "https://s.example")
    assert location(both, secure=False) == {"http://p.example:80/shop"}
    assert location(both, secure=True) == {"https://s.example/shop"}
    tls = wsdl.BaseUrls(None, "http://p.example", "https://s.example", https_only=True)
    assert location(tls, secure=False) == {"https://s.example/shop"}


def test_what_is_attached_is_published():
    invoker = Invoker(application())
    made = wsdl.build(
        invoker.application,
        invoker.operations,
        path="/shop",
        bases=wsdl.BaseUrls(),
        attach=lambda root: root.insert(0, etree.Element("{urn:p}Policy")),
    )
    assert etree.fromstring(made.served({}, secure=False))[0].tag == "{urn:p}Policy"


def test_several_classes_are_one_service():
    class More(ServiceBase):
        @rpc(Unicode, _returns=Unicode)
        def more(ctx, text):
            return text

    from tests.unit.server.plain import Shop

    app = Application([Shop, More], TNS, "Shop", in_protocol=Soap11(), out_protocol=Soap11())
    invoker = Invoker(app)
    made = wsdl.build(app, invoker.operations, path="/shop", bases=wsdl.BaseUrls(), attach=None)
    root = etree.fromstring(made.served({}, secure=False))
    assert [service.get("name") for service in root.iterfind(f"{WSDL}service")] == ["ShopService"]
    assert len(root.findall(f"{WSDL}portType")) == 1
    assert {"echo", "more"} <= {o.get("name") for o in root.iterfind(f"{WSDL}portType/{WSDL}operation")}
