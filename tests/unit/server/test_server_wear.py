"""A worker that parsed too much of strangers is replaced; accepted messages do not count."""

import logging

from werkzeug.test import Client

from tests.simulator.world import World
from tests.unit.server.plain import echo_provider
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
    world, noted, wear = World("integrity"), [], Wear()
    monkeypatch.setattr(wear, "note", lambda refused, _environ: noted.append(refused))
    client = Client(echo_provider(world, wear=wear))
    message = world.request().data
    assert client.post("/echo", data=message, content_type="text/xml").status_code == 200
    assert noted == []
    assert client.post("/echo", data=message, content_type="text/xml").status_code == 500
    assert noted == [len(message)]
