"""Faults that services raise, and exceptions that they did not mean anybody to see."""

import json
import logging

import pytest
from lxml import etree

from tests.unit.server.plain import TNS, call, message, serve
from wsprovider.words.reasons import Reason

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"


def fail(served, how, version="1.1"):
    return served.call(f"<t:fail><t:how>{how}</t:how></t:fail>", version)


def resolved(element):
    """A QName in text as (namespace, local name)."""
    prefix, _, local = element.text.rpartition(":")
    return element.nsmap[prefix or None], local


def code_11(response):
    return resolved(response.root.find(".//faultcode"))


def codes_12(response):
    values = response.root.iterfind(f".//{{{SOAP12}}}Code//{{{SOAP12}}}Value")
    return [resolved(value) for value in values]


@pytest.mark.parametrize(
    ("how", "code", "codes"),
    [
        ("client", (SOAP11, "Client"), [(SOAP12, "Sender")]),
        ("dotted", (SOAP11, "Client.Auth.Weak"), [(SOAP12, "Sender"), (TNS, "Auth"), (TNS, "Weak")]),
        ("server", (SOAP11, "Server"), [(SOAP12, "Receiver")]),
        ("odd", (TNS, "NoSuchThing"), [(SOAP12, "Receiver"), (TNS, "NoSuchThing")]),
        ("qname", ("urn:x", "Broken"), [(SOAP12, "Sender"), ("urn:x", "Broken")]),
        ("declared", (SOAP11, "Client.Missing"), [(SOAP12, "Sender"), (TNS, "Missing")]),
    ],
)
def test_codes(served, how, code, codes):
    assert code_11(fail(served, how)) == code
    assert codes_12(fail(served, how, "1.2")) == codes


def test_faults_go_through_the_recipient(served):
    fail(served, "client")
    assert served.recipient.replies[-1]["fault"] is True
    assert served.provider.metrics.requests("shop/plain", Reason.SERVICE_FAULT) == 1


def test_a_code_of_its_own_is_sent_exactly(served):
    # canonical form would drop the prefix, which only a text uses
    fail(served, "qname")
    assert served.recipient.replies[-1]["exact"] is True
    fail(served, "client")
    assert served.recipient.replies[-1]["exact"] is False


def test_the_shape_of_soap_11(served):
    fault = fail(served, "actor").root.find(f".//{{{SOAP11}}}Fault")
    assert [child.tag for child in fault] == ["faultcode", "faultstring", "faultactor"]
    assert fail(served, "client").text("faultstring") == "not like this"


def test_the_shape_of_soap_12(served):
    fault = fail(served, "actor", "1.2").root.find(f".//{{{SOAP12}}}Fault")
    assert [etree.QName(child).localname for child in fault] == ["Code", "Reason", "Role"]
    text = fault.find(f".//{{{SOAP12}}}Text")
    assert text.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_detail_only_where_the_service_gave_one(served, version):
    wrapper = "detail" if version == "1.1" else f"{{{SOAP12}}}Detail"
    assert fail(served, "client", version).root.find(f".//{wrapper}") is None
    assert fail(served, "detail", version).text("reason") == "because"
    entry = fail(served, "element", version).root.find(f".//{wrapper}")[0]
    assert entry.tag == "{urn:q}a"
    assert resolved(entry) == ("urn:q", "b")
    declared = fail(served, "declared", version).root.find(f".//{wrapper}")[0]
    assert declared.tag == f"{{{TNS}}}Missing"
    assert declared.find(f"{{{TNS}}}number").text == "7"


def test_text_that_xml_cannot_carry(served):
    assert fail(served, "control").text("faultstring") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize(
    "how",
    ["value", "stop", "memory", "recursion", "exit", "keyerror", "decimal", "bad detail", "no such key"],
)
def test_exceptions_tell_nothing(served, caplog, how, version):
    response = fail(served, how, version)
    assert response.status == 500
    assert b"Internal error" in response.data
    assert b"secret" not in response.data
    assert b"Error" not in response.data
    assert response.root.find(".//detail") is None
    assert served.recipient.replies[-1]["fault"] is True
    assert served.provider.metrics.requests("shop/plain", Reason.INTERNAL) == 1
    assert served.call("<t:echo><t:text>alive</t:text></t:echo>").text("echoResult") == "alive"


def test_exceptions_are_told_to_the_operator(served, caplog):
    with caplog.at_level(logging.ERROR):
        fail(served, "value")
    lines = [record for record in caplog.records if record.name == "wsprovider.service"]
    report = json.loads(lines[0].getMessage())
    assert report["exception"] == "ValueError"
    assert any("plain.py" in place for place in report["at"])
    assert "\n" not in lines[0].getMessage()
    assert lines[0].exc_info is None


def test_a_fault_in_the_middle_of_a_generator(served):
    response = served.call("<t:stream/>")
    assert response.text("faultstring") == "no more"
    assert b"one" not in response.data


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("broken", [RuntimeError("secret"), RecursionError(), MemoryError(), StopIteration()])
def test_a_reply_that_cannot_be_protected(served, broken, version):
    served.recipient.broken_reply = broken
    response = served.call("<t:echo><t:text>canary</t:text></t:echo>", version)
    assert response.status == 500
    assert b"canary" not in response.data
    assert b"secret" not in response.data
    assert response.text("Fault") is None
    assert served.provider.metrics.requests("shop/plain", Reason.INTERNAL) == 1


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_error_in_error(served, version):
    served.recipient.broken_reply = RuntimeError("first secret")
    served.recipient.broken_refusal = RuntimeError("second secret")
    response = served.call("<t:echo><t:text>x</t:text></t:echo>", version)
    assert response.status == 500
    assert b"secret" not in response.data
    assert etree.QName(response.root).localname == "Envelope"


@pytest.mark.parametrize(
    "broken", [RecursionError(), MemoryError(), StopIteration(), SystemExit(1), KeyError("x")]
)
def test_nothing_leaves_the_application_before_the_service(served, seen, broken):
    served.recipient.broken_accept = broken
    assert served.call("<t:echo><t:text>x</t:text></t:echo>").status == 500
    served.recipient.broken_accept = None
    assert seen == []
    assert served.call("<t:echo><t:text>x</t:text></t:echo>").status == 200


def test_an_input_stream_that_fails(served):
    class Gone:
        def read(self, size):
            raise OSError("connection reset")

    body = message("<t:echo/>")
    assert call(served.provider, body, **{"wsgi.input": Gone()}).status == 400
    assert served.provider.metrics.requests("shop/plain", Reason.CONTENT_LENGTH) == 1


def test_one_way(served, seen):
    for text in ("hello", "fail"):
        response = served.call(f"<t:note><t:text>{text}</t:text></t:note>")
        assert (response.status, response.data) == (202, b"")
    assert seen == ["hello", "fail"]
    assert served.recipient.replies == []
    assert served.provider.metrics.requests("shop/plain", Reason.INTERNAL) == 1


def test_refusals_of_one_way_messages_are_faults():
    assert serve().call("<t:note><t:wrong/></t:note>").status == 202  # verified, and so nothing goes back
    assert serve().call("<t:note/><t:note/>").status == 500
