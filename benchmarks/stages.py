"""Where the time of one call goes: stage by stage, beside the budget.

    python -m benchmarks stages [--scenario 8] [--suite Basic256] [--size 1000]

Stages marked ``*`` are the floor's work (cryptography, parsing, canonical form, the join); the others are
what the engine adds, which the budget is for.
"""

import argparse
from typing import Final

from benchmarks import machine, payloads
from benchmarks.exchanges import SCENARIOS, Exchanges
from benchmarks.spans import Ledger, Probe, booked

_CALLS: Final = 30
_BUDGET: Final = {"5": 0.20}

_CRYPTOGRAPHY: Final = "* cryptography: RSA"
_SYMMETRIC: Final = "* cryptography: HMAC, AES, digests"

PROBES: Final = (
    Probe("wsprovider.exchange.recipient:Recipient.accept", "accept: the rest"),
    Probe("wsprovider.exchange.recipient:parse", "* parse"),
    Probe("wsprovider.xml.splice:parse", "* parse what was decrypted"),
    Probe("wsprovider.inbound.examine:collect", "ids"),
    Probe("wsprovider.soap.envelope:read", "envelope"),
    Probe("wsprovider.soap.envelope:check_understood", "envelope"),
    Probe("wsprovider.inbound.examine:examine", "examine: the rest"),
    Probe("wsprovider.inbound.examine:read", "read the header"),
    Probe("wsprovider.inbound.examine:read_children", "read the header"),
    Probe("wsprovider.inbound.examine:open_signature", "open signatures"),
    Probe("wsprovider.inbound.keys:Certificate.from_der", "certificates and trust"),
    Probe("wsprovider.keyring.ring:RingSnapshot.trust", "certificates and trust"),
    Probe("wsprovider.inbound.opening:verify_asymmetric", _CRYPTOGRAPHY),
    Probe("wsprovider.inbound.opening:verify_symmetric", _SYMMETRIC),
    Probe("wsprovider.inbound.keys:unwrap_key", _CRYPTOGRAPHY),
    Probe("wsprovider.inbound.keys:p_sha1", _SYMMETRIC),
    Probe("wsprovider.inbound.decrypting:decrypt_alike", _SYMMETRIC),
    Probe("wsprovider.inbound.examine:find", "find what is encrypted, and its keys"),
    Probe("wsprovider.inbound.examine:resolve", "find what is encrypted, and its keys"),
    Probe("wsprovider.inbound.examine:decrypt_found", "find what is encrypted, and its keys"),
    Probe("wsprovider.inbound.examine:splice", "splice"),
    Probe("wsprovider.inbound.examine:digest_reference", "close references"),
    Probe("wsprovider.xml.canonical:exclusive", "* canonical form"),
    Probe("wsprovider.crypto.algorithms:DigestRow.digest", _SYMMETRIC),
    Probe("wsprovider.inbound.examine:_Examination._evidence", "evidence"),
    Probe("wsprovider.exchange.recipient:judge", "judge"),
    Probe("wsprovider.exchange.callers:authenticate", "authenticate"),
    Probe("wsprovider.conversation.contexts:Contexts.find", "contexts (memory)"),
    Probe("wsprovider.exchange.replay:Replay.check", "replay store (memory)"),
    Probe("wsprovider.exchange.replay:Replay.remember", "replay store (memory)"),
    Probe("wsprovider.exchange.recipient:Recipient.reply", "reply: the rest"),
    Probe("wsprovider.exchange.recipient:write", "write the reply"),
    Probe("wsprovider.outbound.write:make_body", "* join the Body"),
    Probe("wsprovider.outbound.write:_Writer._assemble", "* join the reply"),
    Probe("wsprovider.outbound.keys:wrap_key", _CRYPTOGRAPHY),
    Probe("wsprovider.outbound.signing:sign_asymmetric", _CRYPTOGRAPHY),
    Probe("wsprovider.outbound.signing:sign_symmetric", _SYMMETRIC),
    Probe("wsprovider.outbound.write:encrypt", _SYMMETRIC),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="default: 2, 3, 5 and 8")
    parser.add_argument("--suite")
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=15)


def run(options: argparse.Namespace) -> None:
    """Print the table: microseconds a call and reply by stage."""
    chosen = options.scenario or ["2", "3", "5", "8"]
    columns = {number: _column(number, options) for number in chosen}
    stages = sorted(
        {stage for column in columns.values() for stage in column},
        key=lambda stage: (not stage.startswith("*"), -columns[chosen[-1]].get(stage, 0.0)),
    )
    print(machine.describe())
    print("microseconds a request and reply, least of rounds; * is the floor's own work\n")
    print(f"| stage | {' | '.join(chosen)} |")
    print("|" + " --- |" * (len(chosen) + 1))
    for stage in stages:
        print(f"| {stage} | {' | '.join(_cell(columns[number].get(stage)) for number in chosen)} |")
    for name, floor in (("floor's work", True), ("the engine's own", False)):
        sums = [
            sum(t for stage, t in columns[number].items() if stage.startswith("*") is floor)
            for number in chosen
        ]
        print(f"| **{name}** | {' | '.join(_cell(one) for one in sums)} |")
    budget = [_cell(_BUDGET.get(number, 0.15) * 1000) for number in chosen]
    print(f"| budget for the engine's own | {' | '.join(budget)} |")


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _column(number: str, options: argparse.Namespace) -> dict[str, float]:
    make = payloads.text if options.size <= 2_000 else payloads.elements
    exchanges = Exchanges(number, make(options.size), suite=options.suite)
    rounds: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for stage, seconds in _round(exchanges).seconds.items():
            rounds.setdefault(stage, []).append(seconds / _CALLS * 1e6)
    return {stage: min(values) for stage, values in rounds.items()}


def _round(exchanges: Exchanges) -> Ledger:
    messages = exchanges.make(_CALLS)
    with booked(PROBES) as ledger:
        for message in messages:
            exchanges.call(message)
    return ledger
