"""The key of an archive: random, made once, and sealed under the ring's seal key of the day.

Seal keys go after months and records stay for years, so the archive's key is sealed anew whenever another seal key
has taken over; what no seal key of the ring opens any more is dropped. A stolen archive without the ring holds nothing
but cipher text. Where the ring's last seal key that opens the archive's key has gone, nobody reads the archive again: the
chain can be verified all the same.
"""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from wsprovider.archive.record import KEY_BYTES
from wsprovider.archive.store import Store
from wsprovider.conversation.sealing import open_octets, seal_octets
from wsprovider.keyring.ring import SealKeys
from wsprovider.ports import Clock, Entropy, Record
from wsprovider.words.errors import BackendError

_PURPOSE: Final = b"wsprovider archive key\x00"


class ArchiveKey:
    """The key of one chain, and its seals; shared by all threads."""

    def __init__(
        self, store: Store, chain: str, seals: Callable[[], SealKeys], *, clock: Clock, entropy: Entropy
    ) -> None:
        """Take note; nothing is read yet.

        Args:
            seals: the seal keys of the ring as it is now.
        """
        self._store, self._chain, self._seals = store, chain, seals
        self._clock, self._entropy = clock, entropy
        self._secret: bytes | None = None
        self._sealed_by: frozenset[str] = frozenset()

    def secret(self, *, make: bool = True) -> bytes:
        """The key; sealed anew first where another seal key has taken over.

        Args:
            make: make one where there is none.

        Raises:
            BackendError: no seal key of the ring opens it, or the store did not answer.
        """
        seals, now = self._seals(), self._clock()
        sealing = seals.sealing(now)
        if self._secret is not None and (sealing is None or sealing.name in self._sealed_by):
            return self._secret
        kept = self._store.keys()
        if kept is not None:
            self._secret = self._kept(kept, seals, now)
            self._sealed_by = frozenset(_read(kept))
            if sealing is None or sealing.name in self._sealed_by:
                return self._secret
        self._store.change_keys(lambda kept: self._changed(kept, seals, now, make=make))
        if self._secret is None:
            raise RuntimeError("neither made nor opened")
        return self._secret

    def _changed(self, kept: bytes | None, seals: SealKeys, now: datetime, *, make: bool) -> bytes | None:
        """What is to be kept; sealed by what seals now, and by whatever else still opens."""
        sealing = seals.sealing(now)
        if kept is None and (not make or sealing is None):
            raise BackendError(f"the archive of {self._chain} has no key yet")
        self._secret = self._entropy(KEY_BYTES) if kept is None else self._kept(kept, seals, now)
        held = {} if kept is None else _read(kept)
        self._sealed_by = frozenset(held)
        if sealing is None or sealing.name in held:
            return None
        still = {name: value for name, value in held.items() if seals.opening(name, now) is not None}
        value = seal_octets(_PURPOSE, self._chain, self._secret, seals, now, self._entropy)
        still[sealing.name] = base64.b64encode(value).decode("ascii")
        self._sealed_by = frozenset(still)
        return json.dumps(still, sort_keys=True).encode()

    def _kept(self, kept: bytes | None, seals: SealKeys, now: datetime) -> bytes:
        held = {} if kept is None else _read(kept)
        for value in held.values():
            record = Record(self._chain, base64.b64decode(value), 1, now)
            found = open_octets(_PURPOSE, record, seals, now)
            if found is not None:
                return found
        names = ", ".join(sorted(held)) or "nothing"
        raise BackendError(
            f"the archive of {self._chain} was sealed under {names}, and the ring has no such [[seal]] key that still "
            "opens: put it back into the ring, or name another place for the archive"
        )


def _read(kept: bytes) -> dict[str, str]:
    try:
        held = json.loads(kept)
        return {str(name): str(value) for name, value in held.items()}
    except (ValueError, AttributeError):
        raise BackendError("the sealed keys of the archive are damaged: put a copy in their place") from None
