"""Broken peers over real sockets to gunicorn: group B of attacks.md, each with its accepted twin."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live import slow_peers
from tests.live.broken_frames import FRAMES, TWINS, XML, Frame, chunked, genuine, head
from tests.live.provider import ProviderProcess
from tests.live.raw_http import Wire, exchange
from tests.live.rollover_peers import life
from tests.live.slow_peers import PATH, TLS_PATH, Signer
from tests.simulator import pki

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    folder = tmp_path_factory.mktemp("broken")
    slow_peers.write_echo(folder / "services")
    (folder / "tmp").mkdir()
    with ProviderProcess(folder, environ={"TMPDIR": str(folder / "tmp")}) as running:
        yield running


@pytest.fixture(scope="module")
def signer(served: ProviderProcess) -> Signer:
    return Signer(served.keys)


def accepted(served: ProviderProcess, *messages: bytes) -> bool:
    """Each is genuine, and nobody has seen it yet: neither was it served, nor is it a replay."""
    return [served.post(PATH, one)[0] for one in messages] == [200] * len(messages)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{frame.entry} {frame.name}")
def test_frame(served: ProviderProcess, signer: Signer, frame: Frame) -> None:
    bent, behind = signer.request("bent").data, signer.request("behind").data
    answers = exchange(served.ports[0], frame.wrap(bent) + genuine(behind))
    first, *rest = [answer.status for answer in answers]
    assert first in frame.statuses
    assert rest == ([200] if frame.then else [])
    assert all(b"bent" not in answer.body for answer in answers)
    assert accepted(served, bent, *(() if frame.then else (behind,)))


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("secure", [False, True])
def test_unusual_and_right(served: ProviderProcess, signer: Signer, name: str, secure: bool) -> None:
    one, two = signer.request("one"), signer.request("two")
    answers = exchange(served.ports[secure], TWINS[name](one.data) + genuine(two.data), secure=secure)
    assert [signer.text_of(answer.body, request) for answer, request in zip(answers, (one, two), strict=True)] == [
        "one",
        "two",
    ]  # fmt: skip


def test_b03_a_length_shorter_than_the_body(served: ProviderProcess, signer: Signer) -> None:
    data, behind = signer.request("short").data, signer.request("behind").data
    answers = exchange(served.ports[0], head(XML, "Content-Length: 3") + data + genuine(behind))
    assert [answer.status for answer in answers] == [500, 400]
    assert accepted(served, data, behind)


@pytest.mark.parametrize("secure", [False, True])
def test_b03_a_body_that_ends_early(served: ProviderProcess, signer: Signer, secure: bool) -> None:
    data = signer.request("early").data
    with Wire(served.ports[secure], secure=secure) as wire:
        wire.send(genuine(data)[:-1])
        if not secure:
            wire.half_close()
            assert [answer.status for answer in wire.answers()] == [400]
    assert accepted(served, data)


def test_b03_a_client_that_closes_its_half_gets_its_answer(served: ProviderProcess, signer: Signer) -> None:
    request = signer.request("half")
    with Wire(served.ports[0]) as wire:
        wire.send(genuine(request.data))
        wire.half_close()
        (answer,) = wire.answers()
        assert signer.text_of(answer.body, request) == "half"


def test_b03_what_is_too_long_is_refused_and_not_awaited(served: ProviderProcess, signer: Signer) -> None:
    with Wire(served.ports[0]) as wire:
        wire.send(head(XML, "Expect: 100-continue", "Content-Length: 16000001"))
        begin = time.monotonic()
        assert [answer.status for answer in wire.answers()] == [413]
        assert wire.closed
        assert time.monotonic() - begin < 5
    with Wire(served.ports[0]) as wire:
        wire.send(head(XML, "Transfer-Encoding: chunked"))
        wire.send(chunked(b" " * 16_000_001)[:-5])
        assert [answer.status for answer in wire.answers()] == [413]
        assert wire.closed
    long = signer.request("z" * 3_000_000)
    (answer,) = exchange(served.ports[0], head(XML, "Transfer-Encoding: chunked") + chunked(long.data))
    assert answer.status == 200


@pytest.mark.parametrize("how", ["Content-Length: {n}", "Transfer-Encoding: chunked"])
def test_who_asks_before_sending_is_told_to_go_on(served: ProviderProcess, signer: Signer, how: str) -> None:
    """CXF and .NET send Expect: 100-continue."""
    request = signer.request("asked")
    body = request.data if "{n}" in how else chunked(request.data)
    with Wire(served.ports[0]) as wire:
        for _ in range(2):
            request = signer.request("asked")
            body = request.data if "{n}" in how else chunked(request.data)
            wire.send(head(XML, "Expect: 100-continue", how.replace("{n}", str(len(request.data)))))
            assert [answer.status for answer in wire.answers(1)] == [100]
            wire.send(body)
            (answer,) = wire.answers(1)
            assert signer.text_of(answer.body, request) == "asked"


def test_pipelined_requests_are_answered_in_their_order(served: ProviderProcess, signer: Signer) -> None:
    requests = [signer.request(f"number {number}") for number in range(20)]
    answers = exchange(served.ports[0], b"".join(genuine(one.data) for one in requests))
    said = [signer.text_of(answer.body, one) for answer, one in zip(answers, requests, strict=True)]
    assert said == [f"number {number}" for number in range(20)]


def test_a_request_in_single_bytes(served: ProviderProcess, signer: Signer) -> None:
    request = signer.request("bytes")
    with Wire(served.ports[1], secure=True) as wire:
        for byte in genuine(request.data):
            wire.send(bytes([byte]))
        (answer,) = wire.answers(1)
        assert signer.text_of(answer.body, request) == "bytes"


@pytest.mark.parametrize("part", [0.05, 0.5, 0.99])
def test_b06_a_reset_in_a_request_leaves_it_unseen(
    served: ProviderProcess, signer: Signer, part: float
) -> None:
    data = signer.request("reset").data
    whole = genuine(data)
    workers = served.http_workers()
    for _ in range(20):
        wire = Wire(served.ports[0])
        wire.send(whole[: int(len(whole) * part)])
        wire.reset()
    assert accepted(served, data)
    assert served.http_workers() == workers


def test_b06_a_client_that_is_gone_before_its_answer_was_served_once(
    served: ProviderProcess, signer: Signer
) -> None:
    workers = served.http_workers()
    messages = [signer.request("gone").data for _ in range(20)]
    since = served.logged()
    for number, data in enumerate(messages):
        wire = Wire(served.ports[0])
        wire.send(genuine(data))
        wire.reset() if number % 2 else wire.__exit__()
    # a reset may be faster than the reading of the request; what was served is a replay now, the rest is not
    time.sleep(1)
    served_once = [line for line in served.requests(since) if line["reason"] is None]
    again = [served.post(PATH, data)[0] for data in messages]
    assert again.count(500) == len(served_once) > 0
    assert again.count(200) == len(messages) - len(served_once)
    assert {line["reason"] for line in served.requests(since)} == {None, "REPLAY"}
    assert served.http_workers() == workers


def test_b06_a_reset_in_an_answer(served: ProviderProcess, signer: Signer) -> None:
    workers = served.http_workers()
    for _ in range(3):
        wire = Wire(served.ports[0])
        wire.send(genuine(signer.request("w" * 2_000_000).data))
        wire.answers(0)
        time.sleep(0.3)
        wire.reset()
    assert accepted(served, signer.request("after").data)
    assert served.http_workers() == workers


@pytest.mark.parametrize("secure", [False, True])
def test_b06_an_answer_read_with_pauses_arrives_whole(
    served: ProviderProcess, signer: Signer, secure: bool
) -> None:
    """The last part is still the kernel's when the server has closed its side."""
    request = signer.request("p" * 2_000_000)
    fields = (XML, "Connection: close", f"Content-Length: {len(request.data)}")
    with Wire(served.ports[secure], secure=secure) as wire:
        wire.send(head(*fields) + request.data)
        while wire.received < 1_900_000:
            wire.receive(65_536)
            time.sleep(0.02)
        time.sleep(3.5)
        (answer,) = wire.answers()
    assert signer.text_of(answer.body, request) == "p" * 2_000_000


@pytest.mark.slow
def test_b06_each_dawdler_is_told_or_cut_in_time(served: ProviderProcess, signer: Signer) -> None:
    """Slow head, slow body, silence, an idle connection: 10 s, 10 s, 10 s, 5 s."""
    data = signer.request("slow").data
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(served.ports[0])) for _ in range(4)]
        heads, bodies, silent, idle = wires
        begin = time.monotonic()
        heads.send(head(XML)[:-2])
        bodies.send(genuine(data)[:-1])
        idle.send(genuine(signer.request("idle").data))
        assert [answer.status for answer in idle.answers()] == [200]
        assert idle.answers() == []
        assert 4 < time.monotonic() - begin < 9
        assert [answer.status for answer in heads.answers()] == [408]
        assert 9 < time.monotonic() - begin < 13
        assert [answer.status for answer in bodies.answers()] == [408]
        assert silent.answers() == []
        assert time.monotonic() - begin < 14
        assert all(wire.closed for wire in wires)
    assert accepted(served, data)


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Protocol: ssl",
        "X-Forwarded-Ssl: on",
        "Forwarded: proto=https",
        "X-SSL-Client-Cert: MIIB",
        "X-Forwarded-For: 127.0.0.1",
    ],
)
def test_b11_a_header_makes_no_tls(served: ProviderProcess, field: str) -> None:
    request = Signer(served.keys, "1").request("tls")
    since = served.logged()
    fields = (XML, field, f"Content-Length: {len(request.data)}")
    data = head(*fields, first=f"POST {TLS_PATH} HTTP/1.1") + request.data
    (answer,) = exchange(served.ports[0], data)
    assert answer.status == 500
    assert [line["reason"] for line in served.requests(since, 1)] == ["TRANSPORT"]
    (answer,) = exchange(served.ports[1], data, secure=True)
    assert answer.status == 200


def test_b12_a_host_is_not_believed(served: ProviderProcess) -> None:
    def wsdl(host: str) -> bytes:
        first = f"GET {PATH}?wsdl HTTP/1.1"
        (answer,) = exchange(served.ports[0], f"{first}\r\nHost: {host}\r\n\r\n".encode())
        assert answer.status == 200
        return answer.body

    poisoned = wsdl("evil.example")
    assert b"evil.example" not in poisoned
    assert served.http.encode() in poisoned
    assert wsdl("localhost") == poisoned


def test_b13_nothing_of_a_request_is_in_the_head_of_an_answer(
    served: ProviderProcess, signer: Signer
) -> None:
    data = signer.request("split").data
    fields = (XML, 'SOAPAction: "urn:a%0d%0aSet-Cookie: split=1"', f"Content-Length: {len(data)}")
    (answer,) = exchange(served.ports[0], head(*fields) + data)
    assert not any("split" in value for value in answer.fields.values())
    assert "set-cookie" not in answer.fields


def test_no_temporary_file_is_left(served: ProviderProcess, signer: Signer) -> None:
    long = signer.request("t" * 3_000_000).data
    wires = [Wire(served.ports[0]) for _ in range(4)]
    for wire in wires:
        wire.send(genuine(long)[:-1])
    files = [
        str(one.readlink())
        for worker in served.http_workers()
        for one in Path(f"/proc/{worker}/fd").iterdir()
    ]
    for wire in wires:
        wire.reset()
    assert not [name for name in files if re.search(r"\(deleted\)", name) and "wgunicorn" not in name]
    assert list((served.folder / "tmp").iterdir()) == []
    assert accepted(served, long)


def test_a_worker_that_is_stopped_finishes_what_has_begun(served: ProviderProcess, signer: Signer) -> None:
    """SIGTERM in the middle of a body and on an idle connection: both are still served once, and told to close."""
    half, kept = signer.request("half"), signer.request("kept")
    workers = served.http_workers()
    with Wire(served.ports[0]) as sending, Wire(served.ports[0]) as idle:
        sending.send(genuine(half.data)[:-10])
        idle.send(genuine(signer.request("first").data))
        assert [answer.status for answer in idle.answers(1)] == [200]
        time.sleep(0.2)
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
        time.sleep(0.5)
        idle.send(genuine(kept.data))
        sending.send(genuine(half.data)[-10:])
        for wire, request, text in ((sending, half, "half"), (idle, kept, "kept")):
            (answer,) = wire.answers()
            assert signer.text_of(answer.body, request) == text
            assert answer.fields["connection"] == "close"
            assert wire.closed
    assert accepted(served, signer.request("after").data)
    deadline = time.monotonic() + 10
    while set(served.http_workers()) & set(workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_renewed_tls_certificate_is_taken_over(served: ProviderProcess) -> None:
    """A pair of files is replaced one after the other: what does not fit is not used."""

    def shown() -> bytes:
        with Wire(served.ports[1], secure=True) as wire:
            return wire.certificate()

    before = shown()
    holder = pki.self_signed("CN=localhost", key=pki.key("rsa-2048", "another server"), **life())
    files = [served.keys / "tls" / name for name in ("server.key.pem", "server.cert.pem")]
    old = [one.read_bytes() for one in files]
    files[0].write_bytes(holder.key_pem)
    assert shown() == before
    files[1].write_bytes(holder.cert_pem)
    assert shown() == holder.certificate.der != before
    for one, data in zip(files, old, strict=True):
        one.write_bytes(data)
    assert shown() == before


def test_workers_are_replaced_after_their_share_of_requests(tmp_path: Path) -> None:
    slow_peers.write_echo(tmp_path / "services")
    more = {"GUNICORN_CMD_ARGS": "--max-requests 10 --max-requests-jitter 0"}
    with ProviderProcess(tmp_path, environ=more) as served:
        signer = Signer(served.keys)
        good = slow_peers.good_calls(signer, served.ports, 5)
        assert not good.wrong
        assert len(good.seconds) > 50
        assert served.log.read_text().count("Autorestarting worker") >= 4
