"""Several server processes that live and die together: start, watch, stop.

Each runs in a session of its own, so that a terminal's Ctrl-C reaches only the supervisor, which then
stops each by its process id and waits for it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL: Final = 0.2


@dataclass(frozen=True, slots=True)
class Command:
    """One server to run: its name in messages, its arguments and its environment."""

    name: str
    arguments: Sequence[str]
    environ: Mapping[str, str]


class Masters:
    """The servers of one ``wsprovider serve``.

    Args:
        commands: what to run.
        patience: seconds that a server may take to finish what it is doing.
    """

    def __init__(self, commands: Sequence[Command], *, patience: float) -> None:
        self._commands = commands
        self._patience = patience
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._urgent = False

    def run(self) -> int:
        """Run until asked to stop or until one of them ends; then stop them all.

        Returns:
            0 when asked to stop and all stopped by themselves; otherwise the exit code of the one that
            ended, and never 0: a server that ends unasked has failed.
        """
        before = {number: signal.signal(number, self._asked) for number in _STOPPING}
        try:
            for command in self._commands:
                self._running[command.name] = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                    command.arguments, env=dict(command.environ), start_new_session=True
                )
            failed = self._watch()
            killed = self._stop_all()
        finally:
            self._kill_all()
            for number, handler in before.items():
                signal.signal(number, handler)
        return failed or int(killed)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._urgent = self._stop.is_set()  # asked twice: no more patience
        self._stop.set()

    def _watch(self) -> int:
        """Wait for a request to stop (0) or the first server that ends (its code)."""
        while not self._stop.wait(_POLL):
            for name, process in self._running.items():
                code = process.poll()
                if code is not None:
                    print(f"wsprovider: the {name} server ended ({_ending(code)})", file=sys.stderr)
                    return code if code > 0 else 1
        return 0

    def _stop_all(self) -> bool:
        """Ask each to finish; true when one had to be killed."""
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline and not self._urgent:
            if all(process.poll() is not None for process in self._running.values()):
                return False
            time.sleep(_POLL / 4)
        return self._kill_all()

    def _kill_all(self) -> bool:
        """Kill what is still there, with its workers; true when something was."""
        alive = [process for process in self._running.values() if process.poll() is None]
        for process in alive:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: the group is the server's alone
            process.wait()
        return bool(alive)


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
