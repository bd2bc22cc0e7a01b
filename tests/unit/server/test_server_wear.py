"""A worker that parsed too much of strangers is replaced; accepted messages do not count."""

import logging

from tests.simulator.world import World
from wsprovider.server.wear import Wear

GUNICORN = {"gunicorn.socket": object()}


def test_it_retires_once_for_each_limit():
    retired = []
    wear = Wear(100, lambda: retired.append(True))
    wear.note(60, GUNICORN)
    assert not retired
    wear.note(60, GUNICORN)
    assert len(retired) == 1
    wear.note(60, GUNICORN)
    assert len(retired) == 1


def test_elsewhere_it_only_says_so(caplog):
    retired = []
    wear = Wear(100, lambda: retired.append(True))
    with caplog.at_level(logging.WARNING, "wsprovider.start"):
        wear.note(200, {})
    assert not retired
    assert "should be restarted" in caplog.text


def test_only_refused_bodies_count(monkeypatch):
    from spyne import Application, ServiceBase, Unicode, rpc
    from werkzeug.test import Client

    from tests.simulator.world import ECHO
    from wsprovider.server.application import Provider
    from wsprovider.server.endpoint import Endpoint
    from wsprovider.server.invoker import Invoker
    from wsprovider.server.protocols import SecureSoap11
    from wsprovider.server.wsdl import BaseUrls, build

    class Echo(ServiceBase):
        @rpc(Unicode, _returns=Unicode)
        def echo(ctx, text):  # noqa: N805 - Spyne hands its operations ctx
            return text

    world = World("integrity")
    protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
    invoker = Invoker(Application([Echo], tns=ECHO, name="Echo", **protocols))
    bases = BaseUrls(None, "http://localhost", "https://localhost", https_only=False)
    wsdl = build(invoker.application, invoker.operations, path="/echo", bases=bases, attach=lambda _: None)
    endpoint = Endpoint("echo", "echo", "/echo", "integrity", world.recipient, invoker, 100_000, wsdl)
    noted = []
    wear = Wear(1 << 40)
    monkeypatch.setattr(wear, "note", lambda refused, _environ: noted.append(refused))
    client = Client(Provider([endpoint], wear=wear))
    message = world.request().data
    assert client.post("/echo", data=message, content_type="text/xml").status_code == 200
    assert noted == []
    assert client.post("/echo", data=message, content_type="text/xml").status_code == 500
    assert noted == [len(message)]
