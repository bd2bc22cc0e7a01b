"""The client certificate that a proxy passes on: in which forms, from whom, and what is none."""

import base64
import json
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from tests.simulator import pki
from wsprovider.server.forwarded import forwarded_certificate
from wsprovider.server.peers.worker import Worker
from wsprovider.server.transport import TransportFacts
from wsprovider.words.errors import ConfigurationError

LEAF = pki.self_signed("CN=partner")
DER = LEAF.certificate.der
PEM = LEAF.cert_pem.decode()
BASE64 = base64.b64encode(DER).decode()
FORMS = {
    "RFC 9440": f":{BASE64}:",
    "nginx": quote(PEM, safe=""),
    "nginx, base64 as it is": quote(PEM, safe="+/="),
    "httpd": PEM.replace("\n", " "),
    "haproxy": BASE64,
}


class PlainSocket:
    def getpeername(self):
        return "192.0.2.1", 1


def shown(header, *, trusted=("192.0.2.0/24",), name="Client-Cert", **environ):
    facts = {
        "gunicorn.socket": PlainSocket(),
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_CLIENT_CERT": header,
        **environ,
    }
    return TransportFacts(trusted, name).of(facts).client_certificate


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_certificate(form):
    assert shown(FORMS[form]) == LEAF.certificate
    assert shown(f" {FORMS[form]}\t") == LEAF.certificate


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("joined", [",", ", "])
def test_two_headers_are_no_certificate(form, joined):
    assert shown(FORMS[form] + joined + FORMS[form]) is None
    assert shown(FORMS[form]) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REMOTE_ADDR", "198.51.100.1"),
        ("HTTP_X_FORWARDED_PROTO", "http"),
        ("HTTP_X_FORWARDED_PROTO", "https, https"),
        ("HTTP_X_FORWARDED_PROTO", None),
    ],
)
def test_from_others_and_without_tls_it_is_as_if_it_were_not_there(name, value):
    assert shown(FORMS["RFC 9440"]) is not None
    assert shown(FORMS["RFC 9440"], **{name: value}) is None


def test_without_a_name_and_under_another_name_it_is_not_looked_at():
    assert shown(FORMS["RFC 9440"], name=None) is None
    assert shown(FORMS["RFC 9440"], name="X-SSL-Client-Cert") is None
    assert shown("", name="X-SSL-Client-Cert", HTTP_X_SSL_CLIENT_CERT=FORMS["nginx"]) == LEAF.certificate


@pytest.mark.parametrize("value", ["", " ", "::"])
def test_a_client_without_one_is_nothing_to_tell_of(value, caplog):
    assert shown(value) is None
    assert not caplog.records


@pytest.mark.parametrize(
    "value",
    [
        ":",
        f":{BASE64}",
        f"{BASE64}:",
        f":{BASE64}:;a=1",
        f":{BASE64[:-8]}:",
        f":{base64.b64encode(DER + b'x').decode()}:",
        "garbage!",
        "-----BEGIN",
        quote(PEM + PEM),
        quote(PEM.replace("CERTIFICATE", "PUBLIC KEY")),
        quote(PEM).replace("%0A", "%00"),
        "\xff" * 10,
        "A" * 40_000,
    ],
)
def test_what_is_in_no_form_is_none_and_the_operator_is_told_once(value, caplog):
    forwarded_certificate.cache_clear()
    assert shown(value) is None
    assert shown(value) is None
    [record] = caplog.records
    told = json.loads(record.getMessage())["text"]
    assert told.startswith("the client certificate that a proxy passes on cannot be read: ")
    assert BASE64[:40] not in told
    assert shown(FORMS["RFC 9440"]) is not None


@pytest.mark.parametrize("name", ["Client_Cert", "Client Cert", "Client-Cert:", "-Cert", "Größe", ""])
def test_names_that_are_none(name):
    with pytest.raises(ConfigurationError, match=r"client_certificate_header: .* is no name"):
        TransportFacts(["192.0.2.1"], name)
    assert TransportFacts(["192.0.2.1"], "Client-Cert").is_proxy("192.0.2.1")


def test_without_a_proxy_the_name_is_a_mistake():
    with pytest.raises(ConfigurationError, match="name its address in trusted_proxies"):
        TransportFacts((), "Client-Cert")


@pytest.mark.parametrize("header_map", ["drop", "refuse", "dangerous"])
def test_the_worker_takes_no_underscore_for_a_dash(header_map):
    cfg = SimpleNamespace(protocol="http", http_protocols=["h1"], proxy_protocol="off", header_map=header_map)
    if header_map != "dangerous":
        Worker.check_config(cfg, None)
        return
    with pytest.raises(RuntimeError, match="header_map = 'drop' or 'refuse'"):
        Worker.check_config(cfg, None)
