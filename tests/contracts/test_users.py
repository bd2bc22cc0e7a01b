"""What every user store promises (wsprovider.ports.Users), on each of them.

A new store joins by one more factory in ``FACTORIES``: it takes what runs the servers, a folder and people, and gives a
store which holds these, ``PEOPLE`` for most tests. A store that cannot hold clear passwords holds alice's as a hash
and says so by ``knows_clear_passwords``.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live.postgres import Postgres
from tests.live.slapd import Slapd
from wsprovider.adapters.users.editing import sql_editor
from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.opening import open_users
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.writing import write_users_file
from wsprovider.ports import User, Users
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

NONCE = bytes(range(16))
CREATED = "2026-03-01T12:00:00Z"
LONGEST = "l" * Limits().password_bytes

BOB_HASH = hash_password("bob's password")
PEOPLE = (
    Entry("alice", clear_password="alice's pässword", roles=frozenset({"user", "admin"})),
    Entry("bob", password=BOB_HASH, roles=frozenset({"user"})),
    Entry("carol", clear_password="carol's password", disabled=True),
    Entry("dave", password=hash_password("dave's password"), disabled=True),
    Entry("erin", password=hash_password(LONGEST)),
    Entry("Zoë", password=hash_password(" spaces and \t tabs ")),  # one character for the last letter
)
"""alice (clear), bob (hashed), carol (clear, disabled), dave (hashed, disabled), and two with rare forms."""


class Servers:
    """Servers that stores need, each started when it is first asked for; who holds which people."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[type, object] = {}
        self._places: dict[tuple[object, ...], str] = {}

    def running(self, kind):
        """The server of a kind; skips the test where it is not installed."""
        if kind not in self._running:
            missing = kind.available()
            if missing is not None:
                pytest.skip(missing)
            self._running[kind] = self._stack.enter_context(kind())
        return self._running[kind]

    def place(self, kind, people, make):
        """Where a kind of store holds these people: made once."""
        key = (kind, *people)
        if key not in self._places:
            self._places[key] = make()
        return self._places[key]


def file_users(_servers: Servers, folder: Path, people: tuple[Entry, ...]) -> Users:
    path = folder / "users.toml"
    write_users_file(path, people)
    return open_users(folder, path.name, environ={})


def sql_users(folder: Path, url: str, people: tuple[Entry, ...]) -> Users:
    path = folder / "directory.toml"
    path.write_text('kind = "sql"\nurl_env = "URL"\n')
    with closing(sql_editor(path, {"URL": url})) as editor:
        if not editor.tables_are_there():
            editor.make_tables()
            for one in people:
                editor.put(one)
    return open_users(folder, path.name, environ={"URL": url})


def sqlite_users(_servers: Servers, folder: Path, people: tuple[Entry, ...]) -> Users:
    return sql_users(folder, f"sqlite:///{folder / f'{hash(people)}.db'}", people)


def postgresql_users(servers: Servers, folder: Path, people: tuple[Entry, ...]) -> Users:
    server = servers.running(Postgres)
    return sql_users(folder, servers.place(Postgres, people, server.fresh), people)


def ldap_users(servers: Servers, folder: Path, people: tuple[Entry, ...]) -> Users:
    server = servers.running(Slapd)
    base = servers.place(Slapd, people, lambda: server.part(people))
    path = server.settings(folder, base, "refuse_after = 0")
    return open_users(folder, path.name, environ={})


FACTORIES = {
    "file": file_users,
    "sqlite": sqlite_users,
    "postgresql": postgresql_users,
    "ldap": ldap_users,
}
KINDS = [
    pytest.param(kind, marks=pytest.mark.live) if kind in {"postgresql", "ldap"} else kind
    for kind in FACTORIES
]


@pytest.fixture(scope="module")
def servers():
    with ExitStack() as stack:
        yield Servers(stack)


@pytest.fixture(params=KINDS)
def users(request, servers, tmp_path):
    with closing(FACTORIES[request.param](servers, tmp_path, PEOPLE)) as store:
        yield store


@pytest.fixture(params=KINDS)
def version_of(request, servers, tmp_path):
    """The version of one person's record, in a store that holds nobody else."""

    def version_of(entry):
        with closing(FACTORIES[request.param](servers, tmp_path, (entry,))) as store:
            return store.find(entry.name).version

    return version_of


def digest(password, nonce=NONCE, created=CREATED):
    """As a client computes it (UsernameToken Profile 1.1, section 3.1)."""
    return hashlib.sha1(nonce + created.encode() + password.encode()).digest()


def reason(call, *arguments):
    with pytest.raises(WSSecurityError) as caught:
        call(*arguments)
    return caught.value.reason


# clear password


@pytest.mark.parametrize(
    ("name", "password", "roles"),
    [
        ("alice", "alice's pässword", {"user", "admin"}),
        ("bob", "bob's password", {"user"}),
        ("erin", LONGEST, set()),
        ("Zoë", " spaces and \t tabs ", set()),
    ],
)
def test_the_right_password_is_accepted(users, name, password, roles):
    user = users.check_password(name, password)
    assert isinstance(user, User)
    assert (user.name, user.roles) == (name, frozenset(roles))
    assert user.version
    assert users.check_password(name, password) == user


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "bob's password"),
        ("alice", "alice's pässwor"),
        ("alice", "alice's pässword "),
        ("alice", "alice's pa\u0308ssword"),  # the same to the eye
        ("bob", "Bob's password"),
        ("bob", "bob's password\0"),
        pytest.param("bob", BOB_HASH, id="the stored hash is no password"),
        ("bob", "\ud800"),
        ("erin", LONGEST[:-1]),
        ("Zoë", "spaces and \t tabs"),
        ("carol", "wrong"),  # that a user is disabled is for those who know the password
        ("dave", "wrong"),
    ],
)
def test_a_wrong_password_is_refused(users, name, password):
    assert reason(users.check_password, name, password) is Reason.PASSWORD_WRONG


def test_a_digest_in_the_place_of_a_password_is_refused(users):
    """Attack K03: what an eavesdropper saw must not serve as a clear password."""
    for seen in (digest("alice's pässword").hex(), digest("bob's password").hex()):
        assert reason(users.check_password, "alice", seen) is Reason.PASSWORD_WRONG
        assert reason(users.check_password, "bob", seen) is Reason.PASSWORD_WRONG


UNKNOWN = (
    "nobody",
    "Alice",
    "ALICE",
    "alice ",
    " alice",
    "alice\0",
    "al",
    "alicealice",
    "\uff41lice",
    "Zoe\u0308",
    "*",
    "\ud800",
)


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("password", ["alice's pässword", " spaces and \t tabs "])
def test_names_are_compared_exactly(users, name, password):
    """Attack K08."""
    assert reason(users.check_password, name, password) is Reason.USER_UNKNOWN


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "nobody"])
def test_an_empty_password_is_refused_for_everybody_alike(users, name):
    """Attack K02."""
    assert reason(users.check_password, name, "") is Reason.PASSWORD_WRONG


def test_an_empty_name_is_refused(users):
    assert reason(users.check_password, "", "alice's pässword") is Reason.USER_UNKNOWN
    assert reason(users.check_digest, "", digest(""), NONCE, CREATED) is Reason.USER_UNKNOWN


@pytest.mark.parametrize("name", ["erin", "nobody"])
@pytest.mark.parametrize("password", [LONGEST + "l", "ä" * 300, "x" * 1_000_000])
def test_a_password_beyond_the_limit_is_refused_for_everybody_alike(users, name, password):
    """Attack K13; its accepted twin is erin's, which is exactly as long as allowed."""
    assert reason(users.check_password, name, password) is Reason.PASSWORD_WRONG


@pytest.mark.parametrize(("name", "password"), [("carol", "carol's password"), ("dave", "dave's password")])
def test_a_disabled_user_is_refused_however_often_asked(users, name, password):
    for _ in range(3):
        assert reason(users.check_password, name, password) is Reason.USER_DISABLED


def test_a_success_opens_nothing_else(users):
    for _ in range(2):
        users.check_password("bob", "bob's password")
        assert reason(users.check_password, "bob", "bob's passwor") is Reason.PASSWORD_WRONG
        assert reason(users.check_password, "bo", "bbob's password") is Reason.USER_UNKNOWN
        assert reason(users.check_password, "alice", "bob's password") is Reason.PASSWORD_WRONG


def test_threads_do_not_disturb_each_other(users):
    users.check_password("bob", "bob's password")
    users.check_password("alice", "alice's pässword")

    def ask(number):
        name, password = [("bob", "bob's password"), ("alice", "alice's pässword")][number % 2]
        return users.check_password(name, password).name == name

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(400)))


# digest


def test_the_right_digest_is_accepted_where_clear_passwords_are_known(users):
    right = digest("alice's pässword")
    if not users.knows_clear_passwords:
        assert reason(users.check_digest, "alice", right, NONCE, CREATED) is Reason.PASSWORD_WRONG
        return
    user = users.check_digest("alice", right, NONCE, CREATED)
    assert (user.name, user.roles) == ("alice", frozenset({"user", "admin"}))
    assert user == users.check_password("alice", "alice's pässword")


@pytest.mark.parametrize(
    ("given", "nonce", "created"),
    [
        (digest("wrong"), NONCE, CREATED),
        (digest("alice's pässword"), NONCE[::-1], CREATED),
        (digest("alice's pässword"), NONCE, "2026-03-01T12:00:01Z"),
        (digest("alice's pässword"), b"", CREATED),
        (digest("alice's pässword")[:-1], NONCE, CREATED),
        (digest("alice's pässword") + b"\0", NONCE, CREATED),
        (b"", NONCE, CREATED),
        (digest(""), NONCE, CREATED),
        ("alice's pässword".encode(), NONCE, CREATED),
    ],
)
def test_a_wrong_digest_is_refused(users, given, nonce, created):
    assert reason(users.check_digest, "alice", given, nonce, created) is Reason.PASSWORD_WRONG


def test_a_digest_cannot_be_checked_against_a_hash(users):
    for password in ("bob's password", BOB_HASH, ""):
        assert reason(users.check_digest, "bob", digest(password), NONCE, CREATED) is Reason.PASSWORD_WRONG


@pytest.mark.parametrize("name", ["nobody", "Alice", "alice "])
def test_a_digest_of_an_unknown_user_is_refused(users, name):
    assert reason(users.check_digest, name, digest("alice's pässword"), NONCE, CREATED) is Reason.USER_UNKNOWN


def test_a_digest_of_a_disabled_user_is_refused(users):
    expected = Reason.USER_DISABLED if users.knows_clear_passwords else Reason.PASSWORD_WRONG
    assert reason(users.check_digest, "carol", digest("carol's password"), NONCE, CREATED) is expected
    assert reason(users.check_digest, "carol", digest("wrong"), NONCE, CREATED) is Reason.PASSWORD_WRONG


# without a secret


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "alice's pässword"), ("bob", "bob's password"), ("Zoë", " spaces and \t tabs ")],
)
def test_a_user_is_found_as_authenticated(users, name, password):
    assert users.find(name) == users.check_password(name, password)


def test_a_user_is_found_as_authenticated_by_digest(users):
    if users.knows_clear_passwords:
        user = users.check_digest("alice", digest("alice's pässword"), NONCE, CREATED)
        assert users.find("alice") == user


@pytest.mark.parametrize("name", [*UNKNOWN, ""])
def test_an_unknown_user_is_not_found(users, name):
    assert reason(users.find, name) is Reason.USER_UNKNOWN


@pytest.mark.parametrize("name", ["carol", "dave"])
def test_a_disabled_user_is_not_found(users, name):
    assert reason(users.find, name) is Reason.USER_DISABLED


def test_finding_proves_nothing(users):
    """Whoever was only found still has to show the password."""
    users.find("bob")
    assert reason(users.check_password, "bob", "wrong") is Reason.PASSWORD_WRONG
    users.check_password("bob", "bob's password")


FRANK = Entry("frank", password=BOB_HASH, roles=frozenset({"user"}))


@pytest.mark.parametrize(
    "change",
    [
        {"password": hash_password("another")},
        {"password": hash_password("bob's password")},  # the same one, set anew
        {"roles": frozenset()},
        {"roles": frozenset({"user", "admin"})},
    ],
    ids=["another password", "the same one anew", "no role", "two roles"],
)
def test_the_version_changes_with_the_record_and_only_then(version_of, change):
    before = version_of(FRANK)
    assert version_of(replace(FRANK, **change)) != before
    assert version_of(FRANK) == before


def test_the_version_changes_with_a_clear_password(version_of):
    first = replace(FRANK, password=None, clear_password="one")
    assert version_of(first) != version_of(replace(first, clear_password="two"))
    assert version_of(first) == version_of(first)
