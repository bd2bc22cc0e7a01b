"""Users in a directory and in a database, behind gunicorn with two workers: roles, changes, and a store that is gone."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.postgres import Postgres
from tests.live.provider import ROOT, ProviderProcess
from tests.live.slapd import Slapd, ssha
from tests.live.test_guessing import GENEROUS, message
from tests.simulator.talk import Talk
from wsprovider.adapters.users.editing import sql_editor
from wsprovider.adapters.users.hashing import hash_password
from wsprovider.adapters.users.records import Entry
from wsprovider.words.errors import WSSecurityError

pytestmark = pytest.mark.live
CONVERSATION = "conversation-sign-encrypt-username"
SERVICE = f"""
namespace = "urn:wsprovider:echo"
trust = ["clients"]
users = "directory.toml"

[[endpoint]]
path = "/users"
scenario = "username-token"
roles = ["user"]

[[endpoint]]
path = "/chiefs"
scenario = "username-token"
roles = ["chief"]

[[endpoint]]
path = "/talk"
scenario = "{CONVERSATION}"
[endpoint.conversation]
recheck = 1
"""
REMEMBER, RECHECK = 2.0, 1.0
PEOPLE = (
    Entry("alice", password=hash_password("development"), roles=frozenset({"user"})),
    Entry("bob", password=hash_password("bob's"), roles=frozenset({"user"})),
)


@dataclass
class World:
    """A provider, and what can be changed in the store of its users."""

    provider: ProviderProcess
    set_password: Callable[[str, str], None]
    disable: Callable[[str], None]
    server: Slapd | Postgres

    def call(self, name: str, password: str, path: str = "/users") -> int:
        """The status of a call that came by TLS."""
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        return self.provider.post(path, message(password, name), forwarded)[0]

    def why(self, call: Callable[[], int], times: int = 6) -> Counter[str]:
        """The reasons for which calls are refused, whichever worker answers."""
        since = self.provider.logged()
        assert {call() for _ in range(times)} == {500}
        return Counter(line["reason"] for line in self.provider.requests(since, times))


@pytest.fixture(scope="module", params=[Slapd, Postgres], ids=["ldap", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, development_keys: Path
) -> Iterator[World]:
    kind: type[Slapd | Postgres] = request.param
    missing = kind.available()
    if missing is not None:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("stores")
    keys, services = folder / "keys", folder / "services"
    shutil.copytree(development_keys, keys)
    (services / "echo").mkdir(parents=True)
    shutil.copy(ROOT / "services" / "echo" / "service.py", services / "echo")
    (services / "echo" / "service.toml").write_text(SERVICE)
    (services / "provider.toml").write_text(f'trusted_proxies = ["127.0.0.1"]\n{GENEROUS}')
    with ExitStack() as stack:
        server = stack.enter_context(kind())
        made = _directory if isinstance(server, Slapd) else _database
        set_password, disable, environ = made(server, keys)  # type: ignore[operator]
        provider = stack.enter_context(ProviderProcess(folder, environ=environ))
        yield World(provider, set_password, disable, server)


def _directory(
    server: Slapd, keys: Path
) -> tuple[Callable[[str, str], None], Callable[[str], None], dict[str, str]]:
    base = server.part(PEOPLE)
    server.settings(keys, base, f"remember = {REMEMBER:.0f}")

    def place(name: str) -> str:
        return f"uid={name},ou=people,{base}"

    return (
        lambda name, password: server.change(place(name), userPassword=ssha(password)),
        lambda name: server.change(place(name), employeeType="disabled"),
        {},
    )


def _database(
    server: Postgres, keys: Path
) -> tuple[Callable[[str, str], None], Callable[[str], None], dict[str, str]]:
    environ = {"USERS_URL": server.fresh()}
    path = keys / "directory.toml"
    path.write_text('kind = "sql"\nurl_env = "USERS_URL"\n')

    def put(*entries: Entry) -> None:
        with closing(sql_editor(path, environ)) as editor:
            editor.make_tables()
            for one in entries:
                editor.put(one)

    put(*PEOPLE)
    return (
        lambda name, password: put(Entry(name, password=hash_password(password), roles=frozenset({"user"}))),
        lambda name: put(Entry(name, password=hash_password("x"), disabled=True)),
        environ,
    )


def test_roles_let_in(world: World) -> None:
    assert {world.call("bob", "bob's") for _ in range(6)} == {200}
    assert world.why(lambda: world.call("bob", "bob's", "/chiefs")) == {"ROLE_MISSING": 6}
    assert world.why(lambda: world.call("bob", "wrong")) == {"PASSWORD_WRONG": 6}
    assert world.why(lambda: world.call("nobody", "wrong")) == {"USER_UNKNOWN": 6}


def test_a_changed_password_counts_in_every_worker(world: World) -> None:
    assert {world.call("bob", "bob's") for _ in range(6)} == {200}
    world.set_password("bob", "new")
    assert {world.call("bob", "new") for _ in range(6)} == {200}
    if isinstance(world.server, Slapd):
        time.sleep(REMEMBER)
    assert world.why(lambda: world.call("bob", "bob's")) == {"PASSWORD_WRONG": 6}
    world.set_password("bob", "bob's")
    time.sleep(REMEMBER)


def test_a_disabled_user_ends_a_conversation(world: World) -> None:
    provider = world.provider

    def post(data: bytes, action: str) -> bytes:
        return provider.post("/talk", data, {"SOAPAction": f'"{action}"'})[1]

    talk = Talk(CONVERSATION, provider.url("/talk"), post, provider.keys)
    talk.open()
    time.sleep(RECHECK)
    assert {talk.call() for _ in range(6)} == {"hello"}
    world.disable("alice")
    time.sleep(RECHECK)
    since = provider.logged()
    for _ in range(6):
        with pytest.raises(WSSecurityError):
            talk.call()
    assert {line["reason"] for line in provider.requests(since, 6)} <= {"CONTEXT_OWNER", "CONTEXT_UNKNOWN"}


def test_a_store_that_is_gone_lets_nobody_in(world: World) -> None:
    """Under load; a directory comes back."""
    server, over, statuses = world.server, threading.Event(), Counter[int]()

    def load(number: int) -> None:
        while not over.is_set():
            statuses[world.call("bob", "bob's" if number % 2 else "wrong")] += 1

    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            pool.submit(load, number)
        try:
            time.sleep(0.5)
            _stop(server)
            time.sleep(REMEMBER + 0.5)
            since = world.provider.logged()
            time.sleep(0.5)
            down = Counter(line["reason"] for line in world.provider.requests(since))
            if isinstance(server, Slapd):
                server.start()
                time.sleep(1.5)
                since = world.provider.logged()
                time.sleep(0.5)
                up = Counter(line["reason"] for line in world.provider.requests(since))
                assert set(up) == {None, "PASSWORD_WRONG"}
        finally:
            over.set()
    assert set(down) == {"BACKEND"}
    assert set(statuses) == {200, 500}
    if isinstance(server, Slapd):
        assert {world.call("bob", "bob's") for _ in range(6)} == {200}
        assert server.connections() <= 8  # two workers, four callers
    else:
        assert world.why(lambda: world.call("bob", "bob's")) == {"BACKEND": 6}


def _stop(server: Slapd | Postgres) -> None:
    if isinstance(server, Slapd):
        server.stop()
    else:
        server.__exit__()
