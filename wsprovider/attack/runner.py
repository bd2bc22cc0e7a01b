"""The self-test itself: good messages, and the variants between them, one after the other.

The good message must be accepted first, last and every so often: a service that refuses everything has shown
nothing. A partner's changes count only where a harmless one of them is accepted.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Final

from wsprovider.attack.bend import Change, Unbendable, text
from wsprovider.attack.caller import Caller, Genuine, Step
from wsprovider.attack.catalogue.tokens import CREATED, EXPIRES
from wsprovider.attack.forge import reencrypt
from wsprovider.attack.line import Answer, Letter, Lost, Post
from wsprovider.attack.variants import BODY_DATA, Answers, Variant, sealable, sent
from wsprovider.attack.verdict import Outcome, Verdict, verdict
from wsprovider.header.times import format_time
from wsprovider.words.errors import SoapError, WSSecurityError

EVERY: Final = 25
"""Variants between two good messages."""
PATIENCE: Final = 20
"""Variants that may be slow, or be left without an answer, before the rest is not sent."""
_GOOD: Final = 5
_PADDING: Final = 256_000
_FACTOR: Final = 20
_SURE: Final = 2


class NoVerdict(Exception):
    """Good messages are not accepted, so that refusals show nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one variant.

    Attributes:
        status: of HTTP; None without an answer.
        seconds: that the answer took.
    """

    variant: Variant
    step: Step
    verdict: Verdict
    status: int | None = None
    seconds: float = 0.0


@dataclass(slots=True)
class Report:
    """What became of all of them.

    Attributes:
        good: good messages that were accepted.
        usual: seconds that one took.
        no_verdict: why the test stopped; None when it was carried out.
    """

    rows: list[Row] = field(default_factory=list)
    good: int = 0
    usual: float = 0.0
    no_verdict: str | None = None

    @property
    def findings(self) -> list[Row]:
        """What somebody has to look at."""
        return [row for row in self.rows if row.verdict.outcome.finding]

    @property
    def exit_code(self) -> int:
        """1 with findings, 3 without a verdict, else 0."""
        if self.findings:
            return 1
        return 0 if self.no_verdict is None else 3


class Runner:
    """One self-test of one endpoint."""

    def __init__(
        self,
        caller: Caller,
        post: Post,
        *,
        slow: float,
        tell: Callable[[Row], None] = lambda _: None,
    ) -> None:
        """Send nothing yet.

        Args:
            slow: seconds that an answer may take in any case.
            tell: told of each row.
        """
        self._caller, self._post, self._slow, self._tell = caller, post, slow, tell
        self._report = Report()
        self._per_byte, self._patience = 0.0, PATIENCE

    def run(self, variants: Sequence[Variant]) -> Report:
        """Send all of them.

        Raises:
            ConfigurationError: a key or credential that the policy needs is not there.
        """
        report = self._report
        try:
            self._begin()
            for step in self._caller.steps:
                self._send(step, variants)
            self._good(self._caller.steps)
        except NoVerdict as error:
            report.no_verdict = str(error)
        # a service that answers nothing any more forgets its contexts by itself
        with contextlib.suppress(Lost, WSSecurityError, SoapError):
            self._caller.close(self._post)
        return report

    # good messages ---------------------------------------------------------------------------

    def _begin(self) -> None:
        """Open, and learn how long good messages take, and what a partner may change."""
        try:
            self._caller.open(self._post)
        except (WSSecurityError, SoapError, Lost) as error:
            raise NoVerdict(f"no conversation could be opened: {error}") from None
        times = [self._good([Step.CALL]) for _ in range(_GOOD)]
        self._report.usual = median(times)
        self._per_byte = self._padded() / _PADDING
        for step in self._caller.steps:
            if (why := self._harmless(step)) is not None:
                self._caller.unsure[step] = why

    def _good(self, steps: Iterable[Step]) -> float:
        """One good message of each kind; how long the last one took.

        Raises:
            NoVerdict: it is not accepted.
        """
        seconds = 0.0
        for step in steps:
            genuine = self._caller.genuine(step)
            seconds = self._accepted(genuine).seconds
        try:
            self._caller.release(self._post)
        except (WSSecurityError, SoapError, Lost) as error:
            raise NoVerdict(f"a context could not be given up: {error}") from None
        return seconds

    def _accepted(self, genuine: Genuine) -> Answer:
        what = f"the good {genuine.step.value}"
        try:
            answer = self._post(genuine.letter)
        except Lost as error:
            raise NoVerdict(f"{what} is not answered: {error}") from None
        refused = self._caller.taken(genuine, answer)
        if refused is not None:
            said = verdict(answer, Answers.ANY)
            raise NoVerdict(f"{what} is not accepted: {refused}; {said.note or 'the uniform security fault'}")
        self._report.good += 1
        return answer

    def _padded(self) -> float:
        """How long a good message takes that is longer, by white space behind it; 0 where it is not let in."""
        genuine = self._caller.genuine(Step.CALL)
        try:
            answer = self._post(sent(genuine, genuine.data + b" " * _PADDING))
        except Lost:
            return 0.0
        if self._caller.taken(genuine, answer) is not None:
            return 0.0
        self._report.good += 1
        return answer.seconds

    def _harmless(self, step: Step) -> str | None:
        """Why changes of a partner show nothing here; None when harmless ones were accepted."""
        genuine = self._caller.genuine(step)
        begin = self._caller.now - timedelta(seconds=5)
        life = self._caller.ourselves.freshness.life
        several: list[Change] = [text(CREATED, format_time(begin)), text(EXPIRES, format_time(begin + life))]
        if sealable(genuine) and genuine.has(BODY_DATA):
            several.append(reencrypt(BODY_DATA, genuine.secret, bytes))
        try:
            changed = genuine.as_sent(genuine.forged(*several))
        except Unbendable as error:
            return str(error)
        try:
            self._accepted(changed)
        except NoVerdict as error:
            return f"a harmless change does not hold: {error}"
        return None

    # variants --------------------------------------------------------------------------------

    def _send(self, step: Step, variants: Sequence[Variant]) -> None:
        since = 0
        for variant in variants:
            if step not in variant.steps:
                continue
            row = self._one(step, variant)
            self._report.rows.append(row)
            self._tell(row)
            since += row.verdict.outcome is not Outcome.NOT_APPLICABLE
            if row.verdict.outcome.finding or since >= EVERY:
                self._good([step])
                since = 0
            self._patience -= row.verdict.outcome in (Outcome.SLOW, Outcome.NO_ANSWER)
            if self._patience == 0:
                raise NoVerdict(f"{PATIENCE} variants were slow or not answered, which is enough")

    def _one(self, step: Step, variant: Variant) -> Row:
        genuine = self._caller.genuine(step)
        try:
            letter = variant.made(genuine)
        except Unbendable as error:
            return Row(variant, step, Verdict(Outcome.NOT_APPLICABLE, str(error)))
        if variant.again:
            self._accepted(genuine)
        return self._judged(step, variant, letter)

    def _judged(self, step: Step, variant: Variant, letter: Letter) -> Row:
        try:
            answer = self._post(letter)
        except Lost as error:
            return Row(variant, step, Verdict(Outcome.NO_ANSWER, str(error)))
        found = verdict(answer, variant.answers)
        if not found.outcome.finding and self._is_slow(letter, answer) and self._surely(letter):
            usual = f"{self._report.usual:.3f} s are usual"
            found = Verdict(Outcome.SLOW, f"{answer.seconds:.3f} s; {usual}")
        return Row(variant, step, found, answer.status, answer.seconds)

    def _is_slow(self, letter: Letter, answer: Answer) -> bool:
        usual = self._report.usual + self._per_byte * len(letter.body)
        return answer.seconds > max(self._slow, _FACTOR * usual)

    def _surely(self, letter: Letter) -> bool:
        """Whether it is slow again: the machine may have had something else to do."""
        try:
            return all(self._is_slow(letter, self._post(letter)) for _ in range(_SURE))
        except Lost:
            return True
