"""Each row is what WSO2's own files say, read in place; the named differences are all there are."""

from dataclasses import replace
from pathlib import Path

import pytest

from wsprovider.policy.model import Policy, SecureConversationToken, X509Token
from wsprovider.policy.read import read_policy
from wsprovider.scenarios.catalogue import SCENARIOS, find
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

FILES = Path(__file__).resolve().parents[4] / "shared" / "wso2-policies"
pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="WSO2's policy files are not here")

OURS = [row for row in SCENARIOS if row.number != "13e"]
INTERNAL_NUMBER = {"16": "20"}
"""The older set counts otherwise: its 16 and 17 are leftovers, Kerberos is 20."""


def without_types(policy):
    """A policy whose X509Tokens name no type, in its bootstrap policy too."""

    def token(value):
        if isinstance(value, X509Token):
            return replace(value, type=None)
        if isinstance(value, SecureConversationToken):
            return replace(value, bootstrap=without_types(value.bootstrap))
        return value

    def binding(value):
        names = [
            name
            for name in value.__slots__
            if name.startswith(("initiator_", "recipient_")) or name.endswith("_token")
        ]
        return replace(value, **{name: token(getattr(value, name)) for name in names})

    return Policy(
        policy.id, tuple(replace(each, binding=binding(each.binding)) for each in policy.alternatives)
    )


def theirs(path):
    return read_policy(path.read_bytes(), where=path.name)


@pytest.mark.parametrize("row", OURS, ids=lambda row: row.slug)
def test_the_tooling_set(row):
    path = FILES / "integration-studio" / f"scenario{row.number}-policy.xml"
    assert theirs(path) == row.policy(SUITES["Basic256"])


@pytest.mark.parametrize("row", OURS, ids=lambda row: row.slug)
def test_the_server_set(row):
    path = FILES / f"scenario{INTERNAL_NUMBER.get(row.number, row.number)}-policy.xml"
    ours = row.policy(SUITES["Basic256"])
    if row.number in ("5", "11"):
        # no type at all on these two; ours is a certificate of version 3, as everywhere else
        assert theirs(path) != ours
        if row.number == "5":
            ours = without_types(ours)
        else:
            (outer,) = ours.alternatives
            conversation = outer.binding.signature_token
            bare = replace(conversation, bootstrap=without_types(conversation.bootstrap))
            ours = Policy(
                ours.id,
                (
                    replace(
                        outer, binding=replace(outer.binding, signature_token=bare, encryption_token=bare)
                    ),
                ),
            )
    assert theirs(path) == ours


def test_found_by_the_id_of_the_file():
    for row in OURS:
        path = FILES / "integration-studio" / f"scenario{row.number}-policy.xml"
        assert find(theirs(path).id) is row


@pytest.mark.parametrize("number", [17, 18, 19, 20])
def test_the_saml_ones_are_refused_in_words(number):
    with pytest.raises(ConfigurationError, match=r"sp:IssuedToken: .*not supported"):
        theirs(FILES / "integration-studio" / f"scenario{number}-policy.xml")
