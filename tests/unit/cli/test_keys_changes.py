"""``wsprovider keys``: every command, what it writes, what it refuses and what it advises."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.simulator import pki
from tests.simulator.key_tools import java_store
from tests.simulator.keys_site import KeysSite
from wsprovider.cli.main import parser
from wsprovider.exchange import sightings
from wsprovider.keyring.lifecycle import NOT_SCHEDULED
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.uses import Case, Use

SOON = timedelta(minutes=1)


def present(days: float = 0) -> datetime:
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


def stamp(days: float) -> str:
    return f"{present(days):%Y-%m-%dT%H:%M:%SZ}"


def issued(name: str, **bend: object) -> pki.Holder:
    """Valid around the present, which is the commands' clock."""
    ca = pki.authority("CN=Present CA", start=present(-900), end=present(900))
    return ca.issue(f"CN={name}", **{"start": present(-100), "end": present(300), **bend})


def refused(site: KeysSite, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What a command says that refuses; it leaves no trace."""
    before = site.files()
    capsys.readouterr()
    assert site.run(*words) == 2
    assert site.files() == before
    return capsys.readouterr().err


# new -------------------------------------------------------------------------------------------


def test_a_new_key_waits_for_its_day(site, capsys):
    assert site.run("keys", "new", "2027") == 0
    assert site.states() == {"development": "active", "2027": "pending"}
    assert site.entry("2027")["active_from"] == NOT_SCHEDULED
    assert "wsprovider keys export 2027" in capsys.readouterr().out
    loaded = site.loaded().snapshot
    assert loaded.signing_key(present()).name == "development"
    new = site.certificate("2027.cert.pem")
    assert new.parsed.subject == site.certificate("development.cert.pem").parsed.subject
    assert [one.name for one in loaded.decryption_keys(_embedded(new), present())] == ["2027"]
    assert any("key 2027 is new" in one for one in site.audited())


def _embedded(certificate: Certificate):
    from wsprovider.keyring.material import EmbeddedCertificate

    return EmbeddedCertificate(certificate.der)


def test_files_are_their_owners_only(site):
    site.run("keys", "new", "2027")
    site.run("keys", "new", "s", "--purpose", "seal")
    for file in ("2027.key.pem", "2027.cert.pem", "s.seal", "ring.toml"):
        assert (site.ring / file).stat().st_mode & 0o777 == 0o600
        status, folder = (site.ring / file).stat(), site.ring.stat()
        assert (status.st_uid, status.st_gid) == (folder.st_uid, folder.st_gid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_is_the_servers(site):
    for one in (site.keys, *site.keys.rglob("*")):
        os.chown(one, 4242, 4243)
    assert site.run("keys", "new", "2027") == 0
    for file in ("service/2027.key.pem", "service/ring.toml", "audit.log"):
        status = (site.keys / file).stat()
        assert (status.st_uid, status.st_gid) == (4242, 4243)


def test_kind_subject_and_days(site):
    words = ("--kind", "rsa-2048", "--subject", "CN=orders,O=Bank,C=CH", "--days", "10")
    assert site.run("keys", "new", "small", *words) == 0
    certificate = site.certificate("small.cert.pem")
    assert certificate.public_key.key_size == 2048
    assert certificate.subject == "CN=orders,O=Bank,C=CH"
    assert certificate.parsed.not_valid_after_utc - present(10) < SOON


def test_a_new_ring_begins_with_an_active_key(site):
    words = ("--ring", "partners", "--subject", "CN=new ring")
    assert site.run("keys", "new", "one", *words) == 0
    assert "active_from" not in site.toml("partners/ring.toml")["key"][0]


def test_keys_are_of_3072_bits_unless_something_else_is_said():
    assert parser().parse_args(["keys", "new", "x"]).kind == "rsa-3072"


def test_purposes(site):
    assert site.run("keys", "new", "signs", "--purpose", "sign", "--kind", "ec-p256") == 0
    assert site.entry("signs")["purposes"] == ["sign"]


def test_a_protected_key(site, monkeypatch):
    monkeypatch.setenv("KEY_PASS", "secret words")
    (site.ring / "2028.pass").write_text("other words\n")
    (site.ring / "2028.pass").chmod(0o600)
    # the check of the outcome looks the passphrase up as the server will
    assert site.run("keys", "new", "2027", "--protect-env", "KEY_PASS") == 0
    assert site.run("keys", "new", "2028", "--protect-file", "2028.pass") == 0
    assert site.entry("2027")["passphrase_env"] == "KEY_PASS"
    assert site.entry("2028")["passphrase_file"] == "2028.pass"
    for name, words in (("2027", b"secret words"), ("2028", b"other words")):
        content = (site.ring / f"{name}.key.pem").read_bytes()
        assert b"ENCRYPTED" in content
        load_pem_private_key(content, words)


def test_dry_runs_write_nothing(site, capsys):
    before = site.files()
    for words in (
        ("new", "2027"),
        ("new", "2027", "--csr"),
        ("new", "s", "--purpose", "seal"),
        ("activate", "development"),
        ("activate", "development", "--partner", "client-1"),
        ("trust", "add", site.keys / "development" / "service.cert.pem", "--partner", "x"),
    ):
        code = site.run("keys", *words, "--dry-run")
        assert code == (2 if words[0] == "trust" else 0)
    assert site.files() == before
    assert "would replace keys/service/ring.toml" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("new", "development"), "choose another name"),
        (("new", "x", "--subject", "nonsense"), "--subject"),
        (("new", "x", "--days", "0"), "--days"),
        (("new", "x", "--purpose", "seal", "--purpose", "sign"), "make two keys"),
        (("new", "development", "--purpose", "seal"), "choose another name"),
        (("new", "x", "--ring", "empty"), "is needed for a new ring"),
        (("new", "x", "--kind", "ec-p256"), "only sign"),
        (("new", "x", "--protect-env", "NOT_SET"), "NOT_SET"),
        (("new", "x", "--protect-file", "missing"), "missing"),
    ],
)
def test_what_new_refuses(site, capsys, words, says):
    assert says in refused(site, capsys, "keys", *words)


# a CA ------------------------------------------------------------------------------------------


def sign(site: KeysSite, name: str, **bend: object) -> pki.Holder:
    """What a CA makes of a request."""
    request = x509.load_pem_x509_csr((site.ring / f"{name}.csr.pem").read_bytes())
    assert request.is_signature_valid
    ca = pki.authority("CN=Present CA", start=present(-900), end=present(900))
    sub = ca.issue_authority("CN=Issuing", start=present(-800), end=present(800))
    return sub.issue(
        "CN=from the CA",
        **{"public_key": request.public_key(), "start": present(-1), "end": present(300), **bend},
    )


def test_by_a_ca(site, tmp_path, capsys):
    assert site.run("keys", "new", "2027", "--csr") == 0
    assert site.states() == {"development": "active"}, "a request is no key yet"
    assert site.run("keys", "status") == 0
    assert "2027 waits for its certificate" in capsys.readouterr().out
    made = sign(site, "2027")
    answer = tmp_path / "answer.pem"
    answer.write_bytes(b"".join(one.cert_pem for one in reversed((made, *made.issuers))))
    assert site.run("keys", "certificate", "2027", answer) == 0
    assert site.states()["2027"] == "pending"
    assert not (site.ring / "2027.csr.pem").exists()
    pair = next(one.pair for one in site.loaded().snapshot.ring.keys if one.pair.name == "2027")
    assert [one.subject for one in pair.chain] == ["CN=Issuing"]


def test_what_is_no_answer_to_the_request(site, tmp_path, capsys):
    site.run("keys", "new", "2027", "--csr")
    wrong, late, good = tmp_path / "wrong.pem", tmp_path / "late.pem", tmp_path / "good.pem"
    wrong.write_bytes(issued("somebody").cert_pem)
    late.write_bytes(sign(site, "2027", end=present(-0.5)).cert_pem)
    good.write_bytes(sign(site, "2027").cert_pem)
    assert "CN=somebody" in refused(site, capsys, "keys", "certificate", "2027", wrong)
    assert "expired" in refused(site, capsys, "keys", "certificate", "2027", late)
    assert "waits for a certificate" in refused(site, capsys, "keys", "certificate", "2030", good)
    assert "drop --as" in refused(site, capsys, "keys", "certificate", "2027", good, "--as", "x")
    assert "cannot be read" in refused(site, capsys, "keys", "certificate", "2027", tmp_path / "none")
    assert site.run("keys", "certificate", "2027", good) == 0


def test_a_new_certificate_for_the_same_key(site, tmp_path, capsys):
    old = site.certificate("development.cert.pem")
    renewed = issued("service again", public_key=old.public_key)
    answer = tmp_path / "renewed.pem"
    answer.write_bytes(renewed.cert_pem)
    assert "--as" in refused(site, capsys, "keys", "certificate", "development", answer)
    assert site.run("keys", "certificate", "development", answer, "--as", "again") == 0
    assert site.entry("again")["key"] == "development.key.pem"
    assert site.run("keys", "activate", "again", "--overlap", "0s", "--retention", "0s") == 0
    assert site.run("keys", "remove", "development", "--unseen") == 0
    assert (site.ring / "development.key.pem").exists(), "the other entry needs it"
    assert not (site.ring / "development.cert.pem").exists()
    assert site.states() == {"again": "active"}


# import ----------------------------------------------------------------------------------------


def test_import_of_pem_pkcs12_and_jks(site, tmp_path, monkeypatch):
    holder = issued("imported")
    key, certificate, bundle = (tmp_path / name for name in ("k.pem", "c.pem", "b.p12"))
    key.write_bytes(holder.encrypted_key_pem("geheim"))
    certificate.write_bytes(holder.cert_pem)
    bundle.write_bytes(issued("bundled", key=pki.key("rsa-2048", "bundled")).pkcs12("offen"))
    store = tmp_path / "s.jks"
    java_store(store, "JKS", "changeit", {"mine": "changeit", "other": "changeit"}, keys="RSA")
    monkeypatch.setenv("OPENS", "geheim")
    secret = tmp_path / "secret"
    secret.write_text("offen\n")
    assert site.run("keys", "import", "pem", key, certificate, "--passphrase-env", "OPENS") == 0
    assert site.run("keys", "import", "p12", bundle, "--passphrase-file", secret) == 0
    read, write = os.pipe()
    os.write(write, b"changeit\n")
    os.close(write)
    assert site.run("keys", "import", "jks", store, "--alias", "mine", "--passphrase-fd", read) == 0
    os.close(read)
    assert site.states() == {"development": "active", "pem": "pending", "p12": "pending", "jks": "pending"}
    assert b"ENCRYPTED" not in (site.ring / "pem.key.pem").read_bytes()


def test_what_import_refuses(site, tmp_path, monkeypatch, capsys):
    holder, weak = issued("one"), issued("weak", key=pki.key("rsa-1024"))
    bundle, small, certificate = tmp_path / "b.p12", tmp_path / "w.p12", tmp_path / "c.pem"
    bundle.write_bytes(holder.pkcs12("right"))
    small.write_bytes(weak.pkcs12("right"))
    certificate.write_bytes(holder.cert_pem)
    monkeypatch.setenv("RIGHT", "right")
    monkeypatch.setenv("WRONG", "wrong")
    monkeypatch.setenv("EMPTY", "")
    for words, says in (
        ((bundle, "--passphrase-env", "WRONG"), "wrong passphrase"),
        ((bundle, "--passphrase-env", "EMPTY"), "holds no passphrase"),
        ((bundle, "--passphrase-file", tmp_path / "none"), "cannot be read"),
        ((bundle, "--passphrase-fd", "987"), "cannot be read"),
        ((bundle, "--passphrase-env", "RIGHT", "--alias", "nobody"), "nobody"),
        ((small, "--passphrase-env", "RIGHT"), "RSA of 1024 bits"),
        ((certificate,), "no private key"),
        ((tmp_path / "none",), "cannot be read"),
    ):
        told = refused(site, capsys, "keys", "import", "x", *words)
        assert says in told
        assert "right" not in told
    assert site.run("keys", "import", "x", bundle, "--passphrase-env", "RIGHT") == 0


def test_a_partners_key_is_not_ours(site, capsys):
    """Who imports the partner's key would have the partner refused as ourselves."""
    client = site.keys / "development"
    words = (client / "client-1.key.pem", client / "client-1.cert.pem")
    assert site.run("keys", "import", "x", *words) == 0
    assert site.run("keys", "list") == 0
    # the ring alone loads; the services that trust this partner warn of it
    assert any("our own ring" in str(one) for one in site.loaded().warnings)


# dates -----------------------------------------------------------------------------------------


def test_activation_retires_the_other(site, capsys):
    site.run("keys", "new", "2027")
    assert site.run("keys", "activate", "2027", "--at", "+7d") == 0
    assert site.states() == {"development": "active", "2027": "pending"}
    ring = site.loaded().snapshot.ring
    for days, states in (
        (6.9, ["active", "pending"]),
        (7.1, ["overlap", "active"]),
        (37.1, ["retained", "active"]),
        (127.1, ["gone", "active"]),
    ):
        assert [key.lifespan.state(present(days)).value for key in ring.keys] == states


def test_the_rings_own_periods_and_the_commands(site, capsys):
    path = site.ring / "ring.toml"
    path.write_text('overlap = "1d"\nretention = "100d"\n' + path.read_text())
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    span = site.loaded().snapshot.ring.keys[0].lifespan
    assert (span.end_of_overlap - span.retired_at, span.kept) == (timedelta(days=1), timedelta(days=101))
    site.run("keys", "new", "2028")
    capsys.readouterr()
    assert site.run("keys", "activate", "2028", "--overlap", "2h", "--retention", "1d") == 0
    told = capsys.readouterr().out
    assert "warning: " in told
    assert "less than 90 days" in told
    assert any("kept for less than 90 days" in one for one in site.audited())
    span = next(one for one in site.loaded().snapshot.ring.keys if one.pair.name == "2027").lifespan
    assert span.kept == timedelta(days=1, hours=2)
    assert any("less than 90 days" in str(one) for one in site.loaded().warnings)


def test_a_partner_of_its_own(site, capsys):
    site.run("keys", "new", "2027")
    assert site.run("keys", "activate", "2027", "--partner", "client-1", "--at", "+1d") == 0
    snapshot = site.loaded().snapshot
    for days, partner, signs in (
        (0, "client-1", "development"),
        (1.1, "client-1", "2027"),
        (1.1, "client-2", "development"),
    ):
        assert snapshot.signing_key(present(days), partner=partner).name == signs
    capsys.readouterr()
    site.run("keys", "status")
    assert "assigned to client-1" in capsys.readouterr().out
    # back, and forth again: what is superseded does not pile up
    for name in ("development", "2027", "development", "2027"):
        assert site.run("keys", "activate", name, "--partner", "client-1") == 0
    assert len(site.toml()["partner"]) <= 2
    assert site.loaded().snapshot.signing_key(present(), partner="client-1").name == "2027"
    assert site.run("keys", "activate", "2027") == 0
    assert "partner" not in site.toml(), "who was moved early is with the others now"


def test_a_partner_whom_nobody_knows(site, capsys):
    site.run("keys", "new", "2027")
    capsys.readouterr()
    assert site.run("keys", "activate", "2027", "--partner", "clinet-1") == 0
    assert "nobody called 'clinet-1'" in capsys.readouterr().out
    site.see(Use(Case.DECRYPT, "alice", site.certificate("2027.cert.pem")))
    for known in ("client-1", "alice"):
        assert site.run("keys", "activate", "2027", "--partner", known) == 0
        assert "nobody called" not in capsys.readouterr().out


def test_back_to_the_key_before(site):
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    assert site.states() == {"development": "overlap", "2027": "active"}
    assert site.run("keys", "activate", "development") == 0
    assert site.loaded().snapshot.signing_key(present()).name == "development"
    assert site.states()["2027"] in {"overlap", "active"}


def test_a_takeover_that_is_called_off(site, capsys):
    site.run("keys", "new", "2027")
    assert site.run("keys", "activate", "2027", "--at", "+7d") == 0
    assert site.loaded().snapshot.signing_key(present(8)).name == "2027"
    capsys.readouterr()
    assert site.run("keys", "activate", "development") == 0
    assert "2027 does not take over" in capsys.readouterr().out
    assert site.entry("2027")["active_from"] == NOT_SCHEDULED
    assert "retired_at" not in site.entry("development")
    assert site.loaded().snapshot.signing_key(present(8)).name == "development"


def test_another_keys_day_stays(site):
    for name in ("2027", "2028"):
        site.run("keys", "new", name)
    site.run("keys", "activate", "2028", "--at", "+7d")
    assert site.run("keys", "activate", "2027") == 0
    assert site.loaded().snapshot.signing_key(present(8)).name == "2028"


def test_a_key_that_does_less_does_not_retire_one_that_does_more(site, capsys):
    site.run("keys", "new", "signs", "--purpose", "sign")
    assert site.run("keys", "activate", "signs") == 0
    assert "development stays active, for nothing else can decrypt" in capsys.readouterr().out
    assert site.states() == {"development": "active", "signs": "active"}
    assert site.loaded().snapshot.signing_key(present()).name == "signs"


def one_for_each(site: KeysSite) -> None:
    assert site.run("keys", "new", "to-sign", "--purpose", "sign", "--kind", "ec-p256") == 0
    assert site.run("keys", "new", "to-decrypt", "--purpose", "decrypt") == 0


@pytest.mark.parametrize("purposes", [("sign", "decrypt"), ("decrypt", "sign")])
def test_a_key_for_both_is_retired_when_the_second_of_its_successors_takes_over(site, capsys, purposes):
    one_for_each(site)
    first, second = purposes
    assert site.run("keys", "activate", f"to-{first}") == 0
    assert f"development stays active, for nothing else can {second}" in capsys.readouterr().out
    assert site.states()["development"] == "active"
    assert site.run("keys", "activate", f"to-{second}", "--at", "+1s") == 0
    ring = site.loaded().snapshot.ring
    assert [one.lifespan.state(present(1)).value for one in ring.keys] == ["overlap", "active", "active"]


def test_a_successor_that_is_not_active_by_then_does_not_count(site):
    one_for_each(site)
    assert site.run("keys", "activate", "to-sign", "--at", "+9d") == 0
    assert site.run("keys", "activate", "to-decrypt") == 0
    assert site.states()["development"] == "active"


def test_seal_keys(site, capsys):
    assert site.run("keys", "new", "2027", "--purpose", "seal") == 0
    assert site.run("keys", "activate", "2027", "--seal", "--overlap", "0s", "--retention", "1h") == 0
    seals = site.loaded().seals
    assert seals.sealing(present()).name == "2027"
    assert seals.opening("development", present()) is not None
    assert seals.opening("development", present(0.05)) is None
    told = capsys.readouterr().out
    assert "seal key 2027 is active from" in told
    site.run("keys", "status")
    told = capsys.readouterr().out
    assert "seal key 2027: active (seals and opens)" in told
    assert "seal key development: retained (only opens); gone on" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("activate", "nobody"), "there are: development, 2027"),
        (("activate", "2027", "--partner", "x", "--seal"), "goes with none"),
        (("activate", "nobody", "--partner", "x"), "there are"),
        (("activate", "2027", "--at", "+900d"), "expire"),
        (("retire", "development"), "no key with the purpose"),
        (("retire", "development", "--at", "+5d"), "activate its successor first"),
        (("retire", "development", "--compromised"), "no key with the purpose"),
        (("retire", "development", "--seal"), "seal"),
        (("remove", "development"), "still needed"),
        (("remove", "development", "--seal"), "still needed"),
        (("remove", "nobody"), "there are"),
    ],
)
def test_what_dates_refuse(site, capsys, words, says):
    site.run("keys", "new", "2027")
    assert says in refused(site, capsys, "keys", *words)


@pytest.mark.parametrize("when", ["soon", "2027-13-01", "+5", "-3d"])
def test_moments_that_are_none(site, when):
    with pytest.raises(SystemExit) as stopped:
        site.run("keys", "activate", "development", f"--at={when}")
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "when", ["now", "+5m", "2027-01-31", "2027-01-31T08:00:00Z", "2027-01-31T08:00:00+01:00"]
)
def test_moments(site, when):
    site.run("keys", "new", "2027")
    assert site.run("keys", "activate", "2027", f"--at={when}") == 0


def test_compromised(site, capsys):
    """What was opened by it is told of; retiring a sound key needs no such advice."""
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    capsys.readouterr()
    assert site.run("keys", "retire", "development") == 0
    assert "wsprovider sessions" not in capsys.readouterr().out
    assert site.run("keys", "retire", "development", "--compromised") == 0
    assert "wsprovider sessions end --all" in capsys.readouterr().out
    assert site.states() == {"development": "gone", "2027": "active"}
    assert any("compromised" in one for one in site.audited())


# removal ---------------------------------------------------------------------------------------


def test_removal_takes_the_files_along(site):
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    site.run("keys", "retire", "development", "--compromised")
    assert site.run("keys", "remove", "development") == 0
    assert not (site.ring / "development.key.pem").exists()
    assert (site.ring / "development.seal").exists()
    assert site.states() == {"2027": "active"}


def test_nothing_is_removed_that_the_wire_shows(site, capsys):
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    site.run("keys", "retire", "development", "--compromised")
    site.see(Use(Case.DECRYPT, "client-1", site.certificate("development.cert.pem")), at=present(-2))
    told = refused(site, capsys, "keys", "remove", "development")
    assert "still in use: decrypt for client-1 of echo" in told
    assert site.run("keys", "remove", "development", "--unseen") == 0
    assert any("was still in use" in one for one in site.audited())


def test_what_was_seen_long_ago_is_no_hindrance_to_who_has_used_another_since(site, capsys):
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    site.run("keys", "retire", "development", "--compromised")
    old, new = (
        Use(Case.DECRYPT, "client-1", site.certificate(f"{name}.cert.pem"))
        for name in ("development", "2027")
    )
    site.see(old, at=present(-8))
    assert "may still be in use: decrypt for client-1" in refused(
        site, capsys, "keys", "remove", "development"
    )
    site.see(new, at=present(-1), service="another")
    assert "may still be in use" in refused(site, capsys, "keys", "remove", "development")
    site.see(new, at=present(-1))
    assert site.run("keys", "remove", "development") == 0


def test_a_store_that_cannot_tell_is_believed_in_nothing(site, capsys, monkeypatch, tmp_path):
    file = partner_file(tmp_path, start=present(-100))
    assert site.run("keys", "trust", "add", file, "--partner", "client-1") == 0
    words = ("keys", "trust", "remove", file, "--partner", "client-1")
    site.watch(present(-6))
    assert f"only since {present(-6):%Y-%m-%d}" in refused(site, capsys, *words)
    site.watch(present(-8))
    with monkeypatch.context() as patch:
        patch.setattr(sightings, "MOST", 0)
        site.see(Use(Case.VERIFY, "client-1", site.certificate("development.cert.pem")))
    assert "no room to note a use" in refused(site, capsys, *words)
    capsys.readouterr()
    site.run("renew", "decrypt")
    assert "no room to note a use" in capsys.readouterr().out
    site.watch(present(-8))
    assert site.run(*words) == 0


def test_a_key_that_is_younger_than_the_watch_was_never_used_unseen(site, capsys):
    site.run("keys", "new", "2027")
    site.watch(present(0))
    assert "only since" in refused(site, capsys, "keys", "remove", "2027")
    site.watch(present(-2))
    assert site.run("keys", "remove", "2027") == 0


def test_nothing_is_removed_where_the_wire_cannot_be_asked(site, capsys):
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    site.run("keys", "retire", "development", "--compromised")
    (site.folder / "services" / "provider.toml").write_text('shared = "memory:"\n')
    assert "cannot be told" in refused(site, capsys, "keys", "remove", "development")
    assert site.run("keys", "remove", "development", "--unseen") == 0


# export ----------------------------------------------------------------------------------------


def test_export_gives_nothing_secret(site, capsys, tmp_path):
    site.run("keys", "new", "2027", "--csr")
    capsys.readouterr()
    assert site.run("keys", "export", "development") == 0
    told = capsys.readouterr().out
    assert "PRIVATE" not in told
    assert x509.load_pem_x509_certificate(told.encode()) == site.certificate("development.cert.pem").parsed
    assert site.run("keys", "export", "2027") == 0
    told = capsys.readouterr().out
    assert x509.load_pem_x509_csr(told.encode()).is_signature_valid
    assert site.run("keys", "export", "development", "--der", "--out", tmp_path / "x.cer") == 0
    assert (tmp_path / "x.cer").read_bytes() == site.certificate("development.cert.pem").der
    assert site.run("keys", "export", "development", "--der") == 2
    assert site.run("keys", "export", "nobody") == 2


# partners --------------------------------------------------------------------------------------


def partner_file(folder: Path, name: str = "client one", **bend: object) -> Path:
    path = folder / f"{name}.pem"
    path.write_bytes(issued(name, key=pki.key("rsa-2048", name), **bend).cert_pem)
    return path


def pinned(site: KeysSite, partner: str) -> tuple[Certificate, ...]:
    return {one.name: one.certificates for one in site.loaded().snapshot.partners}.get(partner, ())


def test_a_partners_second_certificate(site, tmp_path):
    file = partner_file(tmp_path)
    assert site.run("keys", "trust", "add", file, "--partner", "client-1") == 0
    before = pinned(site, "client-1")
    assert len(before) == 2
    snapshot = site.loaded().snapshot
    old = site.certificate("../trust/clients/client-1.pem")
    assert snapshot.peer_encryption_certificate("client-1", present()) == old, "encrypted to when activated"
    new = next(one for one in before if one != old)
    assert (
        site.run("keys", "trust", "activate", new.fingerprint[:8], "--partner", "client-1", "--at", "+1d")
        == 0
    )
    snapshot = site.loaded().snapshot
    assert snapshot.peer_encryption_certificate("client-1", present()) == old
    assert snapshot.peer_encryption_certificate("client-1", present(1.1)) == new
    assert site.run("keys", "trust", "remove", old.fingerprint[:12], "--partner", "client-1") == 0
    assert pinned(site, "client-1") == (new,)
    assert not (site.keys / "trust" / "clients" / "client-1.pem").exists()
    assert site.toml("trust/clients/trust.toml")["ignored"] == ["client-1.pem"]
    again = issued("again", key=pki.key("rsa-2048", "again"))
    (tmp_path / "again.pem").write_bytes(again.cert_pem)
    assert site.run("keys", "trust", "add", tmp_path / "again.pem", "--partner", "client-1") == 0
    assert "ignored" not in site.toml("trust/clients/trust.toml"), "what is gone need not be ignored"
    assert any("a certificate of client-1 is pinned" in one for one in site.audited())


def test_a_new_partner_and_its_end(site, tmp_path, capsys):
    file = partner_file(tmp_path)
    assert site.run("keys", "trust", "add", file, "--partner", "Ö. & Söhne") == 0
    assert len(pinned(site, "Ö. & Söhne")) == 1
    assert site.run("keys", "trust", "remove", file, "--partner", "Ö. & Söhne") == 0
    assert pinned(site, "Ö. & Söhne") == ()
    assert "partners" not in site.toml("trust/clients/trust.toml")
    left = site.keys / "trust" / "clients" / "left.pin"
    left.write_bytes(file.read_bytes())  # as a killed command leaves it
    assert all(one.name in {"client-1", "client-2"} for one in site.loaded().snapshot.partners)
    capsys.readouterr()
    assert site.run("keys", "status") == 0
    assert "left.pin is named by no partner" in capsys.readouterr().out


def test_taken_back_from_a_day_on(site, tmp_path):
    old = site.certificate("../trust/clients/client-1.pem")
    site.run("keys", "trust", "add", partner_file(tmp_path), "--partner", "client-1")
    assert site.run("keys", "trust", "remove", old.fingerprint, "--partner", "client-1", "--at", "+2d") == 0
    (partner,) = (one for one in site.loaded().snapshot.partners if one.name == "client-1")
    assert not partner.pin(old).gone(present(1.9))
    assert partner.pin(old).gone(present(2.1))


def test_no_certificate_is_taken_away_that_the_wire_shows(site, tmp_path, capsys):
    old = site.certificate("../trust/clients/client-1.pem")
    site.run("keys", "trust", "add", partner_file(tmp_path), "--partner", "client-1")
    site.see(Use(Case.VERIFY, "client-1", old), at=present(-3))
    words = ("keys", "trust", "remove", old.fingerprint[:12], "--partner", "client-1")
    for more in ((), ("--at", "+6d")):
        assert "still in use: verify for client-1" in refused(site, capsys, *words, *more)
    assert site.run(*words, "--at", "+8d") == 0
    assert "leave --at out" in refused(site, capsys, *words, "--compromised", "--at", "+8d")
    assert site.run(*words, "--compromised") == 0
    assert old in pinned(site, "client-1"), "kept, so that nobody else vouches for it"
    assert site.run(*words) == 0
    assert old not in pinned(site, "client-1")


def test_a_first_certificate_after_one_that_is_gone_is_encrypted_to(site, tmp_path):
    old = site.certificate("../trust/clients/client-1.pem")
    words = ("keys", "trust", "remove", old.fingerprint, "--partner", "client-1", "--compromised")
    assert site.run(*words) == 0
    assert site.run("keys", "trust", "add", partner_file(tmp_path), "--partner", "client-1") == 0
    (partner,) = (one for one in site.loaded().snapshot.partners if one.name == "client-1")
    assert partner.encryption_certificate(present(0)) not in (None, old)


def test_an_end_is_taken_back_for_its_own_partner_only(site, capsys):
    file = site.keys / "trust" / "clients" / "client-1.pem"
    old = site.certificate("../trust/clients/client-1.pem")
    add = ("keys", "trust", "add", file, "--partner")
    assert "pinned already" in refused(site, capsys, *add, "client-1")
    assert site.run("keys", "trust", "remove", old.fingerprint, "--partner", "client-1", "--at", "+9d") == 0
    assert "pinned already" in refused(site, capsys, *add, "client-2")
    assert site.run(*add, "client-1") == 0
    (partner,) = (one for one in site.loaded().snapshot.partners if one.name == "client-1")
    assert partner.pin(old).gone_at is None


def test_a_partner_on_one_line_is_told_how_to_be_written(site, tmp_path, capsys):
    (site.keys / "trust" / "clients" / "trust.toml").write_text(
        'kind = "pinned"\n[partners]\nclient-1 = {roles = ["x"]}\n'
    )
    add = ("keys", "trust", "add", partner_file(tmp_path), "--partner")
    assert "as a table of its own" in refused(site, capsys, *add, "client-1")
    assert site.run(*add, "client-2") == 0


def test_advice_on_a_successor_only_where_one_is_missing(site, capsys):
    assert "activate its successor" in refused(site, capsys, "keys", "retire", "development")
    told = refused(site, capsys, "keys", "retire", "develpoment")
    assert "develpoment" in told
    assert "successor" not in told


def test_what_trust_refuses(site, tmp_path, capsys):
    ours = site.keys / "development" / "service.cert.pem"
    chain, expired, weak, tls = (tmp_path / name for name in ("chain.pem", "e.pem", "w.pem", "t.pem"))
    chain.write_bytes(issued("a").cert_pem + issued("b").cert_pem)
    expired.write_bytes(issued("old", end=present(-1)).cert_pem)
    weak.write_bytes(issued("weak", key=pki.key("rsa-1024")).cert_pem)
    tls.write_bytes(issued("tls", extensions=[pki.key_usage("key_encipherment")]).cert_pem)
    known = site.keys / "trust" / "clients" / "client-1.pem"
    for words, says in (
        (("add", ours, "--partner", "x"), "our own ring"),
        (("add", chain, "--partner", "x"), "several certificates"),
        (("add", expired, "--partner", "x"), "CERTIFICATE_EXPIRED"),
        (("add", weak, "--partner", "x"), "RSA of 1024 bits"),
        (("add", tls, "--partner", "x"), "digitalSignature"),
        (("add", known, "--partner", "client-1"), "pinned already"),
        (("add", known, "--partner", "client-3"), "pinned already"),
        (("add", tmp_path / "none", "--partner", "x"), "cannot be read"),
        (("remove", "abcdef", "--partner", "client-1"), "names 0 certificates"),
        (("remove", known, "--partner", "client-2"), "not pinned for 'client-2'"),
        (("activate", known, "--partner", "client-2"), "not pinned for 'client-2'"),
    ):
        assert says in refused(site, capsys, "keys", "trust", *words)
    assert site.run("keys", "trust", "add", tls, "--partner", "x", "--purpose", "encrypt") == 0


def test_a_partners_roles_stay(site, tmp_path):
    path = site.keys / "trust" / "clients" / "trust.toml"
    path.write_text('# mine\nkind = "pinned"\n[partners.client-1]\nroles = ["admin"]\n')
    assert site.run("keys", "trust", "add", partner_file(tmp_path), "--partner", "client-1") == 0
    (partner,) = (one for one in site.loaded().snapshot.partners if one.name == "client-1")
    assert partner.roles == {"admin"}
    assert len(partner.certificates) == 2
    assert path.read_text().startswith("# mine\n")


# the file --------------------------------------------------------------------------------------


def test_comments_and_order_stay(site):
    path = site.ring / "ring.toml"
    path.write_text(
        path.read_text().replace('name = "development"', 'name = "development"  # the first', 1) + "# end\n"
    )
    site.run("keys", "new", "2027")
    site.run("keys", "activate", "2027")
    text = path.read_text()
    for kept in ("# Development keys", "# the first", "# end"):
        assert kept in text
    assert re.search(r"certificate = .*\nretired_at = ", text), "a date stands with its key"


def test_a_change_by_hand_is_told_from_one_by_command(site, capsys):
    site.run("keys", "new", "2027")
    path = site.ring / "ring.toml"
    path.write_text(path.read_text() + "# by hand\n")
    assert site.run("audit", "verify") == 1
    assert "keys" not in capsys.readouterr().err
    assert site.run("audit", "record", "--why", "a comment") == 0
    assert site.run("audit", "verify") == 0
    assert "by hand: a comment" in site.audited()
    capsys.readouterr()
    assert site.run("keys", "history", "--ring", "service") == 0
    assert "by hand: a comment" in capsys.readouterr().out


def test_status_shows_what_lies_about(site, capsys):
    (site.ring / "left.key.pem").write_text("x")
    assert site.run("keys", "status") == 0
    assert "left.key.pem belongs to no key" in capsys.readouterr().out
    (site.ring / "development.key.pem").unlink()
    assert site.run("keys", "status") == 1
    assert "servers keep what they have" in capsys.readouterr().out


def test_a_ring_that_would_not_load_is_not_written(site, capsys):
    path = site.ring / "ring.toml"
    path.write_text(path.read_text().replace("development.cert.pem", "nowhere.pem"))
    assert "nowhere.pem" in refused(site, capsys, "keys", "activate", "development")


def test_a_key_that_the_services_cannot_use_is_refused(site, capsys):
    """Servers would not take the ring over."""
    file = site.folder / "services" / "echo" / "service.toml"
    file.write_text('allow_weak_suite = true\nsuite = "Basic256"\nrsa_sha1 = true\n' + file.read_text())
    words = ("keys", "new", "curved", "--purpose", "sign", "--kind", "ec-p256")
    assert "no signature method" in refused(site, capsys, *words)
    assert site.run("keys", "new", "round", "--purpose", "sign", "--kind", "rsa-2048") == 0


def test_services_that_do_not_load_are_no_hindrance(site, capsys):
    (site.folder / "services" / "echo" / "service.toml").write_text("nonsense = 1\n")
    assert site.run("keys", "new", "2027", "--kind", "rsa-2048") == 0
    assert "was not checked" in capsys.readouterr().out
