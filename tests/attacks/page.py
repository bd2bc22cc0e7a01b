"""``docs/attacks.md``: the tables of bad inputs, and what became of them over HTTP.

The live tests leave what they saw in ``var/attacks.json``; ``python -m tests.attacks.page`` makes the page of it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.attacks.beside import BESIDE, ELSEWHERE
from tests.attacks.rows import Row
from tests.attacks.test_catalogue import ROWS, TABLES
from tests.live.broken_frames import FRAMES

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "attacks.md"
SEEN = ROOT / "var" / "attacks.json"
SENDERS = ("HTTP", "CXF", "WSS4J", "Rampart")
Verdicts = Mapping[str, Mapping[str, str]]
"""By the row's number among all rows: what came of its message, by who wrote the genuine one."""

GROUPS = {
    "A": "Documents and parsers",
    "B": "HTTP, MIME, transport",
    "C": "SOAP",
    "D": "The Security header",
    "E": "Signature wrapping",
    "F": "Signatures otherwise",
    "G": "Keys, certificates, trust",
    "H": "Cost of signatures",
    "I": "Encryption",
    "J": "Time and replay",
    "K": "Username tokens",
    "L": "Secure conversations",
    "M": "SAML tokens",
    "N": "Kerberos tickets",
    "O": "WS-Addressing",
    "P": "Faults, logs, oracles",
}
HEAD = """# Bad inputs, and what becomes of them

Written by `python -m tests.attacks.page` from the tables of the tests and from what a run of the live tests saw; a test
holds the page against both. Each row bends one genuine message of the scenario named. It is refused with the Reason
shown (which only the log and the metric see), by the one uniform fault (or, where a security context or a request for
one is at fault, by the one that WS-SecureConversation or WS-Trust names), without a change of state and without a call of
the service; and the genuine message is accepted afterwards.

Every row is run by functions (`tests/attacks/test_<module>.py`) and once more over HTTP to gunicorn with two workers
(`tests/live/test_catalogue_http.py`; column HTTP). The columns CXF, WSS4J and Rampart are the same change made to messages that
those clients wrote, held back on their way and sent to gunicorn bent, then as they were
(`tests/live/test_catalogue_recorded.py`): refused with the same Reason; or with the one named; or empty, where the change does not
apply to that client's message (it makes a message of its own, or names what is not there), or the scenario is not recorded.
What needs more than one message, many variants, or a count stands in tests of its own, named at the end of each group.
"""


def page(verdicts: Verdicts) -> str:
    """The whole page."""
    modules = {id(row): name for name, table in TABLES.items() for row in table}
    numbered = sorted(enumerate(ROWS), key=lambda pair: pair[1].id)
    lines = [HEAD]
    for group, title in GROUPS.items():
        lines.append(f"## {group}: {title}\n")
        if group == "B":
            lines += [*lines_of_frames(), ""]
        rows = [(number, row) for number, row in numbered if row.id.startswith(group)]
        if rows:
            lines.append(f"| entry | input | scenario | module | Reason | {' | '.join(SENDERS)} |")
            lines.append("| --- " * (5 + len(SENDERS)) + "|")
        for number, row in rows:
            seen = verdicts.get(str(number), {})
            cells = [seen.get(sender, "") for sender in SENDERS]
            reasons = ", ".join(reason.name for reason in row.reasons)
            lines.append(
                f"{beginning(row)} {row.scenario} | {modules[id(row)]} | {reasons} | {' | '.join(cells)} |"
            )
        if rows:
            lines.append("")
        lines += [*lines_beside(group), ""]
    return "\n".join(lines).rstrip() + "\n"


def beginning(row: Row) -> str:
    """How a row's line begins."""
    name = row.id[4:].replace("|", "/").replace("\n", " ").strip() or "-"
    return f"| {row.id[:3]} | {name} |"


def lines_of_frames() -> list[str]:
    """What is wrong around a message, which is genuine."""
    lines = [
        "Each row is a genuine message of scenario 3 in a frame that is none, over a real socket to gunicorn",
        "(`tests/live/test_broken_peers.py`), with another genuine request behind it on the same connection. The message is",
        "never executed, and nor is what follows it, unless the frame tells where that begins; both are accepted afterwards.",
        "",
        "| entry | frame | status | what follows |",
        "| --- | --- | --- | --- |",
    ]
    for frame in FRAMES:
        statuses = " or ".join(str(status) for status in frame.statuses)
        follows = "is answered" if frame.then else "is not read"
        lines.append(f"| {frame.entry} | {frame.name.replace('|', '/')} | {statuses} | {follows} |")
    return lines


def lines_beside(group: str) -> list[str]:
    """What is shown in tests of its own, or cannot apply."""
    lines = [
        f"- {name}: " + ", ".join(f"`{place}`" for place in places)
        for name, places in sorted(BESIDE.items())
        if name.startswith(group)
    ]
    return lines + [f"- {name}: {why}" for name, why in sorted(ELSEWHERE.items()) if name.startswith(group)]


if __name__ == "__main__":
    TARGET.write_text(page(json.loads(SEEN.read_text(encoding="utf-8"))), encoding="utf-8")
