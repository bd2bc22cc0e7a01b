"""Whom of a CA's customers we mean: rules on the parsed subject of a certificate.

A CA vouches for a name, not for our wish to do business with it; so trust in a CA always comes with
rules on subjects. A rule is either a whole name (RFC 4514 text, either order of its parts) or a set
of attributes, each compared in full:

* values are compared as they are, case included; ``*`` stands for any run of characters;
* an attribute that a rule names must occur exactly once in the subject;
* a subject with control or invisible characters (NUL, bidirectional marks ...) matches no rule;
* a rule made of nothing but ``*`` would constrain nothing, and is refused.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from wsprovider.keyring.names import ParsedName, attribute_oid, exact, parse


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """One rule; made by :meth:`of_name` or :meth:`of_attributes`.

    Attributes:
        names: the whole names that are meant (two orders of one), or empty.
        patterns: pairs of object identifier and pattern, all of which must match.
        partner: what to call whoever matches; the subject itself when None.
        roles: what whoever matches may do.
    """

    names: tuple[ParsedName, ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()
    partner: str | None = None
    roles: frozenset[str] = frozenset()

    @classmethod
    def of_name(
        cls, text: str, partner: str | None = None, roles: frozenset[str] = frozenset()
    ) -> "SubjectRule":
        """Mean one whole subject.

        Raises:
            ValueError: the text is no name.
        """
        name = parse(text)
        return cls((name[::-1], name), (), partner, roles)

    @classmethod
    def of_attributes(
        cls,
        attributes: Mapping[str, str],
        partner: str | None = None,
        roles: frozenset[str] = frozenset(),
    ) -> "SubjectRule":
        """Mean every subject whose attributes match, such as ``{"CN": "client-*", "O": "Bank"}``.

        Raises:
            ValueError: an attribute is unknown or named twice, or the rule constrains nothing.
        """
        patterns = tuple((attribute_oid(name), value) for name, value in attributes.items())
        if len({oid for oid, _ in patterns}) < len(patterns):
            raise ValueError("an attribute is named twice")
        if not any(value.strip("* ") for _, value in patterns):
            raise ValueError("the rule matches everybody")
        return cls((), patterns, partner, roles)

    def matches(self, subject: x509.Name) -> bool:
        """Whether the subject is meant."""
        name = exact(subject)
        attributes = [attribute for rdn in name for attribute in rdn]
        if not attributes or any(_invisible(value) for _, value in attributes):
            return False
        if self.names and tuple(tuple(sorted(rdn)) for rdn in name) not in {
            tuple(tuple(sorted(rdn)) for rdn in one) for one in self.names
        }:
            return False
        for oid, pattern in self.patterns:
            values = [value for kind, value in attributes if kind == oid]
            if len(values) != 1 or not _full_match(pattern, values[0]):
                return False
        return bool(self.names or self.patterns)


def _full_match(pattern: str, value: str) -> bool:
    # not a regular expression: time stays linear whatever the pattern and the value are
    head, *rest = pattern.split("*")
    if not rest:
        return value == pattern
    *middle, tail = rest
    if not value.startswith(head):
        return False
    at = len(head)
    for part in middle:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(value) - len(tail) >= at and value.endswith(tail)


def _invisible(value: str) -> bool:
    return any(unicodedata.category(character).startswith("C") for character in value)
