"""Users in a database of the operator's own: names as they are written, and whatever else stands in columns."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from wsprovider.adapters.databases import Database
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.users.editing import sql_editor
from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.settings import Settings
from wsprovider.adapters.users.sql import SqlUsers
from wsprovider.adapters.users.sql_settings import read_sql_settings
from wsprovider.ports import User
from wsprovider.words.errors import BackendError, ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

HASH = hash_password("right")
OWN = """
[users]
table = "people"
name = "login"
password = "argon2"
clear_password = "secret"
enabled = "active"
roles = "groups"
"""
TABLE = (
    'CREATE TABLE people (login TEXT COLLATE NOCASE, argon2 TEXT, secret TEXT, active, "groups" TEXT)',
    "CREATE TABLE people_roles (login TEXT COLLATE NOCASE, role TEXT)",
)

Run = Callable[..., None]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'people.db'}"


@pytest.fixture
def run(url: str) -> Run:
    database = Database(url, where="test")

    def run(*statements: str, **values: object) -> None:
        with database.transaction() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    run(*TABLE)
    return run


@pytest.fixture
def add(run: Run) -> Callable[..., None]:
    def add(
        name: str,
        argon2: object = HASH,
        secret: object = None,
        active: object = 1,
        groups: object = None,
    ) -> None:
        run(
            "INSERT INTO people VALUES (:name, :argon2, :secret, :active, :groups)",
            name=name,
            argon2=argon2,
            secret=secret,
            active=active,
            groups=groups,
        )

    return add


@pytest.fixture
def described(tmp_path: Path) -> Callable[[str], Path]:
    def described(more: str) -> Path:
        path = tmp_path / "directory.toml"
        path.write_text(f'kind = "sql"\nurl_env = "URL"\n{more}')
        return path

    return described


@pytest.fixture
def opened(url: str, described: Callable[[str], Path]) -> Iterator[Callable[..., SqlUsers]]:
    stores = []

    def opened(more: str = OWN) -> SqlUsers:
        path = described(more)
        settings = Settings.read(path, Reader(path.parent, {"URL": url}))
        stores.append(SqlUsers(read_sql_settings(settings)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def reason(call: Callable[..., User], *arguments: object) -> Reason:
    with pytest.raises(WSSecurityError) as caught:
        call(*arguments)
    return caught.value.reason


# names


@pytest.mark.usefixtures("run")
def test_a_collation_makes_no_two_names_one(opened, add):
    add("alice", groups="user")
    users = opened()
    assert users.check_password("alice", "right").roles == {"user"}
    for name in ("Alice", "ALICE"):
        assert reason(users.check_password, name, "right") is Reason.USER_UNKNOWN
        assert reason(users.find, name) is Reason.USER_UNKNOWN


def test_of_names_that_a_collation_takes_for_one_each_is_its_own(opened, add):
    add("alice", groups="user")
    add("ALICE", argon2=hash_password("other"), groups="admin")
    users = opened()
    assert users.check_password("alice", "right").roles == {"user"}
    assert users.check_password("ALICE", "other").roles == {"admin"}
    assert reason(users.check_password, "alice", "other") is Reason.PASSWORD_WRONG


def test_two_rows_of_one_name_are_nobody(opened, add):
    add("alice")
    add("bob")
    users = opened()
    assert users.find("alice").name == "alice"
    add("alice", argon2=hash_password("other"))
    assert reason(users.check_password, "alice", "right") is Reason.USER_UNKNOWN
    assert users.check_password("bob", "right").name == "bob"


def test_roles_of_another_spelling_are_not_given(opened, add, run):
    add("alice")
    run("INSERT INTO people_roles VALUES ('ALICE', 'admin'), ('alice', 'user')")
    users = opened(OWN + '[roles]\ntable = "people_roles"\nname = "login"\nrole = "role"')
    assert users.find("alice").roles == {"user"}


def test_a_name_is_a_value_and_no_statement(opened, add):
    add("alice")
    users = opened()
    for name in ("' OR '1'='1", "alice' --", "%", "a_ice", ":name"):
        assert reason(users.check_password, name, "right") is Reason.USER_UNKNOWN
    assert users.check_password("alice", "right").name == "alice"


# columns


@pytest.mark.parametrize("useless", ["right", "$2b$12$abcdefghijklmnopqrstuv", "", None, 7, b"right"])
def test_what_is_no_hash_is_no_password(opened, add, useless):
    add("alice", argon2=useless)
    add("bob")
    users = opened()
    for password in ("right", str(useless) or "x", "None"):
        assert reason(users.check_password, "alice", password) is Reason.PASSWORD_WRONG
    assert users.check_password("bob", "right").name == "bob"


def test_useless_hashes_are_worth_a_warning(opened, add):
    add("bob")
    assert opened().warnings == ()
    add("alice", argon2="$2b$12$abcdefghijklmnopqrstuv")
    (warning,) = opened().warnings
    assert "1 of 2 hashes looked at are no argon2id hashes" in warning
    assert "$2b$" not in warning


def test_an_empty_clear_password_is_none(opened, add):
    """Else everybody could compute its digest."""
    from wsprovider.adapters.users.checking import password_digest

    add("alice", argon2=None, secret="")
    users = opened()
    assert not users.knows_clear_passwords
    digest = password_digest(b"n" * 16, "c", b"")
    assert reason(users.check_digest, "alice", digest, b"n" * 16, "c") is Reason.PASSWORD_WRONG
    add("bob", argon2=None, secret="known")
    assert users.knows_clear_passwords
    digest = password_digest(b"n" * 16, "c", b"known")
    assert users.check_digest("bob", digest, b"n" * 16, "c").name == "bob"


def test_of_two_secrets_the_clear_one_counts(opened, add):
    add("alice", secret="clear")
    users = opened()
    assert users.check_password("alice", "clear").name == "alice"
    assert reason(users.check_password, "alice", "right") is Reason.PASSWORD_WRONG


@pytest.mark.parametrize(
    ("active", "enabled"),
    [(1, True), (True, True), (2, True), (0, False), (None, False), ("yes", False), ("0", False)],
)
def test_who_is_enabled(opened, add, active, enabled):
    add("alice", active=active)
    users = opened()
    if enabled:
        assert users.find("alice").name == "alice"
    else:
        assert reason(users.check_password, "alice", "right") is Reason.USER_DISABLED


@pytest.mark.parametrize(
    ("value", "disabled"), [(0, False), (None, False), (1, True), ("no", True), ("", True)]
)
def test_who_is_disabled(opened, add, value, disabled):
    add("alice", active=value)
    users = opened(OWN.replace("enabled =", "disabled ="))
    if disabled:
        assert reason(users.find, "alice") is Reason.USER_DISABLED
    else:
        assert users.find("alice").name == "alice"


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        (None, set()),
        ("", set()),
        ("user", {"user"}),
        (" user,order clerk ,,", {"user", "order clerk"}),
    ],
)
def test_roles_in_a_column(opened, add, groups, roles):
    add("alice", groups=groups)
    assert opened().find("alice").roles == roles


def test_a_change_counts_at_once(opened, add, run):
    add("alice")
    users = opened()
    before = users.check_password("alice", "right")
    run("UPDATE people SET \"groups\" = 'user' WHERE login = 'alice'")
    assert users.find("alice").version != before.version
    assert users.check_password("alice", "right").roles == {"user"}
    run("UPDATE people SET active = 0 WHERE login = 'alice'")
    assert reason(users.check_password, "alice", "right") is Reason.USER_DISABLED


# queries


def test_a_query_of_ones_own(opened, add, run):
    add("alice")
    run("INSERT INTO people_roles VALUES ('alice', 'user'), ('alice', 'admin')")
    users = opened(
        'query = """SELECT p.login AS name, argon2 AS password, NOT active AS disabled, role '
        'FROM people p LEFT JOIN people_roles r ON p.login = r.login WHERE p.login = :name"""\n'
        'hashes = "SELECT argon2 FROM people"'
    )
    assert users.check_password("alice", "right").roles == {"user", "admin"}
    assert not users.knows_clear_passwords
    assert reason(users.check_password, "ALICE", "right") is Reason.USER_UNKNOWN


@pytest.mark.parametrize("columns", ["login, argon2 AS password", "login AS name, argon2"])
def test_a_query_that_gives_something_else_is_told(opened, add, columns):
    add("alice")
    with pytest.raises(
        ConfigurationError, match="must give columns called name, and password or clear_password"
    ):
        opened(f'query = "SELECT {columns} FROM people WHERE login = :name"')


def test_a_query_that_the_database_does_not_understand_is_told_without_it(opened, run):
    with pytest.raises(BackendError) as caught:
        opened('query = "SELECT s3cret FROM people WHERE login = :name"')
    assert "SELECT" not in str(caught.value)


# changing them


def test_users_of_ones_own_tables_are_changed(opened, add, url, described):
    add("ALICE", groups="admin")
    with closing(sql_editor(described(OWN), {"URL": url})) as editor:
        with pytest.raises(ConfigurationError, match="takes 'alice' and 'ALICE' for the same name"):
            editor.put(Entry("alice", password=HASH))
        editor.put(Entry("bob", password=HASH, roles=frozenset({"user", "clerk"})))
        editor.put(Entry("carol", clear_password="clear"))
        assert editor.disable("carol", disabled=True)
        assert [one.name for one in editor.entries()] == ["ALICE", "bob", "carol"]
        users = opened()
        assert users.check_password("bob", "right").roles == {"user", "clerk"}
        assert reason(users.find, "carol") is Reason.USER_DISABLED
        editor.put(Entry("bob", password=hash_password("new")))
        assert users.check_password("bob", "new").roles == set()
        assert editor.remove("bob")
        assert not editor.remove("bob")
        assert not editor.disable("bob", disabled=True)
        assert reason(users.find, "bob") is Reason.USER_UNKNOWN


@pytest.mark.parametrize(
    ("less", "entry", "problem"),
    [
        ("clear_password", Entry("bob", clear_password="x"), "no column can hold a password in clear"),
        ("password", Entry("bob", password=HASH), "no column can hold a hash"),
        ("roles", Entry("bob", password=HASH, roles=frozenset({"user"})), "no column can hold roles"),
        ("", Entry("bob", password=HASH, roles=frozenset({"a,b"})), "a role with a comma in its name"),
    ],
)
def test_what_no_column_can_hold_changes_nothing(add, url, described, less, entry, problem):
    add("alice")
    lines = [line for line in OWN.splitlines() if line.partition(" ")[0] != less]
    with closing(sql_editor(described("\n".join(lines)), {"URL": url})) as editor:
        with pytest.raises(ConfigurationError, match=problem):
            editor.put(entry)
        assert [one.name for one in editor.entries()] == ["alice"]


def test_the_tables_are_for_our_own_schema_only(url, described):
    with closing(sql_editor(described(OWN), {"URL": url})) as editor:
        with pytest.raises(ConfigurationError, match="names tables of your own"):
            editor.make_tables()
        with pytest.raises(ConfigurationError, match="names tables of your own"):
            editor.tables()
    with closing(sql_editor(described(""), {"URL": url})) as editor:
        assert not editor.tables_are_there()
        assert [line.split()[2] for line in editor.tables()] == ["wsprovider_users", "wsprovider_roles"]
        assert not editor.tables_are_there()
        editor.make_tables()
        editor.make_tables()
        assert editor.tables_are_there()
        editor.put(Entry("bob", password=HASH, roles=frozenset({"a,b"})))
        assert editor.find("bob") == Entry("bob", password=HASH, roles=frozenset({"a,b"}))


def test_users_are_not_changed_through_a_query(url, described):
    with pytest.raises(ConfigurationError, match="finds users and cannot change them"):
        sql_editor(described('query = "SELECT :name"'), {"URL": url})
