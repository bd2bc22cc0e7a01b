"""What a correct configuration becomes."""

from datetime import timedelta
from pathlib import Path

import pytest

from wsprovider.config.kerberos import missing_extra
from wsprovider.config.load import load_provider
from wsprovider.config.model import ProviderConfig
from wsprovider.exchange.settings import ConversationSettings
from wsprovider.scenarios import catalogue
from wsprovider.words import algorithms as alg
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

FULL = """
namespace = "urn:example:one"
ring = "service"
trust = "clients"
users = "users.toml"
dialect = "2005"
public_url = "https://one.example/"

[freshness]
life = 120

[limits]
depth = 20
elements = 1000

[[endpoint]]
path = "/one/a"
scenario = 8
roles = ["x", "y"]

[[endpoint]]
path = "/one/b"
scenario = "SigEncr"
suite = "Basic256"
dialect = "200702"
rsa_sha1 = true
freshness = { skew = 5 }
limits = { depth = 30 }
"""


@pytest.fixture
def load(tmp_path: Path, development_keys: Path):
    def load(environ: dict[str, str] | None = None, **services: str) -> ProviderConfig:
        for name, text in services.items():
            folder = tmp_path / "services" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "service.toml").write_text(text)
        return load_provider(
            tmp_path / "services",
            development_keys,
            load_classes=lambda path, label: (type(path.parent.name, (), {}),),
            environ=environ or {},
        )

    return load


def test_an_endpoint_says_what_differs_from_its_service(load):
    (service,) = load(one=FULL).services
    first, second = service.endpoints
    assert service.namespace == "urn:example:one"
    assert [cls.__name__ for cls in service.service_classes] == ["one"]
    assert (first.path, first.scenario, first.dialect) == ("/one/a", "sign-encrypt-username", "200507")
    assert first.where == "services/one/service.toml: endpoint[1]"
    assert first.roles == {"x", "y"}
    assert first.trust == ("clients",)
    assert first.public_url == "https://one.example"
    assert first.freshness.life == timedelta(seconds=120)
    assert first.freshness.skew == timedelta(seconds=60)
    assert (first.limits.depth, first.limits.elements) == (20, 1000)
    assert (second.scenario, second.dialect, second.roles) == ("sign-encrypt-x509", "200702", frozenset())
    assert (second.freshness.life, second.freshness.skew) == (timedelta(seconds=120), timedelta(seconds=5))
    assert (second.limits.depth, second.limits.elements) == (30, 1000)


def test_conversations_inherit_as_limits_do_and_defaults_fit_what_is_said(load):
    text = """
        conversation = { life = 120, contexts = 50, recheck = 0 }
        [[endpoint]]
        path = "/a"
        scenario = 12
        [[endpoint]]
        path = "/b"
        scenario = 13
        conversation = { life = 7200, unused = 20, per_owner = 5 }
        [[endpoint]]
        path = "/c"
        scenario = 3
    """
    first, second, third = load(one=text).services[0].endpoints
    seconds = timedelta(seconds=1)
    assert first.conversation == ConversationSettings(
        120 * seconds, 120 * seconds, 50, 50, recheck=0 * seconds
    )
    assert second.conversation == ConversationSettings(
        7200 * seconds, 20 * seconds, 5, 50, recheck=0 * seconds
    )
    assert third.conversation == first.conversation  # and to no effect
    (usual,) = load(one='path = "/a"\nscenario = 12').services[0].endpoints
    assert usual.conversation == ConversationSettings()


def test_the_policy_is_the_scenarios_under_the_suite_named(load):
    (service,) = load(one='path = "/a"\nscenario = 6\nsuite = "Basic128Sha256"').services
    expected = catalogue.find(6).policy(SUITES["Basic128Sha256"])
    assert service.endpoints[0].policy == expected


def test_the_visible_lines_widen_every_suite_of_the_policy(load):
    text = (
        'path = "/a"\nscenario = 12\nsuite = "Basic256Sha256"\nrsa_sha1 = true\nshort_symmetric_keys = true'
    )
    policy = load(one=text).services[0].endpoints[0].policy
    binding = policy.alternatives[0].binding
    bootstrap = binding.signature_token.bootstrap.alternatives[0].binding
    for suite in (binding.suite, bootstrap.suite):
        assert suite.asymmetric_signatures[-1] == alg.RSA_SHA1
        assert suite.short_symmetric_keys


def test_a_service_without_endpoints_is_one_itself(load):
    config = load(one='path = "/a"\nscenario = 3', two='path = "/b"\nscenario = "3"')
    assert [service.name for service in config.services] == ["one", "two"]
    assert [service.namespace for service in config.services] == ["urn:wsprovider:one", "urn:wsprovider:two"]
    assert config.services[0].endpoints[0].where == "services/one/service.toml"


def test_the_environment_goes_before_the_program(load, tmp_path: Path, development_keys: Path):
    load(one='path = "/a"\nscenario = 3')
    other = tmp_path / "elsewhere" / "two"
    other.mkdir(parents=True)
    (other / "service.toml").write_text('path = "/b"\nscenario = 3')
    config = load({"WSPROVIDER_SERVICES": str(other.parent), "WSPROVIDER_KEYS": str(development_keys)})
    assert [service.name for service in config.services] == ["two"]
    assert config.shared == f"sqlite:///{tmp_path}/var/shared.sqlite3"


def test_what_encrypts_without_signing_warns_under_cbc_and_names_the_sibling(load):
    quiet = load(one='path = "/a"\nscenario = 4')
    assert quiet.warnings == ()
    loud = load(one='path = "/a"\nscenario = 4\nsuite = "Basic256Sha256"')
    assert len(loud.warnings) == 1
    assert loud.warnings[0].startswith("/a: the Body is encrypted by a CBC suite and not signed")
    assert '"sign-encrypt-anonymous"' in loud.warnings[0]


@pytest.mark.parametrize("suite", ["TripleDes", "Basic256Sha256Rsa15"])
def test_weak_suites_warn(load, suite: str):
    config = load(one=f'path = "/a"\nscenario = 3\nsuite = "{suite}"\nallow_weak_suite = true')
    assert [warning for warning in config.warnings if suite in warning]


def test_only_a_policy_that_needs_keys_needs_a_keys_folder(tmp_path: Path):
    folder = tmp_path / "services" / "one"
    folder.mkdir(parents=True)
    (folder / "service.toml").write_text('path = "/a"\nscenario = 3')
    with pytest.raises(ConfigurationError, match="no such keys folder, and /a needs one"):
        load_provider(tmp_path / "services", load_classes=lambda path, label: (object,), environ={})


@pytest.mark.parametrize("content", [None, "empty"])
def test_a_folder_without_services_is_a_problem(tmp_path: Path, content: str | None):
    if content:
        (tmp_path / "services").mkdir()
    with pytest.raises(ConfigurationError, match=r"is no folder|holds no service"):
        load_provider(tmp_path / "services", load_classes=lambda path, label: (object,), environ={})


def test_the_examples_of_this_project_are_read(development_keys: Path):
    root = Path(__file__).resolve().parents[3]
    config = load_provider(
        root / "services", development_keys, load_classes=lambda path, label: (object,), environ={}
    )
    paths = {endpoint.path for service in config.services for endpoint in service.endpoints}
    for scenario in catalogue.SCENARIOS:
        if scenario.needs.kerberos and missing_extra() is not None:
            assert f"/echo/{scenario.slug} is left out" in " ".join(config.warnings)
        else:
            assert {f"/echo/{scenario.slug}", f"/wso2/{scenario.slug}"} <= paths


def test_how_often_uses_are_written(load, tmp_path: Path):
    text = 'path = "/b"\nscenario = 3'
    assert load(one=text).seen_every == 60
    (tmp_path / "services" / "provider.toml").write_text("seen_every = 5")
    assert load(one=text).seen_every == 5


def test_entries_of_the_shared_store_are_a_setting(load, tmp_path: Path):
    text = 'path = "/b"\nscenario = 3'
    assert load(one=text).replay_entries == 1_000_000
    (tmp_path / "services" / "provider.toml").write_text("replay_entries = 5_000")
    assert load(one=text).replay_entries == 5_000


def test_messages_are_remembered_for_the_most_patient_endpoint(load):
    text = 'scenario = 3\n[[endpoint]]\npath = "/x"\n[[endpoint]]\npath = "/y"\n'
    assert load(one=text).remember == timedelta(seconds=420)
    assert load(one=f"{text}freshness = {{ life = 3600 }}").remember == timedelta(seconds=3720)


def test_the_processes_public_url_is_the_default_and_has_to_suit_every_policy(load, tmp_path: Path):
    (tmp_path / "services").mkdir()
    process = tmp_path / "services" / "provider.toml"
    process.write_text('public_url = "https://all.example"')
    text = {"one": 'path = "/a"\nscenario = 1\nusers = "users.toml"', "two": 'path = "/b"\nscenario = 3'}
    urls = [service.endpoints[0].public_url for service in load(**text).services]
    assert urls == ["https://all.example", "https://all.example"]
    process.write_text('public_url = "http://all.example"')
    with pytest.raises(ConfigurationError) as caught:
        load(**text)
    assert [problem.where for problem in caught.value.problems] == ["services/one/service.toml: public_url"]
