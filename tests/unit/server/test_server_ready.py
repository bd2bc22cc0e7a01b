# ruff: noqa: N805 - Spyne hands its operations ctx
"""``/readyz``: each thing that it looks at, wrong and right again."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from spyne import ServiceBase, Unicode, rpc

from tests.simulator import pki
from tests.simulator.world import BOTH
from tests.unit.server.plain import call
from wsprovider.adapters.shared.redis import RedisStore
from wsprovider.config.monitor import Monitor
from wsprovider.keyring.lifecycle import Lifespan
from wsprovider.keyring.ring import Purpose, Ring, RingKey
from wsprovider.server import readiness
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.server.telemetry.clock import ClockWatch
from wsprovider.version import RELEASED
from wsprovider.words.errors import ConfigurationError

KEY = pki.self_signed("CN=service")
GET = {"REQUEST_METHOD": "GET", "CONTENT_LENGTH": None}


class Echo(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        return text


class Running:
    """An application, its clock, its seconds and its kernel."""

    def __init__(self, keys, folder, monkeypatch, shared="memory:", **options):
        self.now, self.seconds, self.synchronised = datetime.now(UTC), 0.0, None
        monkeypatch.setattr("wsprovider.server.reports.now", lambda: self.now)
        machine = SimpleNamespace(monotonic=lambda: self.seconds)
        monkeypatch.setattr("wsprovider.server.create.time", machine)
        monkeypatch.setattr(
            readiness,
            "ClockWatch",
            lambda **given: ClockWatch(
                **given, seconds=lambda: self.seconds, kernel=lambda: self.synchronised
            ),
        )
        self.keys = folder / "keys"
        shutil.copytree(keys, self.keys)
        settings = {"namespace": "urn:echo", "path": "/echo", "scenario": 3, "trust": ["clients"]}
        self.app = create_app(
            [Service("echo", [Echo], settings)], keys=self.keys, shared=shared, environ={}, **options
        )

    def get(self, path="/readyz"):
        response = call(self.app, b"", PATH_INFO=path, **GET)
        answer = json.loads(response.data)
        return response.status, answer["status"], answer["failed"], answer["degraded"]

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


READY = (200, "ready", [], [])


@pytest.fixture
def running(development_keys, tmp_path, monkeypatch):
    made = Running(development_keys, tmp_path, monkeypatch)
    yield made
    made.app.close()


def test_ready(running):
    assert running.get() == READY
    assert running.get("/healthz") == (200, "ok", [], [])
    running.synchronised = False
    assert running.get() == (200, "degraded", [], ["clock"])
    assert running.get("/healthz") == (200, "ok", [], [])


def test_a_clock_that_jumped_makes_unready_and_not_unhealthy(running, caplog):
    assert running.get() == READY
    running.now += timedelta(hours=2)
    assert running.get() == (503, "failing", ["clock"], [])
    assert "was set by +7200 s" in caplog.text
    assert running.get("/healthz")[0] == 200
    running.synchronised = True
    assert running.get() == READY


def test_a_clock_before_this_version(development_keys, tmp_path, monkeypatch, caplog):
    running = Running(development_keys, tmp_path, monkeypatch)
    running.now = RELEASED - timedelta(days=3)
    assert "clock" in running.get()[2]
    assert "this version is of" in caplog.text
    running.app.close()


def test_no_key_that_signs():
    """Dates alone bring it about: a changed folder without such a key is not taken over."""

    def check(*keys):
        ring = Ring("service", keys)
        readiness.check_keys(SimpleNamespace(rings=lambda: (ring,)), pki.NOW)

    gone = RingKey(KEY.pair("2025"), BOTH, Lifespan(retired_at=pki.days(-2), overlap_until=pki.days(-1)))
    check()
    check(gone, RingKey(KEY.pair("2026"), BOTH))
    check(RingKey(KEY.pair("2025"), frozenset({Purpose.DECRYPT}), gone.lifespan))
    with pytest.raises(
        ConfigurationError, match="ring 'service': no key is active: see `wsprovider keys list`"
    ):
        check(gone)


def test_a_store_that_does_not_answer(running):
    running.app.close()
    assert running.get() == (503, "failing", ["shared store"], [])


def test_the_clock_of_redis():
    there = object.__new__(RedisStore)
    there.clock = lambda: RELEASED
    assert readiness._clock_of(there) == RELEASED
    assert readiness._clock_of(object()) is None


def test_a_stranger_cannot_make_a_process_unready(running):
    """Whatever a message says of the time, it is not asked."""
    body = (
        b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header/><s:Body/></s:Envelope>"
    )
    for date in ("Fri, 01 Jan 2100 00:00:00 GMT", "x"):
        assert call(running.app, body, PATH_INFO="/echo", HTTP_DATE=date).status == 500
    assert running.get() == READY


def test_the_monitor_tells_of_all(development_keys, tmp_path, monkeypatch):
    running = Running(development_keys, tmp_path, monkeypatch, monitor={"bind": "[::1]:9999"})
    assert running.app.monitor == Monitor("::1", 9999)
    assert running.app.monitored("/readyz").status == running.app.monitored("/healthz").status == 200
    assert b"wsprovider_workers 1\n" in running.app.monitored("/metrics").data
    assert running.app.monitored("/echo") is None
    assert call(running.app, b"", PATH_INFO="/metrics", **GET).status == 404, "only by a visible line"
    monkeypatch.setattr(running.app.metrics.board, "workers", lambda: 0)
    for path in ("/readyz", "/healthz"):
        assert json.loads(running.app.monitored(path).data)["failed"] == ["workers"]
    assert running.get() == READY
    running.app.close()


@pytest.mark.parametrize(
    ("wrong", "right"), [({"bind": "9464"}, {"bind": "127.0.0.1:9464"}), ({"bnid": "off"}, {"bind": "off"})]
)
def test_settings_declared_in_python_are_read_as_those_of_files(
    development_keys, tmp_path, monkeypatch, wrong, right
):
    with pytest.raises(ConfigurationError, match="monitor"):
        Running(development_keys, tmp_path / "wrong", monkeypatch, monitor=wrong)
    made = Running(development_keys, tmp_path / "right", monkeypatch, monitor=right)
    assert made.app.monitor.off == (right["bind"] == "off")
    made.app.close()
