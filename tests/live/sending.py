"""Bytes to a listener on this machine, exactly as they are, and what comes back."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

LOST = 0
"""In place of a status: the connection was closed before all was sent, as HTTP allows when a body is too long."""


def post(url: str, data: bytes, headers: Mapping[str, str], ca: Path | None = None) -> tuple[int, bytes]:
    """One POST over a connection of its own.

    Args:
        ca: whom to trust, where the URL is one of HTTPS.
    """
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(ca))
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=60, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request("POST", parts.path, data, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ConnectionError:
        return LOST, b""
    finally:
        connection.close()
