"""The watch over expiry: each warning once, over all workers and restarts; by a clock that the test moves."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.simulator import pki
from tests.simulator.world import BOTH
from tests.unit.server.plain import serve
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.config.model import ProviderConfig
from wsprovider.keyring.lifecycle import Lifespan
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.revocation import RevocationLists
from wsprovider.keyring.ring import Ring, RingKey, RingSnapshot
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Partner, PinnedGroup, Trust
from wsprovider.server.create import _served_certificate
from wsprovider.server.holdings import Holdings
from wsprovider.server.watch import THRESHOLDS, Watch
from wsprovider.words.errors import BackendError
from wsprovider.words.limits import Limits

ENDS = pki.days(100)
OURS = pki.self_signed("CN=ours", end=ENDS)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def snapshot(*keys, groups=()):
    return RingSnapshot(Ring("service", keys), Trust(groups, Limits()), "1")


def key(holder=OURS, **dates):
    return RingKey(holder.pair("2026"), BOTH, Lifespan(**dates))


class Source:
    """A keys folder that the test exchanges."""

    def __init__(self, snapshot, *, failed=False):
        self.snapshot, self.failed = snapshot, failed

    def __call__(self):
        return self.snapshot


class Away:
    def add_if_absent(self, *_, **__):
        raise BackendError("away")


class Process:
    """One worker, and the warnings that it has logged."""

    def __init__(self, caplog, store, *snapshots, **options):
        self.caplog, self.store = caplog, store
        self.now, self.seconds = pki.NOW, 0.0
        self.holdings = Holdings()
        for one in snapshots:
            self.holdings.add_keys(Source(one))
        self.watch = Watch(self.holdings, clock=lambda: self.now, monotonic=lambda: self.seconds, **options)
        self.served = serve(watch=lambda: self.watch.look(store))

    def request(self):
        """What a request, an hour after the last one, has the worker log."""
        self.caplog.clear()
        assert self.served.raw(b"", REQUEST_METHOD="GET", PATH_INFO="/healthz").status == 200
        self.seconds += 3600
        return [
            json.loads(record.getMessage())["text"]
            for record in self.caplog.records
            if record.name == "wsprovider.start"
        ]

    def at(self, moment):
        self.now = moment
        return self.request()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def process(caplog, store):
    return lambda *snapshots, **options: Process(caplog, store, *snapshots, **options)


def test_each_threshold_once_over_two_workers_and_a_restart(process):
    one, two = process(snapshot(key())), process(snapshot(key()))
    for days in sorted(THRESHOLDS, reverse=True):
        moment = ENDS - days * DAY
        assert one.at(moment - SECOND) == two.at(moment - SECOND) == []
        assert len(two.at(moment)) == 1
        assert one.at(moment) == two.at(moment + SECOND) == []
        assert process(snapshot(key())).at(moment + SECOND) == []


def test_what_is_said_of_a_key_of_ours(process):
    worker = process(snapshot(key()))
    what, advice = (
        "keys: the certificate of key '2026' (active) of ring 'service'",
        "make its successor with `wsprovider renew`",
    )
    assert worker.at(ENDS - 30 * DAY) == [f"{what} ends on 2026-09-09 12:00 UTC, in 30 days: {advice}"]
    assert worker.at(ENDS + DAY) == [f"{what} has ended on 2026-09-09 12:00 UTC: {advice}"]


def test_late_is_told_once_and_not_for_each_threshold_that_was_missed(process):
    worker = process(snapshot(key()))
    (said,) = worker.at(ENDS - 5 * DAY)
    assert "in 5 days" in said
    assert worker.at(ENDS - 4 * DAY) == []


def test_a_key_that_is_gone_wants_nothing(process):
    gone = {"retired_at": pki.days(-3), "overlap_until": pki.days(-2), "gone_at": pki.days(-1)}
    assert process(snapshot(key(**gone))).at(ENDS) == []
    (said,) = process(snapshot(key(retired_at=ENDS - DAY))).at(ENDS)
    assert "(overlap)" in said
    assert "its successor has taken over" in said


def test_partners(process):
    old, new = pki.self_signed("CN=old", end=pki.days(7)), pki.self_signed("CN=new", end=pki.days(300))
    partners = (Partner("acme", (old.certificate, new.certificate)), Partner("bank", (OURS.certificate,)))
    worker = process(snapshot(groups=(PinnedGroup("clients", partners),)))
    (said,) = worker.at(pki.NOW)
    what, _, advice = said.partition(" ends on 2026-06-08 12:00 UTC, in 7 days: ")
    assert what == "keys: the certificate CN=old of partner 'acme' in trust group 'clients'"
    assert advice.startswith("a newer one is there")
    assert advice.endswith("take it out of trust/clients")
    ended, said = worker.at(ENDS - 60 * DAY)
    assert "CN=old of partner 'acme' in trust group 'clients' has ended" in ended
    assert said.endswith("ask for the next one and put it beside this one in trust/clients")


def authorities(*lists, root_ends=1000, below_ends=1000):
    root = pki.authority("CN=Root", end=pki.days(root_ends))
    below = root.issue_authority("CN=Sub", end=pki.days(below_ends))
    every = tuple(x509.load_der_x509_crl(root.crl(**one)) for one in lists)
    return AuthorityGroup(
        "bank",
        Authorities((root.certificate,), (below.certificate,)),
        (SubjectRule.of_name("CN=x"),),
        revocation=RevocationLists(every) if lists else None,
    )


def test_authorities(process):
    said = process(snapshot(groups=(authorities(root_ends=30, below_ends=14),))).at(pki.NOW)
    assert [one.partition(" ends on ")[0] for one in said] == [
        "keys: the CA certificate CN=Root of trust group 'bank'",
        "keys: the CA certificate CN=Sub of trust group 'bank'",
    ]
    assert all("put its successor into trust/bank" in one for one in said)


@pytest.mark.parametrize(
    ("life", "days"), [(7, [0]), (14, [0]), (15, [0, 7]), (31, [0, 7, 14]), (400, [0, 7, 14, 30, 60])]
)
def test_lists_are_told_of_in_the_second_half_of_their_life(process, life, days):
    made = {"start": pki.days(0), "end": pki.days(life)}
    worker = process(snapshot(groups=(authorities(made),)))
    told = [left for left in sorted(THRESHOLDS, reverse=True) for _ in worker.at(pki.days(life - left))]
    assert sorted(told) == days


def test_a_new_list_is_another_one(process):
    first, second = ({"start": pki.days(0), "end": pki.days(life)} for life in (2, 3))
    (said,) = process(snapshot(groups=(authorities(first),))).at(pki.days(2))
    assert said.startswith(
        "keys: the revocation list of CN=Root in trust group 'bank' has ended on 2026-06-03"
    )
    worker = process(snapshot(groups=(authorities(second),)))
    assert worker.at(pki.days(2)) == []
    assert len(worker.at(pki.days(3))) == 1


def test_the_certificate_of_https(process, tmp_path):
    file = tmp_path / "server.cert.pem"
    file.write_bytes(OURS.cert_pem)
    assert process(tls=file).at(pki.NOW) == []
    (said,) = process(tls=file).at(ENDS)
    assert "the TLS certificate server.cert.pem (CN=ours) has ended" in said
    file.write_bytes(b"nothing")
    assert process(tls=file).at(ENDS + DAY) == []
    assert process(tls=tmp_path / "none").at(ENDS) == []


def test_https_is_served_where_the_command_has_started_it():
    config = ProviderConfig((), Path("keys"), "memory:")
    assert _served_certificate(config) is None
    config = replace(config, https_url="https://localhost:8443")
    assert _served_certificate(config) == Path("keys/tls/server.cert.pem")
    assert _served_certificate(replace(config, tls_certificate="own.pem")) == Path("keys/own.pem")


def test_one_certificate_in_two_places_is_told_once_with_both(process):
    group = PinnedGroup("clients", (Partner("self", (OURS.certificate,)),))
    other = PinnedGroup("others", (Partner("self", (OURS.certificate,)),))
    (said,) = process(snapshot(key(), groups=(group,)), snapshot(key(), groups=(group, other))).at(ENDS)
    assert said.count("ring 'service'") == said.count("group 'clients'") == said.count("group 'others'") == 1


def test_one_look_an_hour_and_one_after_other_keys_were_taken_over(process):
    worker = process(snapshot(key()))
    assert worker.request() == []
    worker.seconds -= 0.1
    assert worker.at(ENDS) == []
    worker.seconds -= 3600
    worker.watch.again()
    assert len(worker.request()) == 1


def test_a_store_that_does_not_answer(caplog):
    worker = Process(caplog, Away(), snapshot(key()))
    assert worker.at(pki.NOW) == []
    assert len(worker.at(ENDS)) == len(worker.request()) == 1


def test_whatever_goes_wrong_the_request_goes_on(process, caplog):
    worker = process(snapshot(key()))

    def broken():
        raise RuntimeError("broken")

    worker.holdings.add_keys(broken)
    assert worker.at(ENDS) == []
    assert json.loads(caplog.records[-1].getMessage())["where"] == "watch"
