"""What rings and trust groups say of renewals: periods, assignments, requests, terms; good ones and mistakes."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.simulator import pki
from wsprovider.adapters.keys.folder import Loaded, load_snapshot
from wsprovider.keyring.trust import PeerPurpose
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.limits import Limits

OLD, NEW = pki.self_signed("CN=old"), pki.self_signed("CN=new", end=pki.days(200))
ACME, ACME_NEW = pki.self_signed("CN=acme"), pki.self_signed("CN=acme new")
ENTRY = '[[key]]\nname = "{0}"\npurposes = ["sign", "decrypt"]\nkey = "{0}.key"\ncertificate = "{0}.pem"\n'


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    ring, group = tmp_path / "service", tmp_path / "trust" / "clients"
    ring.mkdir()
    group.mkdir(parents=True)
    for name, holder in (("old", OLD), ("new", NEW)):
        (ring / f"{name}.pem").write_bytes(holder.cert_pem)
        (ring / f"{name}.key").write_bytes(holder.key_pem)
        (ring / f"{name}.key").chmod(0o600)
    (group / "acme.pem").write_bytes(ACME.cert_pem)
    (group / "acme.x.pin").write_bytes(ACME_NEW.cert_pem)
    write(tmp_path, ENTRY.format("old"))
    return tmp_path


def write(keys: Path, ring: str = "", trust: str = "") -> None:
    if ring:
        (keys / "service" / "ring.toml").write_text(ring)
    if trust:
        (keys / "trust" / "clients" / "trust.toml").write_text(f'kind = "pinned"\n{trust}')


def load(keys: Path, day: float = 0) -> Loaded:
    return load_snapshot(keys, "service", ["clients"], limits=Limits(), now=pki.days(day), environ={})


def day(number: float) -> str:
    return f"{pki.days(number):%Y-%m-%dT%H:%M:%SZ}"


def test_periods(keys):
    dates = f"retired_at = {day(1)}\n"
    later = f"active_from = {day(1)}\n"
    write(
        keys, f'overlap = "2h"\nretention = "100d"\n{ENTRY.format("old")}{dates}{ENTRY.format("new")}{later}'
    )
    span = load(keys).snapshot.ring.keys[0].lifespan
    assert span.end_of_overlap == pki.days(1) + timedelta(hours=2)
    assert span.end_of_retention == pki.days(101) + timedelta(hours=2)
    assert span.kept == timedelta(days=100, hours=2)


@pytest.mark.parametrize(
    ("retention", "warned"), [("90d", False), ("2159h", False), ("86d", True), ("0s", True)]
)
def test_a_short_retention_is_warned_of(keys, retention, warned):
    """The overlap counts: the key decrypts in it."""
    dates, later = f"retired_at = {day(1)}\n", f"active_from = {day(1)}\n"
    periods = f'overlap = "1h"\nretention = "{retention}"\n'
    write(keys, f"{periods}{ENTRY.format('old')}{dates}{ENTRY.format('new')}{later}")
    said = [str(one) for one in load(keys).warnings if "less than 90 days" in str(one)]
    assert bool(said) is warned


def test_assignments_and_requests(keys):
    request = '[[request]]\nname = "r"\npurposes = ["sign"]\nkey = "r.key"\nrequest = "r.csr"\n'
    partner = f'[[partner]]\nname = "acme"\nkey = "new"\nactive_from = {day(1)}\n'
    write(keys, ENTRY.format("old") + ENTRY.format("new") + f"active_from = {day(5)}\n" + request + partner)
    ring = load(keys).snapshot.ring
    assert [key.pair.name for key in ring.keys] == ["old", "new"], "a request is no key"
    assert ring.signing_key(pki.days(1), partner="acme").name == "new"
    assert ring.signing_key(pki.days(0.9), partner="acme").name == "old"


def test_terms(keys):
    write(
        keys,
        trust=(
            '[[partners.acme.certificate]]\nfile = "acme.x.pin"\npurposes = ["verify"]\n'
            f"encrypts_from = {day(2)}\ngone_at = {day(9)}\n"
        ),
    )
    (partner,) = load(keys).snapshot.partners
    assert len(partner.certificates) == 2
    pin = partner.pin(ACME_NEW.certificate)
    assert (pin.purposes, pin.encrypts_from, pin.gone_at) == (
        {PeerPurpose.VERIFY},
        pki.days(2),
        pki.days(9),
    )
    assert partner.pin(ACME.certificate).purposes == set(PeerPurpose)


def test_a_pin_counts_when_it_is_named(keys):
    (partner,) = load(keys).snapshot.partners
    assert partner.certificates == (ACME.certificate,)


def test_what_is_ignored(keys):
    write(keys, trust='ignored = ["acme.pem", "never-was.pem"]\n')
    assert load(keys).snapshot.partners == ()


@pytest.mark.parametrize(
    ("ring", "says"),
    [
        ('overlap = "soon"\n', "overlap: must be a number and s, m, h or d"),
        ("overlap = 30\n", "overlap: must be a number"),
        ('retention = "-1d"\n', "retention: must be a number"),
        ('[[partner]]\nname = "acme"\n', "key: is missing"),
        ('[[partner]]\nname = "acme"\nkey = "nobody"\n', "'nobody'"),
        ('[[partner]]\nkey = "old"\n', "name: is missing"),
        ('[[partner]]\nname = "acme"\nkey = "old"\nsince = 1\n', "since: is not known here"),
        ('[[request]]\nname = "r"\npurposes = ["sign"]\nkey = "r.key"\n', "request: is missing"),
        ('[[request]]\nname = "r"\npurposes = ["seal"]\nkey = "k"\nrequest = "c"\n', "'seal' is none of"),
        (ENTRY.format("new") + f"active_from = {day(201)}\n", "expired on"),
    ],
)
def test_mistakes_in_a_ring(keys, ring, says):
    tables = ring.startswith("[[")
    write(keys, ENTRY.format("old") + ring if tables else ring + ENTRY.format("old"))
    with pytest.raises(ConfigurationError) as refused:
        load(keys)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("trust", "says"),
    [
        ("[[partners.acme.certificate]]\n", "file: is missing"),
        ('[[partners.acme.certificate]]\nfile = "none.pem"\n', "none.pem does not exist"),
        ('[[partners.acme.certificate]]\nfile = "acme.pem"\npurposes = ["sign"]\n', "'sign' is none of"),
        ('[[partners.acme.certificate]]\nfile = "acme.pem"\ngone_at = "soon"\n', "gone_at: must be a date"),
        ('[[partners.acme.certificate]]\nfile = "acme.pem"\nfrom = 1\n', "from: is not known here"),
        ('ignored = "acme.pem"\n', "ignored: must be a list"),
    ],
)
def test_mistakes_in_a_trust_group(keys, trust, says):
    write(keys, trust=trust)
    with pytest.raises(ConfigurationError) as refused:
        load(keys)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f'[[partner]]\nname = "acme"\nkey = "new"\nactive_from = {day(1)}\n'),
        ("", '[[partner]]\nname = "acme"\nkey = "new"\n'),
    ],
)
def test_a_snapshot_with_other_assignments_is_another(keys, before, after):
    tables = ENTRY.format("old") + ENTRY.format("new") + f"active_from = {day(5)}\n"
    versions = set()
    for more in (before, after):
        write(keys, tables + more)
        versions.add(load(keys).snapshot.version)
    assert len(versions) == 2


def test_a_snapshot_with_other_terms_is_another(keys):
    versions = set()
    for more in ("", f"encrypts_from = {day(1)}\n", f"gone_at = {day(1)}\n", 'purposes = ["verify"]\n'):
        write(keys, trust=f'[[partners.acme.certificate]]\nfile = "acme.pem"\n{more}')
        versions.add(load(keys).snapshot.version)
    assert len(versions) == 4
