"""An explanation as data: the same for the terminal and for the page.

Every text that a message can choose is bounded and on one line when it gets here (:func:`shown`); what must
not be seen without being asked for is left out when a report is made, not when it is written.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.printable import printable
from wsprovider.words.reasons import Reason

LONGEST: Final = 300
"""Characters of one text out of a message."""

Refusal = WSSecurityError | SoapError


class Standing(Enum):
    """How something stands."""

    HOLDS = "ok"
    FAILS = "wrong"
    OPEN = "not reached"
    TOLD = "-"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the message.

    Attributes:
        path: of local names, counted where several siblings share one.
        line, column: where its start tag begins, from 1; None where that cannot be told.
        decrypted: it shows after decryption only; line and column are those of the cipher text then.
    """

    path: str
    line: int | None = None
    column: int | None = None
    decrypted: bool = False

    def __str__(self) -> str:
        position = "" if self.line is None else f" line {self.line}, column {self.column}"
        return f"{self.path}{position}{', after decryption' if self.decrypted else ''}"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that does not hold, and where."""

    reason: Reason
    detail: str = ""
    spot: Spot | None = None

    @property
    def text(self) -> str:
        """Reason and detail on one line."""
        return f"{self.reason.name}: {shown(self.detail)}" if self.detail else self.reason.name


Fact = tuple[str, str]
"""A name and what there is to say of it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A part of the message, by itself.

    Attributes:
        parts: such as the References of a Signature.
    """

    title: str
    spot: Spot | None
    standing: Standing
    facts: tuple[Fact, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    parts: "tuple[Item, ...]" = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that the policy, or the service, demands."""

    words: str
    standing: Standing
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class WayReport:
    """One of the ways in which a message may be protected, held against what the message has shown.

    Attributes:
        index: of the way.
        closest: it is the one the message met, or came closest to.
    """

    index: int
    name: str
    demands: tuple[Demand, ...]
    closest: bool

    @property
    def missing(self) -> int:
        """How many demands are not met."""
        return sum(one.standing is Standing.FAILS for one in self.demands)


@dataclass(frozen=True, slots=True)
class Report:
    """The explanation of one message.

    Attributes:
        headline: one sentence: accepted as whom, or refused and why.
        trouble: what refused it; None when it was accepted.
        advice: what to do about it.
        circumstances: message, endpoint, clock, transport.
        ways: the closest one first.
        steps: what is asked once the policy is met.
        items: the parts of the message.
        contents: what was decrypted, where that was asked for.
    """

    headline: str
    trouble: Trouble | None
    advice: tuple[str, ...]
    circumstances: tuple[Fact, ...]
    ways: tuple[WayReport, ...]
    steps: tuple[Demand, ...]
    items: tuple[Item, ...]
    contents: tuple[tuple[Spot, str], ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the message was accepted."""
        return self.trouble is None


def detail_of(error: Refusal) -> str:
    """A refusal's detail; of what was decrypted only as much as quotes nothing of it, as a parser's words would."""
    return error.detail.partition(":")[0] if error.reason is Reason.DECRYPTED_STRUCTURE else error.detail


def shown(text: str, longest: int = LONGEST) -> str:
    """A text out of a message: bounded, on one line, and without a character that moves a cursor."""
    return printable(text[:longest]) + ("..." if len(text) > longest else "")
