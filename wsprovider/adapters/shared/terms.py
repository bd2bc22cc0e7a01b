"""What the stores agree on: how keys and moments are kept, and how long past their time.

The moments of entries are whole milliseconds. An expiry is rounded up and the present down, so that no
entry ends before its time: it is alive as long as ``now < expires`` and free again at ``now == expires``.
The moments of records are whole microseconds, as exact as a ``datetime``: an expiry is given back as it came.
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

MAX_KEY_LENGTH: Final = 256
"""Characters of a record's key. An entry's key is hashed and may have any length."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MICROSECOND: Final = timedelta(microseconds=1)


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


def exact(moment: datetime) -> int:
    """A moment in microseconds since 1970.

    Raises:
        TypeError: the moment has no time zone.
    """
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The moment that :func:`exact` was given, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def fits(key: str) -> bool:
    """Whether a record can have that key: not empty, short enough, and text that UTF-8 can say."""
    if not 0 < len(key) <= MAX_KEY_LENGTH:
        return False
    return key.isascii() or not any("\ud800" <= character <= "\udfff" for character in key)
