"""Transport facts: who may say that a connection was TLS."""

import pytest

from wsprovider.server.transport import TransportFacts
from wsprovider.words.errors import ConfigurationError


class PlainSocket:
    def __init__(self, peer=("10.0.0.9", 1)):
        self.peer = peer

    def getpeername(self):
        return self.peer


class TlsSocket(PlainSocket):
    def __init__(self, der=None):
        super().__init__()
        self.der = der

    def getpeercert(self, binary):
        return self.der


def secure(trusted=(), **environ):
    return TransportFacts(trusted).of({"REMOTE_ADDR": "192.0.2.1", **environ}).secure


def test_gunicorns_own_tls():
    assert secure(**{"gunicorn.socket": TlsSocket(), "wsgi.url_scheme": "https"})


def test_tls_from_a_proxy_says_nothing_of_the_client_s_link():
    behind = {"gunicorn.socket": TlsSocket(), "REMOTE_ADDR": "192.0.2.1"}
    assert secure(["192.0.2.0/24"], **behind)  # the proxy's own request, a health check say
    assert secure(["192.0.2.0/24"], HTTP_X_FORWARDED_PROTO="https", **behind)
    assert not secure(["192.0.2.0/24"], HTTP_X_FORWARDED_PROTO="http", **behind)
    assert secure(HTTP_X_FORWARDED_PROTO="http", **behind)


def test_gunicorns_url_scheme_counts_for_nothing():
    # gunicorn sets it from X-Forwarded-Proto of every loopback peer, by default
    forged = {
        "gunicorn.socket": PlainSocket(),
        "wsgi.url_scheme": "https",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    assert not secure(**forged)
    assert secure(["127.0.0.0/8"], **forged)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https", True),
        ("HTTPS", True),
        ("http", False),
        ("", False),
        ("https,http", False),
        ("https, https", False),
    ],
)
def test_a_proxy_says_exactly_one_thing(value, expected):
    facts = {"gunicorn.socket": PlainSocket(), "HTTP_X_FORWARDED_PROTO": value}
    assert secure(["192.0.2.0/24"], **facts) is expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.77", True),
        ("::ffff:192.0.2.77", True),
        ("2001:db8::5", True),
        ("198.51.100.1", False),
        ("", False),
        ("192.0.2.77 ", False),
        ("192.0.2.77,198.51.100.1", False),
        ("garbage", False),
    ],
)
def test_the_direct_peer_decides(peer, expected):
    facts = {"gunicorn.socket": PlainSocket(), "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": peer}
    assert secure(["192.0.2.0/24", "2001:db8::/32"], **facts) is expected


def test_who_is_a_proxy_may_be_asked():
    facts = TransportFacts(["192.0.2.0/24"])
    assert facts.is_proxy("192.0.2.1")
    assert not facts.is_proxy("198.51.100.1")
    assert not TransportFacts().is_proxy("192.0.2.1")


def test_a_proxy_behind_a_unix_socket_has_to_be_named():
    facts = {"gunicorn.socket": PlainSocket(""), "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": ""}
    assert not secure(["192.0.2.0/24"], **facts)
    assert secure(["unix"], **facts)


def test_the_proxy_protocol_does_not_make_a_proxy_of_the_client():
    facts = {
        "gunicorn.socket": PlainSocket(("198.51.100.1", 9)),
        "PROXY_PROTOCOL": "TCP4",
        "REMOTE_ADDR": "192.0.2.5",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    assert not secure(["192.0.2.0/24"], **facts)


@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SSL", "HTTP_FORWARDED", "HTTP_X_URL_SCHEME"]
)
def test_other_servers_count_only_without_forwarding_headers(header):
    assert secure(**{"wsgi.url_scheme": "https"})
    assert not secure(**{"wsgi.url_scheme": "http"})
    assert not secure(**{"wsgi.url_scheme": "https", header: "https"})


@pytest.mark.parametrize("header", ["HTTP_X_SSL_CLIENT_CERT", "HTTP_X_CLIENT_CERT", "SSL_CLIENT_CERT"])
def test_certificates_in_headers_count_for_nothing(header):
    facts = TransportFacts(["192.0.2.0/24"]).of(
        {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_PROTO": "https", header: "MIIB"}
    )
    assert facts.client_certificate is None


def test_the_certificate_of_the_tls_layer():
    from tests.simulator import pki

    names = [name for name in dir(pki) if not name.startswith("_")]
    assert names
    environ = {"gunicorn.socket": TlsSocket(b"no certificate"), "REMOTE_ADDR": "192.0.2.1"}
    assert TransportFacts().of(environ).client_certificate is None


@pytest.mark.parametrize(
    ("forwarded", "peer"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("1.2.3.4, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 192.0.2.9", "203.0.113.7"),
        ("evil\r\nx, nonsense", "192.0.2.1"),
        ("", "192.0.2.1"),
    ],
)
def test_the_peer_for_the_log_behind_a_proxy(forwarded, peer):
    environ = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": forwarded}
    assert TransportFacts(["192.0.2.0/24"]).of(environ).peer == peer
    assert TransportFacts().of(environ).peer == "192.0.2.1"


def test_networks_that_are_none_are_all_reported():
    with pytest.raises(ConfigurationError) as caught:
        TransportFacts(["10.0.0.0/8", "nonsense", "10.0.0.1/8"])
    assert len(caught.value.problems) == 2


def test_credentials_count_where_tls_hid_them_and_nowhere_else():
    def told(trusted=(), **environ):
        facts = TransportFacts(trusted).of(
            {"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Basic x", **environ}
        )
        assert "Basic x" not in repr(facts)
        assert (facts.authorization is not None) == facts.secure
        return facts.authorization

    plain, tls = {"gunicorn.socket": PlainSocket()}, {"gunicorn.socket": TlsSocket()}
    assert told(**tls) == "Basic x"
    assert told(**plain) is None
    assert told(HTTP_X_FORWARDED_PROTO="https", **plain) is None
    assert told(["192.0.2.1"], HTTP_X_FORWARDED_PROTO="https", **plain) == "Basic x"
    assert told(["192.0.2.1"], HTTP_X_FORWARDED_PROTO="http", **tls) is None
    assert told(**{"wsgi.url_scheme": "https"}) == "Basic x"
    assert told(**{"wsgi.url_scheme": "http"}) is None
