"""What ``wsprovider keys`` tells of a keys folder, and when ``check`` fails."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.simulator import pki
from wsprovider.cli.main import main


def in_days(number: float) -> datetime:
    """The present is the command's clock."""
    return (datetime.now(UTC) + timedelta(days=number)).replace(microsecond=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ring with an active key of 100 days and an older one, one partner of 50 days."""
    ring, trust = tmp_path / "service", tmp_path / "trust" / "clients"
    ring.mkdir()
    trust.mkdir(parents=True)
    start = in_days(-200)
    for name, days in (("new", 100), ("old", 10)):
        made = pki.self_signed(f"CN={name}", start=start, end=in_days(days))
        (ring / f"{name}.cert.pem").write_bytes(made.cert_pem)
        key = ring / f"{name}.key.pem"
        key.write_bytes(made.key_pem)
        key.chmod(0o600)
    write_ring(ring, in_days(-5))
    partner = pki.self_signed("CN=partner", start=start, end=in_days(50))
    (trust / "acme.pem").write_bytes(partner.cert_pem)
    return tmp_path


def write_ring(ring: Path, retired: datetime, gone: datetime | None = None) -> None:
    ends = f"overlap_until = {gone:%Y-%m-%dT%H:%M:%SZ}\ngone_at = {gone:%Y-%m-%dT%H:%M:%SZ}\n" if gone else ""
    (ring / "ring.toml").write_text(
        "".join(
            f'[[key]]\nname = "{name}"\npurposes = ["sign", "decrypt"]\nkey = "{name}.key.pem"\n'
            f'certificate = "{name}.cert.pem"\n{dates}'
            for name, dates in (("new", ""), ("old", f"retired_at = {retired:%Y-%m-%dT%H:%M:%SZ}\n{ends}"))
        )
    )


def run(folder: Path, *words: str) -> int:
    return main(["keys", *words, "--keys", str(folder)])


def test_list_shows_states_and_days(folder, capsys):
    assert run(folder, "list") == 0
    lines = {line.split()[2]: line for line in capsys.readouterr().out.splitlines()}
    assert "active" in lines["new"]
    assert "overlap" in lines["old"]
    assert "CN=partner" in lines["acme"]
    assert " 99 " in lines["new"]
    assert " 49 " in lines["acme"]


@pytest.mark.parametrize(
    ("days", "named"), [(5, set()), (30, {"old"}), (60, {"old", "acme"}), (400, {"old", "acme", "new"})]
)
def test_check_names_what_expires(folder, capsys, days, named):
    assert run(folder, "check", "--warn", str(days)) == (1 if named else 0)
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[2] for line in lines[1:]} == named


def test_check_leaves_out_what_is_gone(folder, capsys):
    write_ring(folder / "service", in_days(-5), in_days(-4))
    assert run(folder, "check", "--warn", "30") == 0
    assert "nothing expires within 30 days" in capsys.readouterr().out


def add_seals(ring: Path, **dates: str) -> None:
    with (ring / "ring.toml").open("a") as file:
        for name, lines in dates.items():
            seal = ring / f"{name}.seal"
            seal.write_text("ab" * 32)
            seal.chmod(0o600)
            file.write(f'[[seal]]\nname = "{name}"\nfile = "{name}.seal"\n{lines}')


def on(days: float) -> str:
    return f"{in_days(days):%Y-%m-%dT%H:%M:%SZ}"


def test_list_shows_seal_keys(folder, capsys):
    add_seals(folder / "service", before=f"retired_at = {on(2)}\n", after=f"active_from = {on(1)}\n")
    assert run(folder, "list") == 0
    lines = {line.split()[2]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert lines["before"] == ["ring", "service", "before", "active", "seal", on(2)[:10], "1", "-"]
    assert lines["after"] == ["ring", "service", "after", "pending", "seal", "-", "-", "-"]


@pytest.mark.parametrize(
    ("seals", "named"),
    [
        ({"one": ""}, []),
        ({"one": f"retired_at = {on(4)}\n"}, ["one"]),
        ({"one": f"retired_at = {on(6)}\n"}, []),
        ({"one": f"retired_at = {on(4)}\n", "two": f"active_from = {on(3)}\n"}, []),
        (
            {
                "one": f"retired_at = {on(2)}\n",
                "two": f"active_from = {on(1)}\nretired_at = {on(4)}\n",
            },
            ["two"],
        ),
        ({"one": f"retired_at = {on(-4)}\n", "two": ""}, []),
    ],
)
def test_check_names_the_seal_key_that_none_follows(folder, capsys, seals, named):
    add_seals(folder / "service", **seals)
    assert run(folder, "check", "--warn", "5") == bool(named)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[1:]] == named


def test_a_broken_ring_is_a_problem_with_its_file(folder, capsys):
    (folder / "service" / "new.key.pem").unlink()
    assert run(folder, "check") == 2
    assert "new.key.pem" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["tls/server.cert.pem", "elsewhere/web.pem"])
def test_the_certificate_of_tls_is_the_one_that_serves(folder, capsys, file):
    services = folder / "services"
    services.mkdir()
    if not file.startswith("tls"):
        (services / "provider.toml").write_text(f'[tls]\ncertificate = "{file}"\nkey = "web.key"\n')
    made = pki.self_signed("CN=web", start=in_days(-200), end=in_days(3))
    (folder / file).parent.mkdir()
    (folder / file).write_bytes(made.cert_pem)
    assert run(folder, "check", "--warn", "5", "--services", str(services)) == 1
    assert "CN=web" in capsys.readouterr().out


def test_no_folder(tmp_path, capsys):
    assert run(tmp_path / "nowhere", "list") == 2
    assert "no such keys folder" in capsys.readouterr().err
