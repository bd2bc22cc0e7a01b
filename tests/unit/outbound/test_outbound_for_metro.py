"""What Eclipse Metro needs in a message, and WSS and WS-SecureConversation provide for."""

import pytest
from lxml import etree

from tests.simulator.bend import SECURITY, every, one, tree
from tests.simulator.world import World, policy
from wsprovider.keyring.contexts import ContextKey
from wsprovider.outbound.signing import context_secret
from wsprovider.words import namespaces as ns


@pytest.mark.parametrize("scenario", ["6", "8"])
@pytest.mark.parametrize("message", ["request", "reply"])
def test_a_reference_list_stands_before_all_that_it_names(scenario, message):
    """Encrypted SignatureConfirmations included."""
    exchange = World(policy(scenario, encrypt_signature=True)).call("text")
    root = tree(getattr(exchange, message))
    children = list(one(root, SECURITY))
    for listed in every(root, f"{SECURITY}/xenc:ReferenceList"):
        named = {reference.get("URI")[1:] for reference in listed}
        places = [i for i, child in enumerate(children) if child.get("Id") in named]
        assert places
        assert children.index(listed) < min(places)


@pytest.mark.parametrize("namespace", [ns.WSC_200502, ns.WSC_200512])
@pytest.mark.parametrize("instance", [None, 'urn:"&'])
def test_a_reference_to_a_context_names_its_instance(namespace, instance):
    secret = context_secret(ContextKey("urn:context", instance, namespace, b"secret"), "SCT-1")
    reference = etree.fromstring(secret.reference)[0]
    assert reference.attrib.pop(f"{{{namespace}}}Instance", None) == instance
    assert dict(reference.attrib) == {"URI": "#SCT-1", "ValueType": f"{namespace}/sct"}
    assert etree.tostring(etree.fromstring(secret.reference), method="c14n", exclusive=True) == (
        secret.reference.encode()
    )
