"""The first hour of a user of the framework: install the wheel, ``wsprovider init``, gunicorn, a call.

In a fresh environment and an empty folder, with nothing of this checkout on any path.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

pytestmark = [pytest.mark.live, pytest.mark.slow]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    _run(command, folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and what its metadata asks for, at the locked versions."""
    folder = tmp_path_factory.mktemp("environment")
    _run([sys.executable, "-m", "venv", str(folder)], folder)
    locked = (ROOT / "requirements" / "run.txt").read_text()
    constraints = folder / "constraints.txt"
    constraints.write_text(
        "\n".join(line.rstrip(" \\") for line in locked.splitlines() if re.match(r"\w", line))
    )
    pip = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        str(constraints),
    ]
    _run([*pip, str(wheel)], folder)
    return folder


def _clean_environ() -> dict[str, str]:
    ours = ("WSPROVIDER_", "PYTHON", "HTTP_PORT", "HTTPS_PORT", "WORKERS", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _run(command: list[str], folder: Path, **environ: str) -> str:
    environment = _clean_environ() | environ
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "wsprovider/py.typed" in names
    assert "wsprovider/cli/templates/service.toml.txt" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"wsprovider"}
    assert not [name for name in names if "__pycache__" in name]


def _tutorial_call() -> list[str]:
    """The command of the README's tutorial, word for word."""
    (line,) = re.findall(r"^WSPROVIDER_PASSWORD=development wsprovider (call .*)$", README, re.MULTILINE)
    return shlex.split(line)


def test_from_an_empty_folder_to_a_called_service(environment: Path, tmp_path: Path):
    programs = environment / "bin"
    _run([str(programs / "wsprovider"), "init"], tmp_path)
    assert "nothing wrong" in _run([str(programs / "wsprovider"), "check"], tmp_path)
    port = _free_port()
    server = subprocess.Popen(
        [str(programs / "gunicorn"), "--bind", f"127.0.0.1:{port}", "wsgi:application"],
        cwd=tmp_path,
        env=_clean_environ(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wsdl = _fetch(f"http://127.0.0.1:{port}/hello?wsdl", server)
        call = [word.replace(":8080", f":{port}") for word in _tutorial_call()]
        said = _run([str(programs / "wsprovider"), *call], tmp_path, WSPROVIDER_PASSWORD="development")
    finally:
        server.send_signal(signal.SIGTERM)
        log = server.communicate(timeout=60)[1]
    assert b"definitions" in wsdl, log
    assert b"SymmetricBinding" in wsdl
    assert f"http://127.0.0.1:{port}/hello".encode() in wsdl
    assert "Hello, alice!" in said
    assert server.returncode == 0, log


def _fetch(url: str, server: "subprocess.Popen[str]") -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
