# ruff: noqa: N805 - Spyne hands its operations ctx
"""Scenario 16 composed: one acceptor for all who share its keys, names, roles, realms, and what the log is told."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from spyne import ServiceBase, Unicode, rpc

from tests.live.kdc import AES256, Kdc, require_kdc
from tests.simulator.world import ECHO, echo_body, result_of
from tests.unit.server.plain import VERSIONS, call
from wsprovider.adapters.kerberos import Tickets, acceptor, by_password, gss
from wsprovider.adapters.shared import open_store
from wsprovider.conversation.established import KIND
from wsprovider.exchange.initiator import Initiator
from wsprovider.keyring.ring import Ring, RingSnapshot
from wsprovider.keyring.trust import Trust
from wsprovider.scenarios.catalogue import find
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.soap.version import SOAP_11
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits

HTTP = "HTTP/localhost"
NOBODY = RingSnapshot(Ring("client", ()), Trust((), Limits()), "1")


class Echo(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        principal = ctx.udc.principal
        return f"{principal.name}, {principal.proof.value}, {sorted(principal.roles)}: {text}"


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    require_kdc()
    with Kdc(tmp_path_factory.mktemp("kdc")) as running, pytest.MonkeyPatch.context() as here:
        for variable, value in running.environment.items():
            here.setenv(variable, value)
        here.setattr(gss._Chosen, "path", None)
        running.add("alice", "alice's password")
        running.add("mallory", "hers")
        running.add(HTTP)
        running.add("HTTP/esb", "the service's")
        running.keytab(HTTP)
        yield running


@pytest.fixture
def serve(kdc, tmp_path, development_keys):
    """A provider of the endpoints given, each below [kerberos] with the KDC's keytab unless it says otherwise."""
    opened = []

    def serve(*endpoints, **options):
        usual = {"keytab": str(kdc.folder / "service.keytab")}
        settings = [
            {"scenario": 16, **one, "kerberos": {**usual, **one.get("kerberos", {})}} for one in endpoints
        ]
        declared = Service("echo", [Echo], {"namespace": ECHO, "endpoint": settings})
        store = f"sqlite:///{tmp_path / 'shared.sqlite3'}"
        opened.append(create_app([declared], keys=development_keys, shared=store, **options))
        return opened[-1]

    yield serve
    for app in opened:
        app.close()


def ask(app, kdc, path, user="alice", password="alice's password", service=HTTP):
    """One call; the reply's text, or the status of a refusal."""
    client = Initiator(
        find(16).policy(),
        "client",
        keys=lambda: NOBODY,
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        tickets=Tickets(kdc.full(service), by_password(kdc.full(user), password)),
    )
    pending = client.request(echo_body(SOAP_11, "hi"), version=SOAP_11)
    answer = call(app, pending.data, PATH_INFO=path, CONTENT_TYPE=VERSIONS["1.1"][1])
    if answer.status != 200:
        return answer.status
    return result_of(client.accept(pending, answer.data, secure=False))


def reasons(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "wsprovider.request"]


def test_a_caller_is_the_principal_or_has_the_name_that_it_is_given(serve, kdc):
    app = serve(
        {"path": "/full"},
        {"path": "/named", "kerberos": {"names": {kdc.full("alice"): "Alice of sales"}}},
        {"path": "/short", "kerberos": {"strip_realm": True, "realms": kdc.realm}},
    )
    assert ask(app, kdc, "/full") == f"{kdc.full('alice')}, kerberos ticket, []: hi"
    assert ask(app, kdc, "/named") == "Alice of sales, kerberos ticket, []: hi"
    assert ask(app, kdc, "/short") == "alice, kerberos ticket, []: hi"
    assert ask(app, kdc, "/named", "mallory", "hers") == f"{kdc.full('mallory')}, kerberos ticket, []: hi"


def test_roles_are_the_user_stores(serve, kdc, caplog):
    short = {"strip_realm": True, "realms": kdc.realm}
    app = serve(
        {"path": "/users", "users": "users.toml", "roles": "user", "kerberos": short},
        {"path": "/others", "users": "users.toml", "roles": "other", "kerberos": short},
    )
    assert ask(app, kdc, "/users") == "alice, kerberos ticket, ['admin', 'user']: hi"
    assert ask(app, kdc, "/others") == 500
    assert ask(app, kdc, "/users", "mallory", "hers") == 500
    said = reasons(caplog)
    assert "ROLE_MISSING" in said[0]
    assert "USER_UNKNOWN" in said[1]


def test_only_realms_that_are_named_or_those_of_the_keytab(serve, kdc, caplog):
    app = serve(
        {"path": "/usual"},
        {"path": "/other", "kerberos": {"realms": "OTHER.LOCAL"}},
    )
    settings = {endpoint.path: endpoint.recipient.settings.kerberos for endpoint in app.endpoints}
    assert settings["/usual"].realms == {kdc.realm}
    assert ask(app, kdc, "/usual")[-2:] == "hi"
    assert ask(app, kdc, "/other") == 500
    assert "TICKET_REALM" in reasons(caplog)[0]


def test_endpoints_share_an_acceptor_when_they_share_its_keys(serve, kdc, monkeypatch):
    made = []

    class Counted(acceptor.KeytabAcceptor):
        def __init__(self, *args, **kwargs):
            made.append(kwargs["enctypes"])
            super().__init__(*args, **kwargs)

    monkeypatch.setattr("wsprovider.config.kerberos.KeytabAcceptor", Counted)
    narrow = {"enctypes": AES256}
    app = serve({"path": "/a"}, {"path": "/b"}, {"path": "/c", "kerberos": narrow})
    assert len(made) == 4  # each once to see, and once to serve
    assert ask(app, kdc, "/c")[-2:] == "hi"
    used = [endpoint.recipient._acceptor for endpoint in app.endpoints]
    assert used[0] is used[1]
    assert used[0] is not used[2]


def test_a_password_as_wso2_has_it(serve, kdc, monkeypatch):
    by_name = {"principal": kdc.full("HTTP/esb"), "password_env": "ESB_PASSWORD"}
    declared = Service(
        "echo", [Echo], {"namespace": ECHO, "path": "/esb", "scenario": 16, "kerberos": by_name}
    )

    def made(**environ):
        return create_app([declared], shared="memory:", keys=kdc.folder, environ=environ)

    with pytest.raises(ConfigurationError, match="ESB_PASSWORD is not set"):
        made()
    app = made(ESB_PASSWORD="the service's")
    assert ask(app, kdc, "/esb", service="HTTP/esb") == f"{kdc.full('alice')}, kerberos ticket, []: hi"
    app.close()
    app = made(ESB_PASSWORD="another")
    assert ask(app, kdc, "/esb", service="HTTP/esb") == 500
    app.close()


def test_what_was_shown_is_kept_for_later_messages_where_there_are_any(serve, kdc, tmp_path):
    app = serve({"path": "/once"}, {"path": "/later", "kerberos": {"later_messages": True}})
    store = open_store(f"sqlite:///{tmp_path / 'shared.sqlite3'}")
    for path, kept in (("/once", 0), ("/later", 1)):
        assert ask(app, kdc, path)[-2:] == "hi"
        assert store.totals(KIND, now=datetime.now(UTC)).live == kept
    (record,) = store.records(KIND, now=datetime.now(UTC))
    assert record.expires > datetime.now(UTC) + timedelta(hours=1)
    store.close()


def test_a_ticket_that_is_not_kept_is_told_in_the_log(serve, kdc, caplog):
    caplog.set_level("INFO", "wsprovider.request")
    full = {"later_messages": True, "tickets": 1}
    app = serve({"path": "/later", "kerberos": full})
    for _ in range(2):
        assert ask(app, kdc, "/later")[-2:] == "hi"
    first, second = (json.loads(record.getMessage()) for record in caplog.records)
    assert "remark" not in first
    assert second["remark"] == "the ticket was not kept for later messages: no room"
    assert second["reason"] is None


def test_a_changed_keytab_is_told_and_a_broken_one_leaves_the_keys_in_force(serve, kdc, tmp_path, caplog):
    caplog.set_level("INFO", "wsprovider.start")
    keytab = tmp_path / "own.keytab"
    shutil.copy(kdc.folder / "service.keytab", keytab)
    keytab.chmod(0o640)
    app = serve({"path": "/a", "kerberos": {"keytab": str(keytab)}})
    assert caplog.text.count("chmod 600") == 1
    own = app.endpoints[0].recipient._acceptor._keytab
    own._next = 0  # the next look is due
    keytab.touch()
    assert ask(app, kdc, "/a")[-2:] == "hi"
    assert "kerberos: a changed keytab is in force" in caplog.text
    assert caplog.text.count("chmod 600") == 2
    own._next = 0
    keytab.write_bytes(b"PEM")
    assert ask(app, kdc, "/a")[-2:] == "hi"
    assert f"kerberos: the old keys stay in force: {keytab}: no keytab" in caplog.text
    health = {"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz", "CONTENT_LENGTH": None}
    assert json.loads(call(app, b"", **health).data)["degraded"] == ["keys"]
    own._next = 0
    shutil.copy(kdc.folder / "service.keytab", keytab)
    assert json.loads(call(app, b"", **health).data)["degraded"] == []


def test_krb5_conf_of_services_declared_in_python(serve, kdc, monkeypatch, tmp_path):
    monkeypatch.setattr(gss._Chosen, "path", None)
    monkeypatch.setenv("KRB5_CONFIG", "/dev/null")
    serve({"path": "/a"}, krb5_conf=kdc.krb5_conf)
    assert os.environ["KRB5_CONFIG"] == str(kdc.krb5_conf)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        serve({"path": "/b"}, krb5_conf=tmp_path / "none.conf")
