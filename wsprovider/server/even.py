"""When a refusal leaves that came of something decrypted: at a moment that only the message's length decides.

With a CBC suite, somebody who withholds a fresh message can send it with other cipher text, and its signature holds until
the digest of the Body is compared. Whether the padding held, whether what came out is XML, how far a parser came: each costs
another time, and all get one fault. So that fault waits for a moment that none of them reaches by itself
(docs/oracles.md; attacks.md P01: the time class, too).
"""

import math
import time
from collections.abc import Callable
from typing import Final

WINDOW: Final = 0.025
"""Seconds: several times what a small message costs."""
PER_BYTE: Final = 2e-7
"""Seconds: several times what parsing and digesting a byte of a large one cost."""


def pause(
    started: float,
    received: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the moment for a message of this length; where that is over, for the next such.

    Args:
        started: when the message came, in the clock's seconds.
        received: its length in bytes.
    """
    span = WINDOW + PER_BYTE * received
    took = clock() - started
    wait(max(0.0, math.ceil(took / span) * span - took))
