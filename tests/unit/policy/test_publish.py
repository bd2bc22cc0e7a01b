"""What is published says WS-Addressing wherever there are conversations, and nothing else anew."""

from dataclasses import replace

import pytest
from lxml import etree

from wsprovider.policy.model import Policy
from wsprovider.policy.publish import in_conversation, published
from wsprovider.policy.read import read_policy
from wsprovider.policy.write import write_policy
from wsprovider.scenarios.catalogue import SCENARIOS, find
from wsprovider.words import namespaces as ns
from wsprovider.words.dialects import DIALECTS

CONVERSATIONS = [scenario for scenario in SCENARIOS if scenario.needs.conversation]
OTHERS = [scenario for scenario in SCENARIOS if not scenario.needs.conversation]
ADDRESSING = f"{{{ns.WSAM}}}Addressing"


@pytest.mark.parametrize("scenario", CONVERSATIONS, ids=lambda scenario: scenario.slug)
def test_a_conversation_is_published_with_addressing_and_no_other_change(scenario):
    (enforced,), (shown,) = scenario.policy().alternatives, published(scenario.policy()).alternatives
    assert in_conversation(enforced)
    assert not enforced.addressing
    assert shown == replace(enforced, addressing=True)


@pytest.mark.parametrize("scenario", OTHERS, ids=lambda scenario: scenario.slug)
def test_any_other_policy_is_published_as_it_is_enforced(scenario):
    assert published(scenario.policy()) == scenario.policy()


def test_each_alternative_is_looked_at_by_itself():
    policy = Policy("P", (*find(6).policy().alternatives, *find(12).policy().alternatives))
    assert [one.addressing for one in published(policy).alternatives] == [False, True]


def test_what_a_document_says_itself_stays():
    (one,) = find(6).policy().alternatives
    policy = Policy("P", (replace(one, addressing=True),))
    assert published(policy) == policy
    assert published(published(find(12).policy())) == published(find(12).policy())


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("scenario", CONVERSATIONS, ids=lambda scenario: scenario.slug)
def test_the_assertion_stands_once_beside_the_binding(scenario, dialect):
    """As Metro publishes it, with the nested policy of WS-Addressing Metadata, section 3.1.1."""
    shown = published(scenario.policy())
    root = write_policy(shown, dialect)
    (assertion,) = root.iter(ADDRESSING)
    siblings = [etree.QName(element).localname for element in assertion.getparent()]
    assert "SymmetricBinding" in siblings
    assert [child.tag for child in assertion] == [f"{{{dialect.policy}}}Policy"]
    assert len(assertion[0]) == 0
    assert read_policy(etree.tostring(root), where="written.xml") == shown
