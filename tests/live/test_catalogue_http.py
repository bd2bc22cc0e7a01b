"""Every row of the catalogue once more, through HTTP to gunicorn with two workers."""

from collections.abc import Iterator

import pytest

from tests.attacks.test_catalogue import ROWS
from tests.live.conftest import Verdicts
from tests.live.housed import Housed
from tests.live.sending import LOST
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

BY_HTTP = {"A14 empty": Reason.CONTENT_LENGTH}
"""What HTTP itself refuses before the message is looked at."""

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def housed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Housed]:
    with Housed(tmp_path_factory.mktemp("housed"), ROWS) as running:
        yield running


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda number: str(ROWS[number]))
def test_is_refused(number: int, housed: Housed, verdicts: Verdicts) -> None:
    """As by functions: its Reason, the uniform fault, no change of state, no call; then the genuine message."""
    row = ROWS[number]
    world = housed.world(row)
    if world.conversation:
        world.open()
    genuine = world.request()
    bent = row.bent(world, genuine)
    before = world.state(), housed.calls()
    answer = housed.post(row, bent, **row.accept)
    assert answer.reason is not None, "it was accepted"
    expected = (BY_HTTP[row.id],) if row.id in BY_HTTP else row.reasons
    assert Reason[answer.reason] in expected
    assert (world.state(), housed.calls()) == before, "a refused message changed state, or was served"
    if Reason[answer.reason].fault_code != "-":
        uniform = world.recipient.refuse(WSSecurityError(Reason.SIGNATURE_VALUE), version=world.soap)
        assert (answer.status, answer.data) == (uniform.status, uniform.data)
    assert answer.status in range(400, 501) or (answer.status, answer.reason) == (LOST, "MESSAGE_TOO_LARGE")
    assert answer.reason.encode() not in answer.data
    accepted = housed.post(row, genuine.data)
    assert (accepted.status, accepted.reason) == (200, None)
    world.initiator.accept(genuine, accepted.data, secure=world.transport.secure)
    assert housed.calls() == before[1] + 1
    verdicts.record(number, "HTTP", row.reasons, answer.reason)
