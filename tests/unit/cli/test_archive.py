"""``wsprovider archive`` on what a server has kept, also after its keys have gone."""

import hashlib
import os
import re
import shutil
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.live.conversing import client_keys
from tests.simulator.keys_site import KeysSite
from tests.simulator.talk import Talk
from tests.simulator.world import echo_body
from wsprovider.archive.folder import FolderStore
from wsprovider.archive.record import Kind
from wsprovider.cli.main import main
from wsprovider.exchange.initiator import Initiator
from wsprovider.outbound.message import Credentials
from wsprovider.scenarios.catalogue import find
from wsprovider.server.create import create_app
from wsprovider.soap.version import SOAP_11

NUMBERS = ("2", "5", "8")


@pytest.fixture
def kept(site: KeysSite, capsys) -> KeysSite:
    """A message to each of three scenarios, in an archive."""
    toml = site.folder / "services" / "echo" / "service.toml"
    lines = ["clear_password_over_http = true", 'archive = "archive"', ""]
    toml.write_text("\n".join(lines) + toml.read_text())
    keys = client_keys(site.keys)
    with closing(create_app(site.folder / "services", keys=site.keys)) as app:
        for number in NUMBERS:
            client = Initiator(
                find(number).policy(),
                "client",
                keys=lambda: keys,
                clock=lambda: datetime.now(UTC),
                entropy=os.urandom,
                credentials=Credentials("alice", "development"),
                partner="service",
            )
            pending = client.request(echo_body(SOAP_11, f"order {number}"), version=SOAP_11)
            answer = Client(app).post(f"/{number}", data=pending.data, content_type="text/xml; charset=utf-8")
            client.accept(pending, answer.data, secure=False)
    capsys.readouterr()
    return site


def told(site: KeysSite, capsys, *words: object, code: int = 0) -> str:
    assert site.run("archive", *words) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def named(site: KeysSite, number: str) -> str:
    """The id of the request that was sent to a scenario."""
    store = FolderStore(site.folder / "archive", "echo")
    (day,) = store.segments()
    requests = [record.name for record in store.records(day) if record.kind is Kind.REQUEST]
    return requests[NUMBERS.index(number)]


def archive_file(site: KeysSite) -> Path:
    (found,) = (site.folder / "archive" / "echo").glob("*.records")
    return found


def test_verify_counts_and_names_the_head(kept, capsys):
    text = told(kept, capsys, "verify")
    assert re.search(
        r"echo: the chain holds: \d+ records, 3 requests, 3 replies; head echo/\d+ [0-9a-f]{64}", text
    )
    assert "note" not in text
    head = told(kept, capsys, "head").strip()
    assert head in text
    assert told(kept, capsys, "verify", "--head", head) == text
    assert "the chain holds: 0 records" in told(kept, capsys, "verify", "--since", "2999-01-01")
    other = head[:-1] + ("0" if head[-1] != "0" else "1")
    assert "WRONG" in told(kept, capsys, "verify", "--head", other, code=1)


def test_verify_tells_what_was_touched(kept, capsys):
    file = archive_file(kept)
    octets = bytearray(file.read_bytes())
    octets[-100] ^= 1
    file.write_bytes(octets)
    text = told(kept, capsys, "verify", code=1)
    assert re.search(r"WRONG: \S+: echo/\d+ was changed: its hash is not that of its octets", text)
    assert "the chain DOES NOT HOLD" in text


def test_an_auditor_verifies_without_configuration_and_key(kept, capsys, tmp_path):
    place = kept.folder / "archive"
    words = [
        "archive",
        "verify",
        "--archive",
        place,
        "--service",
        "echo",
        "--services",
        tmp_path,
        "--keys",
        tmp_path,
    ]
    assert main([str(one) for one in words]) == 0
    text = capsys.readouterr().out
    assert "without its key, only the chain of hashes is checked" in text
    assert "the chain holds" in text


@pytest.mark.parametrize("number", NUMBERS)
def test_show_says_who_when_what_and_what_it_is_worth(kept, capsys, number):
    name = named(kept, number)
    text = told(kept, capsys, "show", name)
    assert f"at /{number}, scenario {find(number).slug}" in text
    assert "operation:     echo" in text
    assert text.count("judged again:  holds") == 2
    assert f"order {number}" not in text
    if number == "8":
        assert "caller:        alice, by password" in text
        assert "a proof for ourselves: both sides held the key" in text
        assert "that the password was right is our word only" in text
    else:
        assert re.search(r"signature 1: +rsa-sha256, verified now; covers .*Body.*; by CN=client-1", text)
        assert "pinned in group 'clients', valid then" in text
        assert "anybody who has the certificate can verify the signature" in text
    assert f"order {number}" in told(kept, capsys, "show", name, "--content")


def test_last_and_unknown_ones(kept, capsys):
    assert "at /8" in told(kept, capsys, "show", "--last")
    assert "no such message is in the archive" in told(kept, capsys, "show", "echo/999", code=1)
    assert "no such message is in the archive" in told(kept, capsys, "show", "--message-id", "urn:x", code=1)
    assert "is no ID" in told(kept, capsys, "show", "echo/x", code=2)
    assert "has none, or is not there" in told(kept, capsys, "show", "shop/1", code=2)
    assert "is no head" in told(kept, capsys, "verify", "--head", "echo/1", code=2)


def test_services_without_an_archive_are_told(site, capsys):
    assert "no service has an archive" in told(site, capsys, "verify", code=2)


def test_what_is_exported_is_verified_by_other_programs(kept, capsys, tmp_path):
    name = named(kept, "5")
    folder = tmp_path / "exported"
    told(kept, capsys, "export", name, folder)
    for line in (folder / "MANIFEST.sha256").read_text().splitlines():
        digest, _, file = line.partition("  ")
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    assert b"order 5" in (folder / "request-decrypted.xml").read_bytes()
    assert b"order 5" not in (folder / "request.xml").read_bytes()
    assert "is there already" in told(kept, capsys, "export", name, folder, code=1)
    commands = re.findall(r"^(?:xmlsec1|openssl) .*", (folder / "report.txt").read_text(), re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        words = command.split()
        if shutil.which(words[0]) is None:
            pytest.skip(f"not installed: {words[0]}")
        done = run(words, folder)
        assert done.returncode == 0, done.stderr
    changed = (folder / "request-decrypted.xml").read_bytes().replace(b"order 5", b"order 6")
    (folder / "request-decrypted.xml").write_bytes(changed)
    assert run(commands[0].split(), folder).returncode != 0


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """One of the commands; xmlsec1 of version 1.2 looks for keys as loosely as it always did."""
    if words[0] == "xmlsec1" and not re.search(r" 1\.[3-9]", subprocess.getoutput("xmlsec1 --version")):
        words.remove("--lax-key-search")
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_messages_are_shown_when_every_key_of_then_has_gone(kept, capsys):
    """The seal key's successor takes over, and then the whole ring and the clients are others."""
    name = named(kept, "5")
    before = told(kept, capsys, "show", name)
    assert kept.run("keys", "new", "next", "--purpose", "seal") == 0
    assert kept.run("keys", "new", "later") == 0
    capsys.readouterr()
    ring = kept.ring / "ring.toml"
    ring.write_text(
        re.sub(r"(?m)^(active_from|not_before).*$", r"\1 = 2026-01-01T00:00:00Z", ring.read_text())
    )
    told(kept, capsys, "verify")  # this command sees the new seal key, as a server that runs does
    text = ring.read_text()
    first, *tables = re.split(r"(?m)^(?=\[\[)", text)
    ring.write_text(first + "".join(one for one in tables if '"development"' not in one))
    for file in kept.ring.glob("development*"):
        file.unlink()
    shutil.rmtree(kept.keys / "trust" / "clients")
    shutil.rmtree(kept.keys / "development")
    assert told(kept, capsys, "show", name) == before
    assert "holds" in told(kept, capsys, "verify")


def test_a_conversation_is_found_by_its_context(site, capsys):
    """What opened it, every call, the renewal and the end; each once."""
    slug = "conversation-sign-encrypt-x509"
    toml = site.folder / "services" / "echo" / "service.toml"
    toml.write_text(f'archive = "archive"\ntrust = ["clients"]\npath = "/talk"\nscenario = "{slug}"\n')
    with closing(create_app(site.folder / "services", keys=site.keys)) as app:

        def post(data: bytes, action: str) -> bytes:
            headers = {"SOAPAction": f'"{action}"'}
            return Client(app).post("/talk", data=data, content_type="text/xml", headers=headers).data

        talk = Talk(slug, "http://localhost/talk", post, site.keys)
        context = talk.open()
        assert talk.call("under it") == "under it"
        talk.renew()
        talk.call()
        talk.end()
        other = Talk(slug, "http://localhost/talk", post, site.keys)
        other.open()
    capsys.readouterr()
    text = told(site, capsys, "show", "--context", context)
    operations = re.findall(r"^operation: +(\S+)$", text, re.MULTILINE)
    assert operations == [
        "security-context-issue",
        "echo",
        "security-context-renew",
        "echo",
        "security-context-cancel",
    ]
    assert text.count("judged again:  holds") == 10
    assert "with the key of a security context, which its owner and the service held" in text
    first, second, *_ = text.split("\n\n")
    assert "signature 1:   rsa-sha256, verified now" in first
    assert f"context:       {context}" in second
    assert "several messages are meant" in told(site, capsys, "export", "--context", context, "x", code=1)
