"""Keys and stores by the tools of others: ``openssl`` and Java's ``keytool``."""

import shutil
import subprocess
from pathlib import Path

import pytest


def run(tool: str, *arguments: str | Path, given: bytes = b"") -> bytes:
    """Run it; the test is skipped by name where there is none (``REQUIRE_LIVE`` makes that a failure)."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"no {tool}")
    done = subprocess.run([path, *map(str, arguments)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    return done.stdout + done.stderr


def openssl(*arguments: str | Path, given: bytes = b"") -> bytes:
    return run("openssl", *arguments, given=given)


def keytool(*arguments: str | Path) -> bytes:
    return run("keytool", *arguments)


def java_store(path: Path, kind: str, password: str, aliases: dict[str, str], *, keys: str = "EC") -> bytes:
    """A store with a new key for each alias, and the password of that key."""
    for alias, key_password in aliases.items():
        keytool(
            *("-genkeypair", "-alias", alias, "-keyalg", keys, "-dname", f"CN={alias},O=Bank"),
            *("-keystore", path, "-storetype", kind, "-storepass", password, "-keypass", key_password),
        )
    return path.read_bytes()
