"""The application beside others: below werkzeug's dispatcher, a Flask and a Django application."""

from collections.abc import Callable
from typing import Any

import django.core.handlers.wsgi
import flask
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.urls import path
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client
from werkzeug.wrappers import Response

from tests.simulator.world import World
from tests.unit.server.plain import echo_provider


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
    world = World("integrity")
    client = Client(DispatcherMiddleware(beside(), {"/soap": echo_provider(world)}))
    assert client.get("/").data == says
    pending = world.request("hello")
    answer = client.post("/soap/echo", data=pending.data, content_type="text/xml; charset=utf-8")
    assert answer.status_code == 200
    reply = world.initiator.accept(pending, answer.data, secure=False)
    assert reply.payload is not None
    assert reply.payload[0].text == "hello"
