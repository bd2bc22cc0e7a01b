"""A crowd of clients of ours that open, use, renew and give up conversations at random, for some seconds.

What each knows of its own conversations is enough to tell at once when the service is wrong; what all have
counted must be what the shared store has counted.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from tests.live.conversing import BAD_CONTEXT, Conversation, Refused, client_keys
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.words import namespaces as ns

SLUGS = (
    "conversation-sign-x509",
    "conversation-sign-encrypt-anonymous",
    "conversation-sign-encrypt-username",
)
BRIEF = timedelta(seconds=1)
"""The life of those that are opened and left alone, so that they expire."""

LOST = BAD_CONTEXT | {f"{{{namespace}}}UnableToRenew" for namespace in (ns.WSC_200502, ns.WSC_200512)}
"""What the slower one of two is told who wanted the same."""


class Wrong(AssertionError):
    """The service did what it must not."""


def run(
    keys: Path, bases: Sequence[str], clients: int, seconds: float, seed: int
) -> tuple[Counter[str], list[str]]:
    """Be some of the crowd.

    Args:
        bases: base URLs of machines that share a store; every connection goes to any of them.

    Returns:
        How often what was done, and what went wrong.
    """
    snapshot = client_keys(keys)
    deadline = time.monotonic() + seconds
    counts: list[Counter[str]] = [Counter() for _ in range(clients)]
    wrong: list[str] = []

    def one(number: int) -> None:
        client = _Client(snapshot, bases, random.Random(seed * 1000 + number), counts[number])
        try:
            while time.monotonic() < deadline:
                client.converse()
        except Exception as error:  # noqa: BLE001 - told to the test, whatever it is
            wrong.append(f"{type(error).__name__}: {error}")

    _Client(snapshot, bases, random.Random(seed), counts[0]).be_known()
    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts, Counter()), wrong


class _Client:
    def __init__(
        self, keys: RingSnapshot, bases: Sequence[str], chance: random.Random, done: Counter[str]
    ) -> None:
        self._keys, self._bases, self._chance, self._done = keys, bases, chance, done

    def be_known(self) -> None:
        """Give the right password once: known callers wait even if the queue of hashing is full (docs/guessing.md)."""
        self._opened(SLUGS[-1], BRIEF).close()
        self._done["left to expire"] += 1

    def converse(self) -> None:
        """Everything that happens to one conversation."""
        slug = self._chance.choice(SLUGS)
        if self._chance.random() < 0.05:
            self._opened(slug, BRIEF).close()
            self._done["left to expire"] += 1
            return
        conversation = self._opened(slug, None)
        used = False
        for _ in range(self._chance.randrange(5)):
            conversation.url = self._somewhere(slug)
            if self._chance.random() < 0.3:
                conversation = self._renew(conversation, slug)
                used = True  # the service need not note that any more
            else:
                self._call(conversation)
                self._done["first uses"] += not used
                used = True
        if self._chance.random() < 0.75:
            conversation = self._cancel(conversation, slug)
        conversation.close()

    def _somewhere(self, slug: str) -> str:
        return f"{self._chance.choice(self._bases)}/echo/{slug}"

    def _opened(self, slug: str, lifetime: timedelta | None) -> Conversation:
        conversation = Conversation(self._keys, self._somewhere(slug), slug, lifetime=lifetime)
        conversation.open()
        self._done["opened"] += 1
        return conversation

    def _call(self, conversation: Conversation) -> None:
        conversation.call(f"{self._chance.random()}")
        self._done["called"] += 1

    def _renew(self, conversation: Conversation, slug: str) -> Conversation:
        """Perhaps twice at once, which must succeed once; the key of before is nothing afterwards."""
        before = conversation.session.context
        if self._chance.random() < 0.3:
            conversation = self._raced(conversation, slug, Conversation.renew)
            self._done["raced to renew"] += 1
        else:
            conversation.renew()
        self._done["renewed"] += 1
        after, conversation.session.context = conversation.session.context, before
        self._must_be_gone(conversation, "renewed")
        conversation.session.context = after
        self._call(conversation)
        return conversation

    def _cancel(self, conversation: Conversation, slug: str) -> Conversation:
        """Perhaps twice at once, which must succeed once; then no machine knows the context any more."""
        before = conversation.session.context
        if self._chance.random() < 0.3:
            conversation = self._raced(conversation, slug, Conversation.cancel)
            self._done["raced to cancel"] += 1
        else:
            conversation.cancel()
        self._done["cancelled"] += 1
        for base in self._bases:
            conversation.session.context = before
            conversation.url = f"{base}/echo/{slug}"
            self._must_be_gone(conversation, "cancelled")
        self._done["refused after cancelling"] += 1
        return conversation

    def _must_be_gone(self, conversation: Conversation, what: str) -> None:
        conversation.close()
        try:
            conversation.call("once more")
        except Refused as refusal:
            if refusal.code in BAD_CONTEXT:
                return
            raise Wrong(f"{refusal.code} for a context that was {what}") from None
        raise Wrong(f"a context was used after it was {what}")

    def _raced(
        self, conversation: Conversation, slug: str, step: Callable[[Conversation], None]
    ) -> Conversation:
        """Two at once do the same to one context: whoever succeeded, which must be one of them."""
        other = Conversation(self._keys, self._somewhere(slug), slug)
        other.session.context = conversation.session.context
        winners = _at_once(step, (conversation, other))
        if len(winners) != 1:
            raise Wrong(f"{len(winners)} of two succeeded")
        for one in (conversation, other):
            if one is not winners[0]:
                one.close()
        return winners[0]


def _at_once(
    step: Callable[[Conversation], None], conversations: Sequence[Conversation]
) -> list[Conversation]:
    """Those that succeeded; the others must have been told that somebody was faster."""

    def attempt(one: Conversation) -> Conversation | None:
        try:
            step(one)
        except Refused as refusal:
            if refusal.code not in LOST:
                raise
            return None
        return one

    with ThreadPoolExecutor(len(conversations)) as pool:
        return [one for one in pool.map(attempt, conversations) if one is not None]
