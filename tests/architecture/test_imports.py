"""Imports run one way through the house; the contracts stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_import_contracts_hold():
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_importing_the_engine_loads_neither_spyne_nor_the_second_engine():
    code = (
        "import sys, wsprovider.exchange.recipient, wsprovider.scenarios.catalogue;"
        "loaded = {name.partition('.')[0] for name in sys.modules};"
        "sys.exit(', '.join(sorted(loaded & {'spyne', 'xmlsec', 'gunicorn', 'redis', 'zeep'})) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
