"""Foreign Java clients for the live tests, each kind in one process of its own.

The programs live in ``java/``. A peer is built on first use, started once and then asked by JSON lines:
:meth:`JavaPeer.call` sends one command and waits for its answer. What the commands are, and what they answer,
is told in ``java/README.md``.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO, Any, Self

_SOURCES = Path(__file__).resolve().parent / "java"
_MAIN_CLASS = "wsprovider.live.Main"
_LOG_TAIL = 4000


class JavaPeerError(Exception):
    """The peer itself failed: it could not be built or started, died, or did not answer in time."""


class JavaPeer:
    """One running Java program; use it as a context manager.

    Args:
        module: which program, ``"cxf"``, ``"rampart"`` or ``"metro"``.
        quick_start: compile with the first compiler only. That halves the time to the first answer and is right
            for tests; leave it off to measure speed.
        memory: the most heap the process may have, in Java's notation.
    """

    def __init__(self, module: str, *, quick_start: bool = True, memory: str = "512m") -> None:
        self._folder = _SOURCES / module
        self._module = module
        self._flags = [f"-Xmx{memory}", "-Xshare:auto"]
        if quick_start:
            self._flags.append("-XX:TieredStopAtLevel=1")
        self._lock = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._last_id = 0
        self._process: subprocess.Popen[str] | None = None
        self._scratch: Path | None = None
        self._log: Path | None = None

    @staticmethod
    def available() -> str | None:
        """Why no Java peer can run on this machine, or None when one can."""
        missing = [program for program in ("java", "mvn") if shutil.which(program) is None]
        return f"not installed: {', '.join(missing)}" if missing else None

    @property
    def log(self) -> Path | None:
        """The file with everything the process printed besides its answers; None before the start."""
        return self._log

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Build the program when its sources changed, and start it.

        Raises:
            JavaPeerError: when Maven or the program fails.
        """
        reason = self.available()
        if reason is not None:
            raise JavaPeerError(reason)
        _build(self._folder)
        target = self._folder / "target"
        folder = Path(tempfile.mkdtemp(prefix=f"java-peer-{self._module}-"))
        self._log = folder / "stderr.log"
        self._scratch = scratch = folder / "scratch"
        scratch.mkdir()
        class_path = f"{target / 'driver.jar'}:{target / 'lib'}/*"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["java", *self._flags, f"-Djava.io.tmpdir={scratch}", "-cp", class_path, _MAIN_CLASS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=scratch,
                encoding="utf-8",
                bufsize=1,
            )
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()
        try:
            self.call(cmd="ping")
        except JavaPeerError:
            self.close()
            raise

    def call(self, *, timeout: float = 60.0, **command: object) -> dict[str, Any]:
        """Send one command and return its answer; any number of threads may do so at once.

        Paths are sent as text and bytes as Base64; fields that are None are left out.

        Args:
            timeout: seconds to wait for the answer.
            **command: the fields of the command, of which ``cmd`` is its name.

        Raises:
            JavaPeerError: when the process is gone or does not answer in time. That a SOAP call fails is no
                error here; its answer has ``ok`` false.
        """
        reply: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with self._lock:
            process = self._process
            if process is None or process.stdin is None or process.poll() is not None:
                raise JavaPeerError(self._explain("is not running"))
            self._last_id += 1
            number = self._last_id
            fields = {name: value for name, value in command.items() if value is not None}
            try:
                process.stdin.write(json.dumps({"id": number, **fields}, default=_plain) + "\n")
                process.stdin.flush()
            except OSError as problem:
                raise JavaPeerError(self._explain("does not listen any more")) from problem
            self._waiting[number] = reply
        try:
            answer = reply.get(timeout=timeout)
        except queue.Empty:
            raise JavaPeerError(
                self._explain(f"gave no answer to {command.get('cmd')} in {timeout} s")
            ) from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if answer is None:
            raise JavaPeerError(self._explain(f"died over {command.get('cmd')}"))
        return answer

    def close(self) -> None:
        """End this process, and no other; its log stays."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        try:
            process.stdin.close()
            process.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _read(self, answers: IO[str]) -> None:
        with answers:
            for line in answers:
                answer = json.loads(line)
                with self._lock:
                    reply = self._waiting.get(answer["id"])
                if reply is not None:
                    reply.put(answer)
        with self._lock:
            orphans = list(self._waiting.values())
        for reply in orphans:
            reply.put(None)

    def _explain(self, what: str) -> str:
        tail = ""
        if self._log is not None and self._log.exists():
            tail = self._log.read_text("utf-8", "replace")[-_LOG_TAIL:]
        return f"the Java peer {self._module} {what}; its log is {self._log}\n{tail}"


def _build(folder: Path) -> None:
    """Have Maven build one module, unless what is there was built from the same sources."""
    target = folder / "target"
    target.mkdir(exist_ok=True)
    stamp = target / "built-from.sha256"
    with _locked(target / "build.lock"):
        sources = _fingerprint(folder)
        if stamp.exists() and stamp.read_text("ascii") == sources:
            return
        stamp.unlink(missing_ok=True)
        built = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(folder / "pom.xml"), "package"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if built.returncode != 0:
            raise JavaPeerError(f"Maven could not build {folder}:\n{built.stdout[-_LOG_TAIL:]}")
        stamp.write_text(sources, "ascii")


def _fingerprint(folder: Path) -> str:
    """One hash over everything the build reads from the checkout."""
    files = [folder.parent / "pom.xml", folder / "pom.xml", *(folder / "src").rglob("*")]
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(folder.parent)} {content}\n".encode())
    return digest.hexdigest()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one process at a time build; the others wait and then find the work done."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _plain(value: object) -> str:
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"cannot be sent to a Java peer: {type(value).__name__}")
