"""What the live tests share: one provider, one process per Java peer, and the table of what ran."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.live.java_peer import JavaPeer
from tests.live.kdc import Kdc, require_kdc
from tests.live.kerberized import realm, serving
from tests.live.provider import CONVERSATIONS, ROOT, SLUGS, ProviderProcess
from wsprovider.words.reasons import Reason

POLICIES = ROOT.parent / "shared" / "wso2-policies"
NUMBERS = (*SLUGS, *CONVERSATIONS, "16")


class Matrix:
    """Scenario by client by suite: a cell is filled by a test that ran and held."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def record(self, client: str, suite: str, number: str, soap: str) -> None:
        """Fill a cell."""
        self.cells[client, suite][number].add(soap)

    def table(self) -> str:
        """The table in Markdown."""
        lines = [
            "| client | suite | " + " | ".join(NUMBERS) + " |",
            "| --- | --- |" + " --- |" * len(NUMBERS),
        ]
        for (client, suite), row in sorted(self.cells.items()):
            cells = [", ".join(sorted(row[number])) or "-" for number in NUMBERS]
            lines.append(f"| {client} | {suite} | {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def matrix() -> Iterator[Matrix]:
    """The table, written to ``var/interoperability.md`` when the session ends."""
    found = Matrix()
    yield found
    if found.cells:
        target = Path(os.environ.get("WSPROVIDER_TABLES", ROOT / "var"))
        target.mkdir(parents=True, exist_ok=True)
        (target / "interoperability.md").write_text(found.table())


_WRONG = {Reason.PASSWORD_WRONG.name, Reason.USER_UNKNOWN.name}
_DECRYPTED = {Reason.DECRYPTION.name, Reason.DECRYPTED_STRUCTURE.name}


class Verdicts:
    """What became of each row of the catalogue of bad inputs, by whose message was bent."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, str]] = defaultdict(dict)

    def record(self, number: int, sender: str, reasons: Sequence[Reason], seen: str) -> None:
        """Fill a cell: it was refused, for one of the row's Reasons or for another."""
        names = {reason.name for reason in reasons}
        if names & _DECRYPTED:  # which of the two depends on what comes out of a wrong decryption
            names |= _DECRYPTED
        if names & _WRONG:  # clients of one address share what its wrong passwords cost
            names.add(Reason.AUTHENTICATION_BACKOFF.name)
        self.seen[str(number)][sender] = "refused" if seen in names else seen


@pytest.fixture(scope="session")
def verdicts() -> Iterator[Verdicts]:
    """The verdicts, written to ``var/attacks.json`` when the session ends."""
    found = Verdicts()
    yield found
    if found.seen:
        target = Path(os.environ.get("WSPROVIDER_TABLES", ROOT / "var"))
        target.mkdir(parents=True, exist_ok=True)
        (target / "attacks.json").write_text(json.dumps(found.seen, sort_keys=True, indent=1))


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """The provider under gunicorn, with two workers for HTTP and two for HTTPS."""
    with ProviderProcess(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="session")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    """A KDC of our own, which this process' libkrb5 knows, too."""
    require_kdc()
    with realm(tmp_path_factory.mktemp("kdc")) as running, pytest.MonkeyPatch.context() as here:
        for variable, value in running.environment.items():
            here.setenv(variable, value)
        yield running


@pytest.fixture(scope="session")
def kerberized(kdc: Kdc, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A service of scenario 16 under gunicorn, with two workers for HTTP and two for HTTPS."""
    with serving(kdc, tmp_path_factory.mktemp("kerberized")) as running:
        yield running


def _peer(module: str) -> Iterator[JavaPeer]:
    reason = JavaPeer.available()
    if reason is not None:
        pytest.skip(reason)
    with JavaPeer(module) as running:
        yield running


@pytest.fixture(scope="session")
def cxf() -> Iterator[JavaPeer]:
    """Apache CXF, WSS4J and Santuario."""
    yield from _peer("cxf")


@pytest.fixture(scope="session")
def rampart() -> Iterator[JavaPeer]:
    """Apache Rampart on Axis2."""
    yield from _peer("rampart")


@pytest.fixture(scope="session")
def metro() -> Iterator[JavaPeer]:
    """Eclipse Metro."""
    yield from _peer("metro")


@pytest.fixture(scope="session")
def wso2_policies() -> Path:
    """WSO2's own policy files, read in place."""
    if not POLICIES.is_dir():
        pytest.skip("WSO2's policy files are not here")
    return POLICIES
