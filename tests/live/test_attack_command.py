"""``wsprovider attack`` against the product itself: everything is refused, and only good calls are carried out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.kdc import Kdc, require_kdc
from tests.live.provider import CONVERSATIONS, ROOT, SLUGS, ProviderProcess

pytestmark = [pytest.mark.live, pytest.mark.slow]
DOCUMENTS = (
    "derived-keys",
    "encrypt-before-signing",
    "encrypt-signature",
    "protect-tokens",
    "password-digest",
    "endorsing",
    "signed-endorsing-encrypted",
    "transport-endorsing",
)
OVER_TLS = (SLUGS["1"], "password-digest", "transport-endorsing")
SENT = 180
"""Variants that each policy has, at least; tests/unit/attack counts those of each scenario."""
OPENED, ENDED = "security-context-issue", "security-context-cancel"


def attack(
    provider: ProviderProcess, path: str, report: Path, *more: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    url = provider.url(path, secure=path.endswith(OVER_TLS))
    return subprocess.run(
        [
            *(sys.executable, "-m", "wsprovider", "attack", url, "echo", "text=hello", "--service", "echo"),
            *("--services", str(provider.services), "--keys", str(provider.keys)),
            *("--json", str(report), "--rate", "1000", *more),
        ],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def check(provider: ProviderProcess, path: str, folder: Path, *more: str, **environ: str) -> dict[str, Any]:
    """All variants are refused, and the service has carried out the good calls, and no others."""
    since = provider.logged()
    done = attack(provider, path, folder / "report.json", *more, **environ)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert "development" not in done.stdout
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    sent = [row for row in report["rows"] if row["status"] is not None]
    assert len(sent) >= SENT
    done_ = Counter(line["operation"] for line in provider.requests(since) if line["reason"] is None)
    assert set(done_) <= {"echo", OPENED, ENDED}
    assert done_[OPENED] == done_[ENDED]
    conversing = 1 if done_[OPENED] else 0  # the context of the calls
    assert done_["echo"] + done_[OPENED] == report["good_messages"] + conversing
    return report


@pytest.mark.parametrize("number", [*SLUGS, *CONVERSATIONS])
def test_each_scenario(provider: ProviderProcess, number: str, tmp_path: Path) -> None:
    """Every scenario refuses all of its variants."""
    slug = SLUGS.get(number) or CONVERSATIONS[number]
    check(provider, f"/echo/{slug}", tmp_path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_policy_document(provider: ProviderProcess, name: str, tmp_path: Path) -> None:
    """So does every policy beyond the scenarios; what says nothing of it is left out."""
    check(provider, f"/echo/{name}", tmp_path)
