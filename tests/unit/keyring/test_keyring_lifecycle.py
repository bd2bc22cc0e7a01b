"""The states of a key as a function of dates: every boundary, and rings that would run dry."""

from datetime import timedelta

import pytest

from tests.simulator.pki import NOW, days
from wsprovider.keyring.lifecycle import ALWAYS, KeyState, Lifespan, gap

P, A, O, R, G = KeyState  # noqa: E741 - the columns of the table below
SECOND = timedelta(seconds=1)

FULL = Lifespan(days(0), days(10), days(20), days(30))


@pytest.mark.parametrize(
    ("lifespan", "moment", "state"),
    [
        (FULL, days(0) - SECOND, P),
        (FULL, days(0), A),
        (FULL, days(10) - SECOND, A),
        (FULL, days(10), O),
        (FULL, days(20) - SECOND, O),
        (FULL, days(20), R),
        (FULL, days(30) - SECOND, R),
        (FULL, days(30), G),
        (FULL, days(9999), G),
        (ALWAYS, days(-9999), A),
        (ALWAYS, days(9999), A),
        (Lifespan(active_from=days(1)), days(0), P),
        (Lifespan(active_from=days(1)), days(9999), A),
        # defaults: 30 days of overlap, then 90 of retention
        (Lifespan(retired_at=days(0)), days(0) - SECOND, A),
        (Lifespan(retired_at=days(0)), days(30) - SECOND, O),
        (Lifespan(retired_at=days(0)), days(30), R),
        (Lifespan(retired_at=days(0)), days(120) - SECOND, R),
        (Lifespan(retired_at=days(0)), days(120), G),
        (Lifespan(retired_at=days(0), overlap_until=days(1)), days(91) - SECOND, R),
        (Lifespan(retired_at=days(0), overlap_until=days(1)), days(91), G),
        # compromised: everything ends at once
        (Lifespan(days(-9), days(0), days(0), days(0)), days(0) - SECOND, A),
        (Lifespan(days(-9), days(0), days(0), days(0)), days(0), G),
    ],
)
def test_state(lifespan, moment, state):
    assert lifespan.state(moment) is state


@pytest.mark.parametrize(
    ("lifespan", "words"),
    [
        (FULL, None),
        (ALWAYS, None),
        (Lifespan(days(0), days(0), days(0), days(0)), None),
        (Lifespan(overlap_until=days(1)), "need retired_at"),
        (Lifespan(gone_at=days(1)), "need retired_at"),
        (Lifespan(days(2), days(1)), "retired_at lies before active_from"),
        (Lifespan(None, days(2), days(1)), "overlap_until lies before retired_at"),
        (Lifespan(None, days(2), None, days(10)), "gone_at lies before overlap_until"),
    ],
)
def test_impossible_dates_are_told(lifespan, words):
    problems = lifespan.problems()
    assert any(words in one for one in problems) if words else problems == ()


@pytest.mark.parametrize(
    ("lifespans", "moment"),
    [
        ([ALWAYS], None),
        ([Lifespan(retired_at=days(5)), Lifespan(active_from=days(5))], None),
        ([Lifespan(active_from=days(4)), Lifespan(retired_at=days(5))], None),
        ([Lifespan(retired_at=days(5)), Lifespan(active_from=days(6))], days(5)),
        ([Lifespan(retired_at=days(5))], days(5)),
        ([Lifespan(retired_at=days(-5)), Lifespan(active_from=days(1))], NOW),
        ([Lifespan(retired_at=days(5)), Lifespan(days(5), days(9)), Lifespan(days(9))], None),
        ([], NOW),
    ],
)
def test_gap(lifespans, moment):
    assert gap(lifespans, NOW) == moment
