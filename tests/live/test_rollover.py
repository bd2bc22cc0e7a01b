"""Every key and certificate of both parties is renewed while clients call, on two machines of two workers.

The second machine's keys folder is a copy of the first one's that is late, so their rings differ after every change.
Nothing is refused, and no client gets a reply that it cannot verify, until keys have run out; then what still uses
them is refused, and its twin with the new ones is accepted.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509

from tests.live.conversing import BAD_CONTEXT, Conversation, Refused
from tests.live.java_peer import JavaPeer
from tests.live.provider import ProviderProcess
from tests.live.redis_server import RedisServer, require_redis
from tests.live.rollover import (
    LOOK,
    Call,
    Caller,
    Load,
    Machines,
    Means,
    Operator,
    Peer,
    by_worker,
    started,
    until,
)
from tests.live.rollover_peers import (
    Cxf,
    NotAnswered,
    OurConversation,
    Ours,
    Rampart,
    Wallet,
    Wss4j,
    life,
)
from tests.live.test_conversations_state import Balancer
from tests.simulator import pki
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

pytestmark = [pytest.mark.live, pytest.mark.slow]
LOG = logging.getLogger(__name__)
"""The figures of a run: ``pytest -rP --log-level INFO``."""

LAG = float(os.environ.get("WSPROVIDER_ROLLOVER_LAG", "6"))
"""Seconds by which the second machine is late; over LOOK, so that its workers change over after the first one's."""
MARGIN = 2.0
"""Seconds before the end of a period in which callers stop to rely on it: a call that is under way has to end."""
SLOWNESS = "?socket_timeout=20&socket_connect_timeout=20"
"""Added to the store's URL: it shares two cores with everybody else here, and who refuses for its sake proves nothing."""

FIRST, SECOND, THIRD = "development", "2027", "2028"
"""Keys of the service: the present one, its successor, and another one whose certificate a CA issues."""
PARTNERS = ("client-1", "client-2", "client-3")
PACE = 0.7
"""Seconds between two calls of a caller."""
FLOOR = 25
"""Calls that each caller must have made at least."""


@dataclass
class Stage:
    """Everything there is.

    Attributes:
        refused: Reasons of what was refused, as it must be.
        command: seconds that a command of the operator takes, on the machine as it is and under the load.
    """

    machines: Machines
    wallet: Wallet
    load: Load
    begun: float = field(default_factory=time.monotonic)
    refused: Counter[str] = field(default_factory=Counter)
    command: float = 0.0

    @property
    def providers(self) -> tuple[ProviderProcess, ProviderProcess]:
        return self.machines.providers

    @property
    def operator(self) -> Operator:
        return self.machines.operator

    @property
    def overlap(self) -> int:
        """Seconds in which a retired key still signs: both machines have to hear of it, and callers to move."""
        return round(LAG + LOOK + 9 + 6 * self.command)

    @property
    def retention(self) -> int:
        """Seconds in which a key only decrypts: every caller has to use it once more."""
        return round(10 + 5 * self.command)

    def tell(self, what: str) -> None:
        """Write down when what was done."""
        LOG.info("%5.1f s: %s", time.monotonic() - self.begun, what)

    def plan(
        self,
        clients: dict[str, tuple[str, ...]],
        services: tuple[str, ...],
        signers: dict[str, tuple[str, ...]],
        *,
        strict: bool = True,
    ) -> None:
        """Say what all callers use from now on, and wait until they do.

        Args:
            clients: keys by partner.
            services: certificates to encrypt to.
            signers: certificates by which replies may be signed to who addresses none, by partner.
            strict: else who addresses a certificate accepts replies signed by any of ``services``.
        """
        for caller in self.load.callers:
            keys = clients.get(caller.partner, ("",))
            if caller.number == "2":
                trusted = signers[caller.partner]
                plan = [Means(key, trusted[0], trusted) for key in keys]
            else:
                plan = [
                    Means(key, service, (service,) if strict else services)
                    for key in keys
                    for service in services
                ]
            conversing = caller.number in ("11", "15")
            caller.plan = tuple(plan[-1:] if conversing else plan)
        self.load.turn()

    def twins(self, peer: Peer, bad: Means, good: Means, reason: Reason) -> None:
        """One call that both machines refuse for a Reason, and its twin that both accept."""
        for machine, provider in enumerate(self.providers):
            since = provider.logged()
            with pytest.raises((Refused, NotAnswered)):
                peer(bad, machine)
            self.expect(provider, since, reason)
            peer(good, machine)

    def expect(self, provider: ProviderProcess, since: int, reason: Reason) -> None:
        """One refusal in a log since then, for a Reason."""
        until(lambda: bool(refusals(provider, since)), f"a refusal for {reason.name}")
        assert refusals(provider, since) == [reason.name]
        self.refused[reason.name] += 1

    def calls(self, client: str = "", number: str = "", partner: str = "") -> list[Call]:
        """The calls so far, in the order of their ends."""
        found = (
            call
            for caller in self.load.callers
            if client in ("", caller.client)
            and number in ("", caller.number)
            and partner in ("", caller.partner)
            for call in tuple(caller.calls)
        )
        return sorted(found, key=lambda call: call.at)

    def flawless(self) -> None:
        """Nobody's call has failed, and nothing was refused but what had to be."""
        failed = {
            f"{caller.client} {caller.number} {caller.partner}: {call}"
            for caller in self.load.callers
            for call in tuple(caller.calls)
            if call.failure
        }
        assert not failed
        found = Counter(reason for provider in self.providers for reason in refusals(provider, 0))
        assert found == self.refused


@dataclass(frozen=True)
class Ends:
    """When the first keys were retired, by ``time.monotonic``: between two moments."""

    earliest: float
    latest: float


def refusals(provider: ProviderProcess, since: int) -> list[str]:
    """Reasons in a log."""
    return [line["reason"] for line in provider.requests(since) if line["reason"]]


def sleep_until(moment: float) -> None:
    """Wait for a moment of ``time.monotonic``."""
    time.sleep(max(0.0, moment - time.monotonic()))


@pytest.fixture
def stage(cxf: JavaPeer, rampart: JavaPeer, wso2_policies: Path, tmp_path: Path) -> Iterator[Stage]:
    """Two machines, and clients who call them, with the keys that there are at first."""
    require_redis()
    wallet = Wallet(tmp_path / "clients")

    def prepare(operator: Operator) -> None:
        keys = tmp_path / "machine-a" / "keys" / "development"
        for partner in PARTNERS[:2]:
            parts = ((keys / f"{partner}.{part}.pem").read_bytes() for part in ("cert", "key"))
            wallet.put(partner, "old", *parts)
        operator("keys", "trust", "add", str(wallet.make(PARTNERS[2], "old")), "--partner", PARTNERS[2])
        operator("keys", "export", FIRST, "--out", str(wallet.service(FIRST)))
        spare = (tmp_path / "spare.p12", tmp_path / "spare.txt")
        spare[0].write_bytes(pki.self_signed("CN=spare", **life()).pkcs12("opens it"))
        spare[1].write_text("opens it\n")
        operator("keys", "import", "spare", str(spare[0]), "--passphrase-file", str(spare[1]))

    with (
        RedisServer() as server,
        started(tmp_path, f"{server.url}{SLOWNESS}", lag=LAG, prepare=prepare) as machines,
    ):
        both = machines.providers
        with balanced(both) as url:
            one, two, three = PARTNERS
            callers = [
                *(
                    Caller("ours", number, who, Ours(wallet, both, number, who), PACE)
                    for number, who in [("2", one), ("2", two), ("5", one), ("5", two), ("6", ""), ("8", "")]
                ),
                *(
                    Caller("WSS4J", number, who, Wss4j(wallet, both, number, who, cxf), PACE)
                    for number, who in [("2", one), ("2", two), ("5", one), ("5", two), ("6", ""), ("8", "")]
                ),
                Caller("CXF", "5", three, Cxf(wallet, both, "5", three, cxf), PACE),
                Caller(
                    "Rampart",
                    "5",
                    one,
                    Rampart(wallet, both, "5", one, rampart, policies=wso2_policies),
                    PACE,
                ),
                Caller("ours", "11", one, OurConversation(wallet, both, "11", one), PACE / 2),
                Caller("CXF", "15", "", Cxf(wallet, both, "15", "", cxf, url=url), PACE / 2),
            ]
            found = Stage(machines, wallet, Load(callers))
            for caller in callers:
                caller.plan = (Means("old" if caller.partner else "", FIRST, (FIRST,)),)
            with found.load:
                found.load.turn(4)
                found.tell("everybody calls")
                yield found
            for caller in callers:
                if isinstance(caller.peer, Cxf | Rampart):
                    caller.peer.close()


@contextmanager
def balanced(providers: tuple[ProviderProcess, ProviderProcess]) -> Iterator[str]:
    balancer = Balancer([int(one.http.rpartition(":")[2]) for one in providers])
    try:
        yield f"http://localhost:{balancer.port}"
    finally:
        balancer.close()


def test_everything_is_renewed_under_load(stage: Stage, tmp_path: Path) -> None:
    """The story, from the first new key to the last old one's end."""
    a_reply_by_another_key_would_be_counted(stage)
    head = all_is_made(stage, tmp_path)
    partners_move(stage)
    owned = opened(stage, "11", "client-1", Means("old", FIRST, (FIRST,)))
    we_move_one_partner(stage)
    sealed = opened(stage, "15", "", Means("", SECOND, (SECOND,)))
    ends = we_move_everybody(stage, sealed)
    ended(stage, owned, Reason.CONTEXT_OWNER)
    a_ring_breaks_by_hand(stage)
    we_only_decrypt(stage, ends, sealed)
    the_ring_is_repaired(stage)
    what_partners_left_is_refused(stage)
    what_we_left_is_refused(stage, sealed)
    what_is_gone_is_deleted(stage, head)
    summary(stage)


OLD, BOTH, NEW = ("old",), ("old", "new"), ("new",)


def everybody(labels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The same for each partner."""
    return dict.fromkeys(PARTNERS, labels)


def opened(stage: Stage, number: str, partner: str, means: Means) -> tuple[OurConversation, Conversation]:
    """A conversation beside the load, with the client that moves it.

    It is used at once: the first use writes a context anew, and so seals it anew.
    """
    client = OurConversation(stage.wallet, stage.providers, number, partner)
    found = client, client.opened(means, 0)
    goes_on(found)
    return found


def goes_on(held: tuple[OurConversation, Conversation]) -> None:
    """Both machines know a conversation."""
    client, conversation = held
    for machine in (0, 1):
        client.move(conversation, machine)
        conversation.call("x")


def ended(stage: Stage, held: tuple[OurConversation, Conversation], reason: Reason) -> None:
    """No machine knows it any more."""
    client, conversation = held
    for machine, provider in enumerate(stage.providers):
        since = provider.logged()
        client.move(conversation, machine)
        with pytest.raises(Refused) as refusal:
            conversation.call("x")
        assert refusal.value.code in BAD_CONTEXT
        stage.expect(provider, since, reason)


def a_reply_by_another_key_would_be_counted(stage: Stage) -> None:
    """What the story rests on: a client that knows another certificate than the reply's does not accept it."""
    other = stage.wallet.make("stranger", "old")
    stage.wallet.service("stranger").write_bytes(other.read_bytes())
    for one in stage.load.callers:
        if one.number == "2":
            one.peer(Means("old", FIRST, (FIRST,)), 0)
            with pytest.raises((WSSecurityError, NotAnswered)):
                one.peer(Means("old", "stranger", ("stranger",)), 0)
        elif (one.client, one.number) == ("ours", "5"):
            one.peer(Means("old", FIRST, (FIRST, "stranger")), 0)
            with pytest.raises((WSSecurityError, NotAnswered)):
                one.peer(Means("old", FIRST, ("stranger",)), 0)
    stage.flawless()


def all_is_made(stage: Stage, folder: Path) -> str:
    """New certificates of partners are pinned, our new keys are made, one of them by a CA; the audit log's head."""
    run, wallet = stage.operator, stage.wallet
    begun = time.monotonic()
    for partner in PARTNERS:
        run("keys", "trust", "add", str(wallet.make(partner, "new")), "--partner", partner)
    run("keys", "new", SECOND)
    run("keys", "new", THIRD, "--csr")
    request = x509.load_pem_x509_csr(run("keys", "export", THIRD).encode())
    ca = pki.authority("CN=Bank CA", **life())
    leaf = ca.issue(request.subject.rfc4514_string(), public_key=request.public_key(), **life())
    for name, holder in (("leaf", leaf), ("ca", ca)):
        (folder / f"{name}.pem").write_bytes(holder.cert_pem)
    run("keys", "certificate", THIRD, str(folder / "leaf.pem"), str(folder / "ca.pem"))
    done = run("keys", "new", SECOND, "--purpose", "seal")
    for label in (SECOND, THIRD):
        run("keys", "export", label, "--out", str(wallet.service(label)))
    stage.command = (time.monotonic() - begun) / 10
    stage.machines.settle()
    stage.tell("both machines have everything new")
    stage.flawless()
    return done.rpartition("audit log: ")[2].strip()


def partners_move(stage: Stage) -> None:
    """They use old and new keys of theirs side by side, and encrypt to either of ours."""
    stage.plan(
        {"client-1": BOTH, "client-2": BOTH, "client-3": NEW},
        (FIRST, SECOND),
        {"client-1": (FIRST, SECOND), "client-2": (FIRST,)},
    )
    stage.load.turn(6)  # with those of plan: each means at each machine
    stage.tell("partners use old and new keys")
    stage.flawless()


def we_move_one_partner(stage: Stage) -> None:
    """The new key signs for one partner, who from then on knows nothing else; the others know only the old one."""
    run = stage.operator
    run("keys", "activate", SECOND, "--partner", "client-1")
    run("keys", "remove", "spare", "--unseen")  # servers note uses for a minute only
    the_wire_tells(stage)
    stage.machines.settle()
    stage.plan(everybody(NEW), (FIRST, SECOND), {"client-1": (SECOND,), "client-2": (FIRST,)})
    for partner, signer in (("client-1", SECOND), ("client-2", FIRST)):
        assert stage.calls("ours", "2", partner)[-1].signer == signer
    stage.tell("client-1 has moved")
    stage.flawless()


def the_wire_tells(stage: Stage) -> None:
    """Who still uses what is seen, and what is in use is not taken away."""
    run, wallet = stage.operator, stage.wallet
    mixed, clean = (run.run("renew", "verify", "--partner", name) for name in ("client-1", "client-3"))
    assert mixed.returncode == clean.returncode == 3
    assert "[>] 4. partner: sign by the new key" in mixed.stdout
    assert "client-1: the old one last just now, the new one since" in mixed.stdout
    assert "[x] 4. partner: sign by the new key" in clean.stdout
    assert "[>] 5. we: take the old certificate out of trust" in clean.stdout
    refusal = run.refused(
        "keys", "trust", "remove", str(wallet.own("client-1", "old")), "--partner", "client-1"
    )
    assert "is still in use: " in refusal
    assert "verify for client-1 of echo" in refusal


def we_move_everybody(stage: Stage, sealed: tuple[OurConversation, Conversation]) -> Ends:
    """The new keys take over at one machine and then at the other.

    Old certificates of partners go as well.
    """
    run, wallet = stage.operator, stage.wallet
    stage.plan(everybody(NEW), (FIRST, SECOND), {"client-1": (SECOND,), "client-2": (FIRST, SECOND)})
    for partner, which, how in (
        ("client-1", str(wallet.own("client-1", "old")), "--unseen"),
        ("client-2", str(wallet.own("client-2", "old")), "--compromised"),
        ("client-3", wallet.parsed("client-3", "old").fingerprint[:12], "--unseen"),
    ):
        run("keys", "trust", "remove", which, "--partner", partner, how)
    periods = ("--overlap", f"{stage.overlap}s", "--retention", f"{stage.retention}s")
    begun = time.monotonic()
    run("keys", "activate", SECOND, *periods)
    run("keys", "activate", SECOND, "--seal", *periods)
    over = time.monotonic()
    stage.machines.settle()
    rings_were_apart(stage)
    goes_on(sealed)
    stage.plan(
        everybody(NEW), (FIRST, SECOND, THIRD), {"client-1": (SECOND, THIRD), "client-2": (SECOND, THIRD)}
    )
    assert time.monotonic() < begun + stage.overlap - MARGIN, "too slow: the overlap has ended"
    stage.tell("everybody has moved")
    stage.flawless()
    return Ends(begun, over)


def rings_were_apart(stage: Stage) -> None:
    """Some workers signed by the new key already while others still signed by the old one, and all was verified."""
    calls = stage.calls("ours", "2", "client-2")
    first = next(call for call in calls if call.signer == SECOND)
    last = next(call for call in reversed(calls) if call.signer == FIRST)
    meanwhile = [call for call in stage.calls() if first.at <= call.at <= last.at]
    assert {call.machine for call in meanwhile} == {0, 1}
    assert calls[-1].signer == SECOND
    stage.tell(f"rings were apart for {last.at - first.at:.1f} s and {len(meanwhile)} calls")


def a_ring_breaks_by_hand(stage: Stage) -> None:
    """Another key takes over, and ring.toml names a file that is not there: whatever was in force stays in force."""
    stage.operator("keys", "activate", THIRD)
    ring = stage.providers[0].keys / "service" / "ring.toml"
    shutil.copy(ring, stage.wallet.folder / ring.name)
    with ring.open("a") as file:
        file.write('\n[[key]]\nname = "typo"\nkey = "typo.pem"\ncertificate = "typo.cert.pem"\n')


def we_only_decrypt(stage: Stage, ends: Ends, sealed: tuple[OurConversation, Conversation]) -> None:
    """The overlap of the first key ends, and then it is gone: a matter of dates, whatever is with the files."""
    sleep_until(ends.earliest + stage.overlap - MARGIN)
    services = (FIRST, SECOND, THIRD)
    stage.plan(everybody(NEW), services, everybody((SECOND, THIRD)), strict=False)
    sleep_until(ends.latest + stage.overlap)
    stage.load.turn(6)  # each means at each machine
    goes_on(sealed)
    gone = stage.overlap + stage.retention
    assert time.monotonic() < ends.earliest + gone - MARGIN, "too slow: the old keys are gone"
    stage.tell("the first key only decrypts")
    stage.flawless()
    sleep_until(ends.earliest + gone - MARGIN)
    stage.plan(everybody(NEW), (SECOND, THIRD), everybody((SECOND, THIRD)))
    sleep_until(ends.latest + gone)
    stage.tell("the first key is gone")


def the_ring_is_repaired(stage: Stage) -> None:
    """Both machines have told of the broken one, and take the other key over."""
    until(lambda: all(keeps_the_old_ones(one) for one in stage.providers), "the logs tell", 60 + LAG)
    until(lambda: all(health(one) == "degraded" for one in stage.providers), "health is degraded", 60 + LAG)
    ring = stage.providers[0].keys / "service" / "ring.toml"
    shutil.copy(stage.wallet.folder / ring.name, ring)
    stage.machines.settle()
    until(lambda: all(health(one) == "ok" for one in stage.providers), "health is good again", 60 + LAG)
    stage.plan(everybody(NEW), (SECOND, THIRD), everybody((THIRD,)))
    stage.tell("the ring is repaired")
    stage.flawless()


def health(provider: ProviderProcess) -> str:
    """What the worker that happens to answer says."""
    with urllib.request.urlopen(provider.url("/healthz"), timeout=20) as answer:
        assert answer.status == 200
        return json.load(answer)["status"]


def keeps_the_old_ones(provider: ProviderProcess) -> bool:
    """Whether its log says so of the broken ring."""
    lines = provider.log.read_text().splitlines()
    return any("keys: the old ones stay in force" in line and "typo" in line for line in lines)


def what_partners_left_is_refused(stage: Stage) -> None:
    """Messages by certificates of partners that are out of trust."""
    for caller in stage.load.callers:
        if caller.partner and caller.number in ("2", "5"):
            good = caller.plan[-1]
            bad = Means("old", good.service, good.trusted)
            stage.twins(caller.peer, bad, good, Reason.CERTIFICATE_NOT_TRUSTED)
            if isinstance(caller.peer, Wss4j):
                named = partial(caller.peer, signatureKeyReference="Thumbprint")
                # a compromised one stays pinned, and ended; another is not there any more
                kept = caller.partner == "client-2"
                reason = Reason.CERTIFICATE_NOT_TRUSTED if kept else Reason.UNRESOLVED_REFERENCE
                stage.twins(named, bad, good, reason)
    stage.tell("what partners have left is refused")


def what_we_left_is_refused(stage: Stage, sealed: tuple[OurConversation, Conversation]) -> None:
    """Messages encrypted to a key that is gone, and a conversation sealed under one."""
    for caller in stage.load.callers:
        if caller.number in ("5", "6", "8"):
            good = caller.plan[-1]
            bad = Means(good.client, FIRST, (FIRST, *good.trusted))
            stage.twins(caller.peer, bad, good, Reason.UNRESOLVED_REFERENCE)
    ended(stage, sealed, Reason.CONTEXT_SEAL)
    opened(stage, "15", "", Means("", THIRD, (THIRD,)))
    stage.tell("what we have left is refused")


def what_is_gone_is_deleted(stage: Stage, head: str) -> None:
    """The files go with their entries, and the audit log tells all of it, at the other machine, too."""
    run = stage.operator
    assert "still in use: decrypt for" in run.refused("keys", "remove", FIRST)
    run("keys", "remove", FIRST, "--unseen")
    run("keys", "remove", FIRST, "--seal")
    stage.machines.copy.level()
    for provider in stage.providers:
        ring = provider.keys / "service"
        assert not list(ring.glob(f"{FIRST}.*"))
        assert list(ring.glob(f"{SECOND}.*"))
        there = Operator(provider.keys, provider.services)
        assert "entries hold together" in there("audit", "verify", "--head", head)
        told = there("keys", "history")
        for sentence in (
            "a certificate of client-1 is pinned",
            f"key {THIRD} is new, and a certificate for it requested",
            f"key {SECOND} signs for client-1 from",
            f"key {SECOND} is active from",
            f"key {FIRST} is retired at",
            "it was still in use: encrypt for client-1 of echo on",
            "it was still in use: decrypt for anonymous callers of echo on",
            "it is compromised",
            f"seal key {FIRST} is retired at",
            f"key {FIRST} is removed",
            f"seal key {FIRST} is removed",
        ):
            assert sentence in told, sentence
    stage.machines.settle()
    stage.load.turn()
    stage.flawless()


def summary(stage: Stage) -> None:
    """Everybody has called often enough, and every worker of both machines has answered."""
    stage.load.stop()
    stage.flawless()
    for caller in stage.load.callers:
        machines = Counter(call.machine for call in caller.calls)
        LOG.info(
            "%s, scenario %s, %s: %s", caller.client, caller.number, caller.partner or "-", dict(machines)
        )
        assert len(caller.calls) >= FLOOR, caller
        assert min(machines[0], machines[1]) > 0
    for provider in stage.providers:
        shares = by_worker(provider, sum(line["reason"] is None for line in provider.requests(0)))
        LOG.info("requests by worker: %s", shares)
        assert len(shares) == 2
        assert min(shares) > FLOOR
    stage.tell(f"{len(stage.calls())} calls, and refused: {dict(stage.refused)}")
