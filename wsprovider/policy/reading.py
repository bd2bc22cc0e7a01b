"""What the readers of single assertions share while one document is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lxml import etree

from wsprovider.policy.findings import Findings
from wsprovider.policy.model import Policy
from wsprovider.words.suites import Suite


@dataclass(frozen=True, slots=True)
class Reading:
    """One document being read.

    Attributes:
        findings: takes what is wrong; readers return None beside a finding.
        suites: the algorithm suites by name.
        nested_policy: reads a policy of its own inside an assertion (the BootstrapPolicy's).
    """

    findings: Findings
    suites: Mapping[str, Suite]
    nested_policy: Callable[[etree._Element], Policy | None]
