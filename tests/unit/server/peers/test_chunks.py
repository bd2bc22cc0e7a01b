"""Chunked bodies, read strictly (attacks.md B05)."""

import pytest

from wsprovider.server.peers.chunks import Chunks, NotChunked

GOOD = {
    "plain": b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "leading zeros": b"005\r\nhello\r\n006\r\n world\r\n000\r\n\r\n",
    "upper and lower case": b"B\r\nhello world\r\n0\r\n\r\n",
    "extensions": b'b;a=b; c ; d="e;\\"f" ;g\r\nhello world\r\n0;last\r\n\r\n',
    "trailer": b"b\r\nhello world\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
}
BAD = {
    "no size": b"\r\nhello\r\n",
    "not hexadecimal": b"g\r\nhello\r\n",
    "0x": b"0x5\r\nhello\r\n",
    "sign": b"+5\r\nhello\r\n",
    "negative": b"-5\r\nhello\r\n",
    "underscore": b"0_5\r\nhello\r\n",
    "space before": b" 5\r\nhello\r\n",
    "space behind": b"5 \r\nhello\r\n",
    "more digits than 64 bits": b"0" * 16 + b"5\r\nhello\r\n",
    "bare LF": b"5\nhello\r\n",
    "bare CR": b"5\rhello\r\n",
    "bare CR in an extension": b"5;a\rb\r\nhello\r\n",
    "bare LF in an extension": b"5;a\nb\r\nhello\r\n",
    "NUL in an extension": b"5;a\0\r\nhello\r\n",
    "extension without a name": b"5;\r\nhello\r\n",
    "extension that does not end": b"5;" + b"a" * 400,
    "longer than it said": b"4\r\nhello\r\n",
    "no end of data": b"5\r\nhelloworld",
    "trailer with bare LF": b"5\r\nhello\r\n0\r\nX: y\n\n",
    "trailer that does not end": b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 3_000,
    "many small": b"1\r\nx\r\n" * 2_000,
}


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("case", GOOD)
def test_chunks_are_read_however_they_are_cut(case, step):
    chunks, incoming, given = Chunks(100), bytearray(), GOOD[case] + b"POST /next"
    ended = False
    while not ended:
        incoming += given[:step]
        given = given[step:]
        ended = chunks.feed(incoming)
    assert chunks.data == b"hello world"
    assert bytes(incoming) + given == b"POST /next"
    assert chunks.trailer == (b"X-Sum: 1\r\nY: 2" if case == "trailer" else b"")


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize("case", BAD)
def test_what_is_in_doubt_is_refused(case, step):
    chunks, incoming, given = Chunks(1_000_000), bytearray(), BAD[case]

    def feed() -> None:
        nonlocal given
        while given:
            incoming.extend(given[:step])
            given = given[step:]
            assert not chunks.feed(incoming)

    with pytest.raises(NotChunked):
        feed()


@pytest.mark.parametrize("case", sorted(GOOD))
def test_chunks_that_stop_early_never_end(case):
    for length in range(len(GOOD[case])):
        assert not Chunks(100).feed(bytearray(GOOD[case][:length]))


def test_no_more_is_taken_than_one_byte_beyond_the_limit():
    chunks, incoming = Chunks(10), bytearray(GOOD["plain"])
    assert chunks.feed(incoming)
    assert chunks.too_long
    assert chunks.data == b"hello world"
    exactly = Chunks(11)
    assert exactly.feed(bytearray(GOOD["plain"]))
    assert not exactly.too_long


def test_a_chunk_of_any_announced_size_takes_no_room_before_it_comes():
    chunks, incoming = Chunks(100), bytearray(b"f" * 16 + b"\r\nhello")
    assert not chunks.feed(incoming)
    assert chunks.data == b"hello"


def test_large_chunks_may_be_as_many_as_they_like():
    chunks = Chunks(1_000_000)
    data = b"40\r\n" + b"x" * 64 + b"\r\n"
    assert not chunks.feed(bytearray(data * 10_000))
    assert len(chunks.data) == 640_000
