"""Every scenario's messages are judged again from the archive alone, and changed ones are not."""

import pytest

from tests.simulator.archived import Archived
from tests.simulator.world import World
from wsprovider.archive.proving import prove_reply, prove_request
from wsprovider.scenarios.catalogue import SCENARIOS
from wsprovider.soap.version import SOAP_11, SOAP_12


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12], ids=lambda soap: soap.name)
@pytest.mark.parametrize("scenario", [row.slug for row in SCENARIOS])
def test_request_and_reply_hold_years_later(tmp_path, scenario, soap):
    archived = Archived(tmp_path, World(scenario, soap=soap))
    asked, answered = archived.exchange()
    archived.world.sleep(3 * 365 * 86_400)
    request, reply = archived.read(asked), archived.read(answered)
    proof = prove_request(request)
    assert proof.failure is None
    assert b"hello" in proof.tree
    proof = prove_reply(reply, request)
    assert proof.failure is None
    assert b"hello" in proof.tree
    assert archived.verify().findings == []
