"""Where other projects' vectors stand, and reading their keys; nothing is ever copied from there."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.vectors import jks

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

CXF = "apache+cxf/rt/ws/security/src/test/resources"
CXF_SYSTEM = "apache+cxf/systests/ws-security/src/test/resources"
WSS4J = "apache+ws-wss4j"
RAMPART = "apache+axis-axis2-java-rampart"


def need(name: str) -> Path:
    """A file or folder below the vectors; the test is skipped, by that name, where it is absent."""
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"no vector {name}")
    return path


def read(name: str) -> bytes:
    return need(name).read_bytes()


@cache
def _entries(path: Path, password: str, key_password: str | None) -> dict[str, jks.Entry]:
    return jks.read(path.read_bytes(), password, key_password)


@cache
def _converted(path: Path, kind: str, alias: str, password: str) -> dict[str, jks.Entry]:
    """By Java's own tool, for the one format that :mod:`tests.vectors.jks` does not read."""
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip(f"no keytool to read {path.name}")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.jks"
        options = {
            "-srckeystore": path,
            "-srcstoretype": kind,
            "-srcstorepass": password,
            "-srcalias": alias,
            "-srckeypass": password,
            "-destkeystore": made,
            "-deststoretype": "JKS",
            "-deststorepass": password,
            "-destkeypass": password,
        }
        arguments = [part for option in options.items() for part in option]
        command = [keytool, "-importkeystore", *arguments, "-noprompt"]
        subprocess.run(command, check=True, capture_output=True)
        return jks.read(made.read_bytes(), password)


def converted(name: str, alias: str, password: str) -> jks.Entry:
    """One entry of a JCEKS store; skipped without Java."""
    return _converted(need(name), "JCEKS", alias, password)[alias]


def entry(name: str, alias: str, password: str, key_password: str | None = None) -> jks.Entry:
    """One entry of a key store."""
    return _entries(need(name), password, key_password)[alias]
