"""gunicorn's hooks that have all workers of a deployment counted together, and told of by one monitor.

What is loaded by gunicorn's master itself (``preload_app``) and is an application of ours takes part; one that is
mounted in another application counts for each worker, as under any other server.
"""

import os
import signal
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
        provider = _provider(server) if server.cfg.preload_app else None
        if provider is None:
            return
        environment = read_environment()
        cfg = server.cfg
        if self._path is None:
            self._path = environment.telemetry or self._made()
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
        try:
            provider.metrics.board.join(self._path)
        except OSError as error:
            log.start.warning("%s", log.sentence(f"metrics: {error}; this worker counts for itself"))

    def after_worker(self, server: Any, worker: Any) -> None:
        """Keep what a worker has counted that has ended."""
        provider = _provider(server) if server.cfg.preload_app else None
        if provider is not None and self._path is not None:
            provider.metrics.board.retire(self._path, worker.pid)

    def end(self) -> None:
        """Stop the monitor, and remove the folder if it was ours."""
        if _running(self._pid):
            os.kill(self._pid, signal.SIGTERM)
        if self._own is not None:
            self._own.remove()

    def _made(self) -> Path | None:
        try:
            self._own = Folder()
        except OSError as error:
            log.start.warning("%s", log.sentence(f"metrics: {error}; each worker counts for itself"))
            return None
        return self._own.path


def _provider(server: Any) -> Provider | None:
    application = server.app.wsgi()
    return application if isinstance(application, Provider) else None


def _running(child: int) -> bool:
    """Whether that child is; gunicorn may have taken note of its end, and the number be another process's."""
    try:
        return bool(child) and os.waitpid(child, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False
