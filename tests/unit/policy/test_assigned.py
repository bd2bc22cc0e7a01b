"""Policies by operation, written into a WSDL and read back from it."""

from dataclasses import replace

import pytest
from lxml import etree

from wsprovider.policy.assigned import UNPROTECTED, Assigned, OperationPolicies, assigned_by, split
from wsprovider.policy.attach import attach_assigned
from wsprovider.policy.effective import policies_of
from wsprovider.policy.model import Parts, Policy
from wsprovider.scenarios.catalogue import find
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import DIALECTS, SP12
from wsprovider.words.errors import ConfigurationError

WSDL = f"{{{ns.WSDL11}}}"
OPERATIONS = {"plain": False, "sealed": False, "open": False, "tell": True}
BOTH = find("sign-encrypt-x509").policy(None)
TALK = find("conversation-sign-encrypt-x509").policy(None)


def parts(policy: Policy, **fields: object) -> Policy:
    return replace(policy, alternatives=tuple(replace(one, **fields) for one in policy.alternatives))


SIGNED = parts(BOTH, encrypted_parts=Parts())


def document() -> etree._Element:
    operations = "".join(
        f'<operation name="{name}"><input message="t:in"/>{"" if one_way else OUT}</operation>'
        for name, one_way in OPERATIONS.items()
    )
    bound = "".join(
        f'<operation name="{name}"><input/>{"" if one_way else "<output/>"}</operation>'
        for name, one_way in OPERATIONS.items()
    )
    return etree.fromstring(
        f'<definitions xmlns="{ns.WSDL11}" xmlns:t="urn:t" targetNamespace="urn:t"><message name="in"/>'
        f'<message name="out"/><portType name="T">{operations}</portType><binding name="B" type="t:T">{bound}'
        '</binding><service name="S"><port name="P" binding="t:B"/></service></definitions>'
    )


OUT = '<output message="t:out"/>'


def read_back(assigned: Assigned, dialect: str = "200702") -> Assigned:
    wsdl = document()
    attach_assigned(wsdl, assigned, OPERATIONS, DIALECTS[dialect])
    return assigned_by(policies_of(etree.tostring(wsdl), where="w"), "w")


def alternatives(policy: Policy | None) -> object:
    return None if policy is None else policy.alternatives


def same(one: Assigned, other: Assigned) -> bool:
    return all(
        [alternatives(policy) for policy in (found.request, found.reply)]
        == [alternatives(policy) for policy in (wanted.request, wanted.reply)]
        for name, one_way in OPERATIONS.items()
        for found, wanted in [(one.of(name, one_way=one_way), other.of(name, one_way=one_way))]
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_was_attached_is_what_is_read(dialect):
    assigned = Assigned(
        BOTH,
        {
            "sealed": OperationPolicies(SIGNED, BOTH),
            "open": UNPROTECTED,
            "tell": OperationPolicies(SIGNED, SIGNED),
        },
    )
    assert same(read_back(assigned, dialect), assigned)
    assert not same(read_back(assigned, dialect), Assigned(BOTH))


def test_one_policy_for_all_stands_at_the_binding():
    wsdl = document()
    attach_assigned(wsdl, Assigned(BOTH), OPERATIONS, SP12)
    assert [one.getparent().tag for one in wsdl.iter(f"{{{ns.WSP_200409}}}PolicyReference")] == [
        f"{WSDL}binding"
    ]
    assert assigned_by(policies_of(wsdl, where="w"), "w") == Assigned(BOTH)


def test_a_policy_that_operations_share_stands_once():
    wsdl = document()
    attach_assigned(wsdl, Assigned(BOTH, {"open": UNPROTECTED}), OPERATIONS, SP12)
    assert len(wsdl.findall(f"{{{ns.WSP_200409}}}Policy")) == 1
    assert len(list(wsdl.iter(f"{{{ns.WSP_200409}}}PolicyReference"))) == 3


def test_conversations_are_published_with_addressing_for_each_operation():
    found = read_back(
        Assigned(
            TALK,
            {"open": UNPROTECTED, "sealed": OperationPolicies(TALK, parts(TALK, encrypted_parts=Parts()))},
        )
    )
    assert all(one.addressing for one in found.of("plain").request.alternatives)
    assert found.of("sealed").reply.alternatives[0].encrypted_parts == Parts()


def test_messages_differ_in_their_parts_only():
    assert split("x", UNPROTECTED) is None
    whole = split("x", OperationPolicies(SIGNED, BOTH))
    assert whole.operation.alternatives[0].signed_parts == Parts()
    assert split("x", OperationPolicies(BOTH, BOTH)).request is None
    with pytest.raises(ConfigurationError, match="may differ in SignedParts"):
        split("x", OperationPolicies(BOTH, TALK))


def test_two_alternatives_must_have_the_same_parts_to_be_split():
    two = replace(BOTH, alternatives=BOTH.alternatives + SIGNED.alternatives)
    with pytest.raises(ConfigurationError, match="the same in each alternative"):
        split("x", OperationPolicies(two, parts(two, encrypted_parts=Parts())))
    assert split("x", OperationPolicies(two, two)).operation == two


def test_another_policy_for_faults_is_refused():
    wsdl = document()
    fault = etree.SubElement(wsdl.find(f"{WSDL}binding/{WSDL}operation"), f"{WSDL}fault", name="Broken")
    attach_assigned(wsdl, Assigned(BOTH, {"open": UNPROTECTED}), OPERATIONS, SP12)
    assert assigned_by(policies_of(wsdl, where="w"), "w").of("plain").reply.alternatives == BOTH.alternatives
    policy = etree.SubElement(fault, f"{{{ns.WSP_200409}}}Policy")
    required = etree.SubElement(policy, f"{{{ns.SP_200702}}}RequiredParts")
    etree.SubElement(required, f"{{{ns.SP_200702}}}Header", Name="n", Namespace="urn:n")
    with pytest.raises(ConfigurationError, match="fault Broken of operation plain has another policy"):
        assigned_by(policies_of(wsdl, where="w"), "w")
