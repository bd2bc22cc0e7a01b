"""One connection without a server: what is a request, and when (attacks.md B05)."""

import socket

import pytest
from gunicorn.config import Config

from wsprovider.server.peers.bounds import Bounds
from wsprovider.server.peers.connection import BadRequest, Connection, Phase

HEAD = b"POST /a HTTP/1.1\r\nHost: x\r\n"
BOUNDS = Bounds(head_bytes=2_000, body_bytes=1_000, window_bytes=10)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield Connection(ours, ("192.0.2.1", 1), ("127.0.0.1", 2), 0.0), theirs


def told(ends, data: bytes) -> bool:
    connection, theirs = ends
    theirs.sendall(data)
    assert connection.receive()
    return connection.complete(Config(), BOUNDS, 0.0)


def test_a_request_is_complete_with_its_last_byte(ends):
    connection, _ = ends
    data = HEAD + b"Content-Length: 3\r\n\r\nabc"
    for byte in data[:-1]:
        assert not told(ends, bytes([byte]))
    assert told(ends, data[-1:] + b"POST")
    assert (connection.body, connection.whole, connection.incoming) == (b"abc", True, b"POST")
    assert connection.stream().read() == b"abc"


def test_a_body_that_is_announced_too_long_is_not_awaited(ends):
    connection, _ = ends
    assert told(ends, HEAD + b"Content-Length: 1001\r\n\r\nabc")
    assert not connection.whole
    with pytest.raises(ConnectionError):
        connection.stream().read(1)


def test_a_chunked_body_that_is_too_long_is_read_to_the_limit_and_a_byte(ends):
    connection, _ = ends
    assert not told(ends, HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 1000)
    assert told(ends, b"\r\n1\r\nx")
    assert not connection.whole
    assert connection.stream().read(1001) == b"x" * 1001
    with pytest.raises(ConnectionError):
        connection.stream().read()


def test_who_asks_whether_to_go_on_is_told_only_if_it_is_wanted(ends):
    connection, theirs = ends
    theirs.settimeout(0.1)
    assert not told(ends, HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert theirs.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert told(ends, b"abc")
    connection.enter(Phase.HEAD, 0.0, 1.0)
    assert told(ends, HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")
    connection.enter(Phase.HEAD, 0.0, 1.0)
    assert told(ends, HEAD + b"Expect: 100-continue\r\nContent-Length: 3000\r\n\r\n")
    with pytest.raises(TimeoutError):
        theirs.recv(100)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 400, 431),
        (b"GET /" + b"a" * 5000, 431),
        (b"GET / HTTP/1.1\n", 400),
        (b"\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nHost: y\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: something\r\n\r\n", 501),
        (HEAD + b"Expect: nothing\r\n\r\n", 417),
    ],
)
def test_what_is_no_request(ends, data, status):
    with pytest.raises(BadRequest) as caught:
        told(ends, data)
    assert caught.value.status == status


def test_progress_is_looked_at_in_every_window(ends):
    connection, _ = ends
    assert not told(ends, HEAD + b"Content-Length: 100\r\n\r\n")
    assert not told(ends, b"x" * 10)
    assert connection.progressed(10.0, BOUNDS)
    assert connection.deadline == 20.0
    assert not told(ends, b"x" * 9)
    assert not connection.progressed(20.0, BOUNDS)
    assert not told(ends, b"x" * 50)
    assert not connection.progressed(300.0, BOUNDS)


def test_an_answer_is_sent_as_it_is_taken(ends):
    connection, theirs = ends
    data = bytes(range(256)) * 20_000
    connection.enter(Phase.SEND, 0.0, 1.0)
    connection.sendall(data)
    assert not connection.flush()
    assert connection.owes + connection.moved == connection.weight + connection.moved == len(data)
    got = bytearray()
    while len(got) < len(data):
        got += theirs.recv(1 << 20)
        connection.flush()
    assert got == data
    assert connection.owes == 0
