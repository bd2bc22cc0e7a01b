"""What is counted of requests, over all workers, in the text form of Prometheus.

Labels come from configuration and from enumerations (Reason, Kind, Stage) only, so that no message can make the
table grow; each number has its place from the start (:mod:`wsprovider.server.telemetry.board`).
"""

import platform
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from wsprovider.conversation.request import Kind
from wsprovider.ports import Totals
from wsprovider.server.telemetry.board import Board
from wsprovider.server.telemetry.stages import Stage
from wsprovider.version import __version__
from wsprovider.words.reasons import Reason

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
ANSWERED: Final = "ANSWERED"
"""The label of requests that the service answered."""
BUCKETS: Final = (
    *(0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05),
    *(0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0),
)
"""Upper bounds in seconds: a small request without a signature takes 0.3 ms."""

_OUTCOMES: Final = (ANSWERED, *(reason.name for reason in Reason))
_KINDS: Final = tuple(Kind)
_SPAN: Final = len(BUCKETS) + 2
"""Places of one histogram: its sum, its buckets, and what exceeds the last."""
_STAGES: Final = len(_OUTCOMES) + len(_KINDS)
_WHOLE: Final = _STAGES + len(Stage) * _SPAN
_ROW: Final = _WHOLE + _SPAN
"""Places of one endpoint: outcomes, conversations, stages, the whole."""
_LAYOUT: Final = " ".join(
    (*_OUTCOMES, *(kind.name for kind in _KINDS), *(s.name for s in Stage), *map(str, BUCKETS))
)


@dataclass(frozen=True, slots=True)
class Counted:
    """An endpoint as metrics know it.

    Attributes:
        crosschecked: whether a second engine checks it again.
    """

    service: str
    name: str
    crosschecked: bool = False


class Metrics:
    """How often which endpoint answered or refused, for which Reason, and how long it took.

    Attributes:
        board: where it is counted; a worker that has joined a folder counts for all of them.
    """

    def __init__(self, endpoints: Iterable[Counted] = ()) -> None:
        """Lay out the table."""
        self._rows = {one: place * _ROW for place, one in enumerate(endpoints)}
        self._places = {one.name: place for one, place in self._rows.items()}
        self.board = Board(len(self._rows) * _ROW, "\n".join((_LAYOUT, *self._places)))

    def count(
        self,
        endpoint: str,
        reason: Reason | None,
        seconds: float,
        stages: Mapping[Stage, float] | None = None,
    ) -> None:
        """Note one request.

        Args:
            seconds: from the first look to the finished reply.
            stages: seconds of each stage that has happened.
        """
        row, board = self._places[endpoint], self.board
        with board.lock:
            values = board.values
            values[row if reason is None else row + reason.value] += 1
            _observe(values, row + _WHOLE, seconds)
            for stage, spent in (stages or {}).items():
                _observe(values, row + _STAGES + stage.index * _SPAN, spent)

    def count_conversation(self, endpoint: str, kind: Kind) -> None:
        """Note that a context was issued, renewed or cancelled for a client."""
        with self.board.lock:
            self.board.values[self._places[endpoint] + len(_OUTCOMES) + _KINDS.index(kind)] += 1

    def requests(self, endpoint: str, reason: Reason | None) -> int:
        """How many requests of that endpoint ended that way."""
        return int(self.board.totals()[self._places[endpoint] + (0 if reason is None else reason.value)])

    def text(self, contexts: Totals | None = None, *, own: bool = False) -> str:
        """The exposition format, version 0.0.4.

        Args:
            contexts: what the shared store says of security contexts; None: nothing is said of them.
            own: only what this process has counted.
        """
        totals = self.board.own() if own else self.board.totals()
        lines = [
            *_family("build_info", "gauge", "What runs here.", [(_BUILD, "1")]),
            *_family(
                "workers", "gauge", "Processes that answer requests.", [("", str(self.board.workers()))]
            ),
            *self._requests(totals),
            *self._durations(totals),
            *self._conversations(totals),
        ]
        if contexts is not None:
            lines += _of_the_store(contexts)
        return "\n".join(lines) + "\n"

    def _requests(self, totals: Sequence[float]) -> Iterator[str]:
        """Of each endpoint what has happened; of disagreements zero, too, for an alert waits for them to grow."""
        counts = [
            (f'{_labels(one)},reason="{outcome}"', str(int(totals[row + place])))
            for one, row in self._rows.items()
            for place, outcome in enumerate(_OUTCOMES)
            if totals[row + place]
        ]
        yield from _family("requests_total", "counter", "Requests by endpoint and outcome.", counts)
        disagreements = [
            (_labels(one), str(int(totals[row + Reason.CROSSCHECK.value])))
            for one, row in self._rows.items()
            if one.crosschecked
        ]
        told = "Messages that one engine accepted and the other did not."
        yield from _family("crosscheck_disagreements_total", "counter", told, disagreements)

    def _durations(self, totals: Sequence[float]) -> Iterator[str]:
        spent = [(_labels(one), f"{totals[row + _WHOLE]:.6f}") for one, row in self._rows.items()]
        yield from _family("request_seconds_total", "counter", "Time spent on requests by endpoint.", spent)
        whole = [
            line
            for one, row in self._rows.items()
            for line in _histogram("request_duration_seconds", _labels(one), totals, row + _WHOLE)
        ]
        yield from _family(
            "request_duration_seconds", "histogram", "From the first look to the reply.", whole
        )
        stages = [
            line
            for one, row in self._rows.items()
            for stage in Stage
            for line in _histogram(
                "stage_duration_seconds",
                f'{_labels(one)},stage="{stage.value}"',
                totals,
                row + _STAGES + stage.index * _SPAN,
            )
        ]
        yield from _family("stage_duration_seconds", "histogram", "Of each stage of a request.", stages)

    def _conversations(self, totals: Sequence[float]) -> Iterator[str]:
        asked = [
            (f'{_labels(one)},kind="{kind.value.lower()}"', str(int(totals[row + place])))
            for one, row in self._rows.items()
            for place, kind in enumerate(_KINDS, start=len(_OUTCOMES))
            if totals[row + place]
        ]
        told = "Contexts issued, renewed, cancelled, by endpoint."
        yield from _family("conversation_requests_total", "counter", told, asked)


def _observe(values: "memoryview[float] | MutableSequence[float]", place: int, seconds: float) -> None:
    values[place] += seconds
    values[place + 1 + bisect_left(BUCKETS, seconds)] += 1


def _histogram(name: str, labels: str, totals: Sequence[float], place: int) -> Iterator[str]:
    """The samples of one histogram; none where nothing was observed."""
    counts = list(accumulate(int(one) for one in totals[place + 1 : place + _SPAN]))
    if not counts[-1]:
        return
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        yield f'wsprovider_{name}_bucket{{{labels},le="{bound}"}} {count}'
    yield f"wsprovider_{name}_sum{{{labels}}} {totals[place]:.6f}"
    yield f"wsprovider_{name}_count{{{labels}}} {counts[-1]}"


def _labels(one: Counted) -> str:
    return f'service="{escaped(one.service)}",endpoint="{escaped(one.name)}"'


def _family(name: str, kind: str, told: str, samples: Sequence[tuple[str, str] | str]) -> Iterator[str]:
    """A family's lines, of samples as labels and number or written already; none where there is no sample."""
    if not samples:
        return
    yield f"# HELP wsprovider_{name} {told}"
    yield f"# TYPE wsprovider_{name} {kind}"
    for one in samples:
        yield (
            one if isinstance(one, str) else f"wsprovider_{name}{f'{{{one[0]}}}' if one[0] else ''} {one[1]}"
        )


def _of_the_store(contexts: Totals) -> Iterator[str]:
    """What is the same whichever worker says it: issued = live + ended + expired."""
    live = "Security contexts in the shared store, those kept for their renewal included."
    yield from _family("contexts", "gauge", live, [("", str(contexts.live))])
    for name, what, count in (
        ("issued", "Security contexts that were issued, since the shared store was made.", contexts.kept),
        ("ended", "Security contexts that a client, a check or an operator ended.", contexts.removed),
        ("expired", "Security contexts whose time was over.", contexts.expired),
    ):
        yield from _family(f"contexts_{name}_total", "counter", what, [("", str(count))])


def escaped(label: str) -> str:
    """A label's value as it stands between quotation marks."""
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


_BUILD: Final = f'version="{escaped(__version__)}",python="{escaped(platform.python_version())}"'
