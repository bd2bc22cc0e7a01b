"""Spans, as the SDK's in-memory exporter sees them."""

import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.unit.server.plain import Shop, serve
from wsprovider.server.telemetry import spans as module
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

ECHO = "<t:echo><t:text>canary</t:text></t:echo>"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = {"HTTP_TRACEPARENT": f"00-{TRACE}-{SPAN}-01", "HTTP_TRACESTATE": "vendor=1"}


@pytest.fixture
def exported(monkeypatch):
    """What an operator's SDK would export."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


def traced(**options):
    return serve(tracing=True, **options)


def named(exporter):
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_request_and_its_stages(exported):
    assert traced().call(ECHO).status == 200
    found = named(exported)
    assert set(found) == {"shop/plain", "parse", "verify", "service", "protect"}
    whole = found.pop("shop/plain")
    assert whole.parent is None
    assert whole.status.status_code is StatusCode.UNSET
    assert dict(whole.attributes) == {
        "wsprovider.service": "shop",
        "wsprovider.endpoint": "shop/plain",
        "wsprovider.scenario": "plain",
        "wsprovider.operation": "echo",
        "http.response.status_code": 200,
    }
    for stage in found.values():
        assert stage.parent.span_id == whole.context.span_id
        assert whole.start_time <= stage.start_time <= stage.end_time <= whole.end_time


@pytest.mark.parametrize(
    ("reason", "status"), [(Reason.PASSWORD_WRONG, StatusCode.UNSET), (Reason.REPLAY_STORE, StatusCode.ERROR)]
)
def test_a_refusal_is_an_error_only_if_it_is_ours(exported, reason, status):
    served = traced()
    served.recipient.broken_accept = WSSecurityError(reason, "alice")
    served.call(ECHO)
    whole = named(exported)["shop/plain"]
    assert whole.attributes["wsprovider.reason"] == reason.name
    assert "wsprovider.operation" not in whole.attributes
    assert whole.status.status_code is status


def test_what_a_service_traces_stands_below_its_stage(exported, monkeypatch):
    tracer = trace.get_tracer("service")

    def append(*_):
        tracer.start_span("query").end()

    monkeypatch.setattr(Shop, "seen", type("Traced", (list,), {"append": append})())
    traced().call(ECHO)
    found = named(exported)
    assert found["query"].parent.span_id == found["service"].context.span_id
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize(
    ("proxies", "believed"), [(("127.0.0.1",), True), ((), False), (("10.0.0.0/8",), False)]
)
def test_only_a_proxy_says_what_a_request_belongs_to(exported, proxies, believed):
    traced(trusted_proxies=proxies).call(ECHO, **PARENT)
    whole = named(exported)["shop/plain"]
    assert (whole.parent is not None) == believed
    assert (f"{whole.context.trace_id:032x}" == TRACE) == believed
    assert ("vendor" in whole.context.trace_state) == believed
    assert not whole.links


@pytest.mark.parametrize("parent", ["", "00-zz-zz-01", "x" * 5000])
def test_a_proxy_that_says_nonsense_begins_a_trace(exported, parent):
    assert traced(trusted_proxies=("127.0.0.1",)).call(ECHO, HTTP_TRACEPARENT=parent).status == 200
    assert named(exported)["shop/plain"].parent is None


def test_nothing_of_the_message_is_exported(exported):
    served = traced()
    served.call(ECHO)
    served.call("<t:keep><t:secret><t:password>canary</t:password></t:secret></t:keep>")
    assert "canary" not in "".join(span.to_json() for span in exported.get_finished_spans())


def test_without_an_sdk_requests_are_answered_all_the_same():
    assert traced().call(ECHO).status == 200


def test_without_the_api_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match=r"pip install \"wsprovider\[tracing\]\""):
        traced()
    assert serve().call(ECHO).status == 200
    assert module.Tracing.__module__ in sys.modules
