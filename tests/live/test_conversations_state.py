"""Where conversations are kept: over several workers and machines, their deaths and restarts, and a crowd."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import select
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.live import crowd
from tests.live.conversing import (
    BAD_CONTEXT,
    CANCEL,
    ISSUE,
    RENEW,
    Conversation,
    Refused,
    client_keys,
    context_of,
    end,
    policy_file,
    totals,
)
from tests.live.java_peer import JavaPeer
from tests.live.provider import CONVERSATIONS, ProviderProcess, copy_services
from tests.live.redis_server import RedisServer, require_redis
from tests.live.test_cxf import SHA2

pytestmark = pytest.mark.live
LOG = logging.getLogger(__name__)
"""The figures of a run: ``pytest -rP --log-level INFO``."""

CROWD_SECONDS = float(os.environ.get("WSPROVIDER_CROWD_SECONDS", "20"))
CROWD, PROCESSES = 50, 2
# a connection for each call, so that calls go to whichever worker is first
NO_KEEP_ALIVE = {"GUNICORN_CMD_ARGS": "--keep-alive 0"}
LIFE = 60
BALANCED = "conversation-sign-encrypt-username"


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider under which conversations live as briefly as a service can say."""
    folder = tmp_path_factory.mktemp("brief")
    copy_services(folder / "services", echo=f"[conversation]\nlife = {LIFE}\n")
    with ProviderProcess(folder, environ=NO_KEEP_ALIVE) as running:
        yield running


def cxf_call(
    cxf: JavaPeer, provider: ProviderProcess, path: str, session: str, **more: Any
) -> dict[str, Any]:
    """What a CXF client does that lives on under a name."""
    return cxf.call(
        cmd="cxf-call",
        wsdl=provider.url(f"{path}?wsdl"),
        session=session,
        properties=SHA2 if path.startswith("/echo") else {},
        record=True,
        **{**provider.client(), "url": provider.url(path), "text": "x", **more},
    )


def rampart_call(
    rampart: JavaPeer, provider: ProviderProcess, number: str, policies: Path, session: str, **more: Any
) -> dict[str, Any]:
    """What a Rampart client does that lives on under a name."""
    return rampart.call(
        cmd="rampart-call",
        policy=policy_file(policies, number),
        addressing=True,
        session=session,
        **{
            **provider.client(),
            "url": provider.url(f"/wso2/{CONVERSATIONS[number]}"),
            "text": "x",
            **more,
        },
    )


def operations(provider: ProviderProcess, since: int, wanted: int) -> list[tuple[str | None, str | None]]:
    """What the log says of the requests since then."""
    return [(line.get("operation"), line["reason"]) for line in provider.requests(since, wanted)]


# expiry: begun here, looked at in the end of this file --------------------------------------------


@dataclass
class Begun:
    """Conversations that were opened at the begin of this file.

    Attributes:
        until: when the last of them has expired.
        identifiers: of CXF's, by scenario.
        ended: of the one of Rampart that the service has ended meanwhile.
    """

    until: float
    identifiers: dict[str, str]
    ended: str


@pytest.fixture(scope="module")
def begun(
    brief: ProviderProcess,
    cxf: JavaPeer,
    rampart: JavaPeer,
    wso2_policies: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Begun:
    """A conversation of each kind with CXF, and two with Rampart."""
    identifiers = {}
    for number in ("9", "12", "15"):
        answer = cxf_call(cxf, brief, f"/wso2/{CONVERSATIONS[number]}", f"brief {number}")
        assert answer["ok"], answer
        identifiers[number] = answer["conversation"]["identifier"]
    answer = rampart_call(rampart, brief, "11", wso2_policies, "brief 11")
    assert answer["ok"], answer
    record = tmp_path_factory.mktemp("begun")
    answer = rampart_call(rampart, brief, "12", wso2_policies, "brief 12", record=record)
    assert answer["ok"], answer
    ended, _ = context_of((record / "2.request.xml").read_bytes())
    assert end(brief.store, ended)
    return Begun(time.monotonic() + LIFE, identifiers, ended)


def test_conversations_begin_to_expire(
    brief: ProviderProcess, begun: Begun, rampart: JavaPeer, wso2_policies: Path
) -> None:
    """So that the last test need not wait so long."""
    assert len({*begun.identifiers.values(), begun.ended}) == 4
    since = brief.logged()
    assert not rampart_call(rampart, brief, "12", wso2_policies, "brief 12")["ok"]
    assert operations(brief, since, 1) == [(None, "CONTEXT_UNKNOWN")]


def test_a_context_that_has_expired_is_nothing_but_can_be_renewed(brief: ProviderProcess) -> None:
    """A client may ask for a shorter life."""
    keys = client_keys(brief.keys)
    for slug in ("conversation-sign-x509", "conversation-sign-anonymous"):
        one = Conversation(keys, brief.url(f"/echo/{slug}"), slug, lifetime=timedelta(seconds=1.5))
        one.open()
        named, _ = one.context
        one.call("before")
        time.sleep(1.6)
        with pytest.raises(Refused) as refusal:
            one.call("too late")
        assert refusal.value.code in BAD_CONTEXT
        one.renew()
        again, instance = one.context
        assert again == named
        assert instance
        one.call("after")
        one.close()


# several workers ----------------------------------------------------------------------------------


def shares(provider: ProviderProcess, endpoint: str, wanted: int) -> set[int]:
    """How many requests of an endpoint each of two workers has answered; an odd sum tells them apart."""
    pattern = re.compile(
        rf'requests_total\{{service="[^"]*",endpoint="{re.escape(endpoint)}",reason="ANSWERED"\}} (\d+)'
    )
    found: set[int] = set()
    deadline = time.monotonic() + 10
    while sum(found) != wanted and time.monotonic() < deadline:
        with urllib.request.urlopen(provider.url("/metrics?worker"), timeout=10) as answer:
            number = pattern.search(answer.read().decode())
        found.add(0 if number is None else int(number[1]))
    return found


def test_a_hundred_calls_by_both_workers(
    brief: ProviderProcess, cxf: JavaPeer, rampart: JavaPeer, wso2_policies: Path
) -> None:
    """One conversation of each client, one request for its context, and both workers know it."""
    endpoints = (
        "wso2/conversation-sign-encrypt-anonymous",
        "wso2/conversation-encrypt-x509",
        "echo/conversation-sign-encrypt-x509",
    )
    since = brief.logged()
    answer = cxf_call(cxf, brief, f"/{endpoints[0]}", "hundred", calls=100, endSession=True)
    assert answer["ok"], answer
    answer = rampart_call(rampart, brief, "10", wso2_policies, "hundred", calls=100, endSession=True)
    assert answer["ok"], answer
    slug = endpoints[2].rpartition("/")[2]
    ours = Conversation(client_keys(brief.keys), brief.url(f"/{endpoints[2]}"), slug, patience=2)
    ours.open()
    for number in range(100):
        ours.close()  # a connection that the server is about to close must not be used
        ours.call(f"{number}")
    lines = brief.requests(since, 303)
    for endpoint in endpoints:
        mine = Counter((line["operation"], line["reason"]) for line in lines if line["endpoint"] == endpoint)
        assert mine == {(ISSUE, None): 1, ("echo", None): 100}
        found = shares(brief, endpoint, 101)
        assert len(found) == 2
        assert sum(found) == 101
        assert min(found) > 0, found
        LOG.info("%s: %s", endpoint, sorted(found))


@pytest.mark.parametrize("number", ["9", "10", "11", "12", "13", "14", "15"])
def test_a_hundred_calls_in_each_scenario(
    brief: ProviderProcess, cxf: JavaPeer, rampart: JavaPeer, wso2_policies: Path, number: str
) -> None:
    """One request for a context and a hundred calls, by each client."""
    endpoint = f"wso2/{CONVERSATIONS[number]}"
    since = brief.logged()
    answer = cxf_call(cxf, brief, f"/{endpoint}", "each", calls=100, endSession=True)
    assert answer["ok"], answer
    answer = rampart_call(rampart, brief, number, wso2_policies, "each", calls=100, endSession=True)
    assert answer["ok"], answer
    lines = brief.requests(since, 202)
    assert Counter((line["operation"], line["reason"]) for line in lines) == {
        (ISSUE, None): 2,
        ("echo", None): 200,
    }


def test_a_worker_that_is_killed_takes_nothing_along(brief: ProviderProcess, cxf: JavaPeer) -> None:
    """Each worker is killed once while four clients call; they repeat a call whose connection was cut, and go on."""
    keys = client_keys(brief.keys)
    clients = [
        Conversation(keys, brief.url(f"/echo/{CONVERSATIONS[number]}"), CONVERSATIONS[number], patience=20)
        for number in ("9", "11", "13", "15")
    ]
    first = cxf_call(cxf, brief, f"/echo/{BALANCED}", "killed")
    assert first["ok"], first
    stop, called = threading.Event(), Counter[int]()

    def go_on(number: int) -> None:
        one = clients[number]
        one.open()
        opened = one.context
        while not stop.is_set():
            one.call(f"{called[number]}")
            called[number] += 1
        assert one.context == opened

    since = brief.logged()
    with ThreadPoolExecutor(len(clients)) as pool:
        running = [pool.submit(go_on, number) for number in range(len(clients))]
        try:
            _until(lambda: len(called) == len(clients))
            before = set(brief.http_workers())
            for victim in before:
                os.kill(victim, signal.SIGKILL)
                _until(lambda gone=victim: gone not in brief.http_workers())
                _until(lambda: len(brief.http_workers()) == 2)
                marks = [called[number] + 20 for number in range(len(clients))]
                _until(lambda marks=marks: all(called[number] >= mark for number, mark in enumerate(marks)))
        finally:
            stop.set()
        for one in running:
            one.result(30)
    assert len(before) == 2
    assert not before & set(brief.http_workers())
    outcomes = Counter((line.get("operation"), line["reason"]) for line in brief.requests(since))
    assert set(outcomes) == {(ISSUE, None), ("echo", None)}
    assert outcomes[ISSUE, None] == len(clients)
    LOG.info("%d calls, %d connections cut", sum(called.values()), sum(one.cut for one in clients))
    again = cxf_call(cxf, brief, f"/echo/{BALANCED}", "killed", endSession=True)
    assert again["ok"], again
    assert again["conversation"] == first["conversation"]


def test_a_restart_ends_nothing(
    brief: ProviderProcess, cxf: JavaPeer, rampart: JavaPeer, wso2_policies: Path
) -> None:
    """All processes end and start again: conversations are used, renewed and cancelled as if nothing was."""
    path = f"/echo/{BALANCED}"
    ours = Conversation(client_keys(brief.keys), brief.url(path), BALANCED)
    ours.open()
    ours.call("before")
    named, _ = ours.context
    first = cxf_call(cxf, brief, path, "restart")
    assert first["ok"], first
    assert rampart_call(rampart, brief, "15", wso2_policies, "restart")["ok"]
    ours.close()
    brief.__exit__()
    brief.__enter__()
    since = brief.logged()
    ours.call("after")
    ours.renew()
    ours.call("renewed")
    assert ours.context[0] == named
    ours.cancel()
    ours.close()
    assert operations(brief, since, 4) == [("echo", None), (RENEW, None), ("echo", None), (CANCEL, None)]
    since = brief.logged()
    again = cxf_call(cxf, brief, path, "restart", endSession=True)
    assert again["ok"], again
    assert again["conversation"] == first["conversation"]
    answer = rampart_call(rampart, brief, "15", wso2_policies, "restart", cancel=True, endSession=True)
    assert answer["ok"], answer
    assert operations(brief, since, 3) == [("echo", None), ("echo", None), (CANCEL, None)]


def _until(done: Any, patience: float = 30) -> None:
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


# two machines -------------------------------------------------------------------------------------


class Balancer:
    """Hands connections to several ports in turn."""

    def __init__(self, ports: list[int]) -> None:
        self._targets = (ports[number % len(ports)] for number in count())
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            service = socket.create_connection(("127.0.0.1", next(self._targets)))
            threading.Thread(target=self._pass_on, args=(client, service), daemon=True).start()

    @staticmethod
    def _pass_on(client: socket.socket, service: socket.socket) -> None:
        other = {client: service, service: client}
        with client, service:
            try:
                while True:
                    for one in select.select(list(other), [], [])[0]:
                        content = one.recv(65536)
                        if not content:
                            return
                        other[one].sendall(content)
            except OSError:
                return


@dataclass
class Machines:
    """Two machines and the store they share."""

    providers: tuple[ProviderProcess, ProviderProcess]
    store: str


PUBLIC = "http://services.example.org"
PUBLISHED = f"""
[[endpoint]]
path = "/public/{BALANCED}"
scenario = "{BALANCED}"
public_url = "{PUBLIC}"

[conversation]
per_owner = 100000
"""


@contextmanager
def started(folder: Path, store: str) -> Iterator[Machines]:
    """Two times ``wsprovider serve``, each with folders of its own: equal files, and one Redis."""
    with ExitStack() as stack:
        found = []
        for number in range(2):
            own = folder / f"machine-{number}"
            copy_services(own / "services", process=f'shared = "{store}"', echo=PUBLISHED)
            if found:
                shutil.copytree(found[0].keys, own / "keys")
            found.append(stack.enter_context(ProviderProcess(own, environ=NO_KEEP_ALIVE)))
        yield Machines((found[0], found[1]), store)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Two machines with Redis."""
    require_redis()
    with RedisServer() as server, started(tmp_path_factory.mktemp("machines"), server.url) as found:
        yield found


@pytest.fixture
def balancer(machines: Machines) -> Iterator[Balancer]:
    """In front of both machines."""
    found = Balancer([int(one.http.rpartition(":")[2]) for one in machines.providers])
    yield found
    found.close()


def test_what_one_machine_opens_the_other_knows(machines: Machines) -> None:
    """Used, renewed and cancelled at the other, though wsa:To and AppliesTo name the first.

    Without ``public_url`` the path alone must fit.
    """
    one, two = machines.providers
    path = f"/echo/{BALANCED}"
    conversation = Conversation(client_keys(one.keys), one.url(path), BALANCED)
    since = [one.logged(), two.logged()]
    conversation.open()
    named, _ = conversation.context
    for provider in (two, one):
        _move(conversation, provider, path)
        conversation.call("there")
    _move(conversation, two, path)
    conversation.renew()
    assert conversation.context[0] == named
    _move(conversation, one, path)
    conversation.call("renewed")
    held = conversation.session.context
    _move(conversation, two, path)
    conversation.cancel()
    conversation.session.context = held
    for provider in machines.providers:
        _move(conversation, provider, path)
        with pytest.raises(Refused) as refusal:
            conversation.call("gone")
        assert refusal.value.code in BAD_CONTEXT
    assert operations(one, since[0], 4) == [
        (ISSUE, None),
        ("echo", None),
        ("echo", None),
        (None, "CONTEXT_UNKNOWN"),
    ]
    assert operations(two, since[1], 4) == [
        ("echo", None),
        (RENEW, None),
        (CANCEL, None),
        (None, "CONTEXT_UNKNOWN"),
    ]


def test_a_public_address_is_the_one_that_counts(machines: Machines) -> None:
    """With ``public_url``, messages name it to whichever machine, and no machine's own address will do."""
    one, two = machines.providers
    path = f"/public/{BALANCED}"
    keys = client_keys(one.keys)
    conversation = Conversation(keys, f"{PUBLIC}{path}", BALANCED)
    _move(conversation, one, path)
    conversation.open()
    _move(conversation, two, path)
    conversation.call("there")
    conversation.renew()
    _move(conversation, one, path)
    conversation.cancel()
    stranger = Conversation(keys, one.url(path), BALANCED)
    since = one.logged()
    with pytest.raises(Refused) as refusal:
        stranger.open()
    assert refusal.value.code.endswith("}DestinationUnreachable")
    assert operations(one, since, 1) == [(None, "ADDRESSING_TO")]


def _move(conversation: Conversation, provider: ProviderProcess, path: str) -> None:
    conversation.close()
    conversation.url = provider.url(path)


def test_java_clients_behind_a_balancer(
    machines: Machines, balancer: Balancer, cxf: JavaPeer, rampart: JavaPeer, wso2_policies: Path
) -> None:
    """Both machines answer in one conversation, which CXF renews and cancels, and Rampart cancels."""
    one = machines.providers[0]
    url = f"http://localhost:{balancer.port}/wso2/{BALANCED}"
    marks = [provider.logged() for provider in machines.providers]
    first = cxf_call(cxf, one, f"/wso2/{BALANCED}", "balanced", url=url, calls=20)
    assert first["ok"], first
    second = cxf_call(cxf, one, f"/wso2/{BALANCED}", "balanced", url=url, calls=20, renew=True, cancel=True)
    assert second["ok"], second
    assert second["conversation"]["identifier"] == first["conversation"]["identifier"]
    third = rampart_call(
        rampart, one, "15", wso2_policies, "balanced", url=url, calls=20, cancel=True, endSession=True
    )
    assert third["ok"], third
    cxf_call(cxf, one, f"/wso2/{BALANCED}", "balanced", calls=0, endSession=True)
    found = [operations(*pair, 0) for pair in zip(machines.providers, marks, strict=True)]
    assert Counter(found[0] + found[1]) == {
        (ISSUE, None): 2,
        ("echo", None): 60,
        (RENEW, None): 1,
        (CANCEL, None): 2,
    }
    assert min(map(len, found)) > 20, found


# a crowd ------------------------------------------------------------------------------------------


def crowded(keys: Path, bases: list[str], store: str) -> None:
    """Have the crowd at it, and compare what it has counted with what the store has."""
    before = totals(store)
    work = [(keys, bases, CROWD // PROCESSES, CROWD_SECONDS, seed) for seed in range(PROCESSES)]
    begin = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        parts = pool.starmap(crowd.run, work)
    spent = time.monotonic() - begin
    wrong = [sentence for _, sentences in parts for sentence in sentences]
    done = sum((part for part, _ in parts), Counter[str]())
    LOG.info("%.1f s: %s", spent, dict(sorted(done.items())))
    assert wrong == []
    time.sleep(crowd.BRIEF.total_seconds() + 0.1)
    after = totals(store)
    LOG.info("%s", after)
    for one in (before, after):
        assert one.kept == one.live + one.removed + one.expired
    assert after.kept - before.kept == done["opened"]
    assert after.removed - before.removed == done["cancelled"] == done["refused after cancelling"]
    assert after.expired - before.expired == done["left to expire"]
    assert after.replaced - before.replaced == done["renewed"] + done["first uses"]
    for what in ("called", "renewed", "raced to renew", "raced to cancel", "left to expire", "cancelled"):
        assert done[what] > 0, what


def test_a_crowd_with_sqlite(tmp_path: Path) -> None:
    """Fifty clients, and two workers that share a file."""
    copy_services(tmp_path / "services", echo="[conversation]\nper_owner = 100000\n")
    with ProviderProcess(tmp_path) as provider:
        crowded(provider.keys, [provider.http], provider.store)


def test_a_crowd_with_redis(machines: Machines) -> None:
    """Fifty clients, and two machines that share a Redis; each message goes to either."""
    one, two = machines.providers
    crowded(one.keys, [one.http, two.http], machines.store)


# expiry, at last ----------------------------------------------------------------------------------


def test_what_clients_do_when_time_is_over(
    brief: ProviderProcess, begun: Begun, cxf: JavaPeer, rampart: JavaPeer, wso2_policies: Path
) -> None:
    """CXF renews what has an owner, and opens another for nobody; Rampart always opens another.

    So it does where the service had ended the context before; until then it is refused.
    """
    time.sleep(max(0.0, begun.until + 1 - time.monotonic()))
    for number, steps in {
        "9": [(RENEW, None)],
        "12": [(None, "CONTEXT_IDENTITY"), (ISSUE, None)],
        "15": [(RENEW, None)],
    }.items():
        since = brief.logged()
        answer = cxf_call(cxf, brief, f"/wso2/{CONVERSATIONS[number]}", f"brief {number}", endSession=True)
        assert answer["ok"], answer
        assert operations(brief, since, len(steps) + 1) == [*steps, ("echo", None)]
        kept = answer["conversation"]["identifier"] == begun.identifiers[number]
        assert kept == (number != "12")
    for number in ("11", "12"):
        since = brief.logged()
        answer = rampart_call(rampart, brief, number, wso2_policies, f"brief {number}", endSession=True)
        assert answer["ok"], answer
        assert operations(brief, since, 2) == [(ISSUE, None), ("echo", None)]
