"""The monitor under load: what all workers of both masters counted is what was sent, whatever became of them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.live.provider import ROOT, ProviderProcess, free_port
from tests.live.test_guessing import GENEROUS, message, serving

pytestmark = pytest.mark.live


class Watched:
    """A provider, and its monitor."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.port = free_port()
        self.provider = serving(folder, GENEROUS)
        self.provider._more = {"WSPROVIDER_MONITOR": f"127.0.0.1:{self.port}", **environ}

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def outcomes(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for sample in samples(self.get("/metrics")[1], "wsprovider_requests_total"):
            assert sample.labels["service"] == "echo"
            found[sample.labels["reason"]] += int(sample.value)
        return found

    def processes(self, port: int) -> tuple[int, list[int]]:
        """The master that serves a port, and its children."""
        assert self.provider._process is not None
        for master in children(self.provider._process.pid):
            if f":{port}".encode() in Path(f"/proc/{master}/cmdline").read_bytes():
                return master, children(master)
        raise AssertionError(port)

    def folder(self) -> Path:
        """In which its workers count."""
        master, _ = self.processes(self.provider.ports[0])
        said = dict(
            one.partition("=")[::2] for one in Path(f"/proc/{master}/environ").read_text().split("\0")
        )
        return Path(said["WSPROVIDER_TELEMETRY"])

    def monitor(self) -> int:
        """It is the only one that does not serve."""
        master, below = self.processes(self.provider.ports[0])
        (found,) = (pid for pid in below if not serves(pid, self.provider.ports[0]))
        assert master != found
        return found


def samples(text: str, name: str) -> list[Any]:
    return [
        one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name
    ]


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def serves(pid: int, port: int) -> bool:
    """Whether a process holds the listening socket of a port."""
    listening = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    held = {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink()}
    return any(f"socket:[{inode}]" in held for inode in listening)


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    made = Watched(tmp_path_factory.mktemp("watched"))
    with made.provider:
        until(lambda: answers(made), "the monitor does not answer")
        yield made


def answers(watched: Watched) -> bool:
    try:
        return watched.get("/metrics")[0] == 200
    except OSError:
        return False


def post(provider: ProviderProcess, data: bytes, *, secure: bool) -> int:
    """Send it to one of the masters."""
    if secure:
        context = ssl._create_unverified_context()
        connection: Any = http.client.HTTPSConnection("localhost", provider.ports[1], context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", provider.ports[0], timeout=30)
    headers = {"Content-Type": "text/xml; charset=utf-8", "X-Forwarded-Proto": "https"}
    try:
        connection.request("POST", "/echo", data, headers)
        status: int = connection.getresponse().status
        return status
    finally:
        connection.close()


def load(watched: Watched, rounds: int) -> Counter[str]:
    """Messages of four outcomes to both masters, eight at a time; how many of each."""
    good = [message("development") for _ in range(rounds)]
    sent = [
        *(("ANSWERED", one) for one in good),
        *(("PASSWORD_WRONG", message("wrong")) for _ in range(rounds // 4)),
        *(("NOT_WELL_FORMED", b"<a>") for _ in range(rounds)),
        *(("SOAP_VERSION", b"<a/>") for _ in range(rounds * 2)),
    ]
    with ThreadPoolExecutor(8) as pool:
        statuses = pool.map(
            lambda one: post(watched.provider, one[1][1], secure=one[0] % 2 == 0), enumerate(sent)
        )
        assert Counter(statuses)[200] == rounds
    return Counter(name for name, _ in sent)


def test_what_all_workers_counted_is_what_was_sent(watched: Watched) -> None:
    """By Reason; also after a worker of each master was killed, and another took its place."""
    before = watched.outcomes()
    sent = load(watched, 40)
    assert watched.outcomes() - before == sent
    for port in watched.provider.ports:
        victim = next(pid for pid in watched.processes(port)[1] if serves(pid, port))
        os.kill(victim, signal.SIGKILL)
        until(lambda pid=victim: not Path(f"/proc/{pid}").exists(), "it is still there")
    assert watched.outcomes() - before == sent
    until(lambda: number(watched, "wsprovider_workers") == 4, "no other worker took its place")
    sent += load(watched, 8)
    assert watched.outcomes() - before == sent
    text = watched.get("/metrics")[1]
    whole = samples(text, "wsprovider_request_duration_seconds_count")
    assert sum(int(one.value) for one in whole) == sum(watched.outcomes().values())
    stages = samples(text, "wsprovider_stage_duration_seconds_count")
    counted = {one.labels["stage"]: int(one.value) for one in stages}
    assert counted["service"] == counted["protect"] == watched.outcomes()["ANSWERED"]
    assert counted["parse"] == sum(watched.outcomes().values())


def number(watched: Watched, name: str) -> int:
    (sample,) = samples(watched.get("/metrics")[1], name)
    return int(sample.value)


def test_health_and_readiness_of_the_deployment(watched: Watched) -> None:
    for path in ("/healthz", "/readyz"):
        status, text = watched.get(path)
        assert (status, json.loads(text)["failed"]) == (200, [])
    assert watched.get("/echo?wsdl")[0] == 404
    with urllib.request.urlopen(watched.provider.url("/readyz"), timeout=10) as answer:
        assert json.load(answer)["failed"] == []
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(watched.provider.url("/metrics"), timeout=10)


def test_a_monitor_that_was_killed_comes_again_with_the_next_worker(watched: Watched) -> None:
    counted = watched.outcomes()
    os.kill(watched.monitor(), signal.SIGKILL)
    until(lambda: not answers(watched), "it still answers")
    assert post(watched.provider, b"<a/>", secure=False) == 500
    port = watched.provider.ports[0]
    os.kill(next(pid for pid in watched.processes(port)[1] if serves(pid, port)), signal.SIGTERM)
    until(lambda: answers(watched), "it has not come again")
    assert watched.outcomes() - counted == {"SOAP_VERSION": 1}


def test_a_second_deployment_at_the_same_bind_serves_all_the_same(watched: Watched, tmp_path: Path) -> None:
    second = Watched(tmp_path, WSPROVIDER_MONITOR=f"127.0.0.1:{watched.port}")
    with second.provider as provider:
        assert post(provider, message("development"), secure=False) == 200
        until(lambda: "cannot be bound" in provider.log.read_text(), "nothing was said")
        folder, others = second.folder(), watched.folder()
        until(lambda: len(list(folder.glob("*.[0-9]*"))) == 4, "not all workers have come")
    assert not folder.exists()
    assert others.exists(), "those of others stay"


def test_under_gunicorn_alone_it_ends_with_its_master(watched: Watched, tmp_path: Path) -> None:
    """However that ends: here it is killed."""
    one, port, monitored = watched.provider, free_port(), free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:wsprovider.cli.gunicorn_settings"]
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "WSPROVIDER_SERVICES": str(one.services),
        "WSPROVIDER_KEYS": str(one.keys),
        "WSPROVIDER_MONITOR": f"127.0.0.1:{monitored}",
        "WORKERS": "2",
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}", "wsgi:application"],
            cwd=ROOT,
            env=environ,
            stdout=log,
            stderr=log,
        )
    try:
        alone = Watched(tmp_path)
        alone.port = monitored
        until(lambda: answers(alone), (tmp_path / "log").read_text())
        until(lambda: number(alone, "wsprovider_workers") == 2, "not both workers are counted")
        assert alone.outcomes() == {}
        assert len(children(process.pid)) == 3
    finally:
        process.kill()
        process.wait(20)
    until(lambda: not answers(alone), "it outlives its master")
