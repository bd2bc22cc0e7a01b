"""Policies of other projects, read in place: each is understood or refused in words, never anything else."""

from pathlib import Path

import pytest
from lxml import etree

from wsprovider.policy.effective import policies_of
from wsprovider.policy.read import read_policy
from wsprovider.policy.write import write_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "vectors"
WSS4J = VECTORS / "apache+ws-wss4j" / "policy" / "src" / "test" / "resources" / "policy"
CXF = VECTORS / "apache+cxf"
RAMPART = VECTORS / "apache+axis-axis2-java-rampart" / "modules"


def found(folder, *patterns):
    files = {path for pattern in patterns for path in folder.glob(pattern)}
    return [pytest.param(path, id=str(path.relative_to(VECTORS))) for path in sorted(files)] or [
        pytest.param(None, id=f"no-{folder.name}", marks=pytest.mark.skip(reason="vectors are not here"))
    ]


POLICIES = [
    *found(WSS4J, "**/*.xml"),
    *found(CXF, "**/*olicy*.xml", "**/*olicies/*.xml"),
    *found(RAMPART, "**/policy/**/*.xml", "**/policy*.xml"),
]
WSDLS = found(VECTORS, "**/*.wsdl")


def outcome(read, source, **named):
    """What was read and no problems, or nothing and the problems."""
    try:
        return read(source, **named), ()
    except ConfigurationError as error:
        return None, error.problems


def understood(path, source=None):
    """The policy, or None; a refusal must say what and where."""
    policy, problems = outcome(read_policy, path.read_bytes() if source is None else source, where=path.name)
    assert policy is not None or problems
    assert all(problem.where.startswith(path.name) and problem.what for problem in problems)
    return policy


@pytest.mark.parametrize("path", POLICIES)
def test_read_or_refused_and_written_again(path):
    policy = understood(path)
    if policy is not None:
        assert read_policy(write_policy(policy), where=path.name) == policy


@pytest.mark.parametrize("path", WSDLS)
def test_policies_inside_wsdls(path):
    root = etree.fromstring(path.read_bytes())
    for namespace in (ns.WSP_200409, ns.WSP_15):
        for element in root.iterchildren(f"{{{namespace}}}Policy"):
            policy = understood(path, element)
            if policy is not None:
                assert read_policy(write_policy(policy), where=path.name) == policy


@pytest.mark.parametrize("path", WSDLS)
def test_ports_of_wsdls(path):
    root = etree.fromstring(path.read_bytes())
    for port in root.iter(f"{{{ns.WSDL11}}}port"):
        policies, problems = outcome(policies_of, path.read_bytes(), where=path.name, port=port.get("name"))
        assert policies is not None or problems
        assert all(problem.where.startswith(path.name) and problem.what for problem in problems)


@pytest.mark.skipif(not VECTORS.is_dir(), reason="vectors are not here")
def test_a_good_number_is_understood():
    paths = [parameter.values[0] for parameter in POLICIES]
    assert sum(understood(path) is not None for path in paths) >= 110

    ports = read = 0
    for parameter in WSDLS:
        data = parameter.values[0].read_bytes()
        for port in etree.fromstring(data).iter(f"{{{ns.WSDL11}}}port"):
            ports += 1
            policies, _ = outcome(policies_of, data, where="w", port=port.get("name"))
            read += policies is not None and (policies.endpoint is not None or bool(policies.messages))
    assert ports > 300
    assert read >= 115


@pytest.mark.skipif(not CXF.is_dir(), reason="vectors are not here")
def test_cxfs_gcm_wsdl():
    path = CXF / "systests/ws-security/src/test/resources/org/apache/cxf/systest/ws/gcm/DoubleItGCM.wsdl"
    suites = {
        bits: policies_of(path.read_bytes(), where="w", port=f"DoubleItGCM{bits}Port").messages
        for bits in (128, 192, 256)
    }
    for bits, messages in suites.items():
        (request, reply) = messages.values()
        for policy in (request, reply):
            (alternative,) = policy.alternatives
            assert alternative.binding.suite.name == f"Basic{bits}GcmSha256"
            assert alternative.signed_parts.body
