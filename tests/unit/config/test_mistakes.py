"""Every mistake in a service's files that we can think of: one row each, beside its accepted twin."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.config.load import load_provider
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError


class Row(NamedTuple):
    """A mistake.

    wrong, right: the text of service.toml, differing in the one thing.
    where: what the problem's place ends with.
    what: words of its sentence.
    """

    name: str
    wrong: str
    right: str
    where: str
    what: str


PLAIN = 'path = "/one"\nscenario = "integrity"\n'
NAMED = 'path = "/one"\nscenario = "sign-encrypt-username"\nusers = "users.toml"\n'
BY_TLS = 'path = "/one"\nscenario = 1\nusers = "users.toml"\n'
SIGNED = 'path = "/one"\nscenario = 5\ntrust = ["clients"]\n'
TALK = 'path = "/one"\nscenario = 12\n'
TWO = '[[endpoint]]\npath = "/a"\nscenario = 3\n\n[[endpoint]]\npath = "/b"\nscenario = 6\n'


def _plain(name: str, wrong: str, right: str, where: str, what: str) -> Row:
    """A line added to a service that is right otherwise; `where` is the key."""
    return Row(name, PLAIN + wrong, PLAIN + right, f"service.toml:3: {where}", what)


ROWS = [
    # the document
    Row("not TOML", PLAIN + "ring =", PLAIN, "service.toml", "is not TOML: Invalid value (at"),
    Row("a key twice", PLAIN + 'path = "/two"', PLAIN, "service.toml", "Cannot overwrite a value"),
    _plain(
        "misspelt key", 'scenaro = "x"', "", "scenaro", 'is no key of a service; did you mean "scenario"?'
    ),
    _plain("unknown key", "colour = 1", "", "colour", "is no key of a service"),
    Row(
        "unknown key of an endpoint",
        TWO + 'namespace = "urn:x"',
        'namespace = "urn:x"\n' + TWO,
        "service.toml:8: endpoint[2].namespace",
        "is no key of an [[endpoint]]",
    ),
    Row(
        "endpoint as a table", '[endpoint]\npath = "/a"', TWO, ": endpoint", "must be written as [[endpoint]]"
    ),
    _plain(
        "roles not strings", "ring = 7", 'ring = "service"', "ring", "must be a string or an array of strings"
    ),
    # path
    Row("no path", "scenario = 3\n", PLAIN, ": path", "is missing"),
    Row(
        "no path in an endpoint",
        TWO.replace('path = "/b"\n', ""),
        TWO,
        "service.toml:5: endpoint[2].path",
        "is missing",
    ),
    Row("path and endpoints", 'path = "/x"\n' + TWO, TWO, ":1: path", "belongs to each [[endpoint]]"),
    Row(
        "one path twice",
        TWO.replace('"/b"', '"/a"'),
        TWO,
        ":6: endpoint[2].path",
        "already served, see services/one",
    ),
    *(
        Row(f"path {path}", f'path = "{path}"\nscenario = 3', PLAIN, ":1: path", "cannot be served")
        for path in ("one", "/", "/one/", "//one", "/one/../two", "/one?x", "/a b", "/ä", "/a%41", "/.hidden")
    ),
    Row(
        "reserved path", 'path = "/metrics"\nscenario = 3', PLAIN, ":1: path", "answered by the server itself"
    ),
    Row(
        "path of another type",
        "path = 1\nscenario = 3",
        PLAIN,
        ":1: path",
        "must be a string, not a whole number",
    ),
    Row("empty path", 'path = ""\nscenario = 3', PLAIN, ":1: path", "is empty"),
    # scenario and policy
    Row("no scenario", 'path = "/one"', PLAIN, ": scenario", "is missing; name a scenario"),
    Row(
        "unknown scenario",
        'path = "/one"\nscenario = "integrty"',
        PLAIN,
        ":2: scenario",
        "did you mean integrity",
    ),
    Row(
        "number out of range",
        'path = "/one"\nscenario = 17',
        'path = "/one"\nscenario = 3',
        ":2: scenario",
        "17",
    ),
    Row(
        "scenario of another type",
        'path = "/one"\nscenario = true',
        PLAIN,
        ":2: scenario",
        "number, slug or WSO2",
    ),
    _plain("scenario and policy", 'policy = "policy.xml"', "", "policy", "stands beside scenario"),
    Row(
        "missing policy document",
        'path = "/one"\npolicy = "none.xml"',
        'path = "/one"\npolicy = "policy.xml"',
        ":2: policy",
        "cannot be read: No such file",
    ),
    Row(
        "policy outside the folder",
        'path = "/one"\npolicy = "../policy.xml"',
        'path = "/one"\npolicy = "policy.xml"',
        ":2: policy",
        "lies outside the service's folder",
    ),
    Row(
        "policy with an unknown assertion",
        'path = "/one"\npolicy = "unknown.xml"',
        'path = "/one"\npolicy = "policy.xml"',
        "/sp:Telepathy (line 4)",
        "",
    ),
    Row(
        "suite beside a policy",
        'path = "/one"\npolicy = "policy.xml"\nsuite = "Basic256"',
        'path = "/one"\npolicy = "policy.xml"',
        ":3: suite",
        "names its own algorithm suite",
    ),
    # suites
    _plain("unknown suite", 'suite = "Basic256Sha265"', 'suite = "Basic256Sha256"', "suite", "did you mean"),
    _plain("suite of another type", "suite = 256", 'suite = "Basic256"', "suite", "must be a string"),
    _plain(
        "Triple DES",
        'suite = "TripleDes"',
        'suite = "TripleDes"\nallow_weak_suite = true',
        "suite",
        "allow_weak_suite = true",
    ),
    _plain(
        "RSA 1.5",
        'suite = "Basic256Sha256Rsa15"',
        'suite = "Basic256Sha256Rsa15"\nallow_weak_suite = true',
        "suite",
        "broken or nearly so",
    ),
    _plain(
        "weakness for nothing",
        "allow_weak_suite = true",
        "allow_weak_suite = false",
        "allow_weak_suite",
        "remove",
    ),
    _plain(
        "flag as text",
        'rsa_sha1 = "yes"',
        "rsa_sha1 = true",
        "rsa_sha1",
        "must be true or false, not a string",
    ),
    _plain("dialect", 'dialect = "2007"', 'dialect = "2005"', "dialect", 'one of "200702", "2005", "200507"'),
    _plain(
        "crosscheck", 'crosscheck = "wss4j"', 'crosscheck = "xmlsec"', "crosscheck", 'one of "xmlsec", "none"'
    ),
    # keys, trust, users
    Row("no such ring", PLAIN + 'ring = "absent"', PLAIN, "keys/absent", "has no folder (needed by /one)"),
    _plain("ring as a path", 'ring = "../service"', 'ring = "service"', "ring", "is no name of a folder"),
    _plain("two rings", 'ring = ["a", "b"]', 'ring = ["service"]', "ring", "must be one name"),
    Row(
        "no trust",
        SIGNED.replace('trust = ["clients"]\n', ""),
        SIGNED,
        ": trust",
        "is missing: the policy has clients sign",
    ),
    Row("empty trust list", SIGNED.replace('"clients"', ""), SIGNED, ":3: trust", "is empty"),
    Row(
        "unknown trust group",
        SIGNED.replace("clients", "partners"),
        SIGNED,
        "keys/trust/partners",
        "has no folder (needed by /one)",
    ),
    Row("empty trust group", SIGNED.replace("clients", "empty"), SIGNED, ":3: trust", "trusts nobody"),
    Row("trust twice", SIGNED.replace('"clients"', '"clients", "clients"'), SIGNED, ":3: trust", "twice"),
    Row(
        "no users",
        NAMED.replace('users = "users.toml"\n', ""),
        NAMED,
        ": users",
        "is missing: the policy asks for a user",
    ),
    Row(
        "no such user file",
        NAMED.replace("users.toml", "nobody.toml"),
        NAMED,
        "nobody.toml",
        "(needed by /one)",
    ),
    Row(
        "digests without clear passwords",
        'path = "/one"\npolicy = "digest.xml"\nusers = "hashed.toml"',
        'path = "/one"\npolicy = "digest.xml"\nusers = "users.toml"',
        ":3: users",
        "holds no clear password",
    ),
    Row(
        "roles for anonymous callers",
        PLAIN + 'roles = ["a"]',
        NAMED + 'roles = ["a"]',
        ":3: roles",
        "anonymous",
    ),
    Row("empty roles", NAMED + "roles = []", NAMED, ":4: roles", "is empty"),
    Row("empty role", NAMED + 'roles = [""]', NAMED + 'roles = ["x"]', ":4: roles", "none of them empty"),
    # addresses
    *(
        _plain(
            f"public_url {url}",
            f'public_url = "{url}"',
            'public_url = "https://a.example/base/"',
            "public_url",
            "no base URL",
        )
        for url in (
            "a.example",
            "ftp://a.example",
            "https://",
            "https://a.example?x=1",
            "https://u@a.example",
            "http://a:b",
        )
    ),
    Row(
        "TLS scenario published as http",
        'path = "/one"\nscenario = 1\nusers = "users.toml"\npublic_url = "http://a.example"',
        'path = "/one"\nscenario = 1\nusers = "users.toml"\npublic_url = "https://a.example"',
        ":4: public_url",
        "must be an https URL, not http://a.example",
    ),
    # numbers
    _plain("freshness as a number", "freshness = 300", "", "freshness", "must be a table, [freshness]"),
    *(
        Row(
            f"freshness {line}",
            f"{PLAIN}[freshness]\n{line}",
            f"{PLAIN}[freshness]\n{right}",
            f":4: freshness.{key}",
            what,
        )
        for key, line, right, what in (
            ("life", "life = 0", "life = 1", "must lie between 1 and 86400"),
            ("life", "life = 86401", "life = 86400", "must lie between"),
            ("skew", "skew = -1", "skew = 0", "must lie between 0"),
            ("future", "future = 1.5", "future = 1", "must be a whole number, not a number"),
            ("life", "life = true", "life = 60", "must be a whole number, not true or false"),
            ("lifetime", "lifetime = 60", "life = 60", 'is no key of [freshness]; did you mean "life"?'),
        )
    ),
    *(
        Row(
            f"limits {line}",
            f"{PLAIN}[limits]\n{line}",
            f"{PLAIN}[limits]\n{right}",
            f":4: limits.{key}",
            what,
        )
        for key, line, right, what in (
            ("depth", "depth = 0", "depth = 1", "must lie between 1"),
            ("dept", "dept = 10", "depth = 10", 'did you mean "depth"?'),
            ("message_bytes", 'message_bytes = "1M"', "message_bytes = 1000000", "must be a whole number"),
            (
                "rsa_bits_minimum",
                "rsa_bits_minimum = 8192",
                "rsa_bits_minimum = 1024",
                "more than rsa_bits_maximum",
            ),
        )
    ),
    Row(
        "limits of an endpoint",
        TWO + "[endpoint.limits]\ndepth = 0",
        TWO + "[endpoint.limits]\ndepth = 9",
        ":9: endpoint[2].limits.depth",
        "must lie between",
    ),
    # conversations
    Row("conversation as a number", TALK + "conversation = 60", TALK, ":3: conversation", "must be a table"),
    *(
        Row(
            f"conversation {line}",
            f"{TALK}[conversation]\n{line}",
            f"{TALK}[conversation]\n{right}",
            f":{3 + len(line.splitlines())}: conversation.{key}",
            what,
        )
        for key, line, right, what in (
            ("life", "life = 59", "life = 60", "must lie between 60 and 86400"),
            ("life", "life = 86401", "life = 86400", "must lie between 60 and 86400"),
            ("life", 'life = "1h"', "life = 3600", "must be a whole number, not a string"),
            ("unused", "unused = 9", "unused = 10", "must lie between 10 and 3600"),
            ("unused", "life = 60\nunused = 61", "life = 60\nunused = 60", "must lie between 10 and 60"),
            ("unused", "unused = 3601", "life = 3601\nunused = 3601", "must lie between 10 and 3600"),
            ("recheck", "recheck = -1", "recheck = 0", "must lie between 0 and 86400"),
            ("recheck", "recheck = 86401", "recheck = 86400", "must lie between 0"),
            ("per_owner", "per_owner = 0", "per_owner = 1", "must lie between 1 and 100000"),
            ("per_owner", "per_owner = true", "per_owner = 2", "must be a whole number"),
            (
                "per_owner",
                "contexts = 5\nper_owner = 6",
                "contexts = 5\nper_owner = 5",
                "must lie between 1 and 5",
            ),
            (
                "per_owner",
                "per_owner = 100001",
                "contexts = 100001\nper_owner = 100001",
                "must lie between 1 and 100000",
            ),
            ("contexts", "contexts = 0", "contexts = 1", "must lie between 1"),
            ("contexts", "contexts = 10_000_001", "contexts = 10_000_000", "must lie between 1 and 10000000"),
            ("lives", "lives = 60", "life = 60", 'is no key of [conversation]; did you mean "life"?'),
        )
    ),
    Row(
        "conversation of an endpoint",
        TWO.replace("6", "12") + "[endpoint.conversation]\nlife = 0",
        TWO.replace("6", "12") + "[endpoint.conversation]\nlife = 60",
        ":9: endpoint[2].conversation.life",
        "must lie between",
    ),
    Row(
        "conversation without one",
        PLAIN + "[conversation]\nlife = 60",
        TALK + "[conversation]\nlife = 60",
        ":3: conversation",
        "is to no effect: the policy has no secure conversation; remove the table",
    ),
    Row(
        "conversation of an endpoint without one",
        TWO + "[endpoint.conversation]\nlife = 60",
        TWO.replace("6", "12") + "[endpoint.conversation]\nlife = 60",
        ":8: endpoint[2].conversation",
        "the policy has no secure conversation",
    ),
    Row(
        "conversation of a service without one",
        "[conversation]\nlife = 60\n" + TWO,
        "[conversation]\nlife = 60\n" + TWO.replace("6", "12"),
        ":1: conversation",
        "is to no effect: no endpoint's policy has a secure conversation",
    ),
    Row(
        "conversation of a service whose only conversation is not read",
        "[conversation]\nlife = 60\n" + TWO.replace("6", "17"),
        "[conversation]\nlife = 60\n" + TWO.replace("6", "12"),
        ":9: endpoint[2].scenario",
        "17",
    ),
    Row(
        "conversation under a ring without a seal key",
        TALK + 'ring = "unsealed"',
        PLAIN + 'ring = "unsealed"',
        "keys/unsealed/ring.toml",
        "wsprovider keys new 2026 --purpose seal",
    ),
    Row(
        "two conversations under a ring without a seal key",
        'ring = "unsealed"\n' + TWO.replace("= 3", "= 13").replace("= 6", "= 12"),
        'ring = "unsealed"\n' + TWO,
        "keys/unsealed/ring.toml",
        "holds no [[seal]] key",
    ),
    # HTTP Basic
    Row(
        "HTTP Basic where a key protects the user name",
        NAMED + "http_basic = true",
        BY_TLS + "http_basic = true",
        ":4: http_basic",
        "is to no effect: the policy has no UsernameToken over TLS alone; remove the line",
    ),
    Row(
        "HTTP Basic that is no flag",
        BY_TLS + 'http_basic = "yes"',
        BY_TLS + "http_basic = false",
        ":4: http_basic",
        "must be true or false",
    ),
    Row(
        "HTTP Basic for all endpoints, of which none can",
        "http_basic = true\n" + TWO,
        "http_basic = true\n" + TWO + '\n[[endpoint]]\npath = "/c"\nscenario = 1\nusers = "users.toml"\n',
        ":1: http_basic",
        "is to no effect: no endpoint's policy has a UsernameToken over TLS alone",
    ),
]

_POLICY = """<wsp:Policy xmlns:wsp="{wsp}" xmlns:sp="{sp}" xmlns:wsu="{wsu}" wsu:Id="Own">
<sp:TransportBinding><wsp:Policy><sp:TransportToken><wsp:Policy><sp:HttpsToken><wsp:Policy/></sp:HttpsToken></wsp:Policy>
</sp:TransportToken><sp:AlgorithmSuite><wsp:Policy><sp:Basic256Sha256/></wsp:Policy></sp:AlgorithmSuite>
<sp:IncludeTimestamp/></wsp:Policy></sp:TransportBinding>{more}
</wsp:Policy>"""
_DIGEST = """<sp:SupportingTokens><wsp:Policy><sp:UsernameToken sp:IncludeToken="{sp}/IncludeToken/AlwaysToRecipient">
<wsp:Policy><sp:HashPassword/></wsp:Policy></sp:UsernameToken></wsp:Policy></sp:SupportingTokens>"""


@pytest.fixture(scope="session")
def keys(development_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development keys, an empty trust group, a ring without a seal key, a store of hashes only."""
    folder = tmp_path_factory.mktemp("mistakes") / "keys"
    shutil.copytree(development_keys, folder)
    (folder / "trust" / "empty").mkdir()
    shutil.copytree(folder / "service", folder / "unsealed")
    ring = folder / "unsealed" / "ring.toml"
    ring.write_text(ring.read_text().partition("[[seal]]")[0])
    write_users_file(folder / "hashed.toml", [Entry("alice", password=hash_password("x"))])
    return folder


@pytest.fixture
def load(tmp_path: Path, keys: Path):
    """Load a services folder with one service of that text; its service class is a stand-in."""
    names = {"wsp": ns.WSP_15, "sp": ns.SP_200702, "wsu": ns.WSU}
    folder = tmp_path / "services" / "one"
    folder.mkdir(parents=True)
    (tmp_path / "services" / "policy.xml").write_text("outside")
    (folder / "policy.xml").write_text(_POLICY.format(more="", **names))
    (folder / "digest.xml").write_text(_POLICY.format(more=_DIGEST.format(**names), **names))
    (folder / "unknown.xml").write_text(_POLICY.format(more="<sp:Telepathy/>", **names))

    def load(text: str):
        (folder / "service.toml").write_text(text, encoding="utf-8")
        return load_provider(
            tmp_path / "services", keys, load_classes=lambda path, label: (object,), environ={}
        )

    return load


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_mistake_is_reported_and_its_twin_accepted(row: Row, load):
    with pytest.raises(ConfigurationError) as caught:
        load(row.wrong)
    assert len(caught.value.problems) == 1, str(caught.value)
    problem = caught.value.problems[0]
    assert row.where in problem.where
    assert row.what in problem.what
    assert load(row.right).services[0].endpoints


def test_all_mistakes_of_all_files_come_in_one_error(load, tmp_path: Path):
    other = tmp_path / "services" / "two"
    other.mkdir()
    (other / "service.toml").write_text('path = "/one"\nscenario = "sixteen"\nring = 1\n')
    (tmp_path / "services" / "provider.toml").write_text("shred = 1\n")
    with pytest.raises(ConfigurationError) as caught:
        load('path = "/one"\nscenario = 5\nsuite = "none"\nrsa_sha1 = 1\n[limits]\ndepth = -1\n')
    places = [problem.where for problem in caught.value.problems]
    assert places == [
        "services/provider.toml:1: shred",
        "services/one/service.toml:3: suite",
        "services/one/service.toml:4: rsa_sha1",
        "services/one/service.toml:6: limits.depth",
        "services/one/service.toml: trust",
        "services/two/service.toml:2: scenario",
        "services/two/service.toml:3: ring",
    ]
