# ruff: noqa: N805 - Spyne hands its operations ctx
"""The application beside others: below werkzeug's dispatcher, a Flask and a Django application."""

from collections.abc import Callable
from typing import Any

import django.core.handlers.wsgi
import flask
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.urls import path
from spyne import ServiceBase, Unicode, rpc
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client
from werkzeug.wrappers import Response

from tests.simulator.world import ECHO, World
from wsprovider.server.application import Provider
from wsprovider.server.endpoint import Endpoint
from wsprovider.server.invoker import Invoker
from wsprovider.server.protocols import SecureSoap11
from wsprovider.server.wsdl import BaseUrls, build


class Echo(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        return text


def flask_application() -> Any:
    application = flask.Flask("beside")
    application.add_url_rule("/", view_func=lambda: "flask")
    return application


def django_application() -> Any:
    if not django_settings.configured:
        django_settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="test")
        django.setup(set_prefix=False)
    return django.core.handlers.wsgi.WSGIHandler()


def urls_view(_request: Any) -> HttpResponse:
    return HttpResponse("django")


urlpatterns = [path("", urls_view)]


def plain_application() -> Any:
    return Response("werkzeug")


@pytest.mark.parametrize(
    ("beside", "says"),
    [(flask_application, b"flask"), (django_application, b"django"), (plain_application, b"werkzeug")],
)
def test_mounted(beside: Callable[[], Any], says: bytes) -> None:
    from spyne import Application

    world = World("integrity")
    invoker = Invoker(
        Application([Echo], tns=ECHO, name="Echo", in_protocol=SecureSoap11(), out_protocol=SecureSoap11())
    )
    wsdl = build(
        invoker.application,
        invoker.operations,
        path="/echo",
        bases=BaseUrls(None, "http://localhost", "https://localhost", https_only=False),
        attach=lambda _: None,
    )
    endpoint = Endpoint("echo", "echo", "/echo", "integrity", world.recipient, invoker, 100_000, wsdl)
    client = Client(DispatcherMiddleware(beside(), {"/soap": Provider([endpoint])}))
    assert client.get("/").data == says
    pending = world.request("hello")
    answer = client.post("/soap/echo", data=pending.data, content_type="text/xml; charset=utf-8")
    assert answer.status_code == 200
    reply = world.initiator.accept(pending, answer.data, secure=False)
    assert reply.payload is not None
    assert reply.payload[0].text == "hello"
