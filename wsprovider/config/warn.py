"""What works and is still worth a sentence at start."""

from collections.abc import Iterator, Mapping
from typing import Final

from wsprovider.config.demands import demands_of
from wsprovider.policy.model import Policy
from wsprovider.scenarios.catalogue import Scenario

SIGNING_SIBLING: Final[Mapping[str, str]] = {
    "confidentiality": "sign-encrypt-anonymous",
    "encrypt-username": "sign-encrypt-username",
    "conversation-encrypt-x509": "conversation-sign-encrypt-x509",
    "conversation-encrypt-anonymous": "conversation-sign-encrypt-anonymous",
    "conversation-encrypt-username": "conversation-sign-encrypt-username",
}
"""For each scenario that only encrypts the Body, the one that signs it as well."""


def policy_warnings(policy: Policy, scenario: Scenario | None) -> Iterator[str]:
    """Sentences about a policy that is accepted."""
    demands = demands_of(policy)
    if demands.malleable:
        sibling = SIGNING_SIBLING.get(scenario.slug) if scenario else None
        advice = f'scenario "{sibling}" signs it as well' if sibling else "sign the Body as well"
        yield (
            "the Body is encrypted by a CBC suite and not signed, so whoever stands between can change it "
            f"unseen; {advice}, and the GCM suites close the gap too"
        )
    for suite in demands.suites:
        if suite.weak:
            yield f"suite {suite.name} is weak (RSA 1.5 or Triple DES) and allowed by allow_weak_suite"
        if suite.short_symmetric_keys:
            yield f"128-bit keys are accepted under {suite.name} (short_symmetric_keys)"
