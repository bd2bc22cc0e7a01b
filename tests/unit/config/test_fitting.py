"""Keys of the wrong kind stop the start; the same with the right kind does not."""

import pytest

from tests.simulator import pki
from tests.simulator.world import issued, party
from wsprovider.config.fitting import unfit_keys
from wsprovider.scenarios.catalogue import find
from wsprovider.words.suites import SUITES

CLIENT = issued("client").certificate


def unfit(number, kind, suite=None):
    snapshot = party(issued("service", kind), ("client", CLIENT)).snapshot
    return list(unfit_keys(find(number).policy(SUITES[suite] if suite else None), snapshot, pki.NOW))


@pytest.mark.parametrize("number", range(1, 9))
def test_rsa_fits_everything(number):
    assert unfit(number, "rsa-2048") == []


@pytest.mark.parametrize("kind", ["ec-p256", "ed25519"])
@pytest.mark.parametrize("number", range(3, 9))
def test_keys_cannot_be_encrypted_to_another_kind(number, kind):
    assert "must hold an RSA key that decrypts" in unfit(number, kind)[0]


@pytest.mark.parametrize("kind", ["ec-p256", "ed25519"])
def test_signing_alone_takes_any_kind_that_the_suite_knows(kind):
    assert unfit(2, kind) == []
    assert "suite Basic256 has no signature method" in unfit(2, kind, "Basic256")[0]
