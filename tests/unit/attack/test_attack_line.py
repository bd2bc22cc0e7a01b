"""The connection: one request each, answered, refused half-way or not at all; nothing is followed."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from wsprovider.attack.line import Line, Lost, letter

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>"


@contextmanager
def serving(*answers, read=True):
    """A listener on loopback that gives each connection one of these answers; what it was sent."""
    received = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    received.append(_request(connection) if read else b"")
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/echo", received
        thread.join(5)


def _request(connection):
    data = b""
    while b"\r\n\r\n" not in data or not data.endswith(b"</x>"):
        data += connection.recv(65_536)
    return data


def line(url, rate=1_000.0):
    return Line(url, None, rate=rate)


def test_a_letter_and_its_answer():
    with serving(OK) as (url, received):
        answer = line(url).post(letter(b"<x></x>", "urn:a").but(X_More="1"))
    assert (answer.status, answer.content_type, answer.body) == (200, "text/xml", b"<a/>")
    assert answer.seconds > 0
    head = received[0].partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "POST /echo HTTP/1.1"
    assert set(head[1:]) == {
        f"Host: {url[7:-5]}",
        "Connection: close",
        "Content-Type: text/xml; charset=utf-8",
        'SOAPAction: "urn:a"',
        "Content-Length: 7",
        "x-more: 1",
    }


def test_a_redirect_is_not_followed():
    with serving(OK) as (elsewhere, received):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(moved) as (url, _):
            assert line(url).post(letter(b"<x></x>", "")).status == 307
        assert received == []
        line(elsewhere).post(letter(b"<x></x>", ""))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"])
def test_no_answer_is_lost(answer):
    with serving(answer) as (url, _), pytest.raises(Lost):
        line(url).post(letter(b"<x></x>", ""))


def test_nobody_there_is_lost():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Lost, match="ConnectionRefusedError"):
        line(f"http://127.0.0.1:{port}/").post(letter(b"", ""))


def test_no_more_than_so_many_a_second():
    with serving(OK, OK, OK) as (url, _):
        paced = line(url, rate=20.0)
        started = time.monotonic()
        for _ in range(3):
            paced.post(letter(b"<x></x>", ""))
        assert time.monotonic() - started >= 0.1
    assert paced.sent == 3
