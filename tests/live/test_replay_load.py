"""Captured messages sent thousands of times over four workers: each is accepted once, whatever dies meanwhile."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.live.java_peer import JavaPeer
from tests.live.redis_server import RedisServer, require_redis
from tests.live.replays import KINDS, SENDERS, Captured, Recorder, Site, Tally, capture, send, send_once
from tests.live.test_cxf import SHA2

pytestmark = [pytest.mark.live, pytest.mark.slow]

UNIFORM = b"The security of the message was not accepted."
OURS = b"The service could not handle the message."


def once_each(site: Site, messages: list[Captured], tally: Tally) -> None:
    """The senders, the service and the log say the same."""
    names = [message.name for message in messages]
    executed, processes = site.executions()
    assert not tally.cut
    assert tally.accepted == dict.fromkeys(names, 1)
    assert [executed[name] for name in names] == [1] * len(names)
    (fault,) = tally.faults
    assert UNIFORM in fault
    assert tally.faults[fault] == tally.sends - len(names)
    reasons = site.reasons()
    # copies that are there before any was accepted ask for the password as well, and its queue is short
    busy = reasons.pop("AUTHENTICATION_BUSY", 0)
    assert reasons == {None: len(names), "REPLAY": tally.sends - len(names) - busy}
    assert len(processes) >= 2, "the workers did not compete"


def by_cxf(cxf: JavaPeer, site: Site) -> list[Captured]:
    """Messages of Apache CXF, which take the service's own WSDL for their policy."""
    machine = site.machines[0]
    names = [f"cxf-{kind}-{number}" for kind in ("2", "3", "5", "8") for number in range(3)]
    with Recorder() as recorder:
        for name in names:
            path = f"/counted/{name.split('-')[1]}"
            cxf.call(
                cmd="cxf-call",
                wsdl=machine.url(f"{path}?wsdl"),
                url=f"{recorder.url}{path}",
                **{**machine.client(), "text": name, "properties": SHA2},
            )
        return recorder.captured(names)


def test_ten_thousand_sends_with_sqlite(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        messages = capture(site, KINDS, 20)
        site.mark()
        tally = send(site.ports, messages, 50)
        assert tally.sends == 10_000
        once_each(site, messages, tally)


def test_ten_thousand_sends_to_two_machines_with_redis(tmp_path: Path) -> None:
    require_redis()
    with RedisServer() as server, Site(tmp_path, server.url, machines=2) as site:
        messages = capture(site, KINDS, 20)
        site.mark()
        tally = send(site.ports, messages, 50)
        assert tally.sends == 10_000
        once_each(site, messages, tally)


def test_messages_of_cxf(cxf: JavaPeer, tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        messages = by_cxf(cxf, site)
        site.mark()
        once_each(site, messages, send(site.ports, messages, 2 * SENDERS))


# what dies meanwhile -------------------------------------------------------------------------------


@contextmanager
def meanwhile(every: float, step: Callable[[], None]) -> Iterator[list[None]]:
    """Take a step again and again while the block runs; the list grows by one with each."""
    over, taken = threading.Event(), list[None]()

    def run() -> None:
        while not over.wait(every):
            step()
            taken.append(None)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def kill_a_worker(site: Site, chance: random.Random) -> None:
    """It has no time to finish anything."""
    workers = site.workers()
    if workers:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(workers), signal.SIGKILL)


def once_at_most(site: Site, messages: list[Captured], tally: Tally, deaths: int) -> None:
    """Whoever died, no message was carried out twice; the store goes on, and remembers."""
    names = {message.name for message in messages}
    again = send_once(site.ports, messages) + send_once(site.ports, messages)
    accepted = tally.accepted + again.accepted
    assert set(accepted.values()) == {1}
    fresh = capture(site, KINDS, 1, "fresh")
    late = send_once(site.ports, fresh) + send_once(site.ports, fresh)
    assert late.accepted == dict.fromkeys((message.name for message in fresh), 1)
    executed, _ = site.executions()
    assert set(executed.values()) == {1}
    assert set(accepted) <= set(executed)
    # a death takes what its worker was at, in four threads; senders saw those connections end
    assert len(names - set(executed)) <= deaths * SENDERS
    assert deaths >= 3
    assert tally.cut
    assert len(executed) > len(names) * 0.7


def test_workers_killed_every_second_with_sqlite(tmp_path: Path) -> None:
    chance = random.Random(7)
    with Site(tmp_path) as site:
        messages = capture(site, KINDS, 30)
        site.mark()
        with meanwhile(1.0, lambda: kill_a_worker(site, chance)) as deaths:
            tally = send(site.ports, messages, SENDERS + 4)
        once_at_most(site, messages, tally, len(deaths))
        assert set(site.reasons()) - {"AUTHENTICATION_BUSY"} == {None, "REPLAY"}, "a lock was left behind"
        executed, _ = site.executions()
    with site:  # the same ports and files, other processes
        late = send_once(site.ports, messages)
        assert not set(late.accepted) & set(executed)
        fresh = capture(site, KINDS, 1, "restarted")
        assert set(send_once(site.ports, fresh).accepted) == {message.name for message in fresh}


def test_workers_connections_and_redis_killed_every_second(tmp_path: Path) -> None:
    """Redis with a file that it appends to: a server that is killed has written what it said."""
    require_redis()
    import redis

    chance = random.Random(8)
    with RedisServer(appendonly="yes", dir=str(tmp_path)) as server, Site(tmp_path, server.url) as site:

        def cut() -> None:
            with redis.Redis.from_url(server.url) as client:
                client.client_kill_filter(_type="normal", skipme=True)

        def restart() -> None:
            server.stop()
            server.start()

        steps = [restart, cut, lambda: kill_a_worker(site, chance)]

        def step() -> None:
            steps.append(steps.pop(0))
            steps[-1]()

        messages = capture(site, KINDS, 30)
        site.mark()
        with meanwhile(0.7, step) as taken:
            tally = send(site.ports, messages, SENDERS + 4)
        once_at_most(site, messages, tally, len(taken))
        assert {UNIFORM in fault or OURS in fault for fault in tally.faults} == {True}
        assert {None, "REPLAY"} < set(site.reasons()) <= {None, "REPLAY", "REPLAY_STORE", "BACKEND"}


# a store that is full ------------------------------------------------------------------------------


def test_of_more_than_the_store_holds_as_many_are_accepted_as_it_holds(tmp_path: Path) -> None:
    with Site(tmp_path, process="replay_entries = 100") as site:
        messages = capture(site, ("2", "3", "5"), 50)
        site.mark()
        tally = send(site.ports, messages, SENDERS)
        executed, _ = site.executions()
        assert len(tally.accepted) == len(executed) == 100
        assert set(tally.accepted.values()) == set(executed.values()) == {1}
        reasons = site.reasons()
        assert reasons[None] == 100
        assert reasons["REPLAY"] >= 100 * (SENDERS - 1)
        assert reasons["REPLAY"] + reasons["REPLAY_FULL"] == tally.sends - 100
        assert sum(count for fault, count in tally.faults.items() if OURS in fault) == reasons["REPLAY_FULL"]
