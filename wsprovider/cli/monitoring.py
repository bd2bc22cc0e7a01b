"""gunicorn's hooks that have all workers of a deployment counted together, and told of by one monitor.

What is loaded by gunicorn's master itself (``preload_app``) and is an application of ours takes part; one that is
mounted in another application counts for each worker, as under any other server.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn.util import set_owner_process

from wsprovider.config.environment import read_environment
from wsprovider.server import log
from wsprovider.server.application import Provider
from wsprovider.server.telemetry import monitor
from wsprovider.server.telemetry.board import Folder, hand_over


class Monitoring:
    """What one master knows of it; its workers inherit it by the fork."""

    def __init__(self) -> None:
        """Nothing is there before the first worker is made."""
        self._path: Path | None = None
        self._own: Folder | None = None
        self._pid = 0

    def before_worker(self, server: Any) -> None:
        """Have a folder and a monitor; one that was killed is made again."""
        provider = _provider(server)
        if provider is not None:
            with _warned("there is no monitor"):
                self._prepare(server, provider)

    def _prepare(self, server: Any, provider: Provider) -> None:
        environment = read_environment()
        cfg = server.cfg
        if self._path is None:
            self._own = None if environment.telemetry else make_folder()
            self._path = environment.telemetry if self._own is None else self._own.path
            if self._path is not None and os.geteuid() == 0:
                hand_over(self._path, cfg.uid, cfg.gid)
        bind = environment.monitor or provider.monitor
        if self._path is None or bind is None or bind.off or _running(self._pid):
            return
        provider.metrics.board.attend(self._path)
        settle = partial(set_owner_process, cfg.uid, cfg.gid, cfg.initgroups)
        self._pid = monitor.start(bind, provider.monitored, server.LISTENERS, settle)

    def in_worker(self, worker: Any) -> None:
        """Count with the others from here on."""
        provider = worker.wsgi
        if self._path is None or not isinstance(provider, Provider):
            return
        with _warned("this worker counts for itself"):
            provider.metrics.board.join(self._path)

    def after_worker(self, server: Any, worker: Any) -> None:
        """Keep what a worker has counted that has ended."""
        provider = _provider(server)
        if provider is not None and self._path is not None:
            with _warned("what a worker has counted that has ended is not told any more"):
                provider.metrics.board.retire(self._path, worker.pid)

    def end(self) -> None:
        """Stop the monitor, and remove the folder if it was ours."""
        if _running(self._pid):
            os.kill(self._pid, signal.SIGTERM)
        if self._own is not None:
            self._own.remove()


def make_folder() -> Folder | None:
    """The folder in which all workers count; None, with a line in the log, where it cannot be made."""
    try:
        return Folder()
    except OSError as error:
        _warn("each worker counts for itself", error)
        return None


@contextlib.contextmanager
def _warned(what: str) -> Iterator[None]:
    """Nothing that numbers need is a reason not to serve."""
    try:
        yield
    except OSError as error:
        _warn(what, error)


def _warn(what: str, error: OSError) -> None:
    log.start.warning("%s", log.sentence(f"metrics: {error}; {what}"))


def _provider(server: Any) -> Provider | None:
    """The application, if it is loaded in the master and ours."""
    application = server.app.wsgi() if server.cfg.preload_app else None
    return application if isinstance(application, Provider) else None


def _running(child: int) -> bool:
    """Whether that child is; gunicorn may have taken note of its end, and the number be another process's."""
    try:
        return bool(child) and os.waitpid(child, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False
