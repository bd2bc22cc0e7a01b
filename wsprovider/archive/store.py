"""Where a chain is kept: the port that a folder and a SQL database implement, and opening either by its name.

A store holds one chain: segments (one a day), each a run of records. One contract suite holds for both.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from wsprovider.archive.record import Link, Record

Make = Callable[[Link], Sequence[Record]]
"""Makes the records that follow a link; called while nobody else can append."""


class Store(Protocol):
    """One chain; shared by all threads, and by all processes that name the same place.

    Attributes:
        keeps_end: ``end`` tells for certain up to where records were promised to be there.
    """

    keeps_end: bool

    def append(self, segment: str, make: Make) -> None:
        """Add records; on return they outlive a crash of everything.

        Args:
            segment: the present day's; a later one than that is gone on with where a clock went back.
            make: raises what this raises then, with nothing added.

        Raises:
            BackendError: they could not be kept; whether they will be found later is not known.
        """
        ...

    def segments(self) -> tuple[str, ...]:
        """The segments there are, oldest first.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def records(self, segment: str) -> Iterator[Record]:
        """The records of a segment in order.

        Raises:
            BrokenRecordError: something else comes next, and nothing behind it can be told.
            BackendError: the store did not answer.
        """
        ...

    def end(self) -> int | None:
        """The number of the last record, as the store itself has noted it; None where it has not.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def remove(self, segment: str) -> None:
        """Take a segment away, for good.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def change_keys(self, change: Callable[[bytes | None], bytes | None]) -> None:
        """Put another value in the place of the sealed keys, while nobody else can.

        Args:
            change: given what is there, says what is to be there; None: it stays as it is.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def keys(self) -> bytes | None:
        """The sealed keys; None where none were made.

        Raises:
            BackendError: the store did not answer.
        """
        ...

    def check(self, *, failed: bool) -> None:
        """See whether records could be kept now.

        Args:
            failed: the last one could not: look closely.

        Raises:
            BackendError: they could not.
        """
        ...

    def close(self) -> None:
        """Release connections; what comes after makes them anew."""
        ...


def is_url(location: str) -> bool:
    """Whether a database is meant, and not a folder."""
    return "://" in location


def open_store(location: str, chain: str, *, make: bool = True) -> Store:
    """Open a chain.

    Args:
        location: a folder, or the URL of a SQL database.
        chain: the service's name.
        make: make what is not there.

    Raises:
        ConfigurationError: the location cannot be used: an extra is not installed, the URL is none.
        BackendError: it does not answer, or there is none and none is to be made.
    """
    if is_url(location):
        from wsprovider.archive.sql import SqlStore  # noqa: PLC0415 - its library is an extra

        return SqlStore(location, chain, make=make)
    from wsprovider.archive.folder import FolderStore  # noqa: PLC0415 - as above

    return FolderStore(Path(location), chain, make=make)
