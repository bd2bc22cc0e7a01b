"""The contexts that a service has issued, in the store that all its workers and machines share.

A context is one record: issued by one atomic step that counts it against its owner's share, renewed and
cancelled by compare-and-set. A worker asks the store with every message, so that a context is gone
everywhere the moment its cancellation is answered; what it keeps to itself is only the unsealed form of
records that the store gave back unchanged.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from wsprovider.conversation.sealing import seal, sealed_by, unseal
from wsprovider.keyring.contexts import ContextOwner, SecurityContext
from wsprovider.keyring.ring import SealKeys
from wsprovider.ports import Entropy, Record, Records, Room
from wsprovider.words.errors import SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason

KIND: Final = "context"
"""The kind of record that a context is."""
BODY: Final = "body"
"""The kind of record that stands for a Body that nothing signed."""
RENEWABLE: Final = timedelta(minutes=5)
"""How long after its end a context is kept for its owner to renew.

Apache CXF asks for that only once its context has expired. Whoever renews proves what would get them a new
context as well, so nothing is given away.
"""
_IDENTIFIER_BYTES: Final = 16
_UNSEALED: Final = 10_000
_BODIES: Final = 1_000_000


class Contexts:
    """Issues, finds, renews and cancels the contexts of one ring; shared by all threads."""

    def __init__(
        self,
        store: Records,
        seals: Callable[[], SealKeys],
        entropy: Entropy,
        *,
        unused: timedelta,
        per_owner: int,
        contexts: int,
        unsigned_calls: int = 10_000,
    ) -> None:
        """Take the store.

        Args:
            seals: gives the seal keys in force.
            unused: how long a context lives that nobody uses.
            per_owner: live contexts of one owner.
            contexts: live contexts of all; anonymous callers may take three quarters of them.
            unsigned_calls: calls in one context whose Body nothing signs.
        """
        self._store, self._seals, self._entropy = store, seals, entropy
        self._unused, self._per_owner, self._contexts = unused, per_owner, contexts
        self._unsigned_calls = unsigned_calls
        self._unsealed: OrderedDict[str, tuple[bytes, SecurityContext]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, identifier: str, now: datetime, namespace: str | None = None) -> SecurityContext | None:
        """The context of that name, alive or kept for renewal.

        Args:
            namespace: of the WS-SecureConversation that a refusal speaks.

        Raises:
            SoapError: CONTEXT_SEAL.
            BackendError: the store did not answer.
        """
        record = self._store.record(KIND, identifier, now=now)
        try:
            return None if record is None else self._opened(record, now)
        except SoapError as error:
            raise unknown(namespace, error.detail, error.reason) from None

    def issue(
        self,
        *,
        endpoint: str,
        policy: str,
        owner: ContextOwner,
        counted_for: str,
        namespace: str,
        secret: bytes,
        expires: datetime,
        now: datetime,
    ) -> SecurityContext:
        """Issue a new context, under a name of our own choosing.

        Args:
            policy: fingerprint of the policy it belongs to.
            counted_for: whose share it takes: the owner's name, or an anonymous caller's address.
            secret: its key.
            expires: when its life ends, if it is used.

        Raises:
            SoapError: CONTEXT_LIMIT.
            BackendError: the store did not answer.
        """
        identifier = f"urn:wsprovider:context:{self._entropy(_IDENTIFIER_BYTES).hex()}"
        context = SecurityContext(identifier, None, namespace, secret, endpoint, policy, owner, now, expires)
        room = self._store.keep(
            KIND,
            identifier,
            self._sealed(context, now),
            owner=f"{endpoint}\n{owner.proof}\n{counted_for}",
            expires=min(expires, now + self._unused),
            now=now,
            owner_limit=self._per_owner,
            # who is nobody must not take the place of everybody
            limit=self._contexts if owner.name else max(1, self._contexts * 3 // 4),
        )
        if room is not Room.KEPT:
            raise SoapError(SoapFault.REQUEST_FAILED, Reason.CONTEXT_LIMIT, room.value)
        return context

    def use(self, context: SecurityContext, now: datetime) -> None:
        """Note that a message was accepted under a context; the first one gives it its whole life.

        Raises:
            SoapError: CONTEXT_UNKNOWN: it was cancelled meanwhile.
            BackendError: the store did not answer.
        """
        if context.used:
            return
        used = replace(context, used=True)
        if self._replace(context, used, now):
            return
        # another worker was faster, or it has gone
        present = self.find(context.identifier, now, context.namespace)
        if present is None or present.instance != context.instance:
            raise unknown(context.namespace)

    def spend(self, context: SecurityContext, marks: Sequence[str], now: datetime) -> None:
        """Note the Body of a call that nothing signs, for as long as the context's key could decrypt it again.

        Args:
            marks: of the Body.

        Raises:
            WSSecurityError: REPLAY.
            SoapError: CONTEXT_LIMIT: the context has had all the calls it may; the client has to open another.
                REPLAY_FULL.
            BackendError: the store did not answer.
        """
        keys = [f"{context.identifier}:{mark}" for mark in marks]
        for key in keys[1:]:
            if self._store.record(BODY, key, now=now) is not None:
                raise WSSecurityError(Reason.REPLAY, BODY)
        for key in keys:
            room = self._store.keep(
                BODY,
                key,
                b"",
                owner=context.identifier,
                expires=context.expires + RENEWABLE,
                now=now,
                owner_limit=self._unsigned_calls * len(keys),
                limit=_BODIES,
            )
            if room is Room.TAKEN:
                raise WSSecurityError(Reason.REPLAY, BODY)
            if room is Room.OWNER_FULL:
                raise unknown(context.namespace, "all its calls are spent", Reason.CONTEXT_LIMIT)
            if room is Room.FULL:
                raise SoapError(SoapFault.SERVER, Reason.REPLAY_FULL, room.value)

    def renew(
        self, context: SecurityContext, owner: ContextOwner, secret: bytes, expires: datetime, now: datetime
    ) -> SecurityContext:
        """Give a context another key and another end; the old key is nothing from then on.

        Raises:
            SoapError: CONTEXT_UNKNOWN: somebody renewed or cancelled it meanwhile.
            BackendError: the store did not answer.
        """
        instance = f"urn:wsprovider:instance:{self._entropy(_IDENTIFIER_BYTES).hex()}"
        renewed = replace(
            context, instance=instance, secret=secret, owner=owner, created=now, expires=expires, used=True
        )
        if not self._replace(context, renewed, now):
            raise SoapError(
                SoapFault.UNABLE_TO_RENEW, Reason.CONTEXT_UNKNOWN, "changed", namespace=context.namespace
            )
        return renewed

    def cancel(self, context: SecurityContext, now: datetime) -> bool:
        """Take a context away for good; false when it had gone already.

        Raises:
            BackendError: the store did not answer.
        """
        return self.end(context.identifier, now)

    def end(self, identifier: str, now: datetime) -> bool:
        """Take the context of that name away, whatever was done to it meanwhile.

        Raises:
            BackendError: the store did not answer.
        """
        return self._store.remove(KIND, identifier, version=None, now=now)

    def _replace(self, old: SecurityContext, new: SecurityContext, now: datetime) -> bool:
        return self._store.replace(
            KIND,
            old.identifier,
            self._sealed(new, now),
            version=old.version,
            expires=new.expires + RENEWABLE,
            now=now,
        )

    def _sealed(self, context: SecurityContext, now: datetime) -> bytes:
        return seal(context, self._seals(), now, self._entropy)

    def _opened(self, record: Record, now: datetime) -> SecurityContext:
        """Unseal a record, once for each state of it; its key must still be one that opens."""
        seals = self._seals()
        with self._lock:
            value, known = self._unsealed.get(record.key, (b"", None))
            if known is not None:
                self._unsealed.move_to_end(record.key)
        if (
            known is not None
            and value == record.value
            and known.version == record.version
            and seals.opening(sealed_by(record), now) is not None
        ):
            return known
        context = unseal(record, seals, now)
        with self._lock:
            self._unsealed[record.key] = record.value, context
            if len(self._unsealed) > _UNSEALED:
                self._unsealed.popitem(last=False)
        return context


def unknown(namespace: str | None, detail: str = "", reason: Reason = Reason.CONTEXT_UNKNOWN) -> SoapError:
    """The error for a context that is not there (any more): the client has to open another one."""
    return SoapError(SoapFault.BAD_CONTEXT_TOKEN, reason, detail, namespace=namespace)
