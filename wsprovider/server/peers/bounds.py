"""What one connection, one address and all of them together may ask of a worker (docs/gunicorn.md)."""

import ipaddress
from dataclasses import dataclass
from typing import Any

from wsprovider.words.limits import Limits


@dataclass(frozen=True, slots=True)
class Bounds:
    """Times in seconds, sizes in bytes; those of gunicorn's own settings are not repeated here.

    Attributes:
        handshake: of TLS, from the opening of the connection.
        head: for request line and header fields, from the first byte (of a new connection: from its opening).
        window: in each of these a body or an answer makes progress by ``window_bytes``, or ends.
        message: for a body or an answer, whatever its progress.
        send_buffer: of an answer, in the kernel, where nobody sees how slowly it is read.
        linger: for a client to take in the last answer before its connection is closed.
        linger_bytes: what it may still send meanwhile.
        head_bytes: of request line and header fields together.
        body_bytes: of a body that is read before the application sees the request.
        held_bytes: of all requests and answers that a worker holds.
        per_address: connections of one address (of IPv6, of one /64) to a worker.
    """

    handshake: float = 10.0
    head: float = 10.0
    window: float = 10.0
    window_bytes: int = 10_000
    message: float = 300.0
    send_buffer: int = 200_000
    linger: float = 2.0
    linger_bytes: int = 16_000_000
    head_bytes: int = 65_536
    body_bytes: int = Limits().message_bytes
    held_bytes: int = 128_000_000
    per_address: int = 200


def source(client: Any) -> str:
    """Whose connection it is, for counting: an IPv4 address or an IPv6 /64; nothing behind a Unix socket.

    Args:
        client: the other end, as ``accept`` says it.
    """
    if not isinstance(client, tuple):
        return ""
    address = ipaddress.ip_address(str(client[0]).partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
