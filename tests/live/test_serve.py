"""``wsprovider serve`` as ``make run`` starts it: two masters, first-run keys, and an end without orphans."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsprovider.cli.main import main
from wsprovider.config.kerberos import missing_extra

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.live


class Served:
    """One running ``wsprovider serve`` over the services of a folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.http, self.https = _free_port(), _free_port()
        self.folder = folder
        environ = {name: value for name, value in os.environ.items() if not name.startswith("WSPROVIDER_")}
        environ |= {"HTTP_PORT": str(self.http), "HTTPS_PORT": str(self.https), "WORKERS": "2"}
        environ |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "WSPROVIDER_MONITOR": "off"}
        self.log = (folder / "serve.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wsprovider", "serve", *arguments],
            cwd=folder,
            env=environ,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )

    def text(self) -> str:
        return (self.folder / "serve.log").read_text()

    def fetch(self, scheme: str, path: str) -> bytes:
        port = self.https if scheme == "https" else self.http
        deadline = time.monotonic() + 60
        context = None
        while True:
            try:
                if scheme == "https":
                    context = ssl.create_default_context(
                        cafile=self.folder / "keys" / "development" / "ca.pem"
                    )
                with urllib.request.urlopen(
                    f"{scheme}://localhost:{port}{path}", timeout=10, context=context
                ) as answer:
                    return answer.read()
            except urllib.error.HTTPError:
                raise
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(self.text()) from None
                time.sleep(0.1)

    def children(self) -> list[int]:
        """Every process below the supervisor, by process id."""
        parents = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.parent.name)] = int(fields[1])
        found, front = [], [self.process.pid]
        while front:
            front = [pid for pid, parent in parents.items() if parent in front]
            found += front
        return found

    def settled(self) -> list[int]:
        """The same once all are there: two masters with two workers each."""
        deadline = time.monotonic() + 30
        while len(pids := self.children()) < 6:
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.05)
        return pids

    def masters(self) -> list[int]:
        return [pid for pid in self.children() if os.getpgid(pid) == pid]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.chdir(tmp_path)
    main(["init"])
    served = Served(tmp_path)
    try:
        yield served
    finally:
        served.end()


def test_one_service_is_there_over_http_and_https_and_says_where(served: Served):
    plain = served.fetch("http", "/hello?wsdl")
    secure = served.fetch("https", "/hello?wsdl")
    assert f"http://localhost:{served.http}/hello".encode() in plain
    assert f"https://localhost:{served.https}/hello".encode() in secure
    assert re.search(r"8 sign-encrypt-username +http://localhost", served.text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_leaves_nothing_behind(served: Served, number: int):
    served.fetch("http", "/hello?wsdl")
    served.fetch("https", "/hello?wsdl")
    pids = served.settled()
    assert len(served.masters()) == 2
    served.process.send_signal(number)
    assert served.process.wait(60) == 0, served.text()
    assert _gone(pids)


def test_when_one_master_dies_the_other_is_stopped_and_the_exit_code_says_so(served: Served):
    served.fetch("http", "/hello?wsdl")
    served.fetch("https", "/hello?wsdl")
    pids = served.settled()
    os.kill(served.masters()[0], signal.SIGKILL)
    assert served.process.wait(60) == 1
    assert "server ended (killed by signal 9)" in served.text()
    assert _gone(pids)


def test_a_port_that_is_taken_ends_it_with_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    main(["init"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        served = Served(tmp_path, "--http-port", str(taken.getsockname()[1]))
        try:
            assert served.process.wait(60) == 1, served.text()
            assert _gone(served.children())
        finally:
            served.end()


def test_a_mistake_in_the_configuration_stops_it_before_anything_starts(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["init"])
    (tmp_path / "services" / "hello" / "service.toml").write_text('path = "/hello"\nscenario = 99\n')
    served = Served(tmp_path)
    try:
        assert served.process.wait(60) == 2
        assert "services/hello/service.toml:2: scenario" in served.text()
        assert "gunicorn" not in served.text()
    finally:
        served.end()


def test_a_store_in_memory_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["init"])
    (tmp_path / "services" / "provider.toml").write_text('shared = "memory:"\n')
    served = Served(tmp_path)
    try:
        assert served.process.wait(60) == 2
        assert "services/provider.toml: shared: memory: is the memory of each worker" in served.text()
    finally:
        served.end()


@pytest.mark.parametrize("workers", [1, 2])
def test_gunicorn_with_several_workers_and_a_store_in_memory_does_not_start(
    tmp_path: Path, monkeypatch, workers: int
):
    monkeypatch.chdir(tmp_path)
    main(["init"])
    (tmp_path / "services" / "provider.toml").write_text('shared = "memory:"\n')
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:wsprovider.cli.gunicorn_settings"]
    command += ["--workers", str(workers), "--bind", f"127.0.0.1:{port}", "wsgi:application"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT), "WSPROVIDER_MONITOR": "off"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        if workers == 1:
            deadline = time.monotonic() + 60
            while "Booting worker" not in (tmp_path / "log").read_text() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert process.poll() is None
        else:
            assert process.wait(60) == 1
            assert "a message could be accepted once in each" in (tmp_path / "log").read_text()
    finally:
        process.terminate()
        process.wait(60)


def test_the_examples_start_and_every_endpoint_answers_with_its_wsdl(tmp_path: Path):
    (tmp_path / "wsgi.py").write_bytes((ROOT / "wsgi.py").read_bytes())
    served = Served(tmp_path, "--services", str(ROOT / "services"), "--keys", str(tmp_path / "keys"))
    try:
        served.fetch("http", "/echo/integrity?wsdl")
        served.fetch("https", "/echo/integrity?wsdl")
        urls = {
            path: scheme for scheme, path in re.findall(r" (https?)://localhost:\d+(/\S+)\n", served.text())
        }
        assert {path for path, scheme in urls.items() if scheme == "https"} == {
            "/echo/username-token",
            "/echo/transport-endorsing",
            "/wso2/username-token",
            "/ledger/username-token",
        }
        assert len(urls) > 20
        if missing_extra() is None:
            assert {"/echo/kerberos", "/wso2/kerberos"} <= set(urls)
        else:
            assert "/wso2/kerberos is left out: gssapi is not installed" in served.text()
        for path, told in urls.items():
            for scheme in ("http", "https"):
                wsdl = served.fetch(scheme, f"{path}?wsdl")
                assert b"definitions" in wsdl
                named = scheme if told == "http" else "https"
                assert f'location="{named}://localhost'.encode() in wsdl
    finally:
        served.end()
