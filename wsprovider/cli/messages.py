"""Messages in files: a body as it came over the wire, or a dump with the HTTP headers in front of it."""

import io
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wsprovider.explain.explaining import Received, version_of
from wsprovider.server.http import read_request
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits

_FIRST: Final = re.compile(rb"(?:(POST) +(\S+) +HTTP/\d(?:\.\d)?|HTTP/\d(?:\.\d)? +\d+[^\r\n]*)\r?\n")
_HEADER: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_BLANK: Final = re.compile(rb"\r?\n")
_MOST: Final = 300_000_000
"""Bytes of a file that are read at all; a service's own limit counts after that."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message and what was found in front of it.

    Attributes:
        headers: by lower-case name.
        path: of the request line, if there is one.
    """

    body: bytes
    headers: dict[str, str]
    path: str | None = None

    def received(self, limits: Limits) -> Received:
        """The message as a server would see it.

        Raises:
            SoapError: refused for what HTTP says of it.
        """
        content_type, action = self.headers.get("content-type"), self.headers.get("soapaction", "")
        version = version_of(self.body, limits)
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": content_type or version.content_type,
            "CONTENT_LENGTH": str(len(self.body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "HTTP_SOAPACTION": action,
            "wsgi.input": io.BytesIO(self.body),
        }
        request = read_request(environ, limits.message_bytes)
        return Received(request.body, request.version, request.charset, request.action)


def read_message(name: str, *, action: str | None = None, content_type: str | None = None) -> Message:
    """Read a file, or standard input.

    Args:
        name: of the file, or ``-``.
        action, content_type: instead of what a dump says.

    Raises:
        ConfigurationError: it cannot be read, or is a dump of which the body cannot be told.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_MOST)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_MOST)
    except OSError as error:
        raise ConfigurationError([Problem(name, f"cannot be read: {error.strerror}")]) from None
    message = _taken_apart(data)
    if "transfer-encoding" in message.headers:
        what = "is a dump of a body in chunks: save the body by itself, and say --action and --content-type"
        raise ConfigurationError([Problem(name, what)])
    given = {"soapaction": action, "content-type": content_type}
    told = {name: value for name, value in given.items() if value is not None}
    return replace(message, headers={**message.headers, **told})


def _taken_apart(data: bytes) -> Message:
    """Headers and body; a file that begins with anything but headers is a body."""
    first = _FIRST.match(data)
    position = first.end() if first is not None else 0
    path = None if first is None or first[2] is None else first[2].decode("latin-1").partition("?")[0]
    headers: dict[str, str] = {}
    while (line := _HEADER.match(data, position)) is not None:
        headers.setdefault(line[1].decode("ascii").lower(), line[2].decode("latin-1"))
        position = line.end()
    blank = _BLANK.match(data, position)
    if not position or blank is None:
        return Message(data, {})
    return Message(data[blank.end() :], headers, path)
