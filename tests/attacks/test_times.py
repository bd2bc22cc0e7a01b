"""Times: J01 and J09."""

import pytest

from tests.attacks.rows import (
    R,
    _unsigned,
    changed,
    check,
    hostile,
)
from tests.simulator.bend import (
    TIMESTAMP,
    attribute,
    insert,
    remove,
    text,
)

CREATED, EXPIRES = f"{TIMESTAMP}/wsu:Created", f"{TIMESTAMP}/wsu:Expires"

TIMES = [
    hostile("J01 no Timestamp", "3", R.TIMESTAMP_MISSING, _unsigned("TS"), remove(TIMESTAMP)),
    hostile("J01 no Created", "3", R.TIMESTAMP_MALFORMED, remove(CREATED)),
    hostile("J01 no Expires", "3", R.TIMESTAMP_MALFORMED, remove(EXPIRES)),
    hostile("J01 Expires before Created", "3", R.TIMESTAMP_MALFORMED, text(EXPIRES, "2026-06-01T11:59:59Z")),
    hostile("J01 Expires is Created", "3", R.TIMESTAMP_MALFORMED, text(EXPIRES, "2026-06-01T12:00:00Z")),
    hostile("J01 61 s ahead", "3", R.TIMESTAMP_FUTURE, text(CREATED, "2026-06-01T12:01:01Z")),
    hostile("J01 expired", "3", R.TIMESTAMP_EXPIRED, text(CREATED, "2026-06-01T11:00:00Z"), text(EXPIRES, "2026-06-01T11:59:00Z")),
    hostile("J01 expires in ten years", "3", R.TIMESTAMP_EXPIRED, text(CREATED, "2026-06-01T11:53:00Z"), text(EXPIRES, "2036-06-01T12:00:00Z")),
    hostile("J01 extra child", "3", R.MALFORMED_HEADER_CHILD, insert(TIMESTAMP, "<e:x/>")),
    hostile("J01 ValueType", "3", R.TIMESTAMP_MALFORMED, attribute(CREATED, "ValueType", "xsd:dateTime")),
    hostile("J09 no Timestamp, asymmetric", "2", R.TIMESTAMP_MISSING, _unsigned("TS"), remove(TIMESTAMP)),
    changed("J01 unsigned Timestamp swapped", "3", R.DIGEST_MISMATCH, text(CREATED, "2026-06-01T12:00:01Z")),
]  # fmt: skip


@pytest.mark.parametrize("row", TIMES, ids=str)
def test_is_refused(row):
    check(row)
