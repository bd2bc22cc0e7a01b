"""What service.toml says of single operations."""

from pathlib import Path

import pytest
from lxml import etree

from tests.unit.policy.test_assigned import OPERATIONS, document
from wsprovider.config.load import load_provider
from wsprovider.config.model import EndpointConfig
from wsprovider.policy.assigned import UNPROTECTED, Assigned, OperationPolicies
from wsprovider.policy.attach import attach_assigned
from wsprovider.policy.model import Parts
from wsprovider.policy.publish import published
from wsprovider.scenarios import catalogue
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import SP12
from wsprovider.words.errors import ConfigurationError

SP = f'xmlns:sp="{ns.SP_200702}" xmlns:wsp="{ns.WSP_200409}"'
SIGNED = f"<wsp:Policy {SP}><sp:SignedParts><sp:Body/></sp:SignedParts></wsp:Policy>"
SEALED = f"<wsp:Policy {SP}><sp:EncryptedParts><sp:Body/></sp:EncryptedParts></wsp:Policy>"
INTEGRITY = catalogue.find("integrity").policy(None)
HEAD = 'trust = ["clients"]\nusers = "users.toml"\n'
BASE = 'path = "/one"\nscenario = "integrity"\n'


@pytest.fixture
def load(tmp_path: Path, development_keys: Path):
    folder = tmp_path / "services" / "one"
    folder.mkdir(parents=True)
    (folder / "sealed.xml").write_text(SEALED)

    def load(text: str, head: str = HEAD) -> tuple[EndpointConfig, tuple[str, ...]]:
        (folder / "service.toml").write_text(head + text)
        config = load_provider(
            tmp_path / "services", development_keys, load_classes=lambda *_: (object,), environ={}
        )
        return config.services[0].endpoints[0], config.warnings

    return load


def test_an_endpoint_without_has_one_policy(load):
    endpoint, _ = load(BASE)
    assert (endpoint.assigned, endpoint.policies) == (None, Assigned(INTEGRITY))


def test_unprotected_operations_are_named_and_warned_of(load):
    endpoint, warnings = load(BASE + 'unprotected = ["ping"]\n')
    assert endpoint.policies.of("ping") == UNPROTECTED
    assert endpoint.policies.of("echo") == OperationPolicies(INTEGRITY, INTEGRITY)
    assert endpoint.unprotected == {"ping"}
    (warning,) = [one for one in warnings if "ping" in one]
    assert (
        warning
        == "/one: the operation ping is unprotected: anybody may call it, and read or change what is said"
    )


def test_an_operation_names_a_policy_of_its_own(load):
    endpoint, _ = load(
        BASE + "[operations.pay]\nscenario = 5\nrsa_sha1 = true\n[operations.ask]\nscenario = 6\n"
    )
    pay, ask = endpoint.policies.of("pay").request, endpoint.policies.of("ask").request
    assert pay.id == catalogue.find(5).policy(None).id
    assert any("rsa-sha1" in one for one in pay.alternatives[0].binding.suite.asymmetric_signatures)
    assert ask == catalogue.find(6).policy(None)
    assert endpoint.policies.usual == INTEGRITY
    assert len(endpoint.policy.alternatives) == 3


def test_messages_have_parts_beside_the_policy(load):
    endpoint, _ = load(
        BASE + 'suite = "Basic256"\nrsa_sha1 = true\n[operations.report]\nreply = "sealed.xml"\n'
    )
    report = endpoint.policies.of("report")
    assert report.request == endpoint.policies.usual
    assert report.reply.alternatives[0].encrypted_parts == Parts(body=True)
    assert report.reply.alternatives[0].signed_parts == Parts(body=True)
    assert report.reply.alternatives[0].binding == endpoint.policies.usual.alternatives[0].binding


def test_a_wsdl_says_what_each_operation_has(load, tmp_path):
    wsdl = document()
    both = catalogue.find(5).policy(None)
    wanted = Assigned(INTEGRITY, {"sealed": OperationPolicies(both, both), "open": UNPROTECTED})
    attach_assigned(wsdl, wanted, OPERATIONS, SP12)
    (tmp_path / "services" / "one" / "contract.wsdl").write_bytes(etree.tostring(wsdl))
    endpoint, _ = load('path = "/one"\npolicy = "contract.wsdl"\nunprotected = ["open"]\n')
    assert endpoint.policies.of("sealed").request.alternatives == both.alternatives
    assert endpoint.policies.of("plain").reply.alternatives == published(INTEGRITY).alternatives
    assert endpoint.policies.of("open") == UNPROTECTED
    assert endpoint.policies.usual is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE + "[operations.pay]\n", ":5: operations.pay: says nothing of the operation"),
        (BASE + "[operations.pay]\nsceanrio = 5\n", "operations.pay.sceanrio: is no key of an operation"),
        (BASE + "[operations.pay]\nscenario = 55\n", "operations.pay.scenario"),
        (BASE + '[operations.pay]\nrequest = "nowhere.xml"\n', "nowhere.xml"),
        (BASE + '[operations.pay]\nrequest = "../../x.xml"\n', "lies outside the service's folder"),
        (BASE + '[operations.pay]\nsuite = "Basic256"\n', "operations.pay.scenario: is missing"),
        (BASE + "operations = 3\n", "must be a table"),
        (BASE + 'port = "P"\n', "port: names a port of a WSDL"),
        (BASE + "unprotected = []\n", "unprotected: is empty"),
        (BASE + "[operations.pay]\nscenario = 5\nallow_weak_suite = true\n", "allows nothing here"),
        (BASE + '[operations.pay]\nscenario = 5\nsuite = "Basic256Rsa15"\n', "allow_weak_suite = true"),
    ],
)
def test_mistakes_are_told_with_their_place(load, text, said):
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    assert said in str(caught.value)
    load(BASE + "[operations.pay]\nscenario = 5\n")


def test_users_are_wanted_for_operations_as_well(load):
    text = BASE + "[operations.pay]\nscenario = 8\n"
    with pytest.raises(ConfigurationError, match="users: is missing"):
        load(text, head="")
    assert load(text)[0].users == "users.toml"
