"""J01: every way to write a moment, and the ways that are let in."""

from datetime import UTC, datetime, timedelta

import pytest

from wsprovider.header.times import format_time, parse_time
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-01T12:00:00Z", NOON),
        ("2026-06-01T12:00:00.0Z", NOON),
        ("2026-06-01T12:00:00.123Z", NOON + timedelta(milliseconds=123)),
        ("2026-06-01T12:00:00.123456Z", NOON + timedelta(microseconds=123456)),
        ("2026-06-01T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2026-06-01T12:00:00+00:00", NOON),
        ("2026-06-01T12:00:00-00:00", NOON),
        (" 2026-06-01T12:00:00Z\n", NOON),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_let_in(text, moment):
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "now", "2026-06-01", "12:00:00Z", "2026-06-01 12:00:00Z", "2026-06-01t12:00:00Z",
        "2026-06-01T12:00:00z", "2026-06-01T12:00:00", "2026-06-01T12:00Z", "2026-6-1T12:00:00Z",
        "20260601T120000Z", "+2026-06-01T12:00:00Z", "-2026-06-01T12:00:00Z", "12026-06-01T12:00:00Z",
        "2026-06-01T12:00:00+02:00", "2026-06-01T12:00:00-00:01", "2026-06-01T12:00:00+0000",
        "2026-06-01T12:00:60Z", "2026-06-01T12:00:61Z", "2026-06-01T12:60:00Z", "2026-06-01T24:00:00Z",
        "2026-06-01T25:00:00Z", "2026-13-01T12:00:00Z", "2026-00-01T12:00:00Z", "2026-06-31T12:00:00Z",
        "2026-02-29T12:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
        "2026-06-01T12:00:00.Z", "2026-06-01T12:00:00.1234567890Z", "2026-06-01T12:00:00,5Z",
        "๒๐๒๖-๐๖-๐๑T๑๒:๐๐:๐๐Z", "２０２６-06-01T12:00:00Z", "2026-06-01T12:00:0٠Z", "2026-06-01T12:00:00\u005a\u0301",  # noqa: RUF001
        "\u00a02026-06-01T12:00:00Z", "2026-06-01T12:00:00Z\0", "2026-06-01T12:00:00Z2026-06-01T12:00:00Z",
        "2026-W23-1T12:00:00Z", "2569-06-01T12:00:00+07:00", "1e3-06-01T12:00:00Z", "2026-06-01T12:00:00Z" + " " * 40,
        "2026-06-01T-1:00:00Z", "2026-06-01T1_:00:00Z",
    ],
)  # fmt: skip
def test_refused(text):
    with pytest.raises(WSSecurityError) as refused:
        parse_time(text)
    assert refused.value.reason is Reason.TIMESTAMP_MALFORMED


@pytest.mark.parametrize("moment", [NOON, NOON + timedelta(microseconds=1999), datetime(1, 1, 1, tzinfo=UTC)])
def test_what_we_write_we_read(moment):
    read = parse_time(format_time(moment))
    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)
