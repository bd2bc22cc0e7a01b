"""Messages of a world, explained as its endpoint would have it; nothing of the world is changed."""

import os
from datetime import datetime
from typing import Any

from tests.simulator.world import World
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.exchange.recipient import Recipient
from wsprovider.exchange.transport import Transport
from wsprovider.explain.explaining import Explained, Received
from wsprovider.explain.overlay import Overlay
from wsprovider.explain.request import explain_request


def recipient_of(world: World, now: datetime | None = None) -> Recipient:
    """The world's recipient over stores of its own."""
    moment = now or world.now
    return Recipient(
        world.policy,
        world.settings,
        keys=lambda: world.service.snapshot,
        users=world.users,
        replay=MemoryStore(),
        clock=lambda: moment,
        entropy=os.urandom,
        contexts=world.make_contexts(Overlay(world.store)),
        tickets=world.realm,
        established=None,
        second_opinion=world.opinion,
        partners=lambda: world.partners,
    )


def explained(
    world: World,
    message: bytes,
    *,
    transport: Transport | None = None,
    now: datetime | None = None,
    show: bool = False,
    **received: Any,
) -> Explained:
    """Explain a request."""
    return explain_request(
        recipient_of(world, now),
        Received(message, world.soap, **received),
        keys=world.service.snapshot,
        transport=transport or world.transport,
        now=now or world.now,
        show=show,
    )
