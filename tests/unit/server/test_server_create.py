# ruff: noqa: N805 - Spyne hands its operations ctx
"""The composition root: real endpoints, from folders and from Python, called by our own initiator."""

import os
import shutil
import sqlite3
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from spyne import AnyXml, Application, ServiceBase, Unicode, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

from tests.simulator.bend import SIGNATURE, bend, flip
from tests.simulator.world import BOTH, ECHO, OPERATION, echo_body, party, result_of
from tests.unit.server.plain import SOAP12_TYPE, VERSIONS, call
from wsprovider.adapters.keys.pem import load_certificates
from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.adapters.users.development import development_users
from wsprovider.config.development import create_development_keys
from wsprovider.exchange.initiator import Initiator, addressing
from wsprovider.exchange.sightings import Sightings
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.uses import Case
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.server.create import create_app, secure
from wsprovider.server.declared import Service
from wsprovider.server.faults import QNameFault
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import ConfigurationError, SoapError
from wsprovider.words.reasons import Reason

EIGHT = range(1, 9)
GET = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}


class Echo(ServiceBase):
    calls: ClassVar[list[str]] = []

    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        Echo.calls.append(f"{ctx.udc.name}: {text}")
        if text == "fail":
            raise ValueError("internal")
        return text

    @rpc(AnyXml, _returns=AnyXml)
    def mirror(ctx, content):
        if content.get("fail"):
            raise QNameFault("urn:codes", "Broken", "as asked", detail=content)
        return content

    @rpc(Unicode, _returns=Unicode)
    def erase(ctx, text):
        Echo.calls.append("erased")
        return text


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server") / "keys"
    create_development_keys(folder, now=datetime.now(UTC), write_users=development_users)
    return folder


OPENED = []


@pytest.fixture(autouse=True)
def calls():
    Echo.calls.clear()
    yield Echo.calls
    while OPENED:
        OPENED.pop().close()


class Holder:
    """What tests.simulator.world.party wants of a key's holder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.certificate = Certificate.from_x509(
            x509.load_pem_x509_certificate((folder / f"{name}.cert.pem").read_bytes())
        )
        self.private_key = load_pem_private_key((folder / f"{name}.key.pem").read_bytes(), None)

    def pair(self, name):
        return KeyPair(name, self.certificate, self.private_key)


def initiator(keys, policy):
    service = x509.load_pem_x509_certificate((keys / "development" / "service.cert.pem").read_bytes())
    client = party(Holder(keys / "development", "client-1"), ("service", Certificate.from_x509(service)))
    return Initiator(
        policy,
        "client",
        keys=lambda: client.snapshot,
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        credentials=Credentials("alice", "development"),
        partner="service",
    )


def settings(number, **more):
    return {
        "path": f"/echo/{number}",
        "scenario": number,
        "trust": ["clients"],
        "users": "users.toml",
        **more,
    }


def app_of(keys, tmp_path, *endpoints, **options):
    declared = Service("echo", [Echo], {"namespace": ECHO, "endpoint": list(endpoints)})
    app = create_app([declared], keys=keys, shared=f"sqlite:///{tmp_path / 'shared.sqlite3'}", **options)
    OPENED.append(app)
    return app


def post(app, number, data, version="1.1", **environ):
    content_type = VERSIONS[version][1]
    return call(
        app,
        data,
        **{
            "PATH_INFO": f"/echo/{number}",
            "CONTENT_TYPE": content_type,
            "wsgi.url_scheme": "https",
            **environ,
        },
    )


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("number", EIGHT)
def test_the_whole_way(keys, tmp_path, calls, number, version):
    app = app_of(keys, tmp_path, settings(number))
    soap = VERSIONS[version][0]
    client = initiator(keys, find(number).policy())
    pending = client.request(echo_body(soap, "gr\u00fc\u00dfe"), version=soap)
    response = post(app, number, pending.data, version)
    answer = client.accept(pending, response.data, secure=True)
    assert response.status == 200
    assert answer.payload.findtext(f"{{{ECHO}}}echoResult") == "gr\u00fc\u00dfe"
    assert len(calls) == 1
    copy = post(app, number, pending.data, version)
    # scenarios 1 and those that only encrypt for anybody may be told apart by nothing but a nonce
    if copy.status != 200:
        assert app.metrics.requests(f"echo/{number}", Reason.REPLAY) == 1
        assert len(calls) == 1


@pytest.mark.parametrize("number", EIGHT)
def test_faults_of_the_service_are_protected(keys, tmp_path, number):
    app = app_of(keys, tmp_path, settings(number))
    client = initiator(keys, find(number).policy())
    pending = client.request(echo_body(SOAP_11, "fail"), version=SOAP_11)
    response = post(app, number, pending.data)
    assert response.status == 500
    answer = client.accept(pending, response.data, secure=True)
    assert answer.fault
    assert answer.payload.findtext("faultstring") == "Internal error"


def test_who_uses_which_key_is_in_the_shared_store(keys, tmp_path):
    path = tmp_path / "shared.sqlite3"
    app = app_of(keys, tmp_path, settings(5))
    client = initiator(keys, find(5).policy())
    good = client.request(echo_body(SOAP_11, "x"), version=SOAP_11)
    store = SqliteStore(path)
    OPENED.append(store)
    sightings = Sightings(store, monotonic=time.monotonic)
    twin = bend(good.data, flip(f"{SIGNATURE}/ds:SignatureValue"))
    assert post(app, 5, twin).status == 500
    assert sightings.seen(datetime.now(UTC)) == ()
    assert post(app, 5, good.data).status == 200
    seen = sightings.seen(datetime.now(UTC))
    assert {(one.service, one.partner) for one in seen} == {("echo", "client-1")}
    assert [one.case for one in seen] == [Case.DECRYPT, Case.ENCRYPT, Case.SIGN, Case.VERIFY]
    assert [one.subject for one in seen if one.case is Case.VERIFY] == [
        Holder(keys / "development", "client-1").certificate.subject
    ]


def test_an_action_of_another_operation_is_refused(keys, tmp_path, calls):
    app = app_of(keys, tmp_path, settings(5))
    client = initiator(keys, find(5).policy())
    pending = client.request(echo_body(SOAP_11, "x"), version=SOAP_11)
    response = post(app, 5, pending.data, HTTP_SOAPACTION=f'"{ECHO}/erase"')
    assert response.status == 500
    assert app.metrics.requests("echo/5", Reason.ACTION_MISMATCH) == 1
    pending = client.request(echo_body(SOAP_12, "x"), version=SOAP_12)
    response = post(app, 5, pending.data, CONTENT_TYPE=f'{SOAP12_TYPE}; action="{ECHO}/erase"')
    assert app.metrics.requests("echo/5", Reason.ACTION_MISMATCH) == 2
    assert calls == []


def test_parameters_that_do_not_fit_are_a_protected_fault(keys, tmp_path, calls):
    app = app_of(keys, tmp_path, settings(5))
    client = initiator(keys, find(5).policy())
    body = echo_body(SOAP_11, "x")
    etree.SubElement(body[0], f"{{{ECHO}}}extra")
    pending = client.request(body, version=SOAP_11)
    answer = client.accept(pending, post(app, 5, pending.data).data, secure=True)
    assert answer.fault
    assert calls == []
    assert app.metrics.requests("echo/5", Reason.INVALID_PARAMETERS) == 1


@pytest.mark.parametrize("header", [None, "https"])
def test_scenario_1_over_plain_http(keys, tmp_path, calls, header):
    app = app_of(keys, tmp_path, settings(1))
    client = initiator(keys, find(1).policy())
    pending = client.request(echo_body(SOAP_11, "x"), version=SOAP_11)
    plain = {"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": header}
    assert post(app, 1, pending.data, **plain).status == 500
    assert app.metrics.requests("echo/1", Reason.TRANSPORT) == 1
    assert calls == []


def test_scenario_1_behind_a_trusted_proxy(keys, tmp_path, calls):
    app = app_of(keys, tmp_path, settings(1), trusted_proxies=["10.0.0.0/8"])
    client = initiator(keys, find(1).policy())

    def status(address):
        pending = client.request(echo_body(SOAP_11, "x"), version=SOAP_11)
        behind = {"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": address}
        return post(app, 1, pending.data, **behind).status

    assert status("10.1.2.3") == 200
    assert status("192.0.2.1") == 500


@pytest.mark.parametrize("by", ["create_app", "secure"])
def test_a_trusted_proxy_passes_on_the_client_s_certificate(keys, tmp_path, by):
    proxies = {"trusted_proxies": ["10.0.0.0/8"], "client_certificate_header": "Client-Cert"}
    if by == "create_app":
        app = app_of(keys, tmp_path, settings(1), **proxies)
    else:
        soap = Application([Echo], ECHO, "Echo", in_protocol=Soap11(), out_protocol=Soap11())
        app = secure(soap, keys=keys, shared="memory:", path="/1", scenario=1, users="users.toml", **proxies)
    (client,) = load_certificates((keys / "trust" / "clients" / "client-1.pem").read_bytes())
    environ = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_CLIENT_CERT": b64encode(client.der).decode()}
    assert app._facts.of({"REMOTE_ADDR": "10.1.2.3", **environ}).client_certificate == client
    assert app._facts.of({"REMOTE_ADDR": "192.0.2.1", **environ}).client_certificate is None


def test_two_endpoints_of_one_service_publish_each_its_policy(keys, tmp_path):
    app = app_of(keys, tmp_path, settings(2), settings(5), public_url="https://x.example")
    for number in (2, 5):
        root = etree.fromstring(call(app, b"", PATH_INFO=f"/echo/{number}", **GET).data)
        assert f"https://x.example/echo/{number}" in {e.get("location") for e in root.iter("{*}address")}
        assert root.find("{http://schemas.xmlsoap.org/ws/2004/09/policy}Policy") is not None
        assert len(root.findall(".//{http://schemas.xmlsoap.org/ws/2004/09/policy}PolicyReference")) == 2


def test_every_mistake_is_reported_at_once(tmp_path, keys):
    class Empty(ServiceBase):
        pass

    with pytest.raises(ConfigurationError) as caught:
        create_app(
            [
                Service("a", [Echo], settings(99)),
                Service("b", [], settings(2)),
                Service("c", [Echo], {**settings(5), "trust": ["nobody"], "sceanrio": 1}),
            ],
            keys=keys,
            shared="memory:",
        )
    text = str(caught.value)
    for part in ("99", "no service class", "nobody", "sceanrio"):
        assert part in text
    with pytest.raises(ConfigurationError, match="no operation"):
        create_app([Service("d", [Empty], settings(2))], keys=keys, shared="memory:")


def test_a_store_that_cannot_be_opened(keys, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="shared"):
        create_app(
            [Service("a", [Echo], settings(2))], keys=keys, shared=f"sqlite:///{tmp_path}/file/x.sqlite3"
        )


def test_health_asks_the_store(keys, tmp_path):
    app = app_of(keys, tmp_path, settings(2))
    assert call(app, b"", **{**GET, "PATH_INFO": "/healthz", "QUERY_STRING": ""}).status == 200
    app.close()
    assert call(app, b"", **{**GET, "PATH_INFO": "/healthz", "QUERY_STRING": ""}).status == 503


def test_health_tells_of_a_store_that_is_full(keys, tmp_path, monkeypatch):
    """It only asked: a full store answered, health was good, and every message refused."""
    app = app_of(keys, tmp_path, settings(2))
    health = {**GET, "PATH_INFO": "/healthz", "QUERY_STRING": ""}
    with sqlite3.connect(tmp_path / "shared.sqlite3", isolation_level=None) as other:
        other.execute("UPDATE tally SET held = 1000000")
        assert call(app, b"", **health).status == 503
        other.execute("UPDATE tally SET held = 0")
        assert call(app, b"", **health).status == 200
        assert call(app, b"", **health).status == 200
        assert other.execute("SELECT held FROM tally").fetchone()[0] <= 2, "one entry in ten seconds"
    other.close()


def test_the_room_in_the_store_is_a_gauge(keys, tmp_path):
    app = app_of(keys, tmp_path, settings(2), metrics=True)
    told = {**GET, "PATH_INFO": "/metrics", "QUERY_STRING": ""}
    assert b"\nwsprovider_replay_entries 0\n" in call(app, b"", **told).data
    assert b"\nwsprovider_replay_entries_limit 1000000\n" in call(app, b"", **told).data
    app.close()
    assert b"replay_entries" not in call(app, b"", **told).data


def test_folders(keys, tmp_path, calls):
    folder = tmp_path / "services" / "echo"
    folder.mkdir(parents=True)
    (folder / "service.py").write_text(
        "from spyne import ServiceBase, Unicode, rpc\n"
        "class Echo(ServiceBase):\n"
        "    @rpc(Unicode, _returns=Unicode)\n"
        "    def echo(ctx, text):\n"
        "        return ctx.udc.principal.name + text\n"
    )
    (folder / "service.toml").write_text(
        f'namespace = "{ECHO}"\npath = "/echo/8"\nscenario = 8\nusers = "users.toml"\ntrust = ["clients"]\n'
    )
    app = create_app(tmp_path / "services", keys=keys, environ={})
    client = initiator(keys, find(8).policy())
    pending = client.request(echo_body(SOAP_11, "!"), version=SOAP_11)
    answer = client.accept(pending, post(app, 8, pending.data).data, secure=True)
    assert result_of(answer) == "alice!"
    app.close()


def test_the_examples_of_the_repository(keys, tmp_path):
    services = tmp_path / "services"
    shutil.copytree(Path(__file__).parents[3] / "services", services)
    app = create_app(services, keys=keys, environ={})
    for endpoint in app.endpoints:
        assert b"PolicyReference" in call(app, b"", **{**GET, "PATH_INFO": endpoint.path}).data
    app.close()


def test_secure_puts_an_application_of_somebodys_behind_a_scenario(keys, calls):
    application = Application(
        [Echo], ECHO, "Desk", in_protocol=Soap11(validator="lxml"), out_protocol=Soap11()
    )
    events = []
    application.event_manager.add_listener("method_call", lambda ctx: events.append(ctx.udc.name))
    app = secure(
        application,
        keys=keys,
        shared="memory:",
        path="/echo/5",
        scenario="sign-encrypt-x509",
        trust=["clients"],
    )
    client = initiator(keys, find(5).policy())
    pending = client.request(echo_body(SOAP_11, "x"), version=SOAP_11)
    answer = client.accept(pending, post(app, 5, pending.data).data, secure=True)
    assert result_of(answer) == "x"
    assert len(events) == 1
    plainly = b'<s:Envelope xmlns:s="%s"><s:Body><e:echo xmlns:e="%s"/></s:Body></s:Envelope>'
    calls.clear()
    response = call(WsgiApplication(application), plainly % (SOAP_11.namespace.encode(), ECHO.encode()))
    assert response.status == 500
    assert calls == []


def test_secure_reports_what_is_wrong(keys):
    application = Application([Echo], ECHO, "Desk", in_protocol=Soap11(), out_protocol=Soap11())
    with pytest.raises(ConfigurationError, match="scenario"):
        secure(application, keys=keys, shared="memory:", path="/x")


def test_multiref_in_a_real_message(keys, tmp_path, calls):
    app = app_of(keys, tmp_path, settings(5))
    client = initiator(keys, find(5).policy())
    body = echo_body(SOAP_11, "")
    body[0][0].set("href", "#q")
    stray = etree.Element("{urn:x}z", id="q")
    stray.text = "from the header"
    pending = client.request(body, version=SOAP_11, headers=[stray])
    assert post(app, 5, pending.data).status == 500
    assert calls == []


def test_operations_agree_with_the_simulator():
    assert BOTH
    application = Application([Echo], ECHO, "Echo", in_protocol=Soap11(), out_protocol=Soap11())
    from wsprovider.server.interface import operations_of

    assert operations_of(application)[OPERATION.input] == OPERATION
    assert SoapError is not None


QNAMES = (
    '<e:mirror xmlns:e="{}"><e:content><q:a xmlns:q="urn:q" kind="q:k"{}>q:b</q:a></e:content></e:mirror>'
)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("number", EIGHT)
def test_names_that_only_text_uses_survive_protection(keys, tmp_path, number, version):
    app = app_of(keys, tmp_path, settings(number))
    soap = VERSIONS[version][0]
    client = initiator(keys, find(number).policy())

    def send(attribute):
        body = etree.Element(f"{{{soap.namespace}}}Body", nsmap={"s": soap.namespace})
        body.append(etree.fromstring(QNAMES.format(ECHO, attribute)))
        pending = client.request(body, version=soap, exact=True)
        return client.accept(pending, post(app, number, pending.data, version).data, secure=True)

    answer = send("")
    inner = answer.payload.find(".//{urn:q}a")
    assert not answer.fault
    assert (inner.text, inner.get("kind"), inner.nsmap["q"]) == ("q:b", "q:k", "urn:q")
    fault = send(' fail="1"')
    inner = fault.payload.find(".//{urn:q}a")
    assert fault.fault
    assert (inner.text, inner.nsmap["q"]) == ("q:b", "urn:q")
    if version == "1.1":
        code = fault.payload.find("faultcode")
    else:
        code = fault.payload.find(f".//{{{soap.namespace}}}Subcode/{{{soap.namespace}}}Value")
    prefix, _, local = code.text.partition(":")
    assert (code.nsmap[prefix], local) == ("urn:codes", "Broken")


def test_a_public_address_is_the_only_one_that_messages_may_name(keys, tmp_path):
    app = app_of(keys, tmp_path, settings(3), public_url="https://services.example.org/soap")
    caller = initiator(keys, find(3).policy())
    for host, status in (
        ("https://services.example.org/soap", 200),
        ("https://other.example.org/soap", 500),
    ):
        blocks = addressing(to=f"{host}/echo/3", action=OPERATION.action, message_id="urn:a")
        pending = caller.request(echo_body(SOAP_11, "hello"), version=SOAP_11, blocks=blocks)
        assert post(app, 3, pending.data).status == status


def test_the_readme_says_how_it_is_done_in_python(keys, tmp_path, monkeypatch):
    class Hello(ServiceBase):
        @rpc(Unicode, _returns=Unicode)
        def hello(ctx, greeting):
            return greeting

    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text()
    (_, _, snippet) = readme.partition("```python\nfrom wsprovider import Service")
    code = "from wsprovider import Service" + snippet.partition("```")[0]
    (tmp_path / "keys").symlink_to(keys)
    monkeypatch.chdir(tmp_path)
    spyne_application = Application([Hello], tns="urn:x", in_protocol=Soap11(), out_protocol=Soap11())
    names = {"Hello": Hello, "spyne_application": spyne_application}
    exec(code, names)
    OPENED.append(names["application"])
    assert [endpoint.path for endpoint in names["application"].endpoints] == ["/orders"]


def test_every_endpoint_remembers_for_the_most_patient_one(keys, tmp_path):
    """Each forgot by its own patience, and a copy of what one had forgotten was fresh for another."""
    patient = settings(2, freshness={"life": 3600})
    app = app_of(keys, tmp_path, settings(3), patient)
    assert {one.recipient.settings.remember for one in app.endpoints} == {timedelta(seconds=3720)}
    policy = app.endpoints[0].recipient.policy
    data = initiator(keys, policy).request(echo_body(SOAP_11, "hello"), version=SOAP_11).data
    assert post(app, 3, data).status == 200
    with sqlite3.connect(tmp_path / "shared.sqlite3") as store:
        ((end,),) = store.execute("SELECT expires FROM entries").fetchall()
    store.close()
    assert 3700 < end / 1000 - time.time() < 3721
