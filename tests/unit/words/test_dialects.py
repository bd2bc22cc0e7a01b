"""The two dialects are told apart by their namespaces and share everything else."""

from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import BY_NAMESPACE, DIALECTS, POLICY_NAMESPACES, SP11, SP12


def test_names_are_those_of_configuration():
    assert DIALECTS == {"200507": SP11, "200702": SP12}


def test_every_namespace_of_assertions_has_its_dialect():
    assert BY_NAMESPACE == {ns.SP_200507: SP11, ns.SP_200702: SP12, ns.SP_200802: SP12}


def test_inclusion_values_belong_to_the_assertions_namespace():
    for dialect in DIALECTS.values():
        assert dialect.inclusion == f"{dialect.security_policy}/IncludeToken/"
        assert dialect.policy in POLICY_NAMESPACES


def test_only_the_newer_one_has_additions():
    assert SP11.additions is None
    assert SP12.additions == ns.SP_200802
