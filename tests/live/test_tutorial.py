"""``docs/tutorial.md``, command by command and file by file, in an empty folder.

What is left out is the download: ``pip`` and ``venv`` stand in for what this environment has already (a wheel in an
environment of its own is ``test_wheel.py``'s and ``test_deploy.py``'s).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import pages
from tests.live.provider import ROOT, free_port

pytestmark = [pytest.mark.live, pytest.mark.slow]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCKS = {block.name: block for block in pages.blocks_of(PAGE)}


class Reader:
    """Somebody who does what the page says.

    Attributes:
        folder: where they stand.
        log: what is to be read in the other terminal.
        done: the blocks that were made use of.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "programs"
        self.bin.mkdir()
        self.ports = {"8080": str(free_port()), "8443": str(free_port())}
        for name in ("wsprovider", "python", "python3"):
            module = "-m wsprovider" if name == "wsprovider" else ""
            self._program(name, f'exec {shlex.quote(sys.executable)} {module} "$@"')
        self._program("pip", 'echo "pip $*" > pip.txt')
        self.done: list[str] = []
        self.log = folder / "serve.log"
        self._server: subprocess.Popen[bytes] | None = None

    def _program(self, name: str, line: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{line}\n")
        (self.bin / name).chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WSPROVIDER_")}
        ports = {"HTTP_PORT": self.ports["8080"], "HTTPS_PORT": self.ports["8443"], "WORKERS": "1"}
        return {**kept, **ports, "PATH": f"{self.bin}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def text(self, name: str) -> str:
        """A block of the page, with ports of this machine."""
        self.done.append(name)
        return re.sub(r"\b(8080|8443)\b", lambda found: self.ports[found[0]], BLOCKS[name].text)

    def sh(self, name: str) -> None:
        """Type what the block says."""
        done = self.run(self.text(name))
        assert done.returncode == 0, done.stdout

    def write(self, name: str) -> None:
        """Save the block as a file of its name."""
        (self.folder / name).parent.mkdir(exist_ok=True, parents=True)
        (self.folder / name).write_text(self.text(name))

    def console(self, name: str, code: int = 0) -> None:
        """Type each command of the block, and compare what is said with what the page says."""
        _, *turns = re.split(r"^\$ ", self.text(name), flags=re.MULTILINE)
        for turn in turns:
            command, _, told = turn.partition("\n")
            done = self.run(command)
            assert done.returncode == code, done.stdout
            lines = [line for line in told.splitlines() if line != "..."]
            assert lines or "..." in told
            for line in lines:
                pattern = ".*".join(re.escape(part.strip()) for part in line.split("..."))
                assert re.search(f"^ *{pattern}", done.stdout, re.MULTILINE), f"{line}\n{done.stdout}"

    def serve(self) -> None:
        """Do in the other terminal what the page says, until an answer comes."""
        with self.log.open("wb") as output:
            self._server = subprocess.Popen(
                ["sh", "-c", f"exec {self.text('serve')}"],
                cwd=self.folder,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while not self._healthy():
            assert self._server.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """Press Ctrl-C there."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(60)

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://localhost:{self.ports['8080']}/healthz", timeout=5
            ) as answer:
                return answer.status == 200
        except OSError:
            return False

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Type something; what was said, by both streams."""
        return subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """In an empty folder."""
    made = Reader(tmp_path)
    yield made
    made.stop()


def test_the_whole_page(reader: Reader) -> None:
    make, venv, activate, pip = reader.text("install").splitlines()
    assert (venv, activate) == ("python3 -m venv .venv", ". .venv/bin/activate")
    done = reader.run(f"{make}\n{pip}")
    assert done.returncode == 0, done.stdout
    reader.folder /= "shop"
    assert (reader.folder / "pip.txt").read_text() == "pip install wsprovider zeep[xmlsec]\n"

    reader.sh("init")
    reader.write("services/orders/service.py")
    reader.write("services/orders/service.toml")
    reader.console("check")
    reader.serve()
    reader.console("call")
    (reader.folder / "security.py").write_text(pages.block("zeep", "security"))
    reader.write("buy.py")
    reader.console("buy")
    reader.console("refused", code=1)

    told = json.loads(reader.text("log"))
    *_, line = (line for line in reader.log.read_text().splitlines() if '"event": "request"' in line)
    seen = json.loads(line)
    assert set(seen) - {"detail"} == set(told)
    assert list(seen["times"]) == list(told["times"])
    for name in set(told) - {"ms", "peer", "times"}:
        assert seen[name] == told[name]

    reader.console("explain", code=1)
    reader.console("renew")
    assert reader.done == list(BLOCKS), "in the order of the page, and all of it"


def test_a_mistake_is_told_as_the_page_says(reader: Reader) -> None:
    """The one that it proposes to try."""
    reader.sh("init")
    reader.write("services/orders/service.py")
    reader.write("services/orders/service.toml")
    file = reader.folder / "services" / "orders" / "service.toml"
    file.write_text(file.read_text().replace('"non-repudiation"', '"non-repudiaton"'))
    assert "non-repudiaton" in PAGE.read_text()
    done = reader.run("wsprovider check")
    assert done.returncode == 2
    assert "services/orders/service.toml:11: " in done.stdout
    assert "did you mean non-repudiation?" in done.stdout


def test_every_frame_is_somebody_s() -> None:
    assert PAGE.read_text().count("\n```") == 2 * len(BLOCKS)
    assert {block.test for block in BLOCKS.values()} == {"tests/live/test_tutorial.py"}
