"""The HTTP side: methods, media types, lengths, codings, actions."""

import io

import pytest

from tests.unit.server.plain import call, message, serve
from wsprovider.server.http import read_request
from wsprovider.soap.version import SOAP_11, SOAP_12
from wsprovider.words.errors import SoapError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

ECHO = "<t:echo><t:text>x</t:text></t:echo>"
LIMIT = 1000


def environ(body=b"<a/>", **changes):
    values = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "text/xml",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def refusal(body=b"<a/>", **changes):
    with pytest.raises(SoapError) as caught:
        read_request(environ(body, **changes), LIMIT)
    return caught.value.reason, caught.value.status


@pytest.mark.parametrize(
    ("content_type", "version", "charset", "action"),
    [
        ("text/xml", SOAP_11, None, None),
        ("text/xml;charset=UTF-8", SOAP_11, "utf-8", None),
        ('TEXT/XML ; charset="utf-8" ;', SOAP_11, "utf-8", None),
        ("text/xml; charset=utf-16", SOAP_11, "utf-16", None),
        ("application/soap+xml", SOAP_12, None, None),
        ('application/soap+xml; charset=utf-8; action="urn:a;b"', SOAP_12, "utf-8", "urn:a;b"),
        (r'application/soap+xml; action="urn:\"q\""', SOAP_12, None, 'urn:"q"'),
        ('application/soap+xml; action=""', SOAP_12, None, None),
    ],
)
def test_media_types(content_type, version, charset, action):
    request = read_request(environ(CONTENT_TYPE=content_type), LIMIT)
    assert (request.version, request.charset, request.action) == (version, charset, action)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/html",
        "application/xml",
        "text/xmlx",
        "application/json",
        "multipart/related; type=text/xml; boundary=b",
        "text/xml, text/xml",
        "text/xml; charset=utf-8; charset=utf-7",
        "text/xml; Charset=utf-8; cHarset=utf-8",
        "text/xml; charset",
        "text/xml; charset='utf-8",
        'text/xml; charset="utf-8',
        "text/xml charset=utf-8",
        "text/xml; charset = utf-8",
        "text/xml; x=" + "y" * 5000,
    ],
)
def test_other_media_types_are_refused(content_type):
    assert refusal(CONTENT_TYPE=content_type) in {(Reason.CONTENT_TYPE, 415), (Reason.ENCODING, 415)}


@pytest.mark.parametrize(
    "charset", ["utf-7", "unicode_escape", "latin-1", "us-ascii", "utf-32", "idna", "zlib", "nonsense", '""']
)
def test_charsets(charset):
    assert refusal(CONTENT_TYPE=f"text/xml; charset={charset}") == (Reason.ENCODING, 415)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity", "br, gzip"])
def test_content_codings(coding):
    assert refusal(HTTP_CONTENT_ENCODING=coding) == (Reason.CONTENT_ENCODING, 415)


@pytest.mark.parametrize(
    "length",
    [
        "",
        " ",
        "abc",
        "-1",
        "+4",
        "4.0",
        "0x4",
        "4 4",
        "4, 4",
        "4,5",
        "1_0",
        "\u0664",
        "9" * 30,
        "4\r\n",
        " 4",
        "0",
    ],
)
def test_lengths_that_are_none(length):
    assert refusal(CONTENT_LENGTH=length) == (Reason.CONTENT_LENGTH, 400)


def test_no_length_at_all():
    assert refusal(CONTENT_LENGTH=None) == (Reason.CONTENT_LENGTH, 411)
    assert refusal(CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked") == (Reason.CONTENT_LENGTH, 411)
    smuggled = {
        "CONTENT_LENGTH": None,
        "HTTP_TRANSFER_ENCODING": "chunked, identity",
        "wsgi.input_terminated": True,
    }
    assert refusal(**smuggled) == (Reason.CONTENT_LENGTH, 411)


def test_length_and_chunks_together():
    assert refusal(HTTP_TRANSFER_ENCODING="chunked") == (Reason.CONTENT_LENGTH, 400)


CHUNKED = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


def test_chunks_are_read_to_the_limit_and_no_further():
    assert read_request(environ(b"x" * LIMIT, **CHUNKED), LIMIT).body == b"x" * LIMIT

    class Endless:
        given = 0

        def read(self, size):
            self.given += size
            return b"x" * size

    stream = Endless()
    assert refusal(**CHUNKED | {"wsgi.input": stream}) == (Reason.MESSAGE_TOO_LARGE, 413)
    assert stream.given == LIMIT + 1
    assert refusal(b"", **CHUNKED) == (Reason.CONTENT_LENGTH, 400)


def test_a_long_body_is_not_read():
    class Untouchable:
        def read(self, size):
            raise AssertionError(size)

    too_long = {"CONTENT_LENGTH": str(LIMIT + 1), "wsgi.input": Untouchable()}
    assert refusal(**too_long) == (Reason.MESSAGE_TOO_LARGE, 413)


def test_a_body_that_ends_early():
    assert refusal(b"<a/>", CONTENT_LENGTH="5") == (Reason.CONTENT_LENGTH, 400)


def test_what_follows_the_announced_length_is_left_alone():
    assert read_request(environ(b"<a/><b/>", CONTENT_LENGTH="4"), LIMIT).body == b"<a/>"


def test_a_body_that_comes_in_drops():
    class Drops(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

    data = bytes(range(256)) * 3
    assert read_request(environ(data, **{"wsgi.input": Drops(data)}), LIMIT).body == data


@pytest.mark.parametrize(
    ("given", "action"),
    [
        (None, None),
        ("", None),
        ('""', None),
        ('"urn:a"', "urn:a"),
        ("urn:a", "urn:a"),
        ('"', '"'),
        ('" "', " "),
    ],
)
def test_soap_action(given, action):
    assert read_request(environ(HTTP_SOAPACTION=given), LIMIT).action == action


def test_soap_action_beside_the_action_parameter():
    both = {"CONTENT_TYPE": 'application/soap+xml; action="urn:a"', "HTTP_SOAPACTION": '"urn:a"'}
    assert read_request(environ(**both), LIMIT).action == "urn:a"
    assert refusal(**both | {"HTTP_SOAPACTION": "urn:b"}) == (Reason.ACTION_MISMATCH, 400)
    only = {"CONTENT_TYPE": "application/soap+xml", "HTTP_SOAPACTION": '"urn:a"'}
    assert read_request(environ(**only), LIMIT).action == "urn:a"


@pytest.mark.parametrize("given", ["urn:a\r\nX: y", "urn:\x00", "x" * 5000])
def test_soap_actions_that_are_none(given):
    assert refusal(HTTP_SOAPACTION=given) == (Reason.ACTION_MISMATCH, 400)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "post", "CONNECT", ""])
def test_other_methods(served, method):
    response = served.call(ECHO, REQUEST_METHOD=method)
    assert response.status == 405
    assert response.headers["Allow"] == "GET, POST"
    assert served.recipient.accepted == []


def test_get_of_an_operation_reaches_nothing(served, seen):
    response = served.raw(b"", REQUEST_METHOD="GET", QUERY_STRING="op=echo&text=x", CONTENT_LENGTH=None)
    assert response.status == 404
    assert served.recipient.accepted == []


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"CONTENT_TYPE": "text/html"}, 415),
        ({"CONTENT_LENGTH": "abc"}, 400),
        ({"CONTENT_LENGTH": "99999999999"}, 413),
        ({"CONTENT_LENGTH": None}, 411),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, 415),
    ],
)
def test_status_and_no_echo(served, environ, status):
    response = served.call("<t:canary/>", **environ)
    assert response.status == status
    assert b"canary" not in response.data
    assert served.recipient.accepted == []


def test_the_recipient_gets_what_http_said(served):
    served.call(ECHO, HTTP_SOAPACTION='"urn:test:shop/echo"')
    accepted = served.recipient.accepted[0]
    assert accepted["message"] == message(ECHO)
    assert (accepted["charset"], accepted["action"]) == ("utf-8", "urn:test:shop/echo")


def test_utf_16(served, seen):
    text = message("<t:echo><t:text>\u00e4\u6f22</t:text></t:echo>").decode()
    body = f"<?xml version='1.0' encoding='utf-16'?>{text}".encode("utf-16")
    assert served.raw(body, CONTENT_TYPE="text/xml; charset=utf-16").status == 200
    assert seen == ["\u00e4\u6f22"]
    assert served.raw(body, CONTENT_TYPE="text/xml; charset=utf-8").status == 500


def test_ten_megabytes():
    served = serve(limits=Limits(message_bytes=12_000_000))
    text = "m\u00fc" * 3_400_000
    response = served.call(f"<t:echo><t:text>{text}</t:text></t:echo>")
    assert response.text("echoResult") == text
    assert served.provider.longest_message == 12_000_000
    small = serve(limits=Limits(message_bytes=1_000_000))
    assert small.call(f"<t:echo><t:text>{text}</t:text></t:echo>").status == 413


def test_a_refused_length_under_the_path_of_nobody(served):
    assert call(served.provider, b"x", PATH_INFO="/nothing", CONTENT_LENGTH="abc").status == 404
