"""SIGKILL before every single step of writing: the ring is the old one or the new one, and the next command goes on.

pathlib and the product call the functions of ``os`` by their names, so each open, write, rename, link, unlink ... of a
command is a step; a file object's write reaches the kernel at its flush, whose loss the staging file hides.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.keys_site import ROOT, KeysSite
from wsprovider.adapters.keys import audit

STEPS = 60
"""More than any command has."""


class Commands:
    """The program that kills, and what it says."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.simulator.killed"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, site: KeysSite, step: int, words: tuple[str, ...], *, half: bool) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        options = ("--services", site.folder / "services", "--keys", site.keys)
        asked = {"step": step, "half": half, "words": [*words, *map(str, options)]}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture(scope="module")
def commands():
    running = Commands()
    yield running
    running.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, development_keys) -> KeysSite:
    """Something to activate, to retire, to remove; and a partner's next certificate."""
    site = KeysSite.make(tmp_path_factory.mktemp("killed") / "project", development_keys)
    # few RSA keys: reading one takes as long as all the rest of a command
    assert site.run("keys", "new", "2027", "--kind", "rsa-2048") == 0
    assert site.run("keys", "new", "2028", "--purpose", "sign", "--kind", "ec-p256") == 0
    assert site.run("keys", "activate", "2027") == 0
    assert site.run("keys", "retire", "development", "--compromised") == 0
    assert site.run("keys", "new", "2029", "--csr", "--purpose", "sign", "--kind", "ec-p256") == 0
    assert site.run("keys", "new", "signs", "--purpose", "sign", "--kind", "ec-p256") == 0
    assert site.run("keys", "activate", "signs") == 0
    shutil.copy(site.keys / "development" / "client-2.cert.pem", site.folder / "next.pem")
    assert site.run("keys", "trust", "remove", str(site.folder / "next.pem"), "--partner", "client-2") == 0
    shutil.copytree(site.keys, site.folder / "clean")
    return site


COMMANDS = {
    "new": ("keys", "new", "x", "--purpose", "sign", "--kind", "ec-p256"),
    "csr": ("keys", "new", "x", "--csr", "--purpose", "sign", "--kind", "ec-p256"),
    "seal": ("keys", "new", "x", "--purpose", "seal"),
    "import": (
        "keys",
        "import",
        "x",
        "{keys}/development/client-1.key.pem",
        "{keys}/development/client-1.cert.pem",
    ),
    "activate": ("keys", "activate", "2028"),
    "assign": ("keys", "activate", "2028", "--partner", "client-1"),
    "retire": ("keys", "retire", "signs"),
    "remove": ("keys", "remove", "development"),
    "remove request": ("keys", "remove", "2029"),
    "trust add": ("keys", "trust", "add", "{folder}/next.pem", "--partner", "client-3"),
    "trust activate": (
        "keys",
        "trust",
        "activate",
        "{keys}/trust/clients/client-1.pem",
        "--partner",
        "client-1",
    ),
    "trust remove": (
        "keys",
        "trust",
        "remove",
        "{keys}/development/client-1.cert.pem",
        "--partner",
        "client-1",
    ),
    "record": ("audit", "record", "--why", "because"),
}


@pytest.mark.parametrize(
    ("command", "mode"),
    # half a write is one of the audit log's, and the same in every command
    [*((command, "before") for command in COMMANDS), ("new", "half"), ("record", "half")],
)
def test_killed(prepared, commands, command, mode):
    site, clean = prepared, prepared.folder / "clean"
    restore(site, clean)
    words = tuple(one.format(keys=site.keys, folder=site.folder) for one in COMMANDS[command])
    old = told(site)
    outcomes = set()
    for step in range(1, STEPS):
        restore(site, clean)
        code = commands.run(site, step, words, half=mode == "half")
        assert code in (0, -signal.SIGKILL)
        now = told(site)
        outcomes.add(now)
        found = audit.verify(site.keys)
        assert found.findings == [], f"step {step}: the log tells of a breach that was none"
        if code == 0:
            break
        # what was cut can be done again; or it was done already, and the command says so
        again = site.run(*words)
        assert again in (0, 2), f"step {step}"
        assert tables(site.keys) != tables(clean) or command == "record", f"step {step}: nothing was done"
        assert audit.verify(site.keys).findings == []
        assert not list(site.ring.glob(".*")), f"step {step}: a staging file was left for good"
    else:
        pytest.fail("more steps than expected")
    assert step > 4, "the steps were not met"
    assert outcomes <= {old, now}, "neither the old ring nor the new one"


def tables(folder: Path) -> list[bytes]:
    files = (folder / "service" / "ring.toml", folder / "trust" / "clients" / "trust.toml")
    return [file.read_bytes() if file.exists() else b"" for file in files]


def restore(site: KeysSite, clean: Path) -> None:
    shutil.rmtree(site.keys)
    shutil.copytree(clean, site.keys)


def told(site: KeysSite) -> str:
    """What a server would have; it must load."""
    loaded = site.loaded()
    ring = loaded.snapshot.ring
    keys = [
        (one.pair.name, one.lifespan.active_from is None, one.lifespan.retired_at is None)
        for one in ring.keys
    ]
    seals = [one.name for one in loaded.seals.keys]
    requests = [one["name"] for one in site.toml().get("request", [])]
    partners = [
        (one.name, [(held.fingerprint, one.pin(held).encrypts_from is None) for held in one.certificates])
        for one in loaded.snapshot.partners
    ]
    return repr((keys, seals, requests, [one.partner for one in ring.assignments], partners))
