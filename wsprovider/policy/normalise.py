"""WS-Policy normal form: a policy document as alternatives, each a flat list of assertions.

WS-Policy 1.2 and 1.5, section 4.3 (the same rules): ``All`` and ``Policy`` combine, ``ExactlyOne``
chooses, ``wsp:Optional`` is a choice with nothing, a PolicyReference stands for what it names, and the
alternatives of a nested policy are alternatives of the whole. The document may be hostile: the number
of alternatives, the nesting and the work done are bounded, and the bounds are checked before anything
is multiplied. What the assertions mean is not looked at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from wsprovider.policy.findings import Findings, qualified
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import BY_NAMESPACE, POLICY_NAMESPACES

_OPERATORS: Final = frozenset({"Policy", "All", "ExactlyOne", "PolicyReference"})
_ADDED_BY_SP13: Final = frozenset({"Created", "Nonce", "ScopePolicy15", "MustSupportInteractiveChallenge"})
_CONFIGURATION: Final = frozenset({ns.RAMPART_POLICY, ns.CARBON_POLICY})
_BOOTSTRAP: Final = "BootstrapPolicy"
_TRUE: Final = frozenset({"true", "1"})
_FALSE: Final = frozenset({"false", "0"})

Resolver = Callable[[str], etree._Element | None]
"""Finds the one wsp:Policy of the document with that id; None where there is none, or more than one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one document may ask for.

    Attributes:
        alternatives: of the whole policy, and of every operator in it.
        depth: operators and assertions inside each other, references followed.
        steps: elements looked at, each as often as references lead to it.
    """

    alternatives: int = 16
    depth: int = 60
    steps: int = 3_000


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion of one alternative.

    Attributes:
        element: where it stands, for its attributes, its parameters and for findings.
        name: the local name of a WS-SecurityPolicy assertion (of either dialect), else Clark notation.
        nested: the assertions of its nested policy; None where it has none. A BootstrapPolicy keeps
            its own as it is: it is the policy of other messages, not a part of this alternative.
    """

    element: etree._Element
    name: str
    nested: tuple["Assertion", ...] | None


Choice = tuple[Assertion, ...]


class _OutOfBoundsError(Exception):
    """Unwinds the recursion; the finding has been recorded."""


def children(element: etree._Element) -> Iterator[etree._Element]:
    """The child elements, without comments and processing instructions."""
    return element.iterchildren("{*}*")


def is_policy(element: etree._Element) -> bool:
    """A ``wsp:Policy``, or the ``sp:Policy`` that some published policies have in its place."""
    name = etree.QName(element)
    return name.localname == "Policy" and (
        name.namespace in POLICY_NAMESPACES or name.namespace in (ns.SP_200507, ns.SP_200702)
    )


def assertion_name(element: etree._Element) -> str:
    """The name that the readers dispatch on: see :attr:`Assertion.name`."""
    name = etree.QName(element)
    if name.namespace == ns.SP_200802:
        return name.localname if name.localname in _ADDED_BY_SP13 else name.text
    return name.localname if name.namespace in BY_NAMESPACE else name.text


class Normaliser:
    """Brings the policies of one document into normal form, within one budget.

    Args:
        findings: takes what is wrong.
        resolve: finds the policy that ``#id`` names.
        bounds: the budget.
    """

    def __init__(self, findings: Findings, resolve: Resolver, bounds: Bounds | None = None) -> None:
        self._findings = findings
        self._resolve = resolve
        self._bounds = bounds or Bounds()
        self._steps = 0
        self._open: list[str] = []

    def merge(self, policies: Sequence[etree._Element]) -> tuple[Choice, ...]:
        """The alternatives of several policies that hold together (WS-PolicyAttachment, section 4).

        Returns:
            No alternative at all where a bound was overrun; that is then among the findings.
        """
        try:
            return self._combine(policies, 0)
        except _OutOfBoundsError:
            return ()

    def _choices(self, element: etree._Element, depth: int) -> tuple[Choice, ...]:
        self._steps += 1
        if self._steps > self._bounds.steps:
            self._overrun(element, f"the policy asks for more than {self._bounds.steps} steps to expand")
        if depth > self._bounds.depth:
            self._overrun(element, f"nested more than {self._bounds.depth} deep")
        operator = _operator(element)
        if operator is None:
            return self._assertion(element, depth)
        self._check_operator(element)
        if operator == "PolicyReference":
            return self._reference(element, depth)
        if operator == "ExactlyOne":
            return self._choose(element, depth)
        return self._combine(list(children(element)), depth)

    def _combine(self, parts: Sequence[etree._Element], depth: int) -> tuple[Choice, ...]:
        combined: tuple[Choice, ...] = ((),)
        for part in parts:
            more = self._choices(part, depth + 1)
            self._check_count(part, len(combined) * len(more))
            combined = tuple((*left, *right) for left in combined for right in more)
        return combined

    def _choose(self, element: etree._Element, depth: int) -> tuple[Choice, ...]:
        chosen: list[Choice] = []
        for part in children(element):
            chosen.extend(self._choices(part, depth + 1))
            self._check_count(part, len(chosen))
        return tuple(chosen)

    def _reference(self, element: etree._Element, depth: int) -> tuple[Choice, ...]:
        """Section 4.3.4; only inside the document, and never fetched."""
        uri = (element.get("URI") or "").strip()
        if element.get("Digest") is not None:
            self._findings.refuse(element, "a PolicyReference with a Digest is not supported")
        if not uri.startswith("#") or len(uri) == 1:
            self._findings.refuse(
                element, f"only references into the same document are followed, not {uri[:120]!r}"
            )
            return ()
        if uri in self._open:
            self._findings.refuse(element, f"the policy refers to itself by {uri[:120]!r}")
            return ()
        target = self._resolve(uri[1:])
        if target is None:
            self._findings.refuse(
                element, f"the document has not exactly one wsp:Policy with the id {uri[1:120]!r}"
            )
            return ()
        self._open.append(uri)
        try:
            return self._choices(target, depth + 1)
        finally:
            self._open.pop()

    def _assertion(self, element: etree._Element, depth: int) -> tuple[Choice, ...]:
        name = assertion_name(element)
        optional = self._optional(element)
        nested = [child for child in children(element) if is_policy(child)]
        if name == _BOOTSTRAP or etree.QName(element).namespace in _CONFIGURATION or not nested:
            made: tuple[Choice, ...] = ((Assertion(element, name, None),),)
        else:
            if len(nested) > 1:
                self._findings.refuse(
                    element, f"{qualified(element)} has {len(nested)} nested policies, not one"
                )
            inner = self._choices(nested[0], depth + 1)
            made = tuple((Assertion(element, name, choice),) for choice in inner)
        return (*made, ()) if optional else made

    def _optional(self, element: etree._Element) -> bool:
        """Section 4.3.1; wsp:Ignorable changes nothing here: what is ignorable for a peer is enforced by us."""
        for namespace in POLICY_NAMESPACES:
            value = element.get(f"{{{namespace}}}Optional")
            if value is None:
                continue
            if value.strip() in _TRUE:
                return True
            if value.strip() not in _FALSE:
                self._findings.refuse(element, f"wsp:Optional is neither true nor false but {value[:40]!r}")
        return False

    def _check_operator(self, element: etree._Element) -> None:
        if self._optional(element):
            self._findings.refuse(element, "wsp:Optional belongs to assertions, not to operators")
        if has_text(element):
            self._findings.refuse(element, f"text inside {qualified(element)}")

    def _check_count(self, element: etree._Element, count: int) -> None:
        if count > self._bounds.alternatives:
            self._overrun(element, f"the policy has more than {self._bounds.alternatives} alternatives")

    def _overrun(self, element: etree._Element, what: str) -> None:
        self._findings.refuse(element, what)
        raise _OutOfBoundsError


def has_text(element: etree._Element) -> bool:
    """Something other than white space stands between the element's children."""
    return bool((element.text or "").strip()) or any((node.tail or "").strip() for node in element)


def _operator(element: etree._Element) -> str | None:
    if is_policy(element):
        return "Policy"
    name = etree.QName(element)
    if name.namespace in POLICY_NAMESPACES and name.localname in _OPERATORS:
        return name.localname
    return None
