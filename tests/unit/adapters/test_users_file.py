"""The users file: its form, its mistakes, its reloading, its writing."""

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsprovider.adapters.users.development import development_users
from wsprovider.adapters.users.file import FileUsers
from wsprovider.adapters.users.hashing import PARAMETERS, Hashing, Parameters, dummy_hash, hash_password
from wsprovider.adapters.users.reading import parse_users, read_users_file
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

HASH = dummy_hash(PARAMETERS)


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def path(tmp_path):
    return tmp_path / "users.toml"


def write(path, text, mode=0o600):
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def refuse(path, text, mode=0o600):
    write(path, text, mode)
    with pytest.raises(ConfigurationError) as caught:
        read_users_file(path, Limits())
    return [str(problem).removeprefix(f"{path}: ") for problem in caught.value.problems]


# form


def test_a_file_is_read(path):
    write(
        path,
        f"""
        [users.bob]
        password = "{HASH}"
        roles = ["user", "admin"]
        [users."partner system"]
        clear_password = 'in "clear"'
        disabled = true
        """,
    )
    assert read_users_file(path, Limits()) == {
        "bob": Entry("bob", password=HASH, roles=frozenset({"user", "admin"})),
        "partner system": Entry("partner system", clear_password='in "clear"', disabled=True),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no user"),
        ("[users]", "holds no user"),
        ("users = 1", "users: must be tables"),
        ("[users.bob", "is no TOML"),
        ("[user.bob]\npassword = 'x'", "user: is not known here"),
        ("[users]\nbob = 'x'", "users.bob: must be a table"),
        ("[users.bob]", "users.bob: has neither"),
        ("[users.bob]\nroles = []", "users.bob: has neither"),
        ("[users.bob]\npassword = ''", "users.bob.password: must be a text"),
        ("[users.bob]\nclear_password = ''", "users.bob.clear_password: must be a text"),
        ("[users.bob]\nclear_password = 1", "users.bob.clear_password: must be a text"),
        ("[users.bob]\npassword = 'SECRET'", "a password in clear is named clear_password"),
        ("[users.bob]\npassword = '$2b$12$SECRET'", "is no argon2id hash"),
        (f"[users.bob]\npassword = '{HASH}'\nclear_password = 'SECRET'", "keep one of them"),
        (f"[users.bob]\npassword = '{HASH}'\nrole = 'x'", "users.bob.role: is not known here"),
        (f"[users.bob]\npassword = '{HASH}'\nroles = 'x'", "users.bob.roles: must be a list"),
        (f"[users.bob]\npassword = '{HASH}'\nroles = ['']", "users.bob.roles: must be a list"),
        (f"[users.bob]\npassword = '{HASH}'\nroles = [1]", "users.bob.roles: must be a list"),
        (f"[users.bob]\npassword = '{HASH}'\ndisabled = 'no'", "users.bob.disabled: must be true or false"),
        (f"[users.bob]\nclear_password = '{'x' * 513}'", "longer than 512 bytes"),
        (f"[users.'']\npassword = '{HASH}'", "printable"),
        (f'[users."a\\nb"]\npassword = "{HASH}"', "printable"),
        (f"[users.{'x' * 257}]\npassword = '{HASH}'", "printable"),
        (f"[users.bob]\npassword = '{HASH}'\n[users.bob]\npassword = '{HASH}'", "is no TOML"),
    ],
)
def test_mistakes_are_named_and_no_secret_with_them(path, text, problem):
    (only,) = refuse(path, text)
    assert problem in only
    assert "SECRET" not in only


def test_all_mistakes_are_named_at_once(path):
    found = refuse(path, "[users.a]\npassword = 'x'\n[users.b]\ndisabled = 1\n[other]")
    assert len(found) == 4
    assert [problem.split(":")[0] for problem in found] == [
        "other",
        "users.a.password",
        "users.b",
        "users.b.disabled",
    ]


def test_what_is_no_utf8_or_missing_is_refused(path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_users_file(path, Limits())
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_users_file(path, Limits())


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o610, 0o644, 0o666])
def test_clear_passwords_open_to_others_are_refused(path, mode):
    assert any("chmod 600" in problem for problem in refuse(path, "[users.a]\nclear_password = 'x'", mode))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_clear_passwords_for_the_owner_alone_are_accepted(path, mode):
    write(path, "[users.a]\nclear_password = 'x'", mode)
    assert FileUsers(path).knows_clear_passwords


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664])
def test_hashes_may_be_read_by_others(path, mode):
    write(path, f"[users.a]\npassword = '{HASH}'", mode)
    assert not FileUsers(path).knows_clear_passwords


def test_hashes_that_everybody_can_replace_are_refused(path):
    assert refuse(path, f"[users.a]\npassword = '{HASH}'", 0o646) == [
        "can be changed by everybody; chmod 600 it"
    ]


def test_hashes_of_unusual_cost_are_worth_a_warning(path):
    other = dummy_hash(Parameters(64, 1, 1))
    write(
        path, "".join(f"[users.{n}]\npassword = '{h}'\n" for n, h in (("a", HASH), ("b", HASH), ("c", other)))
    )
    (warning,) = FileUsers(path).warnings
    assert "users.c.password" in warning


# following changes


class Watched:
    """A store on a file with one user, and what it told."""

    def __init__(self, path):
        self.path = path
        self.clock = Clock()
        self.failures, self.swaps = [], []
        self.put("first")
        self.store = FileUsers(
            path, monotonic=self.clock, on_failure=self.failures.append, on_swap=self.swaps.append
        )

    def put(self, password, **more):
        write_users_file(self.path, [Entry("alice", clear_password=password, **more)])

    def accepts(self, password):
        try:
            return bool(self.store.check_password("alice", password))
        except WSSecurityError as error:
            if error.reason is Reason.PASSWORD_WRONG:
                return False
            raise


@pytest.fixture
def watched(path):
    return Watched(path)


def test_a_changed_file_is_in_force_after_a_second(watched):
    assert watched.accepts("first")
    watched.put("second")
    watched.clock.seconds += 0.9
    assert watched.accepts("first")
    watched.clock.seconds += 0.1
    assert watched.accepts("second")
    assert not watched.accepts("first")  # though its success was remembered
    assert watched.swaps == [()]


def test_a_user_disabled_in_the_file_is_refused_after_a_second(watched):
    assert watched.accepts("first")
    watched.put("first", disabled=True)
    watched.clock.seconds += 1
    with pytest.raises(WSSecurityError) as caught:
        watched.store.check_password("alice", "first")
    assert caught.value.reason is Reason.USER_DISABLED


def test_a_changed_user_is_found_changed_after_a_second(watched):
    before = watched.store.find("alice")
    watched.put("second")
    watched.clock.seconds += 0.9
    assert watched.store.find("alice") == before
    watched.clock.seconds += 0.1
    assert watched.store.find("alice").version != before.version
    watched.put("second", disabled=True)
    watched.clock.seconds += 1
    with pytest.raises(WSSecurityError) as caught:
        watched.store.find("alice")
    assert caught.value.reason is Reason.USER_DISABLED


def test_an_unchanged_file_is_not_read_again(watched, monkeypatch):
    monkeypatch.setattr("wsprovider.adapters.users.file.read_users_file", lambda *_: pytest.fail("was read"))
    watched.clock.seconds += 100
    assert watched.accepts("first")
    assert watched.swaps == []


@pytest.mark.parametrize("how", ["broken", "gone", "open to others", "empty"])
def test_a_file_that_cannot_be_used_leaves_the_old_one_in_force_and_is_told_once(watched, how):
    if how == "broken":
        write(watched.path, "[users.alice")
    elif how == "gone":
        watched.path.unlink()
    elif how == "open to others":
        watched.path.chmod(0o644)
    else:
        write(watched.path, "")
    for _ in range(3):
        watched.clock.seconds += 1
        assert watched.accepts("first")
    assert len(watched.failures) == 1
    assert isinstance(watched.failures[0], ConfigurationError)
    watched.put("second")
    watched.clock.seconds += 1
    assert watched.accepts("second")


def test_a_corrected_mode_is_noticed(watched):
    watched.put("second")
    watched.path.chmod(0o644)
    watched.clock.seconds += 1
    assert watched.accepts("first")
    watched.path.chmod(0o600)
    watched.clock.seconds += 1
    assert watched.accepts("second")


def test_while_one_thread_reads_others_go_on(watched, monkeypatch):
    reading, go_on = threading.Event(), threading.Event()

    def slow(*arguments):
        reading.set()
        assert go_on.wait(10)
        return read_users_file(*arguments)

    monkeypatch.setattr("wsprovider.adapters.users.file.read_users_file", slow)
    watched.put("second")
    watched.clock.seconds += 1
    thread = threading.Thread(target=watched.accepts, args=("second",))
    thread.start()
    assert reading.wait(10)
    assert watched.accepts("first")
    go_on.set()
    thread.join(10)
    assert watched.accepts("second")


def test_the_first_reading_must_succeed(path):
    with pytest.raises(ConfigurationError):
        FileUsers(path)


def test_remembered_users_do_not_wait_while_the_queue_is_full(path):
    write_users_file(path, [Entry("bob", password=hash_password("bob's"))])
    hashing = Hashing(at_once=1, waiting=0)
    store = FileUsers(path, hashing=hashing)
    assert store.check_password("bob", "bob's")
    with hashing._turns.turn():
        assert store.check_password("bob", "bob's")
        with pytest.raises(WSSecurityError) as caught:
            store.check_password("bob", "wrong")
    assert caught.value.reason is Reason.AUTHENTICATION_BUSY


# writing

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100)


@given(
    entries=st.lists(
        st.builds(
            Entry,
            name=NAMES,
            clear_password=SECRETS,
            roles=st.frozensets(SECRETS, max_size=3),
            disabled=st.booleans(),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda entry: entry.name,
    )
)
def test_what_is_written_is_read_again(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("users") / "users.toml"
    write_users_file(path, entries)
    assert read_users_file(path, Limits()) == {entry.name: entry for entry in entries}


def test_a_written_file_is_the_owners_and_nothing_else_is_left(path):
    previous = os.umask(0)
    try:
        write_users_file(path, [Entry("a", password=HASH)])
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "entries",
    [
        [Entry("a", password="in clear")],
        [Entry("a")],
        [Entry("", clear_password="x")],
        [Entry("a", clear_password="\ud800")],
        [Entry("a", clear_password="x"), Entry("a", clear_password="y")],
    ],
)
def test_what_could_not_be_read_is_not_written(path, entries):
    write_users_file(path, [Entry("before", password=HASH)])
    before = path.read_bytes()
    with pytest.raises(ConfigurationError):
        write_users_file(path, entries)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_missing_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_users_file(tmp_path / "missing" / "users.toml", [Entry("a", password=HASH)])


def test_the_written_head_is_a_comment_only(path):
    write_users_file(path, [Entry("a", password=HASH)])
    entries, problems = parse_users(path.read_bytes(), "x", Limits())
    assert (list(entries), problems) == (["a"], [])


def test_development_users(path):
    development_users(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = FileUsers(path)
    assert store.knows_clear_passwords
    assert store.warnings == ()
    assert store.check_password("alice", "development").roles == {"user", "admin"}
    assert store.check_password("bob", "development").roles == {"user"}


def test_development_users_are_never_written_over_anything(path):
    for make in (lambda: path.write_text("mine"), lambda: (path.unlink(), path.symlink_to("elsewhere"))):
        make()
        development_users(path)
        assert path.is_symlink() or path.read_text() == "mine"
    assert path.readlink() == Path("elsewhere")
    assert [file.name for file in Path(path.parent).iterdir()] == ["users.toml"]
