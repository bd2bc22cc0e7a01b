"""What the test of rollover works with: two machines whose keys folders differ for a while, an operator, a load.

The load is callers in threads. Each goes through its plan, call by call and machine by machine: which of its keys
it signs with, which certificate of the service it encrypts to, and whose signatures it accepts.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tests.live.provider import CONVERSATIONS, ROOT, SLUGS, ProviderProcess
from tests.live.test_conversations_state import NO_KEEP_ALIVE
from wsprovider.adapters.users.development import development_users
from wsprovider.config.development import create_development_keys

LOOK = 5.0
"""Seconds between two looks of a worker at its keys folder."""
_PATIENCE = 60.0
_BETWEEN_FILES = 0.1

_SERVICE = """\
namespace = "urn:wsprovider:echo"
ring = "service"
trust = ["clients"]
users = "users.toml"
crosscheck = "xmlsec"
"""
_ENDPOINT = """
[[endpoint]]
path = "/echo/{slug}"
scenario = "{slug}"

[[endpoint]]
path = "/wso2/{slug}"
scenario = "{slug}"
suite = "Basic256"
dialect = "2005"
"""


def until(done: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, f"it does not happen: {what}"
        time.sleep(0.02)


# two machines -------------------------------------------------------------------------------------


class Operator:
    """Somebody who types commands, each of them a process of its own."""

    def __init__(self, keys: Path, services: Path) -> None:
        self._folders = ("--keys", str(keys), "--services", str(services))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, whatever comes of it."""
        return subprocess.run(
            [sys.executable, "-m", "wsprovider", *words, *self._folders],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )

    def __call__(self, *words: str) -> str:
        """A command that must succeed; what it prints."""
        done = self.run(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def refused(self, *words: str) -> str:
        """A command that must be refused; the sentence."""
        done = self.run(*words)
        assert done.returncode == 2, (words, done.stdout, done.stderr)
        return done.stderr


class LaggingCopy:
    """Makes one folder what another was some seconds ago: file by file, each by a rename, in any order.

    Every second time what names other files (TOML) comes first.

    Attributes:
        since: when the last file came, by ``time.monotonic``.
    """

    def __init__(self, source: Path, target: Path, *, lag: float) -> None:
        self._source, self._target, self._lag = source, target, lag
        self._random = random.Random(1)
        self._known = self._applied = self._state()
        self._due: deque[tuple[float, dict[str, tuple[bytes, int]]]] = deque()
        self._rounds = 0
        self.since = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def level(self) -> None:
        """Wait until there is no difference."""
        until(lambda: self._applied == self._state(), "the copy comes level", self._lag + _PATIENCE)

    def _run(self) -> None:
        while not self._end.wait(0.1):
            now = self._state()
            if now != self._known:
                self._known = now
                self._due.append((time.monotonic() + self._lag, now))
            while self._due and self._due[0][0] <= time.monotonic():
                self._apply(self._due.popleft()[1])

    def _state(self) -> dict[str, tuple[bytes, int]]:
        found = {}
        for path in self._source.rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                with suppress(FileNotFoundError):  # replaced or removed this moment: seen the next time
                    found[str(path.relative_to(self._source))] = path.read_bytes(), path.stat().st_mode
        return found

    def _apply(self, state: dict[str, tuple[bytes, int]]) -> None:
        before = self._applied
        names = [name for name in {*before, *state} if before.get(name) != state.get(name)]
        self._random.shuffle(names)
        self._rounds += 1
        if self._rounds % 2:
            names.sort(key=lambda name: not name.endswith(".toml"))
        for name in names:
            path = self._target / name
            if name in state:
                content, mode = state[name]
                path.parent.mkdir(exist_ok=True)
                staging = path.with_name(f".{path.name}.copied")
                staging.touch(mode=0o600)
                staging.write_bytes(content)
                staging.chmod(mode & 0o777)
                staging.replace(path)
            else:
                path.unlink()
            time.sleep(_BETWEEN_FILES)
        self.since = time.monotonic()
        self._applied = state


@dataclass
class Machines:
    """Two machines, the second of which has a copy of the first one's keys.

    Attributes:
        operator: at the first machine.
        copy: keeps the second one's keys folder.
    """

    providers: tuple[ProviderProcess, ProviderProcess]
    operator: Operator
    copy: LaggingCopy

    def settle(self) -> None:
        """Wait until every worker of both has what was changed last: the operator's patience."""
        self.copy.level()
        time.sleep(max(0.0, self.copy.since + LOOK + 0.5 - time.monotonic()))


@contextmanager
def started(
    folder: Path, store: str, *, lag: float, prepare: Callable[[Operator], None]
) -> Iterator[Machines]:
    """Two times ``wsprovider serve`` with two workers for HTTP each, equal at first.

    Args:
        store: URL of the store that they share.
        lag: seconds by which the copy is late.
        prepare: changes the keys folder before anything starts.
    """
    own = [folder / name for name in ("machine-a", "machine-b")]
    for one in own:
        _write_services(one / "services", store)
    keys = own[0] / "keys"
    create_development_keys(keys, now=datetime.now(UTC), write_users=development_users)
    operator = Operator(keys, own[0] / "services")
    prepare(operator)
    shutil.copytree(keys, own[1] / "keys", ignore=shutil.ignore_patterns(".*"))
    with ExitStack() as stack:
        one, two = (stack.enter_context(ProviderProcess(each, environ=NO_KEEP_ALIVE)) for each in own)
        copy = stack.enter_context(LaggingCopy(keys, own[1] / "keys", lag=lag))
        yield Machines((one, two), operator, copy)


def _write_services(folder: Path, store: str) -> None:
    echo = folder / "echo"
    echo.mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", echo)
    slugs = [SLUGS[number] for number in ("2", "5", "6", "8")] + [CONVERSATIONS["11"], CONVERSATIONS["15"]]
    (echo / "service.toml").write_text(_SERVICE + "".join(_ENDPOINT.format(slug=slug) for slug in slugs))
    (folder / "provider.toml").write_text(f'shared = "{store}"\nmetrics = true\nseen_every = 1\n')


def by_worker(provider: ProviderProcess, answered: int) -> list[int]:
    """How many requests each worker for HTTP has answered, of so many, once none are under way."""
    pattern = re.compile(r'requests_total\{service="[^"]*",endpoint="([^"]+)",reason="ANSWERED"\} (\d+)')
    found: set[tuple[tuple[str, str], ...]] = set()

    def complete() -> bool:
        with urllib.request.urlopen(provider.url("/metrics?worker"), timeout=10) as answer:
            found.add(tuple(pattern.findall(answer.read().decode())))
        return sum(totals()) == answered

    def totals() -> list[int]:
        return sorted(sum(int(number) for _, number in one) for one in found)

    until(complete, f"{totals()} is not {answered}")
    return totals()


# the load --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Means:
    """What a client uses for one call; keys and certificates go by labels.

    Attributes:
        client: its own key.
        service: the certificate of the service that it encrypts to.
        trusted: certificates of the service by which a reply may be signed.
    """

    client: str
    service: str
    trusted: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """One call that was made.

    Attributes:
        at: when it was answered, by ``time.monotonic``.
        signer: whose signature the reply bore; empty for none, or where the client does not tell.
        failure: why it failed; empty where it did not.
    """

    at: float
    machine: int
    means: Means
    signer: str
    failure: str


Peer = Callable[[Means, int], str]
"""Makes one call to a machine; who signed the reply. Raises whatever kept it from being answered and verified."""


@dataclass
class Caller:
    """A client that calls again and again.

    Attributes:
        partner: whose keys it has; empty for one without.
        pace: seconds between the beginnings of two calls.
        plan: gone through again and again.
    """

    client: str
    number: str
    partner: str
    peer: Peer
    pace: float
    plan: tuple[Means, ...] = ()
    calls: list[Call] = field(default_factory=list)

    def run(self, end: threading.Event) -> None:
        """Call until the end."""
        for turn in itertools.count():
            begun = time.monotonic()
            plan = self.plan
            machine = turn % 2
            means = plan[turn // 2 % len(plan)]
            signer = failure = ""
            try:
                signer = self.peer(means, machine)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test is about
                failure = f"{type(error).__name__}: {error}"
            self.calls.append(Call(time.monotonic(), machine, means, signer, failure))
            if end.wait(max(0.0, begun + self.pace - time.monotonic())):
                return


class Load:
    """All callers."""

    def __init__(self, callers: Iterable[Caller]) -> None:
        self.callers = tuple(callers)
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=one.run, args=(self._end,), daemon=True) for one in self.callers
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Wait for the calls that are under way, and make no more."""
        self._end.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def turn(self, calls: int = 2) -> None:
        """Wait until everybody has made so many more calls, the last of them by the present plan."""
        marks = [len(one.calls) + calls for one in self.callers]
        until(
            lambda: all(len(one.calls) >= mark for one, mark in zip(self.callers, marks, strict=True)),
            "everybody calls",
        )
