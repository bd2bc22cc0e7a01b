"""The catalogue's rows on messages of foreign clients: held back, bent, refused, and accepted as they were.

Every row of a scenario whose change finds its place in a client's message is sent to the service over HTTP;
then the message itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.rows import Row
from tests.attacks.test_catalogue import ROWS
from tests.live.conftest import Verdicts
from tests.live.java_peer import JavaPeer
from tests.live.provider import ProviderProcess
from tests.live.recorded import Recorded, Recording
from tests.live.recorder import Recorder
from tests.live.sending import LOST
from tests.simulator.bend import bend
from wsprovider.attack.bend import Unbendable
from wsprovider.words.reasons import Reason

pytestmark = pytest.mark.live
CLIENTS = ("CXF", "WSS4J", "Rampart")
NUMBERS = ("1", "2", "3", "4", "5", "6", "8", "15")
PAIRS = [pair for pair in ((c, n) for c in CLIENTS for n in NUMBERS) if pair != ("WSS4J", "15")]
ONE_OPERATION = "C01 wsa:Action of another operation"
"""The echo service behind these clients has no other one."""


@pytest.fixture(scope="module")
def recording(
    provider: ProviderProcess, cxf: JavaPeer, request: pytest.FixtureRequest
) -> Iterator[Recording]:
    def rampart() -> tuple[JavaPeer, Path]:
        return request.getfixturevalue("rampart"), request.getfixturevalue("wso2_policies")

    with Recorder(provider.http, provider.keys / "tls") as recorder:
        yield Recording(provider, recorder, cxf, rampart)


@pytest.mark.parametrize(("client", "scenario"), PAIRS)
def test_what_foreign_clients_wrote(
    recording: Recording, provider: ProviderProcess, verdicts: Verdicts, client: str, scenario: str
) -> None:
    """Refused with the uniform fault, whatever was changed; and at last accepted, for nothing was spent on it."""
    recorded = recording.message(client, scenario)
    uniform: bytes | None = None
    applied = 0
    for number, row in enumerate(ROWS):
        bent = _bent(row, recorded) if row.scenario == scenario and _plain(row) else None
        if bent is None:
            continue
        status, content, reason = recorded.send(provider, bent)
        assert reason is not None, f"{row} was accepted"
        assert status in range(400, 501) or (status, reason) == (LOST, "MESSAGE_TOO_LARGE")
        assert Reason[reason] not in {Reason.INTERNAL, Reason.BACKEND}
        if Reason[reason].fault_code != "-":
            uniform = uniform or content
            assert content == uniform, f"{row}: a security fault that can be told from the others"
        assert reason.encode() not in content
        verdicts.record(number, client, row.reasons, reason)
        applied += 1
    assert applied
    status, _, reason = recorded.send(provider, recorded.held.data)
    assert (status, reason) == (200, None)


def _plain(row: Row) -> bool:
    """Whether a row is about the message alone, under the scenario's own policy."""
    return row.policy is None and not row.world and not row.accept and row.id != ONE_OPERATION


def _bent(row: Row, recorded: Recorded) -> bytes | None:
    """The message after a row's change; None where that does not apply to it."""
    try:
        bent = row.bent(recorded.world, recorded.pending)
    except (
        AssertionError,
        AttributeError,
        Unbendable,
    ):  # what is to be changed is not there; or the row writes a message anew
        return None
    return None if bent == bend(recorded.pending.data) else bent
