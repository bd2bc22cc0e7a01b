"""Keys of the wrong kind stop the start; the same with the right kind does not."""

import pytest

from tests.simulator import pki
from tests.simulator.world import issued, party
from wsprovider.config.fitting import unfit_keys
from wsprovider.config.load import load_provider
from wsprovider.keyring.lifecycle import Lifespan
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.policy.model import Policy
from wsprovider.scenarios.blocks import BODY, conversation
from wsprovider.scenarios.catalogue import find
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits
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


@pytest.mark.parametrize("number", range(9, 16))
def test_a_conversations_keys_are_those_of_its_bootstrap(number):
    assert unfit(number, "rsa-2048") == []
    assert "must hold an RSA key that decrypts" in unfit(number, "ec-p256")[0]


def test_a_conversation_by_itself_asks_nothing_of_a_key_pair():
    bootstrap = find(2).policy().alternatives[0]
    signing = conversation(bootstrap.binding.suite, bootstrap, signed=BODY, encrypted=BODY)
    snapshot = party(issued("service", "ec-p256"), ("client", CLIENT)).snapshot
    assert list(unfit_keys(Policy("", (bootstrap,)), snapshot, pki.NOW)) == []
    assert list(unfit_keys(Policy("", (signing,)), snapshot, pki.NOW)) == []


def test_a_ring_that_cannot_sign_is_one_problem_among_others(tmp_path):
    made = issued("service")
    ring = tmp_path / "keys" / "service"
    ring.mkdir(parents=True)
    (ring / "a.cert.pem").write_bytes(made.cert_pem)
    (ring / "a.key.pem").write_bytes(made.key_pem)
    (ring / "a.key.pem").chmod(0o600)
    (ring / "ring.toml").write_text(
        '[[key]]\nname = "a"\npurposes = ["decrypt"]\nkey = "a.key.pem"\ncertificate = "a.cert.pem"\n'
    )
    for name, text in (
        ("one", 'path = "/one"\nnamespace = "urn:one"\nscenario = 2\ntrust = ["nobody"]\n'),
        ("two", 'path = "/two"\nnamespace = "urn:two"\nscenario = 99\n'),
    ):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "service.toml").write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_provider(
            tmp_path / "services",
            tmp_path / "keys",
            load_classes=lambda path, _label: (type(path.parent.name, (), {}),),
            environ={},
        )
    said = str(refused.value)
    assert "two/service.toml" in said  # the unknown scenario
    assert "service/ring.toml" in said
    assert "sign" in said


@pytest.mark.parametrize(("dates", "fits"), [({"active_from": 5}, False), ({"retired_at": -60}, True)])
def test_a_key_that_is_to_come_must_fit_and_one_that_only_decrypts_need_not(dates, fits):
    """Replies that break on a day that was named long ago are nobody's mistake of that day."""
    lifespan = Lifespan(**{name: pki.days(day) for name, day in dates.items()})
    rsa, curved = issued("service", "rsa-2048"), issued("service", "ec-p256")
    keys = (
        RingKey(rsa.pair("rsa"), frozenset(Purpose)),
        RingKey(curved.pair("ec"), frozenset({Purpose.SIGN}), lifespan),
    )
    trust = Trust((PinnedGroup("g", (Partner("client", (CLIENT,)),)),), Limits())
    snapshot = RingSnapshot(Ring("service", keys), trust, "1")
    found = list(unfit_keys(find(2).policy(SUITES["Basic256"]), snapshot, pki.NOW))
    assert found == [] if fits else "ec" in found[0]
