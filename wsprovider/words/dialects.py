"""The two published forms of WS-SecurityPolicy, as values: which names a policy document is written with.

A dialect is chosen once, when a document is written; on receipt the namespaces say which one it is, and
the names of both are understood side by side (some published policies mix them).
"""

from dataclasses import dataclass
from typing import Final

from wsprovider.words import namespaces as ns


@dataclass(frozen=True, slots=True)
class Dialect:
    """One form of policy documents.

    Attributes:
        name: what a service's ``dialect`` setting says.
        security_policy: namespace of the WS-SecurityPolicy assertions.
        additions: namespace of the assertions that WS-SecurityPolicy 1.3 added; None where that form
            of the standard has no such additions.
        policy: namespace of the WS-Policy operators. WS-Policy 1.2 (2004/09) goes with both: it is the
            one that CXF, Metro, Rampart and WCF all read, beside either set of assertions.
        inclusion: what the IncludeToken values begin with (section 5.1.1).
        trust: local name of the assertion that holds the WS-Trust options (section 10).
    """

    name: str
    security_policy: str
    additions: str | None
    policy: str
    inclusion: str
    trust: str


SP11: Final = Dialect(
    name="200507",
    security_policy=ns.SP_200507,
    additions=None,
    policy=ns.WSP_200409,
    inclusion=f"{ns.SP_200507}/IncludeToken/",
    trust="Trust10",
)
"""WS-SecurityPolicy 1.1 of July 2005: WSO2's scenario files, older Rampart, .NET 3.0."""

SP12: Final = Dialect(
    name="200702",
    security_policy=ns.SP_200702,
    additions=ns.SP_200802,
    policy=ns.WSP_200409,
    inclusion=f"{ns.SP_200702}/IncludeToken/",
    trust="Trust13",
)
"""WS-SecurityPolicy 1.2, with the additions of 1.3: what is published unless a service says otherwise."""

DIALECTS: Final = {dialect.name: dialect for dialect in (SP11, SP12)}
"""By the name that configuration uses."""

BY_NAMESPACE: Final = {
    ns.SP_200507: SP11,
    ns.SP_200702: SP12,
    ns.SP_200802: SP12,
}
"""By the namespace of an assertion."""

POLICY_NAMESPACES: Final = frozenset({ns.WSP_200409, ns.WSP_15})
"""The namespaces of WS-Policy operators that are read."""
