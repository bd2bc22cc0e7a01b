"""Password hashes: argon2id (RFC 9106) by argon2-cffi, few at a time.

A hash costs some 20 ms and 19 MiB on purpose. A flood of wrong passwords must therefore neither take all
processors nor queue for minutes: two run at once in a process, eight callers wait, the next is refused
before any work.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError, VerifyMismatchError

from wsprovider.adapters.users.turns import Turns
from wsprovider.words.errors import BackendError

_FORM: Final = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The cost of one hash.

    Attributes:
        memory: KiB.
        passes: over that memory.
        lanes: computed side by side.
    """

    memory: int
    passes: int
    lanes: int


PARAMETERS: Final = Parameters(memory=19_456, passes=2, lanes=1)
"""What new hashes cost: the least that OWASP recommends for argon2id."""

_MOST: Final = Parameters(memory=262_144, passes=10, lanes=4)
"""A hash beyond this is a mistake: each authentication would cost seconds."""

_HASHER: Final = PasswordHasher(
    time_cost=PARAMETERS.passes, memory_cost=PARAMETERS.memory, parallelism=PARAMETERS.lanes
)


def hash_password(password: str) -> str:
    """The hash of a password, in the encoded form that names its own parameters.

    Raises:
        ValueError: the password is empty; nobody could ever use it.
    """
    if not password:
        raise ValueError("a password must not be empty")
    return _HASHER.hash(octets(password))


def octets(text: str) -> bytes:
    """The UTF-8 of a name or password exactly as given: nothing is normalised, nothing fails."""
    return text.encode("utf-8", "surrogatepass")


def read_parameters(encoded: str) -> Parameters:
    """What checking against this hash costs.

    Raises:
        ValueError: it is no argon2id hash, or costs more than is sensible.
    """
    form = _FORM.fullmatch(encoded)
    if form is None:
        raise ValueError("is no argon2id hash")
    salt, tag = _decoded(form[4]), _decoded(form[5])
    if len(salt) < 8 or len(tag) < 16:
        raise ValueError("is an argon2id hash with too short a salt or value")
    found = Parameters(memory=int(form[1]), passes=int(form[2]), lanes=int(form[3]))
    if found.passes < 1 or found.lanes < 1 or found.memory < 8 * found.lanes:
        raise ValueError("is no argon2id hash: its parameters are impossible")
    if found.memory > _MOST.memory or found.passes > _MOST.passes or found.lanes > _MOST.lanes:
        raise ValueError(f"costs too much: at most m={_MOST.memory},t={_MOST.passes},p={_MOST.lanes}")
    return found


def dummy_hash(parameters: Parameters) -> str:
    """A hash that no password has, and that costs as much to check as a real one.

    Its value is random, so a match is as likely as guessing 256 bits.
    """
    salt, tag = (_encoded(os.urandom(size)) for size in (16, 32))
    cost = f"m={parameters.memory},t={parameters.passes},p={parameters.lanes}"
    return f"$argon2id$v=19${cost}${salt}${tag}"


class Hashing:
    """Checks passwords against hashes, a few at a time; one object serves a whole process."""

    def __init__(self, *, at_once: int = 2, waiting: int = 8) -> None:
        """Set the limits.

        Args:
            at_once: how many hashes are computed side by side; argon2-cffi releases Python's lock.
            waiting: how many callers may wait for their turn.
        """
        self._turns = Turns(at_once=at_once, waiting=waiting)

    def matches(
        self,
        encoded: str,
        password: bytes,
        *,
        source: str | None = "",
        spared: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Whether the hash is that of the password.

        Args:
            encoded: as :func:`read_parameters` accepts it.
            password: bounded by the caller.
            source: of the attempt, see :meth:`wsprovider.adapters.users.turns.Turns.turn`.
            spared: whether somebody has found out meanwhile that it is; asked when the turn has come.

        Raises:
            WSSecurityError: AUTHENTICATION_BUSY.
            BackendError: the hash could not be computed, for want of memory say.
        """
        with self._turns.turn(source):
            try:
                return spared() or _HASHER.verify(encoded, password)
            except VerifyMismatchError:
                return False
            except VerificationError as error:
                raise BackendError(f"argon2: {error}") from None


PROCESS_HASHING: Final = Hashing()
"""The one for all stores of a process, unless a test brings its own."""


def _decoded(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        decoded = b""
    if _encoded(decoded) != text:  # unused bits that are set: libargon2 would refuse it at each login
        raise ValueError("is no argon2id hash")
    return decoded


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")
