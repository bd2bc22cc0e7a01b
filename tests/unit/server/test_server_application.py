"""Paths, mounts, health, metrics and the log."""

import json
import logging

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client
from werkzeug.wrappers import Response

from tests.unit.server.plain import ALICE, Shop, call, message, serve
from wsprovider.ports import Totals
from wsprovider.server.application import Provider
from wsprovider.words.errors import BackendError, ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

ECHO = "<t:echo><t:text>x</t:text></t:echo>"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_both_versions_at_one_address(served, version):
    response = served.call(ECHO, version)
    assert response.status == 200
    assert response.text("echoResult") == "x"
    assert response.headers["Content-Type"].startswith(
        {"1.1": "text/xml", "1.2": "application/soap+xml"}[version]
    )
    assert response.headers["Content-Length"] == str(len(response.data))


def test_the_promised_version_counts(served, seen):
    body = message(ECHO)
    assert (
        served.raw(body, CONTENT_TYPE="application/soap+xml").text("Code/Value").endswith(":VersionMismatch")
    )
    assert seen == []


@pytest.mark.parametrize(
    "path", ["", "/", "/shop/", "/Shop", "/shop/echo", "//shop", "/shop\x00", "/shop?wsdl"]
)
def test_other_paths(served, path):
    assert served.call(ECHO, PATH_INFO=path).status == 404
    assert served.recipient.accepted == []


def test_get_says_what_this_is(served):
    response = served.raw(b"", REQUEST_METHOD="GET", CONTENT_LENGTH=None)
    assert response.status == 200
    assert b"?wsdl" in response.data
    head = served.raw(b"", REQUEST_METHOD="HEAD", CONTENT_LENGTH=None)
    assert (head.status, head.data) == (200, b"")
    assert head.headers["Content-Length"] == response.headers["Content-Length"]


def test_under_werkzeugs_dispatcher(served):
    client = Client(DispatcherMiddleware(Response("else"), {"/ws": served.provider}))
    response = client.post("/ws/shop", data=message(ECHO), content_type="text/xml")
    assert response.status_code == 200
    assert b"<tns:echoResult>x<" in response.data
    wsdl = client.get("/ws/shop?wsdl")
    assert b'location="http://localhost/ws/shop"' in wsdl.data
    assert client.get("/ws/healthz").json["status"] == "ok"
    assert client.get("/elsewhere").data == b"else"


def test_a_mount_point_cannot_write_into_the_wsdl(served):
    get = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}
    response = served.raw(b"", SCRIPT_NAME='/a"><evil/>', **get)
    assert b"<evil" not in response.data


def test_paths_are_taken_once(served):
    endpoint = served.provider.endpoints[0]
    with pytest.raises(ConfigurationError, match="already"):
        Provider([endpoint, endpoint])


def test_health(served):
    get = {"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz", "CONTENT_LENGTH": None}
    response = served.raw(b"", **get)
    assert response.status == 200
    assert json.loads(response.data)["status"] == "ok"

    def broken():
        raise BackendError("redis at secret-host is down")

    failing = call(Provider(served.provider.endpoints, health={"shared store": broken}), b"", **get)
    assert failing.status == 503
    assert json.loads(failing.data)["failed"] == ["shared store"]
    assert b"secret-host" not in failing.data


def test_metrics_are_published_only_where_configured(served):
    get = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "CONTENT_LENGTH": None}
    assert served.raw(b"", **get).status == 404
    published = serve(publish_metrics=True)
    published.call(ECHO)
    published.call("<t:nothing/>")
    text = published.raw(b"", **get).data.decode()
    assert published.raw(b"", QUERY_STRING="worker", **get).data.decode() == text, "there is no other worker"
    assert 'wsprovider_requests_total{service="shop",endpoint="shop/plain",reason="ANSWERED"} 1\n' in text
    assert 'wsprovider_requests_total{service="shop",endpoint="shop/plain",reason="NOT_AN_INPUT"} 1\n' in text


def test_metrics_of_the_shared_store(served, caplog):
    get = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "CONTENT_LENGTH": None}

    def text(contexts):
        provider = Provider(served.provider.endpoints, publish_metrics=True, contexts=contexts)
        answer = call(provider, b"", **get)
        assert answer.status == 200
        return answer.data.decode()

    def broken():
        raise BackendError("redis at secret-host is down")

    told = text(lambda: Totals(live=4, kept=9, replaced=20, removed=3, expired=2)).splitlines()
    samples = [line for line in told if line.startswith("wsprovider_contexts")]
    assert samples == [
        "wsprovider_contexts 4",
        "wsprovider_contexts_issued_total 9",
        "wsprovider_contexts_ended_total 3",
        "wsprovider_contexts_expired_total 2",
    ]
    assert "# TYPE wsprovider_contexts gauge" in told
    assert (
        text(None)
        == text(broken)
        == "\n".join(told[: told.index("# TYPE wsprovider_contexts gauge") - 1]) + "\n"
    )
    assert caplog.text.count("metrics: contexts") == 1


def line_of(caplog):
    (record,) = (record for record in caplog.records if record.name == "wsprovider.request")
    return record, json.loads(record.getMessage())


def test_the_line_of_an_answer(served, caplog):
    with caplog.at_level(logging.INFO, "wsprovider"):
        served.call(ECHO)
    record, line = line_of(caplog)
    assert record.levelno == logging.INFO
    times = line.pop("times")
    assert list(times) == ["parse", "verify", "service", "protect"]
    assert 0 < sum(times.values()) <= line.pop("ms") + 0.01
    assert line == {
        "event": "request",
        "service": "shop",
        "endpoint": "shop/plain",
        "scenario": "plain",
        "peer": "127.0.0.1",
        "status": 200,
        "reason": None,
        "operation": "echo",
        "principal": ALICE.name,
        "message_id": "urn:uuid:1",
    }


def test_the_line_of_a_refusal_is_one_line_whatever_the_peer_wrote(served, caplog):
    evil = "\r\n\x1b[31m2024 forged=\u2028 %s %(x)s \x85" + "A" * 100_000
    served.recipient.broken_accept = WSSecurityError(Reason.USER_UNKNOWN, evil)
    with caplog.at_level(logging.INFO, "wsprovider"):
        response = served.call(ECHO, REMOTE_ADDR=evil)
    record, line = line_of(caplog)
    text = record.getMessage()
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 2500
    assert line["reason"] == "USER_UNKNOWN"
    assert line["fault_code"] == "FailedAuthentication"
    assert record.levelno == logging.WARNING
    assert b"forged" not in response.data


def test_payloads_are_never_logged(served, caplog):
    with caplog.at_level(logging.DEBUG):
        served.call("<t:echo><t:text>canary</t:text></t:echo>")
        served.call("<t:echo><t:text>canary</t:text><t:canary/></t:echo>")
        served.call("<t:heave><t:bulky><t:weight>canary</t:weight></t:bulky></t:heave>")
        served.raw(b"<a>canary")
    messages = [record.getMessage() for record in caplog.records if record.name.startswith("wsprovider")]
    assert len(messages) == 4
    # the name of an element that the schema does not know stands in the refusal's place, and no value
    assert sum("canary" in text for text in messages) <= 1
    assert not any("canary" in r.getMessage() for r in caplog.records if r.name.startswith("spyne"))


def test_security_refusals_answer_one_and_the_same(served):
    answers = set()
    for reason in (Reason.USER_UNKNOWN, Reason.PASSWORD_WRONG, Reason.DIGEST_MISMATCH, Reason.REPLAY):
        served.recipient.broken_accept = WSSecurityError(reason, reason.name)
        response = served.call(ECHO)
        answers.add((response.status, response.data, tuple(sorted(response.headers.items()))))
    assert len(answers) == 1


def test_a_backend_that_does_not_answer(served, caplog):
    served.recipient.broken_accept = BackendError("no connection")
    assert served.call(ECHO).status == 500
    assert served.provider.metrics.requests("shop/plain", Reason.BACKEND) == 1
    assert Shop.seen == []


def test_a_broken_environment_is_answered():
    assert call(serve().provider, b"", PATH_INFO="/shop", REMOTE_ADDR=None, CONTENT_TYPE=None).status == 415


def test_closing():
    closed = []
    Provider(serve().provider.endpoints, close=lambda: closed.append(True)).close()
    assert closed == [True]


def test_a_message_is_freed_when_it_is_answered(served):
    import gc

    from wsprovider.server.invoker import _Context

    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            assert served.call(ECHO).status == 200
        left = [one for one in gc.get_objects() if type(one) is _Context]
    finally:
        gc.enable()
    assert left == []


def test_threads_do_not_disturb_each_other(served):
    from concurrent.futures import ThreadPoolExecutor

    def work(number):
        good = served.call(f"<t:echo><t:text>{number}</t:text></t:echo>", ("1.1", "1.2")[number % 2])
        bad = served.call(f"<t:echo><t:wrong>{number}</t:wrong></t:echo>", ("1.1", "1.2")[number % 2])
        return good.text("echoResult") == str(number) and bad.status in (400, 500)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))
