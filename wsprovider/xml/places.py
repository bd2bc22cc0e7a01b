"""Places: where an element stands, as child indices from the root; the same in every round.

Decryption replaces one element by one element, or an element's whole content; neither moves a
sibling. So a place found in one tree names the corresponding element of the next.
"""

from lxml import etree

Place = tuple[int, ...]


def place_of(element: etree._Element) -> Place:
    """The child indices that lead from the root to the element (empty for the root)."""
    steps: list[int] = []
    parent = element.getparent()
    while parent is not None:
        steps.append(parent.index(element))
        element, parent = parent, parent.getparent()
    return tuple(reversed(steps))


def at(root: etree._Element, place: Place) -> etree._Element:
    """The element at a place.

    Raises:
        IndexError: there is none.
    """
    element = root
    for step in place:
        element = element[step]
    return element
