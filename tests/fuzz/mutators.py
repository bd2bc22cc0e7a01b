"""Recipes carried out: from a genuine message to the octets that are sent."""

import copy
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from lxml import etree

from tests.fuzz import wire
from tests.fuzz.draft import Draft
from tests.fuzz.insiders import INSIDERS
from tests.fuzz.recipe import Kitchen, Recipe
from tests.fuzz.samples import LETTERS, Samples
from tests.fuzz.trees import TREES
from tests.fuzz.values import VALUE_MUTATORS
from tests.fuzz.wire import FRAMES, OCTETS
from tests.simulator.bend import tree

ON_TREES = {**TREES, **VALUE_MUTATORS, **INSIDERS}
NAMES = (*ON_TREES, *OCTETS)
KITCHEN = Kitchen(LETTERS, NAMES, tuple(FRAMES))


@dataclass(frozen=True)
class Cooked:
    """What a recipe came to.

    Attributes:
        signed: a key of the sender's was used on what was changed.
    """

    data: bytes
    signed: bool


@dataclass
class Cook:
    """Carries out recipes, and counts which mutators had something to do."""

    samples: Samples = field(default_factory=Samples)
    worked: Counter[str] = field(default_factory=Counter)
    idle: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._donor = cache(self._tree)

    def _tree(self, name: str) -> etree._Element:
        return tree(self.samples.letter(name)[1].data)

    def donor(self, sample: str, number: int) -> etree._Element:
        """Another genuine message: of the same sample for the first half of numbers, of any for the rest."""
        names = [one for one in LETTERS if one.startswith(f"{sample}/")] if number < 128 else LETTERS
        return self._donor(names[number % len(names)])

    def cook(self, recipe: Recipe) -> Cooked:
        """The message of a recipe."""
        sample, letter = self.samples.letter(recipe.letter)
        draft = Draft.of(sample, letter, lambda number: self.donor(sample.name, number))
        for step in recipe.steps:
            if step.name in ON_TREES:
                self._change(draft, step.name, step.where, step.other, step.how)
        data = etree.tostring(draft.root, encoding="UTF-8", xml_declaration=False)
        for step in recipe.steps:
            if step.name in OCTETS:
                data = wire.change(data, step.name, step.where, step.other, step.how)
        return Cooked(data, draft.signed)

    def _change(self, draft: Draft, name: str, *numbers: int) -> None:
        before = copy.deepcopy(draft.root)
        try:
            ON_TREES[name](draft, *numbers)
        except Exception:  # noqa: BLE001
            # what an earlier step made of the message is often nothing that this one could work on
            self.idle[name] += 1
            draft.root = before
        else:
            self.worked[name] += 1
