"""What the stores agree on: how keys and moments are kept, and how long past their time.

Moments are whole milliseconds. An expiry is rounded up and the present down, so that no entry ends
before its time: it is alive as long as ``now < expires`` and free again at ``now == expires``.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

MAX_ENTRIES: Final = 1_000_000
"""Entries that a store holds unless told otherwise: about 100 MB in SQLite."""

GRACE_MILLISECONDS: Final = 3_600_000
"""Expired entries are kept this long unless their place is needed.

A clock that jumped ahead and is set right again makes old messages fresh again. As long as their
entries are still there, they are alive again too.
"""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def fingerprint(key: str) -> bytes:
    """The 32 bytes that stand for a key of any length."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def present(now: datetime) -> int:
    """The present in milliseconds since 1970, rounded down.

    Raises:
        TypeError: the moment has no time zone.
    """
    return (now - _EPOCH) // _MILLISECOND


def window(expires: datetime, now: datetime) -> tuple[int, int]:
    """An entry's end, rounded up, and the present.

    Raises:
        RuntimeError: the entry would be over before it began: whoever asked has not looked at the
            freshness of the message.
        TypeError: a moment has no time zone.
    """
    end, begin = -((_EPOCH - expires) // _MILLISECOND), present(now)
    if expires <= now:
        raise RuntimeError("an entry must expire later than now")
    return end, begin
