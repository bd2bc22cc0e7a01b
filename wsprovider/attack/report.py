"""A report: as lines for people, as JSON, and as JUnit's XML for whatever runs a pipeline."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from wsprovider.attack.catalogue import GROUPS
from wsprovider.attack.runner import Report, Row
from wsprovider.attack.verdict import Outcome
from wsprovider.words.printable import printable

_COLUMNS: Final = {
    Outcome.REFUSED: "refused",
    Outcome.OTHERWISE: "otherwise",
    Outcome.ACCEPTED: "ACCEPTED",
    Outcome.SLOW: "SLOW",
    Outcome.NO_ANSWER: "NO ANSWER",
    Outcome.LEAK: "LEAK",
    Outcome.NOT_APPLICABLE: "n/a",
}
_WIDTH: Final = 29


def line(row: Row) -> str:
    """One variant in one line."""
    told = f": {row.verdict.note}" if row.verdict.note else ""
    return f"{row.verdict.outcome.value:<17} {row.step.value:<8} {row.variant.name}{told}"


def lines(report: Report) -> Iterator[str]:
    """The report: what was sent by groups, the findings, and the sentence at the end."""
    counts = Counter((row.variant.entry[0], row.verdict.outcome) for row in report.rows)
    yield " " * _WIDTH + "".join(f"{title:>11}" for title in _COLUMNS.values())
    for group, title in GROUPS.items():
        cells = [counts[group, outcome] for outcome in _COLUMNS]
        if any(cells):
            yield f"{group} {title}".ljust(_WIDTH) + "".join(f"{cell or '-':>11}" for cell in cells)
    yield ""
    for row in report.findings:
        yield line(row)
    yield sentence(report)


def sentence(report: Report) -> str:
    """What it comes to."""
    sent = sum(row.verdict.outcome is not Outcome.NOT_APPLICABLE for row in report.rows)
    good = f"{report.good} good messages were accepted, {report.usual * 1000:.1f} ms each"
    findings = len(report.findings)
    found = f"{findings} finding{'s' if findings != 1 else ''} in {sent} variants"
    if report.no_verdict is not None:
        return f"no verdict: {printable(report.no_verdict)} ({found}; {good})"
    if findings:
        return f"{found}; {good}"
    return f"all {sent} variants were refused; {good}"


def document(report: Report) -> str:
    """The report in JSON; for programs."""
    rows: list[dict[str, Any]] = [
        {
            "entry": row.variant.entry,
            "variant": row.variant.what,
            "message": row.step.value,
            "sender": row.variant.sender.name.lower(),
            "outcome": row.verdict.outcome.name.lower(),
            "finding": row.verdict.outcome.finding,
            "note": row.verdict.note,
            "status": row.status,
            "seconds": round(row.seconds, 6),
        }
        for row in report.rows
    ]
    told = {
        "exit_code": report.exit_code,
        "no_verdict": report.no_verdict,
        "good_messages": report.good,
        "usual_seconds": round(report.usual, 6),
        "findings": len(report.findings),
        "rows": rows,
    }
    return f"{json.dumps(told, indent=1, ensure_ascii=False)}\n"


def junit(report: Report, name: str) -> bytes:
    """The report as a test suite: findings are failures, a test without a verdict is an error.

    Args:
        name: of the suite.
    """
    suite = etree.Element("testsuite", name=name, failures=str(len(report.findings)))
    for row in report.rows:
        case = etree.SubElement(
            suite,
            "testcase",
            classname=f"{name}.{row.step.value}",
            name=row.variant.name,
            time=f"{row.seconds:.3f}",
        )
        if row.verdict.outcome is Outcome.NOT_APPLICABLE:
            etree.SubElement(case, "skipped", message=printable(row.verdict.note))
        elif row.verdict.outcome.finding:
            etree.SubElement(
                case, "failure", type=row.verdict.outcome.name, message=printable(row.verdict.note)
            )
    if report.no_verdict is not None:
        case = etree.SubElement(suite, "testcase", classname=name, name="good messages")
        etree.SubElement(case, "error", message=printable(report.no_verdict))
    suite.set("tests", str(len(suite)))
    suite.set("errors", "0" if report.no_verdict is None else "1")
    return etree.tostring(suite, encoding="UTF-8", xml_declaration=True, pretty_print=True)
