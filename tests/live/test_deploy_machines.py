"""Two machines behind HAProxy with one Redis, as ``docs/deploy.md`` has them."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.live.conversing import Conversation, client_keys
from tests.live.deployed import (
    BLOCKS,
    Place,
    Unit,
    haproxy,
    listening,
    require,
)
from tests.live.provider import free_port
from tests.live.redis_server import RedisServer, require_redis
from tests.live.replays import SENDERS, capture, send, send_once

pytestmark = [pytest.mark.live, pytest.mark.slow]


def test_two_machines(tmp_path: Path) -> None:
    """A copy is refused by the other machine, a conversation goes on there, and one may be killed under load."""
    require("haproxy")
    require_redis()
    place = Place(tmp_path)
    settings = dict(line.split(" ", 1) for line in BLOCKS["redis.conf"].splitlines())
    own = {name: value.strip('"') for name, value in settings.items() if name not in ("bind", "port")}
    ports = [free_port(), free_port()]
    fronts = free_port()
    with RedisServer(dir=str(tmp_path), **own) as server:
        told = {
            "redis://10.0.0.5:6379/0": server.url,
            '"10.0.0.1"': '"127.0.0.1"',
            "https://services.example.org": f"https://127.0.0.1:{fronts}",
        }
        place.furnish(place.text("machines.toml", **told), ["2", "3", "15"])
        listeners = [listening(port) for port in ports]
        more = {
            "10.0.0.11:8080": f"127.0.0.1:{ports[0]}",
            "10.0.0.12:8080": f"127.0.0.1:{ports[1]}",
            "bind :443 ssl": f"bind 127.0.0.1:{fronts}\n    bind :443 ssl",
        }
        with Unit(place, listeners[:1], "one") as one, Unit(place, listeners[1:], "two") as two:
            for listener in listeners:
                listener.close()  # the machine's alone now: when it dies, nobody listens there
            _two_machines(place, (one, two), ports, fronts, more)


def _two_machines(
    place: Place, units: tuple[Unit, Unit], ports: list[int], front: int, more: dict[str, str]
) -> None:
    keys = client_keys(place.site / "keys")
    url = f"http://127.0.0.1:{front}"
    site = SimpleNamespace(
        folder=place.site, machines=[SimpleNamespace(url=lambda path: f"http://127.0.0.1:{ports[0]}{path}")]
    )
    first = capture(site, ["2", "3"], 5)
    assert len(send_once(ports[:1], first).accepted) == len(first)
    again = send_once(ports[1:], first)
    assert not again.accepted
    assert again.faults.total() == len(first)
    with haproxy(place, **more):
        talk = Conversation(keys, f"{url}/counted/15", "conversation-sign-encrypt-username", patience=5)
        talk.open()
        for number in range(6):
            talk.call(f"talk-{number}")
        _tell(place, "set server machines/one state drain")
        since = units[0].log.stat().st_size
        for number in range(4):
            talk.call(f"drained-{number}")
        assert not units[0].requests(since)
        _tell(place, "set server machines/one state ready")
        context = talk.context[0]
        assert all(
            len([line for line in unit.requests(0, 1) if line.get("context") == context]) >= 3
            for unit in units
        )
        messages = capture(site, ["2", "3"], 30, "load")
        busy = len(units[1].requests()) + 150

        def kill() -> None:
            while len(units[1].requests()) < busy:
                time.sleep(0.05)
            units[1].kill()

        dead = threading.Thread(target=kill)
        dead.start()
        tally = send([front], messages, SENDERS + 8, seed=random.randrange(1 << 20))
        dead.join()
        for number in range(6):
            talk.call(f"alone-{number}")
        talk.close()
        late = send_once([front], messages)
    executed = Counter(text for text in place.executions() if text.startswith("load-"))
    assert set(executed.values()) == {1}
    accepted = tally.accepted + late.accepted
    assert set(accepted.values()) == {1}
    assert set(accepted) <= set(executed)
    unanswered = tally.cut.total() + sum(n for fault, n in tally.faults.items() if b"502 Bad" in fault)
    assert len(executed) - len(accepted) <= unanswered <= 2 * SENDERS
    others = [fault for fault in tally.faults if b"502 Bad" not in fault]
    assert [b"security of the message was not accepted" in fault for fault in others] == [True]
    assert len(units[0].requests()) > len(units[1].requests()) + SENDERS, "it died after the load"


def _tell(place: Place, command: str) -> None:
    """Say something to HAProxy's admin socket."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(place.run / "admin.sock"))
        admin.sendall(f"{command}\n".encode())
        assert admin.recv(4096).strip() == b""
