"""From ``scenario``, ``policy``, ``suite`` and their neighbours to the policy that an endpoint enforces."""

from pathlib import Path
from typing import Final

from wsprovider.config.demands import all_alternatives
from wsprovider.config.problems import Problems
from wsprovider.config.table import Table, near
from wsprovider.policy.model import Policy
from wsprovider.policy.read import read_policy
from wsprovider.policy.suites import with_suites
from wsprovider.scenarios import catalogue
from wsprovider.words.suites import SUITES, Suite, allow_sha1, allow_short_symmetric_keys

KEYS: Final = frozenset(
    {"scenario", "policy", "suite", "rsa_sha1", "short_symmetric_keys", "allow_weak_suite"}
)
"""What this module reads of an endpoint's table."""

_WIDENING: Final = (("rsa_sha1", allow_sha1), ("short_symmetric_keys", allow_short_symmetric_keys))
"""Lines that widen what a suite accepts: each is visible in the file, and none is a default."""

_EXAMPLE: Final = "sign-encrypt-username"


def read_endpoint_policy(
    table: Table, folder: Path, label: str, problems: Problems
) -> tuple[Policy, catalogue.Scenario | None] | None:
    """The policy of one endpoint, and its scenario if it names one.

    Args:
        table: the endpoint's table.
        folder: the service's folder, which ``policy`` is relative to.
        label: how messages name that folder.
        problems: takes what is wrong; the answer is then None.
    """
    source = _own_source(table)
    suite = _read_suite(table)
    scenario: catalogue.Scenario | None = None
    policy: Policy | None = None
    if source == "policy":
        policy = _read_document(table, folder, label, problems)
    elif source == "scenario":
        scenario = _find_scenario(table, problems)
        policy = None if scenario is None else scenario.policy(suite)
    widening = [widen for key, widen in _WIDENING if table.flag(key)]
    allow_weak = table.flag("allow_weak_suite")
    if policy is None:
        return None
    for widen in widening:
        policy = with_suites(policy, widen)
    _refuse_weak(policy, table, allowed=allow_weak)
    return policy, scenario


def _own_source(table: Table) -> str | None:
    """Which of ``scenario`` and ``policy`` counts: an endpoint's own line goes before the service's."""
    for has in (table.has_own, table.__contains__):
        given = [key for key in ("scenario", "policy") if has(key)]
        if len(given) == 2:
            table.problem("policy", "stands beside scenario; say one of the two")
            return None
        if given:
            return given[0]
    table.problem("scenario", f'is missing; name a scenario (such as "{_EXAMPLE}") or a policy document')
    return None


def _find_scenario(table: Table, problems: Problems) -> catalogue.Scenario | None:
    value = table.raw("scenario")
    if isinstance(value, bool) or not isinstance(value, int | str):
        table.problem("scenario", "must be a scenario's number, slug or WSO2 id")
        return None
    with problems.collecting():
        return catalogue.find(value, where=table.where("scenario"))
    return None


def _read_suite(table: Table) -> Suite | None:
    """The suite that the table names; None for the scenario's own, also after a mistake."""
    name = table.text("suite")
    if name is None or name in SUITES:
        return SUITES[name] if name else None
    table.problem(
        "suite", f'"{name}" is no algorithm suite{near(name, SUITES)}; known are {", ".join(SUITES)}'
    )
    return None


def _read_document(table: Table, folder: Path, label: str, problems: Problems) -> Policy | None:
    name = table.text("policy")
    if name is None:
        return None
    if table.has_own("suite") or ("suite" in table and not table.has_own("policy")):
        table.problem("suite", "stands beside policy; the document names its own algorithm suite")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        table.problem("policy", f'"{name}" lies outside the service\'s folder')
        return None
    try:
        document = path.read_bytes()
    except OSError as error:
        table.problem("policy", f'"{name}" cannot be read: {error.strerror or error}')
        return None
    with problems.collecting():
        return read_policy(document, where=f"{label}/{name}")
    return None


def _refuse_weak(policy: Policy, table: Table, *, allowed: bool) -> None:
    weak = [suite.name for suite in suites_of(policy) if suite.weak]
    if weak and not allowed:
        key = "suite" if "suite" in table else "policy" if "policy" in table else "scenario"
        table.problem(
            key,
            f"uses {', '.join(weak)}, which is broken or nearly so (RSA 1.5 or Triple DES); "
            "if a partner can do nothing better, say allow_weak_suite = true",
        )
    if allowed and not weak and table.has_own("allow_weak_suite"):
        table.problem("allow_weak_suite", "allows nothing here: no weak suite is in use; remove the line")


def suites_of(policy: Policy) -> tuple[Suite, ...]:
    """Every suite that the policy names, its bootstrap policies included."""
    return tuple(dict.fromkeys(alternative.binding.suite for alternative in all_alternatives(policy)))
