"""A message on its way to being something else: what mutators work on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lxml import etree

from tests.fuzz.samples import Letter, Sample
from tests.simulator.bend import every, tree

T = TypeVar("T")


@dataclass
class Draft:
    """One message.

    Attributes:
        root: its tree.
        donors: other genuine messages, as trees, that parts can be taken from.
        signed: some signature was made anew with a key of the sender's.
    """

    sample: Sample
    letter: Letter
    root: etree._Element
    donors: Callable[[int], etree._Element]
    signed: bool = False

    @classmethod
    def of(cls, sample: Sample, letter: Letter, donors: Callable[[int], etree._Element]) -> "Draft":
        return cls(sample, letter, tree(letter.data), donors)

    def element(self, number: int) -> etree._Element:
        """Any element but the root, in the order of the document."""
        return pick([one for one in self.root.iter(etree.Element) if one is not self.root], number)

    def every(self, path: str) -> list[etree._Element]:
        """The elements at a path, with the prefixes of :data:`tests.simulator.bend.NS`."""
        return every(self.root, path)


Mutator = Callable[[Draft, int, int, int], None]
"""Changes a draft; the three numbers say where, with what, and how. Raises where it cannot."""


class Nothing(Exception):
    """This mutator has nothing to do with this message."""


def pick(choices: Sequence[T], number: int) -> T:
    """One of some; the number goes round."""
    if not choices:
        raise Nothing
    return choices[number % len(choices)]


def parent_of(element: etree._Element) -> etree._Element:
    """The parent of an element that is not the root."""
    parent = element.getparent()
    if parent is None:
        raise Nothing
    return parent


def table(*mutators: Any) -> dict[str, Mutator]:
    """Mutators by their names, as recipes spell them."""
    return {one.__name__.rstrip("_").replace("_", "-"): one for one in mutators}
