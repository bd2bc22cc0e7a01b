"""When a worker has parsed enough of strangers' messages to be replaced.

libxml2 keeps every element and attribute name that a thread has ever met. Genuine messages bring the same
names again and again; somebody who invents new ones makes the process grow by about what he sends, and
nothing short of its end frees that. So the bytes of refused messages are counted, and a worker of
gunicorn that has seen too many of them asks to be stopped, as for ``max_requests``: it finishes what it
is doing, and its master starts another one.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from wsprovider.config.model import REFUSED_BYTES
from wsprovider.server import log


class Wear:
    """Counts in one process; shared by its threads."""

    def __init__(self, limit: int = REFUSED_BYTES, retire: Callable[[], None] | None = None) -> None:
        """Start at nothing.

        Args:
            limit: bytes of refused messages.
            retire: stops this process gracefully, where that is possible; gunicorn's way by default.
        """
        self._limit = limit
        self._retire = retire or _ask_gunicorn
        self._refused = 0
        self._lock = threading.Lock()

    def note(self, refused: int, environ: Mapping[str, Any]) -> None:
        """Count the body of a message that was refused.

        Args:
            refused: its length in bytes.
            environ: of the request, which tells what server this is.
        """
        with self._lock:
            self._refused += refused
            if self._refused < self._limit:
                return
            self._refused = 0
        text = f"{self._limit} bytes of refused messages were parsed by this process"
        if "gunicorn.socket" not in environ:
            log.start.warning("%s", log.sentence(f"{text}; it has grown and should be restarted"))
            return
        log.start.warning("%s", log.sentence(f"{text}; it is replaced"))
        self._retire()


def _ask_gunicorn() -> None:
    """A worker takes SIGTERM for: finish, then end (gunicorn, "Signal handling")."""
    os.kill(os.getpid(), signal.SIGTERM)
