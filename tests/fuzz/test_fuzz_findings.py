"""What the fuzzer found: each finding by itself, beside its accepted twin."""

import pytest

from tests.simulator.bend import BODY, SECURITY, bend, one
from tests.simulator.world import World
from wsprovider.words.reasons import Reason


@pytest.mark.parametrize("path", [f"{BODY}/xenc:EncryptedData", f"{SECURITY}/xenc:EncryptedKey"])
def test_children_of_ciphertext_stand_in_the_order_of_their_schema(path):
    """Any order was read, which libxmlsec does not: whoever liked could set off the alarm of a crosscheck."""

    def reverse(root):
        found = one(root, path)
        found[:] = list(found)[::-1]

    world = World("6")
    genuine = world.request().data
    assert world.refused(bend(genuine, reverse)).reason is Reason.ENCRYPTION_STRUCTURE
    world.accept(bend(genuine, lambda root: None))
