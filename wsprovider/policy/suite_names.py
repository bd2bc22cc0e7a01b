"""Algorithm suites by the assertions that name them (WS-SecurityPolicy 1.2, section 6.1).

The standard has no suite with AES-GCM. Apache CXF reads assertions of its own inside sp:AlgorithmSuite:

* ``Basic128GCM``, ``Basic192GCM``, ``Basic256GCM``: GCM and RSA-OAEP, but SHA-1 digests, which no
  property of CXF changes;
* ``CustomAlgorithmSuite``: AES-256-GCM and SHA-256 digests, and every value of it is a property of the
  endpoint (``ws-security.custom.alg.suite.*``); unless told otherwise it wraps keys with RSA 1.5 and
  signs with SHA-1.

Only the second can say what our GCM suites enforce, so that is what is written; the attribute ``Suite``,
which CXF does not look at, says which one of ours it is. All of them are read.

Metro takes the signature method of an asymmetric binding from an attribute of its own on sp:AlgorithmSuite; it
is written where the suite signs by RSA with SHA-256, and read where it says no more than the suite does.
"""

from collections.abc import Mapping
from typing import Final

from wsprovider.policy.contents import Contents, attribute, check_shape
from wsprovider.policy.findings import qualified
from wsprovider.policy.normalise import Assertion
from wsprovider.policy.reading import Reading
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words.suites import Suite

CUSTOM: Final = f"{{{ns.CXF_POLICY}}}CustomAlgorithmSuite"
CUSTOM_NAME: Final = "Suite"
CUSTOM_DEFAULT: Final = "Basic256GcmSha256"
"""What a CustomAlgorithmSuite without the attribute stands for."""

METRO_SIGNATURE: Final = "signatureAlgorithm"
METRO_RSA_SHA256: Final = "SHA256withRSA"

_GCM: Final[Mapping[str, str]] = {
    f"{{{ns.CXF_POLICY}}}Basic128GCM": "Basic128GcmSha256",
    f"{{{ns.CXF_POLICY}}}Basic192GCM": "Basic192GcmSha256",
    f"{{{ns.CXF_POLICY}}}Basic256GCM": "Basic256GcmSha256",
}


def read_suite(assertion: Assertion, reading: Reading) -> Suite | None:
    """An sp:AlgorithmSuite: exactly one suite, and none of the additions that are not done here."""
    check_shape(assertion, reading.findings, attributes={METRO_SIGNATURE}, nested=True)
    found: list[Suite | None] = []
    with Contents(assertion, reading.findings) as contents:
        for inner in assertion.nested or ():
            name = _suite_name(inner)
            if name is not None:
                contents.every(inner.name)
                found.append(_known(inner, name, reading))
    if len(found) != 1:
        reading.findings.refuse(
            assertion.element, f"{qualified(assertion.element)} must name exactly one suite, not {len(found)}"
        )
        return None
    signs = attribute(assertion.element, METRO_SIGNATURE)
    if signs is not None and found[0] is not None and signs != signature_attribute(found[0]):
        reading.findings.refuse(assertion.element, f"the suite does not sign by {signs}")
    return found[0]


def signature_attribute(suite: Suite) -> str | None:
    """What Metro has to be told of a suite."""
    return METRO_RSA_SHA256 if suite.asymmetric_signatures[0] == alg.RSA_SHA256 else None


def _suite_name(assertion: Assertion) -> str | None:
    """The suite that an assertion names, if it has the look of a suite at all."""
    if assertion.name == CUSTOM:
        return attribute(assertion.element, CUSTOM_NAME) or CUSTOM_DEFAULT
    if assertion.name in _GCM:
        return _GCM[assertion.name]
    return assertion.name if assertion.name.startswith(("Basic", "TripleDes")) else None


def _known(assertion: Assertion, name: str, reading: Reading) -> Suite | None:
    custom = assertion.name.startswith("{")
    check_shape(
        assertion, reading.findings, attributes={CUSTOM_NAME} if assertion.name == CUSTOM else frozenset()
    )
    suite = reading.suites.get(name)
    if suite is None or suite.custom is not custom:
        # our own short names are no assertions of the standard's namespace
        reading.findings.refuse(
            assertion.element,
            f"{qualified(assertion.element)} is none of the algorithm suites that are known here",
        )
        return None
    return suite
