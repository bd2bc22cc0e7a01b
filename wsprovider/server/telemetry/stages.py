"""The stages of a request, and the watch that takes their times."""

from enum import Enum
from time import perf_counter
from typing import Protocol


class Stage(Enum):
    """What the time of a request goes into; a refused one has fewer of them.

    Attributes:
        index: its place among them.
        said: its value, without Enum's detour.
    """

    PARSE = "parse"
    VERIFY = "verify"
    SERVICE = "service"
    PROTECT = "protect"

    index: int
    said: str

    def __init__(self, value: str) -> None:
        self.index, self.said = len(type(self).__members__), value

    __hash__ = object.__hash__  # Enum's own goes by the name, in Python, at every look-up


class Follower(Protocol):
    """Told of each stage as it begins and ends, in the thread that works on the request."""

    def begin(self, stage: Stage) -> None:
        """A stage begins."""
        ...

    def end(self) -> None:
        """The last stage that began is over."""
        ...


class Stopwatch:
    """Takes the times of one request's stages; one after the other, never two at a time.

    Attributes:
        started: when the request came, by ``time.perf_counter``.
        times: seconds by stage, of those that have happened.
    """

    __slots__ = ("_follower", "_since", "_stage", "started", "times")

    def __init__(self, follower: Follower | None = None) -> None:
        """Start without a stage.

        Args:
            follower: told of the stages too.
        """
        self.started = perf_counter()
        self.times: dict[Stage, float] = {}
        self._stage: Stage | None = None
        self._since = 0.0
        self._follower = follower

    def begin(self, stage: Stage) -> None:
        """End the stage before, if there is one, and begin another."""
        self.end()
        self._stage = stage
        if self._follower is not None:
            self._follower.begin(stage)
        self._since = perf_counter()

    def verify(self) -> None:
        """The message is parsed."""
        self.begin(Stage.VERIFY)

    def end(self) -> None:
        """End the stage; nothing happens where there is none."""
        if self._stage is None:
            return
        self.times[self._stage] = perf_counter() - self._since
        self._stage = None
        if self._follower is not None:
            self._follower.end()
