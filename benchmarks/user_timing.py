"""Whether the time of a refusal tells that a user exists (attack K09), and what authentication costs.

    python -m benchmarks.user_timing [CALLS] [file | sqlite | postgresql | ldap]

The servers are those of the tests. Each kind of refusal is measured in turn, so that all see the same weather. The last column is how often a
spectator who compares one unknown with one known refusal would guess right: 50 % is no knowledge at all. "cpu" is
what a call costs this process, without the servers.
"""

import contextlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.live.postgres import Postgres
from tests.live.slapd import Slapd
from wsprovider.adapters.users.checking import password_digest
from wsprovider.adapters.users.editing import sql_editor
from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.opening import open_users
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.words.errors import WSSecurityError

NONCE, CREATED = bytes(16), "2026-03-01T12:00:00Z"


Time = tuple[float, float]
"""Microseconds of the clock on the wall, and of the processor."""


def timed(call: Callable[[], object]) -> Time:
    """What one call takes."""
    begin, cpu = time.perf_counter(), time.process_time()
    with contextlib.suppress(WSSecurityError):
        call()
    return (time.perf_counter() - begin) * 1e6, (time.process_time() - cpu) * 1e6


def collect(kinds: Mapping[str, Callable[[], object]], calls: int) -> dict[str, list[Time]]:
    """The times of each kind, taken in random order."""
    times: dict[str, list[Time]] = {kind: [] for kind in kinds}
    order = list(kinds)
    for _ in range(calls):
        random.shuffle(order)
        for kind in order:
            times[kind].append(timed(kinds[kind]))
    return times


def told_apart(one: list[float], other: list[float]) -> float:
    """The chance that of two times, one of each kind, the larger is of the second kind; 0.5 is chance."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    smaller, wins = 0, 0
    for _, kind in ranked:
        if kind == 0:
            smaller += 1
        else:
            wins += smaller
    return wins / (len(one) * len(other))


def report(title: str, times: dict[str, list[Time]], reference: str) -> None:
    """Print one table."""
    print(title)
    first = [wall for wall, _ in times[reference]]
    for kind, values in times.items():
        walls = [wall for wall, _ in values]
        cuts = statistics.quantiles(walls, n=100)
        chance = told_apart(first, walls)
        print(
            f"  {kind:<22}p5 {cuts[4]:9.1f}  median {cuts[49]:9.1f}  p95 {cuts[94]:9.1f} us"
            f"  cpu {statistics.median(cpu for _, cpu in values):9.1f}"
            f"  told from {reference}: {max(chance, 1 - chance):6.1%}"
        )


@contextlib.contextmanager
def opened(kind: str, folder: Path, entries: Sequence[Entry]) -> Iterator[Any]:
    """A store of a kind that holds users."""
    with contextlib.ExitStack() as stack:
        environ, name = {}, "directory.toml"
        if kind == "file":
            name = "users.toml"
            write_users_file(folder / name, entries)
        elif kind == "ldap":
            server = stack.enter_context(Slapd())
            server.settings(folder, server.part(entries))
        else:
            (folder / name).write_text('kind = "sql"\nurl_env = "URL"\n')
            url = f"sqlite:///{folder / 'users.db'}"
            environ["URL"] = stack.enter_context(Postgres()).url if kind == "postgresql" else url
            with contextlib.closing(sql_editor(folder / name, environ)) as editor:
                editor.make_tables()
                for entry in entries:
                    editor.put(entry)
        yield stack.enter_context(contextlib.closing(open_users(folder, name, environ=environ)))


def main() -> None:
    """Print everything."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    kind = sys.argv[2] if len(sys.argv) > 2 else "file"
    entries = [
        *(Entry(f"user {number}", password=hash_password(f"{number}")) for number in range(20)),
        Entry("clear", clear_password="right", roles=frozenset({"user"})),
        Entry("hashed", password=hash_password("right"), roles=frozenset({"user"})),
    ]
    with tempfile.TemporaryDirectory() as folder, opened(kind, Path(folder), entries) as users:
        digest = password_digest(NONCE, CREATED, b"right")
        right = {
            "hashed, right, again": lambda: users.check_password("hashed", "right"),
            "clear, right, again": lambda: users.check_password("clear", "right"),
            "found": lambda: users.find("hashed"),
            "digest, right": lambda: users.check_digest("clear", digest, NONCE, CREATED),
        }
        print(f"{kind}: first success: {timed(right['hashed, right, again'])[0]:.0f} us")
        timed(right["clear, right, again"])
        report("after a success", collect(right, calls * 5), "digest, right")
        refusals = {
            "unknown": lambda: users.check_password("nobody", "wrong"),
            "unknown (the twin)": lambda: users.check_password("nobod2", "wrong"),
            "hashed, wrong": lambda: users.check_password("hashed", "wrong"),
            "clear, wrong": lambda: users.check_password("clear", "wrong"),
        }
        report("refused password", collect(refusals, calls), "unknown")
        digests = {
            "unknown": lambda: users.check_digest("nobody", bytes(20), NONCE, CREATED),
            "unknown (the twin)": lambda: users.check_digest("nobod2", bytes(20), NONCE, CREATED),
            "hashed": lambda: users.check_digest("hashed", bytes(20), NONCE, CREATED),
            "clear, wrong": lambda: users.check_digest("clear", bytes(20), NONCE, CREATED),
        }
        report("refused digest", collect(digests, calls * 5), "unknown")


if __name__ == "__main__":
    main()
