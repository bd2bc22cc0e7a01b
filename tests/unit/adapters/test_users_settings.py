"""Settings files of user stores: what may stand in them, what may not, and that changes are followed."""

import dataclasses
from contextlib import closing
from pathlib import Path

import pytest

from tests.simulator import pki
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.users.editing import sql_editor
from wsprovider.adapters.users.file import FileUsers
from wsprovider.adapters.users.followed import FollowedUsers
from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.ldap_settings import LdapSettings, read_ldap_settings
from wsprovider.adapters.users.opening import open_users
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.settings import Settings
from wsprovider.adapters.users.sql_settings import OUR_USERS, SqlSettings, read_sql_settings
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.words.errors import BackendError, ConfigurationError

ENVIRON = {"URL": "sqlite:///users.db", "PASSWORD": "s3cret"}
SQL = 'kind = "sql"\nurl_env = "URL"\n'
LDAP = """
kind = "ldap"
servers = ["ldaps://one.example.org", "ldaps://two.example.org:6360"]
ca = "ca.pem"
bind_dn = "cn=reader,dc=example,dc=org"
bind_password_env = "PASSWORD"
base = "ou=people,dc=example,dc=org"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_bytes(pki.authority("CN=Directory CA").cert_pem)
    return tmp_path / "directory.toml"


def read(path: Path, text: str) -> SqlSettings | LdapSettings:
    path.write_text(text)
    settings = Settings.read(path, Reader(path.parent, ENVIRON))
    return read_sql_settings(settings) if settings.kind == "sql" else read_ldap_settings(settings)


def refuse(path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(path, text)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


def test_the_least_that_a_sql_store_needs(path: Path) -> None:
    settings = read(path, SQL)
    assert settings == SqlSettings(str(path), "sqlite:///users.db")
    assert settings.users is OUR_USERS
    assert "users.db" not in repr(settings)


def test_the_least_that_a_directory_needs(path: Path) -> None:
    settings = read(path, LDAP)
    assert isinstance(settings, LdapSettings)
    assert [(one.host, one.port, one.tls) for one in settings.servers] == [
        ("one.example.org", 636, True),
        ("two.example.org", 6360, True),
    ]
    assert (settings.name, settings.dn, settings.groups, settings.roles) == ("uid", None, None, None)
    assert (settings.remember, settings.binds, settings.timeout, settings.refuse_after) == (60, 4, 3, 100)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('kind = "sql"', "url: is missing"),
        ('kind = "sql"\nurl_env = "NO_SUCH"', "url_env: the environment variable NO_SUCH is not set"),
        (SQL + 'url_file = "x"', "url_file: stands beside url_env"),
        (SQL + 'url = "sqlite://"', "url: stands beside url_env or url_file"),
        ('kind = "sql"\nurl_file = "nowhere"', "nowhere does not exist"),
        ('kind = "sql"\nurl_file = "open"', "open may be used by others than its owner: chmod 600 it"),
        ('kind = "sql"\nurl_file = "two lines"', "two lines must hold it on its only line"),
        ('kind = "sql"\nurl = "postgresql://me:s3cret@host/name"', "url: holds a password"),
        (SQL + 'query = "SELECT 1"', "query: asks for nobody: write :name"),
        (SQL + "query = \"SELECT '1'::name\"", "query: asks for nobody: write :name"),
        (
            SQL + 'query = "x = :name"\n[users]\ntable = "t"\nname = "n"\npassword = "p"',
            "query: stands beside",
        ),
        (SQL + 'hashes = "SELECT 1"', "hashes: belongs to a query"),
        (SQL + '[roles]\ntable = "t"\nname = "n"\nrole = "r"', "roles: belongs to a table of users"),
        (SQL + '[users]\nname = "n"\npassword = "p"', "[users].table: is missing"),
        (SQL + '[users]\ntable = "t"\nname = "n"', "[users].password: is missing"),
        (
            SQL + '[users]\ntable = "t"\nname = "n"\npassword = "p"\ndisabled = "d"\nenabled = "e"',
            "[users].enabled: stands beside disabled",
        ),
        (SQL + '[users]\ntable = "t"\nname = "n"\npassword = "p"\nrole = "r"', "[users].role: is not known"),
        (SQL + "remember = 3601", "remember: is 3601; it must lie between 0 and 3600"),
        (SQL + 'table = "t"', "table: is not known here"),
        ('kind = "oracle"', 'kind: must be one of "file", "sql", "ldap"'),
        (LDAP + "server = 1", "server: is not known here"),
        (LDAP.replace("servers =", "#"), "servers: names none"),
        (LDAP.replace("ldaps://two", "https://two"), "'https://two.example.org:6360' is none"),
        (LDAP.replace("one.example.org", "me:s@one"), "'ldaps://me:s@one' is none"),
        (LDAP.replace("one.example.org", "one/dc=x"), "'ldaps://one/dc=x' is none"),
        (
            LDAP.replace("ldaps://one", "ldap://one"),
            "ldap://one.example.org: would be told passwords in clear",
        ),
        (LDAP.replace("ca =", "#"), "ca: is missing"),
        (LDAP.replace("ca.pem", "directory.toml"), "holds no certificates in PEM"),
        (LDAP.replace("ca.pem", "empty"), "holds no certificates in PEM"),
        (
            LDAP.replace('"ldaps://one.example.org", "ldaps://two.example.org:6360"', '"ldap://localhost"'),
            "ca: is",
        ),
        (LDAP.replace("bind_dn =", "#"), "bind_dn: is missing: whose password is it?"),
        (LDAP.replace("bind_password_env =", "#"), "bind_dn: has no password"),
        (LDAP + 'bind_password = "s3cret"', "bind_password: is never written here"),
        (LDAP + "anonymous = true", "bind_dn: stands beside anonymous"),
        (LDAP.replace("bind_", "#bind_"), "or write anonymous = true alone if anybody may"),
        (LDAP.replace("base =", "#"), "base: is missing"),
        (LDAP + 'name = "u id"', "name: 'u id' is no attribute"),
        (LDAP + 'filter = "a=b"', "filter: must stand in brackets"),
        (LDAP + 'dn = "uid=name,dc=x"', "dn: must hold {name} once"),
        (LDAP + "[roles]\na = 'b'", "roles: belongs to [groups]"),
        (LDAP + "[groups]", "[groups].base: is missing"),
        (
            LDAP + "[groups]\nbase = 'b'\nmember_of = 'm'\nnested = true",
            "[groups].nested: belongs to a search",
        ),
        (LDAP + "[groups]\nbase = 'b'\nholds = 'x'", '[groups].holds: must be "dn" or "name"'),
        (LDAP + "[groups]\nbase = 'b'\nholds = 'name'\nnested = true", "[groups].nested: does not go with"),
        (LDAP + "[groups]\nbase = 'b'\n[roles]\na = []", "[roles].a: must be a role or a list of roles"),
        (LDAP + "[disabled]\na = false", "[disabled].a: must be true"),
        (LDAP + "[disabled]\na = 0", "[disabled].a: must be true"),
        (LDAP + "binds = 0", "binds: is 0"),
        (LDAP + "remember = 301", "remember: is 301"),
        (LDAP + "starttls = 1", "starttls: must be true or false"),
    ],
)
def test_each_mistake_is_told(path: Path, text: str, problem: str) -> None:
    (path.parent / "empty").touch()
    for name, mode in (("open", 0o644), ("two lines", 0o600)):
        (path.parent / name).write_text("sqlite://\nsqlite://\n")
        (path.parent / name).chmod(mode)
    assert problem in refuse(path, text)


def test_mistakes_are_told_together(path: Path) -> None:
    text = refuse(path, LDAP.replace("base =", "#") + "binds = 0\nanonymous = true")
    assert text.count("\n") == 2


@pytest.mark.parametrize(
    "text",
    [
        LDAP.replace("ldaps://", "ldap://") + "starttls = true",
        LDAP.replace("ldaps://", "ldap://").replace("ca =", "#") + "clear_text = true",
        LDAP.replace("bind_", "#bind_") + "anonymous = true",
        LDAP + "[disabled]\nuserAccountControl = 2\nnsAccountLock = ['TRUE', 'true']\nlocked = true",
    ],
)
def test_their_neighbours_are_accepted(path: Path, text: str) -> None:
    assert read(path, text)


# opening and following


def user(name: str) -> Entry:
    return Entry(name, password=hash_password("right"))


def make(path: Path, url: str, *names: str) -> None:
    with closing(sql_editor(path, {"URL": url})) as editor:
        editor.make_tables()
        for name in names:
            editor.put(user(name))


def test_a_file_without_a_kind_holds_the_users(tmp_path: Path) -> None:
    write_users_file(tmp_path / "users.toml", [user("alice")])
    for line in ("", 'kind = "file"\n'):
        text = (tmp_path / "users.toml").read_text()
        (tmp_path / "users.toml").write_text(line + text)
        users = open_users(tmp_path, "users.toml", environ={})
        assert isinstance(users, FileUsers)
        assert users.find("alice").name == "alice"


def test_a_database_without_tables_is_told_how_to_get_them(tmp_path: Path) -> None:
    path = tmp_path / "directory.toml"
    path.write_text(SQL)
    with pytest.raises(BackendError, match="wsprovider users --file FILE tables makes them"):
        open_users(tmp_path, "directory.toml", environ={"URL": f"sqlite:///{tmp_path / 'users.db'}"})


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_changed_settings_and_secrets_are_followed(tmp_path: Path) -> None:
    path, secret, clock = tmp_path / "directory.toml", tmp_path / "url", Clock()
    path.write_text('kind = "sql"\nurl_file = "url"\n')
    urls = [f"sqlite:///{tmp_path / name}.db" for name in ("one", "two", "three")]
    path.with_name("env.toml").write_text(SQL)
    make(path.with_name("env.toml"), urls[0], "alice")
    make(path.with_name("env.toml"), urls[1], "bob")
    swapped: list[tuple[str, ...]] = []
    failures: list[str] = []

    def say(url: str) -> None:
        secret.write_text(url)
        secret.chmod(0o600)
        clock.seconds += 1

    say(urls[0])
    users = FollowedUsers(
        path,
        environ={},
        monotonic=clock,
        on_swap=swapped.append,
        on_failure=lambda error: failures.append(str(error)),
    )
    with closing(users):
        assert users.find("alice").name == "alice"
        say(urls[1])
        assert users.find("bob").name == "bob"
        assert swapped == [()]
        say(urls[2])  # has no tables
        assert users.find("bob").name == "bob"
        assert users.failed
        (failure,) = failures
        assert "did not answer" in failure
        make(path.with_name("env.toml"), urls[2], "carol")
        assert users.find("bob").name == "bob"
        clock.seconds += 10
        assert users.find("carol").name == "carol"
        assert not users.failed
        path.write_text('kind = "file"\n')
        clock.seconds += 1
        assert users.find("carol").name == "carol"
        assert "was another when the server started; restart it" in failures[-1]


def test_a_file_store_that_becomes_another_needs_a_restart(tmp_path: Path) -> None:
    path, clock = tmp_path / "users.toml", Clock()
    write_users_file(path, [user("alice")])
    failures: list[str] = []
    users = FileUsers(path, monotonic=clock, on_failure=lambda error: failures.append(str(error)))
    path.write_text(SQL)
    clock.seconds += 1
    assert users.find("alice").name == "alice"
    assert any("kind: was another when the server started; restart it" in one for one in failures)


@pytest.mark.parametrize(("module", "text"), [("ldap3", LDAP), ("sqlalchemy", SQL)])
def test_what_is_not_installed_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r'is not installed.* pip install "wsprovider\['):
        open_users(path.parent, path.name, environ=ENVIRON)


# documentation

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "users.md").read_text()


def test_each_setting_is_told() -> None:
    sql = {field.name for field in dataclasses.fields(SqlSettings)} - {"where", "users", "roles"}
    ldap = {field.name for field in dataclasses.fields(LdapSettings)} - {
        "where",
        "authorities",
        "bind_password",
    }
    more = {"url_env", "url_file", "ca", "bind_password_env", "bind_password_file", "starttls", "clear_text"}
    for name in sql | ldap | more | {"anonymous", "member_of", "member", "holds", "nested"}:
        assert f"`{name}`" in PAGE or f"`[{name}]`" in PAGE, name
