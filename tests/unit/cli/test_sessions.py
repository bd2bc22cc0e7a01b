"""``wsprovider sessions`` on the store of two workers that go on serving."""

import json
import logging
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.simulator.talk import Talk
from wsprovider.adapters.shared.sqlite import SqliteStore
from wsprovider.cli.main import main
from wsprovider.server.application import Provider
from wsprovider.server.create import create_app
from wsprovider.words.errors import WSSecurityError

ROOT = Path(__file__).resolve().parents[3]
X509 = "conversation-sign-encrypt-x509"
NOBODY = "conversation-sign-encrypt-anonymous"
ALICE = "conversation-sign-encrypt-username"
SETTINGS = """
namespace = "urn:wsprovider:echo"
trust = ["clients"]
users = "users.toml"
"""


@dataclass
class Site:
    """A services folder, its store, and two workers."""

    folder: Path
    keys: Path
    workers: tuple[Provider, Provider]

    @property
    def store(self) -> Path:
        return self.folder / "var" / "shared.sqlite3"

    def talk(self, scenario: str, worker: int = 0) -> Talk:
        talk = Talk(scenario, f"http://localhost/{scenario}", lambda *_: b"", self.keys)
        return self.move(talk, worker)

    def move(self, talk: Talk, worker: int) -> Talk:
        """Have the other worker answer from now on."""
        path = talk.url.removeprefix("http://localhost")

        def post(data: bytes, action: str) -> bytes:
            answer = Client(self.workers[worker]).post(
                path, data=data, content_type="text/xml; charset=utf-8", headers={"SOAPAction": f'"{action}"'}
            )
            return answer.data

        talk.post = post
        return talk

    def run(self, *words: str) -> int:
        return main(
            ["sessions", *words, "--services", str(self.folder / "services"), "--keys", str(self.keys)]
        )

    def metrics(self, worker: int = 0) -> str:
        return Client(self.workers[worker]).get("/metrics").data.decode()


def write_services(folder: Path, shared: str = "") -> Path:
    service = folder / "services" / "echo"
    service.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", service)
    endpoints = "".join(
        f'[[endpoint]]\npath = "/{one}"\nscenario = "{one}"\n' for one in (X509, NOBODY, ALICE)
    )
    (service / "service.toml").write_text(SETTINGS + endpoints)
    (folder / "services" / "provider.toml").write_text(f"metrics = true\n{shared}")
    return folder / "services"


@pytest.fixture
def site(tmp_path, development_keys):
    services = write_services(tmp_path)
    workers = tuple(create_app(services, keys=development_keys) for _ in range(2))
    yield Site(tmp_path, development_keys, workers)
    for worker in workers:
        worker.close()


def rows(text: str) -> dict[str, list[str]]:
    heading, *lines = text.splitlines()
    assert heading.split() == [
        "IDENTIFIER",
        "ENDPOINT",
        "OWNER",
        "PROOF",
        "ISSUED",
        "EXPIRES",
        "LEFT",
        "USED",
    ]
    return {line.split()[0]: re.split(r"  +", line)[1:] for line in lines}


def test_list_shows_whose_and_how_long(site, capsys):
    alice, nobody, client = (site.talk(one) for one in (ALICE, NOBODY, X509))
    identifiers = [talk.open() for talk in (alice, nobody, client)]
    alice.call()
    assert site.run("list") == 0
    out = capsys.readouterr().out
    found = rows(out)
    assert list(found) == sorted(identifiers, key=lambda one: found[one][0])
    hers, nobodys, clients = (found[one] for one in identifiers)
    assert hers[:3] == [f"/{ALICE}", "alice", "password"]
    assert hers[6] == "yes"
    assert re.fullmatch(r"0:59:5\d", hers[5])
    assert nobodys[:3] == [f"/{NOBODY}", "anonymous", "-"]
    assert nobodys[6] == "no"
    assert re.fullmatch(r"0:04:5\d", nobodys[5]), "one that nobody uses lives five minutes"
    assert clients[:3] == [f"/{X509}", "client-1", "certificate"]
    for talk in (alice, nobody, client):
        assert talk.session.context.secret.hex() not in out


def test_list_of_some(site, capsys):
    alice, nobody, client = (site.talk(one).open() for one in (ALICE, NOBODY, X509))
    for words, wanted in (
        (("--owner", "alice"), {alice}),
        (("--owner", ""), {nobody}),
        (("--owner", "anonymous"), set()),
        (("--endpoint", f"/{X509}"), {client}),
        (("--endpoint", f"/{X509}", "--owner", "alice"), set()),
    ):
        assert site.run("list", *words) == 0
        assert set(rows(capsys.readouterr().out)) == wanted


def test_list_for_programs(site, capsys):
    talk = site.talk(ALICE)
    identifier = talk.open()
    talk.call()
    site.talk(NOBODY).open()
    assert site.run("list", "--json") == 0
    nobodys, hers = json.loads(capsys.readouterr().out)
    assert set(hers) == set(nobodys)
    assert 3590 < hers.pop("left") <= 3600
    assert hers.pop("issued") < hers.pop("expires")
    assert hers == {
        "identifier": identifier,
        "endpoint": f"/{ALICE}",
        "owner": "alice",
        "proof": "password",
        "used": True,
        "sealed_by": "development",
    }
    assert (nobodys["owner"], nobodys["proof"], nobodys["used"]) == (None, "anonymous", False)


@pytest.mark.parametrize(
    "choice", [lambda one: (one,), lambda _: ("--owner", "alice"), lambda _: ("--endpoint", f"/{ALICE}")]
)
def test_what_is_ended_is_refused_by_every_worker(site, capsys, caplog, choice):
    ended, spared = site.talk(ALICE), site.talk(NOBODY)
    identifier, _ = ended.open(), spared.open()
    assert {site.move(ended, worker).call() for worker in (0, 1)} == {"hello"}
    assert site.run("end", *choice(identifier)) == 0
    assert capsys.readouterr().out == f"ended {identifier} of alice at /{ALICE}\n"
    for worker in (0, 1):
        caplog.clear()
        with caplog.at_level(logging.INFO, "wsprovider"), pytest.raises(WSSecurityError):
            site.move(ended, worker).call()
        (line,) = (json.loads(one.getMessage()) for one in caplog.records if one.name == "wsprovider.request")
        assert line["reason"] == "CONTEXT_UNKNOWN"
    assert spared.call() == "hello"
    assert ended.open() != identifier
    assert ended.call() == "hello"


def test_end_all(site, capsys):
    talks = [site.talk(one) for one in (ALICE, NOBODY, X509)]
    identifiers = {talk.open() for talk in talks}
    assert site.run("end", "--all", "--dry-run") == 0
    assert {line.split()[2] for line in capsys.readouterr().out.splitlines()} == identifiers
    assert [talk.call() for talk in talks] == ["hello"] * 3
    assert site.run("end", "--all") == 0
    assert {line.split()[1] for line in capsys.readouterr().out.splitlines()} == identifiers
    for talk in talks:
        with pytest.raises(WSSecurityError):
            talk.call()
    assert site.run("end", "--all") == 0
    assert capsys.readouterr().out == "there is nothing to end\n"


def test_what_is_not_there_is_told(site, capsys):
    identifier = site.talk(ALICE).open()
    assert site.run("end", "urn:no-such", identifier, "urn:evil:\x1b[2J") == 1
    told = capsys.readouterr()
    assert told.out.startswith(f"ended {identifier} ")
    assert told.err == "wsprovider: there is no urn:no-such\nwsprovider: there is no urn:evil:\\x1b[2J\n"
    assert site.run("end", "--dry-run", identifier) == 1


@pytest.mark.parametrize(
    "words", [(), ("--all", "--owner", "x"), ("urn:x", "--all"), ("--endpoint", "/x", "urn:x")]
)
def test_exactly_one_choice(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sessions", "end", *words])
    assert ended.value.code == 2
    assert "usage: wsprovider sessions end" in capsys.readouterr().err


def test_one_that_no_ring_opens(site, capsys):
    identifier = site.talk(ALICE).open()
    # whoever can write the file can write a key's name that would move the cursor
    with sqlite3.connect(site.store) as file:
        ((value,),) = file.execute("SELECT value FROM records WHERE kind = 'context'").fetchall()
        bent = value[:1] + bytes([5]) + b"old\x1b!" + value[13:]
        file.execute("UPDATE records SET value = ? WHERE kind = 'context'", (bent,))
    assert site.run("list") == 0
    (cells,) = rows(capsys.readouterr().out).values()
    assert cells[:2] == ["-", 'sealed under "old\\x1b!"']
    assert site.run("list", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["owner"], told["endpoint"], told["sealed_by"]) == (None, None, "old\x1b!")
    assert site.run("end", "--owner", "alice") == 0
    left = capsys.readouterr()
    assert left.out == "there is nothing to end\n"
    assert left.err.startswith("wsprovider: 1 left out: ")
    assert site.run("end", identifier) == 0
    assert capsys.readouterr().out == f'ended {identifier}, sealed under "old\\x1b!"\n'


def test_each_record_is_opened_by_the_ring_that_has_its_key(site, tmp_path, development_keys, capsys):
    """Two rings may call their keys the same."""
    keys = tmp_path / "keys"
    shutil.copytree(development_keys, keys)
    shutil.copytree(keys / "service", keys / "other")
    (keys / "other" / "development.seal").write_text("ab" * 32)
    settings = tmp_path / "services" / "echo" / "service.toml"
    settings.write_text(
        settings.read_text().replace(f'scenario = "{NOBODY}"', f'scenario = "{NOBODY}"\nring = "other"')
    )
    again = create_app(tmp_path / "services", keys=keys)
    both = Site(tmp_path, keys, (again, again))
    try:
        both.talk(NOBODY).open()
        both.talk(ALICE).open()
    finally:
        again.close()
    assert both.run("list") == 0
    assert {cells[1] for cells in rows(capsys.readouterr().out).values()} == {"anonymous", "alice"}


def test_memory_is_refused(tmp_path, development_keys, capsys):
    services = write_services(tmp_path, 'shared = "memory:"\n')
    assert main(["sessions", "list", "--services", str(services), "--keys", str(development_keys)]) == 2
    assert "shared: memory: is the memory of each server process" in capsys.readouterr().err


def test_a_store_that_is_not_there_is_not_made(tmp_path, development_keys, capsys):
    services = write_services(tmp_path)
    assert main(["sessions", "list", "--services", str(services), "--keys", str(development_keys)]) == 1
    assert "there is no shared store" in capsys.readouterr().err
    assert not (tmp_path / "var").exists()


# what the server tells of them ----------------------------------------------------------------------


def contexts(text: str) -> dict[str, int]:
    found = re.findall(r"^wsprovider_contexts(\w*) (\d+)$", text, re.MULTILINE)
    return {name: int(count) for name, count in found}


def asked(text: str) -> dict[tuple[str, str], int]:
    found = re.findall(
        r'^wsprovider_conversation_requests_total\{service="echo",endpoint="(.*)",kind="(.*)"\} (\d+)$',
        text,
        re.MULTILINE,
    )
    return {(endpoint, kind): int(count) for endpoint, kind, count in found}


def test_metrics_add_up_over_workers(site, capsys):
    assert contexts(site.metrics()) == {"": 0, "_issued_total": 0, "_ended_total": 0, "_expired_total": 0}
    assert asked(site.metrics()) == {}
    one, other, third = site.talk(ALICE), site.talk(NOBODY, 1), site.talk(X509, 1)
    for talk in (one, other, third):
        talk.open()
        talk.call()
    one.renew()
    one.call()
    site.move(one, 1).renew()
    other.end()
    assert site.run("end", third.identifier) == 0
    for worker in (0, 1):
        assert contexts(site.metrics(worker)) == {
            "": 1,
            "_issued_total": 3,
            "_ended_total": 2,
            "_expired_total": 0,
        }
    assert asked(site.metrics(0)) == {(ALICE, "issue"): 1, (ALICE, "renew"): 1}
    assert asked(site.metrics(1)) == {
        (ALICE, "renew"): 1,
        (NOBODY, "cancel"): 1,
        (NOBODY, "issue"): 1,
        (X509, "issue"): 1,
    }
    for name in re.findall(
        r"^(wsprovider_\w+?)(?:_(?:bucket|sum|count))?[ {]", site.metrics(1), re.MULTILINE
    ):
        if name.endswith("_duration_seconds"):
            assert f"# TYPE {name} histogram\n" in site.metrics(1)
            continue
        kind = "counter" if name.endswith("_total") else "gauge"
        assert f"# TYPE {name} {kind}\n" in site.metrics(1)


def test_metrics_without_the_store(site, monkeypatch, caplog):
    site.talk(ALICE).open()
    monkeypatch.setattr(SqliteStore, "totals", lambda *_, **__: 1 / 0)
    text = site.metrics()
    assert contexts(text) == {}
    assert asked(text) == {(ALICE, "issue"): 1}
    assert "metrics: contexts" in caplog.text


def test_the_log_names_the_context(site, caplog):
    talk = site.talk(ALICE)
    with caplog.at_level(logging.INFO, "wsprovider"):
        identifier = talk.open()
        talk.call()
        talk.renew()
        talk.call()
        talk.end()
    lines = [json.loads(one.getMessage()) for one in caplog.records if one.name == "wsprovider.request"]
    assert [(line["operation"], line.get("context")) for line in lines] == [
        ("security-context-issue", identifier),
        ("echo", identifier),
        ("security-context-renew", identifier),
        ("echo", identifier),
        ("security-context-cancel", identifier),
    ]
