"""What ``docs/deploy.md`` tells to do works as it stands there, as far as one machine can show it."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.deployed import (
    BLOCKS,
    PAGE,
    Place,
    require,
)
from tests.live.pages import blocks_of
from tests.live.provider import ROOT

pytestmark = [pytest.mark.live, pytest.mark.slow]
TESTS = sorted((ROOT / "tests" / "live").glob("test_deploy*.py"))


def test_every_frame_of_the_page_is_somebody_s() -> None:
    marked = blocks_of(PAGE)
    assert {block.test for block in marked} == {f"tests/live/{path.name}" for path in TESTS}
    drawing = 1
    assert PAGE.read_text().count("\n```") == 2 * (len(marked) + drawing)
    used = "\n".join(path.read_text() for path in [*TESTS, ROOT / "tests" / "live" / "deployed.py"])
    for name in BLOCKS:
        assert f'"{name}"' in used, name


# installing ----------------------------------------------------------------------------------------


def test_the_environment(tmp_path: Path) -> None:
    """The wheel into an environment of its own; what it needs is this environment's, for want of time."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    place = Place(tmp_path)
    shutil.rmtree(place.bin)
    make, *locked, wheel = place.text("install").splitlines()
    for line in locked:
        words = shlex.split(line)
        assert "--require-hashes" in words
        assert (ROOT / words[-1]).is_file()
    place.sh(f"{make}\n{wheel}", cwd=tmp_path)
    (packages,) = (place.folder / "opt").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path))
    told = subprocess.run(
        [place.bin / "wsprovider", "version"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    code = "import wsprovider; print(wsprovider.__file__)"
    found = subprocess.run(
        [place.bin / "python", "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith(str(packages))
    assert "wsprovider" in told.stdout


def test_the_account_and_the_keys(tmp_path: Path) -> None:
    """In folders with those modes; what comes of it is a configuration without a mistake, and a backup."""
    place = Place(tmp_path)
    place.var.rmdir()
    add, *folders = place.text("account").splitlines()
    assert "--system" in shlex.split(add)
    known = subprocess.run(["useradd", "--help"], capture_output=True, text=True, check=False).stdout
    assert [word for word in shlex.split(add) if word.startswith("--") and word not in known] == []
    own = f"-o {os.geteuid()} -g {os.getegid()}"
    place.sh(re.sub(r"-o \w+ -g \w+", own, "\n".join(folders)))
    assert [(path.stat().st_mode & 0o777) for path in (place.site, place.var)] == [0o750, 0o700]
    assert (place.site / "keys").stat().st_mode & 0o777 == 0o700
    other = Place(tmp_path / "other")
    other.furnish("", ["8"])
    shutil.copy(other.site / "keys" / "development" / "client-1.cert.pem", place.site / "partner.pem")
    (place.site / "password.txt").write_text("correct horse\n")
    shutil.copytree(other.site / "services", place.site / "services", dirs_exist_ok=True)
    (place.site / "services" / "provider.toml").write_text(place.text("provider.toml"))
    assert "1 endpoints of 1 services: nothing wrong" in place.sh(place.text("keys"))
    modes = [path.stat().st_mode & 0o777 for path in (place.site / "keys").rglob("*.key.pem")]
    assert modes == [0o600]
    place.sh(place.text("backup"))
    listed = place.sh(f"tar --list --file {place.var / 'wsprovider.tar.gz'}").splitlines()
    assert {"keys/service/ring.toml", "keys/audit.log", "services/provider.toml"} <= set(listed)


def test_a_new_release_is_checked_first(tmp_path: Path) -> None:
    """The moving of folders, and that a configuration that the new release does not understand stops it."""
    place = Place(tmp_path)
    place.furnish("", ["8"])
    shutil.copytree(tmp_path / "opt", tmp_path / "opt-new")
    (tmp_path / "opt-new" / "new").touch()
    (place.bin / "systemctl").write_text("#!/bin/sh\necho $*\n")
    (place.bin / "systemctl").chmod(0o755)
    shutil.copy(place.bin / "systemctl", tmp_path / "opt-new" / "bin")
    script = place.text("upgrade")
    assert place.sh(script).endswith("restart wsprovider\n")
    assert (tmp_path / "opt" / "new").exists()
    assert (tmp_path / "opt-old").exists()
    (place.site / "services" / "provider.toml").write_text("unknown = 1\n")
    (tmp_path / "opt").rename(tmp_path / "opt-new")
    with pytest.raises(AssertionError, match=r"provider\.toml:1: unknown"):
        place.sh(script)
    assert (tmp_path / "opt-new").exists()


def test_the_journal_shows_refusals(tmp_path: Path) -> None:
    """What the pipe lets through of our own lines."""
    place = Place(tmp_path)
    lines = ['{"event": "request", "reason": null}', '{"event": "request", "reason": "REPLAY"}', "other"]
    (place.bin / "journalctl").write_text("#!/bin/sh\nprintf '%s\\n' " + shlex.join(lines) + "\n")
    (place.bin / "journalctl").chmod(0o755)
    assert place.sh(place.text("journal")).splitlines() == [lines[1]]


# the units -----------------------------------------------------------------------------------------


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """No word is unknown to it, the programs are there, and the score is what the page says."""
    require("systemd-analyze")
    place = Place(tmp_path)
    for name in ("wsprovider.service", "wsprovider.socket"):
        (tmp_path / name).write_text(place.text(name))
    unit = tmp_path / "wsprovider.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit), str(tmp_path / "wsprovider.socket")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not [line for line in done.stderr.splitlines() if "wsprovider." in line], done.stderr
    (told,) = re.findall(r"rates this unit (\d\.\d) of 10", PAGE.read_text())
    analyze = ["systemd-analyze", "security", "--offline=yes", "--no-pager"]
    done = subprocess.run([*analyze, str(unit)], capture_output=True, text=True, check=False)
    (score,) = re.findall(r"Overall exposure level for \S+: (\d\.\d)", done.stdout)
    assert abs(float(score) - float(told)) <= 0.3  # it rates a little differently from release to release


def test_the_unit_stops_gunicorn_no_sooner_than_gunicorn_stops() -> None:
    from wsprovider.cli import gunicorn_settings

    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read_string(BLOCKS["wsprovider.service"])
    assert int(unit["Service"]["TimeoutStopSec"]) > gunicorn_settings.graceful_timeout
    (patience,) = re.findall(r"proxy_read_timeout (\d+)s", BLOCKS["nginx.conf"])
    assert int(patience) > int(unit["Service"]["TimeoutStopSec"])
    assert BLOCKS["gunicorn"].split(" --bind ")[0] in unit["Service"]["ExecStart"]
    assert "wsgi:application" in BLOCKS["gunicorn"]


# the container file --------------------------------------------------------------------------------

_INSTRUCTIONS = {
    *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "VOLUME"),
    *("STOPSIGNAL", "HEALTHCHECK", "CMD"),
}


def test_the_container_file() -> None:
    """No instruction is unknown, nothing runs as root, what is copied is there, and CMD is the page's own."""
    lines = [line.split(" ", 1) for line in BLOCKS["Containerfile"].splitlines() if line]
    assert {word for word, _ in lines} <= _INSTRUCTIONS
    assert [word for word, _ in lines].count("FROM") == 2
    last = dict(lines)
    assert last["USER"] == "10001"
    assert [word for word, _ in lines].index("USER") > [word for word, _ in lines].index("RUN")
    for word, rest in lines:
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists() or source == "wsprovider-*.whl"
    installs = [
        rest.replace("--no-cache-dir ", "") for word, rest in lines if word == "RUN" and "/opt" in rest
    ]
    assert installs == BLOCKS["install"].replace("requirements/", "").splitlines()
    command = shlex.split(BLOCKS["gunicorn"].replace("unix:/run/wsprovider/http.sock", "0.0.0.0:8080"))
    assert last["CMD"] == str(command).replace("'", '"')
    options = re.findall(r" (--[a-z-]+)", BLOCKS["container"])
    assert {"--read-only", "--cap-drop", "--security-opt"} <= set(options)
