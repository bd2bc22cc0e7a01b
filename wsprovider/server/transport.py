"""What is known of the connection a request came by (DESIGN.md: transport facts).

Only two things make a connection secure: TLS that this very process ended, and the word of a proxy
that the operator named in ``trusted_proxies``. Everything else in a request is the client's own say. The
same proxy's word is taken for the client's certificate, where a header is named for it: on requests that it
says came by TLS. From anybody else that header is as if it were not there.

* Under gunicorn, ``wsgi.url_scheme`` counts for nothing: gunicorn sets it from ``X-Forwarded-Proto``
  for every peer in its ``forwarded_allow_ips``, which names the loopback unless told otherwise. Its
  own socket says whether there is TLS.
* Under other servers ``wsgi.url_scheme`` is all there is. It counts only where the request carries no
  header of the forwarding kind, for any of those may be where the server took it from.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from wsprovider.config.forwarding import certificate_header_mistake
from wsprovider.exchange.recipient import Transport
from wsprovider.keyring.material import Certificate
from wsprovider.server.forwarded import forwarded_certificate
from wsprovider.words.errors import ConfigurationError, Problem, WSSecurityError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNIX_SOCKET: Final = "unix"
"""The name under which ``trusted_proxies`` lets in a proxy that speaks through a Unix socket."""

_FORWARDING_HEADERS: Final = (
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PROTOCOL",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_FORWARDED_SCHEME",
    "HTTP_X_URL_SCHEME",
    "HTTP_X_SCHEME",
    "HTTP_FORWARDED",
    "HTTP_FRONT_END_HTTPS",
    "HTTP_HTTPS",
)


class TransportFacts:
    """Reads :class:`~wsprovider.exchange.recipient.Transport` off a WSGI environment."""

    def __init__(self, trusted_proxies: Sequence[str] = (), certificate_header: str | None = None) -> None:
        """Take the networks of the proxies whose word counts.

        Args:
            trusted_proxies: addresses and networks, or :data:`UNIX_SOCKET`.
            certificate_header: in which they pass on the certificate of the client; None: in none.

        Raises:
            ConfigurationError: one of them is no network, or the header can be nobody's.
        """
        problems: list[Problem] = []
        networks: list[Network] = []
        for text in trusted_proxies:
            if text == UNIX_SOCKET:
                continue
            try:
                networks.append(ipaddress.ip_network(text))
            except ValueError as error:
                problems.append(Problem("trusted_proxies", f"{text!r} is no network: {error}"))
        if certificate_header is not None:
            mistake = certificate_header_mistake(certificate_header, trusted_proxies)
            if mistake is not None:
                problems.append(Problem("client_certificate_header", mistake))
        if problems:
            raise ConfigurationError(problems)
        self._certificate = (
            "HTTP_" + certificate_header.upper().replace("-", "_") if certificate_header else ""
        )
        self._networks = tuple(networks)
        self._unix = UNIX_SOCKET in trusted_proxies
        self._trusts = lru_cache(maxsize=1024)(self._is_proxy)

    def of(self, environ: Mapping[str, Any]) -> Transport:
        """The facts of one request."""
        socket = environ.get("gunicorn.socket")
        tls = socket is not None and hasattr(socket, "getpeercert")
        peer = _direct_peer(environ, socket)
        forwarded = environ.get("HTTP_X_FORWARDED_PROTO")
        if (forwarded is not None or not tls) and (self._networks or self._unix) and self._trusts(peer):
            # Exactly one value: two headers reach us joined by a comma, and one may be the client's.
            # TLS between the proxy and us says nothing of the link that the client came by.
            secure = (forwarded or "").strip(" \t").lower() == "https"
            shown = environ.get(self._certificate, "") if secure else ""
            client = self._client_behind(environ, peer)
            authorization = _authorization(environ, secure=secure)
            return Transport(secure, client, forwarded_certificate(shown), authorization)
        if tls:
            return Transport(True, peer, _client_certificate(socket), _authorization(environ, secure=True))
        secure = (
            socket is None
            and environ.get("wsgi.url_scheme") == "https"
            and not any(header in environ for header in _FORWARDING_HEADERS)
        )
        return Transport(secure, peer, None, _authorization(environ, secure=secure))

    def from_proxy(self, environ: Mapping[str, Any]) -> bool:
        """Whether the other end of the very connection is one of the proxies."""
        return self._trusts(_direct_peer(environ, environ.get("gunicorn.socket")))

    def is_proxy(self, peer: str) -> bool:
        """Whether the operator named that address, or for none a Unix socket, as a proxy's."""
        return self._trusts(peer)

    def _is_proxy(self, peer: str) -> bool:
        if not peer:
            return self._unix
        address = _address(peer)
        return address is not None and any(address in network for network in self._networks)

    def _client_behind(self, environ: Mapping[str, Any], peer: str) -> str:
        """The nearest address that is no proxy of ours; what stands before it anybody may have written."""
        for text in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = _address(text.strip())
            if address is None:
                break
            if not self._trusts(str(address)):
                return str(address)
        return peer


def _authorization(environ: Mapping[str, Any], *, secure: bool) -> str | None:
    """Credentials of HTTP; what came by in clear is as if it were not there."""
    return environ.get("HTTP_AUTHORIZATION") if secure else None


def _direct_peer(environ: Mapping[str, Any], socket: Any) -> str:
    """The other end of the very connection; gunicorn's PROXY protocol puts another into REMOTE_ADDR."""
    if socket is not None and "PROXY_PROTOCOL" in environ:
        try:
            name = socket.getpeername()
        except OSError:
            return "unknown"
        return str(name[0]) if isinstance(name, tuple) else ""
    return str(environ.get("REMOTE_ADDR") or "")


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _client_certificate(socket: Any) -> Certificate | None:
    """The certificate of TLS client authentication; without a demand, the client is never asked for one."""
    try:
        der = socket.getpeercert(True)
    except (OSError, ValueError):  # the connection is gone, or its handshake was never made
        return None
    return _parsed(der) if der else None


@lru_cache(maxsize=64)
def _parsed(der: bytes) -> Certificate | None:
    try:
        return Certificate.from_der(der)
    except WSSecurityError:
        return None
