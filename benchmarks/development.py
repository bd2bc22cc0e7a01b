"""The development client of a keys folder: what a partner's program would do, for measuring the server."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wsprovider.adapters.keys.pem import load_certificates, load_private_key
from wsprovider.config.development import PASSWORD
from wsprovider.exchange.initiator import Initiator
from wsprovider.exchange.session import Session
from wsprovider.keyring.material import KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.policy.model import Policy
from wsprovider.policy.publish import in_conversation
from wsprovider.soap.version import SOAP_11
from wsprovider.words.limits import Limits

_BOTH = frozenset({Purpose.SIGN, Purpose.DECRYPT})


def caller(
    keys: Path, policy: Policy, send: Callable[[bytes], bytes], credentials: Credentials | None = None
) -> Initiator | Session:
    """Client 1 of the development keys, calling a service under a policy as alice or somebody else.

    Args:
        send: has the service answer; only to open a conversation, where the policy has one.
    """
    snapshot = _snapshot(keys / "development")
    ourselves: dict[str, Any] = {
        "keys": lambda: snapshot,
        "clock": lambda: datetime.now(UTC),
        "entropy": os.urandom,
        "credentials": credentials or Credentials("alice", PASSWORD),
        "partner": "service",
    }
    if not in_conversation(policy.alternatives[0]):
        return Initiator(policy, "client-1", **ourselves)
    session = Session(policy, "client-1", **ourselves)
    asking = session.ask(version=SOAP_11)
    session.take(asking, send(asking.data), secure=False)
    return session


def _snapshot(folder: Path) -> RingSnapshot:
    (own,) = load_certificates((folder / "client-1.cert.pem").read_bytes())[:1]
    service = load_certificates((folder / "service.cert.pem").read_bytes())[0]
    key = load_private_key((folder / "client-1.key.pem").read_bytes(), None)
    ring = Ring("client-1", (RingKey(KeyPair("client-1", own, key), _BOTH),))
    trust = Trust((PinnedGroup("service", (Partner("service", (service,)),)),), Limits())
    return RingSnapshot(ring, trust, "1")
