# ruff: noqa: N805 - Spyne hands its operations ctx
"""An endpoint with the bridge, from its line of settings to the challenge: services declared in Python."""

from datetime import UTC, datetime

import pytest
from lxml import etree
from spyne import ServiceBase, Unicode, rpc

from tests.simulator.world import ECHO
from tests.unit.server.plain import VERSIONS, call
from wsprovider.adapters.users.development import development_users
from wsprovider.config.development import create_development_keys
from wsprovider.config.http_basic import with_http_basic
from wsprovider.inbound.http_basic import written
from wsprovider.policy.effective import policies_of
from wsprovider.scenarios.catalogue import find
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.reasons import Reason

GET = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}
ALICE = {"HTTP_AUTHORIZATION": written("alice", "development")}
WRONG = {"HTTP_AUTHORIZATION": written("alice", "guess")}
CHALLENGE = 'Basic realm="echo/1", charset="UTF-8"'


class Echo(ServiceBase):
    """Says who called."""

    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        if text == "fail":
            raise ValueError(text)
        return f"{text} by {ctx.udc.name}, {ctx.udc.proof.value}"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bridge")
    create_development_keys(folder / "keys", now=datetime.now(UTC), write_users=development_users)
    endpoints = [
        {"path": "/echo/1", "scenario": 1},
        {"path": "/echo/without", "scenario": 1, "http_basic": False},
        {"path": "/echo/8", "scenario": 8},
    ]
    settings = {"namespace": ECHO, "users": "users.toml", "http_basic": True, "endpoint": endpoints}
    made = create_app(
        [Service("echo", [Echo], settings)],
        keys=folder / "keys",
        shared=f"sqlite:///{folder / 'shared.sqlite3'}",
        guessing={"enabled": False},
    )
    yield made
    made.close()


def post(app, text="hi", path="/echo/1", version="1.1", **environ):
    soap, content_type = VERSIONS[version]
    data = (
        f'<s:Envelope xmlns:s="{soap.namespace}"><s:Body><e:echo xmlns:e="{ECHO}"><e:text>{text}</e:text>'
        "</e:echo></s:Body></s:Envelope>"
    ).encode()
    headers = {"PATH_INFO": path, "CONTENT_TYPE": content_type, "wsgi.url_scheme": "https", **environ}
    return call(app, data, **headers)


def counted(app, path, reason):
    return app.metrics.requests(path, reason)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_whole_way(app, version):
    answer = post(app, version=version, **ALICE)
    assert answer.status == 200
    assert "WWW-Authenticate" not in answer.headers
    assert b"hi by alice, HTTP Basic password" in answer.data


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_one_answer_for_missing_and_wrong(app, version):
    missing, wrong = post(app, version=version), post(app, version=version, **WRONG)
    for answer in (missing, wrong):
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, CHALLENGE)
        assert answer.headers["Content-Type"].startswith(VERSIONS[version][0].content_type)
    assert missing.data == wrong.data
    assert b"was not accepted" in missing.data
    assert counted(app, "echo/1", Reason.BASIC_MISSING)
    assert counted(app, "echo/1", Reason.PASSWORD_WRONG)
    assert post(app, version=version, **ALICE).status == 200


def test_an_error_of_the_service_asks_for_no_password(app):
    answer = post(app, "fail", **ALICE)
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (500, False)


def test_what_is_no_message_asks_for_no_password(app):
    headers = {"PATH_INFO": "/echo/1", "CONTENT_TYPE": "text/xml", "wsgi.url_scheme": "https"}
    answer = call(app, b"<no", **headers)
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (500, False)
    assert call(app, b"<no", **{**headers, "CONTENT_TYPE": "text/plain"}).status == 415
    assert post(app, **ALICE).status == 200


@pytest.mark.parametrize("path", ["/echo/without", "/echo/8"])
@pytest.mark.parametrize("sent", [{}, ALICE, WRONG, {"HTTP_AUTHORIZATION": "Bearer x"}])
def test_other_endpoints_know_nothing_of_it(app, path, sent):
    answer = post(app, path=path, **sent)
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (500, False)
    assert counted(app, path.lstrip("/"), Reason.NO_SECURITY_HEADER)
    assert post(app, **ALICE).status == 200


@pytest.mark.parametrize("sent", [{}, ALICE])
def test_in_clear_nobody_is_asked_for_a_password(app, sent):
    answer = post(app, **{**sent, "wsgi.url_scheme": "http"})
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (500, False)
    assert counted(app, "echo/1", Reason.TRANSPORT)
    assert post(app, **ALICE).status == 200


def test_the_log_has_the_name_and_never_the_password(app, caplog):
    with caplog.at_level("DEBUG"):
        post(app, **ALICE)
        post(app, **WRONG)
        post(app, HTTP_AUTHORIZATION="Basic c2VjcmV0")
    assert "alice" in caplog.text
    for secret in ("development", "guess", "c2VjcmV0", ALICE["HTTP_AUTHORIZATION"][6:]):
        assert secret not in caplog.text


def test_the_wsdl_publishes_both_alternatives_and_that_of_others_one(app):
    for path, expected in (
        ("/echo/1", with_http_basic(find(1).policy())),
        ("/echo/without", find(1).policy()),
    ):
        served = call(app, b"", **{**GET, "PATH_INFO": path, "wsgi.url_scheme": "https"})
        assert served.status == 200
        found = policies_of(served.data, where="wsdl", port="EchoSoap11").endpoint
        assert found == expected
        basic = list(etree.fromstring(served.data).iter(f"{{{ns.SP_200702}}}HttpBasicAuthentication"))
        assert len(basic) == len(expected.alternatives) - 1


def test_the_early_dialect_has_no_word_for_it(tmp_path):
    create_development_keys(tmp_path / "keys", now=datetime.now(UTC), write_users=development_users)
    settings = {"path": "/e", "scenario": 1, "users": "users.toml", "http_basic": True, "namespace": ECHO}
    where = {"keys": tmp_path / "keys", "shared": f"sqlite:///{tmp_path / 'shared.sqlite3'}"}
    with pytest.raises(ConfigurationError, match="HttpBasicAuthentication"):
        create_app([Service("echo", [Echo], {**settings, "dialect": "2005"})], **where)
    create_app([Service("echo", [Echo], settings)], **where).close()


def test_a_policy_document_of_ones_own(tmp_path):
    """HTTP Basic alone: no token in any message, and no line of settings."""
    create_development_keys(tmp_path / "keys", now=datetime.now(UTC), write_users=development_users)
    (tmp_path / "basic.xml").write_text(
        f'<wsp:Policy xmlns:wsp="{ns.WSP_200409}" xmlns:sp="{ns.SP_200702}" xmlns:u="{ns.WSU}" '
        'u:Id="Basic"><sp:TransportBinding><wsp:Policy>'
        "<sp:TransportToken><wsp:Policy><sp:HttpsToken><wsp:Policy><sp:HttpBasicAuthentication/></wsp:Policy>"
        "</sp:HttpsToken></wsp:Policy></sp:TransportToken>"
        "<sp:AlgorithmSuite><wsp:Policy><sp:Basic256Sha256/></wsp:Policy></sp:AlgorithmSuite>"
        "</wsp:Policy></sp:TransportBinding></wsp:Policy>"
    )
    settings = {"path": "/echo/1", "policy": "basic.xml", "users": "users.toml", "namespace": ECHO}
    where = {"keys": tmp_path / "keys", "shared": f"sqlite:///{tmp_path / 'shared.sqlite3'}"}
    without = {key: value for key, value in settings.items() if key != "users"}
    with pytest.raises(ConfigurationError, match="the policy asks for a user name"):
        create_app([Service("echo", [Echo], without, folder=tmp_path)], **where)
    app = create_app([Service("echo", [Echo], settings, folder=tmp_path)], **where)
    assert post(app, **ALICE).status == 200
    assert post(app).status == 401
    app.close()
