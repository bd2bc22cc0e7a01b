"""Settings of a service declared in Python are refused as those of a file are."""

from contextlib import closing
from pathlib import Path

import pytest

from wsprovider.adapters.users.editing import sql_editor
from wsprovider.adapters.users.records import Entry
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


def test_users_may_be_in_a_database(tmp_path):
    (tmp_path / "directory.toml").write_text('kind = "sql"\nurl_env = "USERS_URL"\n')
    environ = {"USERS_URL": f"sqlite:///{tmp_path / 'users.db'}"}
    digest = Path(__file__).parents[3] / "services" / "echo" / "policies" / "password-digest.xml"
    service = Service("one", [object], {"path": "/1", "scenario": 1, "users": "directory.toml"})
    digests = Service("two", [object], {"path": "/2", "policy": str(digest), "users": "directory.toml"})

    def problems(*services, **arguments):
        with pytest.raises(ConfigurationError) as caught:
            read_declared(services, keys=tmp_path, shared="memory:", **arguments)
        return str(caught.value)

    assert "the environment variable USERS_URL is not set" in problems(service, environ={})
    told = problems(service, environ=environ)
    assert '"directory.toml" did not answer: sqlite: OperationalError: no such table' in told
    with closing(sql_editor(tmp_path / "directory.toml", environ)) as editor:
        editor.make_tables()
        assert "holds no clear password" in problems(service, digests, environ=environ)
        editor.put(Entry("alice", password="no hash"))
    config = read_declared([service], keys=tmp_path, shared="memory:", environ=environ)
    (warning,) = config.warnings
    assert "1 of 1 hashes looked at are no argon2id hashes" in warning
    assert config.services[0].endpoints[0].users == "directory.toml"
