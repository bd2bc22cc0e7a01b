import io
from pathlib import Path

import pytest

from wsprovider.adapters.users.file import FileUsers
from wsprovider.adapters.users.opening import open_users
from wsprovider.cli.main import main
from wsprovider.words.errors import WSSecurityError


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run ``wsprovider users`` on a file, with a password on standard input."""

    def users(*arguments: str, password: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\nnot this line\n"))
        return main(["users", "--file", str(tmp_path / "users.toml"), *arguments])

    return users


def test_a_user_that_was_added_gets_in(users, tmp_path: Path):
    assert users("add", "alice", "--role", "clerk", "--role", "user", password="correct horse") == 0
    store = FileUsers(tmp_path / "users.toml")
    assert store.check_password("alice", "correct horse").roles == {"clerk", "user"}
    with pytest.raises(WSSecurityError):
        store.check_password("alice", "not this line")
    assert not store.knows_clear_passwords
    assert "correct horse" not in (tmp_path / "users.toml").read_text()
    assert (tmp_path / "users.toml").stat().st_mode & 0o077 == 0


def test_clear_is_for_digests(users, tmp_path: Path):
    assert users("add", "alice", "--clear", password="secret") == 0
    assert FileUsers(tmp_path / "users.toml").knows_clear_passwords


def test_changing_a_password_keeps_the_roles_and_the_others(users, tmp_path: Path, capsys):
    users("add", "alice", "--role", "clerk", password="first")
    users("add", "bob", password="other")
    assert users("add", "alice", password="second") == 0
    store = FileUsers(tmp_path / "users.toml")
    assert store.check_password("alice", "second").roles == {"clerk"}
    assert store.check_password("bob", "other").name == "bob"
    assert "changed alice" in capsys.readouterr().out


def test_list_shows_everything_but_secrets(users, capsys):
    users("add", "alice", "--role", "clerk", "--clear", password="secret")
    users("add", "bob", password="other")
    users("disable", "bob")
    capsys.readouterr()
    assert users("list") == 0
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines()] == [
        ["NAME", "PASSWORD", "ROLES"],
        ["alice", "clear", "clerk"],
        ["bob", "hash", "-", "disabled"],
    ]


def test_a_disabled_user_is_refused(users, tmp_path: Path):
    users("add", "alice", password="secret")
    assert users("disable", "alice") == 0
    with pytest.raises(WSSecurityError, match="USER_DISABLED"):
        FileUsers(tmp_path / "users.toml").check_password("alice", "secret")


def test_a_disabled_user_is_let_in_again(users, tmp_path: Path):
    users("add", "alice", password="secret")
    users("disable", "alice")
    assert users("enable", "alice") == 0
    assert FileUsers(tmp_path / "users.toml").check_password("alice", "secret").name == "alice"


def test_a_removed_user_is_gone(users, tmp_path: Path, capsys):
    users("add", "alice", password="secret")
    users("add", "bob", password="other")
    assert users("remove", "alice") == 0
    with pytest.raises(WSSecurityError, match="USER_UNKNOWN"):
        FileUsers(tmp_path / "users.toml").check_password("alice", "secret")
    assert users("remove", "bob") == 2
    assert "would hold nobody without 'bob'" in capsys.readouterr().err
    assert FileUsers(tmp_path / "users.toml").check_password("bob", "other").name == "bob"


def test_users_of_a_database(users, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("USERS_URL", f"sqlite:///{tmp_path / 'users.db'}")
    (tmp_path / "users.toml").write_text('kind = "sql"\nurl_env = "USERS_URL"\n')
    assert users("tables", "--print") == 0
    assert capsys.readouterr().out.startswith("CREATE TABLE wsprovider_users (")
    assert users("list") == 1
    assert "no such table" in capsys.readouterr().err
    assert users("tables") == 0
    assert users("add", "alice", "--role", "clerk", password="correct horse") == 0
    assert users("add", "bob", "--clear", password="other") == 0
    assert users("disable", "bob") == 0
    assert users("remove", "nobody") == 2
    capsys.readouterr()
    assert users("list") == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["NAME", "PASSWORD", "ROLES"],
        ["alice", "hash", "clerk"],
        ["bob", "clear", "-", "disabled"],
    ]
    store = open_users(tmp_path, "users.toml", environ={"USERS_URL": f"sqlite:///{tmp_path / 'users.db'}"})
    assert store.check_password("alice", "correct horse").roles == {"clerk"}
    assert users("tables") == 0
    assert "are there already" in capsys.readouterr().out
    assert users("remove", "alice") == 0
    with pytest.raises(WSSecurityError, match="USER_UNKNOWN"):
        store.check_password("alice", "correct horse")
    store.close()


def test_users_of_a_directory_are_not_ours_to_change(users, tmp_path: Path, capsys):
    (tmp_path / "users.toml").write_text('kind = "ldap"\n')
    for arguments in (("list",), ("add", "alice"), ("remove", "alice"), ("tables",)):
        assert users(*arguments, password="x") == 2
    err = capsys.readouterr().err
    assert "changed by its own tools" in err
    assert "only a database has tables" in err


@pytest.mark.parametrize(
    ("arguments", "password", "what"),
    [
        (("add", "alice"), "", "password: is empty"),
        (("disable", "nobody"), "", "holds no user 'nobody'"),
        (("enable", "nobody"), "", "holds no user 'nobody'"),
        (("remove", "nobody"), "", "holds no user 'nobody'"),
        (("add", ""), "secret", "has 1 to 256 characters"),
    ],
)
def test_mistakes_change_nothing(users, tmp_path: Path, capsys, arguments, password, what):
    users("add", "carol", password="x")
    before = (tmp_path / "users.toml").read_bytes()
    assert users(*arguments, password=password) == 2
    assert what in capsys.readouterr().err
    assert (tmp_path / "users.toml").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["users.toml"]


def test_an_empty_store_is_no_store(users, capsys):
    assert users("list") == 2
    assert "users.toml" in capsys.readouterr().err
