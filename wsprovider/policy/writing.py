"""What the writers of single assertions share: elements of one dialect, and what it cannot say."""

from collections.abc import Iterable, Mapping
from typing import Final

from lxml import etree

from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import Dialect
from wsprovider.words.errors import Problem

_PREFIXES: Final[Mapping[str, str]] = {ns.SP_200802: "sp13", ns.CXF_POLICY: "cxf", ns.WSAM: "wsam"}


class Writing:
    """One document being written.

    Args:
        dialect: the names it is written with.
        where: which policy it is, for problems.
    """

    def __init__(self, dialect: Dialect, where: str) -> None:
        self.dialect = dialect
        self.problems: list[Problem] = []
        self._where = where
        self._namespaces = {"wsp": dialect.policy, "sp": dialect.security_policy, "wsu": ns.WSU}

    def root(self) -> etree._Element:
        """The outermost ``wsp:Policy``, which declares the prefixes."""
        return etree.Element(f"{{{self.dialect.policy}}}Policy", nsmap=self._namespaces)

    def operator(self, parent: etree._Element, name: str) -> etree._Element:
        """A WS-Policy operator."""
        return etree.SubElement(parent, f"{{{self.dialect.policy}}}{name}")

    def assertion(self, parent: etree._Element, name: str) -> etree._Element:
        """An assertion of WS-SecurityPolicy."""
        return etree.SubElement(parent, f"{{{self.dialect.security_policy}}}{name}")

    def nested(self, parent: etree._Element, name: str) -> etree._Element:
        """An assertion with a nested policy, which is returned."""
        return self.operator(self.assertion(parent, name), "Policy")

    def foreign(self, parent: etree._Element, clark: str) -> etree._Element:
        """An assertion of a namespace of its own, declared where it stands."""
        namespace = etree.QName(clark).namespace or ""
        return etree.SubElement(parent, clark, nsmap={_PREFIXES[namespace]: namespace})

    def flags(self, parent: etree._Element, names: Iterable[str | None]) -> None:
        """Assertions that say everything by their name, in that order; None stands for nothing."""
        for name in names:
            if name is not None:
                self.assertion(parent, name)

    def added_by_13(self, parent: etree._Element, name: str) -> None:
        """An assertion that WS-SecurityPolicy 1.3 added, in the namespace of the additions."""
        self.only_in_12(name)
        if self.dialect.additions is not None:
            self.foreign(parent, f"{{{self.dialect.additions}}}{name}")

    def only_in_12(self, what: str) -> None:
        """Record a problem unless the dialect has the assertions of WS-SecurityPolicy 1.2 and 1.3."""
        if self.dialect.additions is None:
            self.refuse(f"WS-SecurityPolicy 1.1 cannot say {what}; publish with dialect 200702")

    def refuse(self, what: str) -> None:
        """Record what cannot be written."""
        problem = Problem(self._where, what)
        if problem not in self.problems:
            self.problems.append(problem)
