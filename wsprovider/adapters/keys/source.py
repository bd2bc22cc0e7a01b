"""The current snapshot of a keys folder, followed as the folder changes; safe between threads and across forks.

Call it once per message and keep what it returns: a swap never changes a snapshot in use. Looking at
the files costs a few ``stat`` calls. How they are followed is told in
:mod:`wsprovider.adapters.shared.following`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from wsprovider.adapters.keys.folder import Loaded, load
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.shared.following import Followed
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.ports import Clock
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits

Demand = Callable[[RingSnapshot, datetime], Iterable[str]]


class SnapshotSource:
    """Calling it gives the snapshot in force."""

    def __init__(
        self,
        keys_folder: Path,
        ring: str | None,
        trust: Sequence[str],
        *,
        limits: Limits,
        environ: Mapping[str, str],
        clock: Clock,
        monotonic: Callable[[], float],
        sealing: bool = False,
        interval: float = 5.0,
        on_swap: Callable[[Loaded], None] = lambda _: None,
        on_failure: Callable[[ConfigurationError], None] = lambda _: None,
    ) -> None:
        """Load for the first time; what to load is told as to ``folder.load_snapshot``.

        Args:
            keys_folder: the folder that holds rings and ``trust``.
            ring: the ring's folder in it, or None.
            trust: names of trust groups.
            limits: bounds for RSA keys and paths.
            environ: where passphrases are looked up.
            clock: the moment for which a load must hold.
            monotonic: seconds that never run backwards (``time.monotonic``).
            sealing: as in ``folder.load``; a changed folder without a seal key is not taken over.
            interval: seconds between two looks at the files.
            on_swap: told of each new load (its warnings want logging).
            on_failure: told when a changed folder does not load.

        Raises:
            ConfigurationError: the first load failed; there is nothing to fall back to.
        """
        self._demands: list[Demand] = []
        self._where = f"{keys_folder.name}/{ring or 'trust'}"
        folder = _Folder(
            lambda: Reader(keys_folder, environ),
            lambda reader: self._meeting(
                load(reader, ring, trust, limits=limits, now=clock(), sealing=sealing), clock()
            ),
        )
        self._followed = Followed(
            folder, monotonic=monotonic, interval=interval, on_swap=on_swap, on_failure=on_failure
        )

    def demand(self, what: Demand) -> None:
        """Take over no changed folder whose snapshot does not meet this.

        Args:
            what: says, in sentences, what a snapshot lacks at a moment; the one in force was asked already.
        """
        self._demands.append(what)

    def _meeting(self, loaded: Loaded, now: datetime) -> Loaded:
        lacks = dict.fromkeys(lack for what in self._demands for lack in what(loaded.snapshot, now))
        if lacks:
            raise ConfigurationError([Problem(self._where, lack) for lack in lacks])
        return loaded

    def __call__(self) -> RingSnapshot:
        """The snapshot in force."""
        return self._followed.current().snapshot

    def loaded(self) -> Loaded:
        """The load in force: snapshot, seal keys, warnings."""
        return self._followed.current()

    @property
    def failed(self) -> bool:
        """Whether the folder as it is now cannot be used, and an older load is in force."""
        return self._followed.failed


class _Folder:
    """What a load looked at, and the next load."""

    def __init__(self, reader: Callable[[], Reader], load: Callable[[Reader], Loaded]) -> None:
        self._new_reader, self._load = reader, load
        self._reader = reader()

    def changed(self) -> bool:
        return self._reader.changed()

    def read(self) -> Loaded:
        self._reader = self._new_reader()  # its stamps are what counts from now on, of a load that fails, too
        return self._load(self._reader)
