"""``wsprovider init``: the first service of a new project, in the folder where you stand.

Writes ``wsgi.py``, ``services/hello/`` and development keys. What is already there stays as it is, so
the command may be run again.
"""

import argparse
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from wsprovider.cli.development import first_keys

_FILES: Final[Mapping[str, str]] = {
    "wsgi.py": "wsgi.py.txt",
    "services/hello/service.py": "service.py.txt",
    "services/hello/service.toml": "service.toml.txt",
    ".gitignore": "gitignore.txt",
}


def register(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser(
        "init", help="write a first service and development keys", description=__doc__
    )
    command.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: the current folder")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write what is not there yet, and say so."""
    folder: Path = options.folder
    for name, template in _FILES.items():
        _write(folder / name, (files("wsprovider.cli") / "templates" / template).read_text(encoding="utf-8"))
    made = first_keys(folder / "keys")
    print(f"{'wrote' if made else 'kept '} {folder / 'keys'}")
    print("\nServe it:  gunicorn -c python:wsprovider.cli.gunicorn_settings wsgi:application")
    print("           (or, over HTTP and HTTPS at once:  wsprovider serve)")
    return 0


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        print(f"kept  {path}")
    else:
        print(f"wrote {path}")
