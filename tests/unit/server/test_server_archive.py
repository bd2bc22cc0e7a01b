# ruff: noqa: N805 - Spyne hands its operations ctx
"""An endpoint with an archive: nothing is carried out, and nothing sent, that was not kept before."""

import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from spyne import Fault, ServiceBase, Unicode, rpc

from tests.simulator.world import ECHO, echo_body
from tests.unit.server.plain import call
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.archive.folder import FolderStore
from wsprovider.archive.keys import ArchiveKey
from wsprovider.archive.proving import prove_reply, prove_request
from wsprovider.archive.reading import Reader
from wsprovider.archive.record import Kind
from wsprovider.config.load import load_provider
from wsprovider.exchange.initiator import Initiator
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.server.archives import days_of
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.soap.version import SOAP_11
from wsprovider.words.errors import BackendError, ConfigurationError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason


class Echo(ServiceBase):
    heard: list = []  # noqa: RUF012 - as Spyne's classes are written

    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        Echo.heard.append(text)
        if text == "fault":
            raise Fault("Client.Wrong", "as asked")
        return text

    @rpc(Unicode, _returns=Unicode)
    def erase(ctx, text):
        return text


@pytest.fixture
def site(tmp_path, development_keys, monkeypatch):
    """One service in scenario 8 with an archive, and a client of it."""
    monkeypatch.setattr(Echo, "heard", [])
    from tests.live.conversing import client_keys

    policy = find("8").policy()
    keys = client_keys(development_keys)
    client = Initiator(
        policy,
        "client",
        keys=lambda: keys,
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        credentials=Credentials("alice", "development"),
        partner="service",
    )
    archive = tmp_path / "archive"
    settings = {
        "path": "/8",
        "scenario": "8",
        "trust": ["clients"],
        "users": "users.toml",
        "archive": str(archive),
    }
    declared = Service("echo", [Echo], {"namespace": ECHO, **settings})
    app = create_app([declared], keys=development_keys, shared=f"sqlite:///{tmp_path / 'shared.sqlite3'}")
    with closing(app):
        yield SimpleNamespace(
            app=app, client=client, archive=archive, keys=development_keys, settings=settings
        )


def send(site, text="hello"):
    pending = site.client.request(echo_body(SOAP_11, text), version=SOAP_11)
    return pending, post(site, pending.data)


def post(site, data):
    return call(site.app, data, PATH_INFO="/8", CONTENT_TYPE="text/xml; charset=utf-8")


def reader(site):
    store = FolderStore(site.archive, "echo", make=False)
    now = datetime.now(UTC)
    seals = load_snapshot(site.keys, "service", (), limits=Limits(), now=now, environ={}).seals
    key = ArchiveKey(store, "echo", lambda: seals, clock=lambda: now, entropy=os.urandom)
    return store, Reader(store, key.secret())


def kinds(site):
    store, _ = reader(site)
    found = [record.kind for day in store.segments() for record in store.records(day)]
    return [kind for kind in found if kind is not Kind.MATERIAL]


def test_request_and_reply_are_kept_as_they_went_over_the_wire(site):
    pending, response = send(site)
    site.client.accept(pending, response.data, secure=False)
    _, opened = reader(site)
    request = opened.last()
    reply = opened.reply(request)
    assert request.parts["wire"] == pending.data
    assert reply.parts["wire"] == response.data
    assert (request.facts["principal"], request.facts["proof"]) == ("alice", "password")
    assert prove_request(request).failure is None
    assert prove_reply(reply, request).failure is None


def test_a_fault_of_the_service_is_a_reply(site):
    _, response = send(site, "fault")
    assert response.status == 500
    _, opened = reader(site)
    reply = opened.reply(opened.last())
    assert reply.parts["wire"] == response.data
    assert reply.facts["status"] == 500


def test_a_refused_message_is_not_kept(site):
    pending, _ = send(site)
    assert post(site, pending.data).status == 500  # a replay
    assert post(site, pending.data.replace(b"SignatureValue>", b"SignatureValue> ", 1)[:-40]).status == 500
    assert kinds(site) == [Kind.REQUEST, Kind.REPLY]


def test_the_log_names_the_record(site, caplog):
    caplog.set_level("INFO", logger="wsprovider.request")
    send(site)
    line = json.loads(caplog.messages[-1])
    _, opened = reader(site)
    assert line["archive"] == opened.last().record.name


def failing(monkeypatch, how_often=1):
    """The archive's disk fails for that many appends, beginning with the next one."""
    real, calls = FolderStore.append, []

    def append(self, *arguments):
        calls.append(arguments)
        if len(calls) <= how_often:
            raise BackendError("the disk is on fire")
        real(self, *arguments)

    monkeypatch.setattr(FolderStore, "append", append)


def test_what_cannot_be_kept_is_not_carried_out(site, monkeypatch):
    failing(monkeypatch)
    _, response = send(site)
    assert response.status == 500
    assert Echo.heard == []
    assert site.app.metrics.requests("8", Reason.ARCHIVE) == 1
    pending, response = send(site)
    site.client.accept(pending, response.data, secure=False)
    assert Echo.heard == ["hello"]


def test_a_reply_that_cannot_be_kept_is_not_sent(site, monkeypatch):
    real, seen = FolderStore.append, []

    def append(self, *arguments):
        seen.append(arguments)
        if len(seen) == 2:
            raise BackendError("the disk is on fire")
        real(self, *arguments)

    monkeypatch.setattr(FolderStore, "append", append)
    _, response = send(site)
    assert response.status == 500
    assert b"EncryptedData" not in response.data
    assert Echo.heard == ["hello"]
    assert site.app.metrics.requests("8", Reason.ARCHIVE) == 1


def test_an_archive_that_is_known_to_fail_burns_no_message(site, monkeypatch):
    """The message is refused before anything of it is remembered, so that its sender may send it again."""
    pending = site.client.request(echo_body(SOAP_11, "hello"), version=SOAP_11)
    with monkeypatch.context() as here:

        def full(*_, **__):
            raise BackendError("full")

        here.setattr(FolderStore, "check", full)
        assert post(site, pending.data).status == 500
        assert call(site.app, REQUEST_METHOD="GET", PATH_INFO="/healthz").status == 503
    response = post(site, pending.data)
    site.client.accept(pending, response.data, secure=False)
    assert Echo.heard == ["hello"]
    assert call(site.app, REQUEST_METHOD="GET", PATH_INFO="/healthz").status == 200


def declare(site, **more):
    declared = Service("echo", [Echo], {"namespace": ECHO, **site.settings, **more})
    create_app([declared], keys=site.keys, shared="memory:").close()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"archive": "nosuchdatabase://host/name"}, "no database has a URL that begins with"),
        ({"archive": ""}, "is empty"),
        ({"archive": "/proc/nowhere"}, "cannot be used"),
        ({"archive": False, "archive_days": 0}, None),
        ({"archive_days": 0}, "is 0; it must lie between 1 and 36500"),
        ({"archive_days": 3650}, None),
    ],
)
def test_mistakes_of_an_operator(site, more, told):
    if told is None:
        declare(site, **more)
        return
    with pytest.raises(ConfigurationError, match=told):
        declare(site, **more)


def test_days_without_an_archive_are_refused(site):
    del site.settings["archive"]
    declare(site)
    with pytest.raises(ConfigurationError, match="archive_days: is to no effect: there is no archive"):
        declare(site, archive_days=7)


def test_a_ring_without_a_seal_key_is_refused(site, tmp_path):
    import shutil

    keys = tmp_path / "keys"
    shutil.copytree(site.keys, keys)
    site.keys = keys
    declare(site)
    ring = keys / "service" / "ring.toml"
    ring.write_text(ring.read_text().partition("[[seal]]")[0])
    with pytest.raises(ConfigurationError, match=r"holds no \[\[seal\]\] key .* \(needed by /8: archive\)"):
        declare(site)


def test_files_name_an_archive_beside_the_services_folder(site, tmp_path):
    folder = tmp_path / "project" / "services" / "echo"
    folder.mkdir(parents=True)
    (folder / "service.py").write_text("")
    (folder / "service.toml").write_text(
        'scenario = "2"\ntrust = ["clients"]\narchive = "archive"\narchive_days = 10\n'
        '[[endpoint]]\npath = "/a"\n[[endpoint]]\npath = "/b"\narchive = "sqlite:////archive"\n'
        '[[endpoint]]\npath = "/c"\narchive = false\n[[endpoint]]\npath = "/d"\narchive_days = 20\n'
    )
    config = load_provider(
        folder.parent, site.keys, load_classes=lambda *_: (Echo,), environ={}, backed=False
    )
    (service,) = config.services
    place = str(Path(folder.parents[1] / "archive"))
    assert [(one.archive, one.archive_days) for one in service.endpoints] == [
        (place, 10),
        ("sqlite:////archive", 10),
        (None, None),
        (place, 20),
    ]
    assert (days_of(service, place), days_of(service, "sqlite:////archive")) == (20, 10)
