"""An explanation as one HTML page: no script, nothing fetched from anywhere, readable in print.

Whatever a message chose is text: escaped, and never part of a tag, an address or a style. The page tells the
browser the same (Content-Security-Policy), should something be wrong here.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from wsprovider.explain.report import Demand, Fact, Item, Report, Standing, Trouble
from wsprovider.explain.text import WARNING
from wsprovider.words.printable import printable

_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #1b1b1b; }
h1 { font-size: 1.25em; padding: .6em .8em; border-left: .4em solid; overflow-wrap: anywhere; }
h2 { font-size: 1.1em; margin-top: 1.8em; border-bottom: 1px solid #bbb; }
h1.ok { color: #14532d; background: #ecfdf3; } h1.wrong { color: #7f1d1d; background: #fef2f2; }
.ok > .mark { color: #15803d; } .wrong > .mark, .trouble { color: #b91c1c; } .open { color: #6b6b6b; }
.mark { display: inline-block; width: 1.4em; font-weight: bold; }
.spot { color: #555; font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.trouble { margin-left: 1.6em; overflow-wrap: anywhere; }
ul { list-style: none; padding-left: 0; } ul ul { padding-left: 1.6em; } li { margin: .35em 0; break-inside: avoid; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; margin: .2em 0 .2em 1.6em; }
dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5; padding: .8em; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } }
"""
_MARKS: Final = {
    Standing.HOLDS: ("ok", "\N{CHECK MARK}"),
    Standing.FAILS: ("wrong", "\N{BALLOT X}"),
    Standing.OPEN: ("open", "\N{HORIZONTAL ELLIPSIS}"),
    Standing.TOLD: ("told", "\N{MIDDLE DOT}"),
}


def page(report: Report) -> str:
    """The whole page; well-formed as XML, too."""
    return "".join(_page(report))


def _page(report: Report) -> Iterator[str]:
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>"
        f"<title>{'Accepted' if report.accepted else 'Refused'}: a message explained</title>"
        f"<style>{_STYLE}</style></head><body>\n"
    )
    if report.contents:
        yield f'<p class="trouble">{WARNING}</p>\n'
    yield f'<h1 class="{"ok" if report.accepted else "wrong"}">{_text(report.headline)}</h1>\n'
    yield from (f"<p>{_text(line)}</p>\n" for line in report.advice)
    yield from _facts(report.circumstances)
    for way in report.ways:
        heading = "What the policy demands" if way.closest else "Another way that a message may come by"
        yield f"<h2>{heading}: {_text(way.name)}</h2>\n"
        yield from _demands(way.demands)
    if report.steps:
        yield "<h2>What the service asks then</h2>\n"
        yield from _demands(report.steps)
    if report.items:
        yield "<h2>What the message holds</h2>\n"
        yield from _items(report.items)
    for spot, content in report.contents:
        yield f"<h2>Decrypted: {_text(str(spot))}</h2>\n<pre>{_text(content)}</pre>\n"
    yield "</body></html>\n"


def _demands(demands: Iterable[Demand]) -> Iterator[str]:
    yield "<ul>\n"
    for demand in demands:
        yield f"<li {_class(demand.standing)}>{_mark(demand.standing)}{_text(demand.words)}"
        yield from _troubles(demand.troubles)
        yield "</li>\n"
    yield "</ul>\n"


def _items(items: Iterable[Item]) -> Iterator[str]:
    yield "<ul>\n"
    for item in items:
        spot = "" if item.spot is None else f' <span class="spot">{_text(str(item.spot))}</span>'
        yield f"<li {_class(item.standing)}>{_mark(item.standing)}<strong>{_text(item.title)}</strong>{spot}"
        yield from _facts(item.facts)
        yield from _troubles(item.troubles)
        if item.parts:
            yield from _items(item.parts)
        yield "</li>\n"
    yield "</ul>\n"


def _facts(facts: Iterable[Fact]) -> Iterator[str]:
    told = [f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts]
    if told:
        yield f"<dl>{''.join(told)}</dl>\n"


def _troubles(troubles: Iterable[Trouble]) -> Iterator[str]:
    for trouble in troubles:
        spot = "" if trouble.spot is None else f' <span class="spot">at {_text(str(trouble.spot))}</span>'
        yield f'<div class="trouble">{_text(trouble.text)}{spot}</div>\n'


def _class(standing: Standing) -> str:
    return f'class="{_MARKS[standing][0]}"'


def _mark(standing: Standing) -> str:
    return f'<span class="mark">{_MARKS[standing][1]}</span>'


def _text(text: str) -> str:
    return escape(printable(text))
