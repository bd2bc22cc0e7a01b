"""What a hostile reading of key renewal found; each test says what should be, and failed when it was written."""

import contextlib
import errno
import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from tests.simulator import pki
from tests.simulator.keys_site import ROOT, KeysSite
from wsprovider.adapters.keys import audit, changing, pem
from wsprovider.adapters.keys.folder import load
from wsprovider.adapters.keys.making import certificates_pem, self_signed, subject_of
from wsprovider.adapters.keys.reading import Reader
from wsprovider.adapters.keys.source import SnapshotSource
from wsprovider.exchange import sightings as wire
from wsprovider.exchange.renewal import Progress, of_our_key
from wsprovider.exchange.sightings import Sighting
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, KeyState, Lifespan
from wsprovider.keyring.ring import Purpose, Ring, RingKey
from wsprovider.keyring.uses import Case, Role, Use
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.limits import Limits


@pytest.fixture
def site(tmp_path: Path, development_keys: Path) -> KeysSite:
    return KeysSite.make(tmp_path / "project", development_keys)


def present(days: float = 0) -> datetime:
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


def issued(name: str, **bend: object) -> pki.Holder:
    ca = pki.authority("CN=Present CA", start=present(-900), end=present(900))
    return ca.issue(f"CN={name}", **{"start": present(-100), "end": present(300), **bend})


def dated(site: KeysSite, lines: str) -> None:
    """Dates of the first key (``development``) by hand, as the format allows."""
    path = site.ring / "ring.toml"
    head, found, tail = path.read_text().partition('[[key]]\nname = "development"\n')
    assert found
    path.write_text(f"{head}{found}{lines}\n{tail}")


def undated(site: KeysSite) -> None:
    """No key is retired any more: both are ACTIVE."""
    path = site.ring / "ring.toml"
    lines = [one for one in path.read_text().splitlines() if not one.startswith("retired_at")]
    path.write_text("\n".join(lines) + "\n")


# dates ------------------------------------------------------------------------------------------


def test_mere_dates_mean_the_same_to_commands_as_to_servers(site):
    """A compromised key, its dates written by hand as TOML dates, came back to life with the next activation."""
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    undated(site)
    day = f"{present(-1):%Y-%m-%d}"
    dated(site, f"retired_at = {day}\noverlap_until = {day}\ngone_at = {day}")
    assert site.states()["development"] == "gone"
    site.run("keys", "new", "c")
    assert site.run("keys", "activate", "c") == 0
    assert site.states()["development"] == "gone"


def test_remove_and_servers_agree_on_what_is_gone(site):
    """The server says OVERLAP (dates without time), the command says GONE and deletes key and files."""
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    undated(site)
    dated(
        site,
        f"retired_at = {present(-300):%Y-%m-%dT%H:%M:%SZ}\n"
        f"overlap_until = {present(30):%Y-%m-%d}\ngone_at = {present(200):%Y-%m-%d}",
    )
    assert site.states()["development"] == "overlap"
    assert site.run("keys", "remove", "development") == 2
    assert "development" in site.states()


def test_retiring_in_the_past_keeps_the_retention(site):
    """A wrong year: the key that everybody encrypts to is GONE at once, and its files may be deleted."""
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    code = site.run("keys", "retire", "development", "--at", "2020-01-01")
    assert code == 2 or site.states()["development"] == "overlap"


def test_activating_in_the_past_keeps_what_was_in_duty(site):
    site.run("keys", "new", "b")
    code = site.run("keys", "activate", "b", "--at", "2020-01-01")
    assert code == 2 or site.states()["development"] == "overlap"


def test_an_activation_does_not_lengthen_a_life_that_was_cut_short(site):
    """`retire --compromised --at` says when it ends; another activation before gave it 120 days more."""
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    site.run("keys", "activate", "development")
    # both ACTIVE from here on: b again by hand
    undated(site)
    assert set(site.states().values()) == {"active"}
    assert site.run("keys", "retire", "development", "--compromised", "--at", "+2d") == 0
    gone = site.entry("development")["gone_at"]
    assert site.run("keys", "activate", "b") == 0
    assert site.entry("development").get("gone_at") is not None
    assert site.entry("development")["gone_at"] <= gone


def test_a_planned_day_can_be_put_off(site, capsys):
    """Postponing leaves a gap that is refused, and nothing says how to do it."""
    site.run("keys", "new", "b")
    assert site.run("keys", "activate", "b", "--at", "+10d") == 0
    capsys.readouterr()
    code = site.run("keys", "activate", "b", "--at", "+20d")
    assert code == 0 or "keys activate development" in capsys.readouterr().err


def test_a_compromised_key_is_compromised_under_every_name(site):
    """`certificate --as` gives one private key two entries; the other one goes on signing."""
    again = site.folder / "again.pem"
    entry = site.entry("development")
    key = load_pem_private_key((site.ring / entry["key"]).read_bytes(), None)
    made = self_signed(
        key, subject_of("CN=again"), purposes=frozenset(Purpose), begins=present(-1), ends=present(300)
    )
    again.write_bytes(certificates_pem((made,)))
    assert site.run("keys", "certificate", "development", again, "--as", "again") == 0
    assert site.run("keys", "activate", "again") == 0
    code = site.run("keys", "retire", "development", "--compromised")
    spki = made.spki
    alive = [
        one.pair.name
        for one in site.loaded().snapshot.ring.keys
        if one.pair.certificate.spki == spki and one.lifespan.state(datetime.now(UTC)) is not KeyState.GONE
    ]
    assert code == 2 or alive == []


# what a server would make of it -----------------------------------------------------------------


def sealing_load(site: KeysSite, now: datetime | None = None):
    return load(
        Reader(site.keys, {}), "service", (), limits=Limits(), now=now or datetime.now(UTC), sealing=True
    )


def test_a_seal_key_cannot_be_retired_into_a_ring_that_servers_refuse(site):
    """The command says done, every server with conversations says no, and none starts again."""
    sealing_load(site)
    (seal,) = site.toml()["seal"]
    code = site.run("keys", "retire", seal["name"], "--seal", "--at", "+5d")
    assert code == 2 or sealing_load(site)


@pytest.mark.parametrize("days", [6, 200])
def test_a_ring_that_was_accepted_still_loads_on_the_day(site, days):
    """A decrypting key ends without a successor: the ring loads today, and no server starts after the day."""
    # as by hand or by `new`: one key signs, one decrypts
    site.run("keys", "new", "s", "--purpose", "sign", "--kind", "ec-p256", "--days", "900")
    site.run("keys", "activate", "s")
    code = site.run("keys", "retire", "development", "--at", "+5d")
    assert code == 2 or site.loaded(present(days))


def test_the_advised_command_makes_a_seal_key_where_none_is_active(site):
    path = site.ring / "ring.toml"
    text = path.read_text()
    head, _, tail = text.partition("[[seal]]")
    path.write_text(f"{head}[[seal]]\nretired_at = {present(-1):%Y-%m-%dT%H:%M:%SZ}{tail}")
    with pytest.raises(ConfigurationError, match="seal"):
        sealing_load(site)
    assert site.run("keys", "new", "2099", "--purpose", "seal") == 0
    sealing_load(site)


@pytest.mark.parametrize(
    "line",
    ["active_from = 0001-01-01T00:00:00+14:00", "retired_at = 9999-12-31T23:59:59-14:00"],
)
def test_no_date_breaks_out_of_the_reload(site, line):
    """A broken new ring is refused loudly; this one raised out of a message, and was then silently ignored."""
    told: list[ConfigurationError] = []
    clock = itertools.count(0, 10)
    source = SnapshotSource(
        site.keys,
        "service",
        ["clients"],
        limits=Limits(),
        environ={},
        clock=lambda: datetime.now(UTC),
        monotonic=lambda: float(next(clock)),
        on_failure=told.append,
    )
    dated(site, line)
    source()
    assert told
    assert source.failed


def test_a_certificate_of_a_kind_that_is_not_used_is_a_problem_of_the_ring(site):
    key = ed448.Ed448PrivateKey.generate()
    name = x509.Name.from_rfc4514_string("CN=odd")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(present(-1))
        .not_valid_after(present(9))
        .sign(key, None)
    )
    told: list[ConfigurationError] = []
    clock = itertools.count(0, 10)
    source = SnapshotSource(
        site.keys,
        "service",
        ["clients"],
        limits=Limits(),
        environ={},
        clock=lambda: datetime.now(UTC),
        monotonic=lambda: float(next(clock)),
        on_failure=told.append,
    )
    (site.ring / "development.cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    source()
    assert told


@pytest.mark.parametrize("overlap", ["30 days", "1w"])
def test_a_bad_period_is_a_problem_and_no_traceback(site, overlap):
    path = site.ring / "ring.toml"
    path.write_text(f'overlap = "{overlap}"\n{path.read_text()}')
    assert site.run("keys", "new", "b", "--subject", "CN=b") == 2


@pytest.mark.parametrize("words", [("--overlap", "999999999d"), ("--at", "0001-01-01T00:00:00+14:00")])
def test_no_length_of_time_is_a_traceback(site, words):
    site.run("keys", "new", "b")
    try:
        code = site.run("keys", "activate", "b", *words)
    except SystemExit as error:
        code = error.code
    assert code in (0, 2)


def test_a_command_loads_what_services_load(site):
    """Each group alone is in order; together, as a service trusts them, they are refused for good."""
    acme = issued("acme")
    (site.keys / "trust" / "clients" / "acme.pem").write_bytes(acme.cert_pem)
    service = site.folder / "services" / "echo" / "service.toml"
    service.write_text(service.read_text().replace('trust = ["clients"]', 'trust = ["clients", "others"]'))
    file = site.folder / "again.pem"
    file.write_bytes(acme.cert_pem)
    code = site.run("keys", "trust", "add", file, "--partner", "somebody", "--group", "others")
    assert code == 2 or load(
        Reader(site.keys, {}), "service", ("clients", "others"), limits=Limits(), now=present()
    )


def test_a_command_asks_the_limits_of_services(site):
    """A key that is too long for the service: made, active in a week, and no server takes the ring over."""
    service = site.folder / "services" / "echo" / "service.toml"
    service.write_text(service.read_text() + "[limits]\nrsa_bits_maximum = 2048\n")
    code = site.run("keys", "new", "b", "--kind", "rsa-3072")
    limits = replace(Limits(), rsa_bits_maximum=2048)
    assert code == 2 or load(Reader(site.keys, {}), "service", (), limits=limits, now=present())


def test_a_write_shows_no_secret():
    """House rule: no secret in a repr."""
    assert "SECRET" not in repr(changing._Write(Path("x"), b"SECRET", secret=True))


# files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../outside", "a/b", "../tls/more"])
def test_a_key_stays_in_its_ring(site, name):
    """`new --csr` wrote the private key elsewhere, and the ring named a file that is not there."""
    before = site.files()
    assert site.run("keys", "new", name, "--csr") == 2
    assert site.files() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_follows_no_link_of_the_service_user(site, tmp_path):
    """The folder is the service user's; root's next command made him the owner of any new file of the system."""
    target = tmp_path / "ld.so.preload"
    for one in (site.keys, *site.keys.rglob("*")):
        os.chown(one, 4242, 4243)
    (site.keys / "audit.log").symlink_to(target)
    site.run("keys", "new", "b")
    assert not target.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_lock_is_the_folder_owners(site):
    """Made by root it is root's: the owner's own commands are refused from then on."""
    for one in (site.keys, *site.keys.rglob("*")):
        os.chown(one, 4242, 4243)
    assert site.run("keys", "new", "b") == 0
    assert (site.keys / ".lock").stat().st_uid == 4242


def test_public_files_keep_who_may_read_them(site):
    """An operator of the server's group pins a certificate, and the server cannot read the group any more."""
    trust = site.keys / "trust" / "clients" / "trust.toml"
    if not trust.exists():
        trust.write_text('kind = "pinned"\n')
    trust.chmod(0o640)
    file = site.folder / "acme.pem"
    file.write_bytes(issued("acme").cert_pem)
    assert site.run("keys", "trust", "add", file, "--partner", "acme") == 0
    assert trust.stat().st_mode & 0o777 == 0o640


def test_a_name_that_was_removed_can_be_used_again(site):
    """`trust remove` leaves the file's name under `ignored`: a new certificate under it counts for nobody, silently."""
    folder = site.keys / "trust" / "clients"
    (folder / "acme.pem").write_bytes(issued("acme").cert_pem)
    old = fingerprint(folder / "acme.pem")
    assert site.run("keys", "trust", "remove", old, "--partner", "acme", "--unseen") == 0
    new = issued("acme-2")
    (folder / "acme.pem").write_bytes(new.cert_pem)
    loaded = site.loaded()
    known = [one.name for one in loaded.snapshot.partners]
    assert "acme" in known or any("acme.pem" in str(one) for one in loaded.warnings)


def fingerprint(file: Path) -> str:
    return pem.load_certificates(file.read_bytes())[0].fingerprint


def test_a_gone_key_whose_files_were_deleted_can_be_removed(site):
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    assert site.run("keys", "retire", "development", "--compromised") == 0
    (site.ring / site.entry("development")["key"]).unlink()
    site.loaded()
    assert site.run("keys", "remove", "development", "--unseen") == 0


@pytest.mark.parametrize(
    "before",
    [
        '[partners]\nacme = {roles = ["x"]}\n',
        'partners.acme.roles = ["x"]\n',
        '[partners]\nacme.roles = ["x"]\n',
        '[partners."acme"]\nroles = ["x"]\n',
        '[[partners.acme.certificate]]\nfile = "client-9.pem"\n[partners.acme]\nroles = ["x"]\n',
        '[partners.acme]\r\nroles = ["x"]\r\n',
    ],
    ids=["inline", "dotted", "half-dotted", "quoted", "child-first", "crlf"],
)
def test_every_spelling_of_a_partner_can_be_edited(site, before):
    """A pin is added, or refused with advice; never a traceback, never roles that are lost."""
    folder = site.keys / "trust" / "clients"
    first, second = issued("acme"), issued("acme-2")
    (folder / "client-9.pem" if "client-9" in before else folder / "acme.pem").write_bytes(first.cert_pem)
    path = folder / "trust.toml"
    head = 'kind = "pinned"\n'
    path.write_bytes((head + before).encode())
    site.loaded()
    file = site.folder / "second.pem"
    file.write_bytes(second.cert_pem)
    code = site.run("keys", "trust", "add", file, "--partner", "acme")
    if code == 2:
        return
    assert code == 0
    (acme,) = (one for one in site.loaded().snapshot.partners if one.name == "acme")
    assert len(acme.certificates) == 2
    assert acme.roles >= {"x"}


@pytest.mark.parametrize("partner", ["a.b", "ä ö", "", "a\nb", 'a"b', "a/../b"])
def test_every_name_of_a_partner_survives(site, partner):
    file = site.folder / "second.pem"
    file.write_bytes(issued("second").cert_pem)
    code = site.run("keys", "trust", "add", file, "--partner", partner)
    assert code in (0, 2)
    if code == 0:
        assert partner in [one.name for one in site.loaded().snapshot.partners]


def test_keys_apart_in_the_file_are_all_known(site):
    """[[key]], [[seal]], [[key]]: valid TOML in any order."""
    site.run("keys", "new", "b")
    path = site.ring / "ring.toml"
    blocks = path.read_text().split("\n\n")
    keys = [one for one in blocks if one.startswith("[[key]]")]
    others = [one for one in blocks if not one.startswith("[[key]]")]
    path.write_text("\n\n".join([*others[:1], keys[0], *others[1:], *keys[1:]]))
    before = site.states()
    assert site.run("keys", "activate", "b") == 0
    assert set(site.states()) == set(before)
    assert site.states()["development"] == "overlap"


def test_purposes_that_are_none_are_not_all(site):
    """`purposes = []` of a ring is refused; of a pin it meant verify and encrypt."""
    folder = site.keys / "trust" / "clients"
    (folder / "acme.pin").write_bytes(issued("acme").cert_pem)
    path = folder / "trust.toml"
    text = path.read_text() if path.exists() else 'kind = "pinned"\n'
    path.write_text(text + '\n[[partners.acme.certificate]]\nfile = "acme.pin"\npurposes = []\n')
    with pytest.raises(ConfigurationError, match="purposes"):
        site.loaded()


def test_a_compromised_pin_is_not_vouched_for_again(site):
    """With the pin's file gone, a CA group of the same service judges the very certificate, and accepts it."""
    ca = pki.authority("CN=Bank CA", start=present(-900), end=present(900))
    acme = ca.issue("CN=acme", start=present(-9), end=present(90))
    (site.keys / "trust" / "clients" / "acme.pem").write_bytes(acme.cert_pem)
    bank = site.keys / "trust" / "bank"
    bank.mkdir()
    (bank / "ca.pem").write_bytes(ca.cert_pem)
    (bank / "trust.toml").write_text('kind = "ca"\nanchors = ["ca.pem"]\nsubjects = [{CN = "acme*"}]\n')
    words = ("keys", "trust", "remove", acme.certificate.fingerprint, "--partner", "acme", "--compromised")
    assert site.run(*words) == 0
    loaded = load(Reader(site.keys, {}), None, ("clients", "bank"), limits=Limits(), now=present())
    with pytest.raises(WSSecurityError):
        loaded.snapshot.trust(acme.certificate, (), present())


@pytest.mark.parametrize("groups", [("one", "two"), ("two", "one")])
def test_a_pin_that_is_gone_is_gone_in_whatever_order(site, groups):
    """One certificate in two groups, with an end in one of them: the group named last decided."""
    acme = issued("acme")
    for name in ("one", "two"):
        folder = site.keys / "trust" / name
        folder.mkdir()
        (folder / "acme.pem").write_bytes(acme.cert_pem)
    (site.keys / "trust" / "one" / "trust.toml").write_text(
        'kind = "pinned"\n[[partners.acme.certificate]]\nfile = "acme.pem"\n'
        f"gone_at = {present(-1):%Y-%m-%dT%H:%M:%SZ}\n"
    )
    loaded = load(Reader(site.keys, {}), None, groups, limits=Limits(), now=present())
    with pytest.raises(WSSecurityError):
        loaded.snapshot.trust(acme.certificate, (), present())


def test_an_assignment_that_comes_twice_is_refused(site):
    """Servers took the first of two assignments of one moment, commands the last."""
    site.run("keys", "new", "b")
    path = site.ring / "ring.toml"
    both = "".join(f'\n[[partner]]\nname = "client-1"\nkey = "{one}"\n' for one in ("b", "development"))
    path.write_text(path.read_text() + both)
    with pytest.raises(ConfigurationError, match="client-1"):
        site.loaded()


def test_a_file_of_another_ring_stays(site):
    """`remove` looks for other users of a file in its own ring only."""
    site.run("keys", "new", "b")
    other = site.keys / "other"
    other.mkdir()
    (other / "ring.toml").write_text(
        '[[key]]\nname = "x"\npurposes = ["sign", "decrypt"]\n'
        'key = "../service/b.key.pem"\ncertificate = "../service/b.cert.pem"\n'
    )
    load(Reader(site.keys, {}), "other", (), limits=Limits(), now=present())
    site.run("keys", "remove", "b")
    load(Reader(site.keys, {}), "other", (), limits=Limits(), now=present())


# the terminal -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["add", "list", "history"])
def test_no_subject_writes_to_the_terminal_what_it_likes(site, capsys, command):
    """What is asked to be compared, the fingerprint, could be painted over by the certificate itself."""
    file = site.folder / "evil.pem"
    painted = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme\x1b[2K\r\x07done, SHA-256 0000\n")])
    file.write_bytes(issued("acme", subject_name=painted).cert_pem)
    capsys.readouterr()
    assert site.run("keys", "trust", "add", file, "--partner", "acme") == 0
    if command != "add":
        capsys.readouterr()
        site.run("keys", command)
    said = capsys.readouterr()
    shown = (said.out + said.err).replace("\n", "")
    assert shown.isprintable(), repr(shown)


def test_no_caller_writes_to_the_terminal_what_they_like(site, capsys):
    """A partner's name in the store may be a subject that a CA's customer chose."""
    use = Use(Case.DECRYPT, "CN=x\x1b]0;owned\x07", site.certificate("development.cert.pem"))
    site.see(use)
    site.run("keys", "new", "b")
    capsys.readouterr()
    site.run("renew", "decrypt")
    said = capsys.readouterr()
    assert (said.out + said.err).replace("\n", "").isprintable()


# the wire ---------------------------------------------------------------------------------------


def pinned_and_used(site: KeysSite, days: float) -> str:
    folder = site.keys / "trust" / "clients"
    holder = issued("acme")
    (folder / "acme.pem").write_bytes(holder.cert_pem)
    site.see(Use(Case.VERIFY, "acme", holder.certificate), at=present(-days))
    return holder.certificate.fingerprint


def test_a_moment_from_now_asks_the_wire_too(site):
    """`--at +1s` took out of trust what a message used a minute ago, without --unseen."""
    used = pinned_and_used(site, 0)
    assert site.run("keys", "trust", "remove", used, "--partner", "acme") == 2
    assert site.run("keys", "trust", "remove", used, "--partner", "acme", "--at", "+1s") == 2


def test_a_partner_who_calls_once_a_month_is_not_quiet(site):
    """The last thing seen of this partner, eight days ago, is the old certificate; no newer one was ever used."""
    used = pinned_and_used(site, 8)
    assert site.run("keys", "trust", "remove", used, "--partner", "acme") == 2


def test_a_store_without_room_is_not_quiet(site, monkeypatch):
    """What could not be noted for want of room counted as unused."""
    monkeypatch.setattr(wire, "MOST_PER_PARTNER", 3)
    for number in range(3):  # such as customers of a CA whose rule gives them one name
        site.see(Use(Case.VERIFY, "acme", issued(f"c{number}").certificate))
    used = pinned_and_used(site, 0)
    assert site.run("keys", "trust", "remove", used, "--partner", "acme") == 2


# renew ------------------------------------------------------------------------------------------


def ring_key(name: str, lifespan: Lifespan, **bend: object) -> RingKey:
    holder = issued(name, **bend)
    return RingKey(holder.pair(name), frozenset(Purpose), lifespan)


def sighting(case: Case, partner: str, key: RingKey, days: float) -> Sighting:
    certificate = key.pair.certificate
    return Sighting(
        Role.PROVIDER,
        "echo",
        case,
        partner,
        certificate.fingerprint,
        certificate.subject,
        present(-days),
        present(-days),
    )


def test_one_partner_who_moved_early_does_not_speak_for_all():
    """P1 encrypts to the new key already; nothing is known of P2. Next was: activate for everybody."""
    old = ring_key("old", Lifespan())
    new = ring_key("new", Lifespan(active_from=NOT_SCHEDULED), start=present(-1))
    ring = Ring("service", (old, new))
    found = of_our_key(Case.SIGN, Role.PROVIDER, ring, [sighting(Case.SIGN, "P1", new, 1)], present())
    (accepting,) = (one for one in found.steps if one.what.startswith("accept replies"))
    assert accepting.progress is not Progress.DONE
    assert not any(one.progress is Progress.NEXT and "activate" in one.command for one in found.steps)


def test_a_finished_renewal_of_ours_is_finished():
    """Exit code 0 when nothing is left to do: after the last step it began again with the first, for ever 3."""
    old = ring_key("old", Lifespan())
    new = ring_key("new", Lifespan(active_from=present(-200)), start=present(-90))
    retired = RingKey(old.pair, old.purposes, Lifespan(retired_at=present(-200)))
    seen = [sighting(Case.SIGN, "P1", new, 1)]
    with_old = of_our_key(Case.SIGN, Role.PROVIDER, Ring("s", (retired, new)), seen, present())
    assert not with_old.finished
    removed = of_our_key(Case.SIGN, Role.PROVIDER, Ring("s", (new,)), seen, present())
    assert removed.finished


def test_the_letter_says_that_replies_will_be_signed_by_it(site, capsys):
    """Whoever addresses a PENDING key gets replies signed by it: the partner has to trust it before."""
    site.run("keys", "new", "b")
    capsys.readouterr()
    site.run("renew", "decrypt", "--letter")
    assert "sign" in capsys.readouterr().out


def test_a_partner_that_nobody_knows_is_told(site, capsys):
    site.run("keys", "new", "b")
    capsys.readouterr()
    code = site.run("keys", "activate", "b", "--partner", "clinet-1")
    said = capsys.readouterr()
    assert code == 2 or "clinet-1" in (said.out + said.err).replace("signs for clinet-1", "")


# the audit log ----------------------------------------------------------------------------------


def test_the_last_change_cannot_be_undone_unseen(site):
    """ring.toml as it was before `retire --compromised`: a note, and exit code 0."""
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    before = (site.ring / "ring.toml").read_bytes()
    assert site.run("keys", "retire", "development", "--compromised") == 0
    (site.ring / "ring.toml").write_bytes(before)
    assert site.run("audit", "verify") == 1


@pytest.mark.parametrize("name", ["evil.PEM", "evil.Crt", ".evil.pem", "evil.key.pem"])
def test_whom_a_server_trusts_the_audit_log_knows(site, name):
    """The trust group reads endings in any case, hidden files and *.key.pem; the log looked at none of them."""
    site.run("keys", "new", "b")
    before = len(site.loaded().snapshot.partners)
    (site.keys / "trust" / "clients" / name).write_bytes(issued("evil").cert_pem)
    trusted = len(site.loaded().snapshot.partners) > before
    assert not trusted or site.run("audit", "verify") == 1


def test_anchors_are_watched_whatever_they_are_called(site):
    site.run("keys", "new", "b")
    folder = site.keys / "trust" / "bank"
    folder.mkdir()
    ca = pki.authority("CN=Bank CA", start=present(-9), end=present(900))
    (folder / "ca.der").write_bytes(ca.certificate.der)
    (folder / "trust.toml").write_text('kind = "ca"\nanchors = ["ca.der"]\nsubjects = [{CN = "acme*"}]\n')
    site.run("audit", "record", "--why", "the bank")
    assert site.run("audit", "verify") == 0
    other = pki.authority("CN=Mallory", start=present(-9), end=present(900))
    (folder / "ca.der").write_bytes(other.certificate.der)
    assert site.run("audit", "verify") == 1


def test_a_command_that_failed_leaves_no_alarm_for_ever(site, monkeypatch):
    """Disk full after the entry; the next command under another name makes the announced files `missing`."""
    site.run("keys", "new", "a")

    def full(path: Path, *_: object, **__: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(changing, "write_whole", full)
        assert site.run("keys", "new", "b") == 2
    assert site.run("audit", "verify") == 0
    assert site.run("keys", "new", "c") == 0
    assert site.run("audit", "verify") == 0


def test_a_full_disk_twice_does_not_end_the_log(site, monkeypatch):
    """Two entries that were cut: the log is `broken`, and no command works until somebody moves it away."""
    site.run("keys", "new", "a")
    real = os.write
    log = (site.keys / "audit.log").stat().st_ino
    cut = {"left": 0}

    def once(descriptor: int, content: bytes) -> int:
        if os.fstat(descriptor).st_ino != log:
            return real(descriptor, content)
        if cut["left"]:
            cut["left"] = 0
            raise OSError(errno.ENOSPC, "No space left on device")
        cut["left"] = 1
        return real(descriptor, content[:20])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", once)
        assert site.run("keys", "new", "b") == 2
        assert site.run("keys", "new", "b") == 2
    assert site.run("keys", "new", "b") == 0


def test_a_line_says_what_it_says(site):
    """Two fields of one name: a reader of the file sees one text, the chain another."""
    site.run("keys", "new", "a")
    log = site.keys / "audit.log"
    lines = log.read_text().splitlines()
    fields = json.loads(lines[-1])
    lines[-1] = '{"who": "mallory", ' + json.dumps(fields)[1:]
    log.write_text("\n".join(lines) + "\n")
    assert site.run("audit", "verify") == 1


def test_record_can_be_tried(site):
    """Everything that changes something takes --dry-run."""
    before = site.files()
    try:
        code = site.run("audit", "record", "--why", "x", "--dry-run")
    except SystemExit as error:
        code = error.code
    assert code == 0
    assert site.files() == before


def test_a_log_that_is_gone_is_found(site):
    site.run("keys", "new", "a")
    (site.keys / "audit.log").unlink()
    assert site.run("audit", "verify") == 1


def test_a_command_at_work_is_no_alarm(site, monkeypatch):
    """`audit verify` reads the log, then the files; a command that comes between makes it cry."""
    site.run("keys", "new", "a")
    real, words = audit._check_files, ("keys", "new", "b", "--kind", "rsa-2048")

    def meanwhile(folder: Path, found: audit.Verified) -> None:
        options = ("--services", site.folder / "services", "--keys", site.keys)
        command = [sys.executable, "-m", "wsprovider", *words, *map(str, options)]
        with contextlib.suppress(subprocess.TimeoutExpired):  # it waits, where there is a lock
            subprocess.run(command, cwd=ROOT, timeout=8, check=True, capture_output=True)
        real(folder, found)

    monkeypatch.setattr(audit, "_check_files", meanwhile)
    assert audit.verify(site.keys).findings == []


def test_a_store_that_began_today_does_not_know_who_is_quiet(site):
    """After an upgrade, a new store or a flushed one nothing was seen yet: everything counted as out of use."""
    folder = site.keys / "trust" / "clients"
    (folder / "acme.pem").write_bytes(issued("acme").cert_pem)
    unseen = fingerprint(folder / "acme.pem")
    site.watch(present(-1))
    assert site.run("keys", "trust", "remove", unseen, "--partner", "acme") == 2
    site.watch(present(-8))
    assert site.run("keys", "trust", "remove", unseen, "--partner", "acme") == 0


def test_a_planned_end_of_a_pin_can_be_taken_back(site):
    """There was no command for it: `add` says it is pinned already."""
    folder = site.keys / "trust" / "clients"
    (folder / "acme.pem").write_bytes(issued("acme").cert_pem)
    known = fingerprint(folder / "acme.pem")
    assert site.run("keys", "trust", "remove", known, "--partner", "acme", "--at", "+7d") == 0
    assert site.run("keys", "trust", "add", folder / "acme.pem", "--partner", "acme") == 0
    loaded = load(Reader(site.keys, {}), None, ("clients",), limits=Limits(), now=present(8))
    (acme,) = (one for one in loaded.snapshot.partners if one.name == "acme")
    assert not any(acme.pin(one).gone(present(8)) for one in acme.certificates)


def test_a_key_between_two_others_ends_when_the_next_begins(site, capsys):
    """b takes over in ten days; c is put in between, in five: from day ten on both are ACTIVE for good, unsaid."""
    for name, at in (("b", "+10d"), ("c", "+5d")):
        site.run("keys", "new", name)
        capsys.readouterr()
        assert site.run("keys", "activate", name, "--at", at) == 0
    said = capsys.readouterr().out
    ring = site.loaded().snapshot.ring
    active = [one.pair.name for one in ring.keys if one.lifespan.state(present(11)) is KeyState.ACTIVE]
    assert active == ["b"] or "key b" in said
