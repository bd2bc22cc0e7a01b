"""Partners in a composed application: read with everything else, followed as the file changes, told in the log."""

import json
import logging
import shutil

import pytest

from tests.simulator.world import ECHO, echo_body
from tests.unit.server.plain import call
from tests.unit.server.test_server_create import GET, Echo, initiator, post, settings
from wsprovider.outbound.message import Algorithms
from wsprovider.scenarios.catalogue import find
from wsprovider.server import partners as server_partners
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.soap.version import SOAP_11
from wsprovider.words import algorithms as alg
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.reasons import Reason

SHA1 = Algorithms(signature=alg.RSA_SHA1, digest=alg.SHA1)
ACME = '[acme]\ncertificates = ["clients/client-1"]\nusers = ["alice"]\n'
HEALTH = {**GET, "PATH_INFO": "/healthz", "QUERY_STRING": ""}


@pytest.fixture
def keys(tmp_path, development_keys):
    shutil.copytree(development_keys, tmp_path / "keys")
    (tmp_path / "keys" / "partners.toml").unlink(missing_ok=True)
    return tmp_path / "keys"


@pytest.fixture
def serve(keys, tmp_path, monkeypatch):
    """An application of some scenarios, which looks at partners.toml with every message."""
    monkeypatch.setattr(server_partners, "_INTERVAL", 0.0)
    opened = []

    def serve(*endpoints, partners=None, **more):
        if partners is not None:
            (keys / "partners.toml").write_text(partners)
        declared = Service("echo", [Echo], {"namespace": ECHO, "endpoint": list(endpoints), **more})
        opened.append(create_app([declared], keys=keys, shared="memory:"))
        return opened[-1]

    yield serve
    for one in opened:
        one.close()


def write(keys, text):
    """Another file in the place of the old one, as an operator's editor leaves it."""
    (keys / "new.toml").write_text(text)
    (keys / "new.toml").replace(keys / "partners.toml")


def degraded(app):
    answer = call(app, b"", **HEALTH)
    assert answer.status == 200
    return json.loads(answer.data)["degraded"]


def problems(serve, *endpoints, **more):
    with pytest.raises(ConfigurationError) as caught:
        serve(*endpoints, **more)
    return [str(problem) for problem in caught.value.problems]


def outcome(app, keys, caplog, number=5, algorithms=None):
    """Status, reason, principal and identity, as the log has them."""
    client = initiator(keys, find(number).policy())
    if algorithms is not None:
        client._algorithms = algorithms
    pending = client.request(echo_body(SOAP_11, "x"), version=SOAP_11)
    caplog.clear()
    with caplog.at_level(logging.INFO, "wsprovider.request"):
        post(app, number, pending.data)
    line = json.loads(next(one.getMessage() for one in caplog.records if one.name == "wsprovider.request"))
    return line["reason"], line.get("principal"), line.get("identity")


def test_a_file_that_comes_and_changes_counts(serve, keys, caplog):
    app = serve(settings(5), settings(8))
    assert outcome(app, keys, caplog) == (None, "client-1", None)
    write(keys, ACME)
    assert outcome(app, keys, caplog) == (None, "acme", "client-1")
    assert outcome(app, keys, caplog, 8) == (None, "acme", "alice")
    write(keys, f'{ACME}services = ["echo/8"]\n')
    assert outcome(app, keys, caplog)[0] == "PARTNER_SERVICE"
    assert outcome(app, keys, caplog, 8) == (None, "acme", "alice")
    write(keys, f'{ACME}operations = ["echo:erase"]\n')
    assert outcome(app, keys, caplog, 8)[0] == "PARTNER_OPERATION"
    write(keys, f'{ACME}operations = ["echo:erase", "echo:echo"]\n')
    assert outcome(app, keys, caplog, 8) == (None, "acme", "alice")


@pytest.mark.parametrize("wrong", ["[acme", f'{ACME}services = ["orders"]\n', None])
def test_a_changed_file_with_problems_is_not_taken_over(serve, keys, caplog, wrong):
    app = serve(settings(5), settings(8), partners=f'{ACME}operations = ["echo:erase"]\n')
    assert outcome(app, keys, caplog)[0] == "PARTNER_OPERATION"
    assert degraded(app) == []
    caplog.clear()
    if wrong is None:
        (keys / "partners.toml").unlink()
    else:
        write(keys, wrong)
    with caplog.at_level(logging.ERROR, "wsprovider.start"):
        assert degraded(app) == ["keys"]
        assert degraded(app) == ["keys"]
    told = [one.getMessage() for one in caplog.records if one.name == "wsprovider.start"]
    assert len(told) == 1  # though it is looked at with every message
    assert "partners: the old ones stay in force" in told[0]
    assert outcome(app, keys, caplog)[0] == "PARTNER_OPERATION"
    write(keys, ACME)
    assert outcome(app, keys, caplog) == (None, "acme", "client-1")
    assert degraded(app) == []


def test_who_is_on_the_way_is_waited_for(serve, keys, caplog):
    """A partner's file may be there before the user that it names is."""
    app = serve(settings(8), settings(5), partners=ACME)
    write(keys, f'{ACME}[beta]\nusers = ["bertha"]\n')
    assert degraded(app) == ["keys"]
    endpoint = app.endpoints[0]
    users = endpoint.recipient._callers._users
    users._file._interval = users._file._next = 0.0
    lines = (keys / "users.toml").read_text()
    (keys / "users.toml").write_text(lines + lines.replace("alice", "bertha").replace("bob", "bert"))
    assert degraded(app) == []
    assert [one.name for one in endpoint.recipient.openings.current().partners.all] == ["acme", "beta"]


def test_only_partners_where_they_are_required(serve, keys, caplog):
    only = settings(5, partners="required")
    (problem,) = problems(serve, only, settings(8))
    assert "endpoint[1]" in problem
    assert "there is no keys/partners.toml: write it" in problem
    app = serve(only, settings(8), partners='[acme]\nusers = ["alice"]\n')
    assert outcome(app, keys, caplog)[0] == "PARTNER_UNKNOWN"
    assert outcome(app, keys, caplog, 8) == (None, "acme", "alice")
    write(keys, ACME)
    assert outcome(app, keys, caplog) == (None, "acme", "client-1")


def test_partners_where_everybody_is_anonymous(serve):
    (problem,) = problems(serve, settings(3, partners="required"), partners=ACME)
    assert "partners" in problem
    assert "under this policy every caller is anonymous" in problem
    serve(settings(3, partners="optional"), settings(5), settings(8), partners=ACME)


def test_the_word_is_one_of_two(serve):
    (problem,) = problems(serve, settings(5, partners="yes"), partners=ACME)
    assert 'must be one of "required", "optional"' in problem
    serve(settings(5, partners="required"), settings(8), partners=ACME)


def test_everything_that_is_wrong_is_said_at_start(serve):
    text = '[acme]\ncertificates = ["customers/client-1"]\nusers = ["nobody"]\noperations = ["echo:ech"]\n'
    found = problems(serve, settings(5), settings(8), partners=text)
    assert len(found) == 3
    assert "in use: clients" in found[0]
    assert "in no user store" in found[1]
    assert "there are: echo, erase, mirror" in found[2]
    serve(settings(5), settings(8), partners=f'{ACME}operations = ["echo:echo"]\n')


def test_sha1_for_one_partner(serve, keys, caplog):
    app = serve(settings(5), settings(8), partners=ACME)
    assert outcome(app, keys, caplog, algorithms=SHA1)[0] == "ALGORITHM_NOT_IN_SUITE"
    write(keys, f"{ACME}rsa_sha1 = true\n")
    assert outcome(app, keys, caplog, algorithms=SHA1) == (None, "acme", "client-1")
    write(keys, '[beta]\ncertificates = ["clients/client-2"]\nrsa_sha1 = true\n')
    assert outcome(app, keys, caplog, algorithms=SHA1)[0] == "ALGORITHM_NOT_IN_SUITE"
    wsdl = call(app, b"", **{**GET, "PATH_INFO": "/echo/5"}).data
    assert b"Sha256" in wsdl


@pytest.mark.parametrize(
    ("number", "line", "said"),
    [
        (8, 'suite = "Basic256Rsa15"\nallow_weak_suite = true', "/echo/8, for acme: suite Basic256Rsa15 is weak"),
        (8, 'suite = "Basic256Rsa15"\nallow_weak_suite = true', "strangers' messages are decrypted by"),
        (7, 'suite = "Basic256"', "the Body is encrypted by a CBC suite and not signed"),
    ],
)  # fmt: skip
def test_what_is_weaker_is_told_at_start(serve, caplog, number, line, said):
    alice = '[acme]\nusers = ["alice"]\n'
    with caplog.at_level(logging.WARNING, "wsprovider.start"):
        serve(settings(number), partners=alice)
        assert said not in caplog.text
        serve(settings(number), partners=f"{alice}{line}\n")
    assert said in caplog.text


def test_nothing_is_told_of_strangers_where_signatures_come_first(serve, caplog):
    client = '[acme]\ncertificates = ["clients/client-1"]\nsuite = "Basic256Rsa15"\nallow_weak_suite = true\n'
    with caplog.at_level(logging.WARNING, "wsprovider.start"):
        serve(settings(5), partners=client)
    assert "for acme: suite Basic256Rsa15 is weak" in caplog.text
    assert "strangers" not in caplog.text


def test_an_endpoint_that_nobody_may_call_is_told(serve, caplog):
    only = settings(5, partners="required")
    with caplog.at_level(logging.WARNING, "wsprovider.start"):
        serve(only, settings(8), partners=ACME)
        assert "no partner may call" not in caplog.text
        serve(only, settings(8), partners=f'{ACME}services = ["echo/8"]\n')
    assert "/echo/5: no partner may call here" in caplog.text


def test_the_principal_of_the_service(serve, keys):
    Echo.calls.clear()
    app = serve(settings(5), settings(8), partners=ACME)
    client = initiator(keys, find(5).policy())
    post(app, 5, client.request(echo_body(SOAP_11, "x"), version=SOAP_11).data)
    assert Echo.calls == ["acme: x"]
    assert app.metrics.requests("echo/5", None) == 1
    assert app.metrics.requests("echo/5", Reason.PARTNER_SERVICE) == 0
