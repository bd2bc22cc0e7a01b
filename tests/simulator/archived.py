"""A world's messages in an archive: kept as the server keeps them, and read as the commands read them."""

import os
from pathlib import Path
from typing import Any

from tests.simulator.world import World, reply_body
from wsprovider.archive.keys import ArchiveKey
from wsprovider.archive.messages import Keeper, Received
from wsprovider.archive.reading import Found, Reader
from wsprovider.archive.record import Kind
from wsprovider.archive.store import Store, open_store
from wsprovider.archive.verifying import Verification, Verified
from wsprovider.archive.writing import Archive, Kept
from wsprovider.exchange.recipient import VerifiedRequest, WireMessage
from wsprovider.keyring.ring import SealKey, SealKeys

CHAIN = "echo"


class Archived:
    """The archive of one service; ``World`` moves its clock."""

    def __init__(self, location: str | Path, world: World, *, days: int | None = None) -> None:
        self.location, self.world, self.days = str(location), world, days
        self.seals = SealKeys((SealKey("first", bytes(range(32))),))
        self.failures: list[Exception] = []
        self.stores: list[Store] = []
        self.archive = self.opened()

    def opened(self) -> Archive:
        """Another worker's."""
        self.store = self.open()
        archive = Archive(
            self.store,
            CHAIN,
            self.key(self.store),
            clock=lambda: self.world.now,
            entropy=os.urandom,
            days=self.days,
            on_failure=self.failures.append,
        )
        archive.begin()
        return archive

    def open(self, *, make: bool = True) -> Store:
        """The store once more."""
        self.stores.append(open_store(self.location, CHAIN, make=make))
        return self.stores[-1]

    def close(self) -> None:
        """Release everything that was opened."""
        for store in self.stores:
            store.close()

    def key(self, store: Store) -> ArchiveKey:
        """The archive's key, as whoever has the ring now finds it."""
        return ArchiveKey(store, CHAIN, lambda: self.seals, clock=lambda: self.world.now, entropy=os.urandom)

    def plain(self, text: bytes = b"a message") -> int:
        """Keep something that is no message."""
        return self.archive.keep(Kept(Kind.REQUEST, {}, {"wire": text}, {"0" * 64: b"material"}))

    def exchange(self, text: str = "hello", **request: Any) -> tuple[int, int]:
        """A request and its reply, kept; their numbers."""
        world = self.world
        pending = world.request(text, **request)
        asked, verified = self.asked(pending.data)
        wire = world.recipient.reply(verified, reply_body(world.soap, text))
        answered = self.answered(wire, asked)
        world.initiator.accept(pending, wire.data, secure=world.transport.secure)
        return asked, answered

    def asked(self, message: bytes) -> tuple[int, VerifiedRequest]:
        """A request, accepted and kept."""
        verified = self.world.accept(message)
        received = Received(message, None, None, self.world.transport)
        return self.archive.keep(self.keeper.request(verified, received)), verified

    def answered(self, wire: WireMessage, asked: int, context: str | None = None) -> int:
        """A reply, kept."""
        return self.archive.keep(self.keeper.reply(wire, asked, context))

    @property
    def keeper(self) -> Keeper:
        """Of the world's service as it is now."""
        return Keeper(self.world.recipient, scenario=None)

    def read(self, number: int) -> Found:
        """A message, by whoever has the archive and the ring."""
        store = self.open(make=False)
        found = Reader(store, self.key(store).secret(make=False)).numbered(number)
        assert found is not None
        return found

    def verify(self, *, keyless: bool = False, **more: Any) -> Verified:
        """A look at the whole chain."""
        store = self.open(make=False)
        key = None if keyless else self.key(store).secret(make=False)
        return Verification(store, CHAIN, key=key, **more).run()
