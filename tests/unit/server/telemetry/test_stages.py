"""Times of a request's stages, in the log's line and in histograms."""

import json
import logging
import time

import pytest

from tests.simulator.world import World
from tests.unit.server.plain import TNS, Shop, call, echo_provider, message, serve
from wsprovider.server.telemetry.stages import Stage, Stopwatch
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

ECHO = "<t:echo><t:text>x</t:text></t:echo>"


def times(caplog):
    found = [json.loads(one.getMessage()) for one in caplog.records if one.name == "wsprovider.request"]
    return found[-1]["times"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (message(ECHO), ["parse", "verify", "service", "protect"]),
        (message("<t:note><t:text>x</t:text></t:note>"), ["parse", "verify", "service"]),
        (message("<t:nothing/>"), ["parse", "verify"]),
        (b"<no", ["parse"]),
    ],
)
def test_what_has_happened_is_told(served, caplog, body, names):
    with caplog.at_level(logging.INFO, "wsprovider"):
        served.raw(body)
    assert list(times(caplog)) == names


def test_what_was_not_read_has_no_stage(served, caplog):
    with caplog.at_level(logging.INFO, "wsprovider"):
        served.raw(b"", CONTENT_TYPE="text/plain")
    assert times(caplog) == {}


def test_of_a_real_exchange(caplog):
    world = World("3")
    with caplog.at_level(logging.INFO, "wsprovider"):
        assert call(echo_provider(world), world.request("hello").data, PATH_INFO="/echo").status == 200
    assert list(times(caplog)) == ["parse", "verify", "service", "protect"]
    assert times(caplog)["verify"] > times(caplog)["parse"]


def test_the_pause_of_a_refusal_is_nobodys_time(served, caplog):
    error = WSSecurityError(Reason.DECRYPTION)
    error.decrypted = True
    served.recipient.broken_accept = error
    begin = time.perf_counter()
    with caplog.at_level(logging.INFO, "wsprovider"):
        served.call(ECHO)
    assert sum(times(caplog).values()) / 1000 < (time.perf_counter() - begin) / 2


def test_a_slow_service_is_seen_in_its_histogram(monkeypatch):
    served = serve(publish_metrics=True)
    served.call(ECHO)
    monkeypatch.setattr(Shop, "seen", type("Slow", (list,), {"append": lambda *_: time.sleep(0.04)})())
    served.call(ECHO)
    text = served.raw(b"", PATH_INFO="/metrics", REQUEST_METHOD="GET", CONTENT_LENGTH=None).data.decode()
    of = 'wsprovider_stage_duration_seconds_bucket{service="shop",endpoint="shop/plain",stage="service"'
    assert f'{of},le="0.03"}} 2\n' not in text
    assert f'{of},le="+Inf"}} 2\n' in text
    assert TNS not in text


def test_a_stopwatch_ends_one_stage_before_the_next():
    told = []

    class Follower:
        def begin(self, stage):
            told.append(stage)

        def end(self):
            told.append(None)

    watch = Stopwatch(Follower())
    watch.end()
    watch.begin(Stage.PARSE)
    watch.verify()
    watch.end()
    watch.end()
    assert told == [Stage.PARSE, None, Stage.VERIFY, None]
    assert list(watch.times) == [Stage.PARSE, Stage.VERIFY]
