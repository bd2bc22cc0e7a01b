"""Settings of a service declared in Python are refused as those of a file are."""

from pathlib import Path

import pytest

from wsprovider.exchange.guessing.settings import GuessingSettings
from wsprovider.exchange.settings import ConversationSettings
from wsprovider.server.declared import Service, read_declared
from wsprovider.words.errors import ConfigurationError

LIFE = {"conversation": {"life": 60}}


def read(keys: Path, **settings):
    service = Service("one", [object], settings)
    return read_declared([service], keys=keys, shared="memory:", environ={}).services[0].endpoints


def endpoints(*scenarios):
    return [{"path": f"/{scenario}", "scenario": scenario} for scenario in scenarios]


def test_conversations_are_read(development_keys):
    first, second = read(development_keys, endpoint=endpoints(3, 12), **LIFE)
    assert first.conversation == second.conversation != ConversationSettings()
    assert second.conversation.life.total_seconds() == 60


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"path": "/3", "scenario": 3, **LIFE}, "service one: conversation"),
        ({"endpoint": endpoints(3, 6), **LIFE}, "service one: conversation"),
        (
            {"endpoint": [{**endpoints(3)[0], **LIFE}, *endpoints(12)]},
            "service one: endpoint[1].conversation",
        ),
    ],
)
def test_conversations_where_there_are_none_are_refused(development_keys, settings, where):
    with pytest.raises(ConfigurationError) as caught:
        read(development_keys, **settings)
    (problem,) = caught.value.problems
    assert problem.where == where
    assert "is to no effect" in problem.what


def test_what_wrong_passwords_cost_is_read_as_from_a_file(development_keys):
    def guessing(**values):
        service = Service("one", [object], endpoints(3)[0] | {"trust": "clients"})
        arguments = {"keys": development_keys, "shared": "memory:", "environ": {}}
        return read_declared([service], **arguments, guessing=values).guessing

    assert guessing() == GuessingSettings()
    assert guessing(enabled=False, known=7) == GuessingSettings(enabled=False, known=7)
    with pytest.raises(ConfigurationError, match="longest_per_user: is 301"):
        guessing(longest_per_user=301)
