"""All connections of a worker, by whose they are, and how much is held for them."""

from collections.abc import Collection, Iterator

from wsprovider.server.peers.connection import Connection


class Crowd:
    """A set of connections; used by the loop only.

    Attributes:
        held: bytes that are held for all of them, as last weighed.
    """

    def __init__(self) -> None:
        """Nobody is here."""
        self.held = 0
        self._all: dict[Connection, None] = {}
        self._by_source: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all)

    def add(self, connection: Connection) -> None:
        """Count one in."""
        self._all[connection] = None
        self._by_source.setdefault(connection.source, {})[connection] = None

    def remove(self, connection: Connection) -> None:
        """Count one out."""
        self.held -= connection.held
        connection.held = 0
        del self._all[connection]
        same = self._by_source[connection.source]
        del same[connection]
        if not same:
            del self._by_source[connection.source]

    def weigh(self, connection: Connection) -> None:
        """See again how much is held for one."""
        weight = connection.weight
        self.held += weight - connection.held
        connection.held = weight

    def of(self, source: str) -> Collection[Connection]:
        """Those of one source."""
        return self._by_source.get(source, {})

    def largest(self) -> list[Collection[Connection]]:
        """Those of each source, the most first."""
        return sorted(self._by_source.values(), key=len, reverse=True)

    def heaviest(self) -> list[list[Connection]]:
        """Those of each source for which anything is held, the heaviest source first."""
        some = [[one for one in same if one.held] for same in self._by_source.values()]
        return sorted(some, key=lambda same: sum(one.held for one in same), reverse=True)
