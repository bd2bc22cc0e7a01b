"""A recipe: which genuine message is sent, what is changed in it first, and how it is delivered.

Keys and nonces differ from process to process, so inputs are kept as recipes and not as messages. A recipe has two
spellings: octets, of which every sequence is a recipe (what libFuzzer mutates), and a line of text by names (what the
corpus keeps, so that new samples and new mutators leave it as it is)::

    8/call twice 0 utf-16:0 | copy:13.4.2 resign:1.0.0
"""

from collections.abc import Sequence
from dataclasses import dataclass

DELIVERIES = ("once", "twice", "after", "before")
"""The changed message alone, two times, after the genuine one, or before it."""
SHIFTS = (0, 0, 0, 1, 240, 299, 301, 700, 4_000, -30, -299, -400)
"""Seconds between the moment of sending and that of arrival."""
STEPS = 8
_HEAD, _STEP = 7, 6
LONGEST = _HEAD + STEPS * _STEP
"""Octets of a recipe; more are left out."""


@dataclass(frozen=True)
class Step:
    """One change: a mutator's name, two places and a number, which each mutator reads as it likes."""

    name: str
    where: int = 0
    other: int = 0
    how: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.where}.{self.other}.{self.how}"


@dataclass(frozen=True)
class Recipe:
    """See the module."""

    letter: str
    steps: tuple[Step, ...] = ()
    delivery: str = "once"
    shift: int = 0
    frame: str = "none"
    frame_how: int = 0

    def __str__(self) -> str:
        head = f"{self.letter} {self.delivery} {self.shift} {self.frame}:{self.frame_how}"
        return " ".join((head, "|", *map(str, self.steps)))


@dataclass(frozen=True)
class Kitchen:
    """The names that recipes may use, in the order in which octets count them."""

    letters: Sequence[str]
    mutators: Sequence[str]
    frames: Sequence[str]

    def from_octets(self, octets: bytes) -> Recipe:
        """Any octets are a recipe; what is missing at the end is zero, and what is too much is left out."""
        head = octets[:_HEAD].ljust(_HEAD, b"\0")
        steps = [octets[at : at + _STEP] for at in range(_HEAD, len(octets), _STEP)][:STEPS]
        # a frame is changed in one message of four: most that are changed there are not parsed at all
        frame = self.frames[head[4] % len(self.frames)] if head[5] % 4 == 0 else "none"
        return Recipe(
            self.letters[int.from_bytes(head[:2]) % len(self.letters)],
            tuple(self._step(one.ljust(_STEP, b"\0")) for one in steps),
            DELIVERIES[head[2] % len(DELIVERIES)],
            SHIFTS[head[3] % len(SHIFTS)],
            frame,
            head[6] if frame != "none" else 0,
        )

    def _step(self, octets: bytes) -> Step:
        name = self.mutators[octets[0] % len(self.mutators)]
        return Step(name, int.from_bytes(octets[1:3]), int.from_bytes(octets[3:5]), octets[5])

    def to_octets(self, recipe: Recipe) -> bytes:
        """Octets that are this recipe."""
        plain = recipe.frame == "none"
        head = [
            *self.letters.index(recipe.letter).to_bytes(2),
            DELIVERIES.index(recipe.delivery),
            SHIFTS.index(recipe.shift),
            0 if plain else self.frames.index(recipe.frame),
            1 if plain else 0,
            recipe.frame_how,
        ]
        return bytes(head) + b"".join(map(self._octets_of, recipe.steps))

    def _octets_of(self, step: Step) -> bytes:
        number = self.mutators.index(step.name)
        return bytes([number, *step.where.to_bytes(2), *step.other.to_bytes(2), step.how])

    def from_text(self, line: str) -> Recipe:
        """Read a line of the corpus.

        Raises:
            ValueError: it names what there is not.
        """
        letter, delivery, shift, framed, bar, *steps = line.split()
        frame, _, frame_how = framed.partition(":")
        recipe = Recipe(letter, tuple(map(_step, steps)), delivery, int(shift), frame, int(frame_how))
        unknown = {one.name for one in recipe.steps} - set(self.mutators)
        known = letter in self.letters and delivery in DELIVERIES and frame in self.frames and bar == "|"
        if unknown or not known or recipe.shift not in SHIFTS:
            raise ValueError(f"no recipe: {line!r} {sorted(unknown)}")
        return recipe


def _step(text: str) -> Step:
    name, _, numbers = text.rpartition(":")
    where, other, how = map(int, numbers.split("."))
    return Step(name, where, other, how)
