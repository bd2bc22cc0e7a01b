import io
from pathlib import Path

import pytest

from wsprovider.adapters.users.file import FileUsers
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


@pytest.mark.parametrize(
    ("arguments", "password", "what"),
    [
        (("add", "alice"), "", "password: is empty"),
        (("disable", "nobody"), "", "holds no user 'nobody'"),
        (("add", ""), "secret", ""),
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
