"""The text of ``/metrics``: read by the client library of others, and each number in its place."""

import math
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from wsprovider.conversation.request import Kind
from wsprovider.ports import Totals
from wsprovider.server.metrics import BUCKETS, Counted, Metrics
from wsprovider.server.telemetry.stages import Stage
from wsprovider.words.reasons import Reason

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "watching.md").read_text()
ECHO, ODD = Counted("echo", "echo/3", crosschecked=True), Counted('o"d\\d', "line\nbreak")


def samples(text):
    families = list(text_string_to_metric_families(text))
    assert len({one.name for one in families}) == len(families)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def metrics():
    return Metrics([ECHO, ODD])


def test_every_outcome_has_a_place_of_its_own(metrics):
    for times, reason in enumerate((None, *Reason), start=1):
        for _ in range(times):
            metrics.count(ODD.name, reason, 0.5)
    for times, reason in enumerate((None, *Reason), start=1):
        assert metrics.requests(ODD.name, reason) == times
        assert metrics.requests(ECHO.name, reason) == 0
    metrics.count_conversation(ODD.name, Kind.RENEW)
    found = samples(metrics.text())
    assert found["wsprovider_requests_total", ODD.name, Reason.REPLAY.name, ODD.service] > 1
    asked = {key: value for key, value in found.items() if "conversation" in key[0]}
    assert asked == {("wsprovider_conversation_requests_total", ODD.name, "renew", ODD.service): 1}


@pytest.mark.parametrize("seconds", [0.0, *BUCKETS, 0.00031, 10.1, 1e6])
def test_times_fall_into_their_buckets(metrics, seconds):
    metrics.count(ECHO.name, None, seconds, {Stage.VERIFY: seconds / 2})
    found = samples(metrics.text())
    for name, labels, spent in (
        ("request", ("echo",), seconds),
        ("stage", ("echo", "verify"), seconds / 2),
    ):
        of = f"wsprovider_{name}_duration_seconds"
        for bound in (*BUCKETS, math.inf):
            said = "+Inf" if bound == math.inf else str(bound)
            assert found[f"{of}_bucket", "echo/3", said, *labels] == (spent <= bound)
        assert found[f"{of}_count", "echo/3", *labels] == 1
        assert found[f"{of}_sum", "echo/3", *labels] == pytest.approx(spent, abs=1e-6)
    assert not [key for key in found if "parse" in key]


def test_disagreements_are_told_of_from_the_start(metrics):
    """Of who has a second engine; an alert waits for the number to grow."""
    name = "wsprovider_crosscheck_disagreements_total"
    assert {key: value for key, value in samples(metrics.text()).items() if key[0] == name} == {
        (name, "echo/3", "echo"): 0
    }
    metrics.count(ECHO.name, Reason.CROSSCHECK, 0.1)
    assert samples(metrics.text())[name, "echo/3", "echo"] == 1


def test_nothing_is_counted_twice_under_another_name(metrics):
    metrics.count(ECHO.name, None, 0.25)
    metrics.count(ECHO.name, Reason.REPLAY, 0.5)
    found = samples(metrics.text(Totals(1, 2, 3, 4, 5)))
    assert found["wsprovider_request_seconds_total", "echo/3", "echo"] == 0.75
    assert found["wsprovider_request_duration_seconds_count", "echo/3", "echo"] == 2
    assert found["wsprovider_contexts_issued_total",] == 2
    assert found["wsprovider_workers",] == 1


def test_a_worker_can_tell_of_itself(metrics, tmp_path):
    metrics.count(ECHO.name, None, 0.25)
    other = Metrics([ECHO, ODD])
    metrics.board.join(tmp_path)
    other.board.attend(tmp_path)
    assert other.requests(ECHO.name, None) == 1
    of = 'requests_total{service="echo",endpoint="echo/3",reason="ANSWERED"} 1\n'
    assert of in other.text()
    assert of not in other.text(own=True)
    assert of in metrics.text(own=True)


def test_the_page_tells_of_each_name_bucket_and_reason(metrics):
    metrics.count(ECHO.name, None, 0.1, dict.fromkeys(Stage, 0.1))
    metrics.count_conversation(ECHO.name, Kind.ISSUE)
    names = re.findall(r"# TYPE (\w+) ", metrics.text(Totals(1, 2, 3, 4, 5)))
    assert len(names) > 9
    told = set(re.findall(r"`(wsprovider_\w+)`", PAGE))
    assert set(names) <= told
    assert told - set(names) == {"wsprovider_replay_entries", "wsprovider_replay_entries_limit"}
    small = [f"{bound * 1000:g}" for bound in BUCKETS if bound < 1]
    large = [f"{bound:g}" for bound in BUCKETS if bound >= 1]
    assert f"{', '.join(small[:-1])} and {small[-1]} milliseconds" in PAGE
    assert f"at {', '.join(large[:-1])} and {large[-1]} seconds" in PAGE
    shouted = set(
        re.findall(r"\b[A-Z]{4,}(?:_[A-Z]+)*\b", PAGE.partition("### Alerts")[2].partition("\n## ")[0])
    )
    assert shouted <= set(Reason.__members__)
    assert {stage.value for stage in Stage} == set(
        re.findall(r"^\| `(\w+)` \| \w", PAGE[: PAGE.index("## Metrics")], re.MULTILINE)
    )
