# ruff: noqa: N805 - Spyne hands its operations ctx
"""What ``/metrics`` and ``/healthz`` say of keys."""

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from spyne import ServiceBase, Unicode, rpc

from tests.simulator import pki
from tests.simulator.world import BOTH
from tests.unit.server.plain import call, serve
from wsprovider.adapters.shared.memory import MemoryStore
from wsprovider.exchange.sightings import Sightings
from wsprovider.keyring.lifecycle import Lifespan
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.revocation import RevocationLists
from wsprovider.keyring.ring import Ring, RingKey, RingSnapshot
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Partner, PinnedGroup, Trust
from wsprovider.keyring.uses import Case, Role, Use
from wsprovider.server import metrics_keys
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.server.holdings import Holdings
from wsprovider.words.errors import BackendError
from wsprovider.words.limits import Limits

OLD, NEW = pki.self_signed("CN=old", end=pki.days(10)), pki.self_signed("CN=new", end=pki.days(100.5))
PARTNER = pki.self_signed("CN=partner", end=pki.days(20))
ROOT = pki.authority("CN=Root", end=pki.days(30))
GONE = {"retired_at": pki.days(-3), "overlap_until": pki.days(-2), "gone_at": pki.days(-1)}
GET = {"REQUEST_METHOD": "GET", "CONTENT_LENGTH": None}


class Source:
    def __init__(self, *, failed=False):
        self.failed = failed
        keys = (
            RingKey(OLD.pair("2025"), BOTH, Lifespan(**GONE)),
            RingKey(NEW.pair("2026"), BOTH),
        )
        lists = (ROOT.crl(start=pki.days(-2), end=pki.days(5)), ROOT.crl(start=pki.days(-1), end=pki.days(6)))
        groups = (
            PinnedGroup("clients", (Partner('ac"me', (PARTNER.certificate,)),)),
            AuthorityGroup(
                "bank",
                Authorities((ROOT.certificate,)),
                (SubjectRule.of_name("CN=x"),),
                revocation=RevocationLists(tuple(map(x509.load_der_x509_crl, lists))),
            ),
        )
        self.snapshot = RingSnapshot(Ring("service", keys), Trust(groups, Limits()), "1")

    def __call__(self):
        return self.snapshot


def holdings(*sources):
    made = Holdings()
    for source in sources:
        made.add_keys(source)
    return made


def samples(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_gauges():
    told = metrics_keys.text(holdings(Source(), Source()), None, frozenset(), pki.NOW)
    partner, root = PARTNER.certificate.fingerprint, ROOT.certificate.fingerprint
    assert samples(told) == [
        'wsprovider_key_expiry_days{ring="service",key="2026",state="active"} 100.5',
        f'wsprovider_partner_certificate_expiry_days{{group="clients",partner="ac\\"me",fingerprint="{partner}"}} 20',
        f'wsprovider_authority_expiry_days{{group="bank",fingerprint="{root}"}} 30',
        'wsprovider_crl_age_days{group="bank",issuer="CN=Root"} 2',
        'wsprovider_crl_next_update_days{group="bank",issuer="CN=Root"} 5',
        "wsprovider_keys_refused 0",
    ]
    assert told.count("# TYPE ") == told.count("# HELP ") == 6
    assert told.endswith("\n")


def test_where_there_are_no_keys():
    assert samples(metrics_keys.text(Holdings(), (), frozenset(), pki.NOW)) == ["wsprovider_keys_refused 0"]


def test_last_uses_of_what_is_configured_only():
    store = MemoryStore()
    sightings = Sightings(store, monotonic=lambda: 0.0)
    stranger = pki.self_signed("CN=stranger").certificate
    later = pki.NOW + timedelta(hours=1)
    decrypted = Use(Case.DECRYPT, "a", NEW.certificate)
    verified = Use(Case.VERIFY, "a", PARTNER.certificate)
    sightings.note("echo", (decrypted, verified), pki.NOW)
    sightings.note(
        "echo", (Use(Case.DECRYPT, "b", NEW.certificate), Use(Case.VERIFY, "evil", stranger)), later
    )
    sightings.note("removed", (verified,), later)
    Sightings(store, role=Role.CONSUMER, monotonic=lambda: 0.0).note("echo", (verified,), later)
    told = metrics_keys.text(holdings(Source()), sightings.seen(pki.NOW), frozenset({"echo"}), pki.NOW)
    name, first, second = "wsprovider_key_last_use_timestamp_seconds", pki.NOW.timestamp(), later.timestamp()
    assert [line for line in samples(told) if "last_use" in line] == [
        f'{name}{{case="decrypt",service="echo",name="service/2026"}} {second:.0f}',
        f'{name}{{case="verify",service="echo",name="clients/ac\\"me"}} {first:.0f}',
    ]


def test_refused_sources_are_counted():
    made = holdings(Source(failed=True), Source())
    made.add(SimpleNamespace(failed=True))
    assert "wsprovider_keys_refused 2" in metrics_keys.text(made, None, frozenset(), pki.NOW)


def test_they_stand_behind_the_others():
    served = serve(publish_metrics=True, key_metrics=lambda: "wsprovider_more 1\n")
    told = served.raw(b"", PATH_INFO="/metrics", **GET).data.decode()
    assert told.endswith("\nwsprovider_more 1\n")
    assert "wsprovider_request_seconds_total" in told


@pytest.mark.parametrize(
    ("wrong", "failing", "status", "code"),
    [(False, False, "ok", 200), (True, False, "degraded", 200), (True, True, "failing", 503)],
)
def test_degraded_is_not_failing(wrong, failing, status, code):
    def check():
        if failing:
            raise BackendError("away")

    served = serve(degraded={"keys": lambda: wrong}, health={"store": check})
    response = served.raw(b"", PATH_INFO="/healthz", **GET)
    answer = json.loads(response.data)
    assert (response.status, answer["status"]) == (code, status)
    assert answer["degraded"] == (["keys"] if wrong else [])
    assert answer["failed"] == (["store"] if failing else [])


# the whole of it, as create_app makes it


class Echo(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        return text


class Running:
    """An application over a keys folder of its own, and its seconds."""

    def __init__(self, keys, tmp_path, monkeypatch, *, settings=None, **options):
        self.seconds = 0.0
        # looked at by the sources of keys; users are followed by the machine's clock, once a second
        clock = SimpleNamespace(monotonic=lambda: self.seconds)
        monkeypatch.setattr("wsprovider.server.create.time", clock)
        self.folder = tmp_path / "keys"
        shutil.copytree(keys, self.folder)
        usual = {"path": "/echo", "scenario": 8, "trust": ["clients"], "users": "users.toml"}
        endpoint = {"path": "/echo", **(settings or usual)}
        declared = Service("echo", [Echo], {"namespace": "urn:echo", **endpoint})
        self.app = create_app([declared], keys=self.folder, shared="memory:", metrics=True, **options)

    def get(self, path):
        self.seconds += 10
        return call(self.app, b"", PATH_INFO=path, **GET)

    def health(self):
        response = self.get("/healthz")
        answer = json.loads(response.data)
        return response.status, answer["status"], answer["degraded"]

    def put(self, name, text):
        staged = self.folder / "staged"
        staged.write_text(text)
        staged.chmod(0o600)
        staged.replace(self.folder / name)

    def refused(self):
        (line,) = (one for one in samples(self.get("/metrics").data.decode()) if "keys_refused" in one)
        return int(line.split()[-1])


@pytest.fixture
def running(development_keys, tmp_path, monkeypatch):
    made = Running(development_keys, tmp_path, monkeypatch)
    yield made
    made.app.close()


OK, DEGRADED = (200, "ok", []), (200, "degraded", ["keys"])


def test_a_broken_ring_degrades_until_a_good_one_is_there(running, caplog):
    good = (running.folder / "service" / "ring.toml").read_text()
    assert running.health() == OK
    assert running.refused() == 0
    running.put("service/ring.toml", "broken")
    assert running.health() == running.health() == DEGRADED
    assert running.refused() == 1
    assert caplog.text.count("the old ones stay in force") == 1
    running.put("service/ring.toml", good)
    assert running.health() == OK
    assert running.refused() == 0


def test_a_ring_whose_key_the_policy_cannot_use_is_a_broken_one(
    development_keys, tmp_path, monkeypatch, caplog
):
    present = datetime.now(UTC)
    settings = {"scenario": 2, "trust": ["clients"], "suite": "Basic256", "rsa_sha1": True}
    running = Running(development_keys, tmp_path, monkeypatch, settings=settings)
    good = (running.folder / "service" / "ring.toml").read_text()
    curved = pki.self_signed(
        "CN=curved", key=pki.key("ec-p256"), start=present, end=present + timedelta(days=9)
    )
    for name, content in (("ec.pem", curved.cert_pem), ("ec.key", curved.key_pem)):
        running.put(f"service/{name}", content.decode())
    entry = '[[key]]\nname = "ec"\npurposes = ["sign"]\nkey = "ec.key"\ncertificate = "ec.pem"\n'
    running.put("service/ring.toml", f"{good}\n{entry}")
    assert running.health() == DEGRADED
    assert "no signature method for the kind of its key" in caplog.text
    running.put("service/ring.toml", good)
    assert running.health() == OK
    running.app.close()


def test_that_nobody_is_trusted_any_more_is_taken_over(running):
    for file in (running.folder / "trust" / "clients").iterdir():
        file.unlink()
    assert running.health() == OK
    told = running.get("/metrics").data.decode()
    assert "wsprovider_partner_certificate_expiry_days{" not in told


def test_a_broken_file_of_users_degrades_until_a_good_one_is_there(running, caplog):
    good = (running.folder / "users.toml").read_text()
    running.put("users.toml", "broken")
    time.sleep(1.1)
    assert running.health() == running.health() == DEGRADED
    assert caplog.text.count("users: the old ones stay in force") == 1
    running.put("users.toml", good)
    time.sleep(1.1)
    assert running.health() == OK


def test_what_the_application_tells_of_its_keys(running):
    told = running.get("/metrics").data.decode()
    names = {line.partition("{")[0].partition(" ")[0] for line in samples(told)}
    assert {"wsprovider_key_expiry_days", "wsprovider_keys_refused"} <= names
    assert 'wsprovider_key_expiry_days{ring="service"' in told


def test_uses_are_left_out_when_the_store_does_not_answer(running, caplog):
    running.app.close()
    told = running.get("/metrics").data.decode()
    assert "wsprovider_key_expiry_days" in told
    assert "last_use" not in told
    assert caplog.text.count("metrics: uses of keys") == 1


def test_the_application_watches_and_looks_again_after_a_swap(running, caplog, monkeypatch):
    running.get("/healthz")
    assert "ends on" not in caplog.text
    moment = datetime.now(UTC) + timedelta(days=100_000)
    monkeypatch.setattr(running.app._watch.func.__self__, "_clock", lambda: moment)
    running.get("/healthz")
    assert "has ended" not in caplog.text
    ring = (running.folder / "service" / "ring.toml").read_text()
    running.put("service/ring.toml", f"# another\n{ring}")
    running.get("/healthz")  # takes it over
    running.get("/healthz")
    assert caplog.text.count("of ring 'service' has ended on") == 1
