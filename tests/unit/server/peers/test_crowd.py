"""Connections by whose they are, and what is held for them."""

import socket

import pytest

from wsprovider.server.peers.connection import Connection
from wsprovider.server.peers.crowd import Crowd


@pytest.fixture
def made():
    pairs = []

    def make(address: str) -> Connection:
        pairs.append(socket.socketpair())
        return Connection(pairs[-1][0], (address, 1), ("127.0.0.1", 2), 0.0)

    yield make
    for pair in pairs:
        for one in pair:
            one.close()


def test_who_comes_and_goes_is_counted(made):
    crowd = Crowd()
    few, many = made("192.0.2.1"), [made("192.0.2.2") for _ in range(3)]
    for one in (few, *many):
        crowd.add(one)
    assert len(crowd) == 4
    assert [len(some) for some in crowd.largest()] == [3, 1]
    for one in many:
        crowd.remove(one)
    assert list(crowd) == [few]
    assert len(crowd.of("192.0.2.1")) == 1
    assert len(crowd.of("192.0.2.2")) == 0


def test_the_heaviest_come_first_and_who_holds_nothing_not_at_all(made):
    crowd = Crowd()
    light, heavy, idle = made("192.0.2.1"), made("192.0.2.2"), made("192.0.2.2")
    light.incoming += b"x" * 10
    heavy.sendall(b"y" * 100)
    for one in (light, heavy, idle):
        crowd.add(one)
        crowd.weigh(one)
    assert crowd.held == 110
    assert crowd.heaviest() == [[heavy], [light]]
    light.incoming.clear()
    crowd.weigh(light)
    assert crowd.held == 100
    crowd.remove(heavy)
    assert crowd.held == 0
