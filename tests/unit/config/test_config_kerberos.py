"""``[kerberos]`` and ``optional``: what they become, each mistake beside its accepted twin, and the keys behind them."""

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from wsprovider.adapters.kerberos import gss
from wsprovider.adapters.kerberos.enctypes import NUMBERS, USUAL
from wsprovider.adapters.kerberos.keytab import KeytabKey, write_keytab
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.cli.services import table as service_table
from wsprovider.config.kerberos import TicketKeys
from wsprovider.config.load import load_provider
from wsprovider.config.problems import Problems
from wsprovider.config.services import ReadService, read_table
from wsprovider.config.table import Table
from wsprovider.exchange.settings import KerberosSettings
from wsprovider.words.errors import ConfigurationError, Problem

PLAIN = 'path = "/one"\nscenario = 16\n'
KEYTAB = PLAIN + '[kerberos]\nkeytab = "kerberos/echo.keytab"\n'
PASSWORD = PLAIN + '[kerberos]\nprincipal = "HTTP/h@R"\npassword_env = "P"\n'
TWO = '[[endpoint]]\npath = "/a"\nscenario = {}\n[[endpoint]]\npath = "/b"\nscenario = {}\n'
AES256 = NUMBERS["aes256-cts-hmac-sha1-96"]


class Row(NamedTuple):
    """A mistake: two texts that differ in the one thing, where the problem is, words of its sentence."""

    name: str
    wrong: str
    right: str
    where: str
    what: str


def _line(name: str, wrong: str, right: str, what: str, key: str | None = None) -> Row:
    """A line below ``[kerberos]`` with a keytab."""
    where = f":5: kerberos.{key or wrong.split(maxsplit=1)[0]}"
    return Row(name, KEYTAB + wrong, KEYTAB + right, where, what)


NAMES = 'realms = ["R"]\nnames = { "alice@%s" = "alice" }'
ROWS = [
    Row("no table", PLAIN, KEYTAB, "service.toml: kerberos", "names no key, and the policy asks for"),
    Row("no key", PLAIN + '[kerberos]\nprincipal = "HTTP/h@R"', PASSWORD, ":3: kerberos", "give a keytab"),
    _line("a key of no meaning", 'keytap = "x"', "", 'did you mean "keytab"?'),
    _line("a password in the clear", 'password = "secret"', "", "password_env"),
    Row(
        "a password in the clear, for all",
        '[kerberos]\nkeytab = "k"\npassword = "secret"\n' + TWO.format(16, 3),
        '[kerberos]\nkeytab = "k"\n' + TWO.format(16, 3),
        ":3: kerberos.password",
        "is never written here",
    ),
    _line("two sources", 'password_env = "P"', "", "stands beside keytab"),
    Row(
        "two passwords",
        PASSWORD + 'password_file = "p"',
        PASSWORD,
        ":6: kerberos.password_file",
        "stands beside password_env",
    ),
    Row(
        "a password of nobody",
        PASSWORD.replace('principal = "HTTP/h@R"\n', ""),
        PASSWORD,
        ": kerberos.principal",
        "must name the one principal",
    ),
    Row(
        "a password of two",
        PASSWORD.replace('"HTTP/h@R"', '["HTTP/h@R", "HTTP/i@R"]'),
        PASSWORD.replace('"HTTP/h@R"', '["HTTP/h@R"]'),
        ":4: kerberos.principal",
        "must name the one principal",
    ),
    _line("no realm", 'principal = "HTTP/h"', 'principal = "HTTP/h@R"', "HTTP/host.example.com@REALM"),
    _line("salt of a keytab", 'salt = "Rh"', "", "belongs to a password"),
    _line("realm", 'realms = ["a@R"]', 'realms = "R"', "is no realm"),
    _line("no realms", "realms = []", 'realms = ["R", "S"]', "empty means nobody"),
    _line("enctype", 'enctypes = "aes"', 'enctypes = "rc4-hmac"', "no encryption type"),
    _line("no enctype", "enctypes = []", f"enctypes = {list(USUAL)}", "is empty"),
    _line("names", 'names = "alice"', 'names = { "alice@R" = "alice" }', "must be a table of names"),
    _line("no name", 'names = { "alice@R" = "" }', 'names = { "a@R" = "b" }', "must be a table of names"),
    _line("whose name", 'names = { alice = "alice" }', "names = {}", "is no principal"),
    Row(
        "a name that never comes",
        KEYTAB + NAMES % "S",
        KEYTAB + NAMES % "R",
        ":6: kerberos.names",
        "may not call: realms has no S",
    ),
    _line("strip, of two", 'strip_realm = true\nrealms = ["R", "S"]', 'strip_realm = true\nrealms = ["R"]', "exactly one"),
    _line("strip, of whom", "strip_realm = true", 'strip_realm = true\nprincipal = "HTTP/h@R"', "exactly one"),
    _line("flag", 'later_messages = "yes"', "later_messages = true", "must be true or false"),
    _line("limit of nothing", "tickets = 5", "tickets = 5\nlater_messages = true", "to no effect without"),
    _line("no tickets", "tickets = 0\nlater_messages = true", "tickets = 1\nlater_messages = true", "lie between 1"),
    Row(
        "more of one than of all",
        KEYTAB + "later_messages = true\ntickets = 5\nper_owner = 6",
        KEYTAB + "later_messages = true\ntickets = 5\nper_owner = 5",
        ":7: kerberos.per_owner",
        "lie between 1 and 5",
    ),
    Row("to no effect", KEYTAB.replace("16", "3"), KEYTAB, ":3: kerberos", "the policy has no Kerberos token"),
    Row(
        "to no effect at all",
        '[kerberos]\nkeytab = "k"\n' + TWO.format(3, 6),
        '[kerberos]\nkeytab = "k"\n' + TWO.format(3, 16),
        ":1: kerberos",
        "no endpoint's policy has a Kerberos token",
    ),
    Row(
        "optional for another reason",
        'optional = "redis"\n' + KEYTAB,
        'optional = "kerberos"\n' + KEYTAB,
        ":1: optional",
        'must be one of "kerberos"',
    ),
    Row(
        "nothing optional",
        'optional = "kerberos"\npath = "/one"\nscenario = 3',
        'path = "/one"\nscenario = 3',
        ":1: optional",
        "remove the line",
    ),
]  # fmt: skip


@pytest.fixture
def read(tmp_path: Path):
    """One service as read, and what is wrong with it; nothing behind it is opened."""

    def read(text: str) -> tuple[ReadService, list[Problem]]:
        problems = Problems()
        (tmp_path / "service.toml").write_text(text)
        table = Table.from_file(tmp_path / "service.toml", label="service.toml", problems=problems)
        service = read_table(table, tmp_path, "one", (object,), problems)
        return service, list(problems)

    return read


@pytest.fixture
def without(monkeypatch):
    """A Python without the extra."""
    monkeypatch.setitem(sys.modules, "gssapi", None)
    monkeypatch.setitem(sys.modules, "gssapi.raw", None)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """The extra, with nothing of the machine's own."""
    pytest.importorskip("gssapi", exc_type=ImportError)
    monkeypatch.setattr(gss._Chosen, "path", None)
    monkeypatch.setenv("KRB5_CONFIG", "/dev/null")


@pytest.fixture
def load(tmp_path: Path, development_keys: Path):
    def load(text: str, process: str = "", keys: Path = development_keys, **environ: str):
        folder = tmp_path / "services" / "one"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "service.toml").write_text(text)
        (folder.parent / "provider.toml").write_text(process)
        return load_provider(folder.parent, keys, load_classes=lambda path, label: (object,), environ=environ)

    return load


@pytest.fixture
def wrong(load):
    def wrong(*args, **kwargs) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(*args, **kwargs)
        return [str(problem) for problem in caught.value.problems]

    return wrong


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_mistake_is_reported_and_its_twin_accepted(row: Row, read):
    _, problems = read(row.wrong)
    (problem,) = problems
    assert problem.where.endswith(row.where)
    assert row.what in problem.what
    assert "secret" not in problem.what
    service, problems = read(row.right)
    assert problems == []
    assert service.endpoints


def test_what_is_said_and_what_is_left_out(read):
    text = """
        [kerberos]
        principal = ["HTTP/a@ONE", "HTTP/b@TWO"]
        keytab = "/etc/krb5.keytab"
        enctypes = "aes256-cts"
        later_messages = true
        tickets = 7
        names = { "alice@ONE" = "alice" }
        [[endpoint]]
        path = "/a"
        scenario = 16
        [[endpoint]]
        path = "/b"
        scenario = 16
        [endpoint.kerberos]
        principal = "HTTP/b@TWO"
        password_file = "kerberos/b.password"
        salt = "TWOb$"
        realms = "TWO"
        strip_realm = true
        names = {}
        later_messages = false
        [[endpoint]]
        path = "/c"
        scenario = 3
    """
    service, problems = read(text)
    assert problems == []
    first, second, third = service.config.endpoints
    assert first.ticket_keys == TicketKeys(
        ("HTTP/a@ONE", "HTTP/b@TWO"), "/etc/krb5.keytab", enctypes=("aes256-cts",)
    )
    assert first.kerberos == KerberosSettings(
        frozenset({"ONE", "TWO"}), {"alice@ONE": "alice"}, later_messages=True, per_owner=7, tickets=7
    )
    assert second.ticket_keys == TicketKeys(
        ("HTTP/b@TWO",), None, None, "kerberos/b.password", "TWOb$", ("aes256-cts",)
    )
    assert second.kerberos == KerberosSettings(frozenset({"TWO"}), strip_realm=True, per_owner=7, tickets=7)
    assert third.ticket_keys is None
    usual, problems = read(KEYTAB)
    assert problems == []
    assert usual.config.endpoints[0].ticket_keys == TicketKeys(keytab="kerberos/echo.keytab")
    assert usual.config.endpoints[0].kerberos == KerberosSettings()


@pytest.mark.parametrize(
    "inherited", ["[limits]\ndpeth = 1", "[freshness]\nlive = 1", "[kerberos]\nkeytap = 1"]
)
def test_a_misspelt_key_is_found_where_it_is_only_inherited(read, inherited):
    _, problems = read(f"{inherited}\n{TWO.format(3, 6)}")
    assert any("did you mean" in problem.what for problem in problems)


def test_without_the_extra_it_does_not_start_and_says_what_is_missing(wrong, without):
    (problem,) = wrong(KEYTAB)
    assert problem.startswith("services/one/service.toml:4: kerberos.keytab: gssapi is not installed")
    for word in ("wsprovider[kerberos]", "libkrb5-dev", "libgssapi-krb5-2"):
        assert word in problem
    (problem,) = wrong(PASSWORD, P="secret")
    assert problem.startswith("services/one/service.toml:5: kerberos.password_env: gssapi is not installed")


def test_without_the_extra_what_is_optional_is_left_out_and_the_log_says_why(load, without):
    text = '[kerberos]\nkeytab = "none"\n[[endpoint]]\npath = "/a"\nscenario = 3\n'
    config = load(text + '[[endpoint]]\npath = "/b"\nscenario = 16\noptional = "kerberos"\n')
    assert [endpoint.path for endpoint in config.services[0].endpoints] == ["/a"]
    (warning,) = config.warnings
    assert warning.startswith("/b is left out: gssapi is not installed")
    assert "wsprovider[kerberos]" in warning
    assert "libkrb5-dev" in warning


def test_with_the_extra_what_is_optional_is_served_and_its_keytab_must_be_there(load, wrong, library):
    optional = 'optional = "kerberos"\n' + KEYTAB
    (service,) = load(optional).services
    assert [endpoint.path for endpoint in service.endpoints] == ["/one"]
    (problem,) = wrong(optional.replace("echo.keytab", "none.keytab"))
    assert "none.keytab: cannot be read: No such file or directory (needed by /one)" in problem


def test_keys_are_looked_at_once_whoever_shares_them(load, wrong, library, tmp_path):
    text = '[kerberos]\nkeytab = "{}"\n' + TWO.format(16, 16)
    assert load(text.format("kerberos/echo.keytab")).warnings == ()
    keytab = tmp_path / "any.keytab"
    assert len(wrong(text.format(keytab))) == 1
    keytab.write_bytes(b"PEM")
    assert wrong(text.format(keytab)) == [f"{keytab}: no keytab (needed by /a)"]
    keytab.write_bytes(write_keytab([KeytabKey(Principal(("HTTP", "h"), "R"), 1, AES256, bytes(32))]))
    keytab.chmod(0o640)
    (warning,) = load(text.format(keytab)).warnings
    assert "chmod 600" in warning
    named = f'principal = "HTTP/{{}}@R"\nkeytab = "{keytab}"'
    (problem,) = wrong(text.replace('keytab = "{}"', named.format("i")))
    assert "has no key of HTTP/i@R; it holds HTTP/h@R" in problem
    assert load(text.replace('keytab = "{}"', named.format("h")))
    (problem,) = wrong(text.replace('keytab = "{}"', f'{named.format("h")}\nenctypes = "rc4-hmac"'))
    assert "allowed are rc4-hmac" in problem


def test_a_password_comes_from_a_variable_or_a_file(load, wrong, library, tmp_path):
    assert load(PASSWORD, P="secret")
    (problem,) = wrong(PASSWORD)
    what = "the environment variable P is not set"
    assert problem == f"services/one/service.toml:5: kerberos.password_env: {what}"
    file = tmp_path / "password"
    text = PASSWORD.replace('password_env = "P"', f'password_file = "{file}"')
    assert "cannot be read" in wrong(text)[0]
    file.write_text("secret\n")
    file.chmod(0o644)
    assert "chmod 600" in wrong(text)[0]
    file.chmod(0o600)
    assert load(text)


def test_a_ring_is_needed_for_later_messages_only_and_then_with_a_seal(
    load, wrong, library, tmp_path, development_keys
):
    keys = tmp_path / "keys"
    shutil.copytree(development_keys / "kerberos", keys / "kerberos")
    assert load(KEYTAB, keys=keys)
    later = KEYTAB + "later_messages = true"
    (problem,) = wrong(later, keys=keys)
    assert "the ring has no folder" in problem
    shutil.copytree(development_keys / "service", keys / "service")
    config = load(later, keys=keys)
    (row,) = [line.split()[4:8] for line in service_table(config)][1:]
    assert row == ["service", "-", "-", "kerberos/echo.keytab"]
    ring = keys / "service" / "ring.toml"
    ring.write_text(ring.read_text().partition("[[seal]]")[0])
    (problem,) = wrong(later, keys=keys)
    assert "holds no [[seal]] key" in problem
    assert problem.endswith("(needed by /one: later_messages)")


def test_roles_open_the_user_store(load, wrong, library):
    with_roles = 'roles = "user"\nusers = "{}"\n' + KEYTAB
    assert load(with_roles.format("users.toml"))
    (problem,) = wrong(with_roles.format("none.toml"))
    assert "none.toml" in problem
    assert load('users = "none.toml"\n' + KEYTAB)  # nobody asks it


def test_krb5_conf_is_the_processes_and_one(load, wrong, library, tmp_path, monkeypatch):
    for name in ("one.conf", "two.conf"):
        (tmp_path / name).write_text("[libdefaults]\n default_realm = R\n")
    load(KEYTAB, 'krb5_conf = "../one.conf"')
    assert os.environ["KRB5_CONFIG"] == str(tmp_path / "one.conf")
    load(KEYTAB, 'krb5_conf = "../one.conf"')
    (problem,) = wrong(KEYTAB, 'krb5_conf = "../two.conf"')
    assert "one krb5.conf" in problem
    (problem,) = wrong(KEYTAB, 'metrics = true\nkrb5_conf = "none.conf"')
    assert problem.startswith("services/provider.toml:2: krb5_conf: ")
    assert "cannot be read" in problem
    assert os.environ["KRB5_CONFIG"] == str(tmp_path / "one.conf")
