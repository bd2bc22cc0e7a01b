"""``docs/attacks.md``, written from the tables of bad inputs: ``python -m tests.attacks.page``."""

from collections import defaultdict
from pathlib import Path

from tests.attacks.test_catalogue import BESIDE, ELSEWHERE, TABLES
from tests.live.broken_frames import FRAMES

TARGET = Path(__file__).resolve().parents[2] / "docs" / "attacks.md"
GROUPS = {
    "A": "Documents and parsers",
    "B": "HTTP and transport",
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
    "N": "Kerberos tickets",
    "O": "WS-Addressing",
    "P": "Faults, logs, oracles",
}
HEAD = """# Bad inputs, and what becomes of them

Written by `python -m tests.attacks.page` from the tables that the tests run; a test holds the page against them. Each row
bends one genuine message of the scenario named. It is refused with the Reason shown (which only the log and the metric
see), by the one uniform fault (or, where a security context or a request for one is at fault, by the one that
WS-SecureConversation or WS-Trust names), without a change of state; and the genuine message is accepted afterwards. Rows
that need more than one message, many variants, or a count stand in modules of their own, named at the end of each group.
"""


def page() -> str:
    """The whole page."""
    rows = sorted((row for table in TABLES for row in table), key=lambda row: row.id)
    lines = [HEAD]
    for group, title in GROUPS.items():
        lines += [f"## {group}: {title}\n"]
        if group == "B":
            lines += [*_frames(), "", *_others(group)]
            continue
        lines += ["| entry | input | scenario | Reason |", "| --- | --- | --- | --- |"]
        for row in rows:
            if row.id.startswith(group):
                reasons = ", ".join(reason.name for reason in row.reasons)
                name = row.id[4:].replace("|", "\\|").replace("\n", " ") or "-"
                lines.append(f"| {row.id[:3]} | {name} | {row.scenario} | {reasons} |")
        lines += ["", *_others(group)]
    return "\n".join(lines).rstrip() + "\n"


def _frames() -> list[str]:
    """What is wrong around a message, which is genuine."""
    lines = [
        "Each row is a genuine message of scenario 3 in a frame that is none, over a real socket to gunicorn, with",
        "another genuine request behind it on the same connection. The message is never executed, and nor is what",
        "follows it, unless the frame tells where that begins; both are accepted afterwards.",
        "",
        "| entry | frame | status | what follows |",
        "| --- | --- | --- | --- |",
    ]
    for frame in FRAMES:
        statuses = " or ".join(str(status) for status in frame.statuses)
        name = frame.name.replace("|", "\\|")
        follows = "is answered" if frame.then else "is not read"
        lines.append(f"| {frame.entry} | {name} | {statuses} | {follows} |")
    return lines


def _others(group: str) -> list[str]:
    beside: dict[str, list[str]] = defaultdict(list)
    for module, names in BESIDE.items():
        for name in names.split():
            if name.startswith(group):
                beside[module].append(name)
    lines = [f"- `{module}`: {', '.join(sorted(names))}" for module, names in beside.items()]
    lines += [f"- {name}: {why}" for name, why in ELSEWHERE.items() if name.startswith(group)]
    return [*lines, ""] if lines else []


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
