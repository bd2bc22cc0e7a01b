"""Where a renewal stands: the steps of both parties, told from rings, trust, and what was seen on the wire.

Four cases, in either role: the partner renews the key it signs with (we VERIFY) or decrypts with (we ENCRYPT to it);
we renew the key that we SIGN or DECRYPT with. Nothing is stored of a renewal: each step shows in the dates of keys,
in which certificates are pinned, and in which of them messages have used last. Pure: the same facts give the same
answer.
"""

from wsprovider.exchange.renewal.ours import of_our_key
from wsprovider.exchange.renewal.steps import Doer, Progress, Renewal, Step
from wsprovider.exchange.renewal.theirs import of_their_key
from wsprovider.exchange.renewal.wire import QUIET, in_use, lately, named

__all__ = [
    "QUIET",
    "Doer",
    "Progress",
    "Renewal",
    "Step",
    "in_use",
    "lately",
    "named",
    "of_our_key",
    "of_their_key",
]
