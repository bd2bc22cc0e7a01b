"""Policy documents made of pieces, and the errors of reading them."""

from collections.abc import Callable

import pytest

from wsprovider.policy.model import Alternative, Policy
from wsprovider.policy.read import read_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem

HEAD = (
    '<wsp:Policy wsu:Id="Tested" xmlns:wsp="{wsp}" xmlns:sp="{sp}" xmlns:sp13="' + ns.SP_200802 + '"'
    ' xmlns:wsu="' + ns.WSU + '" xmlns:cxf="' + ns.CXF_POLICY + '" xmlns:wsam="' + ns.WSAM + '"'
    ' xmlns:wsaw="' + ns.WSAW + '" xmlns:rampart="' + ns.RAMPART_POLICY + '"'
    ' xmlns:sec="' + ns.CARBON_POLICY + '">'
)
X509 = '<sp:X509Token sp:IncludeToken="{sp}/IncludeToken/Never"><wsp:Policy><sp:WssX509V3Token10/></wsp:Policy></sp:X509Token>'
SUITE = "<sp:AlgorithmSuite><wsp:Policy><sp:Basic256Sha256/></wsp:Policy></sp:AlgorithmSuite>"


def _document(
    *assertions: str,
    token: str = X509,
    suite: str = SUITE,
    options: str = "<sp:IncludeTimestamp/>",
    binding: str | None = None,
    sp: str = ns.SP_200702,
    wsp: str = ns.WSP_200409,
) -> bytes:
    if binding is None:
        binding = (
            "<sp:SymmetricBinding><wsp:Policy><sp:ProtectionToken><wsp:Policy>"
            + token
            + "</wsp:Policy></sp:ProtectionToken>"
            + suite
            + options
            + "</wsp:Policy></sp:SymmetricBinding>"
        )
    text = HEAD + binding + "".join(assertions) + "</wsp:Policy>"
    return text.replace("{sp}", sp).replace("{wsp}", wsp).encode()


@pytest.fixture
def document() -> Callable[..., bytes]:
    """Makes a document: a symmetric binding with an X509Token, bent by keyword, and more assertions."""
    return _document


@pytest.fixture
def read() -> Callable[..., Policy]:
    """Reads a document made of the same pieces."""
    return lambda *assertions, **bent: read_policy(_document(*assertions, **bent), where="tested.xml")


@pytest.fixture
def alternative(read: Callable[..., Policy]) -> Callable[..., Alternative]:
    """Reads one and returns its only alternative."""

    def only(*assertions: str, **bent: str) -> Alternative:
        (found,) = read(*assertions, **bent).alternatives
        return found

    return only


@pytest.fixture
def problems() -> Callable[..., tuple[Problem, ...]]:
    """The problems of a document that must be refused."""

    def refused(*assertions: str, **bent: str) -> tuple[Problem, ...]:
        with pytest.raises(ConfigurationError) as caught:
            read_policy(_document(*assertions, **bent), where="tested.xml")
        return caught.value.problems

    return refused
