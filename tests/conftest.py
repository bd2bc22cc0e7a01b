"""What every folder of tests shares."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

REQUIRE_LIVE = bool(os.environ.get("REQUIRE_LIVE"))
os.environ.setdefault("WSPROVIDER_MONITOR", "off")  # whoever wants one names a free port


@pytest.fixture(scope="session")
def development_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keys folder as the first run makes it; shared by all tests, so read only."""
    from wsprovider.cli.development import first_keys

    folder = tmp_path_factory.mktemp("development") / "keys"
    assert first_keys(folder)
    return folder


@pytest.fixture
def now() -> datetime:
    """The present, for tests that need a moment and none in particular."""
    return datetime.now(UTC)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of several processes, one runs everything that shares servers and tables; files are dealt out to the others."""
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "live" if file.startswith("tests/live/") else file

    return Files(config, log)


def _refused_skip(report: Any) -> None:
    """Turn a skip into a failure: where everything can be installed, nothing is left out."""
    if REQUIRE_LIVE and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_LIVE is set and this was skipped: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    report = yield
    _refused_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[Any]:
    report = yield
    _refused_skip(report)
    return report
