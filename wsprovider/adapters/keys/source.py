"""The current snapshot of a keys folder, followed as the folder changes; safe between threads.

Call it once per message and keep what it returns: a swap never changes a snapshot in use. Looking at
the files costs a few ``stat`` calls, at most every ``interval`` seconds and by one thread at a time. A
folder that does not load leaves the old snapshot in force and is reported once for each state of it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wsprovider.adapters.keys.folder import Loaded, load
from wsprovider.adapters.keys.reading import Reader
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.ports import Clock
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits


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
        self._what = (ring, tuple(trust))
        self._limits = limits
        self._sealing = sealing
        self._clock = clock
        self._monotonic = monotonic
        self._interval = interval
        self._on_swap = on_swap
        self._on_failure = on_failure
        self._keys_folder = keys_folder
        self._environ = environ
        self._busy = threading.Lock()
        self._reader = Reader(keys_folder, environ)
        self._loaded = self._load(self._reader)
        self._next = monotonic() + interval

    def __call__(self) -> RingSnapshot:
        """The snapshot in force."""
        return self.loaded().snapshot

    def loaded(self) -> Loaded:
        """The load in force: snapshot, seal keys, warnings."""
        # others go on with what there is while one thread looks
        if self._monotonic() >= self._next and self._busy.acquire(blocking=False):
            try:
                self._look()
                self._next = self._monotonic() + self._interval
            finally:
                self._busy.release()
        return self._loaded

    def _look(self) -> None:
        if not self._reader.changed():
            return
        reader = Reader(self._keys_folder, self._environ)
        try:
            loaded = self._load(reader)
        except ConfigurationError as error:
            # its stamps replace the old ones: one report, then silence until something changes again
            self._reader = reader
            self._on_failure(error)
        else:
            self._reader = reader
            self._loaded = loaded
            self._on_swap(loaded)

    def _load(self, reader: Reader) -> Loaded:
        ring, trust = self._what
        return load(reader, ring, trust, limits=self._limits, now=self._clock(), sealing=self._sealing)
