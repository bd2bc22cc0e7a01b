"""gunicorn's settings, for ``wsprovider serve`` and for production alike.

::

    gunicorn -c python:wsprovider.cli.gunicorn_settings --bind 127.0.0.1:8080 wsgi:application

Every name below is one of gunicorn's settings; anything given on its command line or in
``GUNICORN_CMD_ARGS`` goes before it. What is *not* here has gunicorn's default. There is no TLS here:
``--certfile`` and ``--keyfile`` switch it on for all binds of a master (that is why ``wsprovider serve``
starts two), with the floor that :func:`ssl_context` sets.
"""

import ctypes
import signal
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsprovider.adapters.shared.forking import watched
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.cli.addresses import development_warning, loopback
from wsprovider.cli.monitoring import Monitoring
from wsprovider.cli.stores import NOT_MEMORY
from wsprovider.config.environment import read_environment
from wsprovider.server import log

# A worker for each core does cryptography; its threads only overlap waiting (the shared store, a backend), and
# outnumber the ten who compute a hash or wait for it (docs/guessing.md). The worker is our own: it reads requests
# and sends answers without a thread, each with a deadline, so that slow clients keep nobody waiting (docs/gunicorn.md).
_environment = read_environment()
workers = _environment.workers
worker_class = "wsprovider.server.peers.worker.Worker"
threads = 12

# Of each worker; when there are more, whoever has most gives one up. Below the usual 1024 open files.
worker_connections = 800

# Loaded once, before the fork: requirements, WSDLs and key snapshots are shared memory, and a mistake in
# the configuration stops the start instead of killing one worker after the other. SIGHUP therefore does
# not load new code; keys and users need no reload at all.
preload_app = True

# A worker whose loop has not turned for so long is taken for stuck and replaced. Deadlines of connections
# are wsprovider.server.peers.bounds.
timeout = 60
# Stopping lets requests in flight finish for so long.
graceful_timeout = 30
# A connection may wait so long for its next request.
keepalive = 5

# Replaced after so many requests, each at another moment, as insurance against slow leaks in native code.
max_requests = 200_000
max_requests_jitter = 20_000

# SOAP needs few and short headers. The Body's size is the application's to judge (Limits.message_bytes).
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# No header makes gunicorn believe that a connection was TLS, or came from elsewhere: the application
# itself decides that, by provider.toml's trusted_proxies, and it needs to see what really arrived.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
header_map = "drop"

# The heartbeat file belongs in memory: on a slow disk its fchmod can block a worker for seconds.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn unlinks it at once

# gunicorn 25 and later open a control socket in the home folder, one path for every master of a user.
control_socket_disable = True

accesslog = None
errorlog = "-"
loglevel = "info"
proc_name = "wsprovider"

_PR_SET_PDEATHSIG = 1
_monitoring = Monitoring()


def ssl_context(_config: Any, default_factory: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """TLS 1.2 with forward secrecy at least, whatever the platform's default."""
    context = default_factory()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    return context


def on_starting(server: Any) -> None:
    """Let the application's log lines out, and warn of development keys on a public address.

    Under a supervisor, stop with it, however it ends.

    Raises:
        RuntimeError: several workers would each remember in their own memory (gunicorn prints the sentence).
    """
    if watched(MemoryStore) and server.cfg.workers > 1:
        raise RuntimeError(f"shared: {NOT_MEMORY}")
    # Python would drop what is below a warning, and with it the line of every accepted request.
    log.to_stderr()
    if not _environment.supervised:
        _warn_of_development_keys(server)
    elif sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def pre_fork(server: Any, _worker: Any) -> None:
    """Have the monitor run, which tells of all workers (docs/watching.md)."""
    _monitoring.before_worker(server)


def post_worker_init(worker: Any) -> None:
    """Have this worker counted with the others."""
    _monitoring.in_worker(worker)


def child_exit(server: Any, worker: Any) -> None:
    """Keep what a worker has counted that has ended."""
    _monitoring.after_worker(server, worker)


def on_exit(_server: Any) -> None:
    """Stop the monitor."""
    _monitoring.end()


def _warn_of_development_keys(server: Any) -> None:
    keys = _environment.keys or Path("keys")
    if not (keys / "development" / "ca.key.pem").exists():
        return
    for address in server.cfg.address:
        if isinstance(address, tuple) and not loopback(address[0]):
            server.log.warning("%s", development_warning(keys, address[0]))
