"""The TLS context of a worker: made once, and once more whenever the files behind it change."""

import ssl
from pathlib import Path
from typing import Any

from gunicorn import sock

from wsprovider.server import log


class TlsContext:
    """gunicorn's settings as an ``SSLContext``; gunicorn itself makes one for every connection."""

    def __init__(self, cfg: Any) -> None:
        """Read certificate and key.

        Raises:
            OSError: they cannot be used.
        """
        self._cfg = cfg
        self._files = [Path(name) for name in (cfg.certfile, cfg.keyfile, cfg.ca_certs) if name]
        self._stamp = self._now()
        self._context: ssl.SSLContext = sock.ssl_context(cfg)

    def wrap(self, plain: Any) -> ssl.SSLSocket:
        """The server's side of a connection, its handshake not yet begun."""
        self._follow()
        return self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)

    def _now(self) -> list[tuple[int, int, int]]:
        return [(one.st_mtime_ns, one.st_size, one.st_ino) for one in map(Path.stat, self._files)]

    def _follow(self) -> None:
        """Take over a renewed certificate; what cannot be used leaves the former in force."""
        try:
            stamp = self._now()
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._context = sock.ssl_context(self._cfg)
        except OSError as error:
            log.failure("TLS certificate", error)
