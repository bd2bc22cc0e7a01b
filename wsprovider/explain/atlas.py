"""Where things stand in the bytes of a message: readable paths, lines and columns.

lxml knows lines only, and a SOAP message is often one line. The positions come from a second pass over bytes that
:mod:`wsprovider.xml.parse` has accepted already: without a document type declaration there is nothing in them
that a parser could be led astray by.
"""

from typing import Final
from xml.parsers import expat

from lxml import etree

from wsprovider.explain.report import Spot, shown
from wsprovider.xml.places import Place, at, place_of

_DEEPEST: Final = 9
"""Steps from the root to whatever of the security layer is named: below, positions are not kept."""
_NAME: Final = 60
_NOTED, _WIDEST = 4, 200
"""How deep and how wide the tree is remembered as it was before decryption: as far as anything may be encrypted."""


class Atlas:
    """The positions of one message."""

    def __init__(self, message: bytes, root: etree._Element) -> None:
        """Walk once through the message.

        Args:
            root: of its tree; named from, before decryption changes it.
        """
        self._positions = _positions(message)
        self._names: dict[Place, str] = {}
        self._note(root, (), _NOTED)

    def spot(self, element: etree._Element) -> Spot:
        """Of an element, in whichever tree of the message it is."""
        place = place_of(element)
        root = element.getroottree().getroot()
        path = "/" + "/".join(_step(at(root, place[:length])) for length in range(len(place) + 1))
        cipher = self._cipher(element, place)
        line, column = self._positions.get(place if cipher is None else cipher, (None, None))
        return Spot(path, line, column, cipher is not None)

    def _note(self, element: etree._Element, place: Place, depth: int) -> None:
        """Note what stands where before decryption, so that what shows later can be told."""
        self._names[place] = element.tag
        if depth:
            for index, child in enumerate(list(element)[:_WIDEST]):
                self._note(child, (*place, index), depth - 1)

    def _cipher(self, element: etree._Element, place: Place) -> Place | None:
        """Where the cipher text stood that an element came out of; None where it was there before decryption."""
        found: Place | None = None
        node: etree._Element | None = element
        while node is not None:
            if self._names.get(place, node.tag) != node.tag:
                found = place
            node, place = node.getparent(), place[:-1]
        return found


def _step(element: etree._Element) -> str:
    """A local name, with a number where siblings share it."""
    name = shown(etree.QName(element).localname, _NAME)
    parent = element.getparent()
    if parent is None:
        return name
    number = 1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    several = number > 1 or next(element.itersiblings(element.tag), None) is not None
    return f"{name}[{number}]" if several else name


def _positions(message: bytes) -> dict[Place, tuple[int, int]]:
    """Line and column of each start tag by its place; none of a message that this parser cannot read."""
    found: dict[Place, tuple[int, int]] = {}
    parser = expat.ParserCreate()
    steps: list[int] = []
    counts = [0]

    def start(_name: str, _attributes: object) -> None:
        if len(counts) > 1:
            steps.append(counts[-1])
        counts[-1] += 1
        counts.append(0)
        if len(steps) <= _DEEPEST:
            found[tuple(steps)] = (parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def end(_name: str) -> None:
        counts.pop()
        if steps:
            steps.pop()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(message, True)
    except expat.ExpatError:
        return {}
    return found
