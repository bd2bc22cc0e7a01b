"""The bounds of connections, each reached: with a worker whose bounds are small, and an application not ours."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.live import slow_peers
from tests.live.provider import ROOT, ProviderProcess, free_port
from tests.live.raw_http import Wire, exchange

pytestmark = pytest.mark.live


class Small:
    """gunicorn with one small worker; its log."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self._log = log

    def log(self) -> str:
        return self._log.read_text()

    def served(self) -> bool:
        """A good request is answered, quickly."""
        begin = time.monotonic()
        (answer,) = exchange(self.port, post(b"good", "Connection: close"))
        return answer.body == b"4" and time.monotonic() - begin < 1


def post(body: bytes, *fields: str, path: str = "/") -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *fields, "", "")
    return "\r\n".join(lines).encode() + body


@contextmanager
def running(folder: Path, *options: str, **environ: str) -> Iterator[Small]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "--config", "python:wsprovider.cli.gunicorn_settings"),
        *("--worker-class", "tests.live.small_worker.SmallWorker", "--workers", "1", "--keep-alive", "1"),
        *("--bind", f"127.0.0.1:{port}", *options, "tests.live.small_worker:application"),
    ]
    log = folder / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environ}, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 30
        while "Booting worker" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Small(port, log)
    finally:
        process.terminate()
        process.wait(40)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with running(tmp_path_factory.mktemp("small")) as served:
        yield served


def test_one_address_has_so_many_connections_and_no_more(tmp_path: Path):
    with running(tmp_path, WSPROVIDER_PER_ADDRESS="5") as served, ExitStack() as stack:
        wires = [stack.enter_context(Wire(served.port)) for _ in range(12)]
        assert served.served()
        assert sum(not wire.answers(1, 0.1) and wire.closed for wire in wires) == 8
        assert "its place was needed" in served.log()


def test_work_is_not_given_up_for_somebody_new(tmp_path: Path):
    """Of one address nobody else is let in, of all they wait in the kernel; both only until something is done."""
    with (
        running(tmp_path, "--worker-connections", "6", WSPROVIDER_PER_ADDRESS="5") as served,
        ExitStack() as stack,
    ):
        wires = [stack.enter_context(Wire(served.port)) for _ in range(5)]
        for wire in wires:
            wire.send(post(b"abc", path="/sleep"))
        time.sleep(0.3)
        with Wire(served.port) as refused:
            assert refused.answers(1, 5) == []
            assert refused.closed
        others = [stack.enter_context(socket.socket()) for _ in range(2)]
        for number, wire in enumerate(others):
            wire.bind((f"127.0.9.{number + 1}", 0))
            wire.connect(("127.0.0.1", served.port))
            wire.sendall(post(b"abc", path="/sleep"))
            time.sleep(0.1)
        assert [[one.body for one in wire.answers(1)] for wire in wires] == [[b"3"]] * 5
        for wire in others:
            wire.settimeout(20)
            assert wire.recv(1000).endswith(b"3")
        assert served.served()


def test_proxies_bring_as_many_as_they_like(tmp_path: Path):
    slow_peers.write_echo(tmp_path / "services", 'trusted_proxies = ["127.0.0.1"]\n')
    with (
        ProviderProcess(tmp_path, workers=1, environ={"WSPROVIDER_PER_ADDRESS": "2"}) as served,
        ExitStack() as stack,
    ):
        wires = [stack.enter_context(Wire(served.ports[0])) for _ in range(6)]
        assert exchange(served.ports[0], b"GET /healthz HTTP/1.0\r\n\r\n")[0].status == 200
        assert not any(wire.answers(1, 0.1) or wire.closed for wire in wires)


def test_who_has_most_connections_makes_room(tmp_path: Path):
    with running(tmp_path, "--worker-connections", "20") as served, ExitStack() as stack:
        few = [stack.enter_context(socket.socket()) for _ in range(2)]
        for wire in few:
            wire.bind(("127.0.9.1", 0))
            wire.connect(("127.0.0.1", served.port))
        many = [stack.enter_context(Wire(served.port)) for _ in range(40)]
        assert served.served()
        for wire in few:
            wire.sendall(post(b"abc"))
            assert wire.recv(1000).endswith(b"3")
        assert sum(not wire.answers(1, 0.05) and wire.closed for wire in many) >= 20


def test_what_is_held_for_all_is_bounded(small: Small):
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(small.port)) for _ in range(5)]
        for wire in wires:
            wire.send(post(b"x" * 900_000)[:-1])
            time.sleep(0.1)
        assert small.served()
        for wire in wires:
            wire.send(b"x")
        statuses = [[answer.body for answer in wire.answers(1, 2)] for wire in wires]
        assert statuses == [[], [], [b"900000"], [b"900000"], [b"900000"]]


def test_a_body_that_makes_progress_is_awaited_and_one_that_makes_none_is_not(small: Small):
    with Wire(small.port) as steady, Wire(small.port) as slow:
        data = post(b"y" * 10_000)
        for number in range(0, len(data), 2_500):
            steady.send(data[number : number + 2_500])
            slow.send(data[number // 10 : number // 10 + 250])
            time.sleep(0.7)
        assert [answer.body for answer in steady.answers(1)] == [b"10000"]
        assert [answer.status for answer in slow.answers()] == [408]


def test_no_body_is_awaited_for_ever(small: Small):
    with Wire(small.port) as wire:
        begin = time.monotonic()
        wire.send(post(b"z" * 100_000)[:100])
        while not wire.closed and time.monotonic() - begin < 12:
            wire.send(b"z" * 2_000)
            if wire.answers(1, 0.5):
                break
        assert 4 < time.monotonic() - begin < 10


def test_an_answer_that_nobody_reads_is_given_up(small: Small):
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.connect(("127.0.0.1", small.port))
        wire.sendall(post(b"", path="/stream"))
        deadline = time.monotonic() + 8
        while not wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            assert small.served()
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_an_answer_longer_than_what_is_held_arrives_whole(small: Small):
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=20)
    for _ in range(2):
        connection.request("POST", "/stream", b"")
        assert connection.getresponse().read() == b"x" * 10_000_000
    connection.close()


def test_a_body_beyond_the_bound_is_not_half_of_one_for_other_applications(small: Small):
    with Wire(small.port) as wire:
        wire.send(post(b"x" * 1_000_001))
        assert [answer.status for answer in wire.answers()] == [500]
        assert wire.closed
    (answer,) = exchange(small.port, post(b"x" * 1_000_000, "Connection: close"))
    assert answer.body == b"1000000"


def test_an_application_that_fails_ends_one_connection(small: Small):
    assert [one.status for one in exchange(small.port, post(b"a", path="/fail") + post(b"b"))] == [500]
    assert '"ZeroDivisionError"' in small.log()
    assert small.served()


def test_a_body_that_the_application_left_is_not_the_next_request(small: Small):
    data = post(post(b"smuggled"), path="/unread") + post(b"next")
    assert [one.body for one in exchange(small.port, data)] == [b"", b"4"]


def test_a_unix_socket_is_a_proxys_and_has_no_limit_of_one_address(tmp_path: Path):
    path = tmp_path / "socket"
    with running(tmp_path, "--bind", f"unix:{path}", WSPROVIDER_PER_ADDRESS="1"), ExitStack() as stack:
        wires = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3)]
        for wire in wires:
            wire.connect(str(path))
        for wire in wires:
            wire.sendall(post(b"good"))
            assert wire.recv(1000).endswith(b"\r\n\r\n4")


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--proxy-protocol", "v2"), "version 1 of the PROXY protocol only"),
        (("--protocol", "uwsgi"), "speaks HTTP/1.1 only"),
    ],
)
def test_settings_that_the_worker_does_not_have_stop_the_start(
    tmp_path: Path, option: tuple[str, ...], sentence: str
):
    with pytest.raises(AssertionError, match=sentence), running(tmp_path, *option):
        pass


def test_the_proxy_protocol_of_version_1(tmp_path: Path):
    with running(tmp_path, "--proxy-protocol", "v1", "--proxy-allow-from", "127.0.0.1") as served:
        data = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + post(b"good")
        assert [answer.body for answer in exchange(served.port, data)] == [b"4"]
