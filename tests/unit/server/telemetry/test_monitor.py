"""The monitor's own small server."""

import http.client
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from wsprovider.config.monitor import Monitor
from wsprovider.server.endpoint import Reply
from wsprovider.server.telemetry import monitor


def answer(path):
    return Reply(503, "text/x", b"told", (("Cache-Control", "no-store"),)) if path == "/readyz" else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(bind):
    wanted = threading.Event()
    wanted.set()
    thread = threading.Thread(target=monitor.serve, args=(bind, answer, wanted.is_set))
    thread.start()
    try:
        yield
    finally:
        wanted.clear()
        thread.join(10)
        assert not thread.is_alive()


def ask(port, method="GET", path="/readyz"):
    deadline = time.monotonic() + 10
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request(method, path)
            return connection.getresponse()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def port(monkeypatch):
    monkeypatch.setattr(monitor, "_TICK", 0.05)
    monkeypatch.setattr(monitor, "TRIED", 0.1)
    return free_port()


def test_it_answers(port):
    with serving(Monitor("127.0.0.1", port)):
        response = ask(port, path="/readyz?x=1")
        assert (response.status, response.read()) == (503, b"told")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Server"] == "wsprovider"
        head = ask(port, "HEAD")
        assert (head.status, head.headers["Content-Length"], head.read()) == (503, "4", b"")
        assert ask(port, path="/other").status == 404
        assert ask(port, "POST").status == 501


def test_a_bind_that_is_taken_is_told_once_and_tried_again(port, caplog):
    with socket.create_server(("127.0.0.1", port)) as other, serving(Monitor("127.0.0.1", port)):
        time.sleep(0.5)
        assert caplog.text.count("cannot be bound (Address already in use)") == 1
        assert "name another bind in WSPROVIDER_MONITOR" in caplog.text
        other.close()
        assert ask(port).status == 503
    assert caplog.text.count("cannot be bound") == 1


def test_clients_that_say_nothing_are_bounded(port, monkeypatch):
    monkeypatch.setattr(monitor._Handler, "timeout", 0.5)
    with serving(Monitor("127.0.0.1", port)):
        ask(port)
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        time.sleep(0.3)
        assert threading.active_count() < 40
        deadline = time.monotonic() + 10
        while ask(port).status != 503:
            assert time.monotonic() < deadline
        for one in silent:
            one.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6")
def test_of_the_other_family(port):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 loopback")
    with serving(Monitor("::1", port)):
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("::1", port), 5).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
