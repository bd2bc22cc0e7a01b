"""Chunked bodies as they arrive (RFC 9112 section 7.1), strictly: what is in doubt ends the connection.

The only reader of chunks under our worker: where a request ends is decided once. Chunk extensions must be
well-formed and are ignored; trailer fields are kept for gunicorn's own check of fields.
"""

import re
from enum import Enum
from typing import Final

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_SIZE_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[ \t]*"
    + _TOKEN
    + rb"(?:[ \t]*=[ \t]*(?:"
    + _TOKEN
    + rb"|"
    + _QUOTED
    + rb"))?)*"
)
_LINE_BYTES: Final = 256
_TRAILER_BYTES: Final = 8_190
_FREE_CHUNKS: Final = 1_000
_CHUNK_BYTES: Final = 64
"""On average at least, beyond the first thousand: each costs work of its own."""


class NotChunked(ValueError):
    """The bytes are no chunks."""


class _Stage(Enum):
    SIZE = 1
    DATA = 2
    END = 3
    TRAILER = 4


class Chunks:
    """One chunked body.

    Attributes:
        data: what the chunks carry, so far.
        trailer: the trailer section without its end; empty where there is none.
    """

    def __init__(self, limit: int) -> None:
        """Begin.

        Args:
            limit: bytes of data after which :attr:`too_long` holds.
        """
        self.data = bytearray()
        self.trailer = b""
        self._limit = limit
        self._stage = _Stage.SIZE
        self._left = 0
        self._chunks = 0

    @property
    def too_long(self) -> bool:
        """There is more data than the limit allows; no more is taken."""
        return len(self.data) > self._limit

    def feed(self, incoming: bytearray) -> bool:
        """Take what is there off the front.

        Returns:
            Whether nothing more is wanted: the body ended, or is too long.

        Raises:
            NotChunked: the bytes cannot be what they must be.
        """
        steps = {_Stage.SIZE: self._size, _Stage.DATA: self._content, _Stage.END: self._end}
        while self._stage is not _Stage.TRAILER:
            if not steps[self._stage](incoming):
                return self.too_long
        return self._last(incoming)

    def _size(self, incoming: bytearray) -> bool:
        end = incoming.find(b"\r\n", 0, _LINE_BYTES + 2)
        if end < 0:
            if len(incoming) > _LINE_BYTES or b"\n" in incoming:
                raise NotChunked("the line of a chunk's size does not end")
            return False
        found = _SIZE_LINE.fullmatch(incoming, 0, end)
        if found is None:
            raise NotChunked("no size of a chunk")
        size = int(found.group(1), 16)
        del incoming[: end + 2]
        self._chunks += 1
        if self._chunks > _FREE_CHUNKS + len(self.data) // _CHUNK_BYTES:
            raise NotChunked("too many small chunks")
        self._left = size
        self._stage = _Stage.DATA if size else _Stage.TRAILER
        return True

    def _content(self, incoming: bytearray) -> bool:
        taken = incoming[: min(self._left, self._limit + 1 - len(self.data))]
        self.data += taken
        del incoming[: len(taken)]
        self._left -= len(taken)
        if self._left or self.too_long:
            return False
        self._stage = _Stage.END
        return True

    def _end(self, incoming: bytearray) -> bool:
        if len(incoming) < 2:
            return False
        if incoming[:2] != b"\r\n":
            raise NotChunked("a chunk is longer than it said")
        del incoming[:2]
        self._stage = _Stage.SIZE
        return True

    def _last(self, incoming: bytearray) -> bool:
        if incoming[:2] == b"\r\n":
            del incoming[:2]
            return True
        end = incoming.find(b"\r\n\r\n", 0, _TRAILER_BYTES + 4)
        if end < 0:
            if len(incoming) > _TRAILER_BYTES or incoming.count(b"\n") != incoming.count(b"\r\n"):
                raise NotChunked("the trailer does not end")
            return False
        self.trailer = bytes(incoming[:end])
        del incoming[: end + 4]
        return True
