"""From ``scenario``, ``policy``, ``suite`` and their neighbours to the policies that an endpoint or an operation has."""

from functools import partial
from pathlib import Path
from typing import Final

from wsprovider.config.demands import all_alternatives
from wsprovider.config.http_basic import with_http_basic
from wsprovider.config.problems import Problems
from wsprovider.config.table import Table, near
from wsprovider.policy.assigned import Assigned, assigned_by
from wsprovider.policy.effective import policies_of
from wsprovider.policy.findings import Findings
from wsprovider.policy.model import Policy
from wsprovider.policy.read import parse_document, read_policy
from wsprovider.policy.suites import with_suites
from wsprovider.scenarios import catalogue
from wsprovider.words import namespaces as ns
from wsprovider.words.suites import SUITES, Suite, allow_sha1, allow_short_symmetric_keys

KEYS: Final = frozenset(
    {
        "scenario",
        "policy",
        "port",
        "suite",
        "rsa_sha1",
        "short_symmetric_keys",
        "allow_weak_suite",
        "http_basic",
    }
)
"""What this module reads of a table."""

_WIDENING: Final = (("rsa_sha1", allow_sha1), ("short_symmetric_keys", allow_short_symmetric_keys))
"""Lines that widen what a suite accepts: each is visible in the file, and none is a default."""

_DEFINITIONS: Final = f"{{{ns.WSDL11}}}definitions"
_EXAMPLE: Final = "sign-encrypt-username"


Source = tuple[Assigned, catalogue.Scenario | None]
"""What a table names: policies, and their scenario if it is one."""


def source_of(table: Table, folder: Path, label: str, problems: Problems) -> Source | None:
    """The policies that a table names, as they stand there; :func:`settled` applies its other lines.

    Args:
        table: the endpoint's table, or that of an operation.
        folder: the service's folder, which ``policy`` is relative to.
        label: how messages name that folder.
        problems: takes what is wrong; the answer is then None.
    """
    source = _own_source(table)
    suite = _read_suite(table)
    if table.has_own("port") and source != "policy":
        table.problem("port", "names a port of a WSDL; the policy is from elsewhere")
    if source == "policy":
        assigned = _read_document(table, folder, label, problems)
        return None if assigned is None else (assigned, None)
    scenario = _find_scenario(table, problems) if source == "scenario" else None
    return None if scenario is None else (Assigned(scenario.policy(suite)), scenario)


def settled(table: Table, assigned: Assigned) -> Assigned:
    """The policies with the table's lines that widen what is accepted; a weak suite is refused unless one is meant."""
    if table.flag("http_basic"):
        assigned = assigned.changed(with_http_basic)
    for widen in [widen for key, widen in _WIDENING if table.flag(key)]:
        assigned = assigned.changed(partial(with_suites, change=widen))
    _refuse_weak(assigned.everything, table, allowed=table.flag("allow_weak_suite"))
    return assigned


def read_file(table: Table, key: str, folder: Path) -> bytes | None:
    """The document that a key names, inside the service's folder; None after a mistake."""
    name = table.text(key)
    if name is None:
        return None
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        table.problem(key, f'"{name}" lies outside the service\'s folder')
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        table.problem(key, f'"{name}" cannot be read: {error.strerror or error}')
        return None


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


def _read_document(table: Table, folder: Path, label: str, problems: Problems) -> Assigned | None:
    """A policy document, or a WSDL with policies attached to it."""
    if table.has_own("suite") or ("suite" in table and not table.has_own("policy")):
        table.problem("suite", "stands beside policy; the document names its own algorithm suite")
    document = read_file(table, "policy", folder)
    if document is None:
        return None
    where = f"{label}/{table.text('policy')}"
    with problems.collecting():
        root = parse_document(document, Findings(where))
        if root.tag != _DEFINITIONS:
            if "port" in table:
                table.problem("port", "names a port of a WSDL, and the policy is none")
            return Assigned(read_policy(root, where=where))
        assigned = assigned_by(policies_of(root, where=where, port=table.text("port")), where)
        if assigned.usual is not None or assigned.operations:
            return assigned
        table.problem("policy", "is a WSDL without a policy for that port")
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
