"""An explanation as text for a terminal; colours only where they are asked for."""

from collections.abc import Iterator
from typing import Final

from wsprovider.explain.report import Demand, Item, Report, Spot, Standing, Trouble, WayReport
from wsprovider.words.printable import printable

WARNING: Final = "What follows holds decrypted content and passwords: keep it to yourself."
_MARKS: Final = {
    Standing.HOLDS: "[ok]",
    Standing.FAILS: "[!!]",
    Standing.OPEN: "[..]",
    Standing.TOLD: "[--]",
}
_COLOURS: Final = {
    Standing.HOLDS: "\x1b[32m",
    Standing.FAILS: "\x1b[1;31m",
    Standing.OPEN: "\x1b[2m",
    Standing.TOLD: "",
}
_BOLD: Final = "\x1b[1m"
_PLAIN: Final = "\x1b[0m"


class Text:
    """Writes a report as lines."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def lines(self, report: Report) -> Iterator[str]:
        """Every line; nothing in them moves a cursor, or is coloured by the message."""
        if report.contents:
            yield self._in(WARNING, _COLOURS[Standing.FAILS])
        standing = Standing.HOLDS if report.accepted else Standing.FAILS
        yield self._in(printable(report.headline), _COLOURS[standing])
        for line in report.advice:
            yield f"  {printable(line)}"
        yield ""
        width = max(len(name) for name, _ in report.circumstances)
        for name, value in report.circumstances:
            yield f"{printable(name):<{width}}  {printable(value)}"
        yield from self._demands(report)
        if report.items:
            yield from self._heading("What the message holds")
            for item in report.items:
                yield from self._item(item, "")
        for spot, content in report.contents:
            yield from self._content(spot, content)

    def _demands(self, report: Report) -> Iterator[str]:
        for way in report.ways:
            if way.closest:
                yield from self._heading(f"What the policy demands: {way.name}")
                for demand in way.demands:
                    yield from self._demand(demand)
        if report.steps:
            yield from self._heading("What the service asks then")
            for demand in report.steps:
                yield from self._demand(demand)
        others = [way for way in report.ways if not way.closest]
        if others:
            yield from self._heading("Other ways that a message may come by")
            yield from (self._other(way) for way in others)

    def _other(self, way: WayReport) -> str:
        missing = next((one.words for one in way.demands if one.standing is Standing.FAILS), "")
        if not way.missing:
            return f"     {way.name}: nothing is missing"
        return f"     {way.name}: {way.missing} not met, such as: {printable(missing)}"

    def _demand(self, demand: Demand) -> Iterator[str]:
        yield f"{self._mark(demand.standing)} {printable(demand.words)}"
        yield from (self._trouble(one, "     ") for one in demand.troubles)

    def _item(self, item: Item, indent: str) -> Iterator[str]:
        spot = "" if item.spot is None else f"  {printable(str(item.spot))}"
        yield f"{indent}{self._mark(item.standing)} {self._in(printable(item.title), _BOLD)}{spot}"
        for name, value in item.facts:
            yield f"{indent}     {printable(name)}: {printable(value)}"
        yield from (self._trouble(one, f"{indent}     ") for one in item.troubles)
        for part in item.parts:
            yield from self._item(part, f"{indent}     ")

    def _trouble(self, trouble: Trouble, indent: str) -> str:
        spot = "" if trouble.spot is None else f"  at {printable(str(trouble.spot))}"
        return f"{indent}{self._in(trouble.text, _COLOURS[Standing.FAILS])}{spot}"

    def _content(self, spot: Spot, content: str) -> Iterator[str]:
        yield from self._heading(f"Decrypted: {printable(str(spot))}")
        yield printable(content)

    def _heading(self, words: str) -> Iterator[str]:
        yield ""
        yield self._in(words, _BOLD)

    def _mark(self, standing: Standing) -> str:
        return self._in(_MARKS[standing], _COLOURS[standing])

    def _in(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour and colour else text
