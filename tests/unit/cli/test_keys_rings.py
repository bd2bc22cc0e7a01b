"""Rings and their dates by commands: one key under several names, days put off, and what services load."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.simulator.keys_site import KeysSite
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, OVERLAP, RETENTION


@pytest.fixture
def site(tmp_path: Path, development_keys: Path) -> KeysSite:
    return KeysSite.make(tmp_path / "project", development_keys)


def said(site: KeysSite, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert site.run("keys", *words) == 0
    return capsys.readouterr().out


def refused(site: KeysSite, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    before = site.files()
    capsys.readouterr()
    assert site.run("keys", *words) == 2
    assert site.files() == before
    return capsys.readouterr().err


def edit(site: KeysSite, old: str, new: str) -> None:
    path = site.ring / "ring.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("later", ["+20d", "+5d"])
@pytest.mark.parametrize("periods", [(), ("--overlap", "2d", "--retention", "100d")])
def test_what_ends_on_a_planned_day_ends_on_the_new_one(site, capsys, later, periods):
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b", "--at", "+10d", *periods)
    assert "instead of" in said(site, capsys, "activate", "b", "--at", later)
    began, entry = site.entry("b")["active_from"], site.entry("development")
    assert entry["retired_at"] == began
    lifespan = next(
        one for one in site.loaded().snapshot.ring.keys if one.pair.name == "development"
    ).lifespan
    kept = timedelta(days=102) if periods else OVERLAP + RETENTION
    assert lifespan.end_of_retention == began + kept


def test_a_day_for_a_compromised_key_is_not_put_off(site, capsys):
    """Its end happens to be the day of the successor; another key's, by hand, is moved."""
    first, second = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}" for days in (10, 20))
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b", "--at", first, "--overlap", "0s", "--retention", "0s")
    assert "no key with the purpose" in refused(site, capsys, "activate", "b", "--at", second)
    assert "is compromised" in refused(site, capsys, "activate", "development")
    site.run("keys", "retire", "development", "--at", first)
    said(site, capsys, "activate", "b", "--at", second)


def test_a_gone_key_is_not_retired_to_life(site, capsys):
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    assert "retired" in said(site, capsys, "retire", "development", "--retention", "200d")
    site.run("keys", "retire", "development", "--compromised")
    assert "gone already" in refused(site, capsys, "retire", "development", "--at", "+5d")


def test_a_key_between_two_others(site, capsys):
    for name, at in (("b", "+10d"), ("c", "+5d")):
        site.run("keys", "new", name)
        told = said(site, capsys, "activate", name, "--at", at)
    assert "key c is retired" in told
    assert site.entry("c")["retired_at"] == site.entry("b")["active_from"]


def test_a_later_key_that_does_less_ends_none(site, capsys):
    site.run("keys", "new", "s", "--purpose", "sign")
    site.run("keys", "activate", "s", "--at", "+10d")
    site.run("keys", "new", "c")
    said(site, capsys, "activate", "c", "--at", "+5d")
    assert "retired_at" not in site.entry("c")


@pytest.mark.parametrize("when", ["2020-01-01", "0999-01-01"])
@pytest.mark.parametrize(
    "words", [("activate", "b"), ("activate", "b", "--partner", "client-1"), ("retire", "development")]
)
def test_what_has_passed_is_not_dated(site, capsys, words, when):
    site.run("keys", "new", "b")
    assert "has passed" in refused(site, capsys, *words, "--at", when)


def test_a_compromised_key_in_another_ring_is_told(site, capsys):
    shutil.copytree(site.ring, site.keys / "other")
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    told = said(site, capsys, "retire", "development", "--compromised")
    assert "wsprovider keys retire development --compromised --ring other" in told


def test_a_compromised_key_that_is_elsewhere_nowhere(site, capsys):
    shutil.copytree(site.ring, site.keys / "other")
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    site.run("keys", "activate", "development")
    assert "other" not in said(site, capsys, "retire", "b", "--compromised")
    assert "gone already" in said(site, capsys, "retire", "b", "--compromised")


@pytest.mark.parametrize("periods", [(), ("--overlap", "3d")])
def test_a_day_is_put_off_with_other_periods(site, capsys, periods):
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b", "--at", "+10d")
    said(site, capsys, "activate", "b", "--at", "+20d", *periods)
    entry = site.entry("development")
    assert entry["retired_at"] == site.entry("b")["active_from"]
    kept = entry.get("overlap_until")
    assert kept == (entry["retired_at"] + timedelta(days=3) if periods else None)


def test_a_gone_key_without_files_is_removed_by_order_only(site, capsys):
    site.run("keys", "new", "b")
    site.run("keys", "activate", "b")
    site.run("keys", "retire", "development", "--compromised")
    (site.ring / site.entry("development")["key"]).unlink()
    assert "--unseen" in refused(site, capsys, "remove", "development")
    assert "files were deleted" in said(site, capsys, "remove", "development", "--unseen")


def test_a_second_seal_key_waits(site):
    site.run("keys", "new", "2099", "--purpose", "seal")
    assert site.entry("2099", "seal")["active_from"] == NOT_SCHEDULED


def test_a_seal_key_without_a_successor(site, capsys):
    (seal,) = site.toml()["seal"]
    words = ("retire", seal["name"], "--seal", "--at", "+5d")
    assert "no [[seal]] key would be active" in refused(site, capsys, *words)
    site.run("keys", "new", "2099", "--purpose", "seal")
    site.run("keys", "activate", "2099", "--seal", "--at", "+4d")
    said(site, capsys, *words)


@pytest.mark.parametrize("sealing", [True, False])
def test_a_seal_key_that_ends_by_hand(site, capsys, sealing):
    """A ring of services that seal nothing loads; where one does, its servers' problem is told."""
    if sealing:
        service = site.folder / "services" / "echo" / "service.toml"
        service.write_text(service.read_text() + '[[endpoint]]\npath = "/c"\nscenario = "9"\n')
    site.run("keys", "new", "b")
    edit(site, "[[seal]]\n", "[[seal]]\nretired_at = 2099-01-01\n")
    told = said(site, capsys, "activate", "b", "--at", "+5d")
    assert "no [[seal]] key is active from" in told
    assert (
        "as before" in told
    ) is sealing  # and refuses nothing: of several mistakes one has to be mended first


def test_files_of_a_request_that_are_missing_are_told(site):
    site.run("keys", "new", "b", "--csr")
    assert site.loaded().warnings == ()
    (site.ring / "b.key.pem").rename(site.keys / "b.key.pem")
    (missing,) = site.loaded().warnings
    assert "does not exist" in str(missing)
    edit(site, '"b.key.pem"', '"../b.key.pem"')
    (outside,) = site.loaded().warnings
    assert "is not in the ring's folder" in str(outside)


@pytest.mark.parametrize("line", ["active_from = 2026-01-01T00:00:00", 'active_from = "2026-01-01"'])
def test_a_date_that_cannot_be_read_refuses_the_command(site, capsys, line):
    site.run("keys", "new", "b")
    name = '[[key]]\nname = "development"\n'
    edit(site, name, f"{name}{line}\n")
    assert "active_from" in refused(site, capsys, "activate", "b", "--at", "+5d")
    edit(site, line, "active_from = 2026-01-01")
    said(site, capsys, "activate", "b", "--at", "+5d")
    assert isinstance(site.entry("development")["retired_at"], datetime)


def test_assignments_of_one_partner_at_different_moments(site):
    site.run("keys", "new", "b")
    path = site.ring / "ring.toml"
    both = (("b", "2026-01-01"), ("development", "2026-01-02"))
    lines = "".join(f'\n[[partner]]\nname = "x"\nkey = "{one}"\nactive_from = {day}\n' for one, day in both)
    path.write_text(path.read_text() + lines)
    assert len(site.loaded().snapshot.ring.assignments) == 2
