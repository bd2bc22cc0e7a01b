"""Policy documents read into the model: WS-SecurityPolicy 1.1, 1.2 and 1.3 in WS-Policy 1.2 or 1.5.

In comes a document of the operator's or of a partner's WSDL, not trusted: it is parsed without DTDs and
entities, expanded within bounds, and each assertion is either understood and kept, skipped because it is
the configuration of another product (Rampart's, Carbon's), or refused. On return the policy says
everything that the document demands. Whether the engine can enforce it is decided when it is compiled.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from lxml import etree

from wsprovider.policy.contents import Contents, check_shape
from wsprovider.policy.findings import Findings, qualified
from wsprovider.policy.model import Alternative, Binding, Policy
from wsprovider.policy.normalise import Assertion, Choice, Normaliser, Resolver, is_policy
from wsprovider.policy.read_bindings import read_asymmetric, read_symmetric, read_transport
from wsprovider.policy.read_parts import (
    SUPPORTING,
    read_parts,
    read_required,
    read_supporting,
    read_trust,
    read_wss,
)
from wsprovider.policy.reading import Reading
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import POLICY_NAMESPACES
from wsprovider.words.errors import SoapError
from wsprovider.words.limits import Limits
from wsprovider.words.suites import SUITES, Suite
from wsprovider.xml.parse import parse

_DOCUMENT_LIMITS: Final = Limits(message_bytes=2_000_000, elements=50_000)
_BOOTSTRAPS: Final = 3
_ID: Final = f"{{{ns.WSU}}}Id"
_XML_ID: Final = f"{{{ns.XML}}}id"

_BINDINGS: Final = {
    "TransportBinding": read_transport,
    "SymmetricBinding": read_symmetric,
    "AsymmetricBinding": read_asymmetric,
}
_ADDRESSING: Final = (
    f"{{{ns.WSAM}}}Addressing",
    f"{{{ns.WSAW}}}UsingAddressing",
    # Apache CXF takes this one for the same; no standard has it
    f"{{{ns.WSA_200508}}}UsingAddressing",
)
_ANONYMOUS: Final = f"{{{ns.WSAM}}}AnonymousResponses"
_CONFIGURATION: Final = tuple(f"{{{namespace}}}" for namespace in (ns.RAMPART_POLICY, ns.CARBON_POLICY))


def read_policy(
    source: bytes | etree._Element, *, where: str, suites: Mapping[str, Suite] = SUITES
) -> Policy:
    """Read one policy.

    Args:
        source: a document whose root is the ``wsp:Policy``, or that element in a document of its own or
            a larger one (where PolicyReferences then find their targets).
        where: the file's name, for findings.
        suites: the algorithm suites by the name of their assertion.

    Raises:
        ConfigurationError: one problem for each thing that is wrong, unknown or not done here.
    """
    findings = Findings(where)
    element = parse_document(source, findings) if isinstance(source, bytes) else source
    if not is_policy(element):
        findings.refuse(element, f"expected a wsp:Policy, not {qualified(element)}")
        findings.raise_if_any()
    return merged_policy([element], policy_id(element), findings, resolver(element), suites)


def parse_document(source: bytes, findings: Findings) -> etree._Element:
    """Parse a policy document (or a WSDL) with the house's one hardened parser.

    Raises:
        ConfigurationError: not well-formed, a DTD, too large, too deep.
    """
    try:
        return parse(source, _DOCUMENT_LIMITS, instructions=True)
    except SoapError as error:
        findings.refuse_document(f"not a document that can be read ({error.reason.name}): {error.detail}")
    findings.raise_if_any()
    raise RuntimeError("a finding is never nothing")


def merged_policy(
    policies: Sequence[etree._Element],
    id_: str,
    findings: Findings,
    resolve: Resolver,
    suites: Mapping[str, Suite] = SUITES,
) -> Policy:
    """The policy that several elements make together (WS-PolicyAttachment 1.5, section 4).

    Args:
        policies: ``wsp:Policy`` and ``wsp:PolicyReference`` elements.
        id_: the identity of the result.
        findings: takes what is wrong.
        resolve: finds the policy that a reference names.
        suites: the algorithm suites by the name of their assertion.

    Raises:
        ConfigurationError: everything that was found, also before the call.
    """
    normaliser = Normaliser(findings, resolve)

    def reading(level: int) -> Reading:
        def nested_policy(element: etree._Element) -> Policy | None:
            # a reference inside a bootstrap policy may lead to the policy around it
            if level == _BOOTSTRAPS:
                findings.refuse(
                    element, f"bootstrap policies inside each other, more than {_BOOTSTRAPS} deep"
                )
                return None
            return _policy([element], policy_id(element), normaliser, reading(level + 1))

        return Reading(findings, suites, nested_policy)

    policy = _policy(policies, id_, normaliser, reading(0))
    findings.raise_if_any()
    if policy is None:
        raise RuntimeError("a policy that was not read must have left a finding")
    return policy


def policy_id(element: etree._Element) -> str:
    """The identity of a policy: its ``wsu:Id`` or ``xml:id``, or nothing (WS-Policy 1.5, section 4.2)."""
    return (element.get(_ID) or element.get(_XML_ID) or "").strip()


def resolver(element: etree._Element) -> Resolver:
    """Finds policies by id in the whole document around an element; an id that two have finds none."""
    found: dict[str, etree._Element | None] = {}
    for namespace in POLICY_NAMESPACES:
        for policy in element.getroottree().iter(f"{{{namespace}}}Policy"):
            name = policy_id(policy)
            if name:
                found[name] = None if name in found else policy
    return found.get


def _policy(
    policies: Sequence[etree._Element], id_: str, normaliser: Normaliser, reading: Reading
) -> Policy | None:
    choices = normaliser.merge(policies)
    if not choices:
        # a bound that was overrun has been reported; an ExactlyOne of nothing has not
        if not reading.findings:
            _refuse(policies, "the policy has no alternative that anybody could meet", reading.findings)
        return None
    alternatives: dict[Alternative, None] = {}
    for choice in choices:
        alternative = _alternative(choice, policies, reading)
        if alternative is not None:
            alternatives[alternative] = None
    return Policy(id_, tuple(alternatives)) if alternatives else None


def _alternative(choice: Choice, policies: Sequence[etree._Element], reading: Reading) -> Alternative | None:
    findings = reading.findings
    demanded = tuple(inner for inner in choice if not inner.name.startswith(_CONFIGURATION))
    around = Assertion(policies[0], "Policy", demanded)
    with Contents(around, findings) as contents:
        bindings = [(name, assertion) for name in _BINDINGS for assertion in contents.every(name)]
        binding = _binding(bindings, policies, reading)
        supporting = [
            read_supporting(inner, SUPPORTING[inner.name], reading)
            for inner in demanded
            if inner.name in SUPPORTING
        ]
        for name in SUPPORTING:
            contents.every(name)
        signed_parts = read_parts(contents.every("SignedParts"), findings)
        encrypted_parts = read_parts(contents.every("EncryptedParts"), findings)
        required = read_required(contents.every("RequiredParts"), findings)
        wss = read_wss(contents.every("Wss10"), contents.every("Wss11"), findings)
        trust = read_trust([*contents.every("Trust10"), *contents.every("Trust13")], findings)
        addressing = _addressing(contents, findings)
    if binding is None:
        return None
    return Alternative(
        binding=binding,
        signed_parts=signed_parts,
        encrypted_parts=encrypted_parts,
        required_headers=required,
        supporting=tuple(tokens for tokens in supporting if tokens is not None),
        wss=wss,
        trust=trust,
        addressing=addressing,
    )


def _binding(
    found: Sequence[tuple[str, Assertion]], policies: Sequence[etree._Element], reading: Reading
) -> Binding | None:
    """Exactly one: without a binding nothing says what protects a message, and any message would do."""
    if not found:
        _refuse(
            policies,
            "an alternative has no binding assertion; it would let unprotected messages in",
            reading.findings,
        )
        return None
    if len(found) > 1:
        reading.findings.refuse(found[1][1].element, "a second binding in one alternative")
    name, assertion = found[0]
    return _BINDINGS[name](assertion, reading)


def _addressing(contents: Contents, findings: Findings) -> bool:
    """WS-Addressing 1.0 Metadata, section 3.1; replies go back the way the request came."""
    found = False
    for name in _ADDRESSING:
        for assertion in contents.every(name):
            found = True
            check_shape(assertion, findings, nested=True)
            with Contents(assertion, findings) as inner:
                inner.flag(_ANONYMOUS)
    return found


def _refuse(policies: Sequence[etree._Element], what: str, findings: Findings) -> None:
    if policies:
        findings.refuse(policies[0], what)
    else:
        findings.refuse_document(what)
