"""Whether the time of a refusal tells that a user exists (attack K09), and what authentication costs.

    python -m benchmarks.user_timing [CALLS]

Each kind of refusal is measured in turn, so that all see the same weather. The last column is how often a
spectator who compares one unknown with one known refusal would guess right: 50 % is no knowledge at all.
"""

import contextlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wsprovider.adapters.users.checking import password_digest
from wsprovider.adapters.users.file import FileUsers
from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.words.errors import WSSecurityError

NONCE, CREATED = bytes(16), "2026-03-01T12:00:00Z"


def timed(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    begin = time.perf_counter()
    with contextlib.suppress(WSSecurityError):
        call()
    return (time.perf_counter() - begin) * 1e6


def collect(kinds: Mapping[str, Callable[[], object]], calls: int) -> dict[str, list[float]]:
    """The times of each kind, taken in random order."""
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
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


def report(title: str, times: dict[str, list[float]], reference: str) -> None:
    """Print one table."""
    print(title)
    for kind, values in times.items():
        cuts = statistics.quantiles(values, n=100)
        chance = told_apart(times[reference], values)
        print(
            f"  {kind:<22}p5 {cuts[4]:9.1f}  median {cuts[49]:9.1f}  p95 {cuts[94]:9.1f} us"
            f"  told from {reference}: {max(chance, 1 - chance):6.1%}"
        )


def main() -> None:
    """Print everything."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "users.toml"
        entries = [Entry(f"user {number}", password=hash_password(f"{number}")) for number in range(20)]
        write_users_file(
            path,
            [
                *entries,
                Entry("clear", clear_password="right"),
                Entry("hashed", password=hash_password("right")),
            ],
        )
        users = FileUsers(path)
        digest = password_digest(NONCE, CREATED, b"right")
        right = {
            "hashed, right, again": lambda: users.check_password("hashed", "right"),
            "clear, right, again": lambda: users.check_password("clear", "right"),
            "digest, right": lambda: users.check_digest("clear", digest, NONCE, CREATED),
        }
        print(f"first success: {timed(right['hashed, right, again']):.0f} us")
        timed(right["clear, right, again"])
        report("after a success", collect(right, calls * 20), "digest, right")
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
        report("refused digest", collect(digests, calls * 20), "unknown")


if __name__ == "__main__":
    main()
