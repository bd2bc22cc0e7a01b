"""Where other projects' vectors stand, and reading their keys; nothing is ever copied from there."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from wsprovider.adapters.keys import jks
from wsprovider.adapters.keys.pkcs12 import load_bundle

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


@dataclass(frozen=True)
class Entry:
    """A key (None: a trusted certificate) with its chain in DER."""

    key: Any
    chain: tuple[bytes, ...]


def _entry(content: bytes, alias: str, password: str, key_password: str) -> Entry:
    if not jks.is_store(content):  # some files called .jks are PKCS#12 by now
        key, certificate, others = load_bundle(content, password.encode())
        return Entry(key, tuple(one.der for one in (certificate, *others)))
    (found,) = (one for one in jks.read_entries(content, password.encode()) if one.alias == alias)
    key = None if found.hidden is None else jks.private_key(found, key_password.encode())
    return Entry(key, found.chain)


@cache
def _converted(path: Path, kind: str, alias: str, password: str) -> Entry:
    """By Java's own tool, for a JCEKS store with a secret key in it, which is not read."""
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
        return _entry(made.read_bytes(), alias, password, password)


def converted(name: str, alias: str, password: str) -> Entry:
    """One entry of a JCEKS store; skipped without Java."""
    return _converted(need(name), "JCEKS", alias, password)


@cache
def entry(name: str, alias: str, password: str, key_password: str | None = None) -> Entry:
    """One entry of a key store."""
    return _entry(read(name), alias, password, key_password or password)
