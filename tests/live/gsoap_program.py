"""gSOAP's client, built as ``docs/peers/gsoap.md`` describes, from our own WSDL; a process of its own each time."""

from __future__ import annotations

import subprocess
import urllib.request
from pathlib import Path

from tests.live.made import made
from tests.live.pages import block
from tests.live.provider import ProviderProcess

_SOURCES = Path(__file__).resolve().parent / "gsoap"
_NEEDED = ("/usr/bin/wsdl2h", "/usr/include/stdsoap2.h", "/usr/include/openssl/ssl.h", "/usr/include/zlib.h")


def missing() -> str | None:
    """Why no client can be built on this machine, or None when one can."""
    files = [file for file in _NEEDED if not Path(file).exists()]
    return f"not installed: {', '.join(files)}" if files else None


def build(provider: ProviderProcess, path: str) -> Path:
    """The client for the WSDL of an endpoint; built again when that or a source changed."""
    with urllib.request.urlopen(provider.url(f"{path}?wsdl")) as opened:
        wsdl = opened.read().decode()
    wsdl = wsdl.replace(provider.http, "http://localhost")  # its port is another each time
    sources = {"echo.wsdl": wsdl, "client.c": (_SOURCES / "client.c").read_text()}
    sources |= {name: block("gsoap", name) for name in ("secure.c", "build.sh")}
    with made(_SOURCES / "target", *sources.values()) as folder:
        if folder is not None:
            for name, text in sources.items():
                (folder / name).write_text(text)
            done = subprocess.run(
                ["sh", "-eu", "build.sh"], cwd=folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
    return _SOURCES / "target" / "client"
