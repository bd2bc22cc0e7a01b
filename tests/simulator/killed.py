"""Commands that are killed (SIGKILL) at their n-th step of writing; a program of its own, which forks for each.

It reads lines of JSON, ``{"step": 3, "half": false, "words": ["keys", "new", ...]}``, and answers each with the
exit status of a child that ran the command and killed itself just before the step, or (``half``) in the middle of
a write. A step is a call that changes a file or folder.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from wsprovider.cli.main import main

CHANGING = ("open", "write", "fsync", "replace", "rename", "link", "unlink", "mkdir", "fchown", "chmod")


class Killer:
    """Counts the steps of this process."""

    def __init__(self, at: int, *, half: bool) -> None:
        self.at, self.half, self.count = at, half, 0
        for name in CHANGING:
            setattr(os, name, self.wrapped(name, getattr(os, name)))

    def wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            reads = name == "open" and not (*arguments, 0)[1] & os.O_CREAT
            if not reads:
                self.count += 1
                if self.count == self.at:
                    if self.half and name == "write":
                        real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call


def killed(step: int, words: list[str], *, half: bool) -> int:
    """Run a command in a child; its exit code, or the signal that ended it as a negative number."""
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)  # what it prints is no answer of ours
        Killer(step, half=half)
        code = 99
        try:
            code = main(words)
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(f"{killed(asked['step'], asked['words'], half=asked['half'])}\n")
        sys.stdout.flush()
