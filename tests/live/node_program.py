"""node-soap in a process of its own each time, with the client that ``docs/peers/node-soap.md`` describes.

``npm ci`` puts what ``node/package-lock.json`` names into ``node/target``, again when the lock file changed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.live.made import made
from tests.live.pages import block

_SOURCES = Path(__file__).resolve().parent / "node"
_FILES = ("package.json", "package-lock.json", "call.mjs", "as_it_is.mjs")


def missing() -> str | None:
    """Why there is no Node on this machine, or None when there is."""
    programs = [program for program in ("node", "npm") if shutil.which(program) is None]
    return f"not installed: {', '.join(programs)}" if programs else None


def install() -> Path:
    """The folder with the packages, the program and the page's block."""
    page = block("node-soap", "clients")
    with made(_SOURCES / "target", *(_SOURCES / name for name in _FILES), page) as folder:
        if folder is not None:
            for name in _FILES:
                shutil.copy(_SOURCES / name, folder)
            (folder / "page.mjs").write_text(page)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return _SOURCES / "target"


def call(
    folder: Path, function: str, *arguments: object, module: str = "page.mjs", **order: Any
) -> dict[str, Any]:
    """Clients and their calls; ``node/call.mjs`` says what may be ordered and what is answered."""
    plain = [str(one) if isinstance(one, Path) else one for one in arguments]
    done = subprocess.run(
        ["node", "--no-deprecation", "call.mjs", module, function],
        cwd=folder,
        input=json.dumps({"arguments": plain, **order}),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
