"""What keeps a message from being accepted twice: one mark for each thing that must not come again."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from wsprovider.crypto.algorithms import identity
from wsprovider.crypto.ciphers import CIPHERS
from wsprovider.inbound.evidence import Evidence
from wsprovider.ports import SharedStore
from wsprovider.words.errors import BackendError, BackendFullError, SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason

_SIGNATURE: Final = "signature:"
_NONCE: Final = "nonce:"
_BLOCK: Final = 16


class Replay:
    """The marks of accepted messages, over a store that all workers share."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store

    def check(self, value: bytes, now: datetime) -> None:
        """Refuse a copy of an accepted message before anything of it is decrypted.

        Args:
            value: identity of its signature.

        Raises:
            WSSecurityError: REPLAY.
            SoapError: REPLAY_STORE.
        """
        try:
            known = self._store.contains(_signature_key(value), now=now)
        except BackendError as error:
            raise _unavailable(error) from error
        if known:
            raise WSSecurityError(Reason.REPLAY, "signature")

    def remember(self, marks: Sequence[str], expires: datetime, now: datetime) -> None:
        """The atomic step that makes this copy the accepted one; the last thing that happens.

        Nothing is written where one of several marks is known already: a refused message must not use up what
        it shares with a genuine one.

        Args:
            marks: of the message.
            expires: until when they count.

        Raises:
            WSSecurityError: REPLAY.
            SoapError: REPLAY_STORE, REPLAY_FULL.
        """
        try:
            for mark in marks[1:]:
                if self._store.contains(mark, now=now):
                    raise _seen(mark)
            for mark in marks:
                if not self._store.add_if_absent(mark, expires=expires, now=now):
                    raise _seen(mark)
        except BackendError as error:
            raise _unavailable(error) from error


def _seen(mark: str) -> WSSecurityError:
    return WSSecurityError(Reason.REPLAY, mark.partition(":")[0])


def _unavailable(error: BackendError) -> SoapError:
    """The receiver's fault, as for any backend: the sender did nothing wrong, and may try a new message later."""
    reason = Reason.REPLAY_FULL if isinstance(error, BackendFullError) else Reason.REPLAY_STORE
    return SoapError(SoapFault.SERVER, reason, str(error))


def marks_of(evidence: Evidence, name: str) -> list[str]:
    """Signatures and nonces of a message.

    Args:
        name: of who sent it.
    """
    signatures = [
        _signature_key(identity(fact.signature.method, fact.signature.value)) for fact in evidence.signatures
    ]
    nonces = [
        f"{_NONCE}{name}:{token.nonce.hex()}"
        for token in evidence.candidates.usernames.values()
        if token.nonce is not None
    ]
    return signatures + nonces


def body_marks(evidence: Evidence) -> list[str]:
    """The marks of an encrypted Body that nothing signs; none when the Body was not encrypted.

    In a conversation one key encrypts every Body, so that an old one would fit a new header. GCM's tag cannot
    come again by itself. CBC has no integrity: its first and its last block are marked, since what leaves out
    both is hardly XML any more; it stays malleable all the same, and is warned of at start.
    """
    for fact in evidence.decryptions:
        if fact.element is evidence.envelope.body:
            marks = [fact.octets[-_BLOCK:].hex()]
            row = CIPHERS[fact.method]
            if not row.authenticated:  # told apart: of one block the first is the last
                marks.append(f"first:{fact.octets[row.iv_bytes : row.iv_bytes + _BLOCK].hex()}")
            return marks
    return []


def _signature_key(value: bytes) -> str:
    return _SIGNATURE + hashlib.sha256(value).hexdigest()
