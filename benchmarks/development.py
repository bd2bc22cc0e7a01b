"""The development client of a keys folder: what a partner's program would do, for measuring the server."""

import os
from datetime import UTC, datetime
from pathlib import Path

from wsprovider.adapters.keys.pem import load_certificates, load_private_key
from wsprovider.config.development import PASSWORD
from wsprovider.exchange.initiator import Initiator
from wsprovider.keyring.material import KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.policy.model import Policy
from wsprovider.words.limits import Limits

_BOTH = frozenset({Purpose.SIGN, Purpose.DECRYPT})


def initiator(keys: Path, policy: Policy) -> Initiator:
    """Client 1 of the development keys, calling a service under a policy as alice."""
    snapshot = _snapshot(keys / "development")
    return Initiator(
        policy,
        "client-1",
        keys=lambda: snapshot,
        clock=lambda: datetime.now(UTC),
        entropy=os.urandom,
        credentials=Credentials("alice", PASSWORD),
        partner="service",
    )


def _snapshot(folder: Path) -> RingSnapshot:
    (own,) = load_certificates((folder / "client-1.cert.pem").read_bytes())[:1]
    service = load_certificates((folder / "service.cert.pem").read_bytes())[0]
    key = load_private_key((folder / "client-1.key.pem").read_bytes(), None)
    ring = Ring("client-1", (RingKey(KeyPair("client-1", own, key), _BOTH),))
    trust = Trust((PinnedGroup("service", (Partner("service", (service,)),)),), Limits())
    return RingSnapshot(ring, trust, "1")
