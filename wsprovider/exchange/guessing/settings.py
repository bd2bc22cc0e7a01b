"""How delays grow after wrong passwords, and how long what is remembered."""

from dataclasses import dataclass
from datetime import timedelta

_SECOND = timedelta(seconds=1)
_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Scale:
    """How a delay grows.

    Attributes:
        free: failures that cost nothing.
        longest: where doubling ends.
    """

    free: int
    longest: timedelta

    def delay(self, failures: int) -> timedelta:
        """How long to wait after so many: a second after the first that is not free, then two, four, ..."""
        over = failures - self.free
        return min(_SECOND * (1 << min(over - 1, _DOUBLINGS)), self.longest) if over > 0 else timedelta()


@dataclass(frozen=True, slots=True)
class GuessingSettings:
    """How guessing is slowed down.

    Attributes:
        enabled: whether it is.
        caller, address, user: how the delays of the three counts grow.
        forget: how long after the last failure a count begins anew.
        known_for: how long a caller stays known after the last success.
        known: callers that may be known.
        shared_addresses: networks of gateways and proxies behind which many callers have one address: it is not
            counted, and the longest delay of a caller from there is that of a user.
    """

    enabled: bool = True
    caller: Scale = Scale(5, timedelta(minutes=15))
    address: Scale = Scale(20, timedelta(minutes=1))
    user: Scale = Scale(10, timedelta(seconds=30))
    forget: timedelta = timedelta(hours=1)
    known_for: timedelta = timedelta(days=30)
    known: int = 100_000
    shared_addresses: tuple[str, ...] = ()

    @property
    def longest(self) -> timedelta:
        """No delay is longer."""
        return max(self.caller.longest, self.address.longest, self.user.longest)
