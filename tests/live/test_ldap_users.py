"""Users in a real OpenLDAP: TLS, groups, who is disabled, what a change does, and servers that do not answer."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.live.slapd import READER, Slapd, ssha
from tests.simulator import pki
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.users.directory import Directory
from wsprovider.adapters.users.followed import FollowedUsers
from wsprovider.adapters.users.ldap import LdapUsers
from wsprovider.adapters.users.ldap_settings import read_ldap_settings
from wsprovider.adapters.users.records import Entry
from wsprovider.adapters.users.settings import Settings
from wsprovider.words.errors import BackendError, ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

pytestmark = pytest.mark.live
PEOPLE = (
    Entry("alice", clear_password="alice's", roles=frozenset({"user", "admin"})),
    Entry("bob", clear_password="bob's"),
)
QUICK = "refuse_after = 0"
NOT_REMEMBERED = "remember = 0"


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    missing = Slapd.available()
    if missing is not None:
        pytest.skip(missing)
    with Slapd() as running:
        yield running


@pytest.fixture
def base(slapd: Slapd) -> str:
    return slapd.part(PEOPLE)


Open = Callable[..., LdapUsers]


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(slapd: Slapd, base: str, tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Opens the store with more settings."""
    stores = []

    def opened(*more: str, groups: str = "", **others: Any) -> LdapUsers:
        path = slapd.settings(tmp_path, base, QUICK, *more, groups=groups)
        settings = read_ldap_settings(Settings.read(path, Reader(tmp_path, {})))
        stores.append(LdapUsers(settings, monotonic=clock, **others))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def reason(call: Callable[..., object], *arguments: object) -> Reason:
    with pytest.raises(WSSecurityError) as caught:
        call(*arguments)
    return caught.value.reason


# the way there


def test_starttls_comes_before_anything_is_told(slapd: Slapd, opened: Open) -> None:
    users = opened(f'servers = ["{slapd.url}"]', "starttls = true")
    assert users.check_password("bob", "bob's").name == "bob"


def test_loopback_needs_no_tls(slapd: Slapd, opened: Open) -> None:
    users = opened(f'servers = ["{slapd.url}"]', "ca =")
    assert users.check_password("bob", "bob's").name == "bob"


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_a_certificate_of_another_authority_is_refused(
    slapd: Slapd, opened: Open, tmp_path: Path, way: str
) -> None:
    (tmp_path / "other.pem").write_bytes(pki.authority("CN=Another CA").cert_pem)
    urls = {"ldaps": (slapd.tls_url, ""), "starttls": (slapd.url, "true")}
    url, starttls = urls[way]
    lines = (f'servers = ["{url}"]', f"starttls = {starttls}" if starttls else "starttls =")
    with pytest.raises(BackendError, match="certificate verify failed"):
        opened('ca = "other.pem"', *lines)
    assert opened(*lines).check_password("bob", "bob's").name == "bob"


def test_a_certificate_of_another_host_is_refused(slapd: Slapd, opened: Open) -> None:
    """It is for 127.0.0.1, and the server answers to localhost, too."""
    with pytest.raises(BackendError, match="Hostname mismatch"):
        opened(f'servers = ["ldaps://localhost:{slapd.tls_port}"]')
    assert opened().check_password("bob", "bob's").name == "bob"


def test_another_server_is_asked_where_one_is_down(slapd: Slapd, opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = f"ldaps://127.0.0.1:{probe.getsockname()[1]}"
    users = opened(f'servers = ["{nobody}", "{slapd.tls_url}"]', NOT_REMEMBERED)
    assert users.check_password("bob", "bob's").name == "bob"


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_server_that_never_answers_is_given_up(opened: Open, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ca = ("ca =",) if scheme == "ldap" else ()
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(BackendError, match="no LDAP server answered"):
            opened(f'servers = ["{url}"]', "timeout = 1", *ca)
        assert time.monotonic() - began < 4


def test_what_speaks_no_ldap_is_a_backend_error(opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(BackendError):
            opened(f'servers = ["ldap://127.0.0.1:{other.getsockname()[1]}"]', "ca =", "timeout = 1")
        thread.join()


def test_a_wrong_password_of_the_account_is_told_without_it(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mistaken")
    (tmp_path / "other").chmod(0o600)
    with pytest.raises(BackendError, match="invalidCredentials") as caught:
        opened('bind_password_file = "other"')
    assert "mistaken" not in str(caught.value)
    assert READER in str(caught.value)


def test_a_base_that_is_not_there_is_told(opened: Open) -> None:
    with pytest.raises(ConfigurationError, match="the directory has no entry 'ou=nowhere"):
        opened('base = "ou=nowhere,dc=example,dc=org"')


# down and up


def test_a_directory_that_is_down_lets_nobody_in(slapd: Slapd, opened: Open, clock: Clock) -> None:
    users = opened(NOT_REMEMBERED)
    users.check_password("bob", "bob's")
    slapd.stop()
    try:
        for ask in (lambda: users.check_password("bob", "bob's"), lambda: users.find("bob")):
            with pytest.raises(BackendError):
                ask()
    finally:
        slapd.start()
    clock.seconds += 1  # nobody asks again at once
    assert users.check_password("bob", "bob's").name == "bob"
    assert reason(users.check_password, "bob", "wrong") is Reason.PASSWORD_WRONG


def test_a_frozen_directory_holds_nobody_for_long(slapd: Slapd, opened: Open, clock: Clock) -> None:
    users = opened(NOT_REMEMBERED, "timeout = 1")
    users.check_password("bob", "bob's")
    slapd.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(BackendError):
            users.check_password("bob", "bob's")
        with pytest.raises(BackendError, match="failed a moment ago"):
            users.check_password("bob", "bob's")
        assert time.monotonic() - began < 5
    finally:
        slapd.signal(signal.SIGCONT)
    clock.seconds += 1
    assert users.check_password("bob", "bob's").name == "bob"


def test_no_connection_is_left_behind(slapd: Slapd, opened: Open) -> None:
    users = opened(NOT_REMEMBERED)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with ThreadPoolExecutor(4) as pool:
        told = pool.map(
            lambda number: _told(
                users, "bob" if number % 3 else "nobody", "bob's" if number % 2 else "wrong"
            ),
            range(60),
        )
        assert Counter(told) == {"bob": 20, "PASSWORD_WRONG": 20, "USER_UNKNOWN": 20}
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 4  # of the account that reads
    users.close()
    deadline = time.monotonic() + 5
    while slapd.connections() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert slapd.connections() == 0


def _told(users: LdapUsers, name: str, password: str) -> str:
    try:
        return users.check_password(name, password).name
    except WSSecurityError as error:
        return error.reason.name


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(opened: Open) -> None:
    users = opened(NOT_REMEMBERED)
    users.find("bob")
    child = os.fork()
    if child == 0:
        try:
            users.find("bob")
            users.check_password("bob", "bob's")
        except BaseException:  # noqa: BLE001 - the parent must hear of anything
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert users.find("bob").name == "bob"


# passwords


def test_a_changed_password_counts_when_the_old_one_is_forgotten(
    slapd: Slapd, base: str, opened: Open, clock: Clock
) -> None:
    users = opened("remember = 30")
    before = users.check_password("bob", "bob's")
    slapd.change(f"uid=bob,ou=people,{base}", userPassword=ssha("another"))
    assert users.check_password("bob", "another").version != before.version
    clock.seconds += 29
    assert users.check_password("bob", "bob's") == before
    clock.seconds += 1
    assert reason(users.check_password, "bob", "bob's") is Reason.PASSWORD_WRONG
    assert users.check_password("bob", "another").name == "bob"


def test_nothing_is_remembered_where_the_settings_say_so(slapd: Slapd, base: str, opened: Open) -> None:
    users = opened(NOT_REMEMBERED)
    users.check_password("bob", "bob's")
    slapd.change(f"uid=bob,ou=people,{base}", userPassword=ssha("another"))
    assert reason(users.check_password, "bob", "bob's") is Reason.PASSWORD_WRONG
    users.check_password("bob", "another")
    slapd.change(f"uid=bob,ou=people,{base}", employeeType="disabled")
    assert reason(users.check_password, "bob", "another") is Reason.USER_DISABLED


def test_the_door_is_asked_before_the_directory_compares(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = opened(NOT_REMEMBERED)
    binds, bind = [], Directory.proves
    monkeypatch.setattr(Directory, "proves", lambda *given: binds.append(given[1]) or bind(*given))

    def closed(*, remembered: bool) -> str:
        raise WSSecurityError(Reason.AUTHENTICATION_BACKOFF, str(remembered))

    for name in ("bob", "nobody"):
        with pytest.raises(WSSecurityError, match="AUTHENTICATION_BACKOFF: False"):
            users.check_password(name, "bob's", admit=closed)
    assert not binds
    assert users.check_password("bob", "bob's").name == "bob"
    assert len(binds) == 1


def test_few_binds_are_made_at_a_time(slapd: Slapd, opened: Open) -> None:
    users = opened(NOT_REMEMBERED, "binds = 1", "refuse_after = 200")
    with ThreadPoolExecutor(16) as pool:
        told = Counter(pool.map(lambda _: _told(users, "bob", "wrong"), range(16)))
    assert set(told) == {"PASSWORD_WRONG", "AUTHENTICATION_BUSY"}
    assert users.check_password("bob", "bob's").name == "bob"


def test_refused_passwords_leave_at_the_same_moment(
    opened: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that hashes takes longer for a user it knows."""
    waited: list[float] = []
    users = opened(NOT_REMEMBERED, "refuse_after = 2000", wait=waited.append)
    bind, takes = Directory.proves, 0.5

    def slow(directory: Directory, dn: str, password: bytes) -> bool:
        clock.seconds += takes if "uid=bob" in dn else 0
        return bind(directory, dn, password)

    monkeypatch.setattr(Directory, "proves", slow)
    refused = {"bob": "PASSWORD_WRONG", "nobody": "USER_UNKNOWN"}
    for name, why in refused.items():
        assert _told(users, name, "wrong") == why
    assert waited == [1.5, 2.0]
    takes = 2.5
    for name, why in refused.items():
        assert _told(users, name, "wrong") == why
    assert waited == [1.5, 2.0, 1.5, 4.0]
    assert users.check_password("bob", "bob's").name == "bob"
    assert len(waited) == 4


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("bob", "\ud800"),
        ("bob", "bob's\0"),
        ("bob", "\x01"),
        ("bob", "ä" * 256),
        ("\ud800", "\ud800"),
        ("\0", "bob's"),
        ("ä" * 256, "bob's"),
        ("x" * 10_000, "bob's"),
    ],
)
def test_what_is_odd_keeps_nobody_else_out(opened: Open, name: str, password: str) -> None:
    users = opened(NOT_REMEMBERED)
    expected = Reason.PASSWORD_WRONG if name == "bob" else Reason.USER_UNKNOWN
    assert reason(users.check_password, name, password) is expected
    assert users.check_password("bob", "bob's").name == "bob"


# entries


def test_of_two_entries_nobody_knows_whose_name_it_is(slapd: Slapd, base: str, opened: Open) -> None:
    users = opened()
    slapd.add(f"ou=more,ou=people,{base}", ["organizationalUnit"])
    twin = f"uid=bob,ou=more,ou=people,{base}"
    slapd.add(twin, ["inetOrgPerson"], uid="bob", cn="B", sn="B", userPassword=ssha("twin's"))
    for password in ("bob's", "twin's"):
        assert reason(users.check_password, "bob", password) is Reason.USER_UNKNOWN
    slapd.remove(twin)
    assert users.check_password("bob", "bob's").name == "bob"


def test_a_filter_leaves_people_out(slapd: Slapd, base: str, opened: Open) -> None:
    users = opened('filter = "(title=clerk)"')
    assert reason(users.check_password, "bob", "bob's") is Reason.USER_UNKNOWN
    slapd.change(f"uid=bob,ou=people,{base}", title="clerk")
    assert users.check_password("bob", "bob's").name == "bob"


@pytest.mark.parametrize("name", ["*", "b*", "bob)(uid=*", "bob\\2a", "(uid=bob)", "bob,ou=people"])
@pytest.mark.parametrize("template", [True, False])
def test_a_name_is_no_filter_and_no_place(base: str, opened: Open, name: str, template: bool) -> None:
    users = opened(f'dn = "uid={{name}},ou=people,{base}"') if template else opened()
    assert reason(users.check_password, name, "bob's") is Reason.USER_UNKNOWN
    assert users.check_password("bob", "bob's").name == "bob"


def test_a_strange_name_is_found_all_the_same(slapd: Slapd, tmp_path: Path) -> None:
    strange = 'O\'Hara, "Zoë" (*) <\\#+=;/>'
    base = slapd.part([Entry(strange, clear_password="x", roles=frozenset({"user"}))])
    for template in ("", f'dn = "uid={{name}},ou=people,{base}"'):
        slapd.settings(tmp_path, base, template)
        with closing(FollowedUsers(tmp_path / "directory.toml", environ={})) as users:
            user = users.check_password(strange, "x")
            assert (user.name, user.roles) == (strange, {"user"})


@pytest.mark.parametrize(
    ("line", "value", "disabled"),
    [
        ("employeeType = true", "anything", True),
        ('employeeType = ["gone", "LEFT"]', "left", True),
        ('employeeType = "gone"', "here", False),
        ("employeeNumber = 2", "514", True),
        ("employeeNumber = 2", "512", False),
        ("employeeNumber = 2", "many", True),
        ('pwdAccountLockedTime = "000001010000Z"', "000001010000Z", True),
        ('pwdAccountLockedTime = "000001010000Z"', "20260301120000Z", False),
    ],
)
def test_attributes_say_who_is_disabled(
    slapd: Slapd, base: str, tmp_path: Path, line: str, value: str, disabled: bool
) -> None:
    slapd.change(f"uid=bob,ou=people,{base}", **{line.partition(" ")[0]: value})
    path = slapd.settings(tmp_path, base, QUICK)
    path.write_text(path.read_text().replace('employeeType = "disabled"', line))
    with closing(FollowedUsers(path, environ={})) as users:
        if disabled:
            assert reason(users.check_password, "bob", "bob's") is Reason.USER_DISABLED
            assert reason(users.find, "bob") is Reason.USER_DISABLED
        assert reason(users.check_password, "bob", "wrong") is Reason.PASSWORD_WRONG
        if not disabled:
            assert users.check_password("bob", "bob's") == users.find("bob")


def test_a_version_that_cannot_change_is_refused(opened: Open) -> None:
    users = opened('version = ["street"]')
    with pytest.raises(BackendError, match="tells none of street"):
        users.check_password("bob", "bob's")
    assert opened().check_password("bob", "bob's").version


# groups


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ("", {"user", "admin"}),
        ('filter = "(cn=user)"', {"user"}),
        ('[roles]\nadmin = ["clerk", "chief"]', {"clerk", "chief"}),
        ('[roles]\n"cn = USER , ou=groups,{base}" = "clerk"\nothers = "chief"', {"clerk"}),
        ('member_of = "memberOf"', {"user", "admin"}),
        ('member_of = "memberOf"\n[roles]\nuser = "clerk"', {"clerk"}),
    ],
)
def test_groups_give_roles(base: str, opened: Open, groups: str, roles: set[str]) -> None:
    users = opened(groups=groups.replace("{base}", base))
    assert users.check_password("alice", "alice's").roles == roles
    assert users.check_password("bob", "bob's").roles == set()


def test_a_group_elsewhere_gives_no_role(slapd: Slapd, base: str, opened: Open) -> None:
    """Whoever may make a group of their own would else be what they call it."""
    own, bob = f"ou=own groups,{base}", f"uid=bob,ou=people,{base}"
    slapd.add(own, ["organizationalUnit"])
    slapd.add(f"cn=chief,{own}", ["groupOfNames"], member=bob)
    for groups in ("", 'member_of = "memberOf"'):
        assert opened(groups=groups).find("bob").roles == set()
    slapd.add(f"cn=clerk,ou=groups,{base}", ["groupOfNames"], member=bob)
    for groups in ("", 'member_of = "memberOf"'):
        assert opened(groups=groups).find("bob").roles == {"clerk"}


def test_groups_in_groups_count_where_the_settings_say_so(slapd: Slapd, base: str, opened: Open) -> None:
    groups = f"ou=groups,{base}"
    slapd.add(f"cn=inner,{groups}", ["groupOfNames"], member=f"uid=bob,ou=people,{base}")
    slapd.add(f"cn=outer,{groups}", ["groupOfNames"], member=f"cn=inner,{groups}")
    slapd.change(f"cn=inner,{groups}", member=[f"uid=bob,ou=people,{base}", f"cn=outer,{groups}"])  # a circle
    assert opened().find("bob").roles == {"inner"}
    assert opened(groups="nested = true").find("bob").roles == {"inner", "outer"}


def test_groups_may_hold_names(slapd: Slapd, base: str, opened: Open) -> None:
    slapd.add(f"cn=clerk,ou=groups,{base}", ["posixGroup"], gidNumber="7", memberUid="bob")
    users = opened(groups='member = "memberUid"\nholds = "name"')
    assert users.find("bob").roles == {"clerk"}
    assert users.find("alice").roles == set()


def test_another_group_is_another_version(slapd: Slapd, base: str, opened: Open) -> None:
    users = opened()
    before = users.find("bob").version
    assert users.find("bob").version == before
    slapd.add(f"cn=clerk,ou=groups,{base}", ["groupOfNames"], member=f"uid=bob,ou=people,{base}")
    assert users.find("bob").version != before
