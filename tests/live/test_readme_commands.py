"""The README's commands that ask a running service, or what it has kept: each is run as it stands there.

Those of the first section are run by tests/live/test_tutorial.py, ``attack`` by test_attack_command.py, the handbook's
by the tests of their pages (tests/unit/cli/test_runbooks.py, tests/live/test_deploy.py, test_peer_pages.py, ...).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_command_lines import LINES, arguments
from tests.live.provider import ROOT, ProviderProcess, copy_services
from wsprovider.config.development import PASSWORD

pytestmark = pytest.mark.live

ELSEWHERE = {"init": "test_tutorial.py", "call": "test_tutorial.py", "attack": "test_attack_command.py"}
README = [line.text for line in LINES if line.page == "README.md"]
PARTNERS = '[acme]\ncertificates = ["clients/client-1"]\nusers = ["alice"]\nroles = ["partner"]\n'


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """The example services with an archive and partners, as an operator's folder has them."""
    folder = tmp_path_factory.mktemp("readme")
    copy_services(folder / "services")
    file = folder / "services" / "echo" / "service.toml"
    file.write_text(f'archive = "evidence"\n{file.read_text()}')
    with ProviderProcess(folder, services=folder / "services", workers=1) as provider:
        (provider.keys / "partners.toml").write_text(PARTNERS)
        done = run(provider, ["call", provider.url("/echo/integrity?wsdl"), "echo", "text=hello"])
        assert "hello" in done.stdout
        yield provider


def run(provider: ProviderProcess, words: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "wsprovider", *words],
        cwd=provider.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WSPROVIDER_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    unfinished = 3 if words[:2] == ["renew", "sign"] else 0  # steps are open: docs/renewal/sign.md
    assert done.returncode in {0, unfinished}, f"{words}: {done.stdout}{done.stderr}"
    return done


def test_each_command_of_the_readme(kept: ProviderProcess) -> None:
    exported = kept.folder / "exported"
    run(kept, ["archive", "export", "--last", str(exported)])
    shutil.copy(exported / "request.xml", kept.folder / "message.xml")
    said = {
        line: run(kept, arguments(line)).stdout
        for line in map(str.strip, README)
        if line.split()[0] not in ELSEWHERE
    }
    assert "acme" in said["partners"]
    assert "certificate clients/client-1" in said["partners"]
    assert "echo" in said["archive verify"]
    assert "hello" not in said["archive show --last"]
    assert "integrity" in said["archive show --last"]
    assert "Accepted" in said["explain message.xml --service echo --path /echo/integrity"]
    assert "key 2027 is new" in said["keys new 2027"]
    assert len(said) >= 8
    assert Path(kept.folder / "evidence" / "echo").is_dir()


def test_the_others_are_run_elsewhere() -> None:
    tests = {file: (ROOT / "tests" / "live" / file).read_text() for file in set(ELSEWHERE.values())}
    for command, file in ELSEWHERE.items():
        assert any(line.startswith(command) for line in README)
        assert f'"{command}"' in tests[file]
