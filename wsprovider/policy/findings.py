"""What is wrong with a policy document, and where: collected while reading, raised all at once.

A place is the path of element names and the line, so that an operator can find the assertion in his
file. Names out of the document are bounded; nothing else of its content gets into a finding unless the
reader puts it there.
"""

from collections.abc import Iterator
from typing import Final, cast

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem

_MOST: Final = 50
_PLACE_CHARACTERS: Final = 600
_NAME_CHARACTERS: Final = 120

_PREFIXES: Final = {
    ns.WSP_200409: "wsp",
    ns.WSP_15: "wsp",
    ns.SP_200507: "sp",
    ns.SP_200702: "sp",
    ns.SP_200802: "sp13",
    ns.CXF_POLICY: "cxf",
    ns.RAMPART_POLICY: "rampart",
    ns.CARBON_POLICY: "sec",
    ns.WSAM: "wsam",
    ns.WSAW: "wsaw",
    ns.WSDL11: "wsdl",
    ns.WSU: "wsu",
}


class Findings:
    """Problems of one document.

    Args:
        where: the file's name, or whatever tells the operator which document it is.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        # a dict for its order: an element that normal form multiplies is reported once
        self._problems: dict[Problem, None] = {}

    def __bool__(self) -> bool:
        return bool(self._problems)

    def refuse(self, element: etree._Element, what: str) -> None:
        """Record what is wrong with an element."""
        self._add(Problem(where=f"{self._where}: {place(element)}", what=what))

    def refuse_document(self, what: str) -> None:
        """Record what is wrong with the document as a whole."""
        self._add(Problem(where=self._where, what=what))

    def raise_if_any(self) -> None:
        """Raise what was found.

        Raises:
            ConfigurationError: something was.
        """
        if self._problems:
            raise ConfigurationError(tuple(self._problems))

    def _add(self, problem: Problem) -> None:
        if len(self._problems) < _MOST:
            self._problems.setdefault(problem)


def place(element: etree._Element) -> str:
    """Where an element stands: ``/wsp:Policy/sp:Wss11 (line 7)``."""
    path = "/".join(reversed([qualified(node) for node in _upwards(element)]))
    if len(path) > _PLACE_CHARACTERS:
        path = "..." + path[-_PLACE_CHARACTERS:]
    line = cast("int | None", element.sourceline)  # lxml's stubs do not say what it is
    return f"/{path} (line {line})" if line else f"/{path}"


def qualified(element: etree._Element) -> str:
    """An element's name with the house's prefix for its namespace, whatever the document used."""
    return qualified_name(str(element.tag))


def qualified_name(clark: str) -> str:
    """The same for a name in Clark notation."""
    name = etree.QName(clark)
    if not name.namespace:
        return name.localname[:_NAME_CHARACTERS]
    prefix = _PREFIXES.get(name.namespace)
    shown = f"{prefix}:{name.localname}" if prefix else clark
    return shown[:_NAME_CHARACTERS]


def _upwards(element: etree._Element) -> Iterator[etree._Element]:
    yield element
    yield from element.iterancestors()
