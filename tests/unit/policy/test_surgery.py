"""A policy document cut and sewn at random is read or refused, and never anything else."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from lxml import etree

from wsprovider.policy.model import (
    Alternative,
    HttpsToken,
    Inclusion,
    Parts,
    Policy,
    SecureConversationToken,
    SupportingTokens,
    SymmetricBinding,
    TransportBinding,
    TrustOption,
    UsernameToken,
    Wss,
    X509Token,
)
from wsprovider.policy.read import read_policy
from wsprovider.policy.write import write_policy
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import DIALECTS
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

SUITE = SUITES["Basic256GcmSha256"]
X509 = X509Token(Inclusion.NEVER)
BOOT = Alternative(
    SymmetricBinding(X509, X509, SUITE),
    signed_parts=Parts(body=True),
    supporting=(SupportingTokens((UsernameToken(),), signed=True),),
    wss=Wss(signature_confirmation=True, wss10=True, wss11=True),
    trust=frozenset({TrustOption.CLIENT_ENTROPY}),
    addressing=True,
)
TOKEN = SecureConversationToken(Inclusion.ONCE, Policy("Boot", (BOOT,)))
WHOLE = Policy(
    "Whole",
    (
        Alternative(SymmetricBinding(TOKEN, TOKEN, SUITE), encrypted_parts=Parts(all_parts=True)),
        Alternative(TransportBinding(HttpsToken(), SUITE)),
    ),
)

_places = some.integers(0, 500)
_operations = some.one_of(
    some.tuples(some.just("drop"), _places, _places),
    some.tuples(some.just("copy"), _places, _places),
    some.tuples(some.just("rename"), _places, _places),
    some.tuples(some.just("optional"), _places, _places),
    some.tuples(some.just("refer"), _places, _places),
    some.tuples(some.just("text"), _places, _places),
)


def operate(root, what, here, there):
    """One cut: elements are counted through, the first one is the root and stays."""
    elements = list(root.iter("{*}*"))
    element, other = elements[here % len(elements)], elements[there % len(elements)]
    if what == "drop" and element is not root:
        element.getparent().remove(element)
    elif what == "copy" and len(elements) < 400:
        other.append(copy.deepcopy(element))
    elif what == "rename":
        element.tag = other.tag
    elif what == "optional":
        element.set(f"{{{ns.WSP_200409}}}Optional", "true")
    elif what == "refer":
        etree.SubElement(element, f"{{{ns.WSP_200409}}}PolicyReference").set(
            "URI", ("#Whole", "#Boot", "#")[there % 3]
        )
    elif what == "text":
        element.text = "text"


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_the_patient_is_healthy(dialect):
    assert read_policy(write_policy(WHOLE, dialect), where="whole.xml") == WHOLE


@settings(max_examples=300, deadline=None)
@given(
    dialect=some.sampled_from(list(DIALECTS.values())),
    operations=some.lists(_operations, min_size=1, max_size=6),
)
def test_read_or_refused(dialect, operations):
    root = write_policy(WHOLE, dialect)
    for what, here, there in operations:
        operate(root, what, here, there)
    try:
        policy = read_policy(etree.tostring(root), where="whole.xml")
    except ConfigurationError:
        return
    assert all(alternative.binding for alternative in policy.alternatives)
    assert read_policy(write_policy(policy), where="again.xml") == policy
