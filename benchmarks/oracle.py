"""Whether the time of a refusal tells why (issue 7: no oracle within a class).

    python -m benchmarks oracle [--samples 400] [--class keys] [--class holder] [--class users]

Each member of a class is a message that differs from a genuine one in one thing; all are sent in random order
through the WSGI application, and a fresh genuine one is bent for each. The replies must be the same bytes.
For every pair of members: the difference of their trimmed means (in microseconds), and how often a random
exchange of the two samples makes as large a one (a permutation test; below 0.01 is a difference).  Each class
has two controls: the first member against itself, which must not be told apart, and a *leaky* twin, the same
message whose refusal takes 5 % longer (*holder*: 100 microseconds), which must be. Times are of the processor; those of
*holder* are of the clock on the wall, since these refusals wait for their moment.

*keys*: whoever does not know the key of a message: {RSA unwrap, HMAC}; what lies behind them (CBC padding, GCM tag,
digest of the Body) is never reached for such a message. *holder*: whoever knows the key, or withholds a fresh
message of somebody who does, and changes its cipher text: {CBC padding, structure, digest}, or {GCM tag}. *users*:
{unknown user, wrong password}.
"""

import argparse
import base64
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lxml import etree

from benchmarks import machine, payloads
from benchmarks.served import Served
from tests.simulator.bend import BODY, SECURITY, SIGNATURE, Change, bend, flip, one, reencrypt, secret_of
from wsprovider.outbound.message import Credentials
from wsprovider.soap.version import SOAP_11

_TRIM: Final = 0.2
_EXCHANGES: Final = 2_000
_LEAK: Final = 1.05
_DIGEST: Final = 100
_SIGNIFICANT: Final = 0.01
_ENCRYPTED: Final = f"{BODY}/xenc:EncryptedData"
_DATA: Final = f"{_ENCRYPTED}/xenc:CipherData/xenc:CipherValue"
_KEY: Final = f"{SECURITY}/xenc:EncryptedKey/xenc:CipherData/xenc:CipherValue"

Make = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Group:
    """Members that nobody may tell apart.

    Attributes:
        waits: their refusals leave at a moment of their own (wsprovider.server.even), so that the clock on the wall
            counts, not the CPU time; the leaky twin takes 100 microseconds longer, which a digest costs.
    """

    title: str
    number: str
    suite: str | None
    waits: bool = False
    members: Mapping[str, Change] = field(default_factory=dict)
    contents: Mapping[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    credentials: Mapping[str, Credentials] = field(default_factory=dict)


def last_octet(path: str) -> Change:
    """Change the last octet of the last but one block: the padding changes, and one block before it."""
    return _changed(path, lambda octets: octets[:-17] + bytes((octets[-17] ^ 0x55,)) + octets[-16:])


def first_block(path: str) -> Change:
    """Change the IV: the first octet of the plaintext changes, the padding does not."""
    return _changed(path, lambda octets: bytes((octets[0] ^ 0x55,)) + octets[1:])


def _changed(path: str, change: Callable[[bytes], bytes]) -> Change:
    def bent(root: etree._Element) -> None:
        found = one(root, path)
        found.text = base64.b64encode(change(base64.b64decode(found.text or ""))).decode("ascii")

    return bent


def _wrong_digest(root: etree._Element) -> None:
    """The last octet of a DigestValue; the SignedInfo changes with it, so that no HMAC holds."""
    value = root.xpath("//*[local-name()='DigestValue']")[0]
    value.text = base64.b64encode(bytes(len(base64.b64decode(value.text)))).decode("ascii")


_STRANGER: Final[Mapping[str, Change]] = {
    "RSA unwrap": flip(_KEY, octet=40),
    "HMAC": flip(f"{SIGNATURE}/ds:SignatureValue"),
    "digest in SignedInfo": _wrong_digest,
}
_HOLDER_CBC: Final[Mapping[str, Change]] = {
    "CBC padding": last_octet(_DATA),
    "first letter": first_block(_DATA),
}
_CONTENTS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "no XML": lambda plaintext: plaintext[:-17] + bytes(17),
    "digest": lambda plaintext: plaintext.replace(b"lorem", b"lirum", 1),
}
_HOLDER_GCM: Final[Mapping[str, Change]] = {
    "GCM tag, last octet": _changed(_DATA, lambda octets: octets[:-1] + bytes((octets[-1] ^ 1,))),
    "GCM tag, first octet": flip(_DATA, octet=13),
}
_NOBODY: Final = Credentials("nobody", "wrong")
_USERS: Final = {
    "unknown user": _NOBODY,
    "wrong password, hashed": Credentials("bob", "wrong"),
    "wrong password, clear": Credentials("alice", "wrong"),
}
_DIGESTS: Final = {
    "unknown user": Credentials("nobody", "wrong", digest=True),
    "wrong digest, hashed": Credentials("bob", "wrong", digest=True),
    "wrong digest, clear": Credentials("alice", "wrong", digest=True),
}


def groups() -> dict[str, list[Group]]:
    """All classes."""
    cbc, gcm = "Basic256Sha256", "Basic256GcmSha256"
    keys = [
        Group(f"stranger, scenario {number}, {suite}", number, suite, members=_STRANGER)
        for number, suite in (("6", cbc), ("6", gcm), ("8", cbc), ("6", "Basic256Rsa15"))
    ]
    holder = [
        Group(f"holder, scenario {number}, {suite}", number, suite, True, members, contents)
        for number, suite, members, contents in (
            ("6", cbc, _HOLDER_CBC, _CONTENTS),
            ("5", cbc, _HOLDER_CBC, {}),
            ("6", gcm, _HOLDER_GCM, {}),
        )
    ]
    users = [
        Group(f"users, scenario {number}, {kind}", number, None, credentials=credentials)
        for number in ("1", "8")
        for kind, credentials in (("passwords", _USERS), ("digests", _DIGESTS))
    ]
    return {"keys": keys, "holder": holder, "users": users}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--samples", type=int, default=400, help="of each member")
    parser.add_argument("--class", dest="classes", action="append", choices=("keys", "holder", "users"))


def run(options: argparse.Namespace) -> None:
    """Print the tables."""
    print(machine.describe())
    for name, several in groups().items():
        if options.classes is None or name in options.classes:
            for group in several:
                _report(group, options.samples)


def _report(group: Group, samples: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder), suite=group.suite)
        makers = _makers(served, group)
        few = samples
        if group.credentials:  # a hash takes long, and a digest so little that it takes many to see a leak
            few = min(samples, 60) if "passwords" in group.title else 4 * samples
        clock = time.perf_counter_ns if group.waits else time.thread_time_ns
        times, replies = _collect(served, group.number, makers, few, clock)
        served.close()
    print(f"\n{group.title}: {few} of each; replies {'the same' if len(replies) == 1 else 'DIFFER'}")
    first = next(iter(makers))
    halves = times[first][::2], times[first][1::2]
    _print(f"control: {first} against itself", *halves)
    leaky = [one + _DIGEST if group.waits else one * _LEAK for one in times[first]]
    _print(f"control: {first} against its leaky twin", times[first], leaky)
    for left, right in itertools.combinations(makers, 2):
        _print(f"{left} against {right}", times[left], times[right])


def _makers(served: Served, group: Group) -> dict[str, Make]:
    if group.credentials:
        return {name: _by(served, group.number, given) for name, given in group.credentials.items()}

    client = served.client(group.number)
    body = payloads.text(1_000)(SOAP_11, "echo")

    def bent(change: Change) -> Make:
        return lambda: bend(client.request(body, version=SOAP_11).data, change)

    members = {name: bent(change) for name, change in group.members.items()}
    if group.contents:

        def sealed(change: Callable[[bytes], bytes]) -> Make:
            def make() -> bytes:
                pending = client.request(body, version=SOAP_11)
                return bend(pending.data, reencrypt(_ENCRYPTED, secret_of(pending), change))

            return make

        members |= {name: sealed(change) for name, change in group.contents.items()}
    return members


def _by(served: Served, number: str, credentials: Credentials) -> Make:
    client = served.client(number, credentials)
    body = payloads.text(1_000)(SOAP_11, "echo")
    return lambda: client.request(body, version=SOAP_11).data


def _collect(
    served: Served, number: str, makers: Mapping[str, Make], samples: int, clock: Callable[[], int]
) -> tuple[dict[str, list[float]], set[bytes]]:
    """Microseconds of each refusal, in random order, and the replies that there were."""
    dice = random.Random(11)
    times: dict[str, list[float]] = {name: [] for name in makers}
    replies: set[bytes] = set()
    order = [name for name in makers for _ in range(samples)]
    dice.shuffle(order)
    for warm, name in enumerate([*makers, *makers, *order]):
        environ = served.environ(number, makers[name]())
        begin = clock()
        reply = b"".join(served.application(environ, lambda _status, _headers: None))
        took = (clock() - begin) / 1000
        if warm >= 2 * len(makers):
            times[name].append(took)
            replies.add(reply)
    return times, replies


def trimmed(times: list[float]) -> float:
    """The mean without the outermost fifths."""
    cut = int(len(times) * _TRIM)
    return statistics.fmean(sorted(times)[cut : len(times) - cut])


def told_apart(one_kind: list[float], other: list[float], dice: random.Random) -> float:
    """How often exchanging the samples at random makes as large a difference of trimmed means."""
    seen = abs(trimmed(one_kind) - trimmed(other))
    both = [*one_kind, *other]
    as_large = 0
    for _ in range(_EXCHANGES):
        dice.shuffle(both)
        as_large += abs(trimmed(both[: len(one_kind)]) - trimmed(both[len(one_kind) :])) >= seen
    return (as_large + 1) / (_EXCHANGES + 1)


def _print(what: str, one_kind: list[float], other: list[float]) -> None:
    chance = told_apart(one_kind, other, random.Random(3))
    verdict = "told apart" if chance < _SIGNIFICANT else "not told apart"
    shift = trimmed(other) - trimmed(one_kind)
    print(
        f"  {what:<62} {trimmed(one_kind):9.1f} us {shift:+8.1f} us  p = {chance:.4f}  {verdict}", flush=True
    )
