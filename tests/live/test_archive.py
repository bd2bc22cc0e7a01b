"""The archive under gunicorn: no death of a worker loses what a client relies on; messages of CXF; keys that went."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.live.java_peer import JavaPeer
from tests.live.replays import Captured, Site, capture
from tests.live.sending import LOST, post
from tests.live.test_cxf import SHA2
from tests.live.test_replay_load import kill_a_worker, meanwhile
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.archive.keys import ArchiveKey
from wsprovider.archive.messages import WIRE
from wsprovider.archive.proving import prove_reply, prove_request
from wsprovider.archive.reading import Found, Reader
from wsprovider.archive.record import Kind
from wsprovider.archive.store import Store, open_store
from wsprovider.archive.verifying import Verification
from wsprovider.cli.main import main
from wsprovider.words.limits import Limits

pytestmark = [pytest.mark.live, pytest.mark.slow]

KINDS = ("2", "5", "8")
CHAIN = "counted"


class Archived:
    """A site whose service keeps an archive, and what is in that."""

    def __init__(self, folder: Path, location: str) -> None:
        self.location = location
        self.site = Site(folder, workers=3)
        toml = folder / "services" / CHAIN / "service.toml"
        toml.write_text(f'archive = "{location}"\n{toml.read_text()}')

    def store(self) -> Store:
        return open_store(self.location, CHAIN, make=False)

    def messages(self) -> list[tuple[Found, Found | None]]:
        """Every request, with its reply where one was kept."""
        store = self.store()
        now = datetime.now(UTC)
        seals = load_snapshot(
            self.site.folder / "keys", "service", (), limits=Limits(), now=now, environ={}
        ).seals
        key = ArchiveKey(store, CHAIN, lambda: seals, clock=lambda: now, entropy=os.urandom).secret()
        assert Verification(store, CHAIN, key=key).run().findings == []
        reader = Reader(store, key)
        records = [record for day in store.segments() for record in store.records(day)]
        numbers = [record.sequence for record in records if record.kind is Kind.REQUEST]
        requests = [one for number in numbers if (one := reader.numbered(number)) is not None]
        assert len(requests) == len(numbers)
        return [(request, reader.reply(request)) for request in requests]

    def run(self, *words: object) -> int:
        """The command, as the site's operator types it."""
        options = ["--services", self.site.folder / "services", "--keys", self.site.folder / "keys"]
        return main([str(one) for one in ("archive", *words, *options)])


@pytest.fixture(scope="module", params=["folder", "sqlite"])
def archived(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    folder = tmp_path_factory.mktemp("archived")
    location = folder / "archive"
    where = str(location) if request.param == "folder" else f"sqlite:///{location}.sqlite3"
    found = Archived(folder, where)
    with found.site:
        yield found


def deliver(site: Site, message: Captured) -> tuple[bytes, int, bytes]:
    """Send a message; the message, the status and what came back (LOST: nothing)."""
    path, _, rest = message.request.partition(b" HTTP/1.1")
    data = rest.partition(b"\r\n\r\n")[2]
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    url = f"http://127.0.0.1:{site.ports[0]}{path.removeprefix(b'POST ').decode()}"
    return data, *post(url, data, headers)


def test_no_death_of_a_worker_loses_what_was_answered(archived: Archived) -> None:
    site, chance = archived.site, random.Random(5)
    delivered: list[tuple[bytes, int, bytes]] = []
    deaths = 0
    for turn in range(6):  # until somebody has died in the middle of a message
        messages = capture(site, KINDS, 40, f"turn-{turn}")
        chance.shuffle(messages)
        with meanwhile(0.25, lambda: kill_a_worker(site, chance)) as killed, ThreadPoolExecutor(6) as pool:
            delivered += pool.map(lambda one: deliver(site, one), messages)
        deaths += len(killed)
        if deaths >= 3 and any(status == LOST for _, status, _ in delivered):
            break
    answered = {data: reply for data, status, reply in delivered if status == 200}
    assert deaths >= 3
    assert any(status == LOST for _, status, _ in delivered), "nobody died in the middle of a message"
    assert len(answered) > len(delivered) / 3
    pairs = archived.messages()
    kept = {request.parts[WIRE]: reply for request, reply in pairs}
    for data, said in answered.items():
        reply = kept[data]
        assert reply is not None
        assert reply.parts[WIRE] == said
    executed, _ = site.executions()
    assert set(executed) <= {_text(request) for request, _ in pairs}


def _text(request: Found) -> str:
    found = re.search(rb"[^>]*:?text>([^<]+)</", prove_request(request).tree)
    assert found is not None
    return found[1].decode()


@pytest.mark.parametrize("archived", ["folder"], indirect=True)
def test_messages_of_cxf_are_proven_when_every_key_has_gone(
    archived: Archived, cxf: JavaPeer, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = archived.site.machines[0]
    for kind in KINDS:
        answer = cxf.call(
            cmd="cxf-call",
            wsdl=machine.url(f"/counted/{kind}?wsdl"),
            url=machine.url(f"/counted/{kind}"),
            **{**machine.client(), "text": f"cxf-{kind}", "properties": SHA2},
        )
        assert answer["ok"], answer
    for request, reply in archived.messages()[-len(KINDS) :]:
        assert prove_request(request).failure is None
        assert reply is not None
        assert prove_reply(reply, request).failure is None
    keys = archived.site.folder / "keys"
    before = _shown(archived, capsys)
    assert main(["keys", "new", "next", "--purpose", "seal", "--keys", str(keys)]) == 0
    assert main(["keys", "new", "later", "--kind", "rsa-2048", "--keys", str(keys)]) == 0
    ring = keys / "service" / "ring.toml"
    now = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    ring.write_text(re.sub(r"(?m)^active_from.*$", f"active_from = {now}", ring.read_text()))
    assert archived.run("verify") == 0
    first, *tables = re.split(r"(?m)^(?=\[\[)", ring.read_text())
    ring.write_text(first + "".join(one for one in tables if '"development"' not in one))
    for file in (keys / "service").glob("development*"):
        file.unlink()
    shutil.rmtree(keys / "trust" / "clients")
    assert _shown(archived, capsys) == before
    assert before.count("judged again:  holds") == 2


def _shown(archived: Archived, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert archived.run("show", "--last") == 0
    return capsys.readouterr().out
